"""Sparse matrices as graph networks need them: the places and values of what is not 0, and products with dense ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy, zeros
from autograd_cnn.device import Device
from autograd_cnn.dtype import as_dtype, int64
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.dim import many_dims
from autograd_cnn.ops.embedding_bag import EmbeddingBag
from autograd_cnn.ops.index import index_select
from autograd_cnn.ops.index_write import index_add
from autograd_cnn.ops.join import cat
from autograd_cnn.tensor import Tensor


class SparseTensor:
    """A tensor of which only some elements are stored, by their positions; the others are 0.

    Made by `sparse_coo_tensor` and `Tensor.to_sparse`.  It is no `Tensor`: there are the methods below, and products
    with dense tensors.  Gradients go to what the values were computed from, and to the dense factor; where the sparse
    tensor itself was made to require grad, its `grad` is sparse with the same positions.
    """

    is_sparse = True
    layout = "sparse_coo"

    def __init__(self, indices: Tensor, values: Tensor, size: tuple[int, ...], coalesced: bool) -> None:
        self._positions = indices
        self._numbers = values
        self.shape = size
        self._coalesced = coalesced
        self._leaf = False
        self._rows: tuple[Tensor | None, Tensor, Tensor] | None = None

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""
        return self._numbers.dtype

    @property
    def device(self) -> Device:
        """The device of the values."""
        return self._numbers.device

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return len(self.shape)

    @property
    def requires_grad(self) -> bool:
        """Whether the values require grad."""
        return self._numbers.requires_grad

    @property
    def grad(self) -> SparseTensor | None:
        """The gradient of a sparse tensor that was made to require one: of each stored value."""
        found = self._numbers.grad if self._leaf else None
        return None if found is None else SparseTensor(self._positions, found, self.shape, self._coalesced)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self.ndim

    def sparse_dim(self) -> int:
        """How many leading dimensions are given by positions."""
        return self._positions.shape[0]

    def dense_dim(self) -> int:
        """How many trailing dimensions each value has."""
        return self._numbers.ndim - 1

    def _nnz(self) -> int:
        return self._numbers.shape[0]

    def _indices(self) -> Tensor:
        return self._positions

    def _values(self) -> Tensor:
        return self._numbers

    def is_coalesced(self) -> bool:
        """Whether positions are known to be in order, none of them twice."""
        return self._coalesced

    def indices(self) -> Tensor:
        """(sparse_dim, nnz) the positions.  Raises ArgumentError unless coalesced."""
        self._require_coalesced("indices")
        return self._positions

    def values(self) -> Tensor:
        """(nnz, ...) the values.  Raises ArgumentError unless coalesced."""
        self._require_coalesced("values")
        return self._numbers

    def _require_coalesced(self, name: str) -> None:
        if not self._coalesced:
            raise ArgumentError(f"{name}: positions may occur more than once; call coalesce() first")

    def coalesce(self) -> SparseTensor:
        """The same tensor with its positions in order; values at one position are added."""
        if self._coalesced:
            return self
        lead = self.shape[: self.sparse_dim()]
        places = np.ravel_multi_index(tuple(self._positions.numpy()), lead) if self._nnz() else np.empty(0, np.int64)
        kept, inverse = np.unique(places, return_inverse=True)
        positions = np.array(np.unravel_index(kept, lead), np.int64).reshape(len(lead), len(kept))
        empty = zeros((len(kept), *self._numbers.shape[1:]), dtype=self.dtype)
        values = index_add(empty, 0, from_numpy(inverse.reshape(-1).astype(np.int64)), self._numbers)
        return SparseTensor(from_numpy(positions), values, self.shape, True)

    def to_dense(self) -> Tensor:
        """The tensor with its zeros; values at one position are added."""
        sparse = self.sparse_dim()
        lead, rest = self.shape[:sparse], self.shape[sparse:]
        places = np.ravel_multi_index(tuple(self._positions.numpy()), lead) if self._nnz() else np.empty(0, np.int64)
        rows = zeros((int(np.prod(lead)), *rest), dtype=self.dtype)
        return index_add(rows, 0, from_numpy(np.asarray(places, np.int64)), self._numbers).reshape(self.shape)

    def to_sparse(self) -> SparseTensor:
        """Self."""
        return self

    def detach(self) -> SparseTensor:
        """The same tensor without the graph."""
        return SparseTensor(self._positions, self._numbers.detach(), self.shape, self._coalesced)

    def requires_grad_(self, requires_grad: bool = True) -> SparseTensor:
        """Asks for the gradient of the values, see `grad`; returns self."""
        self._numbers.requires_grad_(requires_grad)
        self._leaf = True
        return self

    def to(self, *target: Any, **options: Any) -> SparseTensor:
        """Self with its values in another dtype or on another device."""
        return self._with(self._numbers.to(*target, **options))

    def float(self) -> SparseTensor:
        """Self with values in float32."""
        return self._with(self._numbers.float())

    def double(self) -> SparseTensor:
        """Self with values in float64."""
        return self._with(self._numbers.double())

    def cpu(self) -> SparseTensor:
        """Self on the CPU."""
        return self

    def transpose(self, dim0: int, dim1: int) -> SparseTensor:
        """Self with two of its dimensions exchanged."""
        order = list(range(self.sparse_dim()))
        try:
            order[dim0], order[dim1] = order[dim1], order[dim0]
        except IndexError:
            raise IndexOutOfRangeError(f"transpose: dims {dim0} and {dim1} of {len(order)} sparse ones") from None
        positions = from_numpy(np.ascontiguousarray(self._positions.numpy()[order]))
        shape = (*(self.shape[i] for i in order), *self.shape[len(order) :])
        return SparseTensor(positions, self._numbers, shape, self._coalesced and order == sorted(order))

    def t(self) -> SparseTensor:
        """The transposed matrix."""
        if self.ndim != 2:
            raise ShapeError(f"t: takes a matrix, got shape {list(self.shape)}")
        return self.transpose(0, 1)

    def mm(self, mat2: Tensor) -> Tensor:
        """The product with a dense matrix, see `sparse.mm`."""
        return mm(self, mat2)

    def matmul(self, other: Tensor) -> Tensor:
        """The product with a dense matrix or vector."""
        if isinstance(other, Tensor) and other.ndim == 1:
            return mm(self, other.unsqueeze(1)).squeeze(1)
        return mm(self, other)

    def __matmul__(self, other: Tensor) -> Tensor:
        return self.matmul(other)

    def __mul__(self, other: Any) -> SparseTensor:
        self._require_number("*", other)
        return self._with(self._numbers * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> SparseTensor:
        self._require_number("/", other)
        return self._with(self._numbers / other)

    def __neg__(self) -> SparseTensor:
        return self._with(-self._numbers)

    def __add__(self, other: SparseTensor) -> SparseTensor:
        if not isinstance(other, SparseTensor):
            raise DTypeError(f"+: a sparse tensor and {type(other).__name__}; add to to_dense()")
        if self.shape != other.shape or self.sparse_dim() != other.sparse_dim():
            raise ShapeError(f"+: sparse tensors of shapes {list(self.shape)} and {list(other.shape)}")
        positions = from_numpy(np.concatenate([self._positions.numpy(), other._positions.numpy()], 1))
        return SparseTensor(positions, cat([self._numbers, other._numbers]), self.shape, False).coalesce()

    def __sub__(self, other: SparseTensor) -> SparseTensor:
        return self + -other

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise DTypeError("a sparse tensor is no array; call to_dense() first")

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        parts = f"indices={self._positions!r}", f"values={self._numbers.detach()!r}"
        body = ",\n       ".join(part.replace("\n", "\n       " + " " * part.index("=")) for part in parts)
        wanted = ", requires_grad=True" if self.requires_grad else ""
        return f"tensor({body},\n       size={self.shape}, nnz={self._nnz()}, layout=sparse_coo{wanted})"

    def _with(self, values: Tensor) -> SparseTensor:
        result = SparseTensor(self._positions, values, self.shape, self._coalesced)
        result._rows = self._rows
        return result

    def _by_rows(self) -> tuple[Tensor | None, Tensor, Tensor]:
        """The values' order by rows (None where they have it), the column of each, and where the rows begin."""
        if self._rows is None:
            rows, columns = self._positions.numpy()
            order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
            columns = np.ascontiguousarray(columns if order is None else columns[order])
            starts = np.append(0, np.cumsum(np.bincount(rows, minlength=self.shape[0])))
            self._rows = None if order is None else from_numpy(order), from_numpy(columns), from_numpy(starts)
        return self._rows

    def _require_number(self, op: str, other: Any) -> None:
        if not (isinstance(other, int | float) or (isinstance(other, Tensor) and other.ndim == 0)):
            raise DTypeError(f"{op}: a sparse tensor takes a number, got {type(other).__name__}; see to_dense()")


def sparse_coo_tensor(
    indices: Any,
    values: Any = None,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> SparseTensor:
    """A sparse tensor of values at given positions, which may repeat: they are added.

    indices: (sparse_dim, nnz) integers.  values: (nnz, ...); gradients reach them.  size: as small as the positions
    allow unless given.  A size alone gives a tensor without values.
    Raises ShapeError for shapes that do not fit, IndexOutOfRangeError for positions outside of size, DTypeError for
    positions that are no integers.  Positions are always checked.

    >>> import autograd_cnn as ag
    >>> sparse = ag.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    >>> sparse
    tensor(indices=tensor([[0, 1, 1],
                           [2, 0, 2]]),
           values=tensor([3., 4., 5.]),
           size=(2, 3), nnz=3, layout=sparse_coo)
    >>> sparse @ ag.tensor([1.0, 0.0, 2.0])
    tensor([ 6., 14.])
    """
    if values is None:
        size = tuple(int(n) for n in indices)
        made = zeros(0, dtype=dtype, device=device)
        return SparseTensor(zeros((len(size), 0), dtype=int64), made, size, True)
    positions, numbers = as_tensor(indices), as_tensor(values, device=device)
    if dtype is not None:
        numbers = numbers.to(as_dtype(dtype, "sparse_coo_tensor"))
    if positions.numel() and positions.dtype.kind not in "iu":
        raise DTypeError(f"sparse_coo_tensor: indices must be integers, got {positions.dtype}")
    if positions.ndim != 2 or not numbers.ndim or positions.shape[1] != numbers.shape[0]:
        raise ShapeError(
            "sparse_coo_tensor: needs indices (sparse_dim, nnz) and values (nnz, ...), "
            f"got {list(positions.shape)} and {list(numbers.shape)}"
        )
    positions = positions.detach().to(int64)
    array = positions.numpy()
    if size is None:
        lead = [int(n) + 1 for n in array.max(1)] if array.shape[1] else [0] * array.shape[0]
        size = (*lead, *numbers.shape[1:])
    shape = tuple(int(n) for n in size)
    sparse = array.shape[0]
    if len(shape) != sparse + numbers.ndim - 1 or shape[sparse:] != numbers.shape[1:]:
        raise ShapeError(
            f"sparse_coo_tensor: size {list(shape)} does not fit {sparse} sparse dimensions and values "
            f"of shape {list(numbers.shape)}"
        )
    outside = (array < 0) | (array >= np.reshape(shape[:sparse], (sparse, 1)))
    if outside.any():
        dim, at = (int(i) for i in np.argwhere(outside)[0])
        raise IndexOutOfRangeError(
            f"sparse_coo_tensor: index {array[dim, at]} of value {at} is outside of dimension {dim}, size {shape[dim]}"
        )
    if requires_grad:
        numbers = numbers.detach().clone()
    result = SparseTensor(positions, numbers, shape, bool(is_coalesced) or array.shape[1] < 2)
    return result.requires_grad_() if requires_grad else result


def mm(mat1: SparseTensor, mat2: Tensor) -> Tensor:
    """The product of a sparse (n, m) and a dense (m, p) matrix: y[i] = sum over stored (i, j) of value * mat2[j].

    Gradients reach the values of mat1, and mat2.  Raises ShapeError for shapes that do not fit, DTypeError for
    different dtypes or a first matrix that is not sparse.

    >>> import autograd_cnn as ag
    >>> mm(ag.eye(2).to_sparse(), ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if not isinstance(mat1, SparseTensor) or not isinstance(mat2, Tensor):
        raise DTypeError(
            f"sparse.mm: takes a sparse and a dense matrix, got {type(mat1).__name__} and {type(mat2).__name__}"
        )
    if mat1.ndim != 2 or mat1.dense_dim() or mat2.ndim != 2 or mat1.shape[1] != mat2.shape[0]:
        raise ShapeError(f"sparse.mm: shapes {list(mat1.shape)} and {list(mat2.shape)} do not fit")
    if mat1.dtype != mat2.dtype:
        raise DTypeError(f"sparse.mm: mat1 has dtype {mat1.dtype}, mat2 {mat2.dtype}")
    order, columns, starts = mat1._by_rows()
    values = mat1._values() if order is None else index_select(mat1._values(), 0, order)
    return apply(EmbeddingBag(False), mat2, columns, starts, values)  # a row is a bag of rows of mat2, with factors


def addmm(mat: Tensor, mat1: SparseTensor, mat2: Tensor, *, beta: float = 1.0, alpha: float = 1.0) -> Tensor:
    """beta * mat + alpha * (mat1 @ mat2), mat1 being sparse.

    >>> import autograd_cnn as ag
    >>> addmm(ag.ones(1, 1), ag.eye(1).to_sparse(), ag.tensor([[3.0]]), beta=2.0)
    tensor([[5.]])
    """
    return beta * mat + alpha * mm(mat1, mat2)


def sum(input: SparseTensor, dim: int | Sequence[int] | None = None, dtype: Any = None) -> Any:
    """The sum of all values, a Tensor; or over some of a matrix's dimensions, sparse again where a sparse one stays.

    >>> import autograd_cnn as ag
    >>> sum(ag.tensor([[1.0, 0.0], [2.0, 3.0]]).to_sparse(), 1).to_dense()
    tensor([1., 5.])
    """
    values = input._values() if dtype is None else input._values().to(as_dtype(dtype, "sparse.sum"))
    if dim is None:
        return values.sum()
    dims = many_dims("sparse.sum", dim if isinstance(dim, int) else list(dim), input.ndim)
    if any(d >= input.sparse_dim() for d in dims):
        raise ArgumentError(f"sparse.sum: dim {dim} names a dense dimension; sum to_dense()")
    kept = [d for d in range(input.sparse_dim()) if d not in dims]
    if not kept:
        return values.sum(0)
    positions = from_numpy(np.ascontiguousarray(input._indices().numpy()[kept]))
    shape = (*(input.shape[d] for d in kept), *input.shape[input.sparse_dim() :])
    return SparseTensor(positions, values, shape, False).coalesce()


def to_sparse(x: Tensor) -> SparseTensor:
    """The sparse tensor of the elements that are not 0; gradients reach them.

    >>> import autograd_cnn as ag
    >>> to_sparse(ag.tensor([0.0, 2.0])).indices()
    tensor([[1]])
    """
    positions = np.argwhere(x.detach().numpy() != 0).T
    flat = np.ravel_multi_index(tuple(positions), x.shape) if x.ndim else np.arange(positions.shape[1])
    values = index_select(x.reshape(-1), 0, from_numpy(np.asarray(flat, np.int64)))
    return SparseTensor(from_numpy(np.ascontiguousarray(positions, np.int64)), values, x.shape, True)
