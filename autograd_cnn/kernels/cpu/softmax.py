"""Softmax, its logarithm and the cross entropy of class labels, each with its gradient.

A line is the n values that one softmax joins.  Lines that are not contiguous are copied out and back one by
one, so that all arithmetic runs over contiguous memory.  A task takes a group of neighbouring lines.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.vectormath import exp

TASK = 4096  # elements of a task, as long as that is at least a line
COLUMNS = 16  # lines of a task at least where neighbours share cache lines


def softmax(x, dim, out):
    """exp(x) / sum(exp(x)) over `dim`; NaN for a line that holds +inf, NaN or nothing but -inf."""
    _softmax(_flat(x), *_layout(x, dim), False, out.ravel())


def log_softmax(x, dim, out):
    """x - log(sum(exp(x))) over `dim`; NaN where softmax is."""
    _softmax(_flat(x), *_layout(x, dim), True, out.ravel())


def softmax_grad(g, y, dim, out):
    """y (g - sum(g y)) over `dim`, where y is softmax's output."""
    _softmax_grad(_flat(g), _flat(y), *_layout(y, dim), False, out.ravel())


def log_softmax_grad(g, y, dim, out):
    """g - exp(y) sum(g) over `dim`, where y is log_softmax's output."""
    _softmax_grad(_flat(g), _flat(y), *_layout(y, dim), True, out.ravel())


def cross_entropy(logits, target, weight, ignore_index, label_smoothing, losses, logsumexp):
    """Loss of every label, unreduced, and the logsumexp that its gradient needs.

    With p = softmax of logits (N, C, S) over C, t = target (N, S), w = weight (C,) or 1 where that is empty,
    and e = label_smoothing: losses (N, S) = -(1 - e) w_t log p_t - e / C sum_c w_c log p_c, or 0 where t is
    `ignore_index`.  logsumexp (N, S) is float64 for every dtype: in float32 it would lose the digits of p.
    """
    labels = _flat(target), weight, ignore_index, float(label_smoothing)
    _cross_entropy(*labels, losses.ravel(), logsumexp.ravel(), *_layout(logits, 1), _flat(logits))


def cross_entropy_grad(scale, logits, logsumexp, target, weight, ignore_index, label_smoothing, out):
    """Gradient of cross_entropy's losses for the logits, each times its element of scale (N, S)."""
    labels = _flat(target), weight, ignore_index, float(label_smoothing)
    weights = float(weight.sum()) if weight.size else float(logits.shape[1])
    lines = _flat(scale), _flat(logits), _flat(logsumexp)
    _cross_entropy_grad(*lines, *labels, weights, *_layout(logits, 1), out.ravel())


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


def _layout(x, dim):
    """(n, inner): the length of a line and the distance between its elements."""
    return (x.shape[dim], math.prod(x.shape[dim + 1 :])) if x.ndim else (1, 1)


@adaptive
def _softmax(x, n, inner, logarithm, out):
    group, tasks = _tasks(n, inner, out.size)
    for task in prange(tasks):
        _softmax_lines(x, n, inner, logarithm, out, task * group, (task + 1) * group)


@inline
def _softmax_lines(x, n, inner, logarithm, out, first, last):
    x_scratch, y_scratch = _scratch(n, inner, x), _scratch(n, inner, out)
    for i in range(first, min(last, out.size // n)):
        start = _start(i, n, inner)
        x_line, y_line = _line(x, start, n, inner, x_scratch), _line(out, start, n, inner, y_scratch)
        top = _largest(x_line)
        for k in range(n):
            y_line[k] = exp(x_line[k] - top)
        total = _total(y_line)
        if logarithm:
            shift = x.dtype.type(math.log(total))
            for k in range(n):
                y_line[k] = (x_line[k] - top) - shift
        else:
            divisor = x.dtype.type(total)
            for k in range(n):
                y_line[k] /= divisor
        _put(y_line, start, inner, out)


@adaptive
def _softmax_grad(g, y, n, inner, logarithm, out):
    group, tasks = _tasks(n, inner, out.size)
    for task in prange(tasks):
        _softmax_grad_lines(g, y, n, inner, logarithm, out, task * group, (task + 1) * group)


@inline
def _softmax_grad_lines(g, y, n, inner, logarithm, out, first, last):
    g_scratch, y_scratch, out_scratch = _scratch(n, inner, g), _scratch(n, inner, y), _scratch(n, inner, out)
    for i in range(first, min(last, out.size // n)):
        start = _start(i, n, inner)
        g_line, y_line = _line(g, start, n, inner, g_scratch), _line(y, start, n, inner, y_scratch)
        out_line = _line(out, start, n, inner, out_scratch)
        if logarithm:
            total = out.dtype.type(_total(g_line))
            for k in range(n):
                out_line[k] = g_line[k] - exp(y_line[k]) * total
        else:
            for k in range(n):
                out_line[k] = g_line[k] * y_line[k]
            total = out.dtype.type(_total(out_line))
            for k in range(n):
                out_line[k] = y_line[k] * (g_line[k] - total)
        _put(out_line, start, inner, out)


# The logits come last: their size says whether threads are worth it.
@adaptive
def _cross_entropy(target, weight, ignore_index, smoothing, losses, logsumexp, n, inner, x):
    group, tasks = _tasks(n, inner, x.size)
    for task in prange(tasks):
        _cross_entropy_lines(
            target,
            weight,
            ignore_index,
            smoothing,
            losses,
            logsumexp,
            n,
            inner,
            x,
            task * group,
            (task + 1) * group,
        )


@inline
def _cross_entropy_lines(
    target, weight, ignore_index, smoothing, losses, logsumexp, n, inner, x, first, last
):
    scratch, powers = _scratch(n, inner, x), np.empty(n, x.dtype)
    for i in range(first, min(last, losses.size)):
        line = _line(x, _start(i, n, inner), n, inner, scratch)
        top = _largest(line)
        for k in range(n):
            powers[k] = exp(line[k] - top)
        log_total = top + math.log(_total(powers))
        logsumexp[i] = log_total
        label = target[i]
        loss = 0.0
        if label != ignore_index:
            loss = (1 - smoothing) * _weight(weight, label) * (log_total - line[label])
            if smoothing > 0:
                spread = 0.0
                for k in range(n):
                    spread += _weight(weight, k) * (log_total - line[k])
                loss += smoothing / n * spread
        losses[i] = loss


@adaptive
def _cross_entropy_grad(scale, x, logsumexp, target, weight, ignore_index, smoothing, weights, n, inner, out):
    group, tasks = _tasks(n, inner, out.size)
    for task in prange(tasks):
        _cross_entropy_grad_lines(
            scale,
            x,
            logsumexp,
            target,
            weight,
            ignore_index,
            smoothing,
            weights,
            n,
            inner,
            out,
            task * group,
            (task + 1) * group,
        )


@inline
def _cross_entropy_grad_lines(
    scale, x, logsumexp, target, weight, ignore_index, smoothing, weights, n, inner, out, first, last
):
    real = out.dtype.type
    x_scratch, out_scratch = _scratch(n, inner, x), _scratch(n, inner, out)
    for i in range(first, min(last, target.size)):
        start = _start(i, n, inner)
        x_line, out_line = _line(x, start, n, inner, x_scratch), _line(out, start, n, inner, out_scratch)
        label = target[i]
        if label == ignore_index:
            out_line[:] = 0
        else:
            own = (1 - smoothing) * _weight(weight, label) * scale[i]
            share = smoothing / n * scale[i]
            factor = real(own + share * weights)
            for k in range(n):
                out_line[k] = factor * exp(real(x_line[k] - logsumexp[i]))
            if smoothing > 0:
                for k in range(n):
                    out_line[k] -= real(share * _weight(weight, k))
            out_line[label] -= real(own)
        _put(out_line, start, inner, out)


@inline
def _weight(weight, label):
    return weight[label] if weight.size > 0 else 1.0


@inline
def _tasks(n, inner, elements):
    """Lines of a task, and the count of tasks."""
    group = max(TASK // max(n, 1), COLUMNS if inner > 1 else 1)
    return group, (elements // max(n, 1) + group - 1) // group


@inline
def _start(i, n, inner):
    """Place of the first element of line i."""
    return i // inner * (n * inner) + i % inner


@inline
def _scratch(n, inner, a):
    return np.empty(n if inner > 1 else 0, a.dtype)


@inline
def _line(a, start, n, inner, scratch):
    """Elements start, start + inner, ... of a: a view where they are contiguous, else a copy in scratch."""
    if inner == 1:
        return a[start : start + n]
    for k in range(n):
        scratch[k] = a[start + k * inner]
    return scratch


@inline
def _put(line, start, inner, a):
    if inner > 1:
        for k in range(line.size):
            a[start + k * inner] = line[k]


@inline
def _largest(line):
    # Four chains of comparisons run side by side.
    a = b = c = d = line.dtype.type(-np.inf)
    whole = line.size // 4 * 4
    for k in range(0, whole, 4):
        a, b = max(line[k], a), max(line[k + 1], b)
        c, d = max(line[k + 2], c), max(line[k + 3], d)
    for k in range(whole, line.size):
        a = max(line[k], a)
    return max(max(a, b), max(c, d))


@inline
def _total(line):
    a = b = c = d = 0.0
    whole = line.size // 4 * 4
    for k in range(0, whole, 4):
        a, b, c, d = a + line[k], b + line[k + 1], c + line[k + 2], d + line[k + 3]
    for k in range(whole, line.size):
        a += line[k]
    return (a + b) + (c + d)
