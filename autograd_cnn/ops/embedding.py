"""Rows of a table by their number: embedding and one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.dtype import int64
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.operand import first_outside, require_integer
from autograd_cnn.ops.shape import unsqueeze


class Embedding(Op):
    """The rows of weight that ids name; the row `padding_idx` has no gradient."""

    inputs = ("weight", "ids")
    nondifferentiable = ("ids",)

    def __init__(self, padding_idx: int | None) -> None:
        self.padding_idx = padding_idx

    def infer(self, weight: Any, ids: Any) -> Any:
        if weight.ndim != 2:
            raise ShapeError(f"embedding: weight must be (count, features), got shape {list(weight.shape)}")
        return (*ids.shape, weight.shape[1]), weight.dtype

    def compute(self, k: Any, out: Any, weight: Any, ids: Any) -> None:
        if out.size:
            k.embedding(weight, ids, out)

    def vjp_weight(self, g: Any, ids: Any, weight_shape: Any) -> Any:
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


def embedding(ids: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a table: y[..., :] = weight[ids[...], :].

    ids: (...) of integers, weight: (count, features), y: (..., features).  The row `padding_idx`, which may
    count from the end, gets no gradient.  Raises IndexOutOfRangeError for an id outside of [0, count),
    DTypeError unless ids holds integers.

    >>> import autograd_cnn as ag
    >>> embedding(ag.tensor([1, 1, 0]), ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    ids = require_integer("embedding", "ids", ids)
    if not isinstance(weight, TensorBase):
        raise DTypeError(f"embedding: weight must be a tensor, got {type(weight).__name__}")
    count = weight.array.shape[0] if weight.array.ndim == 2 else 0
    if weight.array.ndim == 2:
        _require_range("embedding", "id", ids, count)
        if padding_idx is not None:
            if not -count <= padding_idx < count:
                raise ArgumentError(f"embedding: padding_idx {padding_idx} is out of range for {count} embeddings")
            padding_idx %= count
    return apply(Embedding(padding_idx), weight, ids)


def _require_range(op: str, what: str, ids: Any, count: int) -> None:
    bad = first_outside(ids, count)
    if bad is not None:
        raise IndexOutOfRangeError(f"{op}: {what} {bad} is out of range [0, {count})")


def one_hot(x: Any, num_classes: int = -1) -> Any:
    """1 where a new last dimension's position is the one that x names, else 0: y[..., c] = (x[...] == c).

    `num_classes` -1 stands for the largest value of x plus 1.  Raises IndexOutOfRangeError for a class
    outside of [0, num_classes), DTypeError unless x holds integers.

    >>> import autograd_cnn as ag
    >>> one_hot(ag.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    x = require_integer("one_hot", "x", x)
    host = x.device.to_host(x.array)
    if num_classes == -1:
        if not host.size:
            raise ArgumentError("one_hot: x is empty, so num_classes must be given")
        num_classes = int(host.max()) + 1
    if num_classes < 1 and host.size:
        raise ArgumentError(f"one_hot: num_classes must be at least 1, got {num_classes}")
    _require_range("one_hot", "class", x, num_classes)
    classes = wrap(x.device.from_host(np.arange(num_classes, dtype=np.int64)), x.device)
    return cast(unsqueeze(x, -1) == classes, int64)
