"""Losses of predictions against targets of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.activation import SOFTPLUS
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.elementwise import exp, log, log1p
from autograd_cnn.ops.operand import broadcast, pair, require_floating, require_tensor
from autograd_cnn.ops.reduce import mean, sum
from autograd_cnn.ops.rounding import clamp

REDUCTIONS: dict[str, Callable[[Any], Any]] = {"mean": mean, "sum": sum, "none": lambda losses: losses}


def reduction_of(op: str, reduction: str) -> Callable[[Any], Any]:
    """The function that `reduction` names; ArgumentError for an unknown one."""
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{op}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    return REDUCTIONS[reduction]


class BinaryCrossEntropy(Op):
    """-(target log x + (1 - target) log(1 - x)), no logarithm below -100."""

    inputs = ("x", "target")

    def infer(self, x: Any, target: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, target: Any) -> None:
        k.binary_cross_entropy(x, target, out)

    def vjp_x(self, g: Any, x: Any, target: Any) -> Any:
        return g * (x - target) / clamp(x * (1 - x), min=1e-12)

    def vjp_target(self, g: Any, x: Any) -> Any:
        return g * (clamp(log1p(-x), min=-100.0) - clamp(log(x), min=-100.0))


BINARY_CROSS_ENTROPY = BinaryCrossEntropy()


def _promoted(op: str, x: Any, target: Any) -> Any:
    """x and target in their common dtype, which is a float's; checked."""
    x, target = pair(op, require_tensor(op, x), require_tensor(op, target))
    _check_pair(op, x, target)
    return x, target


def _check_pair(op: str, x: Any, target: Any) -> None:
    require_floating(op, x=require_tensor(op, x), target=require_tensor(op, target))
    if x.array.shape != target.array.shape:
        got = f"{list(x.array.shape)} and {list(target.array.shape)}"
        raise ShapeError(f"{op}: x and target must have one shape, got {got}")


def _weighted(op: str, losses: Any, weight: Any) -> Any:
    """The losses times `weight`, which broadcasts to them."""
    if weight is None:
        return losses
    require_floating(op, x=losses, weight=weight)
    if broadcast(op, losses.array.shape, weight.array.shape) != losses.array.shape:
        raise ShapeError(
            f"{op}: weight of shape {list(weight.array.shape)} does not broadcast to x's shape "
            f"{list(losses.array.shape)}"
        )
    return losses * weight


def mse_loss(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The squared error: (x - target)^2, averaged, summed or as it is.

    Raises ShapeError where x and target differ in shape, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> mse_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5000)
    """
    reduced = reduction_of("mse_loss", reduction)
    x, target = _promoted("mse_loss", x, target)
    difference = x - target
    return reduced(difference * difference)


def l1_loss(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The absolute error: |x - target|, averaged, summed or as it is.

    Raises ShapeError where x and target differ in shape, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> l1_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(1.5000)
    """
    reduced = reduction_of("l1_loss", reduction)
    x, target = _promoted("l1_loss", x, target)
    return reduced((x - target).abs())


def smooth_l1_loss(x: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = x - target (Girshick 2015).

    Raises ShapeError where x and target differ in shape, ArgumentError for a negative beta or an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> smooth_l1_loss(ag.tensor([1.5, 2.0]), ag.tensor([1.0, 4.0]), reduction="none")
    tensor([0.1250, 1.5000])
    """
    reduced = reduction_of("smooth_l1_loss", reduction)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    x, target = _promoted("smooth_l1_loss", x, target)
    difference = x - target
    far = difference.abs()
    if beta == 0:
        return reduced(far)
    return reduced(where(far < beta, difference * difference * (0.5 / beta), far - 0.5 * beta))


def huber_loss(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), with d = x - target (Huber 1964).

    Raises ShapeError where x and target differ in shape, ArgumentError for delta <= 0 or an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> huber_loss(ag.tensor([1.5, 2.0]), ag.tensor([1.0, 5.0]), reduction="none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    reduced = reduction_of("huber_loss", reduction)
    if delta <= 0:
        raise ArgumentError(f"huber_loss: delta must be above 0, got {delta}")
    x, target = _promoted("huber_loss", x, target)
    difference = x - target
    far = difference.abs()
    return reduced(where(far < delta, difference * difference * 0.5, (far - 0.5 * delta) * delta))


def binary_cross_entropy(x: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """-(target log x + (1 - target) log(1 - x)) for probabilities x; logarithms are limited to -100.

    Raises ShapeError where x and target differ in shape, ArgumentError for x outside of [0, 1].

    >>> import autograd_cnn as ag
    >>> binary_cross_entropy(ag.tensor([0.5, 0.0]), ag.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduced = reduction_of("binary_cross_entropy", reduction)
    _check_pair("binary_cross_entropy", x, target)
    values = x.device.to_host(x.array)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        wrong = values[~((values >= 0) & (values <= 1))][0]
        raise ArgumentError(
            f"binary_cross_entropy: x must be probabilities, 0 to 1, got {wrong}; "
            "binary_cross_entropy_with_logits takes any number"
        )
    losses = apply(BINARY_CROSS_ENTROPY, x, target)
    return reduced(_weighted("binary_cross_entropy", losses, weight))


def binary_cross_entropy_with_logits(
    x: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """binary_cross_entropy of sigmoid(x), without its overflow: (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x).

    t is `target`, w is `pos_weight`, which weighs the positive answers and broadcasts to x, as `weight` does.

    Raises ShapeError where shapes do not fit, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> binary_cross_entropy_with_logits(ag.tensor([0.0, -1000.0]), ag.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.0000])
    """
    op = "binary_cross_entropy_with_logits"
    reduced = reduction_of(op, reduction)
    _check_pair(op, x, target)
    costs = apply(SOFTPLUS, -x)
    if pos_weight is not None:
        costs = costs + _weighted(op, costs * target, pos_weight - 1)
    return reduced(_weighted(op, (1 - target) * x + costs, weight))


def kl_div(x: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """target (log target - x), for log-probabilities x (Kullback and Leibler 1951).

    "batchmean" divides the sum by the first dimension, which is the divergence itself; "mean" divides by all.

    Raises ShapeError where x and target differ in shape, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> kl_div(ag.tensor([[0.5, 0.5]]).log(), ag.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    batchmean = reduction == "batchmean" and x.array.ndim > 0
    reduced = sum if batchmean else reduction_of("kl_div", reduction)
    _check_pair("kl_div", x, target)
    if log_target:
        losses = exp(target) * (target - x)
    else:
        none = target == 0
        losses = where(none, 0.0, target * log(where(none, 1.0, target))) - target * x
    total = reduced(losses)
    return total / x.array.shape[0] if batchmean else total
