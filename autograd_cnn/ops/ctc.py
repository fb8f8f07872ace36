"""The loss of connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import float64
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.bounds import clamp_min
from autograd_cnn.ops.elementwise import exp
from autograd_cnn.ops.exponential import logaddexp
from autograd_cnn.ops.loss_reduction import reduction_of
from autograd_cnn.ops.operand import require_floating, require_integer
from autograd_cnn.ops.pad import pad

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

OP = "ctc_loss"
NEVER = -1e30  # the logarithm of an impossible event where a derivative must exist


class CtcLoss(FusedOp):
    """The losses (N,) of log_probs (T, N, C) for targets (N, S) of their lengths.

    alphas (N, T, 2 S + 1) float64: logarithms of the sums over all paths to a state at a time.
    The gradient is the one for scores that log_softmax made log_probs of: e^log_probs minus the labels' probabilities.
    """

    inputs = ("log_probs", "targets", "input_lengths", "target_lengths")
    outputs = ("loss", "alphas")
    auxiliary = ("alphas",)
    nondifferentiable = ("targets", "input_lengths", "target_lengths")

    def __init__(self, blank: int) -> None:
        self.blank = blank

    def infer(self, log_probs: Any, targets: Any, *lengths: Any) -> Any:
        steps, batch, _ = log_probs.shape
        return [((batch,), log_probs.dtype), ((batch, steps, 2 * targets.shape[1] + 1), float64)]

    def compute(self, k: Any, out: Any, log_probs: Any, targets: Any, *lengths: Any) -> None:
        loss, alphas = out
        k.ctc_loss(log_probs, targets, *lengths, self.blank, alphas, loss)

    def gradient(
        self,
        k: Any,
        out: Sequence[Any],
        g: Any,
        log_probs: Any,
        targets: Any,
        input_lengths: Any,
        target_lengths: Any,
        alphas: Any,
        loss: Any,
    ) -> None:
        operands = log_probs, targets, input_lengths, target_lengths
        k.ctc_loss_grad(g, *operands, self.blank, alphas, loss, out[0])

    def composite(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        steps, batch, _ = log_probs.array.shape
        labels, skips = (_constant(x, log_probs) for x in _states(targets, self.blank))
        width = labels.array.shape[1]
        lengths, ends = input_lengths.array, 2 * target_lengths.array
        possible = clamp_min(log_probs, NEVER)
        emitted = possible.gather(2, labels.unsqueeze(0).expand(steps, batch, width))
        alphas = where(_constant(np.arange(width) < 2, log_probs), emitted[0], NEVER)
        for t in range(1, steps):
            one, two = (pad(alphas[:, : width - n], (min(n, width), 0), value=NEVER) for n in (1, 2))
            reached = logaddexp(logaddexp(alphas, one), where(skips, two, NEVER))
            alphas = where(_constant((t < lengths)[:, None], log_probs), emitted[t] + reached, alphas)
        last, last_label = (
            alphas.gather(1, _constant(np.maximum(ends - n, 0)[:, None], log_probs)).squeeze(1) for n in (0, 1)
        )
        last_label = where(_constant(ends > 0, log_probs), last_label, NEVER)
        # Scores that follow from log_softmax add up to 1 at each time: the sum has a gradient, but no value.
        sums = exp(log_probs).sum(2) * _constant((np.arange(steps)[:, None] < lengths).astype(np.int64), log_probs)
        return (sums - sums.detach()).sum(0) - logaddexp(last, last_label)


def _states(targets: Any, blank: int) -> tuple[Any, Any]:
    """For each target its labels with blanks around them, and where a path may come from two states before."""
    given = targets.device.to_host(targets.array)
    labels = np.full((given.shape[0], 2 * given.shape[1] + 1), blank, np.int64)
    labels[:, 1::2] = given
    skips = np.zeros(labels.shape, bool)
    skips[:, 3::2] = given[:, 1:] != given[:, :-1]
    return labels, skips


def _constant(array: Any, like: Any) -> Any:
    return wrap(like.device.from_host(array), like.device)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability that the sequences spell their targets, however long each label and blank takes.

    A path says a label or `blank` at each time; it spells what is left without repetitions, then without blanks (Graves
    et al. 2006).  "mean" divides each loss by the length of its target before it takes the mean.  A target that is too
    long for its sequence has the loss inf, with `zero_infinity` 0, without a gradient.  The gradient is the one for
    scores that `log_softmax` made `log_probs` of.

    log_probs: (T, N, C) or (T, C), targets: (N, S), or (sum of lengths,) one behind the other, or (S,) without a batch;
    input_lengths and target_lengths: (N,) or (), tensors or tuples of integers.

    Raises ShapeError and ArgumentError for what does not fit, IndexOutOfRangeError for labels outside of 0 to C - 1.

    >>> import autograd_cnn as ag
    >>> log_probs = ag.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
    >>> ctc_loss(log_probs, ag.tensor([[1]]), (2,), (1,), reduction="none").exp()
    tensor([1.3333])
    """
    reduced = reduction_of(OP, reduction)
    require_floating(OP, log_probs=log_probs)
    if log_probs.array.ndim not in (2, 3):
        raise ShapeError(f"{OP}: log_probs must be (T, N, C) or (T, C), got shape {list(log_probs.array.shape)}")
    batched = log_probs.array.ndim == 3
    if not batched:
        log_probs = log_probs.unsqueeze(1)
    steps, batch, classes = log_probs.array.shape
    if not 0 <= blank < classes:
        raise IndexOutOfRangeError(f"{OP}: blank {blank} is out of range for {classes} classes")
    if not steps:
        raise ShapeError(f"{OP}: log_probs has no steps, got shape {list(log_probs.array.shape)}")
    times = _lengths("input_lengths", input_lengths, batch, steps)
    targets = require_integer(OP, "targets", targets)
    counts = _lengths("target_lengths", target_lengths, batch, None)
    padded = _padded(targets, counts, batched)
    counted = np.arange(padded.shape[1]) < counts[:, None]
    wrong = counted & ((padded < 0) | (padded >= classes))
    if wrong.any():
        raise IndexOutOfRangeError(f"{OP}: target {padded[wrong][0]} is out of range for {classes} classes")
    padded = np.where(counted, padded, 0)
    losses, _ = apply(CtcLoss(int(blank)), log_probs, *(_constant(x, log_probs) for x in (padded, times, counts)))
    if zero_infinity:
        losses = where(losses >= -NEVER / 2, 0.0, losses)  # nan stays
    if reduction == "mean":
        losses = losses / _constant(np.maximum(counts, 1).astype(log_probs.array.dtype), log_probs)
    return reduced(losses if batched else losses.squeeze(0))


def _lengths(name: str, given: Any, batch: int, most: int | None) -> Any:
    """The lengths (N,) as an int64 array; raises where they do not fit."""
    if isinstance(given, TensorBase):
        given = given.device.to_host(require_integer(OP, name, given).array)
    lengths = np.asarray(given)
    if lengths.size and lengths.dtype.kind not in "iu":
        raise DTypeError(f"{OP}: {name} must hold integers, got {lengths.dtype}")
    lengths = lengths.astype(np.int64).reshape(-1)
    if lengths.shape != (batch,):
        raise ShapeError(f"{OP}: {name} must have {batch} elements, one for each sequence, got {lengths.size}")
    if lengths.size and (lengths.min() < 0 or (most is not None and lengths.max() > most)):
        limits = "at least 0" if most is None else f"0 to {most}, the number of steps"
        wrong = lengths.min() if lengths.min() < 0 else lengths.max()
        raise ArgumentError(f"{OP}: {name} must be {limits}, got {wrong}")
    return lengths


def _padded(targets: Any, counts: Any, batched: bool) -> Any:
    """The targets as an array (N, S), S at least the longest; raises where lengths do not fit."""
    labels = targets.device.to_host(targets.array)
    if labels.ndim == 1 and batched:
        if labels.size != counts.sum():
            raise ArgumentError(f"{OP}: target_lengths add up to {counts.sum()}, targets has {labels.size} labels")
        rows = np.zeros((counts.size, int(counts.max(initial=0))), np.int64)
        rows[np.arange(rows.shape[1]) < counts[:, None]] = labels
        return rows
    rows = labels[None] if labels.ndim == 1 else labels
    if rows.ndim != 2 or rows.shape[0] != counts.size:
        raise ShapeError(f"{OP}: targets must be ({counts.size}, S), or labels in one row, got {list(labels.shape)}")
    if counts.max(initial=0) > rows.shape[1]:
        raise ArgumentError(f"{OP}: target_lengths must be 0 to {rows.shape[1]}, targets' width, got {counts.max()}")
    return rows[:, : int(counts.max(initial=0))]
