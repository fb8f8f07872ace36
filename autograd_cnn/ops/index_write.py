"""Positions of a dimension that are written: index_add, index_copy, index_fill; index_put and masked_scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.assign import copy_, require_kind
from autograd_cnn.ops.cast import clone
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.index import IndexAdd, IndexPut, Positions, index_along, index_put_, number_for, require_mask
from autograd_cnn.ops.operand import broadcast, first_outside, require_integer, require_tensor
from autograd_cnn.ops.shape import reshape

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """input with the positions of `source` added to the positions `index`, (n,), of `dim`.

    y[:, index[j]] = x[:, index[j]] + alpha * source[:, j] for dim 1, for all that name one position.  Raises ShapeError
    unless source has input's shape but for n positions in `dim`, IndexOutOfRangeError for an index below 0 or from
    input.size(dim), DTypeError for two dtypes.

    >>> import autograd_cnn as ag
    >>> index_add(ag.zeros(2, 3), 1, ag.tensor([0, 0]), ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 0., 0.],
            [7., 0., 0.]])
    """
    return _written(*_sources("index_add", IndexAdd, input, dim, index, source, alpha))


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """`index_add` in place; returns input.

    >>> import autograd_cnn as ag
    >>> index_add_(ag.zeros(2), 0, ag.tensor([0, 0]), ag.tensor([1.0, 2.0]), alpha=10)
    tensor([30.,  0.])
    """
    return _rewritten(*_sources("index_add_", IndexAdd, input, dim, index, source, alpha))


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with the positions of `source` in place of the positions `index`, (n,), of `dim`.

    y[:, index[j]] = source[:, j] for dim 1.  Of several for one position the last one stays, and alone has a gradient.
    Raises as `index_add`.

    >>> import autograd_cnn as ag
    >>> index_copy(ag.zeros(2, 3), 1, ag.tensor([0, 2]), ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 0., 2.],
            [3., 0., 4.]])
    """
    return _written(*_sources("index_copy", IndexPut, input, dim, index, source))


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`index_copy` in place; returns input.

    >>> import autograd_cnn as ag
    >>> index_copy_(ag.zeros(3), 0, ag.tensor([2]), ag.tensor([1.0]))
    tensor([0., 0., 1.])
    """
    return _rewritten(*_sources("index_copy_", IndexPut, input, dim, index, source))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """input with `value`, a number or zero-dimensional tensor, at the positions `index`, (n,), of `dim`.

    A negative index counts from the end.  Raises IndexOutOfRangeError for one out of range, DTypeError for a value that
    input's dtype does not take.

    >>> import autograd_cnn as ag
    >>> index_fill(ag.zeros(2, 3), 1, ag.tensor([0, -1]), 5)
    tensor([[5., 0., 5.],
            [5., 0., 5.]])
    """
    return _written(*_filled("index_fill", input, dim, index, value))


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """`index_fill` in place; returns input.

    >>> import autograd_cnn as ag
    >>> index_fill_(ag.zeros(3), 0, ag.tensor([1]), 5)
    tensor([0., 5., 0.])
    """
    return _rewritten(*_filled("index_fill_", input, dim, index, value))


def index_put(input: Tensor, indices: tuple[Tensor, ...], values: Tensor, accumulate: bool = False) -> Tensor:
    """x with `values` at x[indices]; with `accumulate`, values are added, all that have one place.

    >>> import autograd_cnn as ag
    >>> index_put(ag.zeros(3), (ag.tensor([0, 0, 2]),), ag.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([3., 0., 3.])
    """
    return index_put_(clone(require_tensor("index_put", input)), indices, values, accumulate)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with the elements of `source`, in order, where `mask` holds; input and mask broadcast.

    Raises ShapeError where source has fewer elements than the mask takes, DTypeError for a mask that is not bool and
    for two dtypes.

    >>> import autograd_cnn as ag
    >>> masked_scatter(ag.zeros(4), ag.tensor([True, False, False, True]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 0., 2.])
    """
    require_mask("masked_scatter", mask)
    dtype = require_tensor("masked_scatter", input).array.dtype
    if require_tensor("masked_scatter", source).array.dtype != dtype:
        raise DTypeError(f"masked_scatter: source has dtype {source.array.dtype}, input has {dtype}")
    shape = broadcast("masked_scatter", input.array.shape, mask.array.shape)
    places = np.flatnonzero(np.broadcast_to(input.device.to_host(mask.array), shape))
    if places.size > source.array.size:
        raise ShapeError(f"masked_scatter: the mask takes {places.size} elements, source has {source.array.size}")
    positions = wrap(input.device.from_host(places), input.device)
    values = reshape(source, -1)[: places.size]
    return reshape(apply(IndexPut(0, 1), reshape(expand(input, shape), -1), positions, values), shape)


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`masked_scatter` in place; returns input, to whose shape the mask broadcasts.

    >>> import autograd_cnn as ag
    >>> masked_scatter_(ag.zeros(2), ag.tensor([False, True]), ag.tensor([1.0]))
    tensor([0., 1.])
    """
    return copy_(input, masked_scatter(input, mask, source))


def _sources(
    op: str, kind: type[Positions], x: Any, dim: int, index: Any, source: Any, alpha: float = 1
) -> tuple[Op, Any, Any, Any]:
    """The op, and what it is applied to."""
    dim, index = index_along(op, require_tensor(op, x), dim, index)
    index = _vector(op, index)
    shape = x.array.shape
    wanted = (*shape[:dim], index.array.size, *shape[dim + 1 :]) if shape else ()
    if require_tensor(op, source).array.shape != wanted:
        raise ShapeError(f"{op}: source has shape {list(source.array.shape)}, input and index need {list(wanted)}")
    if source.array.dtype != x.array.dtype:
        raise DTypeError(f"{op}: source has dtype {source.array.dtype}, input has {x.array.dtype}")
    return kind(dim, 1), x, index, source if alpha == 1 else source * alpha


def _filled(op: str, x: Any, dim: int, index: Any, value: Any) -> tuple[Op, Any, Any, Any]:
    shape = require_tensor(op, x).array.shape
    dim = one_dim(op, dim, len(shape))
    index = _vector(op, require_integer(op, "index", index))
    size = shape[dim] if shape else 1
    if first_outside(index, size) is not None:
        index = where(index < 0, index + size, index)
    _, index = index_along(op, x, dim, index)
    if isinstance(value, TensorBase) and value.array.ndim:
        raise ShapeError(f"{op}: value must be a number, got a tensor of shape {list(value.array.shape)}")
    require_kind(op, value, x.array.dtype)
    return IndexPut(dim, 1), x, index, number_for(op, x, value)


def _vector(op: str, index: Any) -> Any:
    if index.array.ndim > 1:
        raise ShapeError(f"{op}: index must have one dimension, got shape {list(index.array.shape)}")
    return reshape(index, -1)


def _written(op: Op, x: Any, index: Any, value: Any) -> Any:
    if x.array.ndim:
        return apply(op, x, index, value)
    return reshape(apply(op, reshape(x, 1), index, value), ())


def _rewritten(op: Op, x: Any, index: Any, value: Any) -> Any:
    apply_inplace(op, x if x.array.ndim else reshape(x, 1), index, value)
    return x
