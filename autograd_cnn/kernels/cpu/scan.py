"""Recurrences along a line: every element depends on the one before."""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive


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
