"""Pointwise functions in steps and pieces: sign, rounding, clamp."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import bool_, of_scalar, result_type
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.cast import cast, clone
from autograd_cnn.ops.operand import Scalar, refuse_bools, require_floating, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def zeros_of(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of what is constant: one 0, seen everywhere."""
    return g.new_zeros(()).expand(shape)


class Step(Op, abstract=True):
    """A function that is constant between its jumps: the gradient is 0."""

    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def vjp_x(self, g: Any) -> Any:
        return zeros_of(g, g.shape)


class Sign(Step):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sign(x, out)


class Floor(Step):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.floor(x, out)


class Ceil(Step):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.ceil(x, out)


class Round(Step):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.round(x, out)


class Trunc(Step):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.trunc(x, out)


class RoundTo(Step):
    """The nearest number of so many decimals."""

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals

    def compute(self, k: Any, out: Any, x: Any) -> None:
        scale = np.asarray(10.0 ** builtins.abs(self.decimals), x.dtype)
        before, after = (k.mul, k.div) if self.decimals > 0 else (k.div, k.mul)
        before(x, scale, out)
        k.round(out, out)
        after(out, scale, out)


class Clamp(Op):
    inputs = ("x",)

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.clamp(x, self.low, self.high, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(ClampSlope(self.low, self.high), g, x)


class ClampSlope(Op):
    """g where x lies within the limits, else 0."""

    inputs = ("g", "x")
    nondifferentiable = ("x",)

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def infer(self, g: Any, x: Any) -> Any:
        return g.shape, g.dtype

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.clamp_grad(g, x, self.low, self.high, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)


SIGN, FLOOR, CEIL, ROUND, TRUNC = Sign(), Floor(), Ceil(), Round(), Trunc()


def _whole(op: Op, x: Any) -> Any:
    """A rounding: integers stay as they are."""
    if require_tensor(op.name, x).array.dtype.kind == "f":
        return apply_unary(op, x)
    refuse_bools(op.name, x)
    return clone(x)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1.

    >>> import autograd_cnn as ag
    >>> sign(ag.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """
    return apply_unary(SIGN, require_tensor("sign", input))


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1: of real numbers, `sign`.

    >>> import autograd_cnn as ag
    >>> sgn(ag.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """
    return apply_unary(SIGN, require_tensor("sgn", input))


def floor(input: Tensor) -> Tensor:
    """The largest integer not above input.

    >>> import autograd_cnn as ag
    >>> floor(ag.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """
    return _whole(FLOOR, input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below input.

    >>> import autograd_cnn as ag
    >>> ceil(ag.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """
    return _whole(CEIL, input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, or number of so many `decimals`; halves go to the even one.

    Raises DTypeError for integers with `decimals`.

    >>> import autograd_cnn as ag
    >>> round(ag.tensor([0.5, 1.5])), round(ag.tensor([1.236, 1250.0]), decimals=2)
    (tensor([0., 2.]), tensor([1.2400e+00, 1.2500e+03]))
    """
    if not decimals:
        return _whole(ROUND, input)
    require_floating("round", input=input)
    return apply_unary(RoundTo(decimals), input)


def trunc(input: Tensor) -> Tensor:
    """input without its fraction.

    >>> import autograd_cnn as ag
    >>> trunc(ag.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """
    return _whole(TRUNC, input)


def clamp(x: Any, min: float | None = None, max: float | None = None) -> Any:
    """x limited to [min, max]; where min > max everything is max.  The gradient at the limits is 1.

    Integers with a fractional limit become floats.  Raises ArgumentError where both limits are missing,
    DTypeError where one is not a number, and for bools with bool limits.

    >>> import autograd_cnn as ag
    >>> clamp(ag.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    op, dtype = _limited(x, min, max)
    return apply_unary(op, cast(x, dtype))


def clamp_(x: Any, min: float | None = None, max: float | None = None) -> Any:
    """Limits x to [min, max] in place; returns x.

    Raises InPlaceError for integers with a fractional limit, and what `clamp` raises.

    >>> import autograd_cnn as ag
    >>> clamp_(ag.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    op, dtype = _limited(x, min, max)
    if dtype != x.array.dtype:
        raise InPlaceError(f"clamp in place: a result of dtype {dtype} cannot be cast to the tensor's {x.array.dtype}")
    return apply_inplace(op, x)


def _limited(x: Any, min: float | None, max: float | None) -> tuple[Clamp, np.dtype]:
    """The op, and the dtype of its result."""
    if min is None and max is None:
        raise ArgumentError("clamp: give min, max or both; got None and None")
    limits = {"min": min, "max": max}
    for name, limit in limits.items():
        if not isinstance(limit, Scalar | np.number | None):
            raise DTypeError(f"clamp: {name} must be a number or None, got {type(limit).__name__}")
    dtypes = [of_scalar(limit) for limit in limits.values() if limit is not None]
    dtype = result_type((require_tensor("clamp", x).array.dtype, 2), *((limit, 0) for limit in dtypes))
    if dtype == bool_:
        raise DTypeError(f"clamp: takes numbers, got {bool_}")
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    return Clamp(low, high), dtype
