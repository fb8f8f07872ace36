"""Windows that move over an image: what convolution and pooling share about sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops.operand import require_tensor

Pair = tuple[int, int]


def pair(op: str, name: str, value: Any, least: int) -> Pair:
    """`value`, an integer or two, as (height, width), each at least `least`.

    >>> pair("conv2d", "stride", 2, least=1)
    (2, 2)
    """
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    for v in values:
        if isinstance(v, bool) or not isinstance(v, int | np.integer):
            raise DTypeError(f"{op}: {name} must be an integer or a pair, got {value!r}")
    if len(values) not in (1, 2):
        raise ArgumentError(f"{op}: {name} must be an integer or a pair, got {value!r}")
    height, width = int(values[0]), int(values[-1])
    if min(height, width) < least:
        raise ArgumentError(f"{op}: {name} must be at least {least}, got {value!r}")
    return height, width


def steps(op: str, size: int, padded: int, extent: int, stride: int) -> int:
    """How many windows of `extent` fit into `padded` cells; ShapeError where not even one does."""
    if extent > padded:
        raise ShapeError(f"{op}: the kernel spans {extent} cells, the input has {size} and with its padding {padded}")
    return (padded - extent) // stride + 1


def images(op: str, x: Any) -> bool:
    """Whether x is a batch (N, C, H, W) rather than one image (C, H, W); ShapeError for anything else."""
    if require_tensor(op, x).array.ndim not in (3, 4):
        raise ShapeError(f"{op}: x must be (N, C, H, W) or (C, H, W), got shape {list(x.array.shape)}")
    return bool(x.array.ndim == 4)
