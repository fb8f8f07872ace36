"""Rows of a table by their number: embedding and one_hot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import int64
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.operand import first_outside, require_integer
from autograd_cnn.ops.reduce import norm
from autograd_cnn.ops.shape import unsqueeze
from autograd_cnn.ops.size import addressable

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Embedding(Op):
    """The rows of weight that ids name; the row `padding_idx` has no gradient.

    With `by_frequency` a row's gradient is divided by how often it was named.
    """

    inputs = ("weight", "ids")
    nondifferentiable = ("ids",)

    def __init__(self, padding_idx: int | None, by_frequency: bool = False) -> None:
        self.padding_idx = padding_idx
        self.by_frequency = by_frequency

    def infer(self, weight: Any, ids: Any) -> Any:
        if weight.ndim != 2:
            raise ShapeError(f"embedding: weight must be (count, features), got shape {list(weight.shape)}")
        return (*ids.shape, weight.shape[1]), weight.dtype

    def compute(self, k: Any, out: Any, weight: Any, ids: Any) -> None:
        if out.size:
            k.embedding(weight, ids, out)

    def vjp_weight(self, g: Any, ids: Any, weight_shape: Any) -> Any:
        if self.by_frequency:
            g = g / unsqueeze(frequency(ids, weight_shape[0], g.array.dtype), -1)
        return apply(EmbeddingGrad(weight_shape[0], self.padding_idx), g, ids)


class EmbeddingGrad(Op):
    """For each of `count` ids the sum of its rows of x; the row `padding_idx` stays 0."""

    inputs = ("x", "ids")
    nondifferentiable = ("ids",)

    def __init__(self, count: int, padding_idx: int | None) -> None:
        self.count = count
        self.padding_idx = padding_idx

    def infer(self, x: Any, ids: Any) -> Any:
        return (self.count, x.shape[-1]), x.dtype

    def compute(self, k: Any, out: Any, x: Any, ids: Any) -> None:
        if x.size:
            k.embedding_grad(x, ids, -1 if self.padding_idx is None else self.padding_idx, out)
        else:
            k.fill(out, 0)

    def vjp_x(self, g: Any, ids: Any) -> Any:
        rows = apply(Embedding(self.padding_idx), g, ids)
        return rows if self.padding_idx is None else where(unsqueeze(ids == self.padding_idx, -1), 0.0, rows)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of a table: y[..., :] = weight[ids[...], :].

    input: (...) of integers, weight: (count, features), y: (..., features).  The row `padding_idx`, which may
    count from the end, gets no gradient.  With `max_norm` rows that are named are first, in the table itself, scaled
    down to that `norm_type`-norm where it is more.  With `scale_grad_by_freq` a row's gradient is divided by how often
    it was named.  Gradients are dense, whatever `sparse` says.

    Raises IndexOutOfRangeError for an id outside of [0, count), DTypeError unless ids holds integers, InPlaceError
    where `max_norm` cannot change the table.

    >>> import autograd_cnn as ag
    >>> embedding(ag.tensor([1, 1, 0]), ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    input = require_integer("embedding", "input", input)
    if not isinstance(weight, TensorBase):
        raise DTypeError(f"embedding: weight must be a tensor, got {type(weight).__name__}")
    count = weight.array.shape[0] if weight.array.ndim == 2 else 0
    if weight.array.ndim == 2:
        require_range("embedding", "id", input, count)
        if padding_idx is not None:
            if not -count <= padding_idx < count:
                raise ArgumentError(f"embedding: padding_idx {padding_idx} is out of range for {count} embeddings")
            padding_idx %= count
        if max_norm is not None:
            renormalise("embedding", weight, input, max_norm, norm_type)
    return apply(Embedding(padding_idx, scale_grad_by_freq), weight, input)


def renormalise(op: str, weight: Any, ids: Any, max_norm: float, norm_type: float) -> None:
    """Scales the rows that ids name down to `max_norm`, in place and not recorded."""
    require_changeable(op, "weight", weight)
    with no_grad():
        rows = wrap(ids.device.from_host(np.unique(ids.device.to_host(ids.array))), ids.device)
        named = weight.detach().index_select(0, rows)
        lengths = norm(named, norm_type, 1, keepdim=True)
        factors = where(lengths > max_norm, max_norm / (lengths + 1e-7), 1.0)
        weight.index_copy_(0, rows, named * factors)


def frequency(ids: Any, count: int, dtype: Any) -> Any:
    """How often the table's row behind each id is named."""
    host = ids.device.to_host(ids.array)
    return wrap(ids.device.from_host(np.bincount(host.ravel(), minlength=count)[host].astype(dtype)), ids.device)


def require_range(op: str, what: str, ids: Any, count: int) -> None:
    bad = first_outside(ids, count)
    if bad is not None:
        raise IndexOutOfRangeError(f"{op}: {what} {bad} is out of range [0, {count})")


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """1 where a new last dimension's position is the one that x names, else 0: y[..., c] = (x[...] == c).

    `num_classes` -1 stands for the largest value of input plus 1.  Raises IndexOutOfRangeError for a class
    outside of [0, num_classes), DTypeError unless input holds integers.

    >>> import autograd_cnn as ag
    >>> one_hot(ag.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    input = require_integer("one_hot", "input", input)
    host = input.device.to_host(input.array)
    if num_classes == -1:
        if not host.size:
            raise ArgumentError("one_hot: input is empty, so num_classes must be given")
        num_classes = int(host.max()) + 1
    if num_classes < 1 and host.size:
        raise ArgumentError(f"one_hot: num_classes must be at least 1, got {num_classes}")
    addressable("one_hot", (*input.array.shape, num_classes))
    require_range("one_hot", "class", input, num_classes)
    classes = wrap(input.device.from_host(np.arange(num_classes, dtype=np.int64)), input.device)
    return cast(unsqueeze(input, -1) == classes, int64)
