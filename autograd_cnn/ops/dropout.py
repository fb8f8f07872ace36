"""Dropout: random zeros in training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import int32
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images
from autograd_cnn.random import default_generator

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

WORD = 32  # bits of a word of a mask
SATURATED = -1.7580993408473766  # what SELU tends to: -scale * alpha


class Dropout(Op):
    """x / (1 - p), and 0 with probability p for `run` elements at a time; the mask has a bit for each run.

    Which runs are kept follows from the key and the counter of the first block of random numbers.
    """

    inputs = ("x",)
    outputs = ("y", "mask")
    auxiliary = ("mask",)

    def __init__(self, p: float, run: int, key: int, block: int) -> None:
        self.p = p
        self.run = run
        self.key = key
        self.block = block

    def infer(self, x: Any) -> Any:
        return [(x.shape, x.dtype), ((-(-x.size // (WORD * self.run)),), int32)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        y, mask = out
        k.dropout(x, self.run, self.p, self.key, self.block, mask, y)

    def vjp_x(self, g: Any, mask: Any) -> Any:
        return apply(DropoutApply(self.p, self.run), g, mask)


class DropoutApply(Op):
    """`Dropout` by a mask that it made."""

    inputs = ("x", "mask")
    nondifferentiable = ("mask",)

    def __init__(self, p: float, run: int) -> None:
        self.p = p
        self.run = run

    def infer(self, x: Any, mask: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, mask: Any) -> None:
        k.dropout_apply(x, mask, self.run, self.p, out)

    def vjp_x(self, g: Any, mask: Any) -> Any:
        return apply(self, g, mask)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeros with probability `p`, the rest divided by 1 - p, so that the mean stays (Srivastava et al. 2014).

    In evaluation (`training=False`) input itself.  What is zeroed follows from the default generator, see
    `manual_seed`.

    Raises ArgumentError for p outside of [0, 1], DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout(ag.ones(1000), 0.25)
    >>> sorted({round(v, 4) for v in y.tolist()})
    [0.0, 1.3333]
    >>> dropout(ag.ones(2), 0.25, training=False)
    tensor([1., 1.])
    """
    require_floating("dropout", input=input)
    _check("dropout", p)
    return _dropped(input, p, 1, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: input is (N, C, H, W) or (C, H, W) (Tompson et al. 2015).

    Raises ArgumentError for p outside of [0, 1], ShapeError for other ranks, DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout2d(ag.ones(2, 3, 4, 4), 0.5)
    >>> {channel.sum().item() for image in y for channel in image} <= {0.0, 32.0}
    True
    """
    return _of_channels("dropout2d", input, p, 2, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: input is (N, C, L) or (C, L).

    Raises ArgumentError for p outside of [0, 1], ShapeError for other ranks, DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout1d(ag.ones(2, 3, 4), 0.5)
    >>> {channel.sum().item() for line in y for channel in line} <= {0.0, 8.0}
    True
    """
    return _of_channels("dropout1d", input, p, 1, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: input is (N, C, D, H, W) or (C, D, H, W).

    Raises ArgumentError for p outside of [0, 1], ShapeError for other ranks, DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = dropout3d(ag.ones(2, 3, 1, 2, 2), 0.5)
    >>> {channel.sum().item() for image in y for channel in image} <= {0.0, 8.0}
    True
    """
    return _of_channels("dropout3d", input, p, 3, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Sets numbers to the value that SELU saturates at, with probability `p` (Klambauer et al. 2017).

    What follows is scaled and shifted so that mean 0 and variance 1 stay: a x + b, or a s + b for the saturated ones,
    with s = -1.7581, a = ((1 - p) (1 + p s^2))^(-1/2) and b = -a p s.  In evaluation (`training=False`) input itself.

    Raises ArgumentError for p outside of [0, 1], DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = alpha_dropout(ag.ones(1000), 0.5, training=True)
    >>> sorted({round(v, 4) for v in y.tolist()})
    [-0.7792, 1.6656]
    """
    require_floating("alpha_dropout", input=input)
    _check("alpha_dropout", p)
    return _saturated(input, p, 1, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels: input is (N, C, ...).

    Raises ArgumentError for p outside of [0, 1], ShapeError for fewer than 2 dimensions, DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> y = feature_alpha_dropout(ag.ones(2, 3, 4), 0.5, training=True)
    >>> all((channel == channel[0]).all().item() for line in y for channel in line)
    True
    """
    require_floating("feature_alpha_dropout", input=input)
    _check("feature_alpha_dropout", p)
    shape = input.array.shape
    if len(shape) < 2:
        raise ShapeError(f"feature_alpha_dropout: input must be (N, C, ...), got shape {list(shape)}")
    return _saturated(input, p, math.prod(shape[2:]), training, inplace)


def _of_channels(op: str, x: Any, p: float, axes: int, training: bool, inplace: bool) -> Any:
    require_floating(op, input=x)
    _check(op, p)
    images(op, x, axes)
    return _dropped(x, p, math.prod(x.array.shape[-axes:]), training, inplace)


def _saturated(x: Any, p: float, run: int, training: bool, inplace: bool) -> Any:
    if not training or p == 0:
        return x
    scale = 0.0 if p == 1 else ((1 - p) * (1 + p * SATURATED**2)) ** -0.5
    kept = _dropped(x.new_ones(x.array.shape), p, run, True, False) * (1 - p)
    shifts = ((1 - kept) * SATURATED - p * SATURATED) * scale
    if inplace:
        return x.mul_(kept * scale).add_(shifts)
    return x * (kept * scale) + shifts


def _check(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{op}: p is a probability, 0 to 1, got {p}")


def _dropped(x: Any, p: float, run: int, training: bool, inplace: bool) -> Any:
    if not training or p == 0:
        return x
    run = max(run, 1)
    op = Dropout(p, run, *default_generator.position())
    if inplace:
        _, mask = apply(op, x.detach())
        y = apply_inplace(DropoutApply(p, run), x, mask)
    else:
        y, _ = apply(op, x)
    default_generator.skip(x.device.kernels.blocks_for(x.array.size // run))
    return y
