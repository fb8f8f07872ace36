"""Dropout: random zeros in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, InPlaceError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, apply_inplace
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images
from autograd_cnn.random import default_generator


class Dropout(Op):
    """x * scale where the mask holds, else 0."""

    inputs = ("x", "mask")
    nondifferentiable = ("mask",)

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def infer(self, x: Any, mask: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, mask: Any) -> None:
        k.dropout_apply(x, mask, self.scale, out)

    def vjp_x(self, g: Any, mask: Any) -> Any:
        return apply(self, g, mask)


def dropout(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeros with probability `p`, the rest divided by 1 - p, so that the mean stays (Srivastava et al. 2014).

    In evaluation (`training=False`) x itself.  The mask comes from the default generator, see `manual_seed`.

    Raises ArgumentError for p outside of [0, 1], DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout(ag.ones(1000), 0.25)
    >>> sorted({round(v, 4) for v in y.tolist()})
    [0.0, 1.3333]
    >>> dropout(ag.ones(2), 0.25, training=False)
    tensor([1., 1.])
    """
    require_floating("dropout", x=x)
    _check("dropout", p)
    return _masked(x, p, x.array.shape, training, inplace)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels: x is (N, C, H, W) or (C, H, W) (Tompson et al. 2015).

    Raises ArgumentError for p outside of [0, 1], ShapeError for other ranks, DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout2d(ag.ones(2, 3, 4, 4), 0.5)
    >>> {channel.sum().item() for image in y for channel in image} <= {0.0, 32.0}
    True
    """
    require_floating("dropout2d", x=x)
    _check("dropout2d", p)
    images("dropout2d", x)
    return _masked(x, p, (*x.array.shape[:-2], 1, 1), training, inplace)


def _check(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{op}: p is a probability, 0 to 1, got {p}")


def _masked(x: Any, p: float, shape: tuple[int, ...], training: bool, inplace: bool) -> Any:
    if not training or p == 0:
        return x
    before = default_generator.get_state() if inplace else None
    keep = default_generator.numpy.random(shape, np.float32) >= np.float32(p)
    if p == 1:
        keep[...] = False
    if shape != x.array.shape:
        keep = np.broadcast_to(keep, x.array.shape).copy()
    mask = wrap(x.device.from_host(keep), x.device)
    op = Dropout(0.0 if p == 1 else 1 / (1 - p))
    if before is None:
        return apply(op, x, mask)
    try:
        return apply_inplace(op, x, mask)
    except InPlaceError:
        default_generator.set_state(before)  # a refused change is as if it had not been asked for
        raise
