"""Smooth activation functions: of a number and a gate that it opens itself, or of an exponential to its left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import pointwise_binary
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.elementwise import Slope, Unary, exp, sigmoid, tanh
from autograd_cnn.ops.join import cat
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.rounding import sign
from autograd_cnn.ops.split import chunk

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


class Silu(Unary):
    kernel = "silu"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(SILU_SLOPE, g, x)


class SiluSlope(Slope):
    """g * s * (1 + x * (1 - s)) with s = sigmoid(x)."""

    inputs = ("g", "x")

    kernel = "silu_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(SILU_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        s = sigmoid(x)
        return gg * g * (s * (1 - s) * (2 + x * (1 - 2 * s)))


class Mish(Unary):
    kernel = "mish"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(MISH_SLOPE, g, x)


class MishSlope(Slope):
    """g * (t + x * s * (1 - t^2)) with s = sigmoid(x) and t = tanh(ln(1 + e^x)) = tanh(-ln(1 - s))."""

    inputs = ("g", "x")

    kernel = "mish_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(MISH_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        s = sigmoid(x)
        t = tanh(-(1 - s).log())
        return gg * g * (s * (1 - t * t) * (2 + x * (1 - s - 2 * t * s)))


class Softsign(Unary):
    kernel = "softsign"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(SOFTSIGN_SLOPE, g, x)


class SoftsignSlope(Slope):
    """g / (1 + |x|)^2."""

    inputs = ("g", "x")

    kernel = "softsign_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(SOFTSIGN_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return gg * g * (-2 * sign(x) / (1 + x.abs()) ** 3)


class Selu(Unary):
    kernel = "selu"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(SELU_SLOPE, g, x)


class SeluSlope(Slope):
    inputs = ("g", "x")

    kernel = "selu_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(SELU_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return where(x > 0, 0.0, gg * g * (SELU_SCALE * SELU_ALPHA) * exp(where(x > 0, 0.0, x)))


class Celu(Unary):
    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.celu(x, self.alpha, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(CeluSlope(self.alpha), g, x)


class CeluSlope(Slope):
    inputs = ("g", "x")

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.celu_grad(g, x, self.alpha, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return where(x > 0, 0.0, gg * g * exp(where(x > 0, 0.0, x / self.alpha)) / self.alpha)


class Glu(Op):
    """a * sigmoid(b), a and b the halves of x along `dim`."""

    inputs = ("x",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any) -> Any:
        return (*x.shape[: self.dim], x.shape[self.dim] // 2, *x.shape[self.dim + 1 :]), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.glu(x, self.dim, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(GluSlope(self.dim), g, x)


class GluSlope(Op):
    """g * s and g * a * s * (1 - s), side by side along `dim`, with s = sigmoid(b)."""

    inputs = ("g", "x")

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, g: Any, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.glu_grad(g, x, self.dim, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        a, s = self.parts(x)
        of_a, of_b = chunk(gg, 2, self.dim)
        return of_a * s + of_b * (a * s * (1 - s))

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        a, s = self.parts(x)
        of_a, of_b = chunk(gg, 2, self.dim)
        slope = g * (s * (1 - s))
        return cat((of_b * slope, of_a * slope + of_b * (slope * a * (1 - 2 * s))), self.dim)

    def parts(self, x: Any) -> tuple[Any, Any]:
        a, b = chunk(x, 2, self.dim)
        return a, sigmoid(b)


SILU, SILU_SLOPE, MISH, MISH_SLOPE = Silu(), SiluSlope(), Mish(), MishSlope()
SOFTSIGN, SOFTSIGN_SLOPE, SELU, SELU_SLOPE = Softsign(), SoftsignSlope(), Selu(), SeluSlope()


def activated(op: Op, x: Any, inplace: bool) -> Any:
    """`op` of a floating point tensor, in place or not."""
    require_floating(op.name, input=x)
    return apply_inplace(op, x) if inplace else apply_unary(op, x)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x) (Elfwing et al. 2018; Ramachandran et al. 2017).

    >>> import autograd_cnn as ag
    >>> silu(ag.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return activated(SILU, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(ln(1 + e^x)) (Misra 2019).

    >>> import autograd_cnn as ag
    >>> mish(ag.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return activated(MISH, input, inplace)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|) (Turian et al. 2009).

    >>> import autograd_cnn as ag
    >>> softsign(ag.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return activated(SOFTSIGN, input, False)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x).

    >>> import autograd_cnn as ag
    >>> tanhshrink(ag.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """
    require_floating("tanhshrink", input=input)
    return input - tanh(input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * elu(x, alpha) with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017).

    >>> import autograd_cnn as ag
    >>> selu(ag.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return activated(SELU, input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (e^(x / alpha) - 1), whose slope at 0 is 1 for every alpha (Barron 2017).

    Raises ArgumentError for alpha 0.

    >>> import autograd_cnn as ag
    >>> celu(ag.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha must not be 0")
    return activated(Celu(float(alpha)), input, inplace)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b) where a and b are the two halves of input along `dim` (Dauphin et al. 2017).

    Raises ShapeError where the size of that dimension is odd, or input has none.

    >>> import autograd_cnn as ag
    >>> glu(ag.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """
    require_floating("glu", input=input)
    shape = input.array.shape
    dim = one_dim("glu", dim, len(shape))
    if not shape or shape[dim] % 2:
        raise ShapeError(f"glu: the size of dimension {dim} must be even, got shape {list(shape)}")
    return apply_unary(Glu(dim), input)
