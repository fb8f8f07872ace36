"""Softmax cross entropy of scores against class labels, and its gradient.

logits: (N, C, ...), target: (N, ...), weight: (C,), empty where all classes weigh 1.  A line is the C scores of one
label; lines are taken as in softmax.py.  Losses are summed up in float64, in the order of the labels.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline, serial
from autograd_cnn.kernels.cpu.lines import affine_line, affine_pair, products, sum_of_line
from autograd_cnn.kernels.cpu.softmax import (
    block_of_columns,
    column_powers,
    exponentials,
    power,
    shifted_powers,
    tasks_of_columns,
    tasks_of_lines,
)


def cross_entropy(logits, target, weight, ignore_index, label_smoothing, labels):
    """What each label contributes: labels (3, count + 1) float64.

    Its rows get losses, weights and logsumexps; their last elements the sums of the first two and the mean loss, the
    quotient of these.

    With p = softmax of logits over C, t = target, w = weight and e = label_smoothing, the loss is
    -(1 - e) w_t log p_t - e / C sum_c w_c log p_c and the weight is w_t; both are 0 where t is `ignore_index`.
    """
    n, inner = _layout(logits)
    kernel = _losses_of_lines if inner == 1 else _losses_of_columns
    given = _flat(target), weight, ignore_index, float(label_smoothing), _weights(weight, n)
    kernel(*given, labels, n, inner, _flat(logits))
    _sum_up(labels.ravel())


def cross_entropy_grad(scale, logits, labels, target, weight, ignore_index, label_smoothing, out):
    """Gradient of the losses for the logits, each times its element of scale: (count,), or (1,) for all, float64.

    labels: as `cross_entropy` filled them.
    """
    n, inner = _layout(logits)
    kernel = _grad_of_lines if inner == 1 else _grad_of_columns
    given = _flat(target), weight, ignore_index, float(label_smoothing), _weights(weight, n)
    kernel(_flat(scale), _flat(logits), labels, *given, n, inner, out.ravel())


def _layout(logits):
    """(C, S): how many scores a line has, and the distance between them."""
    shape = logits.shape
    return shape[1], 1 if len(shape) == 2 else math.prod(shape[2:])


def _weights(weight, n):
    """The sum of the weights of all classes."""
    return float(weight.sum()) if weight.size else float(n)


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


@inline
def _weight(weight, label):
    return np.float64(weight[label]) if weight.size > 0 else 1.0


@serial
def _sum_up(labels):
    pitch = labels.size // 3
    loss, weight = sum_of_line(labels, 0, pitch - 1), sum_of_line(labels, pitch, pitch - 1)
    labels[pitch - 1], labels[2 * pitch - 1] = loss, weight
    labels[3 * pitch - 1] = loss / weight if weight else math.nan


@inline
def _note(labels, place, label, log_total, score, spread, weight, ignore_index, smoothing, n):
    """Writes down a label's loss, weight and logsumexp; `spread` is the weighted sum of log p, negated."""
    labels[2, place] = log_total
    if label == ignore_index:
        labels[0, place] = labels[1, place] = 0
    else:
        own = _weight(weight, label)
        labels[0, place] = (1 - smoothing) * own * (log_total - score) + smoothing / max(n, 1) * spread
        labels[1, place] = own


# prange counts in uint64: np.int64(task) spares a second compilation of each inlined function.
# The logits, or out, come last: their size says whether threads are worth it.


@adaptive
def _losses_of_lines(target, weight, ignore_index, smoothing, weights, labels, n, inner, x):
    count, tasks = tasks_of_lines(x.size, n)
    for task in prange(tasks):
        first = np.int64(task) * count
        last = min(first + count, target.size)
        _note_lines(target, weight, ignore_index, smoothing, weights, labels, n, x, first, last)


@inline
def _note_lines(target, weight, ignore_index, smoothing, weights, labels, n, x, first, last):
    count = last - first
    tops, powers = np.empty(count, x.dtype), np.empty(count * n, x.dtype)
    shifted_powers(x, first * n, count, n, powers, 0, tops)
    for i in range(count):
        place = first + i
        label, line = target[place], x[place * n : place * n + n]
        log_total = tops[i] + math.log(sum_of_line(powers, i * n, n))
        spread = 0.0
        if smoothing > 0:
            if weight.size > 0:
                spread = products(x, place * n, 0.0, weight, 0, 0.0, 1, 0, n)[1]
            else:
                spread = sum_of_line(x, place * n, n)
            spread = weights * log_total - spread
        score = 0.0 if label == ignore_index else np.float64(line[label])
        _note(labels, place, label, log_total, score, spread, weight, ignore_index, smoothing, n)


@adaptive
def _losses_of_columns(target, weight, ignore_index, smoothing, weights, labels, n, inner, x):
    width, blocks, tasks = tasks_of_columns(x.size, n, inner)
    for task in prange(tasks):
        start, count, first = block_of_columns(np.int64(task), width, blocks, n, inner)
        _note_columns(target, weight, ignore_index, smoothing, weights, labels, n, inner, x, start, count, first)


@inline
def _note_columns(target, weight, ignore_index, smoothing, weights, labels, n, inner, x, start, count, first):
    tops, totals, powers = np.empty(count, x.dtype), np.empty(count), np.empty(n * count, x.dtype)
    column_powers(x, n, inner, start, count, powers, 0, count, tops, totals)
    spreads = np.zeros(count)
    for i in range(count):
        totals[i] = tops[i] + math.log(totals[i])
    if smoothing > 0:
        for k in range(n):
            row, own = x[start + k * inner :][:count], _weight(weight, k)
            for i in range(count):
                spreads[i] += own * (totals[i] - row[i])
    for i in range(count):
        label = target[first + i]
        score = 0.0 if label == ignore_index else np.float64(x[start + label * inner + i])
        _note(labels, first + i, label, totals[i], score, spreads[i], weight, ignore_index, smoothing, n)


@inline
def _factors(scale, labels, place, label, ignore_index, smoothing, weights, n):
    """What a label's own probability, each probability and each class's weight are multiplied with."""
    upstream = 0.0 if label == ignore_index else np.float64(scale[place if scale.size > 1 else 0])
    own = (1 - smoothing) * labels[1, place] * upstream
    share = smoothing / n * upstream
    return own, own + share * weights, share


@adaptive
def _grad_of_lines(scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out):
    count, tasks = tasks_of_lines(out.size, n)
    for task in prange(tasks):
        first = np.int64(task) * count
        last = min(first + count, target.size)
        _grad_lines(scale, x, labels, target, weight, ignore_index, smoothing, weights, n, out, first, last)


@inline
def _grad_lines(scale, x, labels, target, weight, ignore_index, smoothing, weights, n, out, first, last):
    real = out.dtype.type
    zero, one = real(0), real(1)
    for place in range(first, last):
        high = real(labels[2, place])
        low = real(labels[2, place] - np.float64(high))
        affine_line(n, x, place * n, high, low, one, zero, out, place * n)
    exponentials(out[first * n : last * n])
    for place in range(first, last):
        label = target[place]
        own, factor, share = _factors(scale, labels, place, label, ignore_index, smoothing, weights, n)
        line = out[place * n : place * n + n]
        if label == ignore_index:
            line[:] = 0
        else:
            if weight.size > 0:
                start = place * n
                affine_pair(n, out, start, zero, real(factor), weight, 0, real(-share), zero, out, start)
            else:
                affine_line(n, out, place * n, zero, zero, real(factor), real(-share), out, place * n)
            line[label] -= real(own)


@adaptive
def _grad_of_columns(scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out):
    width, blocks, tasks = tasks_of_columns(out.size, n, inner)
    for task in prange(tasks):
        start, count, first = block_of_columns(np.int64(task), width, blocks, n, inner)
        _grad_columns(
            scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out, start, count, first
        )


@inline
def _grad_columns(
    scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out, start, count, first
):
    real = out.dtype.type
    high, low, factors, shares = (
        np.empty(count, out.dtype), np.empty(count, out.dtype), np.empty(count, out.dtype), np.empty(count)
    )  # fmt: skip
    for i in range(count):
        high[i] = labels[2, first + i]
        low[i] = labels[2, first + i] - np.float64(high[i])
        _, factor, shares[i] = _factors(
            scale, labels, first + i, target[first + i], ignore_index, smoothing, weights, n
        )
        factors[i] = factor
    for k in range(n):
        row, x_row = out[start + k * inner :][:count], x[start + k * inner :][:count]
        for i in range(count):
            row[i] = power((x_row[i] - high[i]) - low[i]) * factors[i]
        if smoothing > 0:
            own = _weight(weight, k)
            for i in range(count):
                row[i] -= real(shares[i] * own)
    for i in range(count):
        label = target[first + i]
        if label == ignore_index:
            for k in range(n):
                out[start + k * inner + i] = 0
        else:
            own, _, _ = _factors(scale, labels, first + i, label, ignore_index, smoothing, weights, n)
            out[start + label * inner + i] -= real(own)
