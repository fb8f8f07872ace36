"""Sums, means and maxima over bags of rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.embedding import EmbeddingGrad, frequency, renormalise, require_range
from autograd_cnn.ops.index import index_select
from autograd_cnn.ops.operand import require_floating, require_integer
from autograd_cnn.ops.shape import reshape, unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

MODES = ("sum", "mean", "max")


class EmbeddingBag(Op):
    """The sums over bags of the rows that ids (n,) name, times factors (n,); starts (bags + 1,) says where bags begin.

    With `by_frequency` a row's gradient is divided by how often it was named.
    """

    inputs = ("weight", "ids", "starts", "factors")
    nondifferentiable = ("ids", "starts")

    def __init__(self, by_frequency: bool) -> None:
        self.by_frequency = by_frequency

    def infer(self, weight: Any, ids: Any, starts: Any, factors: Any = None) -> Any:
        return (starts.size - 1, weight.shape[1]), weight.dtype

    def compute(self, k: Any, out: Any, weight: Any, ids: Any, starts: Any, factors: Any = None) -> None:
        k.embedding_bag(weight, ids, starts, factors, out)

    def vjp_weight(self, g: Any, ids: Any, starts: Any, factors: Any, weight_shape: Any) -> Any:
        rows = _of_entries(g, starts)
        if factors is not None:
            rows = rows * unsqueeze(factors, -1)
        if self.by_frequency:
            rows = rows / unsqueeze(frequency(ids, weight_shape[0], g.array.dtype), -1)
        return apply(EmbeddingGrad(weight_shape[0], None), rows, ids)

    def vjp_factors(self, g: Any, weight: Any, ids: Any, starts: Any) -> Any:
        return (_of_entries(g, starts) * index_select(weight, 0, ids)).sum(-1)


def _of_entries(g: Any, starts: Any) -> Any:
    """For each entry of the bags the row of its bag."""
    places = starts.device.to_host(starts.array)
    bags = np.repeat(np.arange(places.size - 1), np.diff(places))
    return index_select(g, 0, wrap(starts.device.from_host(bags), starts.device))


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """For each bag of ids the sum, the mean or the maximum of their rows of the table; 0 for a bag of none.

    input: (bags, ids) of integers, or (ids,) with `offsets` (bags,), the places where bags begin, and with
    `include_last_offset` the end of the last one; weight: (count, features), y: (bags, features).
    `per_sample_weights`, of input's shape, multiply the rows of a sum.  Ids equal to `padding_idx` do not count.
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
    input = require_integer(op, "input", input)
    if not isinstance(weight, TensorBase) or weight.array.ndim != 2:
        raise ShapeError(f"{op}: weight must be a tensor (count, features)")
    count = weight.array.shape[0]
    require_range(op, "id", input, count)
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise ArgumentError(f"{op}: padding_idx {padding_idx} is out of range for {count} embeddings")
        padding_idx %= count
    if per_sample_weights is not None:
        require_floating(op, weight=weight, per_sample_weights=per_sample_weights)
        if per_sample_weights.array.shape != input.array.shape:
            raise ShapeError(
                f"{op}: per_sample_weights must have input's shape {list(input.array.shape)}, "
                f"got {list(per_sample_weights.array.shape)}"
            )
    starts = _starts(input, offsets, include_last_offset)
    if max_norm is not None:
        renormalise(op, weight, input, max_norm, norm_type)
    ids = input.device.to_host(input.array).ravel()[: starts[-1]]
    bags = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    counted: Any = slice(None) if padding_idx is None else np.flatnonzero(ids != padding_idx)
    ids, bags = ids[counted], bags[counted]
    sizes = np.bincount(bags, minlength=starts.size - 1)
    if mode == "max":
        return _maxima(weight, ids, sizes)
    ends: np.ndarray = np.append(0, np.cumsum(sizes))
    inputs = [wrap(input.device.from_host(np.ascontiguousarray(array)), input.device) for array in (ids, ends)]
    if per_sample_weights is not None:
        places = wrap(input.device.from_host(np.arange(ids.size) if padding_idx is None else counted), input.device)
        factors = reshape(per_sample_weights, (input.array.size,))
        inputs.append(factors if ids.size == input.array.size else index_select(factors, 0, places))
    sums = apply(EmbeddingBag(scale_grad_by_freq), weight, *inputs)
    if mode == "sum":
        return sums
    return sums / wrap(input.device.from_host(np.maximum(sizes, 1).astype(weight.array.dtype)[:, None]), input.device)


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
            raise ArgumentError("embedding_bag: the rows of a 2-D input are the bags, so offsets must be None")
        return np.arange(shape[0] + 1) * shape[1]
    if len(shape) != 1:
        raise ShapeError(f"embedding_bag: input must have 1 or 2 dimensions, got shape {list(shape)}")
    if offsets is None:
        raise ArgumentError("embedding_bag: a 1-D input needs offsets, got None")
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


def _maxima(weight: Any, ids: Any, sizes: Any) -> Any:
    """The largest of each column of the rows of each bag, the first of equal ones; 0 for a bag of none."""
    count = sizes.size
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
