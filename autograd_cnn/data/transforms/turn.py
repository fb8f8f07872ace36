"""Images upside down and turned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.data.transforms.base import RandomAffine, Transform, spatial_axes
from autograd_cnn.data.transforms.crop import probability
from autograd_cnn.errors import ArgumentError


class RandomVerticalFlip(Transform):
    """Top and bottom exchanged with probability p.

    >>> RandomVerticalFlip(p=1.0)(np.array([[1], [2]], np.uint8)).tolist()
    [[2], [1]]
    """

    def __init__(self, p: float = 0.5, *, generator: AnyGenerator | None = None) -> None:
        self.p = probability("RandomVerticalFlip", p)
        self.generator = generator

    def batch(self, images: np.ndarray) -> np.ndarray:
        chosen = numpy_generator(self.generator).random(len(images)) < self.p
        result = images.copy()
        result[chosen] = np.flip(images[chosen], spatial_axes(images)[0])
        return result


class RandomRotation(RandomAffine):
    """A rotation about the centre by a random angle, counter-clockwise, by bilinear interpolation; the size stays.

    degrees: the angle is uniform in -degrees..degrees, or in a range (low, high).
    fill: what is beyond the border.  Errors: `ArgumentError` for a negative number or a reversed range.

    >>> RandomRotation((90, 90))(np.array([[1, 2], [3, 4]], np.uint8)).tolist()
    [[2, 4], [1, 3]]
    """

    def __init__(
        self, degrees: float | Sequence[float], *, fill: float = 0, generator: AnyGenerator | None = None
    ) -> None:
        low, high = (-degrees, degrees) if isinstance(degrees, int | float) else degrees
        if low > high:
            raise ArgumentError(f"RandomRotation: degrees is {degrees}; at least 0, or (low, high)")
        super().__init__((high - low) / 2, fill=fill, generator=generator)
        self.degrees = degrees  # type: ignore[assignment]
        self._turn = (low, high)

    def _angles(self, draws: np.ndarray) -> np.ndarray:
        low, high = self._turn
        return -np.deg2rad(low + draws * (high - low))
