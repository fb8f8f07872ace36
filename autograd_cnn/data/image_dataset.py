"""Images with their classes, kept in memory as one array each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.data.collate import default_collate
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.transforms import ToTensor, Transform, apply, as_image
from autograd_cnn.errors import ShapeError
from autograd_cnn.tensor import Tensor

_TO_TENSOR = ToTensor()


class ImageDataset(Dataset[Any]):
    """Images and classes; batches are made by array operations unless a transform is a plain function.

    data: (N, H, W[, C]) uint8 as stored, or (N, C, H, W) floating.
    targets: (N,) integers.  classes: their names.
    transform: a `Transform` or a function of one image; `ToTensor()` unless given.
    target_transform: a function of one class.

    >>> images = ImageDataset(np.full((2, 1, 1), 255, np.uint8), [0, 1], ["off", "on"])
    >>> images[1]
    (tensor([[[1.]]]), 1)
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        classes: Sequence[str],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        self.data: Tensor = as_tensor(data)
        self.targets: Tensor = as_tensor(np.asarray(targets, np.int64))
        self.classes = list(classes)
        self.transform = transform
        self.target_transform = target_transform
        if self.targets.shape != self.data.shape[:1]:
            raise ShapeError(f"{type(self).__name__}: {self.targets.shape} targets for {self.data.shape} images")

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.data.numpy()[index], int(self.targets.numpy()[index])
        transform = self.transform or _TO_TENSOR
        shown = transform(image if isinstance(transform, Transform) else as_image(image))
        return shown, target if self.target_transform is None else self.target_transform(target)

    def take_batch(self, indices: np.ndarray) -> list[Any]:
        images = apply(self.transform or _TO_TENSOR, self.data.numpy()[indices])
        targets = self.targets.numpy()[indices]
        if self.target_transform is None:
            return [from_numpy(images), from_numpy(targets)]
        return [from_numpy(images), default_collate([self.target_transform(int(t)) for t in targets])]

    def __repr__(self) -> str:
        shape = tuple(self.data.shape[1:])
        return f"{type(self).__name__}({len(self)} images of {shape}, {len(self.classes)} classes)"
