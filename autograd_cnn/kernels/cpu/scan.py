"""Recurrences along a line: every element depends on the one before.  Sums, largest and smallest values so far."""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import adaptive, inline

COLUMNS = 128  # neighbouring lines that one task takes side by side


def linear_recurrence(a, x, dim, out):
    """out[i] = a[i] out[i - 1] + x[i] along `dim`, starting with out[0] = x[0]; counted in float64."""
    shape = math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :])
    _recur(contiguous(a).reshape(shape), contiguous(x).reshape(shape), out.reshape(shape))


@adaptive
def _recur(a, x, out):
    outer, n, inner = x.shape
    for line in prange(outer * inner):
        o = line // inner
        i = line - o * inner
        value = 0.0
        for j in range(n):
            value = value * a[o, j, i] + x[o, j, i] if j > 0 else float(x[o, j, i])
            out[o, j, i] = value


def cummax(x, dim, values, indices):
    """The largest value so far along `dim`, and the last place that had it; NaN once there was one."""
    _running(True, x, dim, values, indices)


def cummin(x, dim, values, indices):
    """The smallest value so far along `dim`, and the last place that had it; NaN once there was one."""
    _running(False, x, dim, values, indices)


def _running(largest, x, dim, values, indices):
    shape = math.prod(x.shape[:dim]), x.shape[dim] if x.ndim else 1, math.prod(x.shape[dim + 1 :])
    kernel, shape = (_extremes_of_lines, shape[:2]) if shape[2] == 1 else (_running_extremes, shape)
    kernel(largest, *(a.reshape(shape) for a in (contiguous(x), indices, values)))


@adaptive
def _extremes_of_lines(largest, x, indices, values):
    for line in prange(x.shape[0]):
        row, row_values, row_indices = x[line], values[line], indices[line]
        place = 0
        for k in range(row.size):
            value, best = row[k], row[place]
            if (value >= best if largest else value <= best) or value != value:
                place = k
            row_values[k], row_indices[k] = row[place], place


@adaptive
def running_lines(adding, identity, x, out):
    """out[i, k] = x[i, 0] + ... + x[i, k], or their product; the identity says in which precision to count."""
    lines, n = x.shape
    for block in prange((lines + 3) // 4):
        first = np.int64(block) * 4
        if first + 4 <= lines:
            _four_lines(adding, identity, x[first : first + 4], out[first : first + 4])
        else:
            for line in range(first, lines):
                total, row, row_out = identity, x[line], out[line]
                for k in range(n):
                    total = total + row[k] if adding else total * row[k]
                    row_out[k] = total


@inline
def _four_lines(adding, identity, x, out):
    # Side by side, as each sum waits for the one before.
    a = b = c = d = identity
    first, second, third, fourth = x[0], x[1], x[2], x[3]
    if adding:
        for k in range(first.size):
            a, b, c, d = a + first[k], b + second[k], c + third[k], d + fourth[k]
            out[0, k], out[1, k], out[2, k], out[3, k] = a, b, c, d
    else:
        for k in range(first.size):
            a, b, c, d = a * first[k], b * second[k], c * third[k], d * fourth[k]
            out[0, k], out[1, k], out[2, k], out[3, k] = a, b, c, d


@adaptive
def _running_extremes(largest, x, indices, values):
    outer, n, inner = x.shape
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * blocks):
        o = np.int64(task) // blocks
        left = (np.int64(task) - o * blocks) * COLUMNS
        right = min(left + COLUMNS, inner)
        for k in range(n):
            row, before = x[o, k, left:right], max(k - 1, 0)
            for i in range(row.size):
                value, best = row[i], values[o, before, left + i] if k > 0 else row[i]
                taken = (value >= best if largest else value <= best) | (value != value)
                values[o, k, left + i] = value if taken else best
                indices[o, k, left + i] = k if taken else indices[o, before, left + i]
