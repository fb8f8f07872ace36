"""The colours of images: grey, and at random brighter, paler, of another hue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.data.transforms.base import Transform
from autograd_cnn.data.transforms.crop import probability
from autograd_cnn.errors import ArgumentError, ShapeError

_LUMA = np.array([0.2989, 0.587, 0.114], np.float32)  # how bright red, green and blue are to the eye


class Grayscale(Transform):
    """0.2989 R + 0.587 G + 0.114 B, in one channel or three equal ones; an image of one channel is grey already.

    Errors: `ArgumentError` for another number of channels to make, `ShapeError` for one that images have not.

    >>> Grayscale()(np.array([[[255, 0, 0]]], np.uint8)).tolist()
    [[[76]]]
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        if num_output_channels not in (1, 3):
            raise ArgumentError(f"Grayscale: num_output_channels is {num_output_channels}; 1 or 3")
        self.num_output_channels = num_output_channels

    def batch(self, images: np.ndarray) -> np.ndarray:
        pixels = _pixels("Grayscale", images)
        grey = _grey(pixels) if pixels.shape[-1] == 3 else pixels
        return _restored(np.repeat(grey, self.num_output_channels, -1), images)


class RandomGrayscale(Transform):
    """`Grayscale` with probability p; the number of channels stays.

    >>> RandomGrayscale(p=1.0)(np.array([[[255, 0, 0]]], np.uint8)).tolist()
    [[[76, 76, 76]]]
    """

    def __init__(self, p: float = 0.1, *, generator: AnyGenerator | None = None) -> None:
        self.p = probability("RandomGrayscale", p)
        self.generator = generator

    def batch(self, images: np.ndarray) -> np.ndarray:
        chosen = numpy_generator(self.generator).random(len(images)) < self.p
        pixels = _pixels("RandomGrayscale", images)
        if pixels.shape[-1] == 3:
            pixels = np.where(chosen[:, None, None, None], _grey(pixels), pixels)
        return _restored(pixels, images)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    brightness, contrast, saturation: a factor is uniform in max(0, 1 - x)..1 + x, or in a range (low, high).  Brighter
    is the product; contrast and saturation mix with the image's mean grey, and with its own grey.
    hue: what is added to it is uniform in -x..x, at most half a turn, or in a range.
    Errors: `ArgumentError` for ranges that are none.

    >>> ColorJitter(brightness=(2, 2))(np.array([[[10, 20, 200]]], np.uint8)).tolist()
    [[[20, 40, 255]]]
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
        *,
        generator: AnyGenerator | None = None,
    ) -> None:
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self.generator = generator
        infinity = float("inf")
        self._ranges = [
            _range("brightness", brightness, 1.0, 0.0, infinity),
            _range("contrast", contrast, 1.0, 0.0, infinity),
            _range("saturation", saturation, 1.0, 0.0, infinity),
            _range("hue", hue, 0.0, -0.5, 0.5),
        ]

    def batch(self, images: np.ndarray) -> np.ndarray:
        draws = numpy_generator(self.generator).random((len(images), 8))
        pixels = _pixels("ColorJitter", images).astype(np.float32, copy=True)
        top = np.float32(1 if images.dtype.kind == "f" else 255)
        for i, draw in enumerate(draws):
            for step in np.argsort(draw[4:]):
                low, high = self._ranges[step]
                if (low, high) != ((0, 0) if step == 3 else (1, 1)):
                    pixels[i] = _STEPS[step](pixels[i], np.float32(low + draw[step] * (high - low)), top)
        return _restored(pixels, images)


def _brighter(pixels: np.ndarray, factor: np.float32, top: np.float32) -> np.ndarray:
    return np.clip(pixels * factor, 0, top)


def _contrast(pixels: np.ndarray, factor: np.float32, top: np.float32) -> np.ndarray:
    grey = _grey(pixels) if pixels.shape[-1] == 3 else pixels
    mean = np.float32(grey.mean(dtype=np.float64))
    return np.clip(mean + (pixels - mean) * factor, 0, top)


def _saturation(pixels: np.ndarray, factor: np.float32, top: np.float32) -> np.ndarray:
    if pixels.shape[-1] != 3:
        return pixels
    grey = _grey(pixels)
    return np.clip(grey + (pixels - grey) * factor, 0, top)


def _hue(pixels: np.ndarray, turn: np.float32, top: np.float32) -> np.ndarray:
    """The hue in HSV, on a circle of length 1, moved by `turn`."""
    if pixels.shape[-1] != 3:
        return pixels
    value = pixels.max(-1)
    chroma = value - pixels.min(-1)
    safe = np.where(chroma > 0, chroma, 1)
    red, green, blue = (pixels[..., i] for i in range(3))
    sector = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sector = (sector + 6 * turn) % 6
    # Each channel is at full value within one sixth of its own hue, and falls to the least over the next.
    parts = [np.clip(2 - np.abs((sector - centre + 3) % 6 - 3), 0, 1) for centre in (0, 2, 4)]
    return value[..., None] - chroma[..., None] * (1 - np.stack(parts, -1))


_STEPS = (_brighter, _contrast, _saturation, _hue)


def _range(name: str, given: float | Sequence[float], centre: float, least: float, most: float) -> tuple[float, float]:
    if isinstance(given, int | float):
        low, high = max(least, centre - given), centre + given
        valid = given >= 0
    else:
        (low, high), valid = given, len(given) == 2
    if not valid or not least <= low <= high <= most:
        raise ArgumentError(f"ColorJitter: {name} is {given}; at least 0, or (low, high) in {least}..{most}")
    return low, high


def _grey(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32, copy=False) * _LUMA).sum(-1, keepdims=True)


def _pixels(name: str, images: np.ndarray) -> np.ndarray:
    """(N, H, W, C), whichever of its forms a batch has."""
    floating = images.dtype.kind == "f"
    if images.ndim == 3:
        return images[..., None]
    if images.ndim != 4:
        raise ShapeError(f"images have 2 or 3 dimensions, this one has shape {images.shape[1:]}")
    pixels = images.transpose(0, 2, 3, 1) if floating else images
    if pixels.shape[-1] not in (1, 3):
        raise ShapeError(f"{name}: takes images of 1 or 3 channels, this one has {pixels.shape[-1]}")
    return pixels


def _restored(pixels: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The pixels in the dtype and form of `images`."""
    if images.dtype.kind != "f":
        pixels = np.clip(np.rint(pixels), 0, 255)
    pixels = pixels.astype(images.dtype, copy=False)
    if images.ndim == 3 and pixels.shape[-1] == 1:
        return np.ascontiguousarray(pixels[..., 0])
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if images.dtype.kind == "f" else pixels)
