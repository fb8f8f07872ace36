"""Copies in which elements repeat: repeat, tile, repeat_interleave."""

from __future__ import annotations

from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops.cast import clone
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.index import index_select
from autograd_cnn.ops.operand import require_integer, require_tensor
from autograd_cnn.ops.shape import reshape
from autograd_cnn.ops.size import as_size

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


def repeat(input: Tensor, *given: Ints, repeats: Ints | None = None) -> Tensor:
    """A copy of input, repeated repeats[i] times along dimension i; new dimensions come first.

    Raises ShapeError where `repeats` has fewer entries than input has dimensions, or a negative one.

    >>> import autograd_cnn as ag
    >>> repeat(ag.tensor([1, 2]), 2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = as_size("repeat", given, "repeats", repeats)
    shape = input.array.shape
    if len(times) < len(shape) or min(times, default=0) < 0:
        raise ShapeError(
            f"repeat: repeats {list(times)} must hold a number of at least 0 for each dim of {list(shape)}"
        )
    shape = (1,) * (len(times) - len(shape)) + shape
    if prod(times) == 1:
        return clone(reshape(input, shape))
    apart = tuple(n for size in shape for n in (1, size))
    wide = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    together = tuple(n * size for n, size in zip(times, shape, strict=True))
    return reshape(clone(expand(reshape(input, apart), wide)), together)


def tile(input: Tensor, *given: Ints, dims: Ints | None = None) -> Tensor:
    """`repeat`, where missing entries of `dims` are 1, in front.

    >>> import autograd_cnn as ag
    >>> tile(ag.tensor([[1], [2]]), 2)
    tensor([[1, 1],
            [2, 2]])
    """
    times = as_size("tile", given, "dims", dims)
    return repeat(input, (1,) * (require_tensor("tile", input).array.ndim - len(times)) + times)


def repeat_interleave(
    input: Tensor, repeats: Tensor | int | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """A copy of input with each element, or each position of `dim`, repeats[i] times in a row.

    Without `dim` input counts as flat.  `repeats` is one number or a tensor of them.  `repeat_interleave(repeats)`
    gives the indices: 0 repeats[0] times, 1 repeats[1] times, and so on.  Raises ShapeError where there is not a number
    for each position, ArgumentError where one is negative, or where the sum is not `output_size`.

    >>> import autograd_cnn as ag
    >>> repeat_interleave(ag.tensor([1, 2]), 2), repeat_interleave(ag.tensor([1, 2]), ag.tensor([1, 3]))
    (tensor([1, 1, 2, 2]), tensor([1, 2, 2, 2]))
    >>> repeat_interleave(ag.tensor([2, 1]))
    tensor([0, 0, 1])
    """
    op = "repeat_interleave"
    if repeats is None:
        return _positions(op, input, None, output_size)
    input = reshape(input, -1) if dim is None else require_tensor(op, input)
    dim = one_dim(op, 0 if dim is None else dim, input.array.ndim)
    if not isinstance(repeats, TensorBase):
        return _each(op, input, index(repeats), dim, output_size)
    if not repeats.array.ndim:
        return _each(op, input, require_integer(op, "repeats", repeats).item(), dim, output_size)
    size = input.array.shape[dim] if input.array.ndim else 1
    return index_select(input, dim, _positions(op, repeats, size, output_size))


def _each(op: str, x: Any, times: int, dim: int, output_size: int | None) -> Any:
    shape = x.array.shape or (1,)
    if times < 0:
        raise ArgumentError(f"{op}: repeats must not be negative, got {times}")
    if output_size not in (None, shape[dim] * times):
        raise ArgumentError(f"{op}: output_size is {output_size}, the repeats add up to {shape[dim] * times}")
    wide = expand(reshape(x, (*shape[: dim + 1], 1, *shape[dim + 1 :])), (*shape[: dim + 1], times, *shape[dim + 1 :]))
    return reshape(clone(wide), (*shape[:dim], shape[dim] * times, *shape[dim + 1 :]))


def _positions(op: str, repeats: Any, size: int | None, output_size: int | None) -> Any:
    """Each position of a dimension as often as `repeats` says."""
    times = repeats.device.to_host(require_integer(op, "repeats", repeats).array)
    if times.ndim != 1:
        raise ShapeError(f"{op}: repeats must have one dimension, got shape {list(times.shape)}")
    if size is not None and times.size != size:
        if times.size != 1:
            raise ShapeError(f"{op}: repeats has {times.size} numbers for {size} positions")
        times = np.broadcast_to(times, size)
    if times.size and times.min() < 0:
        raise ArgumentError(f"{op}: repeats must not be negative, got {times.min()}")
    if output_size not in (None, times.sum()):
        raise ArgumentError(f"{op}: output_size is {output_size}, the repeats add up to {times.sum()}")
    return wrap(repeats.device.from_host(np.repeat(np.arange(times.size), times)), repeats.device)
