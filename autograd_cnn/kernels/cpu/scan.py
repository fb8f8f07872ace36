"""Recurrences along a line: every element depends on the one before.  Largest and smallest values so far."""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive

COLUMNS = 128  # neighbouring lines that one task takes side by side


def linear_recurrence(a, x, dim, out):
    """out[i] = a[i] out[i - 1] + x[i] along `dim`, starting with out[0] = x[0]; counted in float64."""
    shape = math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :])
    _recur(np.ascontiguousarray(a).reshape(shape), np.ascontiguousarray(x).reshape(shape), out.reshape(shape))


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
    _running_extremes(largest, *(a.reshape(shape) for a in (np.ascontiguousarray(x), indices, values)))


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
