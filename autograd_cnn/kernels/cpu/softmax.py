"""Softmax, its logarithm and logsumexp, with the gradients of the first two.

A line is the n values that one softmax joins.  Lines that are contiguous go through vector loops one by one; of
others a task takes neighbouring columns side by side, row by row.  The exponentials of all lines of a task are one
loop, so that lines shorter than a vector cost no more.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.lines import (
    affine_line,
    affine_pair,
    largest_of_line,
    products,
    scaled_difference,
    sum_of_line,
)
from autograd_cnn.kernels.cpu.power_lines import (
    EXPONENTS,
    LN2,
    scaled_powers,
    stored_powers,
    sum_of_powers,
    top_of_line,
)
from autograd_cnn.kernels.cpu.scalar import by_precision, fma
from autograd_cnn.kernels.cpu.vectormath import LOG2_E, exp_tail

BLOCK = 4096  # elements of a task of lines, where that is more than a line
COLUMNS_BLOCK = 16384  # elements of a task of columns: parts of rows long enough for the processor to read ahead
COLUMNS = 64  # columns of a task at least, where there are as many


@inline
def _exponent_single(x):
    lift, digits, zero_below = EXPONENTS[0]
    t = np.float32(zero_below) if x < np.float32(zero_below) else x
    lifted = np.float32(fma(t, np.float32(LOG2_E), np.float32(lift)))
    return t, lifted - np.float32(lift), np.int32(lifted.view(np.int32) << np.int32(digits)).view(np.float32)


@inline
def _exponent_double(x):
    lift, digits, zero_below = EXPONENTS[1]
    t = zero_below if x < zero_below else x
    lifted = np.float64(fma(t, LOG2_E, lift))
    return t, lifted - lift, np.int64(lifted.view(np.int64) << digits).view(np.float64)


_exponent = by_precision(_exponent_single, _exponent_double)  # x above its limit, n and 2^n with e^x near to 2^n


@inline
def power(x):
    """e^x for x at most 0, or hardly above, as in power_lines.py."""
    real = type(x)
    t, n, scale = _exponent(x)
    r = fma(n, real(-LN2), t)
    return fma(r * fma(exp_tail(r), r, real(1)), scale, scale)


def softmax(x, dim, out):
    """exp(x) / sum(exp(x)) over `dim`; NaN for a line that holds +inf, NaN or nothing but -inf."""
    _along(_softmax_lines, _softmax_columns, x, dim, False, out)


def log_softmax(x, dim, out):
    """x - log(sum(exp(x))) over `dim`; NaN where softmax is."""
    _along(_softmax_lines, _softmax_columns, x, dim, True, out)


def softmax_grad(g, y, dim, out):
    """y (g - sum(g y)) over `dim`, where y is softmax's output."""
    n, inner = _layout(y, dim)
    (_grad_lines if inner == 1 else _grad_columns)(_flat(g), _flat(y), n, inner, False, out.ravel())


def log_softmax_grad(g, y, dim, out):
    """g - exp(y) sum(g) over `dim`, where y is log_softmax's output."""
    n, inner = _layout(y, dim)
    (_grad_lines if inner == 1 else _grad_columns)(_flat(g), _flat(y), n, inner, True, out.ravel())


def logsumexp(x, dims, out):
    """log(sum(exp(x))) over `dims`; inf where there is +inf, -inf where there is nothing else."""
    n = math.prod(x.shape[d] for d in dims)
    if dims and dims[-1] - dims[0] + 1 == len(dims):
        inner = math.prod(x.shape[dims[-1] + 1 :])
    else:  # bring them together at the end
        x, inner = x.transpose(*(d for d in range(x.ndim) if d not in dims), *dims), 1
    if n == 0:
        out[...] = -np.inf
    else:
        (_logsumexp_lines if inner == 1 else _logsumexp_columns)(out.ravel(), n, inner, _flat(x))


def _along(lines, columns, x, dim, logarithm, out):
    n, inner = _layout(x, dim)
    (lines if inner == 1 else columns)(_flat(x), n, inner, logarithm, out.ravel())


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


def _layout(x, dim):
    """(n, inner): the length of a line and the distance between its elements."""
    return (x.shape[dim], math.prod(x.shape[dim + 1 :])) if x.ndim else (1, 1)


@inline
def tasks_of_lines(size, n):
    """How many lines a task takes, and how many tasks there are."""
    count = max(BLOCK // max(n, 1), 1)
    return count, (size // max(n, 1) + count - 1) // count


@inline
def tasks_of_columns(size, n, inner):
    """How many columns a task takes, how many blocks of them there are side by side, and how many tasks."""
    width = min(max(COLUMNS_BLOCK // max(n, 1), COLUMNS), inner)
    blocks = (inner + width - 1) // max(width, 1)
    return width, blocks, size // max(n * inner, 1) * blocks


@inline
def block_of_columns(task, width, blocks, n, inner):
    """Where a task's block begins in its array, how many columns it has, and the first of these among all columns."""
    outer = task // blocks
    left = (task - outer * blocks) * width
    return outer * n * inner + left, min(width, inner - left), outer * inner + left


@inline
def exponentials(lines):
    """Each element to its exponential."""
    for i in range(lines.size):
        lines[i] = power(lines[i])


# prange counts in uint64: np.int64(task) spares a second compilation of each inlined function.


@adaptive
def _softmax_lines(x, n, inner, logarithm, out):
    count, tasks = tasks_of_lines(out.size, n)
    for task in prange(tasks):
        first = np.int64(task) * count
        _softmax_of_lines(x, n, logarithm, out, first * n, min(count, out.size // max(n, 1) - first))


@inline
def _softmax_of_lines(x, n, logarithm, out, start, count):
    real = x.dtype.type
    zero, one = real(0), real(1)
    for line in range(start, start + count * n, max(n, 1)):
        if logarithm:
            reference, total, top = sum_of_powers(x, line, n)
            rest = real(math.log(total) - (top - reference))
            affine_line(n, x, line, real(top), rest, one, zero, out, line)
        else:
            total = stored_powers(n, x, line, top_of_line(x, line, n), out, line)
            affine_line(n, out, line, zero, zero, real(1 / total), zero, out, line)


@adaptive
def _softmax_columns(x, n, inner, logarithm, out):
    width, blocks, tasks = tasks_of_columns(out.size, n, inner)
    for task in prange(tasks):
        start, count, _ = block_of_columns(np.int64(task), width, blocks, n, inner)
        _softmax_of_columns(x, n, inner, logarithm, out, start, count)


@inline
def _softmax_of_columns(x, n, inner, logarithm, out, start, count):
    tops, totals = np.empty(count, x.dtype), np.empty(count)
    factors = np.empty(count, x.dtype)
    column_powers(x, n, inner, start, count, out, start, inner, tops, totals)
    for i in range(count):
        factors[i] = math.log(totals[i]) if logarithm else 1 / totals[i]
    for k in range(n):
        x_row, row = x[start + k * inner :][:count], out[start + k * inner :][:count]
        if logarithm:
            for i in range(count):
                row[i] = (x_row[i] - tops[i]) - factors[i]
        else:
            for i in range(count):
                row[i] *= factors[i]


@inline
def column_powers(x, n, inner, start, count, powers, place, pitch, tops, totals):
    """powers = exp(x - the column's largest element), tops and totals (the sums of powers) by column.

    Rows of powers begin `pitch` apart, from `place` on.
    """
    tops[:] = -np.inf
    totals[:] = 0
    for k in range(n):
        row = x[start + k * inner :][:count]
        for i in range(count):
            tops[i] = row[i] if (row[i] > tops[i]) | (row[i] != row[i]) else tops[i]
    for k in range(n):
        row, row_powers = x[start + k * inner :][:count], powers[place + k * pitch :][:count]
        for i in range(count):
            row_powers[i] = row[i] - tops[i]
        if pitch != count:
            exponentials(row_powers)
    if pitch == count:
        exponentials(powers[place : place + n * count])
    for k in range(n):
        row_powers = powers[place + k * pitch :][:count]
        for i in range(count):
            totals[i] += row_powers[i]


@adaptive
def _grad_lines(g, y, n, inner, logarithm, out):
    count, tasks = tasks_of_lines(out.size, n)
    for task in prange(tasks):
        first = np.int64(task) * count
        _grad_of_lines(g, y, n, logarithm, out, first * n, min(count, out.size // max(n, 1) - first))


@inline
def _grad_of_lines(g, y, n, logarithm, out, start, count):
    real = out.dtype.type
    zero, one = real(0), real(1)
    for i in range(count):
        line = start + i * n
        if logarithm:
            total = real(sum_of_line(g, line, n))
            scaled_powers(n, y, line, zero, zero, -total, zero, out, line)
            affine_pair(n, out, line, zero, one, g, line, one, zero, out, line)
        else:
            total = real(products(g, line, 0.0, y, line, 0.0, 1, 0, n)[1])
            scaled_difference(n, g, line, total, y, line, out, line)


@adaptive
def _grad_columns(g, y, n, inner, logarithm, out):
    width, blocks, tasks = tasks_of_columns(out.size, n, inner)
    for task in prange(tasks):
        start, count, _ = block_of_columns(np.int64(task), width, blocks, n, inner)
        _grad_of_columns(g, y, n, inner, logarithm, out, start, count)


@inline
def _grad_of_columns(g, y, n, inner, logarithm, out, start, count):
    totals, rounded = np.zeros(count), np.empty(count, out.dtype)
    for k in range(n):
        g_row, y_row = g[start + k * inner :][:count], y[start + k * inner :][:count]
        if logarithm:
            for i in range(count):
                totals[i] += g_row[i]
        else:
            for i in range(count):
                totals[i] += np.float64(g_row[i]) * y_row[i]
    for i in range(count):
        rounded[i] = totals[i]
    if logarithm and count == inner:
        lines, y_lines = out[start : start + n * count], y[start : start + n * count]
        for i in range(lines.size):
            lines[i] = power(y_lines[i])
    for k in range(n):
        g_row, y_row = g[start + k * inner :][:count], y[start + k * inner :][:count]
        row = out[start + k * inner :][:count]
        if not logarithm:
            for i in range(count):
                row[i] = y_row[i] * (g_row[i] - rounded[i])
        elif count == inner:
            for i in range(count):
                row[i] = g_row[i] - row[i] * rounded[i]
        else:
            for i in range(count):
                row[i] = g_row[i] - power(y_row[i]) * rounded[i]


# x comes last in both: its size, not the output's, says whether threads are worth it.


@adaptive
def _logsumexp_lines(out, n, inner, x):
    count, tasks = tasks_of_lines(x.size, n)
    for task in prange(tasks):
        first = np.int64(task) * count
        _logsumexp_of_lines(out, n, x, first, min(count, out.size - first))


@inline
def _logsumexp_of_lines(out, n, x, first, count):
    for i in range(first, first + count):
        reference, total, _ = sum_of_powers(x, i * n, n)
        out[i] = largest_of_line(x, i * n, n) if math.isinf(reference) else reference + math.log(total)


@adaptive
def _logsumexp_columns(out, n, inner, x):
    width, blocks, tasks = tasks_of_columns(x.size, n, inner)
    for task in prange(tasks):
        start, count, first = block_of_columns(np.int64(task), width, blocks, n, inner)
        _logsumexp_of_columns(out, n, inner, x, start, count, first)


@inline
def _logsumexp_of_columns(out, n, inner, x, start, count, first):
    tops, totals, powers = np.empty(count, x.dtype), np.empty(count), np.empty(n * count, x.dtype)
    column_powers(x, n, inner, start, count, powers, 0, count, tops, totals)
    for i in range(count):
        out[first + i] = log_total(tops[i], totals[i])


@inline
def log_total(top, total):
    """log of a sum of powers from their largest exponent and their sum relative to it."""
    return top if math.isinf(top) else top + math.log(total)
