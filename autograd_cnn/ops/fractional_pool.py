"""Fractional max pooling: windows of one size at places drawn at random, so that images shrink by any factor.

B. Graham: "Fractional max-pooling", 2014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.random import stream
from autograd_cnn.ops.span_pool import largest_of_spans
from autograd_cnn.ops.window import images, sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

Sizes = tuple[int, ...]  # one for each axis


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest values of windows of `kernel_size` at random places, which cover images evenly (Graham 2014).

    With a random u for each channel, window i of OH begins at row floor((i + u) a) - floor(u a) for
    a = (H - KH) / (OH - 1), and the last one ends with the image; columns likewise.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); either `output_size` is (OH, OW), or `output_ratio` is OH / H
    and OW / W, between 0 and 1.  With `return_indices` the places in the flattened image, too.

    Raises ArgumentError unless just one of size and ratio is given and the ratio is in range, ShapeError where that
    many windows do not fit into the image.

    >>> import autograd_cnn as ag
    >>> fractional_max_pool2d(ag.ones(1, 2, 9, 9), 2, output_ratio=0.7).shape
    (1, 2, 6, 6)
    """
    name = "fractional_max_pool2d"
    return _fractional(name, 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    output_size: Ints | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest values of windows of `kernel_size` at random places of volumes; as `fractional_max_pool2d`.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> fractional_max_pool3d(ag.ones(1, 2, 9, 9, 9), 2, output_size=(4, 5, 6)).shape
    (1, 2, 4, 5, 6)
    """
    name = "fractional_max_pool3d"
    return _fractional(name, 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _fractional(
    op: str,
    axes: int,
    x: Any,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Any,
) -> Any:
    require_floating(op, input=x)
    batched = images(op, x, axes)
    if not batched:
        x = x.unsqueeze(0)
    image = list(x.array.shape[2:])
    kernel = sizes(op, "kernel_size", kernel_size, 1, axes)
    size = _size(op, axes, image, output_size, output_ratio)
    for length, extent, windows in zip(image, kernel, size, strict=True):
        if extent + windows - 1 > length:
            raise ShapeError(f"{op}: {windows} windows of {extent} cells do not fit into {length} cells")
    drawn = _samples(op, axes, x, samples)
    # As in PyTorch the numbers of an image are those of its columns and rows, of a volume those of its axes in order.
    order = (1, 0) if axes == 2 else (0, 1, 2)
    spans = [
        _spans(drawn[:, i], length, extent, windows)
        for i, length, extent, windows in zip(order, image, kernel, size, strict=True)
    ]
    results = largest_of_spans(x, spans)
    y, indices = results if batched else (each.squeeze(0) for each in results)
    return (y, indices) if return_indices else y


def _size(op: str, axes: int, image: list[int], output_size: Any, output_ratio: Any) -> Sizes:
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(f"{op}: needs either output_size or output_ratio, got {output_size!r} and {output_ratio!r}")
    if output_ratio is None:
        return sizes(op, "output_size", output_size, 1, axes)
    ratios = tuple(output_ratio) if isinstance(output_ratio, tuple | list) else (output_ratio,) * axes
    if len(ratios) != axes or not all(isinstance(ratio, float | int) and 0 < ratio < 1 for ratio in ratios):
        raise ArgumentError(f"{op}: output_ratio must lie between 0 and 1, one or {axes} of it, got {output_ratio!r}")
    return sizes(op, "output_size", tuple(int(n * r) for n, r in zip(image, ratios, strict=True)), 1, axes)


def _samples(op: str, axes: int, x: Any, samples: Any) -> np.ndarray:
    """A random number for each channel of each image and each axis, (N * C, axes)."""
    n, c = x.array.shape[:2]
    if samples is None:
        return stream(None).random((n * c, axes)).astype(x.array.dtype)
    if not isinstance(samples, TensorBase) or samples.array.dtype != x.array.dtype:
        raise DTypeError(f"{op}: _random_samples must be a tensor of input's dtype {x.array.dtype}")
    if samples.array.shape != (n, c, axes):
        shape = list(samples.array.shape)
        raise ShapeError(f"{op}: _random_samples must have shape {[n, c, axes]}, got {shape}")
    drawn: np.ndarray = samples.device.to_host(samples.array).reshape(n * c, axes)
    if not ((drawn >= 0) & (drawn < 1)).all():
        raise ArgumentError(f"{op}: _random_samples must lie in [0, 1)")
    return drawn


def _spans(u: np.ndarray, length: int, extent: int, windows: int) -> Any:
    """Where the windows of each channel begin and end, (2, channels, windows)."""
    starts = np.full((u.size, windows), length - extent, np.int64)
    if windows > 1:
        step = u.dtype.type(length - extent) / u.dtype.type(windows - 1)
        i = np.arange(windows - 1, dtype=u.dtype)
        starts[:, :-1] = ((i + u[:, None]) * step).astype(np.int64) - (u[:, None] * step).astype(np.int64)
    return np.stack([starts, starts + extent])
