"""Activation functions of straight pieces: thresholds, shrinks and hard variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.pointwise import pointwise_binary
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.elementwise import Slope, Unary
from autograd_cnn.ops.operand import refuse_bools, require_tensor
from autograd_cnn.ops.smooth import activated

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Threshold(Unary):
    def __init__(self, threshold: float, value: float) -> None:
        self.threshold = threshold
        self.value = value

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.threshold(x, self.threshold, self.value, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(ThresholdSlope(self.threshold), g, x)


class ThresholdSlope(Slope):
    inputs = ("g", "x")
    nondifferentiable = ("x",)

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.threshold_grad(g, x, self.threshold, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)


class Shrink(Unary, abstract=True):
    def __init__(self, lambd: float) -> None:
        self.lambd = lambd

    def vjp_x(self, g: Any, x: Any) -> Any:
        return apply_binary(ShrinkSlope(self.lambd), g, x)


class Hardshrink(Shrink):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.hardshrink(x, self.lambd, out)


class Softshrink(Shrink):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.softshrink(x, self.lambd, out)


class ShrinkSlope(Slope):
    inputs = ("g", "x")
    nondifferentiable = ("x",)

    def __init__(self, lambd: float) -> None:
        self.lambd = lambd

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.shrink_grad(g, x, self.lambd, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply_binary(self, gg, x)


class Hardsigmoid(Unary):
    kernel = "hardsigmoid"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(HARDSIGMOID_SLOPE, g, x)


class HardsigmoidSlope(Slope):
    inputs = ("g", "x")
    nondifferentiable = ("x",)

    kernel = "hardsigmoid_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(HARDSIGMOID_SLOPE, gg, x)


class Hardswish(Unary):
    kernel = "hardswish"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return pointwise_binary(HARDSWISH_SLOPE, g, x)


class HardswishSlope(Slope):
    inputs = ("g", "x")

    kernel = "hardswish_grad"

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return pointwise_binary(HARDSWISH_SLOPE, gg, x)

    def vjp_x(self, gg: Any, g: Any, x: Any) -> Any:
        return where((x > -3) & (x < 3), gg * g / 3, 0.0)


HARDSIGMOID, HARDSIGMOID_SLOPE = Hardsigmoid(), HardsigmoidSlope()
HARDSWISH, HARDSWISH_SLOPE = Hardswish(), HardswishSlope()


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else `value`.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> threshold(ag.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    refuse_bools("threshold", require_tensor("threshold", input))
    op = Threshold(threshold, value)
    return apply_inplace(op, input) if inplace else apply_unary(op, input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0; the gradient at the limits is 0.

    >>> import autograd_cnn as ag
    >>> hardshrink(ag.tensor([-1.0, 0.25, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return activated(Hardshrink(float(lambd)), input, False)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0; the gradient at the limits is 0.

    Raises ArgumentError for a negative lambd.

    >>> import autograd_cnn as ag
    >>> softshrink(ag.tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if not lambd >= 0:
        raise ArgumentError(f"softshrink: lambd must be at least 0, got {lambd}")
    return activated(Softshrink(float(lambd)), input, False)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6 (Courbariaux et al. 2015); the gradient at the limits is 0.

    >>> import autograd_cnn as ag
    >>> hardsigmoid(ag.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return activated(HARDSIGMOID, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019); the gradient is 0 at -3 and 1 at 3.

    >>> import autograd_cnn as ag
    >>> hardswish(ag.tensor([-4.0, 1.0, 5.0]))
    tensor([-0.0000,  0.6667,  5.0000])
    """
    return activated(HARDSWISH, input, inplace)
