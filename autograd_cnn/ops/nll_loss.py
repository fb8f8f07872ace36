"""The loss of log-probabilities against class labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.cross_entropy import check_labels, check_shape, checked_weight, weights_of
from autograd_cnn.ops.loss_reduction import losses_for, reduction_named
from autograd_cnn.ops.operand import require_floating, require_integer

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class NegativeLogLikelihood(FusedOp):
    """-factors * x[labels], as they are or their sum divided by `total`; where a factor is 0 x does not count.

    x: (N, C, ...), labels: (N, ...), factors: (N, ...), 1 where they are missing.
    """

    inputs = ("x", "labels", "factors")
    nondifferentiable = ("labels", "factors")

    def __init__(self, reduction: str, total: float) -> None:
        self.reduction = reduction
        self.total = total

    def infer(self, x: Any, labels: Any, factors: Any = None) -> Any:
        return labels.shape if self.reduction == "none" else (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, labels: Any, factors: Any = None) -> None:
        losses = losses_for(out, labels.shape, self.reduction)
        k.labelled(x, labels, losses)
        k.neg(losses, losses)
        if factors is not None:
            k.mul(losses, factors, losses)
            losses[factors == 0] = 0
        if self.reduction != "none":
            k.sum(losses, tuple(range(losses.ndim)), out)
            k.div(out, np.asarray(self.total, out.dtype), out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, labels: Any, factors: Any) -> None:
        gx = out[0]
        slopes = np.empty(labels.shape, gx.dtype)
        slopes[...] = g
        k.div(slopes, np.asarray(-self.total, gx.dtype), slopes)
        if factors is not None:
            k.mul(slopes, factors, slopes)
            slopes[factors == 0] = 0
        k.put_labelled(slopes, labels, gx)

    def composite(self, x: Any, labels: Any, factors: Any = None) -> Any:
        losses = -x.gather(1, labels.unsqueeze(1)).squeeze(1)
        if factors is not None:
            losses = where(factors == 0, 0.0, losses * factors)
        return losses if self.reduction == "none" else losses.sum() / self.total


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of labels: -w_t x_t for log-probabilities input, label t and w = weight.

    "mean" divides by the sum of the w_t that count; labels of `ignore_index` do not.
    input: (C,) or (N, C, ...), target: () or (N, ...), weight: (C,).

    Raises ShapeError where shapes do not fit, DTypeError for labels that are no integers,
    IndexOutOfRangeError for a label outside of 0 to C - 1.

    >>> import autograd_cnn as ag
    >>> nll_loss(ag.tensor([[-0.5, -1.0], [-2.0, -0.25]]), ag.tensor([0, 1]))
    tensor(0.3750)
    """
    reduction = reduction_named("nll_loss", reduction, size_average, reduce)
    require_floating("nll_loss", input=input)
    if weight is not None:
        weight = checked_weight("nll_loss", input, weight)
    target = require_integer("nll_loss", "target", target)
    check_shape("nll_loss", input, target)
    ignored = check_labels("nll_loss", input, target, ignore_index)
    batched = input.array.ndim > 1
    if not batched:
        input, target = input.unsqueeze(0), target.unsqueeze(0)
    inputs, total = (
        _weighted(target, weight, ignore_index, input) if ignored or weight is not None else ((target,), None)
    )
    if reduction != "mean":
        total = 1.0
    elif total is None:
        total = float(target.array.size)
    losses = apply(NegativeLogLikelihood(reduction, total), input, *inputs)
    return losses if batched or reduction != "none" else losses.squeeze(0)


def _weighted(target: Any, weight: Any, ignore_index: int, x: Any) -> tuple[tuple[Any, Any], float]:
    """Labels, the weight of each, 0 where they do not count, and the sum of these."""
    labels = target.device.to_host(target.array)
    counted = labels != ignore_index
    kept = wrap(x.device.from_host(np.where(counted, labels, 0)), x.device)
    weights = np.ones(labels.shape, x.array.dtype) if weight is None else weights_of(weight, kept).array
    factors = np.where(counted, x.device.to_host(weights), x.array.dtype.type(0))
    return (kept, wrap(x.device.from_host(factors), x.device)), float(factors.sum(dtype=np.float64))
