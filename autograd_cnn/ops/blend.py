"""Sums with a product, a quotient or a share of a difference, and what is left of a division."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import pointwise_binary, pointwise_unary
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import Binary, div, divided, sub
from autograd_cnn.ops.elementwise import Unary
from autograd_cnn.ops.operand import broadcast, promoted, refuse_bools, require_floating, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Ternary(Op, abstract=True):
    """Three operands of one dtype; the output has their common shape."""

    def infer(self, x: Any, y: Any, z: Any) -> Any:
        return broadcast(self.name, x.shape, y.shape, z.shape), x.dtype


class Addcmul(Ternary):
    inputs = ("x", "tensor1", "tensor2")

    def __init__(self, value: float) -> None:
        self.value = value

    def compute(self, k: Any, out: Any, x: Any, tensor1: Any, tensor2: Any) -> None:
        k.addcmul(x, tensor1, tensor2, self.value, out)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_tensor1(self, g: Any, tensor2: Any) -> Any:
        return g * (tensor2 * self.value)

    def vjp_tensor2(self, g: Any, tensor1: Any) -> Any:
        return g * (tensor1 * self.value)


class Addcdiv(Ternary):
    inputs = ("x", "tensor1", "tensor2")

    def __init__(self, value: float) -> None:
        self.value = value

    def compute(self, k: Any, out: Any, x: Any, tensor1: Any, tensor2: Any) -> None:
        k.addcdiv(x, tensor1, tensor2, self.value, out)

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_tensor1(self, g: Any, tensor2: Any) -> Any:
        return g * (self.value / tensor2)

    def vjp_tensor2(self, g: Any, tensor1: Any, tensor2: Any) -> Any:
        return -g * (self.value * tensor1 / (tensor2 * tensor2))


class Lerp(Ternary):
    inputs = ("x", "end", "weight")

    def compute(self, k: Any, out: Any, x: Any, end: Any, weight: Any) -> None:
        k.lerp(x, end, weight, out)

    def vjp_x(self, g: Any, weight: Any) -> Any:
        return g * (1 - weight)

    def vjp_end(self, g: Any, weight: Any) -> Any:
        return g * weight

    def vjp_weight(self, g: Any, x: Any, end: Any) -> Any:
        return g * (end - x)


class Fmod(Binary):
    kernel = "fmod"

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return -g * div(x, other, rounding_mode="trunc")


class Frac(Unary):
    kernel = "frac"

    def vjp_x(self, g: Any) -> Any:
        return g


LERP, FMOD, FRAC = Lerp(), Fmod(), Frac()


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """x + value * tensor1 * tensor2; all three broadcast.

    Raises DTypeError for bools, and for a fractional `value` among integers.

    >>> import autograd_cnn as ag
    >>> addcmul(ag.tensor([1.0, 1.0]), ag.tensor([2.0, 3.0]), ag.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    operands = _numbers("addcmul", value, input, tensor1, tensor2)
    return apply(Addcmul(value), *operands)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """x + value * tensor1 / tensor2; all three broadcast.

    Raises DTypeError for integers and bools.

    >>> import autograd_cnn as ag
    >>> addcdiv(ag.tensor([1.0, 1.0]), ag.tensor([2.0, 3.0]), ag.tensor([4.0, 6.0]), value=2)
    tensor([2., 2.])
    """
    operands = _numbers("addcdiv", value, input, tensor1, tensor2)
    if operands[0].array.dtype.kind != "f":
        raise DTypeError(f"addcdiv: takes floating point tensors, got {operands[0].array.dtype}; use div first")
    return apply(Addcdiv(value), *operands)


def _numbers(op: str, value: float, *operands: Any) -> list[Any]:
    operands = tuple(require_tensor(op, operand) for operand in operands)
    tensors = promoted(op, *operands)
    refuse_bools(op, tensors[0])
    if isinstance(value, float) and tensors[0].array.dtype.kind != "f":
        raise DTypeError(f"{op}: value must be an integer where the tensors are, got {value}")
    return tensors


def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """x + weight * (end - x): x for weight 0, end for weight 1; weight is a number or a tensor.

    Raises DTypeError unless all tensors are floating point ones of one dtype.

    >>> import autograd_cnn as ag
    >>> lerp(ag.tensor([0.0, 10.0]), ag.tensor([10.0, 20.0]), 0.25)
    tensor([ 2.5000, 12.5000])
    """
    tensors = {"input": input, "end": end} | ({"weight": weight} if isinstance(weight, TensorBase) else {})
    require_floating("lerp", **tensors)
    return apply(LERP, *promoted("lerp", input, end, weight))


def fmod(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The remainder with the sign of input: x - trunc(x / other) * other.

    Raises DTypeError for bools, ArgumentError for integers and a divisor of 0.

    >>> import autograd_cnn as ag
    >>> fmod(ag.tensor([5, -5]), 3)
    tensor([ 2, -2])
    """
    return pointwise_binary(FMOD, *divided("fmod", input, other))


def frac(input: Tensor) -> Tensor:
    """The fraction of x, with its sign: x - trunc(x).  Raises DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> frac(ag.tensor([1.5, -1.25]))
    tensor([ 0.5000, -0.2500])
    """
    require_floating("frac", input=input)
    return pointwise_unary(FRAC, input)


def rsub(input: Tensor | Number, other: Tensor | Number, *, alpha: float = 1) -> Tensor:
    """The difference the other way round: other - alpha * x.

    >>> import autograd_cnn as ag
    >>> rsub(ag.tensor([1.0, 2.0]), 5)
    tensor([4., 3.])
    """
    return sub(other, input, alpha=alpha)


def true_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The quotient: x / other; integers give floats.

    >>> import autograd_cnn as ag
    >>> true_divide(ag.tensor([3, 2]), 2)
    tensor([1.5000, 1.0000])
    """
    return div(input, other)


def positive(input: Tensor) -> Tensor:
    """input itself.  Raises DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> positive(ag.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    refuse_bools("positive", require_tensor("positive", input))
    return input
