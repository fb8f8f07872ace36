"""Joining tensors and taking them apart: cat and stack, split, chunk and unbind, roll."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import accumulate
from operator import index
from typing import Any

from autograd_cnn.dtype import promote
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.op import Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view, record, refresh, view_of
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.size import as_size
from autograd_cnn.ops.slice import Slice, along


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
        for tensor, (start, end) in zip(tensors, _bounds(self.sizes), strict=True):
            k.copy(tensor, out[(*lead, slice(start, end))])

    def vjp(self, g: Any, needs: Any) -> Any:
        parts = zip(needs, _bounds(self.sizes), strict=True)
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


class Parts(ViewOp, abstract=True):
    """Several views that together show all of x, under one node: its backward joins their gradients.

    With a node for each, the backward would add up as many padded gradients of x's size.
    """

    outputs = ()  # as many as there are parts

    def parts(self) -> list[Slice]:
        """The view op of each part on its own, by which in-place changes are followed."""
        raise NotImplementedError(f"{type(self).__name__}.parts")

    def view(self, x: Any) -> Any:
        return [part.view(x) for part in self.parts()]


class Split(Parts):
    """Sections of `dim`, of the given sizes."""

    def __init__(self, dim: int, sizes: tuple[int, ...]) -> None:
        self.dim = dim
        self.sizes = sizes

    def parts(self) -> list[Slice]:
        return [along(self.dim, slice(start, end)) for start, end in _bounds(self.sizes)]

    def vjp(self, g: Any, needs: Any, x_shape: Any) -> Any:
        lead, rest = x_shape[: self.dim], x_shape[self.dim + 1 :]
        like = next(part for part in g if part is not None)
        parts = [
            like.new_zeros((*lead, size, *rest)) if part is None else part
            for part, size in zip(g, self.sizes, strict=True)
        ]
        return (cat(parts, self.dim),)


class Unbind(Parts):
    """All `size` positions of `dim`."""

    def __init__(self, dim: int, size: int) -> None:
        self.dim = dim
        self.size = size

    def parts(self) -> list[Slice]:
        return [along(self.dim, i) for i in range(self.size)]

    def vjp(self, g: Any, needs: Any) -> Any:
        like = next(part for part in g if part is not None)
        zeros = like.new_zeros(like.array.shape)
        return (stack([zeros if part is None else part for part in g], self.dim),)


def _bounds(sizes: tuple[int, ...]) -> zip[tuple[int, int]]:
    ends = list(accumulate(sizes))
    return zip([0, *ends], ends, strict=False)


def _views(op: Parts, x: Any) -> tuple[Any, ...]:
    """The parts of x, all outputs of one node, and each a view on its own for in-place changes."""
    state = STATE.get()
    parts = op.parts()
    if len(parts) < 2:
        return tuple(apply_view(part, x) for part in parts)
    refresh(x)
    views = [view_of(x, part, array, state) for part, array in zip(parts, op.view(x.array), strict=True)]
    if state.recording and x._requires_grad:
        record(op, (x,), tuple(views), [(y.array.shape, y.array.dtype) for y in views], state)
    return tuple(views)


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


def cat(tensors: Any, dim: int = 0) -> Any:
    """The tensors one after the other along an existing dimension, in their common dtype.

    Raises ShapeError where other sizes than that of `dim` differ, or for zero-dimensional tensors.

    >>> import autograd_cnn as ag
    >>> cat([ag.tensor([1, 2]), ag.tensor([3])])
    tensor([1, 2, 3])
    """
    operands = _operands("cat", tensors)
    for i, tensor in enumerate(operands):
        if not tensor.array.ndim:
            raise ShapeError(f"cat: tensors[{i}] is zero-dimensional and cannot be concatenated; use stack")
    shape = operands[0].array.shape
    dim = one_dim("cat", dim, len(shape))
    sizes = tuple([t.array.shape[dim] if t.array.ndim > dim else 0 for t in operands])
    return apply(Cat(dim, sizes), *operands)


def stack(tensors: Any, dim: int = 0) -> Any:
    """The tensors side by side along a new dimension, in their common dtype.

    Raises ShapeError where shapes differ.

    >>> import autograd_cnn as ag
    >>> stack([ag.tensor([1, 2]), ag.tensor([3, 4])], 1)
    tensor([[1, 3],
            [2, 4]])
    """
    operands = _operands("stack", tensors)
    return apply(Stack(one_dim("stack", dim, operands[0].array.ndim + 1)), *operands)


def split(x: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of parts of `dim`: of the given size, the last one perhaps smaller, or of a list of sizes.

    Their backward costs one `cat`.  Unlike PyTorch's they may be changed in place.  Raises ShapeError where a
    list of sizes does not add up to that of the dimension, ArgumentError for a size below 1.

    >>> import autograd_cnn as ag
    >>> split(ag.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    >>> split(ag.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    shape = require_tensor("split", x).array.shape
    if not shape:
        raise ShapeError("split: takes at least 1 dimension, x has shape []")
    dim = one_dim("split", dim, len(shape))
    size = shape[dim]
    if isinstance(split_size_or_sections, list | tuple):
        sizes = as_size("split", (split_size_or_sections,), "split_size_or_sections")
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise ShapeError(f"split: sizes {list(sizes)} do not add up to {size}, the size of dim {dim}")
        return _views(Split(dim, sizes), x)
    part = index(split_size_or_sections)
    if part < 0 or (part == 0 and size):
        raise ArgumentError(f"split: split_size must be at least 1, got {part} for dim {dim} of size {size}")
    sizes = tuple(min(part, size - start) for start in range(0, size, part)) if size else (0,)
    return _views(Split(dim, sizes), x)


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Views of at most `chunks` parts of `dim`, of one size but for the last, which may be smaller.

    >>> import autograd_cnn as ag
    >>> chunk(ag.tensor([1, 2, 3, 4, 5]), 2)
    (tensor([1, 2, 3]), tensor([4, 5]))
    """
    shape = require_tensor("chunk", x).array.shape
    if not shape:
        raise ShapeError("chunk: takes at least 1 dimension, x has shape []")
    if chunks < 1:
        raise ArgumentError(f"chunk: chunks must be at least 1, got {chunks}")
    dim = one_dim("chunk", dim, len(shape))
    if shape[dim] == 0:
        return split(x, [0] * chunks, dim)
    return split(x, -(-shape[dim] // chunks), dim)


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of all positions of `dim`, which they lack.

    Their backward costs one `stack`.  Unlike PyTorch's they may be changed in place.

    >>> import autograd_cnn as ag
    >>> unbind(ag.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    shape = require_tensor("unbind", x).array.shape
    if not shape:
        raise ShapeError("unbind: takes at least 1 dimension, x has shape []")
    dim = one_dim("unbind", dim, len(shape))
    return _views(Unbind(dim, shape[dim]), x)


def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    """A copy with elements moved by `shifts` along `dims`, those that leave at one end entering at the other.

    Without `dims`, x is rolled as if flat.  Raises ArgumentError where shifts and dims differ in number.

    >>> import autograd_cnn as ag
    >>> roll(ag.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    """
    if dims is None:
        return roll(require_tensor("roll", x).reshape(-1), shifts, 0).reshape(x.array.shape)
    shape = x.array.shape
    dims = dims if isinstance(dims, list | tuple) else (dims,)
    shifts = as_size("roll", (shifts,), "shifts")
    if len(shifts) != len(dims):
        raise ArgumentError(f"roll: {len(shifts)} shifts but {len(dims)} dims")
    y = x
    for shift, dim in zip(shifts, [one_dim("roll", dim, len(shape)) for dim in dims], strict=True):
        first = -shift % shape[dim] if shape[dim] else 0
        y = cat([y.narrow(dim, first, shape[dim] - first), y.narrow(dim, 0, first)], dim)
    return y
