"""Losses of answers that are yes or no, one or several for a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.activation import SOFTPLUS
from autograd_cnn.ops.elementwise import log, log1p
from autograd_cnn.ops.loss import check_pair, promoted_pair, weighted
from autograd_cnn.ops.loss_reduction import (
    REDUCTIONS,
    losses_for,
    reduce_losses,
    reduction_named,
    reduction_of,
    share_of_each,
)
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.rounding import clamp

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class PairLoss(FusedOp, abstract=True):
    """The reduced losses of pairs by the kernels `kernel` and `kernel`_slope; a target has no gradient here."""

    inputs = ("x", "target")
    nondifferentiable = ("target",)
    kernel: str

    def __init__(self, reduction: str) -> None:
        self.reduction = reduction

    def infer(self, x: Any, target: Any) -> Any:
        return x.shape if self.reduction == "none" else (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, target: Any) -> None:
        losses = losses_for(out, x.shape, self.reduction)
        getattr(k, self.kernel)(x, target, losses)
        reduce_losses(k, losses, self.reduction, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, target: Any) -> None:
        share = share_of_each(self.reduction, x.size)
        getattr(k, f"{self.kernel}_slope")(x, target, g, share, 0.0, out[0])


class BinaryCrossEntropy(PairLoss):
    """-(target log x + (1 - target) log(1 - x)), no logarithm below -100."""

    kernel = "binary_cross_entropy"

    def composite(self, x: Any, target: Any) -> Any:
        losses = target * clamp(log(x), min=-100.0) + (1 - target) * clamp(log1p(-x), min=-100.0)
        return REDUCTIONS[self.reduction](-losses)


class LogisticLoss(PairLoss):
    """(1 - target) x + ln(1 + e^-x)"""

    kernel = "logistic_loss"

    def composite(self, x: Any, target: Any) -> Any:
        return REDUCTIONS[self.reduction]((1 - target) * x + apply(SOFTPLUS, -x))


BINARY_CROSS_ENTROPY = {reduction: BinaryCrossEntropy(reduction) for reduction in REDUCTIONS}
LOGISTIC_LOSS = {reduction: LogisticLoss(reduction) for reduction in REDUCTIONS}


def _pair_loss(ops: dict[str, Any], reduction: str, x: Any, target: Any) -> Any:
    """The op on x and target; composed of others where the target needs a gradient, too."""
    op = ops[reduction]
    return op.composite(x, target) if target._requires_grad else apply(op, x, target)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target log x + (1 - target) log(1 - x)) for probabilities x; logarithms are limited to -100.

    `weight` broadcasts to input.  Raises ShapeError where input and target differ in shape, ArgumentError for input
    outside of [0, 1].

    >>> import autograd_cnn as ag
    >>> binary_cross_entropy(ag.tensor([0.5, 0.0]), ag.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduction = reduction_named("binary_cross_entropy", reduction, size_average, reduce)
    check_pair("binary_cross_entropy", input, target)
    values = input.device.to_host(input.array)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        wrong = values[~((values >= 0) & (values <= 1))][0]
        raise ArgumentError(
            f"binary_cross_entropy: input must be probabilities, 0 to 1, got {wrong}; "
            "binary_cross_entropy_with_logits takes any number"
        )
    if weight is None:
        return _pair_loss(BINARY_CROSS_ENTROPY, reduction, input, target)
    losses = _pair_loss(BINARY_CROSS_ENTROPY, "none", input, target)
    return REDUCTIONS[reduction](weighted("binary_cross_entropy", losses, weight))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy of sigmoid(x), without its overflow: (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x).

    t is `target`, w is `pos_weight`, which weighs the positive answers and broadcasts to input, as `weight` does.

    Raises ShapeError where shapes do not fit, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> binary_cross_entropy_with_logits(ag.tensor([0.0, -1000.0]), ag.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.0000])
    """
    op = "binary_cross_entropy_with_logits"
    reduction = reduction_named(op, reduction, size_average, reduce)
    input, target = promoted_pair(op, input, target)
    if weight is None and pos_weight is None:
        return _pair_loss(LOGISTIC_LOSS, reduction, input, target)
    losses = _pair_loss(LOGISTIC_LOSS, "none", input, target)
    if pos_weight is not None:
        losses = losses + weighted(op, apply(SOFTPLUS, -input) * target, pos_weight - 1)
    return REDUCTIONS[reduction](weighted(op, losses, weight))


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """ln(1 + e^(-target x)), targets 1 and -1.

    input and target: (...) alike.  Raises ShapeError where they differ in shape, ArgumentError for an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> soft_margin_loss(ag.tensor([0.0, 100.0]), ag.tensor([1.0, -1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduced = reduction_of("soft_margin_loss", reduction, size_average, reduce)
    input, target = promoted_pair("soft_margin_loss", input, target)
    return reduced(apply(SOFTPLUS, -(target * input)))


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """For each sample the mean over its classes of `binary_cross_entropy_with_logits`, times `weight`.

    input and target: (..., C), weight: broadcasts to them.  Raises ShapeError where shapes do not fit, ArgumentError
    for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> multilabel_soft_margin_loss(ag.tensor([[0.0, 100.0]]), ag.tensor([[1.0, 1.0]]))
    tensor(0.3466)
    """
    op = "multilabel_soft_margin_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    input, target = promoted_pair(op, input, require_tensor(op, target))
    if input.array.ndim == 0:
        raise ShapeError(f"{op}: input must be (..., C), got a zero-dimensional tensor")
    losses = weighted(op, _pair_loss(LOGISTIC_LOSS, "none", input, target), weight)
    return reduced(losses.sum(-1) / input.array.shape[-1])
