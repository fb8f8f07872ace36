"""Transforms by chance: one of several, or one or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.data.transforms.base import Compose, Transform, apply
from autograd_cnn.data.transforms.crop import probability
from autograd_cnn.errors import ArgumentError, ShapeError


class RandomApply(Transform):
    """Several transforms, one after the other, with probability p, else none of them.

    Errors: `ShapeError` where they change the size of some images of a batch.

    >>> RandomApply([Compose([])], p=1.0)(np.array([[1]], np.uint8)).tolist()
    [[1]]
    """

    def __init__(self, transforms: Sequence[Any], p: float = 0.5, *, generator: AnyGenerator | None = None) -> None:
        self.transforms = list(transforms)
        self.p = probability("RandomApply", p)
        self.generator = generator
        self._whole = Compose(self.transforms)

    def batch(self, images: np.ndarray) -> np.ndarray:
        chosen = numpy_generator(self.generator).random(len(images)) < self.p
        return _joined("RandomApply", images, [self._whole if c else None for c in chosen])


class RandomChoice(Transform):
    """One of several transforms for each image, with the probabilities `p`, equal ones unless given.

    Errors: `ArgumentError` for none, or another number of probabilities.

    >>> RandomChoice([Compose([])])(np.array([[1]], np.uint8)).tolist()
    [[1]]
    """

    def __init__(
        self, transforms: Sequence[Any], p: Sequence[float] | None = None, *, generator: AnyGenerator | None = None
    ) -> None:
        self.transforms = list(transforms)
        self.p = p
        self.generator = generator
        weights = np.ones(len(self.transforms)) if p is None else np.asarray(p, np.float64)
        if not self.transforms or weights.shape != (len(self.transforms),) or not weights.min() >= 0 < weights.sum():
            raise ArgumentError(f"RandomChoice: {len(self.transforms)} transforms with probabilities {p}")
        self._ends = np.cumsum(weights / weights.sum())

    def batch(self, images: np.ndarray) -> np.ndarray:
        draws = numpy_generator(self.generator).random(len(images))
        places = np.minimum(np.searchsorted(self._ends, draws, side="right"), len(self.transforms) - 1)
        return _joined("RandomChoice", images, [self.transforms[place] for place in places])


def _joined(name: str, images: np.ndarray, transforms: Sequence[Any]) -> np.ndarray:
    """Each image by its own transform; None leaves it."""
    if not len(images):
        return images
    results = [
        image if transform is None else apply(transform, image[None])[0]
        for image, transform in zip(images, transforms, strict=True)
    ]
    if len({result.shape for result in results}) > 1:
        raise ShapeError(f"{name}: images of a batch would get different sizes, {results[0].shape} and others")
    return np.stack(results)
