"""MNIST and Fashion-MNIST: 70,000 grey images of 28 x 28 in 10 classes each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.data.download import Progress, RemoteFile, find_or_download
from autograd_cnn.data.idx import read_idx
from autograd_cnn.data.image_dataset import ImageDataset
from autograd_cnn.errors import DataError


class MNIST(ImageDataset):
    """Handwritten digits: 60,000 images to train on and 10,000 to test on.

    root: a folder that has the four gzipped IDX files, or is to have them; they are also looked for in
        `mnist/` of the folder that the environment variable AUTOGRAD_CNN_DATA names, and in the user's cache.
    transform: of one image, a (28, 28) array of uint8; `ToTensor()` unless given.
    download: whether to fetch files that are nowhere; taken by https, and only with the right SHA-256.
    progress: called with file name, bytes so far, bytes in all.
    Errors: `DataError` for files that are missing, torn or not this data set.
    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11), 1998.
    """

    folder_name: ClassVar[str] = "mnist"
    class_names: ClassVar[Sequence[str]] = [str(digit) for digit in range(10)]
    homes: ClassVar[Sequence[str]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    sums: ClassVar[dict[str, tuple[int, str]]] = {
        "train-images-idx3-ubyte.gz": (
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train-labels-idx1-ubyte.gz": (
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "t10k-images-idx3-ubyte.gz": (
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    }

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
        part, count = ("train", 60_000) if train else ("t10k", 10_000)
        images, labels = (
            self._read(f"{part}-{kind}-ubyte.gz", shape, root, download, progress)
            for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,)))
        )
        if labels.max() >= len(self.class_names):
            raise DataError(f"{self.folder_name}: label {labels.max()} of {len(self.class_names)} classes")
        super().__init__(images, labels, self.class_names, transform, target_transform)

    def _read(
        self,
        name: str,
        shape: tuple[int, ...],
        root: str | os.PathLike[str] | None,
        download: bool,
        progress: Progress | None,
    ) -> np.ndarray:
        file = RemoteFile(name, *self.sums[name], self.homes)
        path = find_or_download(file, self.folder_name, root, download=download, progress=progress)
        values = read_idx(path)
        if values.shape != shape or values.dtype != np.uint8:
            raise DataError(f"{path}: holds {values.shape} of {values.dtype}, not {shape} of uint8")
        return values


class FashionMNIST(MNIST):
    """Pictures of clothes, in MNIST's format and size; looked for in `fashion-mnist/`.

    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset, arXiv:1708.07747, 2017.
    """

    folder_name = "fashion-mnist"
    class_names: ClassVar[Sequence[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]
    homes = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
        "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
    )
    sums: ClassVar[dict[str, tuple[int, str]]] = {
        "train-images-idx3-ubyte.gz": (
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "train-labels-idx1-ubyte.gz": (
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "t10k-images-idx3-ubyte.gz": (
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    }
