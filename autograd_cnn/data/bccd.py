"""Blood cells under the microscope, each in a box: for object detection."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.creation import as_tensor
from autograd_cnn.data.archive import Archive, find_or_unpack
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.download import Progress
from autograd_cnn.data.pictures import read_picture
from autograd_cnn.data.transforms import ToTensor
from autograd_cnn.errors import ArgumentError, DataError

_COMMIT = "d272fb14cdff6e473fafeeeba32aba5f560e9e43"
_TO_TENSOR = ToTensor()


class BCCD(Dataset[Any]):
    """364 pictures of 640 x 480 with 4,886 boxes round red and white blood cells and platelets.

    An item is (picture, target): (3, 480, 640) float32 in 0..1, and a dict of `boxes`, (n, 4) float32 with x and y of
    the upper left and the lower right corner in pixels, `labels`, (n,) int64, and `image_id`.  The two empty boxes of
    the original are left out.  Not every cell is marked.
    split: "train" (205 pictures), "val" (87), "trainval" (292) or "test" (72).
    transform: of the picture, a (480, 640, 3) array of uint8; `ToTensor()` unless given.
    target_transform: of the target.  transforms: of both, a function of picture and target that returns both.
    root, download: as of `MNIST`; the folder is `bccd`.
    Errors: `DataError` for missing or damaged files, `MissingDependencyError` without Pillow.
    Source: github.com/Shenggan/BCCD_Dataset.
    """

    classes: ClassVar[Sequence[str]] = ("RBC", "WBC", "Platelets")
    archive: ClassVar[Archive] = Archive(
        f"https://github.com/Shenggan/BCCD_Dataset/archive/{_COMMIT}.zip",
        (
            (rf"BCCD_Dataset-{_COMMIT}/(BCCD/.+)", r"\1", None),
            (rf"BCCD_Dataset-{_COMMIT}/LICENSE", "LICENSE", None),
        ),
        "b5fa7e32e92e3cfdbc59cdfbc09b4ff959804ac2a06c7ed59f89833c1fd97879",
        60_000_000,
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: str = "train",
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        if split not in ("train", "val", "trainval", "test"):
            raise ArgumentError(f"BCCD: split is {split!r}; train, val, trainval or test")
        marker = f"BCCD/ImageSets/Main/{split}.txt"
        self._folder = find_or_unpack(self.archive, "bccd", marker, root, download=download, progress=progress) / "BCCD"
        self.names = (self._folder.parent / marker).read_text().split()
        self.targets = [self._read_target(i, name) for i, name in enumerate(self.names)]
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = read_picture(self._folder / "JPEGImages" / f"{self.names[index]}.jpg", "RGB")
        target: Any = dict(self.targets[index])
        if self.transforms is not None:
            return self.transforms(picture, target)
        picture = (self.transform or _TO_TENSOR)(picture)
        return picture, target if self.target_transform is None else self.target_transform(target)

    def _read_target(self, index: int, name: str) -> dict[str, Any]:
        path = self._folder / "Annotations" / f"{name}.xml"
        boxes, labels = [], []
        try:
            for cell in ElementTree.parse(path).getroot().iter("object"):
                corners = [float(cell.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")]
                if corners[0] < corners[2] and corners[1] < corners[3]:
                    boxes.append(corners)
                    labels.append(self.classes.index(cell.findtext("name", "")))
        except (OSError, ElementTree.ParseError, ValueError) as error:
            raise DataError(f"{path}: could not read the boxes: {error}") from error
        return {
            "boxes": as_tensor(np.array(boxes, np.float32).reshape(-1, 4)),
            "labels": as_tensor(np.array(labels, np.int64)),
            "image_id": index,
        }

    def __repr__(self) -> str:
        return f"BCCD({len(self)} pictures, {sum(len(target['labels']) for target in self.targets)} boxes)"

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder
