"""Softmax, its logarithm, logsumexp and the cross entropy of class labels, each with its gradient.

A line is the n values that one softmax joins.  A task takes a block of neighbouring lines and, where they
are not contiguous, copies them out and back, so that all arithmetic runs over contiguous memory.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.vectormath import exp

BLOCK = 4096  # elements of a task, where that is more than a line
COLUMNS = 32  # lines of a task at least, where neighbours share cache lines


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


def logsumexp(x, dims, out):
    """log(sum(exp(x))) over `dims`; inf where there is +inf, -inf where there is nothing else."""
    n = math.prod(x.shape[d] for d in dims)
    if dims and dims[-1] - dims[0] + 1 == len(dims):
        layout = n, math.prod(x.shape[dims[-1] + 1 :])
    else:  # bring them together at the end
        x, layout = x.transpose(*(d for d in range(x.ndim) if d not in dims), *dims), (n, 1)
    if n:
        _logsumexp(out.ravel(), *layout, _flat(x))
    else:
        out[...] = -np.inf


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


# prange counts in uint64: np.int64(task) spares a second compilation of each inlined function.


@adaptive
def _softmax(x, n, inner, logarithm, out):
    for task in prange(_tasks(out.size, n, inner)):
        _softmax_block(x, n, inner, logarithm, out, np.int64(task))


@inline
def _softmax_block(x, n, inner, logarithm, out, task):
    _, count, start = _block(task, out.size, n, inner)
    x_lines, y_lines = _lines(x, start, count, n, inner), _room(out, start, count, n, inner)
    for i in range(count):
        x_line, y_line = x_lines[i * n : (i + 1) * n], y_lines[i * n : (i + 1) * n]
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
    _put(y_lines, start, count, n, inner, out)


@adaptive
def _softmax_grad(g, y, n, inner, logarithm, out):
    for task in prange(_tasks(out.size, n, inner)):
        _softmax_grad_block(g, y, n, inner, logarithm, out, np.int64(task))


@inline
def _softmax_grad_block(g, y, n, inner, logarithm, out, task):
    _, count, start = _block(task, out.size, n, inner)
    g_lines, y_lines = _lines(g, start, count, n, inner), _lines(y, start, count, n, inner)
    out_lines = _room(out, start, count, n, inner)
    for i in range(count):
        g_line, y_line = g_lines[i * n : (i + 1) * n], y_lines[i * n : (i + 1) * n]
        out_line = out_lines[i * n : (i + 1) * n]
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
    _put(out_lines, start, count, n, inner, out)


# x comes last in both: its size, not the output's, says whether threads are worth it.


@adaptive
def _logsumexp(out, n, inner, x):
    for task in prange(_tasks(x.size, n, inner)):
        _logsumexp_block(out, n, inner, x, np.int64(task))


@inline
def _logsumexp_block(out, n, inner, x, task):
    first, count, start = _block(task, x.size, n, inner)
    lines, powers = _lines(x, start, count, n, inner), np.empty(n, x.dtype)
    for i in range(count):
        line = lines[i * n : (i + 1) * n]
        top = _largest(line)
        shift = top if math.isfinite(top) else x.dtype.type(0)  # inf - inf would be NaN
        for k in range(n):
            powers[k] = exp(line[k] - shift)
        out[first + i] = shift + math.log(_total(powers))


@adaptive
def _cross_entropy(target, weight, ignore_index, smoothing, losses, logsumexp, n, inner, x):
    for task in prange(_tasks(x.size, n, inner)):
        _cross_entropy_block(target, weight, ignore_index, smoothing, losses, logsumexp, n, inner, x, np.int64(task))


@inline
def _cross_entropy_block(target, weight, ignore_index, smoothing, losses, logsumexp, n, inner, x, task):
    first, count, start = _block(task, x.size, n, inner)
    lines, powers = _lines(x, start, count, n, inner), np.empty(n, x.dtype)
    for i in range(count):
        line, label = lines[i * n : (i + 1) * n], target[first + i]
        top = _largest(line)
        for k in range(n):
            powers[k] = exp(line[k] - top)
        log_total = top + math.log(_total(powers))
        logsumexp[first + i] = log_total
        loss = 0.0
        if label != ignore_index:
            loss = (1 - smoothing) * _weight(weight, label) * (log_total - line[label])
            if smoothing > 0:
                spread = 0.0
                for k in range(n):
                    spread += _weight(weight, k) * (log_total - line[k])
                loss += smoothing / n * spread
        losses[first + i] = loss


@adaptive
def _cross_entropy_grad(scale, x, logsumexp, target, weight, ignore_index, smoothing, weights, n, inner, out):
    for task in prange(_tasks(x.size, n, inner)):
        _cross_entropy_grad_block(
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
            np.int64(task),
        )


@inline
def _cross_entropy_grad_block(
    scale, x, logsumexp, target, weight, ignore_index, smoothing, weights, n, inner, out, task
):
    real = out.dtype.type
    first, count, start = _block(task, out.size, n, inner)
    x_lines, out_lines = _lines(x, start, count, n, inner), _room(out, start, count, n, inner)
    for i in range(count):
        x_line, out_line = x_lines[i * n : (i + 1) * n], out_lines[i * n : (i + 1) * n]
        label, log_total, upstream = target[first + i], logsumexp[first + i], scale[first + i]
        if label == ignore_index:
            out_line[:] = 0
        else:
            own = (1 - smoothing) * _weight(weight, label) * upstream
            share = smoothing / n * upstream
            factor = real(own + share * weights)
            for k in range(n):
                out_line[k] = factor * exp(real(x_line[k] - log_total))
            if smoothing > 0:
                for k in range(n):
                    out_line[k] -= real(share * _weight(weight, k))
            out_line[label] -= real(own)
    _put(out_lines, start, count, n, inner, out)


@inline
def _weight(weight, label):
    return weight[label] if weight.size > 0 else 1.0


# Blocks of lines.  Line i is one row of n where inner is 1; else it is column i % inner of n rows of inner.


@inline
def _blocks(size, n, inner):
    """Columns side by side, columns of a block, and blocks side by side; rows count as columns of one row."""
    columns = inner if inner > 1 else size // max(n, 1)
    width = max(BLOCK // max(n, 1), COLUMNS if inner > 1 else 1)
    return columns, width, (columns + width - 1) // width


@inline
def _tasks(size, n, inner):
    columns, _, blocks = _blocks(size, n, inner)
    return size // max(n * columns, 1) * blocks


@inline
def _block(task, size, n, inner):
    """A task's first line, its count of lines, and the place of its first element."""
    columns, width, blocks = _blocks(size, n, inner)
    outer = task // blocks
    left = (task - outer * blocks) * width
    start = outer * n * inner + left if inner > 1 else left * n
    return outer * columns + left, min(width, columns - left), start


@inline
def _lines(a, start, count, n, inner):
    """The lines of a block one after the other: a view of them, or a copy where they are not contiguous."""
    lines = _room(a, start, count, n, inner)
    if inner > 1:
        for k in range(n):
            row = a[start + k * inner : start + k * inner + count]
            for i in range(count):
                lines[i * n + k] = row[i]
    return lines


@inline
def _room(a, start, count, n, inner):
    return a[start : start + count * n] if inner == 1 else np.empty(count * n, a.dtype)


@inline
def _put(lines, start, count, n, inner, a):
    if inner > 1:
        for k in range(n):
            row = a[start + k * inner : start + k * inner + count]
            for i in range(count):
                row[i] = lines[i * n + k]


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
