"""Products of tensors of any number of dimensions: tensordot, inner, kron."""

from __future__ import annotations

from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import reduce
from autograd_cnn.ops.arithmetic import mul
from autograd_cnn.ops.dim import distinct
from autograd_cnn.ops.linear import matmul, require_pair
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.shape import permute, reshape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] | Tensor = 2) -> Tensor:
    """The sum of products over several dimensions of both: a matrix product where these are a's last and b's first.

    `dims` is their number, or a list of a's and one of b's.  The result has the other dimensions of a and then those
    of b.  Raises ShapeError where sizes differ and neither is 1, ArgumentError where the lists differ in
    length, DTypeError for two dtypes.

    >>> import autograd_cnn as ag
    >>> tensordot(ag.tensor([[1, 2], [3, 4]]), ag.tensor([[5, 6], [7, 8]]), dims=([0], [0]))
    tensor([[26, 30],
            [38, 44]])
    """
    require_pair("tensordot", a, b, ("a", "b"))
    x, other = a, b
    ours, theirs = _contracted(x.array.ndim, other.array.ndim, dims)
    for d, e in zip(ours, theirs, strict=True):
        n, m = x.array.shape[d], other.array.shape[e]
        if n != m and 1 not in (n, m):
            raise ShapeError(
                f"tensordot: dim {d} of a {list(x.array.shape)} and dim {e} of b {list(other.array.shape)} differ"
            )
        if n != m:  # what has size 1 broadcasts
            x = reduce.sum(x, d, keepdim=True) if m == 1 else x
            other = reduce.sum(other, e, keepdim=True) if n == 1 else other
    shape, others = x.array.shape, other.array.shape
    rows = [d for d in range(len(shape)) if d not in ours]
    columns = [e for e in range(len(others)) if e not in theirs]
    size = tuple([shape[d] for d in rows] + [others[e] for e in columns])
    inner = prod(shape[d] for d in ours)
    left = reshape(permute(x, (*rows, *ours)), (prod(shape[d] for d in rows), inner))
    right = reshape(permute(other, (*theirs, *columns)), (inner, prod(others[e] for e in columns)))
    return reshape(matmul(left, right), size)


def _contracted(ndim: int, other_ndim: int, dims: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(dims, TensorBase):
        dims = dims.array.tolist()
    if not isinstance(dims, list | tuple):
        count = index(dims)
        if not 0 <= count <= min(ndim, other_ndim):
            raise ArgumentError(f"tensordot: dims {count} must be from 0 to {min(ndim, other_ndim)}, the fewest dims")
        return tuple(range(ndim - count, ndim)), tuple(range(count))
    if len(dims) != 2 or len(dims[0]) != len(dims[1]):
        raise ArgumentError(f"tensordot: dims {dims} must be a number, or two lists of one length")
    ours = distinct("tensordot", tuple(dims[0]), ndim, "dims of a")
    return ours, distinct("tensordot", tuple(dims[1]), other_ndim, "dims of b")


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sum of products over the last dimension of both: y[..i.., ..j..] = sum_k x[..i.., k] * other[..j.., k].

    Where one is a number, the product.  Raises ShapeError where the last dimensions differ.

    >>> import autograd_cnn as ag
    >>> inner(ag.tensor([[1, 2], [3, 4]]), ag.tensor([1, 10]))
    tensor([21, 43])
    """
    require_pair("inner", input, other)
    shape, others = input.array.shape, other.array.shape
    if not shape or not others:
        return mul(input, other)
    if shape[-1] != others[-1]:
        raise ShapeError(f"inner: the last dimensions of input {list(shape)} and other {list(others)} differ")
    return tensordot(input, other, ([-1], [-1]))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: blocks of other, one for each element of input, times that element.

    y[i * m + k, j * n + l] = x[i, j] * other[k, l] for other (m, n), and so for any number of dimensions, of which the
    shorter shape gets more in front.

    >>> import autograd_cnn as ag
    >>> kron(ag.tensor([1, 10]), ag.tensor([[1, 2], [3, 4]]))
    tensor([[ 1,  2, 10, 20],
            [ 3,  4, 30, 40]])
    """
    shape, others = require_tensor("kron", input).array.shape, require_tensor("kron", other).array.shape
    ndim = max(len(shape), len(others))
    shape, others = ((1,) * (ndim - len(s)) + s for s in (shape, others))
    input = reshape(input, tuple([size for n in shape for size in (n, 1)]))
    other = reshape(other, tuple([size for m in others for size in (1, m)]))
    return reshape(mul(input, other), tuple([n * m for n, m in zip(shape, others, strict=True)]))
