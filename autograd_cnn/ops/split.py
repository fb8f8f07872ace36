"""Taking tensors apart: split and its relatives, chunk, unbind.  All give views."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.op import ViewOp
from autograd_cnn.graph.record import apply_view, record, refresh, view_of
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.join import bounds, cat, stack
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.size import as_size
from autograd_cnn.ops.slice import Slice, along

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


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
        return [along(self.dim, slice(start, end)) for start, end in bounds(self.sizes)]

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


def _views(op: Parts, x: Any) -> tuple[Any, ...]:
    """The parts of x, all outputs of one node, and each a view on its own for in-place changes."""
    state = STATE.get()
    parts = op.parts()
    if len(parts) < 2:
        return tuple(apply_view(part, x) for part in parts)
    refresh(x)
    views = [view_of(x, part, array) for part, array in zip(parts, op.view(x.array), strict=True)]
    if state.recording and x._requires_grad:
        record(op, (x,), tuple(views), [(y.array.shape, y.array.dtype) for y in views], state)
    return tuple(views)


def split(tensor: Tensor, split_size_or_sections: Ints, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts of `dim`: of the given size, the last one perhaps smaller, or of a list of sizes.

    Their backward costs one `cat`.  Unlike PyTorch's they may be changed in place.  Raises ShapeError where a
    list of sizes does not add up to that of the dimension, ArgumentError for a size below 1.

    >>> import autograd_cnn as ag
    >>> split(ag.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    >>> split(ag.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    if isinstance(split_size_or_sections, Sequence):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    dim, size = _along("split", tensor, dim)
    part = index(split_size_or_sections)
    if part < 0 or (part == 0 and size):
        raise ArgumentError(f"split: split_size must be at least 1, got {part} for dim {dim} of size {size}")
    sizes = tuple(min(part, size - start) for start in range(0, size, part)) if size else (0,)
    return _views(Split(dim, sizes), tensor)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts of `dim` of the given sizes.

    Raises ShapeError where they do not add up to the size of the dimension.

    >>> import autograd_cnn as ag
    >>> split_with_sizes(ag.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    dim, size = _along("split", input, dim)
    sizes = as_size("split", (split_sizes,), "split_sizes")
    if sum(sizes) != size or min(sizes, default=0) < 0:
        raise ShapeError(f"split: sizes {list(sizes)} do not add up to {size}, the size of dim {dim}")
    return _views(Split(dim, sizes), input)


def tensor_split(
    input: Tensor,
    indices_or_sections: Ints | Tensor | None = None,
    dim: int = 0,
    *,
    indices: Sequence[int] | Tensor | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Views of parts of `dim`: of so many, the first of which are larger by 1 where they cannot all be equal, or
    between the given indices, which count as those of slices.

    Raises ArgumentError for less than one section.

    >>> import autograd_cnn as ag
    >>> tensor_split(ag.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    >>> tensor_split(ag.tensor([1, 2, 3]), (1, -1))
    (tensor([1]), tensor([2]), tensor([3]))
    """
    dim, size = _along("tensor_split", input, dim)
    wanted = _told("tensor_split", indices_or_sections, indices, sections)
    if isinstance(wanted, TensorBase):
        wanted = wanted.array.tolist()
    if isinstance(wanted, list | tuple):
        given = as_size("tensor_split", (wanted,), "indices_or_sections")
        cuts = [0, *(slice(cut).indices(size)[1] for cut in given), size]
        if cuts == sorted(cuts):
            return _views(Split(dim, tuple([end - start for start, end in pairwise(cuts)])), input)
        return tuple([apply_view(along(dim, slice(*ends)), input) for ends in pairwise(cuts)])
    count = index(wanted)
    if count < 1:
        raise ArgumentError(f"tensor_split: needs at least 1 section, got {count}")
    part, larger = divmod(size, count)
    return _views(Split(dim, (part + 1,) * larger + (part,) * (count - larger)), input)


def hsplit(
    input: Tensor,
    indices_or_sections: Ints | Tensor | None = None,
    *,
    indices: Sequence[int] | Tensor | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Parts of the columns: `tensor_split` of dimension 1 (of dimension 0, if there is just that) into equal sections.

    Raises ShapeError where the size is no multiple of the number of sections.

    >>> import autograd_cnn as ag
    >>> hsplit(ag.tensor([[1, 2], [3, 4]]), 2)
    (tensor([[1],
            [3]]), tensor([[2],
            [4]]))
    """
    return _equal(
        "hsplit",
        input,
        _told("hsplit", indices_or_sections, indices, sections),
        1,
        min(1, require_tensor("hsplit", input).array.ndim - 1),
    )


def vsplit(
    input: Tensor,
    indices_or_sections: Ints | Tensor | None = None,
    *,
    indices: Sequence[int] | Tensor | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Parts of the rows: `tensor_split` of dimension 0 of at least two into equal sections.

    Raises ShapeError where the size is no multiple of the number of sections.

    >>> import autograd_cnn as ag
    >>> vsplit(ag.tensor([[1, 2], [3, 4]]), [1])
    (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    return _equal("vsplit", input, _told("vsplit", indices_or_sections, indices, sections), 2, 0)


def dsplit(
    input: Tensor,
    indices_or_sections: Ints | Tensor | None = None,
    *,
    indices: Sequence[int] | Tensor | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Parts of the depth: `tensor_split` of dimension 2 into equal sections.

    Raises ShapeError where the size is no multiple of the number of sections.

    >>> import autograd_cnn as ag
    >>> [part.shape for part in dsplit(ag.zeros(2, 3, 4), 2)]
    [(2, 3, 2), (2, 3, 2)]
    """
    return _equal("dsplit", input, _told("dsplit", indices_or_sections, indices, sections), 3, 2)


def _told(op: str, *ways: Any) -> Any:
    """The one of several ways to say where to cut that is not None."""
    told = [way for way in ways if way is not None]
    if len(told) != 1:
        raise ArgumentError(f"{op}: takes either indices or a number of sections")
    return told[0]


def _equal(op: str, x: Any, indices_or_sections: Any, dims: int, dim: int) -> tuple[Any, ...]:
    shape = require_tensor(op, x).array.shape
    if len(shape) < dims:
        raise ShapeError(f"{op}: takes at least {dims} dimension{'s' * (dims > 1)}, input has shape {list(shape)}")
    if not isinstance(indices_or_sections, list | tuple | TensorBase):
        sections = index(indices_or_sections)
        if sections < 1 or shape[dim] % sections:
            raise ShapeError(f"{op}: size {shape[dim]} of dim {dim} does not divide into {sections} equal sections")
    return tensor_split(x, indices_or_sections, dim)


def _along(op: str, x: Any, dim: int) -> tuple[int, int]:
    """`dim` counted from 0, and its size."""
    shape = require_tensor(op, x).array.shape
    if not shape:
        raise ShapeError(f"{op}: takes at least 1 dimension, input has shape []")
    dim = one_dim(op, dim, len(shape))
    return dim, shape[dim]


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` parts of `dim`, of one size but for the last, which may be smaller.

    >>> import autograd_cnn as ag
    >>> chunk(ag.tensor([1, 2, 3, 4, 5]), 2)
    (tensor([1, 2, 3]), tensor([4, 5]))
    """
    dim, size = _along("chunk", input, dim)
    if chunks < 1:
        raise ArgumentError(f"chunk: chunks must be at least 1, got {chunks}")
    return split(input, -(-size // chunks) if size else [0] * chunks, dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of all positions of `dim`, which they lack.

    Their backward costs one `stack`.  Unlike PyTorch's they may be changed in place.

    >>> import autograd_cnn as ag
    >>> unbind(ag.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    return _views(Unbind(*_along("unbind", input, dim)), input)
