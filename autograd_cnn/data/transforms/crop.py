"""Windows of images: in the middle, or at random and of random size; and images with a part erased."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.data.transforms.base import InterpolationMode, Resize, Transform, pad, pair, spatial_axes
from autograd_cnn.errors import ArgumentError

_ATTEMPTS = 10  # to find a window that fits


class CenterCrop(Transform):
    """The window in the middle; a smaller image gets a border of 0 first.

    size: (H, W) or one number.

    >>> CenterCrop(1)(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)).tolist()
    [[5]]
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair(size, "CenterCrop")

    def batch(self, images: np.ndarray) -> np.ndarray:
        for axis, size in zip(spatial_axes(images), self.size, strict=True):
            missing = max(0, size - images.shape[axis])
            widths = [(0, 0)] * images.ndim
            widths[axis] = (missing // 2, missing - missing // 2)
            images = pad(images, widths, 0, "constant")
            first = round((images.shape[axis] - size) / 2)
            images = images.take(np.arange(first, first + size), axis)
        return images


class RandomResizedCrop(Transform):
    """A window of random area, form and place, resized: what networks for ImageNet are trained on.

    size: of the result, (H, W) or one number.
    scale: the least and the greatest part of the area.  ratio: of width to height, uniform in its logarithm.
    After ten windows that do not fit, the middle one of the nearest ratio is taken.
    Errors: `ArgumentError` for ranges that are reversed or not above 0.
    Source: C. Szegedy et al., Going deeper with convolutions, CVPR 2015.

    >>> RandomResizedCrop(4)(np.full((9, 7), 3, np.uint8)).shape
    (4, 4)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: str = InterpolationMode.BILINEAR,
        antialias: bool = True,
        *,
        generator: AnyGenerator | None = None,
    ) -> None:
        self.size = pair(size, "RandomResizedCrop")
        self.scale, self.ratio = (
            positive_range("RandomResizedCrop", n, v) for n, v in (("scale", scale), ("ratio", ratio))
        )
        self.interpolation = interpolation
        self.antialias = antialias
        self.generator = generator
        self._resize = Resize(self.size, interpolation, antialias=antialias)

    def batch(self, images: np.ndarray) -> np.ndarray:
        axes = spatial_axes(images)
        height, width = (images.shape[axis] for axis in axes)
        draws = numpy_generator(self.generator).random((len(images), 2 * _ATTEMPTS + 2))
        results = []
        for image, draw in zip(images, draws, strict=True):
            rows, columns = find_window(height, width, self.scale, self.ratio, draw) or self._middle(height, width)
            part = image.take(rows, axes[0] - 1).take(columns, axes[1] - 1)
            results.append(self._resize.batch(part[None])[0])
        return np.stack(results) if results else np.empty((0, *self._resize.batch(images).shape[1:]), images.dtype)

    def _middle(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        h, w = (height, min(width, round(height * ratio))) if width / height > ratio else (round(width / ratio), width)
        h = min(h, height)
        return (height - h) // 2 + np.arange(h), (width - w) // 2 + np.arange(w)


class RandomErasing(Transform):
    """A window of random area, form and place is overwritten, with probability p: of floating images.

    scale: the least and the greatest part of the area.  ratio: of height to width.
    value: what is written: a number, one for each channel, or "random" for normal noise.
    inplace: accepted; the result is fresh.
    Errors: `ArgumentError` for ranges and probabilities that are none, images of uint8, another number of channels.
    Source: Z. Zhong et al., Random erasing data augmentation, AAAI 2020.

    >>> import autograd_cnn as ag
    >>> RandomErasing(p=1.0, scale=(0.2, 0.3), value=7)(ag.zeros(1, 8, 8)).max()
    tensor(7.)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str | Sequence[float] = 0,
        inplace: bool = False,
        *,
        generator: AnyGenerator | None = None,
    ) -> None:
        self.p = probability("RandomErasing", p)
        self.scale, self.ratio = (
            positive_range("RandomErasing", n, v) for n, v in (("scale", scale), ("ratio", ratio))
        )
        if self.scale[1] > 1:
            raise ArgumentError(f"RandomErasing: scale is {scale}; parts of the area are at most 1")
        if isinstance(value, str) and value != "random":
            raise ArgumentError(f"RandomErasing: value is {value!r}; a number, numbers, or 'random'")
        self.value = value
        self.generator = generator

    def batch(self, images: np.ndarray) -> np.ndarray:
        require_floating("RandomErasing", images)
        result = images.copy()
        height, width = images.shape[-2:]
        draws = numpy_generator(self.generator).random((len(images), 2 * _ATTEMPTS + 4))
        for image, draw in zip(result, draws, strict=True):
            # The ratio is that of height to width here, so a window is found in the transposed image.
            window = find_window(width, height, self.scale, self.ratio, draw[2:]) if draw[0] < self.p else None
            if window is not None:
                columns, rows = (slice(part[0], part[-1] + 1) for part in window)
                image[..., rows, columns] = self._content(image[..., rows, columns], draw[1])
        return result

    def _content(self, part: np.ndarray, draw: float) -> np.ndarray:
        if isinstance(self.value, str):
            noise = np.random.Generator(np.random.Philox(int(draw * 2**53))).standard_normal(part.shape)
            return noise.astype(part.dtype)
        values = np.asarray(self.value, part.dtype)
        if values.size != 1 and (part.ndim != 3 or values.shape != (len(part),)):
            raise ArgumentError(f"RandomErasing: value has {values.size} numbers, an image of shape {part.shape}")
        return values.reshape(-1, 1, 1) if values.size > 1 else values.reshape(())


class Cutout(Transform):
    """Squares of side `length` about random pixels are set to 0; of those near the border, what is inside.

    n_holes: how many.  Source: T. DeVries, G. Taylor, Improved regularization with cutout, arXiv:1708.04552, 2017.

    >>> Cutout(2)(np.full((4, 4), 9, np.uint8)).min()
    np.uint8(0)
    """

    def __init__(self, length: int, n_holes: int = 1, *, generator: AnyGenerator | None = None) -> None:
        if length < 1 or n_holes < 1:
            raise ArgumentError(f"Cutout: length {length} and n_holes {n_holes} must be at least 1")
        self.length = length
        self.n_holes = n_holes
        self.generator = generator

    def batch(self, images: np.ndarray) -> np.ndarray:
        axes = spatial_axes(images)
        sizes = np.array([images.shape[axis] for axis in axes])
        draws = numpy_generator(self.generator).random((len(images), self.n_holes, 2))
        result = images.copy()
        planes = np.moveaxis(result, axes, (1, 2))
        for plane, centres in zip(planes, (draws * sizes).astype(np.int64), strict=True):
            for centre in centres:
                first = np.maximum(0, centre - self.length // 2)
                last = centre - self.length // 2 + self.length
                plane[first[0] : last[0], first[1] : last[1]] = 0
        return result


def find_window(
    height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float], draw: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows and columns of a window whose ratio is that of width to height; None where ten of them do not fit."""
    areas = height * width * (scale[0] + draw[:_ATTEMPTS] * (scale[1] - scale[0]))
    low, high = math.log(ratio[0]), math.log(ratio[1])
    ratios = np.exp(low + draw[_ATTEMPTS : 2 * _ATTEMPTS] * (high - low))
    for w, h in zip(np.rint(np.sqrt(areas * ratios)), np.rint(np.sqrt(areas / ratios)), strict=True):
        if 0 < w <= width and 0 < h <= height:
            top, left = (int(d * (room + 1)) for d, room in zip(draw[-2:], (height - h, width - w), strict=True))
            return top + np.arange(int(h)), left + np.arange(int(w))
    return None


def probability(name: str, p: float) -> float:
    """p, if it is one."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is {p}; a probability is in 0..1")
    return p


def positive_range(name: str, field: str, given: Sequence[float]) -> tuple[float, float]:
    """(low, high), if it is a range above 0."""
    if len(given) != 2 or not 0 < given[0] <= given[1]:
        raise ArgumentError(f"{name}: {field} is {given}; (low, high), greater than 0")
    return given[0], given[1]


def require_floating(name: str, images: np.ndarray) -> None:
    """Refuses images as they are stored."""
    if images.dtype.kind != "f":
        raise ArgumentError(f"{name}: takes floating images, got {images.dtype}; put ToTensor() before it")
