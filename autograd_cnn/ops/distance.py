"""Distances and similarities of vectors, pair by pair and of all pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import float64
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.bounds import clamp_min
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.operand import broadcast, pair, require_floating, require_tensor
from autograd_cnn.ops.reduce import ROOT, norm, sum
from autograd_cnn.ops.shape import unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class RowPairs(FusedOp, abstract=True):
    """An op on the last dimensions of x1 and x2, of one shape, whose gradients are sums of both with a factor a row."""

    inputs = ("x1", "x2")
    outputs = ("y", "sums")
    auxiliary = ("sums",)

    def _fill(self, k: Any, out: Any, x: Any, y: Any, a: Any, b: Any, c: Any) -> None:
        """out = a x + b y + c, where there is an array to fill."""
        if out is not None:
            k.row_combination(_rows(x), _rows(y), a, b, c, _rows(out))


class Cosine(RowPairs):
    """x1 . x2 / (|x1| |x2|): lengths are at least `least`, or the roots of squares plus `added`.

    sums (3, rows) float64: x1 . x1, x1 . x2 and x2 . x2.
    """

    def __init__(self, least: float, added: float) -> None:
        self.least = least
        self.added = added

    def infer(self, x1: Any, x2: Any) -> Any:
        shape = x1.shape[:-1]
        return [(shape, x1.dtype), ((3, math.prod(shape)), float64)]

    def compute(self, k: Any, out: Any, x1: Any, x2: Any) -> None:
        y, sums = out
        x1, x2 = _rows(x1), _rows(x2)
        for total, both in zip(sums, ((x1, x1), (x1, x2), (x2, x2)), strict=True):
            k.row_products(*both, total)
        first, second = (np.maximum(length, self.least) for length in self._lengths(sums))
        y[...] = (sums[1] / (first * second)).reshape(y.shape)

    def _lengths(self, sums: Any) -> Any:
        return np.sqrt(sums[::2] + self.added)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x1: Any, x2: Any, sums: Any) -> None:
        g, lengths, none = g.ravel().astype(float64), self._lengths(sums), np.zeros(g.size)
        first, second = (np.maximum(length, self.least) for length in lengths)
        both = g / (first * second)
        # The gradient of a length is not stopped where it is less than the least.
        own = (
            np.divide(-both * sums[1], limited * length, out=none.copy(), where=length > 0)
            for limited, length in zip((first, second), lengths, strict=True)
        )
        for gx, x, other, factor in zip(out, (x1, x2), (x2, x1), own, strict=True):
            self._fill(k, gx, x, other, factor, both, none)

    def composite(self, x1: Any, x2: Any) -> Any:
        lengths = [
            _at_least(apply(ROOT, sum(x * x, -1) + self.added if self.added else sum(x * x, -1)), self.least)
            for x in (x1, x2)
        ]
        return sum(x1 * x2, -1) / (lengths[0] * lengths[1])


class Distance(RowPairs):
    """The length of x1 - x2 + eps; sums (1, rows) float64: the same."""

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def infer(self, x1: Any, x2: Any) -> Any:
        shape = x1.shape[:-1]
        return [(shape, x1.dtype), ((1, math.prod(shape)), float64)]

    def compute(self, k: Any, out: Any, x1: Any, x2: Any) -> None:
        y, sums = out
        squares = np.empty(x1.shape, x1.dtype)
        k.squared_distance(x1, x2, self.eps, 0.0, squares)
        k.sum(squares, (squares.ndim - 1,), y)
        sums[...] = np.sqrt(y.reshape(sums.shape).astype(float64))
        y[...] = sums.reshape(y.shape)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x1: Any, x2: Any, sums: Any) -> None:
        factors = np.divide(g.ravel(), sums[0], out=np.zeros(g.size), where=sums[0] != 0)
        self._fill(k, out[0], x1, x2, factors, -factors, factors * self.eps)
        self._fill(k, out[1], x1, x2, -factors, factors, factors * -self.eps)

    def composite(self, x1: Any, x2: Any) -> Any:
        return norm(x1 - x2 + self.eps if self.eps else x1 - x2, 2, -1)


class Normalize(FusedOp):
    """x / max(|x|, eps) over the last dimension; sums (1, rows) float64: |x|."""

    inputs = ("x",)
    outputs = ("y", "sums")
    auxiliary = ("sums",)

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def infer(self, x: Any) -> Any:
        return [(x.shape, x.dtype), ((1, math.prod(x.shape[:-1])), float64)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        y, sums = out
        rows, none = _rows(x), np.zeros(sums.size)
        k.row_products(rows, rows, sums[0])
        np.sqrt(sums, out=sums)
        k.row_combination(rows, rows, 1 / np.maximum(sums[0], self.eps), none, none, _rows(y))

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, sums: Any) -> None:
        rows, g, none = _rows(x), _rows(g), np.zeros(sums.size)
        product = np.empty(sums.size)
        k.row_products(g, rows, product)
        lengths = np.maximum(sums[0], self.eps)
        kept = (sums[0] >= self.eps) & (sums[0] > 0)
        own = np.divide(-product, lengths * lengths * sums[0], out=none.copy(), where=kept)
        k.row_combination(rows, g, own, 1 / lengths, none, _rows(out[0]))

    def composite(self, x: Any) -> Any:
        return x / clamp_min(norm(x, 2, -1, keepdim=True), self.eps)


def _rows(x: Any) -> Any:
    """An array as a matrix, its last dimension kept."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _last(x: Any, dim: int) -> bool:
    """Whether `dim` is the last of some, and not of size 0."""
    ndim = x.array.ndim
    return bool(ndim > 0 and dim % ndim == ndim - 1 and x.array.shape[-1] > 0)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between x1 and x2 along `dim`: x1 . x2 / (max(|x1|, eps) max(|x2|, eps)).

    x1 and x2 broadcast; the result lacks `dim`.  Raises ShapeError where they do not, IndexOutOfRangeError for a
    dimension that is not there.

    >>> import autograd_cnn as ag
    >>> cosine_similarity(ag.tensor([[1.0, 0.0]]), ag.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    x1, x2 = _two("cosine_similarity", x1, x2)
    shape = broadcast("cosine_similarity", x1.array.shape, x2.array.shape)
    dim = one_dim("cosine_similarity", dim, len(shape)) - len(shape)
    if x1.array.shape == shape == x2.array.shape and _last(x1, dim):
        return apply(Cosine(float(eps), 0.0), x1, x2)[0]
    if x1.array.shape != shape:
        x1 = x1.expand(shape)
    if x2.array.shape != shape:
        x2 = x2.expand(shape)
    return sum(x1 * x2, dim) / (_at_least(norm(x1, 2, dim), eps) * _at_least(norm(x2, 2, dim), eps))


def _at_least(length: Any, eps: float) -> Any:
    """`length`, brought up to eps in value but not in gradient."""
    with no_grad():
        short = length < eps
        raised = (eps - length) * short if short.any() else None
    return length if raised is None else length + raised


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps over the last dimension.

    x1 and x2: (..., D), broadcast; y: (...), or (..., 1) with `keepdim`.  Raises ShapeError where they do not.

    >>> import autograd_cnn as ag
    >>> pairwise_distance(ag.tensor([[3.0, 4.0]]), ag.tensor([[0.0, 0.0]]))
    tensor([5.0000])
    """
    x1, x2 = _two("pairwise_distance", x1, x2)
    broadcast("pairwise_distance", x1.array.shape, x2.array.shape)
    if p == 2 and x1.array.shape == x2.array.shape and _last(x1, -1):
        y = apply(Distance(float(eps)), x1, x2)[0]
        return unsqueeze(y, -1) if keepdim else y
    difference = x1 - x2
    return norm(difference + eps if eps else difference, p, -1 if difference.array.ndim else None, keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x divided by its p-norm along `dim`, or by eps where that is less: x / max(|x|_p, eps).

    Raises IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> normalize(ag.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    require_floating("normalize", input=input)
    dim = one_dim("normalize", dim, input.array.ndim)
    if p == 2 and _last(input, dim):
        return apply(Normalize(float(eps)), input)[0]
    return input / clamp_min(norm(input, p, dim, keepdim=True), eps)


def _two(op: str, x1: Any, x2: Any) -> Any:
    """Both in their common dtype, which must be a float's."""
    x1, x2 = pair(op, require_tensor(op, x1), require_tensor(op, x2))
    require_floating(op, x1=x1, x2=x2)
    return x1, x2
