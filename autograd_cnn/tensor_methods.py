"""Shapes, indices and matrices as methods of their first argument: the op functions, so that a call costs one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import cross as crossing
from autograd_cnn.ops import diagonal as diagonals
from autograd_cnn.ops import expand as expanding
from autograd_cnn.ops import flip as flipping
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops import (
    index_write,
    linear,
    random,
    tensordot,
    triangle,
)
from autograd_cnn.ops import repeat as repeating
from autograd_cnn.ops import scatter as scattering
from autograd_cnn.ops import shape as shaping
from autograd_cnn.ops import split as splitting
from autograd_cnn.ops import unfold as unfolding

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class Methods(TensorBase):
    """Methods that leave their tensor as it is, family by family."""

    __slots__ = ()

    reshape = shaping.reshape
    view = shaping.view

    def view_as(self: Any, other: Tensor) -> Tensor:
        """The elements of self in the shape of `other`, in the same memory."""
        return shaping.view(self, other.shape)

    def reshape_as(self: Any, other: Tensor) -> Tensor:
        """The elements of self in the shape of `other`, a view where possible."""
        return shaping.reshape(self, other.shape)

    flatten = shaping.flatten
    unflatten = shaping.unflatten
    ravel = shaping.ravel
    permute = shaping.permute
    transpose = shaping.transpose
    swapaxes = shaping.swapaxes
    swapdims = shaping.swapdims
    t = shaping.t

    @property
    def T(self: Any) -> Tensor:
        """A view with all dimensions in reverse order."""
        return shaping.permute(self, *range(self.array.ndim - 1, -1, -1))

    @property
    def mT(self: Any) -> Tensor:
        """A view with the last two dimensions swapped."""
        return shaping.transpose(self, -2, -1)

    movedim = shaping.movedim
    moveaxis = shaping.moveaxis
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    narrow = shaping.narrow
    select = shaping.select
    expand = expanding.expand
    broadcast_to = expanding.broadcast_to

    def expand_as(self: Any, other: Tensor) -> Tensor:
        """A view of self repeated to the shape of `other`."""
        return expanding.expand(self, other.shape)

    repeat = repeating.repeat
    tile = repeating.tile
    repeat_interleave = repeating.repeat_interleave
    flip = flipping.flip
    fliplr = flipping.fliplr
    flipud = flipping.flipud
    roll = flipping.roll

    def split(self: Any, split_size: Ints, dim: int = 0) -> tuple[Tensor, ...]:
        """Views of parts of `dim`, see `split`."""
        return splitting.split(self, split_size, dim)

    split_with_sizes = splitting.split_with_sizes
    tensor_split = splitting.tensor_split
    hsplit = splitting.hsplit
    vsplit = splitting.vsplit
    dsplit = splitting.dsplit
    chunk = splitting.chunk
    unbind = splitting.unbind

    diag = diagonals.diag
    diagonal = diagonals.diagonal
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    trace = diagonals.trace
    tril = triangle.tril
    triu = triangle.triu
    unfold = unfolding.unfold
    bernoulli = random.bernoulli
    multinomial = random.multinomial
    take_along_dim = gathering.take_along_dim
    gather = gathering.gather
    scatter_add = gathering.scatter_add
    scatter = scattering.scatter
    scatter_reduce = scattering.scatter_reduce
    index_select = indexing.index_select
    index_add = index_write.index_add
    index_copy = index_write.index_copy
    index_fill = index_write.index_fill
    index_put = index_write.index_put
    masked_scatter = index_write.masked_scatter
    masked_fill = indexing.masked_fill
    masked_select = indexing.masked_select
    matmul = linear.matmul
    mm = linear.mm
    bmm = linear.bmm
    mv = linear.mv
    outer = linear.outer
    addmm = linear.addmm
    dot = linear.dot
    inner = tensordot.inner
    kron = tensordot.kron
    cross = crossing.cross
