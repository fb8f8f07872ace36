"""Pointwise functions of one tensor, and their derivatives as ops of their own where one pass is enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_, get_default_dtype, int64
from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.pointwise import PointwiseOp, pointwise_binary, pointwise_unary
from autograd_cnn.ops.arithmetic import MUL, SQUARE
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.operand import floating, refuse_bools, require_tensor
from autograd_cnn.ops.rounding import sign

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Unary(PointwiseOp, abstract=True):
    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype


class Real(Unary, abstract=True):
    """A real function.  From the inferred dtype the engine sees that integers in place cannot hold it."""

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype if x.dtype.kind == "f" else get_default_dtype()

    def promote(self, *tensors: Any) -> Any:
        return [floating(self.name, x) for x in tensors]


class Slope(PointwiseOp, abstract=True):
    """The derivative of a pointwise function times the cotangent g, given x or y."""

    def infer(self, g: Any, at: Any) -> Any:
        return g.shape, g.dtype


class Neg(Unary):
    def infer(self, x: Any) -> Any:
        dtype = x.dtype
        if dtype is bool_:
            raise DTypeError("neg: takes numbers, got bool; use ~ on masks")
        return x.shape, dtype

    kernel = "neg"

    def vjp_x(self, g: Any) -> Any:
        return pointwise_unary(NEG, g)


class Abs(Unary):
    kernel = "abs"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * sign(x)


class Exp(Real):
    kernel = "exp"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return pointwise_binary(MUL, g, y)


class Expm1(Real):
    kernel = "expm1"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (y + 1)


class Log(Real):
    kernel = "log"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / x


class Log1p(Real):
    kernel = "log1p"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x + 1)


class Sqrt(Real):
    kernel = "sqrt"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g / (2 * y)


class Rsqrt(Real):
    kernel = "rsqrt"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -0.5 * g * (y * y * y)


class Reciprocal(Real):
    kernel = "reciprocal"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return -g * (y * y)


class Sin(Real):
    kernel = "sin"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * cos(x)


class Cos(Real):
    kernel = "cos"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return -g * sin(x)


class Tan(Real):
    kernel = "tan"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * (1 + y * y)


class Erf(Real):
    kernel = "erf"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (2 / math.sqrt(math.pi)) * exp(-(x * x))


class Tanh(Real):
    kernel = "tanh"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return pointwise_binary(TANH_SLOPE, g, y)


class TanhSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    kernel = "tanh_grad"

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return pointwise_binary(TANH_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (-2 * y)


class Sigmoid(Real):
    kernel = "sigmoid"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return pointwise_binary(SIGMOID_SLOPE, g, y)


class SigmoidSlope(Slope):
    inputs = ("g", "y")
    outputs = ("slope",)

    kernel = "sigmoid_grad"

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return pointwise_binary(SIGMOID_SLOPE, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * g * (1 - 2 * y)


NEG, ABS, EXP, EXPM1, LOG = Neg(), Abs(), Exp(), Expm1(), Log()
LOG1P, SQRT, RSQRT, RECIPROCAL = Log1p(), Sqrt(), Rsqrt(), Reciprocal()
SIN, COS, TAN, ERF = Sin(), Cos(), Tan(), Erf()
TANH, TANH_SLOPE, SIGMOID, SIGMOID_SLOPE = Tanh(), TanhSlope(), Sigmoid(), SigmoidSlope()


def exp(input: Tensor) -> Tensor:
    """The exponential: e ** x.

    >>> import autograd_cnn as ag
    >>> exp(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return pointwise_unary(EXP, input)


def expm1(input: Tensor) -> Tensor:
    """e ** x - 1, exact near 0.

    >>> import autograd_cnn as ag
    >>> expm1(ag.tensor([0.0, 1e-10]))
    tensor([0.0000e+00, 1.0000e-10])
    """
    return pointwise_unary(EXPM1, input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm; -inf at 0, nan below.

    >>> import autograd_cnn as ag
    >>> log(ag.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return pointwise_unary(LOG, input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + x), exact near 0.

    >>> import autograd_cnn as ag
    >>> log1p(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return pointwise_unary(LOG1P, input)


def sqrt(input: Tensor) -> Tensor:
    """The square root; its gradient at 0 is inf.

    >>> import autograd_cnn as ag
    >>> sqrt(ag.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return pointwise_unary(SQRT, input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(x).

    >>> import autograd_cnn as ag
    >>> rsqrt(ag.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return pointwise_unary(RSQRT, input)


def reciprocal(input: Tensor) -> Tensor:
    """1 / x.

    >>> import autograd_cnn as ag
    >>> reciprocal(ag.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return pointwise_unary(RECIPROCAL, input)


def sin(input: Tensor) -> Tensor:
    """The sine of input in radians.

    >>> import autograd_cnn as ag
    >>> sin(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return pointwise_unary(SIN, input)


def cos(input: Tensor) -> Tensor:
    """The cosine of input in radians.

    >>> import autograd_cnn as ag
    >>> cos(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return pointwise_unary(COS, input)


def tan(input: Tensor) -> Tensor:
    """The tangent of input in radians.

    >>> import autograd_cnn as ag
    >>> tan(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return pointwise_unary(TAN, input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent: (e^x - e^-x) / (e^x + e^-x).

    >>> import autograd_cnn as ag
    >>> tanh(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return pointwise_unary(TANH, input)


def sigmoid(input: Tensor) -> Tensor:
    """The logistic function: 1 / (1 + e^-x).

    >>> import autograd_cnn as ag
    >>> sigmoid(ag.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    return pointwise_unary(SIGMOID, input)


def erf(input: Tensor) -> Tensor:
    """The error function: 2/sqrt(pi) * integral of e^(-t^2) from 0 to input.

    >>> import autograd_cnn as ag
    >>> erf(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return pointwise_unary(ERF, input)


def neg(input: Tensor) -> Tensor:
    """The negative: -x.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> neg(ag.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return pointwise_unary(NEG, input)


def abs(input: Tensor) -> Tensor:
    """The absolute value; its gradient at 0 is 0.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> abs(ag.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    refuse_bools("abs", require_tensor("abs", input))
    return pointwise_unary(ABS, input)


def square(input: Tensor) -> Tensor:
    """x * x, of bools as integers.

    >>> import autograd_cnn as ag
    >>> square(ag.tensor([1.0, -2.0]))
    tensor([1., 4.])
    """
    if require_tensor("square", input).array.dtype.kind == "b":
        input = cast(input, int64)
    return pointwise_unary(SQUARE, input)
