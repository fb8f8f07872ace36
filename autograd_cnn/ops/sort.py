"""Order: sorted lines, the first of them, and where the elements come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_cnn.dtype import bool_, int64
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.gather import Scatter
from autograd_cnn.ops.operand import require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

Shape = tuple[int, ...]


class Selection(Op, abstract=True):
    """Elements of x along `dim`, each at most once, and their indices."""

    inputs = ("x",)
    outputs = ("values", "indices")
    auxiliary = ("indices",)
    dim: int

    def vjp_x(self, g: Any, indices: Any, x_shape: Shape) -> Any:
        if not x_shape:
            return g
        return apply(Scatter(self.dim, x_shape), g, indices)


class Sort(Selection):
    def __init__(self, dim: int, descending: bool) -> None:
        self.dim = dim
        self.descending = descending

    def infer(self, x: Any) -> Any:
        return [(x.shape, x.dtype), (x.shape, int64)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sort(x, self.dim, self.descending, *out)


class Topk(Selection):
    def __init__(self, k: int, dim: int, largest: bool) -> None:
        self.k = k
        self.dim = dim
        self.largest = largest

    def infer(self, x: Any) -> Any:
        shape = (*x.shape[: self.dim], self.k, *x.shape[self.dim + 1 :]) if x.ndim else ()
        return [(shape, x.dtype), (shape, int64)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.topk(x, self.dim, self.largest, *out)


class Sorted(NamedTuple):
    """What `sort` and `topk` return."""

    values: Tensor
    indices: Tensor


def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Sorted:
    """(values, indices): x in order along `dim`, and where each value was: values = x.gather(dim, indices).

    Equal values stay in the order that they had, with and without `stable`; nan counts as the largest.  Raises
    IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> sort(ag.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]))
    Sorted(values=tensor([[1., 2., 3.],
            [0., 4., 5.]]), indices=tensor([[1, 2, 0],
            [0, 2, 1]]))
    """
    return Sorted(*apply(Sort(one_dim("sort", dim, require_tensor("sort", input).array.ndim), bool(descending)), input))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that bring input in order along `dim`, see `sort`.

    >>> import autograd_cnn as ag
    >>> argsort(ag.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    dim = one_dim("argsort", dim, require_tensor("argsort", input).array.ndim)
    return apply(Sort(dim, bool(descending)), input.detach())[1]


def msort(input: Tensor) -> Tensor:
    """input in ascending order along the first dimension.

    >>> import autograd_cnn as ag
    >>> msort(ag.tensor([[3, 1], [0, 5]]))
    tensor([[0, 1],
            [3, 5]])
    """
    return sort(input, 0).values


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Sorted:
    """(values, indices): the `k` largest values along `dim`, or the smallest, and where they were.

    They are in order, largest or smallest first, with and without `sorted`; of equal values the first ones are taken,
    and nan counts as the largest.  Raises ArgumentError where there are fewer than k, DTypeError for bools.

    >>> import autograd_cnn as ag
    >>> topk(ag.tensor([3.0, 1.0, 5.0, 4.0]), 2)
    Sorted(values=tensor([5., 4.]), indices=tensor([2, 3]))
    >>> topk(ag.tensor([3.0, 1.0, 5.0, 4.0]), 1, largest=False).values
    tensor([1.])
    """
    shape = require_tensor("topk", input).array.shape
    dim = one_dim("topk", dim, len(shape))
    if input.array.dtype == bool_:
        raise DTypeError(f"topk: input must hold numbers, got {bool_}")
    size = shape[dim] if shape else 1
    if isinstance(k, bool) or not isinstance(k, int):
        raise DTypeError(f"topk: k must be an integer, got {type(k).__name__}")
    if not 0 <= k <= size:
        raise ArgumentError(f"topk: k {k} is out of range [0, {size}], the size of dimension {dim} of {list(shape)}")
    return Sorted(*apply(Topk(k, dim, bool(largest)), input))
