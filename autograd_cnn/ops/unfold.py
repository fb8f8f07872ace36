"""Windows that slide along a dimension, as a view."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import ViewOp
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.index import PutAdd
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.shape import movedim, reshape

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Unfold(ViewOp):
    """Windows of `size` elements along `dim`, `step` apart; what is in them is the last dimension."""

    def __init__(self, dim: int, size: int, step: int) -> None:
        self.dim = dim
        self.size = size
        self.step = step

    def windows(self, n: int) -> int:
        return (n - self.size) // self.step + 1

    def view(self, x: Any) -> Any:
        shape, strides, dim = x.shape, x.strides, self.dim
        shape = (*shape[:dim], self.windows(shape[dim]), *shape[dim + 1 :], self.size)
        strides = (*strides[:dim], strides[dim] * self.step, *strides[dim + 1 :], strides[dim])
        return as_strided(x, shape, strides, writeable=x.flags.writeable)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        starts = np.arange(self.windows(x_shape[self.dim])) * self.step
        positions = wrap(g.device.from_host(starts[:, None] + np.arange(self.size)), g.device)
        return apply(PutAdd(self.dim, 1, x_shape), movedim(g, -1, self.dim + 1), positions)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of `size` elements along `dimension`, `step` apart; what is in them is the last dimension.

    y[..., i, ..., j] = x[..., i * step + j, ...].  Raises ArgumentError for a step below 1, ShapeError for a size
    larger than the dimension.

    >>> import autograd_cnn as ag
    >>> unfold(ag.tensor([1, 2, 3, 4]), 0, 2, 1)
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    input = require_tensor("unfold", input)
    dim = one_dim("unfold", dimension, input.array.ndim, "dimension")
    size, step, n = index(size), index(step), (input.array.shape or (1,))[dim]
    if step < 1 or size < 0:
        raise ArgumentError(f"unfold: needs a size of at least 0 and a step of at least 1, got {size} and {step}")
    if size > n:
        raise ShapeError(f"unfold: size {size} is larger than dimension {dim} of size {n}")
    if not input.array.ndim:
        return reshape(input, 1)[:size]
    return apply_view(Unfold(dim, size, step), input)
