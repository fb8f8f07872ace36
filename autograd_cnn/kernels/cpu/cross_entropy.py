"""Softmax cross entropy of scores against class labels, and its gradient.

logits: (N, C, ...), target: (N, ...), weight: (C,), empty where all classes weigh 1.  A line is the C scores of one
label; lines are taken as in softmax.py.  Losses are summed up in float64, in the order of the labels.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, inline
from autograd_cnn.kernels.cpu.lines import affine_pair, products, sum_of_line
from autograd_cnn.kernels.cpu.power_lines import scaled_powers, sum_of_powers
from autograd_cnn.kernels.cpu.softmax import (
    block_of_columns,
    column_powers,
    power,
    tasks_of_columns,
)
from autograd_cnn.kernels.cpu.vectormath import log

REDUCTIONS = {"none": 0, "sum": 1, "mean": 2}
TASKS, BLOCK = 16, 32768  # tasks of a parallel kernel at least, and the scores of one where there are more


def cross_entropy(logits, target, weight, ignore_index, label_smoothing, reduction, labels, loss):
    """What each label contributes: labels (3, count + 1) float64; and the loss, one number or one a label.

    Returns the flat place of the first label that is neither a class nor `ignore_index`, where there is one: then
    nothing is written; else -1.

    The rows of labels get losses, weights and logsumexps; their last elements the sums of the first two and the mean
    loss, the quotient of these.

    With p = softmax of logits over C, t = target, w = weight and e = label_smoothing, the loss is
    -(1 - e) w_t log p_t - e / C sum_c w_c log p_c and the weight is w_t; both are 0 where t is `ignore_index`.
    """
    kernel, n, way = _kernel(_losses_of_lines, _losses_of_columns, logits)
    code = REDUCTIONS[reduction]
    x, losses = logits.ravel(), loss.ravel()
    return kernel(target.ravel(), weight, ignore_index, label_smoothing, code, labels, losses, n, way, x)


def cross_entropy_grad(g, logits, labels, target, weight, ignore_index, label_smoothing, reduction, out):
    """Gradient of the loss for the logits, for the gradient g of the loss; labels: as `cross_entropy` filled them."""
    kernel, n, way = _kernel(_grad_of_lines, _grad_of_columns, logits)
    given = target.ravel(), weight, ignore_index, label_smoothing, REDUCTIONS[reduction]
    kernel(g.ravel(), logits.ravel(), labels, *given, n, way, out.ravel())


def _kernel(lines, columns, logits):
    """The kernel for these logits, C, and for lines the number of tasks, for columns how far apart scores are."""
    shape, several = logits.shape, logits.size >= GRAIN
    inner = 1 if len(shape) == 2 else math.prod(shape[2:])
    if inner != 1:
        return columns.parallel if several else columns.serial, shape[1], inner
    return lines.parallel if several else lines.serial, shape[1], max(TASKS, logits.size // BLOCK) if several else 1


@inline
def _weights(weight, n):
    """The sum of the weights of all classes."""
    return sum_of_line(weight, 0, n) if weight.size > 0 else np.float64(n)


@inline
def _first_wrong(target, n, ignore_index):
    """The place of the first label that is neither a class nor `ignore_index`, or -1."""
    wrong = 0  # first without a branch, in vector code: all is well as a rule
    for i in range(target.size):
        label = target[i]
        wrong |= ((label < 0) | (label >= n)) & (label != ignore_index)
    if wrong:
        for i in range(target.size):
            if (target[i] < 0 or target[i] >= n) and target[i] != ignore_index:
                return i
    return -1


@inline
def _sum_up(labels, reduction, loss):
    """The last elements of labels, and the loss that `reduction` asks for."""
    count = labels.shape[1] - 1
    flat = labels.ravel()
    total, weight = sum_of_line(flat, 0, count), sum_of_line(flat, count + 1, count)
    labels[0, count], labels[1, count] = total, weight
    labels[2, count] = total / weight if weight else math.nan
    if reduction == 0:
        for i in range(count):
            loss[i] = labels[0, i]
    else:
        loss[0] = labels[0 if reduction == 1 else 2, count]


@inline
def _part(task, count, size):
    """The places of a task's labels."""
    return slice(min(task * count, size), min((task + 1) * count, size))


@inline
def _loss(own, log_total, score, spread, smoothing, n):
    """A label's loss; `own` is its weight, `spread` the weighted sum of log p over all classes, negated."""
    return (1 - smoothing) * own * (log_total - score) + smoothing / n * spread


# Loops over labels call no function with an array but intrinsics: each such call would count references.
# prange counts in uint64: np.int64(task) spares a second compilation of each inlined function.


@adaptive
def _losses_of_lines(target, weight, ignore_index, smoothing, reduction, labels, loss, n, tasks, x):
    wrong = _first_wrong(target, n, ignore_index)
    if wrong < 0:
        count = (target.size + tasks - 1) // tasks
        weights, totals = _weights(weight, n), np.empty(target.size)
        for task in prange(tasks):
            part = _part(np.int64(task), count, target.size)
            scores = x[part.start * n : part.stop * n]
            rows = labels[0, part], labels[1, part], labels[2, part], totals[part]
            _note_lines(target[part], weight, ignore_index, smoothing, weights, rows, n, scores)
        _sum_up(labels, reduction, loss)
    return wrong


@inline
def _note_lines(target, weight, ignore_index, smoothing, weights, rows, n, x):
    losses, owns, logs, totals = rows
    for i in range(target.size):
        logs[i], totals[i], _ = sum_of_powers(x, i * n, n)
    for i in range(target.size):
        logs[i] += log(totals[i])
    for i in range(target.size):
        label, start = target[i], i * n
        if label == ignore_index:
            losses[i] = owns[i] = 0
        else:
            own = np.float64(weight[label]) if weight.size > 0 else 1.0
            spread = 0.0
            if smoothing > 0:
                if weight.size > 0:
                    spread = products(x, start, 0.0, weight, 0, 0.0, 1, 0, n)[1]
                else:
                    spread = sum_of_line(x, start, n)
                spread = weights * logs[i] - spread
            losses[i] = _loss(own, logs[i], x[start + label], spread, smoothing, n)
            owns[i] = own


@adaptive
def _losses_of_columns(target, weight, ignore_index, smoothing, reduction, labels, loss, n, inner, x):
    wrong = _first_wrong(target, n, ignore_index)
    if wrong < 0:
        width, blocks, tasks = tasks_of_columns(x.size, n, inner)
        for task in prange(tasks):
            start, count, first = block_of_columns(np.int64(task), width, blocks, n, inner)
            _note_columns(target, weight, ignore_index, smoothing, labels, n, inner, x, start, count, first)
        _sum_up(labels, reduction, loss)
    return wrong


@inline
def _note_columns(target, weight, ignore_index, smoothing, labels, n, inner, x, start, count, first):
    tops, totals, powers = np.empty(count, x.dtype), np.empty(count), np.empty(n * count, x.dtype)
    column_powers(x, n, inner, start, count, powers, 0, count, tops, totals)
    part = slice(first, first + count)
    losses, owns, logs = labels[0, part], labels[1, part], labels[2, part]
    labels_here, spreads = target[part], np.zeros(count)
    for i in range(count):
        logs[i] = tops[i] + log(totals[i])
    if smoothing > 0:
        for k in range(n):
            row, own = x[start + k * inner :][:count], np.float64(weight[k]) if weight.size > 0 else 1.0
            for i in range(count):
                spreads[i] += own * (logs[i] - row[i])
    for i in range(count):
        label = labels_here[i]
        if label == ignore_index:
            losses[i] = owns[i] = 0
        else:
            own = np.float64(weight[label]) if weight.size > 0 else 1.0
            losses[i] = _loss(own, logs[i], x[start + label * inner + i], spreads[i], smoothing, n)
            owns[i] = own


@inline
def _upstream(labels, reduction):
    """How far apart the elements of g are that belong to neighbouring labels, and what each is multiplied with."""
    return np.int64(reduction == 0), 1 / labels[1, labels.shape[1] - 1] if reduction == 2 else 1.0


@inline
def _factors(upstream, own, smoothing, weights, n):
    """What a label's own probability, each probability and each class's weight are multiplied with."""
    own *= (1 - smoothing) * upstream
    share = smoothing / n * upstream
    return own, own + share * weights, share


@adaptive
def _grad_of_lines(g, x, labels, target, weight, ignore_index, smoothing, reduction, n, tasks, out):
    count = (target.size + tasks - 1) // tasks
    weights = _weights(weight, n)
    step, scale = _upstream(labels, reduction)
    parts = np.empty((5, target.size), out.dtype)
    for task in prange(tasks):
        part = _part(np.int64(task), count, target.size)
        lines = slice(part.start * n, part.stop * n)
        rows = parts[0, part], parts[1, part], parts[2, part], parts[3, part], parts[4, part]
        own_weights, logs = labels[1, part], labels[2, part]
        _take_apart(g[part.start * step :], step, scale, own_weights, logs, smoothing, weights, n, rows)
        _grad_lines(x[lines], rows, target[part], weight, ignore_index, smoothing, n, out[lines])


@inline
def _take_apart(g, step, scale, own_weights, logs, smoothing, weights, n, rows):
    """For each label its logsumexp in two parts, and its factors."""
    highs, lows, factors, shares, owns = rows
    for i in range(logs.size):
        highs[i] = logs[i]
        lows[i] = logs[i] - np.float64(highs[i])
        owns[i], factors[i], shares[i] = _factors(g[i * step] * scale, own_weights[i], smoothing, weights, n)


@inline
def _grad_lines(x, rows, target, weight, ignore_index, smoothing, n, out):
    zero, one = out.dtype.type(0), out.dtype.type(1)
    highs, lows, factors, shares, owns = rows
    spread = smoothing > 0 and weight.size > 0
    for i in range(target.size):
        start, shift = i * n, zero if spread else -shares[i]
        scaled_powers(n, x, start, highs[i], lows[i], factors[i], shift, out, start)
    # Not at once: what was written as a vector can be read as a number only when it has reached the cache.
    for i in range(target.size):
        label, start = target[i], i * n
        if label == ignore_index:
            for k in range(n):
                out[start + k] = zero
        else:
            if spread:
                affine_pair(n, out, start, zero, one, weight, 0, -shares[i], zero, out, start)
            if 0 <= label < n:  # whatever was written to the labels' memory since they were checked
                out[start + label] -= owns[i]


@adaptive
def _grad_of_columns(g, x, labels, target, weight, ignore_index, smoothing, reduction, n, inner, out):
    width, blocks, tasks = tasks_of_columns(out.size, n, inner)
    weights = _weights(weight, n)
    step, scale = _upstream(labels, reduction)
    for task in prange(tasks):
        start, count, first = block_of_columns(np.int64(task), width, blocks, n, inner)
        _grad_columns(
            g, step, scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out,
            start, count, first,
        )  # fmt: skip


@inline
def _grad_columns(
    g, step, scale, x, labels, target, weight, ignore_index, smoothing, weights, n, inner, out,
    start, count, first,
):  # fmt: skip
    real = out.dtype.type
    high, low, factors = np.empty(count, out.dtype), np.empty(count, out.dtype), np.empty(count, out.dtype)
    shares, owns = np.empty(count), np.empty(count)
    for i in range(count):
        high[i] = labels[2, first + i]
        low[i] = labels[2, first + i] - np.float64(high[i])
        upstream = g[(first + i) * step] * scale
        owns[i], factors[i], shares[i] = _factors(upstream, labels[1, first + i], smoothing, weights, n)
    for k in range(n):
        row, x_row = out[start + k * inner :][:count], x[start + k * inner :][:count]
        for i in range(count):
            row[i] = power((x_row[i] - high[i]) - low[i]) * factors[i]
        if smoothing > 0:
            own = np.float64(weight[k]) if weight.size > 0 else 1.0
            for i in range(count):
                row[i] -= real(shares[i] * own)
    for i in range(count):
        label = target[first + i]
        if label == ignore_index:
            for k in range(n):
                out[start + k * inner + i] = 0
        elif 0 <= label < n:
            out[start + label * inner + i] -= real(owns[i])
