"""Largest and smallest values so far along a dimension, and differences of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_cnn.dtype import bool_, int64
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import sub
from autograd_cnn.ops.comparison import logical_xor
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.gather import Scatter
from autograd_cnn.ops.join import cat
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.shape import narrow

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

Shape = tuple[int, ...]


class Running(Op, abstract=True):
    """The best value up to each along `dim`, and where it is."""

    inputs = ("x",)
    outputs = ("values", "indices")
    auxiliary = ("indices",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any) -> Any:
        return [(x.shape, x.dtype), (x.shape, int64)]

    def vjp_x(self, g: Any, indices: Any, x_shape: Shape) -> Any:
        return apply(Scatter(self.dim, x_shape), g, indices) if x_shape else g


class Cummax(Running):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cummax(x, self.dim, *out)


class Cummin(Running):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cummin(x, self.dim, *out)


class Cumulated(NamedTuple):
    """What `cummax` and `cummin` return."""

    values: Tensor
    indices: Tensor


def cummax(input: Tensor, dim: int) -> Cumulated:
    """(values, indices): the largest value so far along `dim`, and where it was, the last of equal ones.

    Once there was a nan it stays.  Raises IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> cummax(ag.tensor([1.0, 3.0, 2.0, 5.0]), 0)
    Cumulated(values=tensor([1., 3., 3., 5.]), indices=tensor([0, 1, 1, 3]))
    """
    return Cumulated(*apply(Cummax(one_dim("cummax", dim, require_tensor("cummax", input).array.ndim)), input))


def cummin(input: Tensor, dim: int) -> Cumulated:
    """(values, indices): the smallest value so far along `dim`, and where it was, the last of equal ones.

    Once there was a nan it stays.  Raises IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> cummin(ag.tensor([3.0, 1.0, 2.0, 1.0]), 0)
    Cumulated(values=tensor([3., 1., 1., 1.]), indices=tensor([0, 1, 1, 3]))
    """
    return Cumulated(*apply(Cummin(one_dim("cummin", dim, require_tensor("cummin", input).array.ndim)), input))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbours along `dim`, taken `n` times: x[i + 1] - x[i]; of bools, whether they differ.

    `prepend` and `append` are put before and after input first.  Raises ShapeError for a number, ArgumentError for a
    negative n.

    >>> import autograd_cnn as ag
    >>> diff(ag.tensor([1, 4, 9, 16])), diff(ag.tensor([1, 4, 9, 16]), n=2)
    (tensor([3, 5, 7]), tensor([2, 2]))
    """
    if not require_tensor("diff", input).array.ndim:
        raise ShapeError("diff: input must have at least one dimension, got shape []")
    if isinstance(n, bool) or not isinstance(n, int):
        raise DTypeError(f"diff: n must be an integer, got {type(n).__name__}")
    if n < 0:
        raise ArgumentError(f"diff: n must be at least 0, got {n}")
    dim = one_dim("diff", dim, input.array.ndim)
    if n and (prepend is not None or append is not None):
        input = cat([part for part in (prepend, input, append) if part is not None], dim)
    between = logical_xor if input.array.dtype == bool_ else sub
    size = input.array.shape[dim]
    if not n:
        return input.clone()
    if n >= size:
        return narrow(input, dim, 0, 0)
    for count in range(size - 1, size - 1 - n, -1):
        input = between(narrow(input, dim, 1, count), narrow(input, dim, 0, count))
    return input
