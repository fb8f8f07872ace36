"""Pointwise functions of one tensor, and their derivatives as ops of their own where one pass is enough."""

from __future__ import annotations

import math
from typing import Any

from autograd_cnn.dtype import bool_, get_default_dtype, int64
from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.operand import floating, refuse_bools, require_tensor
from autograd_cnn.ops.rounding import sign


class Unary(Op, abstract=True):
    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype


class Real(Unary, abstract=True):
    """A real function.  From the inferred dtype the engine sees that integers in place cannot hold it."""

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype if x.dtype.kind == "f" else get_default_dtype()


class Slope(Op, abstract=True):
    """The derivative of a pointwise function times the cotangent g, given x or y."""

    def infer(self, g: Any, at: Any) -> Any:
        return g.shape, g.dtype


class Neg(Unary):
    def infer(self, x: Any) -> Any:
        dtype = x.dtype
        if dtype is bool_:
            raise DTypeError("neg: takes numbers, got bool; use ~ on masks")
        return x.shape, dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.neg(x, out)

    def vjp_x(self, g: Any) -> Any:
        return apply_unary(NEG, g)


class Abs(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.abs(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * sign(x)


class Exp(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.exp(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * y


class Expm1(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.expm1(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (y + 1)


class Log(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.log(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / x


class Log1p(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.log1p(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x + 1)


class Sqrt(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sqrt(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g / (2 * y)


class Rsqrt(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.rsqrt(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -0.5 * g * (y * y * y)


class Reciprocal(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.reciprocal(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -g * (y * y)


class Square(Unary):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.square(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 * x)


class Sin(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sin(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * cos(x)


class Cos(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cos(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return -g * sin(x)


class Tan(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.tan(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (1 + y * y)


class Erf(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.erf(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 / math.sqrt(math.pi)) * exp(-(x * x))


class Tanh(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.tanh(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply_binary(TANH_SLOPE, g, y)


class TanhSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.tanh_grad(g, y, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply_binary(TANH_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (-2 * y)


class Sigmoid(Real):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sigmoid(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply_binary(SIGMOID_SLOPE, g, y)


class SigmoidSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.sigmoid_grad(g, y, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply_binary(SIGMOID_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (1 - 2 * y)


NEG, ABS, EXP, EXPM1, LOG = Neg(), Abs(), Exp(), Expm1(), Log()
LOG1P, SQRT, RSQRT, RECIPROCAL, SQUARE = Log1p(), Sqrt(), Rsqrt(), Reciprocal(), Square()
SIN, COS, TAN, ERF = Sin(), Cos(), Tan(), Erf()
TANH, TANH_SLOPE, SIGMOID, SIGMOID_SLOPE = Tanh(), TanhSlope(), Sigmoid(), SigmoidSlope()


def exp(x: Any) -> Any:
    """The exponential: e ** x.

    >>> import autograd_cnn as ag
    >>> exp(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return apply_unary(EXP, floating("exp", x))


def expm1(x: Any) -> Any:
    """e ** x - 1, exact near 0.

    >>> import autograd_cnn as ag
    >>> expm1(ag.tensor([0.0, 1e-10]))
    tensor([0.0000e+00, 1.0000e-10])
    """
    return apply_unary(EXPM1, floating("expm1", x))


def log(x: Any) -> Any:
    """The natural logarithm; -inf at 0, nan below.

    >>> import autograd_cnn as ag
    >>> log(ag.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return apply_unary(LOG, floating("log", x))


def log1p(x: Any) -> Any:
    """log(1 + x), exact near 0.

    >>> import autograd_cnn as ag
    >>> log1p(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return apply_unary(LOG1P, floating("log1p", x))


def sqrt(x: Any) -> Any:
    """The square root; its gradient at 0 is inf.

    >>> import autograd_cnn as ag
    >>> sqrt(ag.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return apply_unary(SQRT, floating("sqrt", x))


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x).

    >>> import autograd_cnn as ag
    >>> rsqrt(ag.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return apply_unary(RSQRT, floating("rsqrt", x))


def reciprocal(x: Any) -> Any:
    """1 / x.

    >>> import autograd_cnn as ag
    >>> reciprocal(ag.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return apply_unary(RECIPROCAL, floating("reciprocal", x))


def sin(x: Any) -> Any:
    """The sine of x in radians.

    >>> import autograd_cnn as ag
    >>> sin(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return apply_unary(SIN, floating("sin", x))


def cos(x: Any) -> Any:
    """The cosine of x in radians.

    >>> import autograd_cnn as ag
    >>> cos(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return apply_unary(COS, floating("cos", x))


def tan(x: Any) -> Any:
    """The tangent of x in radians.

    >>> import autograd_cnn as ag
    >>> tan(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return apply_unary(TAN, floating("tan", x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent: (e^x - e^-x) / (e^x + e^-x).

    >>> import autograd_cnn as ag
    >>> tanh(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return apply_unary(TANH, floating("tanh", x))


def sigmoid(x: Any) -> Any:
    """The logistic function: 1 / (1 + e^-x).

    >>> import autograd_cnn as ag
    >>> sigmoid(ag.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    return apply_unary(SIGMOID, floating("sigmoid", x))


def erf(x: Any) -> Any:
    """The error function: 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.

    >>> import autograd_cnn as ag
    >>> erf(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return apply_unary(ERF, floating("erf", x))


def neg(x: Any) -> Any:
    """The negative: -x.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> neg(ag.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return apply_unary(NEG, x if isinstance(x, TensorBase) else require_tensor("neg", x))


def abs(x: Any) -> Any:
    """The absolute value; its gradient at 0 is 0.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> abs(ag.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    refuse_bools("abs", require_tensor("abs", x))
    return apply_unary(ABS, x)


def square(x: Any) -> Any:
    """x * x, of bools as integers.

    >>> import autograd_cnn as ag
    >>> square(ag.tensor([1.0, -2.0]))
    tensor([1., 4.])
    """
    if require_tensor("square", x).array.dtype.kind == "b":
        x = cast(x, int64)
    return apply_unary(SQUARE, x)
