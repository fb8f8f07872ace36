"""Losses that are negative log-likelihoods and divergences of distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.elementwise import exp, log
from autograd_cnn.ops.exponential import xlogy
from autograd_cnn.ops.loss import promoted_pair
from autograd_cnn.ops.loss_reduction import (
    REDUCTIONS,
    losses_for,
    reduce_losses,
    reduction_named,
    reduction_of,
    share_of_each,
)
from autograd_cnn.ops.operand import broadcast, require_floating, require_tensor
from autograd_cnn.ops.rounding import clamp
from autograd_cnn.ops.shape import unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class KlDivergence(FusedOp):
    """The reduced divergences target (log target - x), of targets or of their logarithms, which have no gradient."""

    inputs = ("x", "target")
    nondifferentiable = ("target",)

    def __init__(self, log_target: bool, reduction: str) -> None:
        self.log_target = log_target
        self.reduction = reduction

    def infer(self, x: Any, target: Any) -> Any:
        return x.shape if self.reduction == "none" else (), x.dtype

    def compute(self, k: Any, out: Any, x: Any, target: Any) -> None:
        losses = losses_for(out, x.shape, self.reduction)
        if self.log_target:
            k.sub(target, x, losses)
            k.mul(losses, self._probabilities(k, target), losses)
        else:
            k.xlogy(target, target, losses)
            product = np.empty_like(losses)
            k.mul(target, x, product)
            k.sub(losses, product, losses)
        reduce_losses(k, losses, self.reduction, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, target: Any) -> None:
        share = np.empty(g.shape, g.dtype)
        k.mul(g, np.asarray(-share_of_each(self.reduction, target.size), g.dtype), share)
        k.mul(self._probabilities(k, target), share, out[0])

    def _probabilities(self, k: Any, target: Any) -> Any:
        if not self.log_target:
            return target
        probabilities = np.empty(target.shape, target.dtype)
        k.exp(target, probabilities)
        return probabilities

    def composite(self, x: Any, target: Any) -> Any:
        losses = exp(target) * (target - x) if self.log_target else xlogy(target, target) - target * x
        return REDUCTIONS[self.reduction](losses)


KL_DIVERGENCE = {(logarithm, name): KlDivergence(logarithm, name) for logarithm in (False, True) for name in REDUCTIONS}


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - x), for log-probabilities x (Kullback and Leibler 1951).

    "batchmean" divides the sum by the first dimension, which is the divergence itself; "mean" divides by all.

    Raises ShapeError where input and target differ in shape, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> kl_div(ag.tensor([[0.5, 0.5]]).log(), ag.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    batchmean = reduction == "batchmean" and require_tensor("kl_div", input).array.ndim > 0
    reduction = "sum" if batchmean else reduction_named("kl_div", reduction, size_average, reduce)
    input, target = promoted_pair("kl_div", input, target)
    op = KL_DIVERGENCE[bool(log_target), reduction]
    total = op.composite(input, target) if target._requires_grad else apply(op, input, target)
    return total / input.array.shape[0] if batchmean else total


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-log of Poisson's probability of `target` events: e^x - target x, or x - target log(x + eps) for x no logarithm.

    `full` adds Stirling's approximation of log(target!), target log target - target + log(2 pi target) / 2, for
    targets above 1.

    input and target: (...) alike.  Raises ShapeError where they differ in shape, ArgumentError for an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> poisson_nll_loss(ag.tensor([0.0, 1.0]), ag.tensor([1.0, 2.0]), reduction="none")
    tensor([1.0000, 0.7183])
    """
    reduced = reduction_of("poisson_nll_loss", reduction, size_average, reduce)
    input, target = promoted_pair("poisson_nll_loss", input, target)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = target > 1
        counted = where(many, target, 1.0)
        stirling = counted * log(counted) - counted + 0.5 * log(2 * math.pi * counted)
        losses = losses + where(many, stirling, 0.0)
    return reduced(losses)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """-log of the normal density: (log v + (x - target)^2 / v) / 2 with v = max(var, eps) (Nix and Weigend 1994).

    `full` adds log(2 pi) / 2.  The limit eps does not stop the gradient for `var`.

    input: (...), target: broadcasts with it; var: a number, input's shape, or with a 1 or nothing for one dimension.

    Raises ShapeError where `var` does not fit, ArgumentError for a negative one and an unknown reduction.

    >>> import autograd_cnn as ag
    >>> gaussian_nll_loss(ag.tensor([1.0]), ag.tensor([3.0]), ag.tensor([4.0]))
    tensor(1.1931)
    """
    op = "gaussian_nll_loss"
    reduced = reduction_of(op, reduction)
    require_floating(op, input=input)
    broadcast(op, input.array.shape, require_tensor(op, target).array.shape)
    variance = _variance(op, input, var)
    with no_grad():
        raised = clamp(variance, min=eps) - variance if (variance < eps).any() else None
    if raised is not None:
        variance = variance + raised
    losses = 0.5 * (log(variance) + (input - target) ** 2 / variance)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses)


def _variance(op: str, x: Any, var: Any) -> Any:
    """`var` as a tensor that broadcasts to x."""
    if not isinstance(var, TensorBase):
        if var < 0:
            raise ArgumentError(f"{op}: var must be at least 0, got {var}")
        return x.new_full(x.array.shape, var)
    values = var.device.to_host(var.array)
    if values.size and values.min() < 0:
        raise ArgumentError(f"{op}: var must be at least 0, got {values.min()}")
    shape, given = x.array.shape, var.array.shape
    if given == shape:
        return var
    if given == shape[:-1]:
        column: Any = var
        return unsqueeze(column, -1)
    # As in PyTorch: the sizes of x where they differ add up to 1 only where one dimension alone is 1.
    differing = [size for size, other in zip(given, shape, strict=False) if size != other]
    if len(given) != len(shape) or differing != [1]:
        raise ShapeError(f"{op}: var of shape {list(given)} does not fit input's shape {list(shape)}")
    return var
