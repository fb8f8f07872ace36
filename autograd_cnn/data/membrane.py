"""Membranes of nerve cells in electron micrographs: for segmentation."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.creation import as_tensor
from autograd_cnn.data.archive import Archive, find_or_unpack
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.download import Progress
from autograd_cnn.data.pictures import read_picture
from autograd_cnn.data.transforms import ToTensor
from autograd_cnn.errors import DataError
from autograd_cnn.tensor import Tensor

_COMMIT = "b45af4d458437d8281cc218a07fd4380818ece4a"
_SLICES, _SIZE = 30, 512
_TO_TENSOR = ToTensor()


class Membrane(Dataset[Any]):
    """30 slices of 512 x 512 and for each pixel whether it is inside of a cell (1) or membrane (0).

    An item is (picture, mask): (1, 512, 512) float32 in 0..1, and (512, 512) int64.  The slices are one stack:
    `data` and `masks` are (30, 512, 512) uint8 and make a volume.
    transform: of the picture, a (512, 512) array of uint8; `ToTensor()` unless given.
    target_transform: of the mask.  transforms: of both, a function of picture and mask that returns both.
    root, download: as of `MNIST`; the folder is `membrane`.
    Errors: `DataError` for missing or damaged files, `MissingDependencyError` without Pillow.
    Source: A. Cardona et al., PLoS Biology 8(10), 2010; the ISBI challenge of 2012.
    """

    classes: ClassVar[Sequence[str]] = ("membrane", "inside")
    archive: ClassVar[Archive] = Archive(
        f"https://github.com/zhixuhao/unet/archive/{_COMMIT}.zip",
        (
            (rf"unet-{_COMMIT}/data/membrane/train/((?:image|label)/\d+\.png)", r"\1", None),
            (rf"unet-{_COMMIT}/LICENSE", "LICENSE", None),
        ),
        "911d7f3649b1675b1b664ed54468c59ff64533bbfc79095eab37e0d58bb97725",
        200_000_000,
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        folder = find_or_unpack(self.archive, "membrane", "image/0.png", root, download=download, progress=progress)
        stacks = []
        for part in ("image", "label"):
            pictures = [read_picture(folder / part / f"{i}.png", "L") for i in range(_SLICES)]
            if any(picture.shape != (_SIZE, _SIZE) for picture in pictures):
                raise DataError(f"{folder / part}: a picture is not {_SIZE} x {_SIZE}")
            stacks.append(np.stack(pictures))
        if not np.isin(stacks[1], (0, 255)).all():
            raise DataError(f"{folder / 'label'}: a mask has other values than 0 and 255")
        self.data: Tensor = as_tensor(stacks[0])
        self.masks: Tensor = as_tensor(stacks[1] // 255)
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = self.data.numpy()[index]
        mask: Any = self.masks.numpy()[index]
        if self.transforms is not None:
            return self.transforms(picture, mask)
        picture = (self.transform or _TO_TENSOR)(picture)
        if self.target_transform is not None:
            return picture, self.target_transform(mask)
        return picture, as_tensor(mask.astype(np.int64))

    def __repr__(self) -> str:
        return f"Membrane({len(self)} slices of ({_SIZE}, {_SIZE}))"
