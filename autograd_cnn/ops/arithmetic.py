"""Arithmetic, comparisons and logic on two operands that broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.dtype import bool_, get_default_dtype, of_scalar, result_type
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.operand import broadcast, constant, promoted


class Binary(Op, abstract=True):
    """Two operands of one dtype; the output has their common shape."""

    inputs = ("x", "other")

    def infer(self, x: Any, other: Any) -> Any:
        shape = x.shape
        if shape != other.shape:
            shape = broadcast(self.name, shape, other.shape)
        return shape, x.dtype


class Add(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.add(x, other, out)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any) -> Any:
        return g


class Sub(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.sub(x, other, out)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any) -> Any:
        return -g


class Mul(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.mul(x, other, out)

    def vjp_x(self, g: Any, other: Any) -> Any:
        return apply(MUL, g, other)

    def vjp_other(self, g: Any, x: Any) -> Any:
        return apply(MUL, g, x)


class Div(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.div(x, other, out)

    def vjp_x(self, g: Any, other: Any) -> Any:
        return apply(DIV, g, other)

    def vjp_other(self, g: Any, y: Any, other: Any) -> Any:
        return -(g * y / other)


class Pow(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.pow(x, other, out)

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        # The slope is 0 where the exponent is, also at x = 0, where the formula would be 0 * inf.
        slope = other * pow(x, other - 1)
        return g * where(other == 0, 0.0, slope)

    def vjp_other(self, g: Any, x: Any, other: Any, y: Any) -> Any:
        # 0 ** p is 0 for every p > 0: it does not change with p, though log(0) is -inf.
        flat = (x == 0) & (other >= 0)
        return g * where(flat, 0.0, y * where(flat, 1.0, x).log())


class PowScalar(Op):
    """x ** exponent for a number, whose slope needs no logarithm."""

    inputs = ("x",)

    def __init__(self, exponent: float) -> None:
        self.exponent = exponent

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.pow(x, np.asarray(self.exponent, x.dtype), out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        if self.exponent == 0:
            return g * 0.0
        return g * (self.exponent * pow(x, self.exponent - 1))


class Maximum(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.maximum(x, other, out)

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * ((x > other) + 0.5 * (x == other).to(g.dtype))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return g * ((x < other) + 0.5 * (x == other).to(g.dtype))


class Minimum(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.minimum(x, other, out)

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * ((x < other) + 0.5 * (x == other).to(g.dtype))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return g * ((x > other) + 0.5 * (x == other).to(g.dtype))


class Atan2(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.atan2(x, other, out)

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * other / (x * x + other * other)

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return -(g * x) / (x * x + other * other)


class FloorDivide(Binary):
    nondifferentiable = ("x", "other")

    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.floor_divide(x, other, out)


class Remainder(Binary):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.remainder(x, other, out)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return -g * floor_divide(x, other)


class Comparison(Binary, abstract=True):
    nondifferentiable = ("x", "other")

    def infer(self, x: Any, other: Any) -> Any:
        return broadcast(self.name, x.shape, other.shape), bool_


class Eq(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.eq(x, other, out)


class Ne(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.ne(x, other, out)


class Lt(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.lt(x, other, out)


class Le(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.le(x, other, out)


class Gt(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.gt(x, other, out)


class Ge(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.ge(x, other, out)


class LogicalAnd(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_and(x, other, out)


class LogicalOr(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_or(x, other, out)


class LogicalXor(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_xor(x, other, out)


class Where(Op):
    inputs = ("condition", "x", "other")
    nondifferentiable = ("condition",)

    def infer(self, condition: Any, x: Any, other: Any) -> Any:
        return broadcast("where", condition.shape, x.shape, other.shape), x.dtype

    def compute(self, k: Any, out: Any, condition: Any, x: Any, other: Any) -> None:
        k.where(condition, x, other, out)

    def vjp_x(self, g: Any, condition: Any) -> Any:
        return where(condition, g, 0.0)

    def vjp_other(self, g: Any, condition: Any) -> Any:
        return where(condition, 0.0, g)


ADD, SUB, MUL, DIV, POW = Add(), Sub(), Mul(), Div(), Pow()
MAXIMUM, MINIMUM, ATAN2 = Maximum(), Minimum(), Atan2()
FLOOR_DIVIDE, REMAINDER, WHERE = FloorDivide(), Remainder(), Where()
EQ, NE, LT, LE, GT, GE = Eq(), Ne(), Lt(), Le(), Gt(), Ge()
LOGICAL_AND, LOGICAL_OR, LOGICAL_XOR = LogicalAnd(), LogicalOr(), LogicalXor()


NUMBERS = (float, int)


def _pair(op: str, x: Any, other: Any) -> Any:
    """Both operands as tensors of one dtype; quick where they are already, or one is a number that fits."""
    if isinstance(x, TensorBase):
        if isinstance(other, TensorBase):
            if x.array.dtype is other.array.dtype:
                return x, other
        elif other.__class__ in NUMBERS and x.array.dtype.kind == "f":
            return x, constant(other, x.array.dtype, x)
    return promoted(op, x, other)


def add(x: Any, other: Any, *, alpha: float = 1) -> Any:
    """The sum: x + alpha * other.

    >>> import autograd_cnn as ag
    >>> add(ag.tensor([1, 2]), 0.5)
    tensor([1.5000, 2.5000])
    """
    if alpha != 1:
        other = mul(other, alpha) if isinstance(other, TensorBase) else other * alpha
    x, other = _pair("add", x, other)
    return apply(ADD, x, other)


def sub(x: Any, other: Any) -> Any:
    """The difference: x - alpha * other.

    >>> import autograd_cnn as ag
    >>> sub(ag.tensor([3.0, 2.0]), 1)
    tensor([2., 1.])
    """
    x, other = _pair("sub", x, other)
    return apply(SUB, x, other)


def mul(x: Any, other: Any) -> Any:
    """The product: x * other.

    >>> import autograd_cnn as ag
    >>> mul(ag.tensor([3.0, 2.0]), 2)
    tensor([6., 4.])
    """
    x, other = _pair("mul", x, other)
    return apply(MUL, x, other)


def maximum(x: Any, other: Any) -> Any:
    """The larger of x and other, nan where either is; equal values share the gradient.

    >>> import autograd_cnn as ag
    >>> maximum(ag.tensor([1.0, 5.0]), ag.tensor([4.0, 2.0]))
    tensor([4., 5.])
    """
    x, other = _pair("maximum", x, other)
    return apply(MAXIMUM, x, other)


def minimum(x: Any, other: Any) -> Any:
    """The smaller of x and other, nan where either is; equal values share the gradient.

    >>> import autograd_cnn as ag
    >>> minimum(ag.tensor([1.0, 5.0]), ag.tensor([4.0, 2.0]))
    tensor([1., 2.])
    """
    x, other = _pair("minimum", x, other)
    return apply(MINIMUM, x, other)


def remainder(x: Any, other: Any) -> Any:
    """The remainder with the sign of other: x - floor(x / other) * other.

    >>> import autograd_cnn as ag
    >>> remainder(ag.tensor([5, -5]), 3)
    tensor([2, 1])
    """
    x, other = _pair("remainder", x, other)
    return apply(REMAINDER, x, other)


def floor_divide(x: Any, other: Any) -> Any:
    """The quotient rounded down: floor(x / other); no gradient.

    >>> import autograd_cnn as ag
    >>> floor_divide(ag.tensor([5, -5]), 3)
    tensor([ 1, -2])
    """
    x, other = _pair("floor_divide", x, other)
    return apply(FLOOR_DIVIDE, x, other)


def eq(x: Any, other: Any) -> Any:
    """Where x == other.

    >>> import autograd_cnn as ag
    >>> eq(ag.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    x, other = _pair("eq", x, other)
    return apply(EQ, x, other)


def ne(x: Any, other: Any) -> Any:
    """Where x != other.

    >>> import autograd_cnn as ag
    >>> ne(ag.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    x, other = _pair("ne", x, other)
    return apply(NE, x, other)


def lt(x: Any, other: Any) -> Any:
    """Where x < other.

    >>> import autograd_cnn as ag
    >>> lt(ag.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    x, other = _pair("lt", x, other)
    return apply(LT, x, other)


def le(x: Any, other: Any) -> Any:
    """Where x <= other.

    >>> import autograd_cnn as ag
    >>> le(ag.tensor([1, 2]), 2)
    tensor([True, True])
    """
    x, other = _pair("le", x, other)
    return apply(LE, x, other)


def gt(x: Any, other: Any) -> Any:
    """Where x > other.

    >>> import autograd_cnn as ag
    >>> gt(ag.tensor([1, 2]), 1)
    tensor([False,  True])
    """
    x, other = _pair("gt", x, other)
    return apply(GT, x, other)


def ge(x: Any, other: Any) -> Any:
    """Where x >= other.

    >>> import autograd_cnn as ag
    >>> ge(ag.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    x, other = _pair("ge", x, other)
    return apply(GE, x, other)


def logical_and(x: Any, other: Any) -> Any:
    """Where both are non-zero.

    >>> import autograd_cnn as ag
    >>> logical_and(ag.tensor([True, True]), ag.tensor([True, False]))
    tensor([ True, False])
    """
    x, other = _pair("logical_and", x, other)
    return apply(LOGICAL_AND, x, other)


def logical_or(x: Any, other: Any) -> Any:
    """Where either is non-zero.

    >>> import autograd_cnn as ag
    >>> logical_or(ag.tensor([True, False]), ag.tensor([False, False]))
    tensor([ True, False])
    """
    x, other = _pair("logical_or", x, other)
    return apply(LOGICAL_OR, x, other)


def logical_xor(x: Any, other: Any) -> Any:
    """Where exactly one is non-zero.

    >>> import autograd_cnn as ag
    >>> logical_xor(ag.tensor([True, True]), ag.tensor([True, False]))
    tensor([False,  True])
    """
    x, other = _pair("logical_xor", x, other)
    return apply(LOGICAL_XOR, x, other)


def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """The quotient: x / other; integers give floats.  `rounding_mode` is None or "floor".

    >>> import autograd_cnn as ag
    >>> div(ag.tensor([3, 2]), 2)
    tensor([1.5000, 1.0000])
    """
    if rounding_mode == "floor":
        return floor_divide(x, other)
    x, other = _pair("div", x, other)
    if rounding_mode is not None:
        raise ArgumentError(f"div: rounding_mode must be None or 'floor', got {rounding_mode!r}")
    if x.array.dtype.kind != "f":
        x, other = cast(x, get_default_dtype()), cast(other, get_default_dtype())
    return apply(DIV, x, other)


def pow(x: Any, other: Any) -> Any:
    """The power: x ** other.  Integers to a negative integer raise DTypeError.

    >>> import autograd_cnn as ag
    >>> pow(ag.tensor([2.0, 3.0]), 2)
    tensor([4., 9.])
    """
    if isinstance(other, bool | int | float) and isinstance(x, TensorBase) and x.array.dtype.kind == "f":
        return _power(x, other)
    x, other = _pair("pow", x, other)
    if x.array.dtype.kind != "f" and (other.array < 0).any():
        raise DTypeError(f"pow: integers to a negative integer power are not integers: {x.array.dtype} ** {other.array.min()}")
    return apply(POW, x, other)


def _power(x: Any, exponent: float) -> Any:
    """The common exponents without a logarithm."""
    if exponent == 2:
        return apply(MUL, x, x)
    return apply(PowScalar(exponent), x)


def where(condition: Any, x: Any = None, other: Any = None) -> Any:
    """x where `condition`, else other; all three broadcast.

    >>> import autograd_cnn as ag
    >>> where(ag.tensor([True, False]), 1.0, 2.0)
    tensor([1., 2.])
    """
    if not isinstance(condition, TensorBase) or condition.array.dtype != bool_:
        got = condition.array.dtype if isinstance(condition, TensorBase) else type(condition).__name__
        raise DTypeError(f"where: condition must be a bool tensor, got {got}")
    if isinstance(x, TensorBase) or isinstance(other, TensorBase):
        x, other = promoted("where", x, other)
    else:
        dtype = result_type((of_scalar(x), 0), (of_scalar(other), 0))
        x, other = constant(x, dtype, condition), constant(other, dtype, condition)
    return apply(WHERE, condition, x, other)
