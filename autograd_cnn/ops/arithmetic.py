"""Arithmetic on two operands that broadcast, and the choice between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import bool_, get_default_dtype
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import PointwiseOp, pointwise_binary, pointwise_unary
from autograd_cnn.graph.record import apply, apply_unary
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.comparison import eq, ge, gt, logical_and, logical_or, lt
from autograd_cnn.ops.operand import broadcast, dtype_of, pair, refuse_bools, together
from autograd_cnn.ops.rounding import zeros_of

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Binary(PointwiseOp, abstract=True):
    """Two operands of one dtype; the output has their common shape."""

    inputs = ("x", "other")

    def infer(self, x: Any, other: Any) -> Any:
        shape = x.shape
        if shape != other.shape:
            shape = broadcast(self.name, shape, other.shape)
        return shape, x.dtype

    def promote(self, *tensors: Any) -> Any:
        return pair(self.name, *tensors)


class RealBinary(Binary, abstract=True):
    """Two real operands.  From the inferred dtype the engine sees that integers in place cannot hold it."""

    def infer(self, x: Any, other: Any) -> Any:
        dtype = x.dtype if x.dtype.kind == "f" else get_default_dtype()
        return (x.shape if x.shape == other.shape else broadcast(self.name, x.shape, other.shape)), dtype


class Add(Binary):
    kernel = "add"

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any) -> Any:
        return g


class Sub(Binary):
    kernel = "sub"

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any) -> Any:
        return -g


class Mul(Binary):
    kernel = "mul"

    def vjp_x(self, g: Any, other: Any) -> Any:
        return pointwise_binary(MUL, g, other)

    def vjp_other(self, g: Any, x: Any) -> Any:
        return pointwise_binary(MUL, g, x)


class Div(RealBinary):
    kernel = "div"

    def vjp_x(self, g: Any, other: Any) -> Any:
        return pointwise_binary(DIV, g, other)

    def vjp_other(self, g: Any, y: Any, other: Any) -> Any:
        return -(g * y / other)


class Pow(Binary):
    kernel = "pow"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        # The slope is 0 where the exponent is, also at x = 0, where the formula would be 0 * inf.
        return where(eq(other, 0), 0.0, g * (other * pow(x, other - 1)))

    def vjp_other(self, g: Any, x: Any, other: Any, y: Any) -> Any:
        # 0 ** p is 0 for every p > 0: it does not change with p, though log(0) is -inf.
        flat = logical_and(eq(x, 0), ge(other, 0))
        return g * where(flat, 0.0, y * where(flat, 1.0, x).log())


class Square(PointwiseOp):
    inputs = ("x",)
    kernel = "square"

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 * x)


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
            return g.new_zeros(g.shape)
        return g * (self.exponent * pow(x, self.exponent - 1))


class Maximum(Binary):
    kernel = "maximum"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return _share(g, x, other, lt(x, other))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return _share(g, x, other, gt(x, other))


class Minimum(Binary):
    kernel = "minimum"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return _share(g, x, other, gt(x, other))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return _share(g, x, other, lt(x, other))


def _share(g: Any, x: Any, other: Any, lost: Any) -> Any:
    """Nothing where the other operand was chosen, half where they are equal."""
    return where(lost, 0.0, where(eq(x, other), 0.5 * g, g))


class Atan2(RealBinary):
    kernel = "atan2"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * _over_square(other, x, other)

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return -g * _over_square(x, x, other)


def _over_square(a: Any, x: Any, other: Any) -> Any:
    """a / (x^2 + other^2), and 0 at the origin, where the angle has no slope."""
    square = x * x + other * other
    origin = eq(square, 0)
    return where(origin, 0.0, a / where(origin, 1.0, square))


class FloorDivide(Binary):
    nondifferentiable = ("x", "other")

    kernel = "floor_divide"


class RoundedQuotient(Binary, abstract=True):
    """Constant between its jumps: the gradients are 0."""

    def vjp_x(self, g: Any) -> Any:
        return zeros_of(g, g.shape)

    vjp_other = vjp_x


class FloorQuotient(RoundedQuotient):
    kernel = "floor_divide"


class TruncQuotient(RoundedQuotient):
    kernel = "trunc_divide"


class Remainder(Binary):
    kernel = "remainder"

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return -g * floor_divide(x, other)


class Where(PointwiseOp):
    inputs = ("condition", "x", "other")
    nondifferentiable = ("condition",)

    def infer(self, condition: Any, x: Any, other: Any) -> Any:
        return broadcast("where", condition.shape, x.shape, other.shape), x.dtype

    kernel = "where"

    def vjp_x(self, g: Any, condition: Any) -> Any:
        return where(condition, g, 0.0)

    def vjp_other(self, g: Any, condition: Any) -> Any:
        return where(condition, 0.0, g)


ADD, SUB, MUL, DIV, POW = Add(), Sub(), Mul(), Div(), Pow()
MAXIMUM, MINIMUM, ATAN2 = Maximum(), Minimum(), Atan2()
SQUARE = Square()
FLOOR_DIVIDE, REMAINDER, WHERE = FloorDivide(), Remainder(), Where()
FLOOR_QUOTIENT, TRUNC_QUOTIENT = FloorQuotient(), TruncQuotient()


def add(input: Tensor | Number, other: Tensor | Number, *, alpha: float = 1) -> Tensor:
    """The sum: x + alpha * other.

    Raises ArgumentError for a fractional alpha where both operands are integers.

    >>> import autograd_cnn as ag
    >>> add(ag.tensor([1, 2]), 0.5)
    tensor([1.5000, 2.5000])
    """
    if alpha != 1:
        other = _scaled("add", input, other, alpha)
    if isinstance(input, TensorBase) and isinstance(other, TensorBase):
        return pointwise_binary(ADD, input, other)
    return pointwise_binary(ADD, *pair("add", input, other))


def _scaled(op: str, x: Any, other: Any, alpha: float) -> Any:
    if isinstance(alpha, float) and dtype_of(x).kind != "f" and dtype_of(other).kind != "f":
        raise ArgumentError(f"{op}: alpha must be an integer where the operands are, got {alpha}")
    return other * alpha


def sub(input: Tensor | Number, other: Tensor | Number, *, alpha: float = 1) -> Tensor:
    """The difference: x - alpha * other.

    Raises DTypeError for bools, ArgumentError for a fractional alpha where both operands are integers.

    >>> import autograd_cnn as ag
    >>> sub(ag.tensor([3.0, 2.0]), 1)
    tensor([2., 1.])
    """
    if alpha != 1:
        other = _scaled("sub", input, other, alpha)
    left, right = pair("sub", input, other)
    if left.array.dtype.kind == "b" or left is not input or right is not other:
        refuse_bools("sub", input, other, instead="; use ^ or ~ on masks")
    return pointwise_binary(SUB, left, right)


def mul(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The product: x * other.

    >>> import autograd_cnn as ag
    >>> mul(ag.tensor([3.0, 2.0]), 2)
    tensor([6., 4.])
    """
    if isinstance(input, TensorBase) and isinstance(other, TensorBase):
        return pointwise_binary(MUL, input, other)
    return pointwise_binary(MUL, *pair("mul", input, other))


def maximum(input: Tensor, other: Tensor | Number) -> Tensor:
    """The larger of input and other, nan where either is; equal values share the gradient.

    >>> import autograd_cnn as ag
    >>> maximum(ag.tensor([1.0, 5.0]), ag.tensor([4.0, 2.0]))
    tensor([4., 5.])
    """
    input, other = pair("maximum", input, other)
    return pointwise_binary(MAXIMUM, input, other)


def minimum(input: Tensor, other: Tensor | Number) -> Tensor:
    """The smaller of input and other, nan where either is; equal values share the gradient.

    >>> import autograd_cnn as ag
    >>> minimum(ag.tensor([1.0, 5.0]), ag.tensor([4.0, 2.0]))
    tensor([1., 2.])
    """
    input, other = pair("minimum", input, other)
    return pointwise_binary(MINIMUM, input, other)


def atan2(input: Tensor, other: Tensor | Number) -> Tensor:
    """The angle of the point (other, x) to the first axis, in (-pi, pi]; its gradient at the origin is 0.

    >>> import autograd_cnn as ag
    >>> atan2(ag.tensor([1.0, 0.0]), ag.tensor([0.0, -1.0]))
    tensor([1.5708, 3.1416])
    """
    return pointwise_binary(ATAN2, *real_pair("atan2", input, other))


def remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The remainder with the sign of other: x - floor(x / other) * other.

    Raises DTypeError for bools, ArgumentError for integers and a divisor of 0.

    >>> import autograd_cnn as ag
    >>> remainder(ag.tensor([5, -5]), 3)
    tensor([2, 1])
    """
    return pointwise_binary(REMAINDER, *divided("remainder", input, other))


def floor_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The quotient rounded down: floor(x / other); no gradient.

    Raises DTypeError for bools, ArgumentError for integers and a divisor of 0.

    >>> import autograd_cnn as ag
    >>> floor_divide(ag.tensor([5, -5]), 3)
    tensor([ 1, -2])
    """
    return apply(FLOOR_DIVIDE, *divided("floor_divide", input, other))


def divided(op: str, x: Any, other: Any) -> Any:
    """Operands of a division that stays in their dtype."""
    x, other = pair(op, x, other)
    if x.array.dtype.kind != "f":
        refuse_bools(op, x)
        if (other.device.to_host(other.array) == 0).any():
            raise ArgumentError(f"{op}: integers of shape {list(x.array.shape)} are divided by 0")
    return x, other


def real_pair(op: str, x: Any, other: Any) -> Any:
    """Both operands as floats of one dtype."""
    x, other = pair(op, x, other)
    if x.array.dtype.kind != "f":
        return cast(x, get_default_dtype()), cast(other, get_default_dtype())
    return x, other


def _trunc_divide(x: Any, other: Any) -> Any:
    x, other = pair("div", x, other)
    if x.array.dtype.kind == "f":
        return pointwise_binary(TRUNC_QUOTIENT, x, other)
    floored = floor_divide(x, other)
    exact = eq(mul(floored, other), x)
    return where(logical_or(exact, ge(floored, 0)), floored, floored + 1)


def _floored(x: Any, other: Any) -> Any:
    return apply(FLOOR_QUOTIENT, *divided("div", x, other))


ROUNDED = {"floor": _floored, "trunc": _trunc_divide}


def div(input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
    """The quotient: x / other; integers give floats.

    With `rounding_mode` "floor" it is rounded down, with "trunc" towards 0: integers stay integers, and the
    gradient is 0.  Raises ArgumentError for another `rounding_mode`, and for integers with one and divisor 0.

    >>> import autograd_cnn as ag
    >>> div(ag.tensor([3, 2]), 2)
    tensor([1.5000, 1.0000])
    >>> div(ag.tensor([3, -3]), 2, rounding_mode="trunc")
    tensor([ 1, -1])
    """
    if rounding_mode is not None:
        if rounding_mode not in ROUNDED:
            raise ArgumentError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")
        return ROUNDED[rounding_mode](input, other)
    return pointwise_binary(DIV, *real_pair("div", input, other))


def pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """The power: x ** exponent; its gradient for exponent is 0 where x is 0 and exponent is not negative.

    Raises DTypeError for bools, ArgumentError for integers to a negative integer.

    >>> import autograd_cnn as ag
    >>> pow(ag.tensor([2.0, 3.0]), 2)
    tensor([4., 9.])
    """
    if isinstance(exponent, bool | int | float) and isinstance(input, TensorBase) and input.array.dtype.kind == "f":
        return pointwise_unary(SQUARE, input) if exponent == 2 else apply_unary(PowScalar(exponent), input)
    base, power = pair("pow", input, exponent)
    if base.array.dtype.kind != "f":
        refuse_bools("pow", base)
        exponents = power.device.to_host(power.array)
        if (exponents < 0).any():
            raise ArgumentError(f"pow: integers to a negative power are no integers: the exponent is {exponents.min()}")
    return pointwise_binary(POW, base, power)


def where(condition: Any, x: Any, other: Any) -> Any:
    """x where `condition`, else other; all three broadcast.

    Raises DTypeError where `condition` is no bool tensor.

    >>> import autograd_cnn as ag
    >>> where(ag.tensor([True, False]), 1.0, 2.0)
    tensor([1., 2.])
    """
    if not isinstance(condition, TensorBase) or condition.array.dtype != bool_:
        got = condition.array.dtype if isinstance(condition, TensorBase) else type(condition).__name__
        raise DTypeError(f"where: condition must be a bool tensor, got {got}")
    x, other = together("where", condition, x, other)
    return apply(WHERE, condition, x, other)
