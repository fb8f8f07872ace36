"""Losses of class scores against class labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import float32, float64, int64
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.loss_reduction import reduction_named, reduction_of
from autograd_cnn.ops.operand import require_floating, require_integer
from autograd_cnn.ops.softmax import log_softmax

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

NO_WEIGHTS = {dtype: np.empty(0, dtype) for dtype in (float32, float64)}  # for the kernels: all classes weigh 1


class CrossEntropy(FusedOp):
    """The losses of labels, 0 for `ignore_index`: as they are, summed up, or their weighted mean.

    x: (N, C, ...), target: (N, ...), weight: (C,) or missing, loss: (N, ...) or ().  Raises IndexOutOfRangeError for a
    label that is no class.
    labels (3, count + 1) float64: losses, weights and logsumexps; at the end the two sums and the weighted mean.
    """

    inputs = ("x", "target", "weight")
    outputs = ("loss", "labels")
    auxiliary = ("labels",)
    nondifferentiable = ("target", "weight")

    def __init__(self, ignore_index: int, label_smoothing: float, reduction: str) -> None:
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.reduction = reduction

    def infer(self, x: Any, target: Any, weight: Any = None) -> Any:
        return [(target.shape if self.reduction == "none" else (), x.dtype), ((3, target.size + 1), float64)]

    def compute(self, k: Any, out: Any, x: Any, target: Any, weight: Any = None) -> None:
        loss, labels = out
        weight = NO_WEIGHTS[x.dtype] if weight is None else weight
        wrong = k.cross_entropy(
            x, target, weight, self.ignore_index, self.label_smoothing, self.reduction, labels, loss
        )
        if wrong >= 0:
            raise _no_class(self.name, target, wrong, x.shape[1])

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, target: Any, weight: Any, labels: Any) -> None:
        weight = NO_WEIGHTS[x.dtype] if weight is None else weight
        k.cross_entropy_grad(
            g, x, labels, target, weight, self.ignore_index, self.label_smoothing, self.reduction, out[0]
        )

    def composite(self, x: Any, target: Any, weight: Any = None) -> Any:
        logp = log_softmax(x, 1)
        losses = (1 - self.label_smoothing) * _picked(logp, target, weight, self.ignore_index)
        if self.label_smoothing:
            weighted = logp if weight is None else logp * _along_channels(weight, logp)
            spread = -weighted.sum(1) * (self.label_smoothing / x.shape[1])
            losses = losses + where(target != self.ignore_index, spread, 0.0)
        if self.reduction == "mean":
            return losses.sum() / _total_weight(target, weight, self.ignore_index)
        return losses if self.reduction == "none" else losses.sum()


def _picked(logp: Any, target: Any, weight: Any, ignore_index: int) -> Any:
    """-weight[target] * logp[target] for every label, 0 for `ignore_index`."""
    counted = target != ignore_index
    labels = where(counted, target, 0)
    losses = -logp.gather(1, labels.unsqueeze(1)).squeeze(1)
    if weight is not None:
        losses = losses * weights_of(weight, labels)
    return where(counted, losses, 0.0)


def weights_of(weight: Any, labels: Any) -> Any:
    return weight.index_select(0, labels.reshape(-1)).reshape(labels.shape)


def _along_channels(weight: Any, x: Any) -> Any:
    return weight.reshape(-1, *(1,) * (x.array.ndim - 2))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of softmax(x) against class labels or class probabilities (Bridle 1990).

    For a label t: -w_t ((1 - s) log p_t) - s / C sum_c w_c log p_c, with p = softmax(x), s = label_smoothing
    (Szegedy et al. 2016) and w = weight.  "mean" divides by the sum of the w_t that count; labels of
    `ignore_index` do not.  For probabilities q: -sum_c w_c q_c log p_c, and "mean" divides by their number.

    input: (C,) or (N, C, ...), target: labels () or (N, ...), or probabilities of input's shape; weight: (C,).

    Raises ShapeError where shapes do not fit, DTypeError for labels that are no integers,
    IndexOutOfRangeError for a label outside of 0 to C - 1, ArgumentError for a label_smoothing
    outside of [0, 1].

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> loss = cross_entropy(x, ag.tensor([0, 0]))
    >>> loss.backward()
    >>> loss.item(), x.grad
    (0.7200..., tensor([[-0.0596,  0.0596],
            [-0.3655,  0.3655]]))
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_named("cross_entropy", reduction, size_average, reduce)
    op = _operation(ignore_index, label_smoothing, reduction)
    require_floating("cross_entropy", input=input)
    if weight is not None:
        weight = checked_weight("cross_entropy", input, weight)
    if not isinstance(target, TensorBase) or target.array.dtype is not int64:
        if isinstance(target, TensorBase) and target.array.dtype.kind == "f":
            losses = _of_probabilities(input, target, weight, ignore_index, label_smoothing)
            return reduction_of("cross_entropy", reduction)(losses)
        target = require_integer("cross_entropy", "target", target)
    check_shape("cross_entropy", input, target)
    batched = input.array.ndim > 1
    if not batched:
        check_labels("cross_entropy", input, target, ignore_index)
        input, target = input.unsqueeze(0), target.unsqueeze(0)
    loss, _ = apply(op, input, target) if weight is None else apply(op, input, target, weight)
    return loss if batched or reduction != "none" else loss.squeeze(0)


@lru_cache(maxsize=64)
def _operation(ignore_index: int, label_smoothing: float, reduction: str) -> CrossEntropy:
    reduction_of("cross_entropy", reduction)  # raises for an unknown one
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing must be 0 to 1, got {label_smoothing}")
    return CrossEntropy(int(ignore_index), float(label_smoothing), reduction)


def _of_probabilities(x: Any, target: Any, weight: Any, ignore_index: int, label_smoothing: float) -> Any:
    require_floating("cross_entropy", input=x, target=target)
    _classes("cross_entropy", x)
    if target.array.shape != x.array.shape:
        if target.array.ndim == x.array.ndim - 1:
            raise DTypeError(f"cross_entropy: labels must be integers, target has {target.array.dtype}")
        raise ShapeError(
            f"cross_entropy: probabilities must have input's shape {list(x.array.shape)}, "
            f"target has {list(target.array.shape)}"
        )
    if ignore_index >= 0:
        raise ArgumentError(f"cross_entropy: ignore_index {ignore_index} is for labels, target has probabilities")
    channel = 0 if x.array.ndim == 1 else 1
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / x.array.shape[channel]
    logp = log_softmax(x, channel)
    if weight is not None:
        logp = logp * (weight if channel == 0 else _along_channels(weight, logp))
    return -(logp * target).sum(channel)


def checked_weight(op: str, x: Any, weight: Any) -> Any:
    """`weight` without a graph; ShapeError unless there is one for each class."""
    require_floating(op, input=x, weight=weight)
    classes = _classes(op, x)
    if weight.array.shape != (classes,):
        raise ShapeError(f"{op}: weight must have shape [{classes}], got {list(weight.array.shape)}")
    return weight.detach().contiguous()


def _classes(op: str, x: Any) -> int:
    """How many scores a line has; ShapeError where there is none."""
    shape = x.array.shape
    if not shape:
        raise ShapeError(f"{op}: input must be (C,) or (N, C, ...), got a zero-dimensional tensor")
    return int(shape[0] if len(shape) == 1 else shape[1])


def check_shape(op: str, x: Any, target: Any) -> None:
    """ShapeError unless there is one label for each line of scores."""
    shape = x.array.shape
    fitting = (shape[0], *shape[2:]) if len(shape) > 1 else ()
    if target.array.shape != fitting or not shape:
        _classes(op, x)
        raise ShapeError(
            f"{op}: target must have shape {list(fitting)} for input of shape {list(shape)}, "
            f"got {list(target.array.shape)}"
        )


def check_labels(op: str, x: Any, target: Any, ignore_index: int) -> bool:
    """Whether some labels are to be ignored; raises where one is no class."""
    classes = _classes(op, x)
    if target.device.kernels.check_range(target.array, 0, classes) < 0 and not 0 <= ignore_index < classes:
        return False
    labels = target.device.to_host(target.array)
    ignored = labels == ignore_index
    wrong = ((labels < 0) | (labels >= classes)) & ~ignored
    if wrong.any():
        raise _no_class(op, labels, int(np.flatnonzero(wrong)[0]), classes)
    return bool(ignored.any())


def _no_class(op: str, labels: Any, wrong: int, classes: int) -> IndexOutOfRangeError:
    """The error of the label whose flat place is `wrong`."""
    place = [int(i) for i in np.unravel_index(wrong, labels.shape)]
    label = labels[tuple(place)]
    return IndexOutOfRangeError(f"{op}: target{place or ''} is {label}, input has {classes} classes")


def _total_weight(target: Any, weight: Any, ignore_index: int) -> Any:
    """The sum of the weights of the labels that count."""
    counted = target != ignore_index
    if weight is None:
        return counted.sum()
    return where(counted, weights_of(weight, where(counted, target, 0)), 0.0).sum()
