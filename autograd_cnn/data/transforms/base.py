"""What transforms have in common, and those of size, place and form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.tensor import Tensor


class InterpolationMode:
    """The names of interpolations."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"


class Transform:
    """A map on images; subclasses define `batch`, and a single image is a batch of one."""

    def batch(self, images: np.ndarray) -> np.ndarray:
        """Transforms N images at once: (N, H, W[, C]) of uint8, or (N, [C,] H, W) of floats."""
        raise NotImplementedError(f"{type(self).__name__} does not define batch")

    def __call__(self, image: Any) -> Any:
        """Transforms one image, a Tensor or an array; floating results are Tensors."""
        array = image.detach().numpy() if isinstance(image, Tensor) else np.asarray(image)
        return as_image(self.batch(array[None])[0])

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__}({fields})"


def as_image(array: np.ndarray) -> Any:
    """What a transform hands out: a Tensor of floating values, an array of uint8 ones."""
    return from_numpy(np.ascontiguousarray(array)) if array.dtype.kind == "f" else array


def apply(transform: Any, images: np.ndarray) -> np.ndarray:
    """Any transform on a batch: at once where it can, else image by image."""
    if isinstance(transform, Transform):
        return transform.batch(images)
    results = [transform(as_image(image)) for image in images]
    return np.stack([r.detach().numpy() if isinstance(r, Tensor) else np.asarray(r) for r in results])


class Compose(Transform):
    """Transforms one after the other; each is a `Transform` or a function of one image.

    >>> Compose([ToTensor(), Normalize(0.5, 0.5)])(np.full((1, 1), 255, np.uint8))
    tensor([[[1.]]])
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = list(transforms)

    def batch(self, images: np.ndarray) -> np.ndarray:
        for transform in self.transforms:
            images = apply(transform, images)
        return images


class Lambda(Transform):
    """A function of one image.

    >>> Lambda(lambda image: image[::-1])(np.array([[1], [2]], np.uint8)).tolist()
    [[2], [1]]
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise ArgumentError(f"Lambda: takes a function, got {lambd!r}")
        self.lambd = lambd

    def batch(self, images: np.ndarray) -> np.ndarray:
        return apply(self.lambd, images)


class ToTensor(Transform):
    """uint8 (H, W) or (H, W, C) in 0..255 to float32 (C, H, W) in 0..1; floating images stay as they are.

    >>> ToTensor()(np.array([[0, 51]], np.uint8))
    tensor([[[0.0000, 0.2000]]])
    """

    def batch(self, images: np.ndarray) -> np.ndarray:
        if images.dtype.kind == "f":
            return images
        channels_last = images[..., None] if images.ndim == 3 else images
        planes = np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2))
        return planes / np.float32(255)


class Normalize(Transform):
    """y = (x - mean) / std, channel by channel, of floating images.

    mean, std: a number, or one for each channel.  inplace: accepted; the result is fresh.
    Errors: `ArgumentError` for std 0 or an image of uint8, `ShapeError` for another number of channels.

    >>> Normalize([0.5], [0.25])(ToTensor()(np.array([[255]], np.uint8)))
    tensor([[[2.]]])
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std = mean, std
        self._mean, self._std = (np.atleast_1d(np.asarray(v, np.float32))[:, None, None] for v in (mean, std))
        if not np.all(self._std > 0):
            raise ArgumentError(f"Normalize: std is {std}; greater than 0")

    def batch(self, images: np.ndarray) -> np.ndarray:
        if images.dtype.kind != "f":
            raise ArgumentError(f"Normalize: takes floating images, got {images.dtype}; put ToTensor() before it")
        channels = images.shape[1] if images.ndim == 4 else 1
        for name, values in (("mean", self._mean), ("std", self._std)):
            if len(values) not in (1, channels):
                raise ShapeError(f"Normalize: {name} has {len(values)} channels, the image has {channels}")
        mean, std = (values.astype(images.dtype, copy=False) for values in (self._mean, self._std))
        return (images - mean) / std if images.ndim == 4 else (images - mean[0]) / std[0]


class Resize(Transform):
    """Bilinear interpolation to another size, pixel centres at half integers.

    size: (H, W), or one number for the shorter side, and the other in proportion.
    interpolation: "bilinear" or "nearest".
    max_size: what the longer side may have where size is one number.
    antialias: when shrinking, the triangle that weighs the pixels is wider, so that each of them counts.
    As PyTorch's `interpolate` of that mode.  Errors: `ArgumentError` for other sizes and modes.

    >>> Resize((1, 4))(ToTensor()(np.array([[0, 255]], np.uint8)))
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: str = "bilinear",
        max_size: int | None = None,
        antialias: bool = True,
    ) -> None:
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias
        self._side = size if isinstance(size, int) else size[0] if len(size) == 1 else None
        self._pair = pair(size if self._side is None else self._side, "Resize")
        if interpolation not in (InterpolationMode.BILINEAR, InterpolationMode.NEAREST):
            raise ArgumentError(f"Resize: interpolation is {interpolation!r}; bilinear or nearest")
        if max_size is not None and (self._side is None or max_size <= self._side):
            raise ArgumentError(f"Resize: max_size {max_size} must be above size, one number; it is {size}")

    def batch(self, images: np.ndarray) -> np.ndarray:
        axes = spatial_axes(images)
        target = self._target(*(images.shape[axis] for axis in axes))
        if self.interpolation == InterpolationMode.NEAREST:
            for axis, size in zip(axes, target, strict=True):
                old = images.shape[axis]
                images = images.take(np.arange(size) * old // size, axis)
            return images
        result = images if images.dtype.kind == "f" else images.astype(np.float32)
        for axis, size in zip(axes, target, strict=True):
            result = resize_axis(result, axis, size, self.antialias)
        if images.dtype.kind == "f":
            return result
        return np.clip(np.rint(result), 0, 255).astype(np.uint8)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        """The size that an image of this size gets."""
        if self._side is None:
            return self._pair
        short, long = sorted((height, width))
        new_short, new_long = self._side, self._side * long // short
        if self.max_size is not None and new_long > self.max_size:
            new_short, new_long = self.max_size * new_short // new_long, self.max_size
        return (new_short, new_long) if height <= width else (new_long, new_short)


class Pad(Transform):
    """A border.

    padding: a number for all sides, (left and right, top and bottom), or (left, top, right, bottom).
    fill: its value, with padding_mode "constant"; "edge", "reflect" and "symmetric" repeat the image's own.

    >>> Pad(1)(np.array([[7]], np.uint8)).tolist()
    [[0, 0, 0], [0, 7, 0], [0, 0, 0]]
    """

    def __init__(self, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant") -> None:
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ArgumentError(f"Pad: padding_mode is {padding_mode!r}; constant, edge, reflect or symmetric")
        sides = (padding,) if isinstance(padding, int) else tuple(padding)
        if len(sides) not in (1, 2, 4) or min(sides) < 0:
            raise ArgumentError(f"Pad: padding is {padding}; 1, 2 or 4 numbers of at least 0")
        left, top, right, bottom = (sides * 4)[:4]
        self._widths = ((top, bottom), (left, right))

    def batch(self, images: np.ndarray) -> np.ndarray:
        widths = [(0, 0)] * images.ndim
        for axis, width in zip(spatial_axes(images), self._widths, strict=True):
            widths[axis] = width
        return pad(images, widths, self.fill, self.padding_mode)


class RandomCrop(Transform):
    """A window at a random place, after padding.

    size: (H, W) or one number.  pad_if_needed: whether a smaller image is padded further.
    padding, fill, padding_mode: as of `Pad`.  Errors: `ShapeError` if the padded image is smaller.

    >>> RandomCrop(28, padding=4)(np.zeros((28, 28), np.uint8)).shape
    (28, 28)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
        *,
        generator: AnyGenerator | None = None,
    ) -> None:
        self.size = pair(size, "RandomCrop")
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.generator = generator
        self._pad = Pad(0 if padding is None else padding, fill, padding_mode)

    def batch(self, images: np.ndarray) -> np.ndarray:
        images = self._pad.batch(images)
        axes = spatial_axes(images)
        if self.pad_if_needed:
            widths = [(0, 0)] * images.ndim
            for axis, size in zip(axes, self.size, strict=True):
                widths[axis] = (max(0, size - images.shape[axis]),) * 2
            images = pad(images, widths, self._pad.fill, self._pad.padding_mode)
        room = [images.shape[axis] - size + 1 for axis, size in zip(axes, self.size, strict=True)]
        if min(room) < 1:
            found = tuple(images.shape[axis] for axis in axes)
            raise ShapeError(f"RandomCrop: size {self.size} is larger than the padded image, {found}")
        draws = numpy_generator(self.generator).random((len(images), 2))
        corners = (draws * room).astype(np.int64)
        rows, columns = (corners[:, i, None] + np.arange(size) for i, size in enumerate(self.size))
        planes = np.moveaxis(images, axes, (1, 2))
        cropped = planes[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return np.moveaxis(cropped, (1, 2), axes)


class RandomHorizontalFlip(Transform):
    """Left and right exchanged with probability p.

    >>> RandomHorizontalFlip(p=1.0)(np.array([[1, 2]], np.uint8)).tolist()
    [[2, 1]]
    """

    def __init__(self, p: float = 0.5, *, generator: AnyGenerator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"RandomHorizontalFlip: p is {p}; a probability is in 0..1")
        self.p = p
        self.generator = generator

    def batch(self, images: np.ndarray) -> np.ndarray:
        chosen = numpy_generator(self.generator).random(len(images)) < self.p
        result = images.copy()
        result[chosen] = np.flip(images[chosen], spatial_axes(images)[1])
        return result


class RandomAffine(Transform):
    """A rotation, a shift and a scaling of each image about its centre, by bilinear interpolation.

    degrees: the rotation is uniform in -degrees..degrees.
    translate: (a, b): the shift is uniform in -a W..a W sideways and -b H..b H up and down; none unless given.
    scale: (low, high): the factor is uniform between them; 1 unless given.
    fill: what is beyond the border.
    Errors: `ArgumentError` for a negative or reversed range.

    >>> RandomAffine(0, translate=(0, 0))(np.array([[1, 2]], np.uint8)).tolist()
    [[1, 2]]
    """

    def __init__(
        self,
        degrees: float,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        *,
        fill: float = 0,
        generator: AnyGenerator | None = None,
    ) -> None:
        self.degrees = degrees
        self.translate = (0.0, 0.0) if translate is None else tuple(translate)
        self.scale = (1.0, 1.0) if scale is None else tuple(scale)
        self.fill = fill
        self.generator = generator
        if degrees < 0:
            raise ArgumentError(f"RandomAffine: degrees is {degrees}; at least 0")
        if len(self.translate) != 2 or not all(0 <= t <= 1 for t in self.translate):
            raise ArgumentError(f"RandomAffine: translate is {translate}; two fractions in 0..1")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ArgumentError(f"RandomAffine: scale is {scale}; (low, high), greater than 0")

    def batch(self, images: np.ndarray) -> np.ndarray:
        axes = spatial_axes(images)
        planes = np.moveaxis(images, axes, (1, 2))  # (N, H, W) or (N, H, W, C)
        sampled = sample(planes, *self._places(*planes.shape[:3]), self.fill)
        if images.dtype.kind != "f":
            sampled = np.clip(np.rint(sampled), 0, 255)
        return np.ascontiguousarray(np.moveaxis(sampled.astype(images.dtype), (1, 2), axes))

    def _angles(self, draws: np.ndarray) -> np.ndarray:
        """The rotation, in radians, that numbers in 0..1 choose."""
        return np.deg2rad((2 * draws - 1) * self.degrees)

    def _places(self, n: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel of the results, the row and the column of the image that it shows."""
        draws = numpy_generator(self.generator).random((n, 4)).T[..., None, None]
        angle = self._angles(draws[0])
        right = (2 * draws[1] - 1) * self.translate[0] * width
        down = (2 * draws[2] - 1) * self.translate[1] * height
        factor = self.scale[0] + draws[3] * (self.scale[1] - self.scale[0])
        cos, sin = np.cos(angle) / factor, np.sin(angle) / factor
        y = np.arange(height)[:, None] - (height - 1) / 2 - down
        x = np.arange(width) - (width - 1) / 2 - right
        return cos * y - sin * x + (height - 1) / 2, sin * y + cos * x + (width - 1) / 2


class Flatten(Transform):
    """An image to a vector.

    >>> Flatten()(np.zeros((2, 3), np.uint8)).shape
    (6,)
    """

    def batch(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1)


def pair(size: int | Sequence[int], name: str) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise ArgumentError(f"{name}: size is {size}; (H, W) or one number, at least 1")
    return pair


def spatial_axes(images: np.ndarray) -> tuple[int, int]:
    """Where H and W are in a batch of images."""
    if images.ndim not in (3, 4):
        raise ShapeError(f"images have 2 or 3 dimensions, this one has shape {images.shape[1:]}")
    return (images.ndim - 2, images.ndim - 1) if images.dtype.kind == "f" else (1, 2)


def pad(images: np.ndarray, widths: Sequence[tuple[int, int]], fill: float, mode: str) -> np.ndarray:
    """A border on some axes; the modes are NumPy's, too."""
    if mode == "constant":
        return np.pad(images, widths, constant_values=fill)
    return np.pad(images, widths, mode=mode)  # type: ignore[call-overload]


def resize_axis(images: np.ndarray, axis: int, size: int, antialias: bool = True) -> np.ndarray:
    """One axis by a weighted sum of a few shifted picks: the same order of additions on every machine."""
    old = images.shape[axis]
    if old == size:
        return images
    scale = old / size
    reach = max(scale, 1.0) if antialias else 1.0  # a triangle this wide on either side
    centres = (np.arange(size) + 0.5) * scale
    first = np.floor(centres - reach + 0.5).astype(np.int64)
    taps = first[:, None] + np.arange(math.ceil(2 * reach) + 1)
    weights = np.maximum(0, 1 - np.abs(taps + 0.5 - centres[:, None]) / reach)
    weights[(taps < 0) | (taps >= old)] = 0
    weights /= weights.sum(1, keepdims=True)
    taps = taps.clip(0, old - 1)
    shape = [1] * images.ndim
    shape[axis] = size
    return sum(
        np.take(images, taps[:, k], axis) * weights[:, k].astype(images.dtype).reshape(shape)
        for k in range(taps.shape[1])
    )


def sample(planes: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill: float) -> np.ndarray:
    """Bilinear interpolation of (N, H, W, ...) at (N, H, W) places; `fill` beyond the border."""
    border = ((0, 0), (1, 1), (1, 1)) + ((0, 0),) * (planes.ndim - 3)
    dtype = planes.dtype if planes.dtype.kind == "f" else np.dtype(np.float32)
    framed = np.pad(planes.astype(dtype), border, constant_values=fill)
    rows, columns = (
        np.clip(place + 1, 0, size + 1) for place, size in zip((rows, columns), planes.shape[1:3], strict=True)
    )
    top = np.minimum(rows.astype(np.int64), planes.shape[1])
    left = np.minimum(columns.astype(np.int64), planes.shape[2])
    trailing = (1,) * (planes.ndim - 3)
    v, h = ((place - corner).astype(dtype) for place, corner in ((rows, top), (columns, left)))
    v, h = v.reshape(*v.shape, *trailing), h.reshape(*h.shape, *trailing)
    n = np.arange(len(planes))[:, None, None]
    upper = framed[n, top, left] * (1 - h) + framed[n, top, left + 1] * h
    lower = framed[n, top + 1, left] * (1 - h) + framed[n, top + 1, left + 1] * h
    return upper * (1 - v) + lower * v
