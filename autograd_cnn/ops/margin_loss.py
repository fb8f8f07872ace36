"""Losses that ask for a margin: nothing is lost where an answer is right by more than it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.ops.activation import relu
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.bounds import clamp_min
from autograd_cnn.ops.loss_reduction import reduction_of
from autograd_cnn.ops.operand import broadcast, first_outside, require_floating, require_integer, require_tensor
from autograd_cnn.ops.shape import unsqueeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1: x is a distance.

    input and target broadcast.  Raises ShapeError where they do not, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> hinge_embedding_loss(ag.tensor([0.3, 0.3]), ag.tensor([1.0, -1.0]), reduction="none")
    tensor([0.3000, 0.7000])
    """
    op = "hinge_embedding_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    require_floating(op, input=input)
    broadcast(op, input.array.shape, require_tensor(op, target).array.shape)
    apart = where(target != 1, clamp_min(margin - input, 0.0), 0.0)
    return reduced(apart + where(target != -1, input, 0.0))


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target (input1 - input2) + margin): with target 1 the first should be larger, with -1 the second.

    All three have as many dimensions, and broadcast.  Raises ShapeError where they do not, ArgumentError for an unknown
    reduction.

    >>> import autograd_cnn as ag
    >>> margin_ranking_loss(ag.tensor([1.0]), ag.tensor([3.0]), ag.tensor([1.0]))
    tensor(2.)
    """
    op = "margin_ranking_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    shapes = [require_tensor(op, tensor).array.shape for tensor in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        listed = ", ".join(str(list(shape)) for shape in shapes)
        raise ShapeError(f"{op}: input1, input2 and target must have as many dimensions, got shapes {listed}")
    broadcast(op, *shapes)
    return reduced(clamp_min(target * (input2 - input1) + margin, 0.0))


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum_(c != t) w_t max(0, margin - x_t + x_c)^p / C for the label t: every other class has to be lower.

    w = weight.  input: (N, C) or (C,), target: labels (N,) or (), weight: (C,).

    Raises ShapeError where shapes do not fit, ArgumentError for p other than 1 and 2 and an unknown reduction,
    IndexOutOfRangeError for a label that is no class.

    >>> import autograd_cnn as ag
    >>> multi_margin_loss(ag.tensor([[0.5, 0.0, 2.0]]), ag.tensor([0]))
    tensor(1.)
    """
    op = "multi_margin_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    if p not in (1, 2):
        raise ArgumentError(f"{op}: p must be 1 or 2, got {p}")
    require_floating(op, input=input, weight=weight)
    classes = _classes(op, input)
    target = require_integer(op, "target", target)
    fitting = input.array.shape[:-1]
    if target.array.shape != fitting and not target.array.size == 1 == input.array.size // classes:
        raise _misfit(op, target, fitting, input)
    bad = first_outside(target, classes)
    if bad is not None:
        raise IndexOutOfRangeError(f"{op}: target {bad} is out of range for {classes} classes")
    if weight is not None and weight.array.shape != (classes,):
        raise ShapeError(f"{op}: weight must have shape [{classes}], got {list(weight.array.shape)}")
    labels = unsqueeze(target.reshape(fitting), -1)
    short = relu(margin - input.gather(-1, labels) + input)
    others = wrap(input.device.from_host(np.arange(classes)), input.device) != labels
    losses = where(others, short if p == 1 else short * short, 0.0)
    if weight is not None:
        losses = losses * unsqueeze(weight.index_select(0, target.reshape(-1)).reshape(fitting), -1)
    return reduced(losses.sum(-1) / classes)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum over labels t and classes c that are none of max(0, 1 - x_t + x_c) / C.

    A line of `target` has its labels first; what comes after the first -1 does not count.

    input and target: (N, C) or (C,).  Raises ShapeError where they differ, IndexOutOfRangeError for a label that is no
    class, ArgumentError for an unknown reduction.

    >>> import autograd_cnn as ag
    >>> multilabel_margin_loss(ag.tensor([0.1, 0.2, 0.4, 0.8]), ag.tensor([3, 0, -1, 1]))
    tensor(0.8500)
    """
    op = "multilabel_margin_loss"
    reduced = reduction_of(op, reduction, size_average, reduce)
    require_floating(op, input=input)
    classes = _classes(op, input)
    target = require_integer(op, "target", target)
    if target.array.shape != input.array.shape:
        raise _misfit(op, target, input.array.shape, input)
    labels = target.device.to_host(target.array)
    wrong = (labels < -1) | (labels >= classes)
    if wrong.any():
        raise IndexOutOfRangeError(f"{op}: target {labels[wrong][0]} is out of range for {classes} classes")
    counted = np.minimum.accumulate(labels >= 0, axis=-1)
    most = int(counted.sum(-1).max(initial=0))
    labels, counted = labels[..., :most], counted[..., :most]
    is_label = np.zeros(input.array.shape, bool)
    lines = np.nonzero(counted)
    is_label[(*lines[:-1], labels[lines])] = True
    pairs = wrap(input.device.from_host(counted[..., :, None] & ~is_label[..., None, :]), input.device)
    index = wrap(input.device.from_host(np.where(counted, labels, 0)), input.device)
    short = relu(1 - unsqueeze(input.gather(-1, index), -1) + unsqueeze(input, -2))
    return reduced(where(pairs, short, 0.0).sum((-2, -1)) / classes)


def _classes(op: str, x: Any) -> int:
    """How many classes x has; ShapeError unless it is (N, C) or (C,) and there is one."""
    shape = x.array.shape
    if len(shape) not in (1, 2) or not shape[-1]:
        raise ShapeError(f"{op}: input must be (N, C) or (C,) with at least 1 class, got shape {list(shape)}")
    return int(shape[-1])


def _misfit(op: str, target: Any, fitting: tuple[int, ...], x: Any) -> ShapeError:
    return ShapeError(
        f"{op}: target must have shape {list(fitting)} for input of shape {list(x.array.shape)}, "
        f"got {list(target.array.shape)}"
    )
