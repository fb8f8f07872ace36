"""Diagonals: views of them, and what they are the diagonals of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops import reduce
from autograd_cnn.ops.assign import fill_
from autograd_cnn.ops.cast import clone
from autograd_cnn.ops.dim import distinct
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.shape import narrow, reshape

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Diagonal(ViewOp):
    """The elements x[..., i, i + offset] of the matrices in two dimensions, as the last dimension."""

    def __init__(self, offset: int, dim1: int, dim2: int) -> None:
        self.offset = offset
        self.dim1 = dim1
        self.dim2 = dim2

    def view(self, x: Any) -> Any:
        y = x.diagonal(self.offset, self.dim1, self.dim2)
        y.flags.writeable = x.flags.writeable  # NumPy marks it read-only
        return y

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return apply(PutDiagonal(self.offset, self.dim1, self.dim2, x_shape), g)


class PutDiagonal(Op):
    """Zeros of `shape` with x on the diagonal that `Diagonal` shows."""

    inputs = ("x",)

    def __init__(self, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> None:
        self.place = Diagonal(offset, dim1, dim2)
        self.shape = shape

    def infer(self, x: Any) -> Any:
        return self.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.fill(out, 0)
        k.copy(x, self.place.view(out))

    def vjp_x(self, g: Any) -> Any:
        return apply_view(self.place, g)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonal of the matrices in dimensions `dim1` and `dim2`, as the last dimension: x[i, i + offset].

    A positive `offset` is above the main diagonal, a negative one below.  Raises IndexOutOfRangeError for a dimension
    that is not there, ArgumentError where both are one.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[1, 2], [3, 4]])
    >>> diagonal(x), diagonal(x, 1)
    (tensor([1, 4]), tensor([2]))
    """
    shape = require_tensor("diagonal", input).array.shape
    if len(shape) < 2:
        raise ShapeError(f"diagonal: takes at least 2 dimensions, input has shape {list(shape)}")
    first, second = distinct("diagonal", (dim1, dim2), len(shape), "dim1 and dim2")
    return apply_view(Diagonal(offset, first, second), input)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with x's last dimension on their diagonal and zeros elsewhere: y[..., i, i + offset] = x[..., i].

    They lie in dimensions `dim1` and `dim2` of the result.

    >>> import autograd_cnn as ag
    >>> diag_embed(ag.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    shape = require_tensor("diag_embed", input).array.shape
    if not shape:
        raise ShapeError("diag_embed: takes at least 1 dimension, input has shape []")
    first, second = distinct("diag_embed", (dim1, dim2), len(shape) + 1, "dim1 and dim2")
    size = list(shape[:-1])
    for dim in sorted((first, second)):
        size.insert(dim, shape[-1] + abs(offset))
    return apply(PutDiagonal(offset, first, second, tuple(size)), input)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with the vector input on a diagonal, or a copy of that diagonal of the matrix input.

    Raises ShapeError for other numbers of dimensions.

    >>> import autograd_cnn as ag
    >>> diag(ag.tensor([1, 2]), -1)
    tensor([[0, 0, 0],
            [1, 0, 0],
            [0, 2, 0]])
    >>> diag(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    shape = require_tensor("diag", input).array.shape
    if len(shape) not in (1, 2):
        raise ShapeError(f"diag: takes 1 or 2 dimensions, input has shape {list(shape)}")
    if len(shape) == 1:
        return diag_embed(input, diagonal)
    return clone(apply_view(Diagonal(diagonal, 0, 1), input))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of input on a diagonal.

    >>> import autograd_cnn as ag
    >>> diagflat(ag.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(reshape(require_tensor("diagflat", input), -1), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal: sum_i x[i, i].

    >>> import autograd_cnn as ag
    >>> trace(ag.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    shape = require_tensor("trace", input).array.shape
    if len(shape) != 2:
        raise ShapeError(f"trace: takes a matrix, input has shape {list(shape)}")
    return reduce.sum(apply_view(Diagonal(0, 0, 1), input))


def fill_diagonal_(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Overwrites the main diagonal of input with one number; returns input.

    With `wrap`, the diagonal of a tall matrix starts again below its end, after a row without one.  More than two
    dimensions must be of one size.

    >>> import autograd_cnn as ag
    >>> fill_diagonal_(ag.zeros(2, 3), 5)
    tensor([[5., 0., 0.],
            [0., 5., 0.]])
    """
    shape = require_tensor("fill_diagonal_", input).array.shape
    if len(shape) < 2:
        raise ShapeError(f"fill_diagonal_: takes at least 2 dimensions, input has shape {list(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError(f"fill_diagonal_: takes a matrix or dimensions of one size, input has shape {list(shape)}")
    rows, columns = shape[:2]
    for start in range(0, rows if wrap and len(shape) == 2 else min(rows, 1), columns + 1):
        part = narrow(input, 0, start, rows - start)
        while part.array.ndim > 1:
            part = apply_view(Diagonal(0, 0, 1), part)
        fill_(part, fill_value)
    return input
