"""Softmax and its logarithm along a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import as_dtype
from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.operand import require_floating

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import DTypeLike


class Along(Op, abstract=True):
    """A function of the lines along `dim`, in the shape of its first input."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any, *others: Any) -> Any:
        return x.shape, x.dtype


class Softmax(Along):
    inputs = ("x",)

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.softmax(x, self.dim, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply(SoftmaxGrad(self.dim), g, y)


class SoftmaxGrad(Along):
    """y * (g - sum(g * y))."""

    inputs = ("g", "y")
    outputs = ("gx",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.softmax_grad(g, y, self.dim, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return apply(self, gg, y)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return gg * (g - (g * y).sum(self.dim, keepdim=True)) - g * (gg * y).sum(self.dim, keepdim=True)


class LogSoftmax(Along):
    inputs = ("x",)

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.log_softmax(x, self.dim, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return apply(LogSoftmaxGrad(self.dim), g, y)


class LogSoftmaxGrad(Along):
    """g - exp(y) * sum(g)."""

    inputs = ("g", "y")
    outputs = ("gx",)

    def compute(self, k: Any, out: Any, g: Any, y: Any) -> None:
        k.log_softmax_grad(g, y, self.dim, out)

    def vjp_g(self, gg: Any, y: Any) -> Any:
        return gg - (gg * y.exp()).sum(self.dim, keepdim=True)

    def vjp_y(self, gg: Any, g: Any, y: Any) -> Any:
        return -gg * y.exp() * g.sum(self.dim, keepdim=True)


def softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Positive numbers that add up to 1 along `dim`: exp(x_i) / sum_j exp(x_j) (Bridle 1990).

    Raises ArgumentError without `dim`, IndexOutOfRangeError for one that is not there, DTypeError for integers
    without `dtype`.

    >>> import autograd_cnn as ag
    >>> softmax(ag.tensor([0.0, 0.0, 1.0]), dim=0)
    tensor([0.2119, 0.2119, 0.5761])
    """
    return apply(Softmax(_dim("softmax", input, dim)), _operand("softmax", input, dtype))


def log_softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of softmax, without its overflow: x_i - log(sum_j exp(x_j)) along `dim`.

    Raises ArgumentError without `dim`, IndexOutOfRangeError for one that is not there, DTypeError for integers
    without `dtype`.

    >>> import autograd_cnn as ag
    >>> log_softmax(ag.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return apply(LogSoftmax(_dim("log_softmax", input, dim)), _operand("log_softmax", input, dtype))


def softmin(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Softmax of the negative: exp(-x_i) / sum_j exp(-x_j) along `dim`.  Raises as `softmax`.

    >>> import autograd_cnn as ag
    >>> softmin(ag.tensor([0.0, 0.0, -1.0]), dim=0)
    tensor([0.2119, 0.2119, 0.5761])
    """
    return apply(Softmax(_dim("softmin", input, dim)), -_operand("softmin", input, dtype))


def _dim(op: str, x: Any, dim: Any) -> int:
    if dim is None:
        raise ArgumentError(f"{op}: give dim, the dimension along which the result adds up to 1; got None")
    return one_dim(op, dim, x.array.ndim)


def _operand(op: str, x: Any, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, as_dtype(dtype, op))
    require_floating(op, input=x)
    return x
