"""Distances of all pairs of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.bounds import clamp_min
from autograd_cnn.ops.linear import matmul
from autograd_cnn.ops.operand import broadcast, require_floating
from autograd_cnn.ops.reduce import ROOT, norm, sum
from autograd_cnn.ops.shape import transpose, unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
FEW = 25  # points for which Euclidean distances are not worth a matrix product


class AllDistances(FusedOp):
    """The p-norm distances of all rows of x1 (..., P, D) from those of x2 (..., R, D): y (..., P, R)."""

    inputs = ("x1", "x2")

    def __init__(self, p: float) -> None:
        self.p = p

    def infer(self, x1: Any, x2: Any) -> Any:
        return (*x1.shape[:-1], x2.shape[-2]), x1.dtype

    def compute(self, k: Any, out: Any, x1: Any, x2: Any) -> None:
        for i in np.ndindex(x1.shape[:-2]):
            k.distances(x1[i], x2[i], self.p, False, out[i])

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x1: Any, x2: Any, y: Any) -> None:
        gx1, gx2 = out
        for i in np.ndindex(x1.shape[:-2]):
            if gx1 is not None:
                k.distances_grad(g[i], x1[i], x2[i], self.p, False, y[i], gx1[i])
            if gx2 is not None:
                k.distances_grad(g[i].T, x2[i], x1[i], self.p, False, y[i].T, gx2[i])

    def composite(self, x1: Any, x2: Any) -> Any:
        return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), self.p, -1)


class PairDistances(FusedOp):
    """The p-norm distances of every row of x (N, D) from those after it, (N (N - 1) / 2,)."""

    inputs = ("x",)

    def __init__(self, p: float) -> None:
        self.p = p

    def infer(self, x: Any) -> Any:
        count = x.shape[0]
        return (count * (count - 1) // 2,), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.distances(x, x, self.p, True, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, y: Any) -> None:
        k.distances_grad(g, x, x, self.p, True, y, out[0])

    def composite(self, x: Any) -> Any:
        first, second = (wrap(x.device.from_host(i), x.device) for i in np.triu_indices(x.array.shape[0], 1))
        return norm(x.index_select(0, first) - x.index_select(0, second), self.p, -1)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows of input: of 0 and 1, 0 and 2, ..., N - 2 and N - 1.

    input: (N, D), y: (N (N - 1) / 2,).  Raises ShapeError for other shapes, ArgumentError for a negative p.

    >>> import autograd_cnn as ag
    >>> pdist(ag.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    require_floating("pdist", input=input)
    _check_power("pdist", p)
    if input.array.ndim != 2:
        raise ShapeError(f"pdist: input must be (N, D), got shape {list(input.array.shape)}")
    return apply(PairDistances(float(p)), input)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = MODES[0]) -> Tensor:
    """The p-norm distances of every row of x1 from every row of x2.

    x1: (..., P, D), x2: (..., R, D), leading dimensions broadcast, y: (..., P, R).  Euclidean distances of more than 25
    points are computed by a matrix product, |a|^2 + |b|^2 - 2 a b, unless `compute_mode` is
    "donot_use_mm_for_euclid_dist"; it loses digits where two points are much nearer to each other than to 0.

    Raises ShapeError where shapes do not fit, ArgumentError for a negative p or an unknown `compute_mode`.

    >>> import autograd_cnn as ag
    >>> cdist(ag.tensor([[0.0, 0.0]]), ag.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    require_floating("cdist", x1=x1, x2=x2)
    _check_power("cdist", p)
    if compute_mode not in MODES:
        raise ArgumentError(f"cdist: compute_mode must be one of {', '.join(MODES)}, got {compute_mode!r}")
    (*batch1, count1, size1), (*batch2, count2, size2) = _points(x1, "x1"), _points(x2, "x2")
    if size1 != size2:
        raise ShapeError(f"cdist: points of x1 have {size1} numbers, those of x2 {size2}")
    broadcast("cdist", tuple(batch1), tuple(batch2))
    if p == 2 and compute_mode != MODES[2] and (compute_mode == MODES[1] or max(count1, count2) > FEW):
        squares = sum(x1 * x1, -1, keepdim=True) + unsqueeze(sum(x2 * x2, -1), -2)
        return apply(ROOT, clamp_min(squares - 2 * matmul(x1, transpose(x2, -1, -2)), 0.0))
    batch = broadcast("cdist", tuple(batch1), tuple(batch2))
    x1, x2 = (x if x.array.shape[:-2] == batch else x.expand(*batch, *x.array.shape[-2:]) for x in (x1, x2))
    return apply(AllDistances(float(p)), x1, x2)


def _check_power(op: str, p: float) -> None:
    if not p >= 0 or math.isnan(p):
        raise ArgumentError(f"{op}: p must be at least 0, got {p}")


def _points(x: Any, name: str) -> tuple[int, ...]:
    shape: tuple[int, ...] = x.array.shape
    if len(shape) < 2:
        raise ShapeError(f"cdist: {name} must be (..., points, D), got shape {list(shape)}")
    return shape
