"""Joining tensors: cat, stack and their relatives."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import promote
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.shape import atleast_1d, atleast_2d, atleast_3d, reshape
from autograd_cnn.ops.slice import along

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor


class Cat(Op):
    """Tensors of one dtype one after the other along `dim`; `sizes` are theirs in that dimension."""

    variadic = True

    def __init__(self, dim: int, sizes: tuple[int, ...]) -> None:
        self.dim = dim
        self.sizes = sizes

    def infer(self, *tensors: Any) -> Any:
        shape, dim = tensors[0].shape, self.dim
        for i, tensor in enumerate(tensors):
            other = tensor.shape
            if len(other) != len(shape) or other[:dim] != shape[:dim] or other[dim + 1 :] != shape[dim + 1 :]:
                raise ShapeError(
                    f"cat: tensors[0] has shape {list(shape)}, tensors[{i}] has {list(other)}; "
                    f"only sizes at dim {dim} may differ"
                )
        return (*shape[:dim], sum(self.sizes), *shape[dim + 1 :]), tensors[0].dtype

    def compute(self, k: Any, out: Any, *tensors: Any) -> None:
        lead = (slice(None),) * self.dim
        for tensor, (start, end) in zip(tensors, bounds(self.sizes), strict=True):
            k.copy(tensor, out[(*lead, slice(start, end))])

    def vjp(self, g: Any, needs: Any) -> Any:
        parts = zip(needs, bounds(self.sizes), strict=True)
        return tuple(apply_view(along(self.dim, slice(*bounds)), g) if need else None for need, bounds in parts)


class Stack(Op):
    """Tensors of one dtype and shape side by side along a new dimension `dim`."""

    variadic = True

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, *tensors: Any) -> Any:
        shape = tensors[0].shape
        for i, tensor in enumerate(tensors):
            if tensor.shape != shape:
                raise ShapeError(f"stack: tensors[0] has shape {list(shape)}, tensors[{i}] has {list(tensor.shape)}")
        return (*shape[: self.dim], len(tensors), *shape[self.dim :]), tensors[0].dtype

    def compute(self, k: Any, out: Any, *tensors: Any) -> None:
        lead = (slice(None),) * self.dim
        for i, tensor in enumerate(tensors):
            k.copy(tensor, out[(*lead, i, ...)])

    def vjp(self, g: Any, needs: Any) -> Any:
        return tuple(apply_view(along(self.dim, i), g) if need else None for i, need in enumerate(needs))


def bounds(sizes: tuple[int, ...]) -> zip[tuple[int, int]]:
    """Where parts of those sizes begin and end."""
    ends = list(accumulate(sizes))
    return zip([0, *ends], ends, strict=False)


def _operands(op: str, tensors: Any) -> list[Any]:
    """The tensors of a sequence in their common dtype."""
    if isinstance(tensors, TensorBase):
        raise DTypeError(f"{op}: tensors must be a sequence of tensors, got one tensor; use a list or unbind")
    if not isinstance(tensors, Iterable):
        raise DTypeError(f"{op}: tensors must be a sequence of tensors, got {type(tensors).__name__}")
    operands = list(tensors)
    if not operands:
        raise ArgumentError(f"{op}: tensors is empty, it needs at least one tensor")
    for i, tensor in enumerate(operands):
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{op}: tensors[{i}] must be a tensor, got {type(tensor).__name__}")
    dtypes = {tensor.array.dtype for tensor in operands}
    if len(dtypes) == 1:
        return operands
    dtype = reduce(promote, dtypes)
    return [cast(tensor, dtype) for tensor in operands]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along an existing dimension, in their common dtype.

    Raises ShapeError where other sizes than that of `dim` differ, or for zero-dimensional tensors.

    >>> import autograd_cnn as ag
    >>> cat([ag.tensor([1, 2]), ag.tensor([3])])
    tensor([1, 2, 3])
    """
    operands = _operands("cat", tensors)
    # As in PyTorch, empty ones of one dimension fit anywhere.
    operands = [x for x in operands if x.array.shape != (0,)] or operands[:1]
    for i, tensor in enumerate(operands):
        if not tensor.array.ndim:
            raise ShapeError(f"cat: tensors[{i}] is zero-dimensional and cannot be concatenated; use stack")
    shape = operands[0].array.shape
    dim = one_dim("cat", dim, len(shape))
    sizes = tuple([t.array.shape[dim] if t.array.ndim > dim else 0 for t in operands])
    return apply(Cat(dim, sizes), *operands)


concat = concatenate = cat  # NumPy's names


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors side by side along a new dimension, in their common dtype.

    Raises ShapeError where shapes differ.

    >>> import autograd_cnn as ag
    >>> stack([ag.tensor([1, 2]), ag.tensor([3, 4])], 1)
    tensor([[1, 3],
            [2, 4]])
    """
    operands = _operands("stack", tensors)
    return apply(Stack(one_dim("stack", dim, operands[0].array.ndim + 1)), *operands)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: `cat` along dimension 1, or 0 where there is just that; numbers count as (1,).

    >>> import autograd_cnn as ag
    >>> hstack([ag.tensor([[1], [2]]), ag.tensor([[3], [4]])])
    tensor([[1, 3],
            [2, 4]])
    """
    operands = atleast_1d(_operands("hstack", tensors))
    return cat(operands, min(1, operands[0].array.ndim - 1))


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors as rows: `cat` along dimension 0 of what has at least two, (1, n) if it had one.

    >>> import autograd_cnn as ag
    >>> vstack([ag.tensor([1, 2]), ag.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(atleast_2d(_operands("vstack", tensors)), 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors in depth: `cat` along dimension 2 of what has at least three, (1, n, 1) if it had one.

    >>> import autograd_cnn as ag
    >>> dstack([ag.tensor([1, 2]), ag.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat(atleast_3d(_operands("dstack", tensors)), 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors as columns: `cat` along dimension 1, where what has fewer dimensions counts as (n, 1).

    >>> import autograd_cnn as ag
    >>> column_stack([ag.tensor([1, 2]), ag.tensor([[3], [4]])])
    tensor([[1, 3],
            [2, 4]])
    """
    operands = _operands("column_stack", tensors)
    return cat([reshape(x, -1, 1) if x.array.ndim < 2 else x for x in operands], 1)
