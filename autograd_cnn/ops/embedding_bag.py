"""Sums, means and maxima over bags of rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.embedding import embedding, renormalise, require_range
from autograd_cnn.ops.index import index_select
from autograd_cnn.ops.index_write import index_add
from autograd_cnn.ops.operand import require_floating, require_integer
from autograd_cnn.ops.shape import reshape, unsqueeze

MODES = ("sum", "mean", "max")


def embedding_bag(
    x: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """For each bag of ids the sum, the mean or the maximum of their rows of the table; 0 for a bag of none.

    x: (bags, ids) of integers, or (ids,) with `offsets` (bags,), the places where bags begin, and with
    `include_last_offset` the end of the last one; weight: (count, features), y: (bags, features).
    `per_sample_weights`, of x's shape, multiply the rows of a sum.  Ids equal to `padding_idx` do not count.
    `max_norm`, `norm_type`, `scale_grad_by_freq` and `sparse` as in `embedding`.

    Raises ShapeError and ArgumentError for what does not fit, IndexOutOfRangeError for an id outside of [0, count).

    >>> import autograd_cnn as ag
    >>> table = ag.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> embedding_bag(ag.tensor([0, 1, 2]), table, ag.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [5., 6.]])
    """
    op = "embedding_bag"
    _check_options(mode, scale_grad_by_freq, per_sample_weights)
    x = require_integer(op, "x", x)
    if not isinstance(weight, TensorBase) or weight.array.ndim != 2:
        raise ShapeError(f"{op}: weight must be a tensor (count, features)")
    count = weight.array.shape[0]
    require_range(op, "id", x, count)
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise ArgumentError(f"{op}: padding_idx {padding_idx} is out of range for {count} embeddings")
        padding_idx %= count
    if per_sample_weights is not None:
        require_floating(op, weight=weight, per_sample_weights=per_sample_weights)
        if per_sample_weights.array.shape != x.array.shape:
            raise ShapeError(
                f"{op}: per_sample_weights must have x's shape {list(x.array.shape)}, "
                f"got {list(per_sample_weights.array.shape)}"
            )
    starts = _starts(x, offsets, include_last_offset)
    if max_norm is not None:
        renormalise(op, weight, x, max_norm, norm_type)
    ids = x.device.to_host(x.array).ravel()
    bags = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    counted = np.ones(ids.size, bool) if padding_idx is None else ids != padding_idx
    if mode == "max":
        return _maxima(weight, ids[counted], bags[counted], starts.size - 1, scale_grad_by_freq)
    flat = reshape(x, (ids.size,))
    rows = embedding(flat, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq)
    factors = None if per_sample_weights is None else reshape(per_sample_weights, (ids.size,))
    if padding_idx is not None:
        kept = wrap(x.device.from_host(counted.astype(weight.array.dtype)), x.device)
        factors = kept if factors is None else factors * kept
    if factors is not None:
        rows = rows * unsqueeze(factors, -1)
    sums = _sums(rows, starts, bags)
    if mode == "sum":
        return sums
    sizes = np.maximum(np.bincount(bags[counted], minlength=starts.size - 1), 1).astype(weight.array.dtype)
    return sums / wrap(x.device.from_host(sizes[:, None]), x.device)


def _check_options(mode: str, scale_grad_by_freq: bool, per_sample_weights: Any) -> None:
    if mode not in MODES:
        raise ArgumentError(f"embedding_bag: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ArgumentError("embedding_bag: scale_grad_by_freq does not go with mode 'max'")
    if per_sample_weights is not None and mode != "sum":
        raise ArgumentError(f"embedding_bag: per_sample_weights go with mode 'sum', got {mode!r}")


def _starts(x: Any, offsets: Any, include_last_offset: bool) -> Any:
    """Where the bags begin among all ids, and the end of the last one."""
    shape = x.array.shape
    if len(shape) == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: the rows of a 2-D x are the bags, so offsets must be None")
        return np.arange(shape[0] + 1) * shape[1]
    if len(shape) != 1:
        raise ShapeError(f"embedding_bag: x must have 1 or 2 dimensions, got shape {list(shape)}")
    if offsets is None:
        raise ArgumentError("embedding_bag: a 1-D x needs offsets, got None")
    offsets = require_integer("embedding_bag", "offsets", offsets)
    if offsets.array.ndim != 1:
        raise ShapeError(f"embedding_bag: offsets must have 1 dimension, got shape {list(offsets.array.shape)}")
    places = offsets.device.to_host(offsets.array)
    if include_last_offset and not places.size:
        raise ArgumentError("embedding_bag: include_last_offset needs at least 1 offset, got none")
    if places.size and places[0] != 0:
        raise ArgumentError(f"embedding_bag: offsets must begin with 0, got {places[0]}")
    if (np.diff(places) < 0).any() or (places.size and places[-1] > shape[0]):
        raise ArgumentError(
            f"embedding_bag: offsets must grow up to {shape[0]}, the number of ids, got {places.tolist()}"
        )
    return places if include_last_offset else np.append(places, shape[0])


def _sums(rows: Any, starts: Any, bags: Any) -> Any:
    """The sums of the rows of each bag."""
    count, features = starts.size - 1, rows.array.shape[1]
    sizes = np.diff(starts)
    if count and sizes[0] > 0 and (sizes == sizes[0]).all() and starts[-1] == rows.array.shape[0]:
        return reshape(rows, (count, int(sizes[0]), features)).sum(1)
    used = rows if starts.size and starts[-1] == rows.array.shape[0] else rows[: int(starts[-1])]
    return index_add(rows.new_zeros((count, features)), 0, wrap(rows.device.from_host(bags), rows.device), used)


def _maxima(weight: Any, ids: Any, bags: Any, count: int, by_frequency: bool) -> Any:
    """The largest of each column of the rows of each bag, the first of equal ones; 0 for a bag of none."""
    sizes = np.bincount(bags, minlength=count)
    most = int(sizes.max(initial=0))
    if not most:
        return weight.new_zeros((count, weight.array.shape[1]))
    # Bags are filled up with their first id: the first of equal values is taken.
    starts = np.cumsum(sizes) - sizes
    places = np.arange(most) + starts[:, None]
    places = np.where(np.arange(most) < sizes[:, None], places, np.minimum(starts, ids.size - 1)[:, None])
    table = wrap(weight.device.from_host(np.ascontiguousarray(ids[places].ravel())), weight.device)
    rows = reshape(index_select(weight, 0, table), (count, most, weight.array.shape[1]))
    filled = wrap(weight.device.from_host((sizes > 0)[:, None]), weight.device)
    return where(filled, rows.max(1)[0], 0.0)
