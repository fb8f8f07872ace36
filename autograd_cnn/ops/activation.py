"""Activation functions, and their slopes as ops of their own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.pointwise import pointwise_binary, pointwise_unary
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.elementwise import Slope, Unary, exp, sigmoid, tanh
from autograd_cnn.ops.operand import require_floating, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

GELU_TANH_SCALE = math.sqrt(2 / math.pi)
GELU_TANH_CUBE = 0.044715


class Relu(Unary):
    def infer(self, x: Any) -> Any:
        dtype = x.dtype
        if dtype is bool_:
            raise DTypeError("relu: takes numbers, got bool")
        return x.shape, dtype

    kernel = "relu"

    def vjp_x(self, g: Any, y: Any) -> Any:
        return pointwise_binary(RELU_SLOPE, g, y)

    @staticmethod
    def overwrite(k: Any, g: Any, y: Any) -> None:
        k.relu_grad(g, y, g)


class ReluSlope(Slope):
    inputs = ("g", "y")
    outputs = ("gx",)
    nondifferentiable = ("y",)

    kernel = "relu_grad"

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return pointwise_binary(RELU_SLOPE, gg, y)


class LeakyRelu(Unary):
    """With a slope of at least 0, y > 0 exactly where x > 0: y is enough for the backward pass."""

    def __init__(self, negative_slope: float) -> None:
        self.negative_slope = negative_slope

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.leaky_relu(x, self.negative_slope, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply_binary(LeakyReluSlope(self.negative_slope), g, y)


class LeakyReluSlope(Slope):
    inputs = ("g", "y")
    outputs = ("gx",)
    nondifferentiable = ("y",)

    def __init__(self, negative_slope: float) -> None:
        self.negative_slope = negative_slope

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.leaky_relu_grad(g, y, self.negative_slope, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply_binary(self, gg, y)


class Hardtanh(Unary):
    """Clamp with the gradient 0 at the limits, as y tells."""

    def __init__(self, min_val: float, max_val: float) -> None:
        self.min_val = min_val
        self.max_val = max_val

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.clamp(x, self.min_val, self.max_val, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return where((y > self.min_val) & (y < self.max_val), g, 0.0)


class Elu(Unary):
    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.elu(x, self.alpha, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(EluSlope(self.alpha), g, x)


class EluSlope(Slope):
    inputs = ("g", "x")

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.elu_grad(g, x, self.alpha, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return where(x > 0, 0.0, gg * g * self.alpha * exp(where(x > 0, 0.0, x)))


class Gelu(Unary):
    kernel = "gelu"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(GELU_SLOPE, g, x)


class GeluSlope(Slope):
    """g * (cdf(x) + x * pdf(x)), of the normal distribution."""

    inputs = ("g", "x")

    kernel = "gelu_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(GELU_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        pdf = exp(x * x * -0.5) / math.sqrt(2 * math.pi)
        return gg * g * pdf * (2 - x * x)


class GeluTanh(Unary):
    kernel = "gelu_tanh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(GELU_TANH_SLOPE, g, x)


class GeluTanhSlope(Slope):
    """g * (1 + t + x * t') / 2 with t = tanh(u), u = sqrt(2 / pi) * (x + 0.044715 x^3)."""

    inputs = ("g", "x")

    kernel = "gelu_tanh_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(GELU_TANH_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        square = x * x
        t = tanh(GELU_TANH_SCALE * (x + GELU_TANH_CUBE * square * x))
        first = GELU_TANH_SCALE * (1 + 3 * GELU_TANH_CUBE * square)
        second = 6 * GELU_TANH_SCALE * GELU_TANH_CUBE * x
        return gg * g * ((1 - t * t) * (first + x * (0.5 * second - t * first * first)))


class Softplus(Unary):
    def __init__(self, beta: float, threshold: float) -> None:
        self.beta = beta
        self.threshold = threshold

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.softplus(x, self.beta, self.threshold, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(SoftplusSlope(self.beta, self.threshold), g, x)


class SoftplusSlope(Slope):
    inputs = ("g", "x")

    def __init__(self, beta: float, threshold: float) -> None:
        self.beta = beta
        self.threshold = threshold

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.softplus_grad(g, x, self.beta, self.threshold, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        s = sigmoid(x * self.beta)
        return where(x * self.beta > self.threshold, 0.0, gg * g * self.beta * s * (1 - s))


RELU, RELU_SLOPE = Relu(), ReluSlope()
SOFTPLUS = Softplus(1.0, 40.0)  # beyond 40, ln(1 + e^x) is x in float64 too
GELU, GELU_SLOPE = Gelu(), GeluSlope()
GELU_TANH, GELU_TANH_SLOPE = GeluTanh(), GeluTanhSlope()


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the gradient at 0 is 0 (Nair and Hinton 2010).  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> relu(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return apply_inplace(RELU, input) if inplace else pointwise_unary(RELU, input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6) (Krizhevsky 2010); the gradient at 0 and 6 is 0.

    >>> import autograd_cnn as ag
    >>> relu6(ag.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """input limited to [min_val, max_val]; the gradient at the limits is 0.

    Raises ArgumentError where min_val is not below max_val.

    >>> import autograd_cnn as ag
    >>> hardtanh(ag.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    require_floating("hardtanh", input=input)
    if min_val >= max_val:
        raise ArgumentError(f"hardtanh: min_val must be below max_val, got {min_val} and {max_val}")
    op = Hardtanh(float(min_val), float(max_val))
    return apply_inplace(op, input) if inplace else apply_unary(op, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x (Maas et al. 2013).

    >>> import autograd_cnn as ag
    >>> leaky_relu(ag.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    require_floating("leaky_relu", input=input)
    if negative_slope >= 0:
        op = LeakyRelu(float(negative_slope))
        return apply_inplace(op, input) if inplace else apply_unary(op, input)
    if inplace:
        raise ArgumentError(f"leaky_relu: in place negative_slope must be at least 0, got {negative_slope}")
    return where(input > 0, input, input * negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight * x, with one weight or one per channel, dimension 1 (He et al. 2015).

    Raises ShapeError where `weight` has neither 1 element nor one per channel.

    >>> import autograd_cnn as ag
    >>> prelu(ag.tensor([-1.0, 2.0]), ag.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    require_floating("prelu", input=input, weight=weight)
    shape, count = require_tensor("prelu", input).array.shape, require_tensor("prelu", weight).array.size
    if weight.array.ndim > 1:
        raise ShapeError(f"prelu: weight must have at most 1 dimension, got shape {list(weight.array.shape)}")
    if count != 1:
        channels = shape[1] if len(shape) > 1 else 1
        if count != channels:
            raise ShapeError(
                f"prelu: weight has {count} elements, input of shape {list(shape)} has {channels} channels"
            )
        weight = weight.reshape((1, count, *(1,) * (len(shape) - 2)))
    elif weight.array.ndim and not shape:
        weight = weight.reshape(())
    return where(input > 0, input, weight * input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (e^x - 1) (Clevert et al. 2016).

    >>> import autograd_cnn as ag
    >>> elu(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    require_floating("elu", input=input)
    op = Elu(float(alpha))
    return apply_inplace(op, input) if inplace else apply_unary(op, input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * cdf(x) of the normal distribution (Hendrycks and Gimpel 2016).

    With `approximate="tanh"`: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
    Raises ArgumentError for another `approximate`.

    >>> import autograd_cnn as ag
    >>> gelu(ag.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    require_floating("gelu", input=input)
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return pointwise_unary(GELU if approximate == "none" else GELU_TANH, input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(beta x)) / beta, a smooth relu; x itself where beta * x > threshold.

    >>> import autograd_cnn as ag
    >>> softplus(ag.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """
    require_floating("softplus", input=input)
    return apply_unary(Softplus(float(beta), float(threshold)), input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)) = -ln(1 + e^-x), without its overflow.

    >>> import autograd_cnn as ag
    >>> logsigmoid(ag.tensor([-1.0, 2.0]))
    tensor([-1.3133, -0.1269])
    """
    require_floating("logsigmoid", input=input)
    return -apply_unary(SOFTPLUS, -input)
