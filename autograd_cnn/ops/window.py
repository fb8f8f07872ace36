"""Windows that move over an image: what convolution and pooling share about sizes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops.operand import require_tensor

Pair = tuple[int, int]


_COUNTS = {1: "an integer", 2: "an integer or a pair", 3: "an integer or three"}


MOST = 2**31 - 1  # of a size, a step or a padding: products of two, and what is counted in cells, are int64


def sizes(op: str, name: str, value: Any, least: int, axes: int) -> tuple[int, ...]:
    """`value`, an integer or one for each axis, as one for each, each from `least` to MOST.

    >>> sizes("conv1d", "stride", 2, least=1, axes=1), sizes("conv3d", "stride", (1, 2, 2), least=1, axes=3)
    ((2,), (1, 2, 2))
    """
    if value.__class__ is int:
        if least <= value <= MOST:
            return (value,) * axes
    elif value.__class__ is tuple and len(value) == axes:
        for v in value:
            if v.__class__ is not int or not least <= v <= MOST:
                break
        else:
            return value
    # What is not as simple, or wrong.
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    for v in values:
        if isinstance(v, bool) or not isinstance(v, int | np.integer):
            raise DTypeError(f"{op}: {name} must be {_COUNTS[axes]}, got {value!r}")
    if len(values) not in (1, axes):
        raise ArgumentError(f"{op}: {name} must be {_COUNTS[axes]}, got {value!r}")
    if min(values) < least:
        raise ArgumentError(f"{op}: {name} must be at least {least}, got {value!r}")
    if max(values) > MOST:
        raise ArgumentError(f"{op}: {name} must be at most {MOST}, got {value!r}")
    return tuple(int(v) for v in values) * (axes // len(values))


def pair(op: str, name: str, value: Any, least: int) -> Pair:
    """`value`, an integer or two, as (height, width), each at least `least`.

    >>> pair("conv2d", "stride", 2, least=1)
    (2, 2)
    """
    height, width = sizes(op, name, value, least, 2)
    return height, width


def steps(op: str, size: int, padded: int, extent: int, stride: int) -> int:
    """How many windows of `extent` fit into `padded` cells; ShapeError where not even one does."""
    if extent > padded:
        raise ShapeError(f"{op}: the kernel spans {extent} cells, the input has {size} and with its padding {padded}")
    return (padded - extent) // stride + 1


@lru_cache(maxsize=1024)
def pooled_size(
    op: str,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """How many windows there are along each axis; in ceil_mode a last one may overhang, if it starts in the image.

    >>> pooled_size("max_pool2d", (5, 6), (2, 2), (2, 2), (0, 0), (1, 1), True)
    (3, 3)
    """
    axes = zip(image, kernel, stride, padding, dilation, strict=True)
    return tuple(_pooled(op, *axis, ceil_mode) for axis in axes)


def _pooled(op: str, size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    extent = dilation * (kernel - 1) + 1
    windows = steps(op, size, size + 2 * padding, extent, stride)
    overhangs = (size + 2 * padding - extent) % stride != 0
    return windows + (ceil_mode and overhangs and windows * stride < size + padding)


def pooling_window(
    op: str, kernel_size: Any, stride: Any, padding: Any, axes: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Kernel, stride (the kernel's where there is none) and padding of a pooling, one number for each axis.

    >>> pooling_window("max_pool2d", 3, None, 1, 2)
    ((3, 3), (3, 3), (1, 1))
    """
    kernel = sizes(op, "kernel_size", kernel_size, 1, axes)
    strides = kernel if stride is None or stride == () or stride == [] else sizes(op, "stride", stride, 1, axes)
    paddings = sizes(op, "padding", padding, 0, axes)
    if any(2 * before > size for before, size in zip(paddings, kernel, strict=True)):
        raise ArgumentError(
            f"{op}: padding must be at most half of kernel_size, "
            f"got padding {padding!r} and kernel_size {kernel_size!r}"
        )
    return kernel, strides, paddings


AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def images(op: str, x: Any, axes: int = 2) -> bool:
    """Whether x is a batch (N, C, H, W) rather than one image (C, H, W); ShapeError for anything else."""
    rank = require_tensor(op, x).array.ndim
    if rank not in (axes + 1, axes + 2):
        shape = list(x.array.shape)
        raise ShapeError(f"{op}: input must be (N, C, {AXES[axes]}) or (C, {AXES[axes]}), got shape {shape}")
    return bool(rank == axes + 2)
