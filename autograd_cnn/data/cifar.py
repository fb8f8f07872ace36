"""A part of CIFAR-10: small colour pictures of ten kinds of things."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.data.archive import Archive, find_or_unpack
from autograd_cnn.data.download import Progress
from autograd_cnn.data.image_dataset import ImageDataset
from autograd_cnn.errors import DataError

_RECORD = 1 + 3 * 32 * 32  # the label, then the red, green and blue planes


class CIFAR10Subset(ImageDataset):
    """The first of CIFAR-10's five training batches, 10,000 pictures, and the first 1,000 of its test pictures.

    root: a folder that has `data_batch_1.bin` and `test_batch_first1000.bin`, or is to have them in `cifar10-subset/`;
        they are also looked for in `cifar10-subset/` of the folder that AUTOGRAD_CNN_DATA names, and in the cache.
    transform: of one picture, a (32, 32, 3) array of uint8; `ToTensor()` unless given.
    download: whether to fetch the archive of the authors (170 MB), if the files are nowhere.
    Errors: `DataError` for files that are missing, torn or not this data set.
    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, University of Toronto, 2009.
    """

    class_names: ClassVar[Sequence[str]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    archive: ClassVar[Archive] = Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        (
            (r"cifar-10-batches-bin/data_batch_1\.bin", "data_batch_1.bin", None),
            (r"cifar-10-batches-bin/test_batch\.bin", "test_batch_first1000.bin", 1000 * _RECORD),
        ),
        "9addb698da186d18974594733a0e76e32572b906d998ba54d591749f7c1357e6",
        170_052_171,
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        self.train = train
        name, count = ("data_batch_1.bin", 10_000) if train else ("test_batch_first1000.bin", 1_000)
        folder = find_or_unpack(self.archive, "cifar10-subset", name, root, download=download, progress=progress)
        raw = np.fromfile(folder / name, np.uint8)
        if raw.size != count * _RECORD:
            raise DataError(f"{folder / name}: {raw.size} bytes, not {count} records of {_RECORD}")
        records = raw.reshape(count, _RECORD)
        if records[:, 0].max() >= len(self.class_names):
            raise DataError(f"{folder / name}: label {records[:, 0].max()} of {len(self.class_names)} classes")
        pictures = np.ascontiguousarray(records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1))
        super().__init__(pictures, records[:, 0], self.class_names, transform, target_transform)
