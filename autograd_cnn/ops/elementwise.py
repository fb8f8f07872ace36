"""Pointwise functions of one tensor, and their derivatives as ops of their own where one pass is enough."""

from __future__ import annotations

import math
from typing import Any

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import floating


class Unary(Op, abstract=True):
    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype


class Slope(Op, abstract=True):
    """The derivative of a pointwise function times the cotangent g, given x or y."""

    def infer(self, g: Any, at: Any) -> Any:
        return g.shape, g.dtype


class Test(Op, abstract=True):
    """A question about each number."""

    inputs = ("x",)
    nondifferentiable = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, bool_


class Neg(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.neg(x, out)

    def vjp_x(self, g: Any) -> Any:
        return -g


class Abs(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.abs(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * sign(x)


class Exp(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.exp(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * y


class Expm1(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.expm1(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (y + 1)


class Log(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.log(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / x


class Log1p(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.log1p(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x + 1)


class Sqrt(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sqrt(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g / (2 * y)


class Rsqrt(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.rsqrt(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -0.5 * g * (y * y * y)


class Reciprocal(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.reciprocal(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -g * (y * y)


class Square(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.square(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 * x)


class Sin(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sin(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * cos(x)


class Cos(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cos(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return -g * sin(x)


class Tan(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.tan(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (1 + y * y)


class Erf(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.erf(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 / math.sqrt(math.pi)) * exp(-(x * x))


class Tanh(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.tanh(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply(TANH_SLOPE, g, y)


class TanhSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.tanh_grad(g, y, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply(TANH_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (-2 * y)


class Sigmoid(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sigmoid(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply(SIGMOID_SLOPE, g, y)


class SigmoidSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.sigmoid_grad(g, y, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply(SIGMOID_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (1 - 2 * y)


class Sign(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sign(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g * 0.0


class Floor(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.floor(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g * 0.0


class Ceil(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.ceil(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g * 0.0


class Round(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.round(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g * 0.0


class Trunc(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.trunc(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g * 0.0


class IsNan(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isnan(x, out)


class IsInf(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isinf(x, out)


class IsFinite(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isfinite(x, out)


class LogicalNot(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.logical_not(x, out)


class Clamp(Unary):
    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.clamp(x, self.low, self.high, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply(ClampSlope(self.low, self.high), g, x)


class ClampSlope(Slope):
    inputs = ("g", "x")
    nondifferentiable = ("x",)

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.clamp_grad(g, x, self.low, self.high, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply(self, gg, x)


NEG, ABS, EXP, EXPM1, LOG = Neg(), Abs(), Exp(), Expm1(), Log()
LOG1P, SQRT, RSQRT, RECIPROCAL, SQUARE = Log1p(), Sqrt(), Rsqrt(), Reciprocal(), Square()
SIN, COS, TAN, ERF, TANH = Sin(), Cos(), Tan(), Erf(), Tanh()
TANH_SLOPE, SIGMOID, SIGMOID_SLOPE, SIGN, FLOOR = TanhSlope(), Sigmoid(), SigmoidSlope(), Sign(), Floor()
CEIL, ROUND, TRUNC, IS_NAN, IS_INF = Ceil(), Round(), Trunc(), IsNan(), IsInf()
IS_FINITE, LOGICAL_NOT = IsFinite(), LogicalNot()


def exp(x: Any) -> Any:
    """The exponential: e ** x.

    >>> import autograd_cnn as ag
    >>> exp(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return apply(EXP, floating("exp", x))


def expm1(x: Any) -> Any:
    """e ** x - 1, exact near 0.

    >>> import autograd_cnn as ag
    >>> expm1(ag.tensor([0.0, 1e-10]))
    tensor([0.0000e+00, 1.0000e-10])
    """
    return apply(EXPM1, floating("expm1", x))


def log(x: Any) -> Any:
    """The natural logarithm; -inf at 0, nan below.

    >>> import autograd_cnn as ag
    >>> log(ag.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return apply(LOG, floating("log", x))


def log1p(x: Any) -> Any:
    """log(1 + x), exact near 0.

    >>> import autograd_cnn as ag
    >>> log1p(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return apply(LOG1P, floating("log1p", x))


def sqrt(x: Any) -> Any:
    """The square root; its gradient at 0 is inf.

    >>> import autograd_cnn as ag
    >>> sqrt(ag.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return apply(SQRT, floating("sqrt", x))


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x).

    >>> import autograd_cnn as ag
    >>> rsqrt(ag.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return apply(RSQRT, floating("rsqrt", x))


def reciprocal(x: Any) -> Any:
    """1 / x.

    >>> import autograd_cnn as ag
    >>> reciprocal(ag.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return apply(RECIPROCAL, floating("reciprocal", x))


def sin(x: Any) -> Any:
    """The sine of x in radians.

    >>> import autograd_cnn as ag
    >>> sin(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return apply(SIN, floating("sin", x))


def cos(x: Any) -> Any:
    """The cosine of x in radians.

    >>> import autograd_cnn as ag
    >>> cos(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return apply(COS, floating("cos", x))


def tan(x: Any) -> Any:
    """The tangent of x in radians.

    >>> import autograd_cnn as ag
    >>> tan(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return apply(TAN, floating("tan", x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent: (e^x - e^-x) / (e^x + e^-x).

    >>> import autograd_cnn as ag
    >>> tanh(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return apply(TANH, floating("tanh", x))


def sigmoid(x: Any) -> Any:
    """The logistic function: 1 / (1 + e^-x).

    >>> import autograd_cnn as ag
    >>> sigmoid(ag.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    return apply(SIGMOID, floating("sigmoid", x))


def erf(x: Any) -> Any:
    """The error function: 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.

    >>> import autograd_cnn as ag
    >>> erf(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return apply(ERF, floating("erf", x))


def neg(x: Any) -> Any:
    """The negative: -x.

    >>> import autograd_cnn as ag
    >>> neg(ag.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return apply(NEG, x)


def abs(x: Any) -> Any:
    """The absolute value; its gradient at 0 is 0.

    >>> import autograd_cnn as ag
    >>> abs(ag.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    return apply(ABS, x)


def sign(x: Any) -> Any:
    """-1, 0 or 1.

    >>> import autograd_cnn as ag
    >>> sign(ag.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """
    return apply(SIGN, x)


def square(x: Any) -> Any:
    """x * x.

    >>> import autograd_cnn as ag
    >>> square(ag.tensor([1.0, -2.0]))
    tensor([1., 4.])
    """
    return apply(SQUARE, x)


def floor(x: Any) -> Any:
    """The largest integer not above x.

    >>> import autograd_cnn as ag
    >>> floor(ag.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """
    return apply(FLOOR, x)


def ceil(x: Any) -> Any:
    """The smallest integer not below x.

    >>> import autograd_cnn as ag
    >>> ceil(ag.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """
    return apply(CEIL, x)


def round(x: Any) -> Any:
    """The nearest integer; halves go to the even one.

    >>> import autograd_cnn as ag
    >>> round(ag.tensor([0.5, 1.5]))
    tensor([0., 2.])
    """
    return apply(ROUND, x)


def trunc(x: Any) -> Any:
    """x without its fraction.

    >>> import autograd_cnn as ag
    >>> trunc(ag.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """
    return apply(TRUNC, x)


def isnan(x: Any) -> Any:
    """Where x is nan.

    >>> import autograd_cnn as ag
    >>> isnan(ag.tensor([1.0, float('nan')]))
    tensor([False,  True])
    """
    return apply(IS_NAN, x)


def isinf(x: Any) -> Any:
    """Where x is inf or -inf.

    >>> import autograd_cnn as ag
    >>> isinf(ag.tensor([1.0, float('inf')]))
    tensor([False,  True])
    """
    return apply(IS_INF, x)


def isfinite(x: Any) -> Any:
    """Where x is neither inf nor nan.

    >>> import autograd_cnn as ag
    >>> isfinite(ag.tensor([1.0, float('inf')]))
    tensor([ True, False])
    """
    return apply(IS_FINITE, x)


def logical_not(x: Any) -> Any:
    """Where x is 0.

    >>> import autograd_cnn as ag
    >>> logical_not(ag.tensor([True, False]))
    tensor([False,  True])
    """
    return apply(LOGICAL_NOT, x)


def clamp(x: Any, min: float | None = None, max: float | None = None) -> Any:
    """x limited to [min, max]; where min > max everything is max.  The gradient at the limits is 1.

    Raises ArgumentError where both limits are missing.

    >>> import autograd_cnn as ag
    >>> clamp(ag.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ArgumentError("clamp: give min, max or both; got None and None")
    for name, limit in (("min", min), ("max", max)):
        if not isinstance(limit, int | float | None):
            raise DTypeError(f"clamp: {name} must be a number or None, got {type(limit).__name__}")
    if x.array.dtype.kind != "f" and any(isinstance(limit, float) for limit in (min, max)):
        x = floating("clamp", x)
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    return apply(Clamp(low, high), x)
