"""Losses of the difference between predictions and targets of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.loss_reduction import (
    REDUCTIONS,
    losses_for,
    reduce_losses,
    reduction_named,
    reduction_of,
    share_of_each,
)
from autograd_cnn.ops.operand import broadcast, pair, require_floating, require_tensor
from autograd_cnn.ops.reduce import sum

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Huber(FusedOp):
    """The reduced losses scale * (d^2 / 2 where |d| <= limit, else limit (|d| - limit / 2)) with d = x - target."""

    inputs = ("x", "target")

    def __init__(self, limit: float, scale: float, reduction: str) -> None:
        self.limit = limit
        self.scale = scale
        self.reduction = reduction

    def infer(self, x: Any, target: Any) -> Any:
        return x.shape if self.reduction == "none" else (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, target: Any) -> None:
        losses = losses_for(out, x.shape, self.reduction)
        k.huber(x, target, self.limit, self.scale, losses)
        reduce_losses(k, losses, self.reduction, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, target: Any) -> None:
        gx, of_target = out
        scale = self.scale * share_of_each(self.reduction, x.size)
        if gx is None:
            k.huber_slope(x, target, g, self.limit, -scale, of_target)
            return
        k.huber_slope(x, target, g, self.limit, scale, gx)
        if of_target is not None:
            k.neg(gx, of_target)

    def composite(self, x: Any, target: Any) -> Any:
        difference = x - target
        losses = difference * difference * (0.5 * self.scale)
        if self.limit < inf:
            far = difference.abs()
            linear = (far - 0.5 * self.limit) * (self.limit * self.scale)
            losses = where(far <= self.limit, losses, linear)
        return REDUCTIONS[self.reduction](losses)


class AbsoluteError(FusedOp):
    """The reduced losses |x - target|."""

    inputs = ("x", "target")

    def __init__(self, reduction: str) -> None:
        self.reduction = reduction

    def infer(self, x: Any, target: Any) -> Any:
        return x.shape if self.reduction == "none" else (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, target: Any) -> None:
        losses = losses_for(out, x.shape, self.reduction)
        k.absolute_error(x, target, losses)
        reduce_losses(k, losses, self.reduction, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, target: Any) -> None:
        gx, of_target = out
        share = share_of_each(self.reduction, x.size)
        if gx is None:
            k.absolute_error_slope(x, target, g, -share, 0.0, of_target)
            return
        k.absolute_error_slope(x, target, g, share, 0.0, gx)
        if of_target is not None:
            k.neg(gx, of_target)

    def composite(self, x: Any, target: Any) -> Any:
        return REDUCTIONS[self.reduction]((x - target).abs())


ABSOLUTE_ERROR = {reduction: AbsoluteError(reduction) for reduction in REDUCTIONS}


@lru_cache(maxsize=256)
def _huber(limit: float, scale: float, reduction: str) -> Huber:
    return Huber(limit, scale, reduction)


def promoted_pair(op: str, x: Any, target: Any) -> Any:
    """x and target in their common dtype, which is a float's; checked."""
    x, target = pair(op, require_tensor(op, x), require_tensor(op, target))
    check_pair(op, x, target)
    return x, target


def check_pair(op: str, x: Any, target: Any) -> None:
    """Raises unless x and target are floating point tensors of one dtype and one shape."""
    require_floating(op, input=require_tensor(op, x), target=require_tensor(op, target))
    if x.array.shape != target.array.shape:
        got = f"{list(x.array.shape)} and {list(target.array.shape)}"
        raise ShapeError(f"{op}: input and target must have one shape, got {got}")


def weighted(op: str, losses: Any, weight: Any) -> Any:
    """The losses times `weight`, which broadcasts to them."""
    if weight is None:
        return losses
    require_floating(op, input=losses, weight=weight)
    if broadcast(op, losses.array.shape, weight.array.shape) != losses.array.shape:
        raise ShapeError(
            f"{op}: weight of shape {list(weight.array.shape)} does not broadcast to input's shape "
            f"{list(losses.array.shape)}"
        )
    return losses * weight


def _check_weight(op: str, x: Any, weight: Any) -> None:
    """Raises unless there is a weight for each element of x."""
    if require_tensor(op, weight).array.shape != x.array.shape:
        raise ShapeError(f"{op}: weight must have input's shape {list(x.array.shape)}, got {list(weight.array.shape)}")


def _weighted_mean(losses: Any, weight: Any, reduction: str) -> Any:
    """The losses times `weight`, a number for each; their mean is divided by the sum of the weights."""
    losses = losses * weight
    return sum(losses) / sum(weight) if reduction == "mean" else REDUCTIONS[reduction](losses)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error: (x - target)^2, averaged, summed or as it is; `weight` has a number for each.

    With weights "mean" is the weighted mean.  input, target and weight: (...) alike.

    Raises ShapeError where shapes differ, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> mse_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5000)
    """
    reduction = reduction_named("mse_loss", reduction, size_average, reduce)
    input, target = promoted_pair("mse_loss", input, target)
    if weight is None:
        return apply(_huber(inf, 2.0, reduction), input, target)
    _check_weight("mse_loss", input, weight)
    return _weighted_mean(apply(_huber(inf, 2.0, "none"), input, target), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error: |x - target|, averaged, summed or as it is; `weight` has a number for each.

    With weights "mean" is the weighted mean.  input, target and weight: (...) alike.

    Raises ShapeError where shapes differ, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> l1_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(1.5000)
    """
    reduction = reduction_named("l1_loss", reduction, size_average, reduce)
    input, target = promoted_pair("l1_loss", input, target)
    if weight is None:
        return apply(ABSOLUTE_ERROR[reduction], input, target)
    _check_weight("l1_loss", input, weight)
    return _weighted_mean(apply(ABSOLUTE_ERROR["none"], input, target), weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = x - target (Girshick 2015).

    Raises ShapeError where input and target differ in shape, ArgumentError for a negative beta or an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> smooth_l1_loss(ag.tensor([1.5, 2.0]), ag.tensor([1.0, 4.0]), reduction="none")
    tensor([0.1250, 1.5000])
    """
    reduction = reduction_named("smooth_l1_loss", reduction, size_average, reduce)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    if beta == 0:
        input, target = promoted_pair("smooth_l1_loss", input, target)
        return l1_loss(input, target, reduction=reduction)
    return apply(_huber(float(beta), 1 / beta, reduction), *promoted_pair("smooth_l1_loss", input, target))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), with d = x - target (Huber 1964).

    `weight` has a number for each loss; as in PyTorch their number, not the sum of the weights, divides the "mean".

    Raises ShapeError where shapes differ, ArgumentError for delta <= 0 or an unknown reduction.

    >>> import autograd_cnn as ag
    >>> huber_loss(ag.tensor([1.5, 2.0]), ag.tensor([1.0, 5.0]), reduction="none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    reduction_of("huber_loss", reduction)
    if delta <= 0:
        raise ArgumentError(f"huber_loss: delta must be above 0, got {delta}")
    input, target = promoted_pair("huber_loss", input, target)
    if weight is None:
        return apply(_huber(float(delta), 1.0, reduction), input, target)
    _check_weight("huber_loss", input, weight)
    return REDUCTIONS[reduction](apply(_huber(float(delta), 1.0, "none"), input, target) * weight)
