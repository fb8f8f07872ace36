"""Exponentials and logarithms to other bases, and of sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import pointwise_binary, pointwise_unary
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.arithmetic import RealBinary, real_pair, where
from autograd_cnn.ops.comparison import eq, le, logical_and
from autograd_cnn.ops.elementwise import Real, exp, sigmoid
from autograd_cnn.ops.operand import floating, pair, require_floating

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Exp2(Real):
    kernel = "exp2"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return g * y * math.log(2)


class Log2(Real):
    kernel = "log2"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x * math.log(2))


class Log10(Real):
    kernel = "log10"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x * math.log(10))


class Erfc(Real):
    kernel = "erfc"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * (-2 / math.sqrt(math.pi)) * exp(-(x * x))


class Logit(Real):
    """ln(x / (1 - x)) of x limited to [low, high]; no limits are -inf and inf."""

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.logit(x, self.low, self.high, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(LogitSlope(self.low, self.high), g, x)


class LogitSlope(Op):
    """g / (x (1 - x)) where x lies within the limits, else 0; without them nan outside of [0, 1]."""

    inputs = ("g", "x")

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def infer(self, g: Any, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.logit_grad(g, x, self.low, self.high, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return apply_binary(self, apply_binary(self, gg * g, x), x) * (2 * x - 1)


class Logaddexp(RealBinary):
    kernel = "logaddexp"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * sigmoid(x - other)

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return g * sigmoid(other - x)


class Logaddexp2(RealBinary):
    kernel = "logaddexp2"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return g * sigmoid((x - other) * math.log(2))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return g * sigmoid((other - x) * math.log(2))


class Xlogy(RealBinary):
    kernel = "xlogy"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        flat = logical_and(eq(x, 0), le(other, 0))
        return where(flat, 0.0, xlogy(g, where(flat, 1.0, other)))

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return g * (x / other)


EXP2, LOG2, LOG10, ERFC = Exp2(), Log2(), Log10(), Erfc()
LOGIT = Logit(-math.inf, math.inf)
LOGADDEXP, LOGADDEXP2, XLOGY = Logaddexp(), Logaddexp2(), Xlogy()


def exp2(input: Tensor) -> Tensor:
    """The power of two: 2^x.

    >>> import autograd_cnn as ag
    >>> exp2(ag.tensor([0.0, 3.0, -1.0]))
    tensor([1.0000, 8.0000, 0.5000])
    """
    return pointwise_unary(EXP2, input)


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2; -inf at 0, nan below.

    >>> import autograd_cnn as ag
    >>> log2(ag.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return pointwise_unary(LOG2, input)


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10; -inf at 0, nan below.

    >>> import autograd_cnn as ag
    >>> log10(ag.tensor([1.0, 1000.0]))
    tensor([0., 3.])
    """
    return pointwise_unary(LOG10, input)


def erfc(input: Tensor) -> Tensor:
    """The complement of the error function: 1 - erf(x), exact where that is tiny.

    >>> import autograd_cnn as ag
    >>> erfc(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return pointwise_unary(ERFC, input)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """The inverse of sigmoid: ln(x / (1 - x)); with `eps`, of x limited to [eps, 1 - eps].

    Without `eps` it is nan outside of [0, 1]; with it the gradient is 0 outside of the limits.

    >>> import autograd_cnn as ag
    >>> logit(ag.tensor([0.5, 0.9])), logit(ag.tensor([0.0, 2.0]), eps=0.1)
    (tensor([0.0000, 2.1972]), tensor([-2.1972,  2.1972]))
    """
    input = floating("logit", input)
    if eps is None:
        return apply_unary(LOGIT, input)
    if not isinstance(eps, int | float):
        raise DTypeError(f"logit: eps must be a number or None, got {type(eps).__name__}")
    return apply_unary(Logit(float(eps), 1 - float(eps)), input)


def logaddexp(input: Tensor, other: Tensor | Number) -> Tensor:
    """ln(e^x + e^other), without its overflow.  Raises DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> logaddexp(ag.tensor([1000.0, 0.0]), ag.tensor([1000.0, -1000.0]))
    tensor([1000.6932,    0.0000])
    """
    return pointwise_binary(LOGADDEXP, *_floats("logaddexp", input, other))


def logaddexp2(input: Tensor, other: Tensor | Number) -> Tensor:
    """log2(2^x + 2^other), without its overflow.  Raises DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> logaddexp2(ag.tensor([1000.0, 3.0]), ag.tensor([1000.0, 3.0]))
    tensor([1001.,    4.])
    """
    return pointwise_binary(LOGADDEXP2, *_floats("logaddexp2", input, other))


def _floats(op: str, x: Any, other: Any) -> Any:
    x, other = pair(op, x, other)
    require_floating(op, input=x, other=other)
    return x, other


def xlogy(input: Tensor, other: Tensor | Number) -> Tensor:
    """x * ln(other), and 0 where x is 0 and other not nan.

    >>> import autograd_cnn as ag
    >>> xlogy(ag.tensor([0.0, 2.0]), ag.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return pointwise_binary(XLOGY, *real_pair("xlogy", input, other))
