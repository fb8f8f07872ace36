"""Layer normalisation of x (rows, D): every row is brought to mean 0 and variance 1.

Jimmy Lei Ba, Jamie Ryan Kiros and Geoffrey Hinton, Layer Normalization, 2016, https://arxiv.org/abs/1607.06450.
A row is read once from memory; what follows finds it in the cache.  Gradients for weight and bias are summed up over
chunks of rows that the shape alone decides, combined in their order.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.lines import moments, products

CHUNKS = 32  # at most, of the rows
CHUNK = 4096  # elements of a chunk at least


def layer_norm(x, weight, bias, eps, out, statistics):
    """out = (x - mean) rstd weight + bias, with the mean and the biased variance of each row of x (rows, D).

    statistics (2, rows) float64 gets mean and rstd = 1 / sqrt(var + eps); weight and bias (D,) may be None.
    """
    _normalise(_rows(x), _or_all(weight, 1, x), _or_all(bias, 0, x), eps, statistics, out)


def layer_norm_grad(g, x, weight, statistics, gx, gw, gb):
    """Gradients of layer_norm's out for x, weight and bias; None where one is not wanted.

    With z = (x - mean) rstd and v = g weight: gb = sum of g over rows, gw = sum of g z over rows,
    gx = rstd (v - (sum(v) + z sum(v z)) / D).
    """
    rows, d = x.shape
    chunks = max(min(CHUNKS, rows, x.size // CHUNK), 1)
    sums = np.empty((chunks, 2, 0 if gw is None and gb is None else d), x.dtype)
    out = np.empty((0, d), x.dtype) if gx is None else gx
    _grad(_rows(g), _or_all(weight, 1, x), statistics, sums, out, _rows(x))
    for which, wanted in enumerate((gw, gb)):
        if wanted is not None:
            wanted[...] = sums[:, which].sum(0, dtype=np.float64)


def _rows(a):
    return a if a.flags.c_contiguous else np.ascontiguousarray(a)


def _or_all(values, default, x):
    return np.full(x.shape[1], default, x.dtype) if values is None else values


# out, or x, comes last: its size says whether threads are worth it.
# prange counts in uint64: np.int64 spares a second compilation of what is called with it.


@adaptive
def _normalise(x, weight, bias, eps, statistics, out):
    rows, d = x.shape
    flat = x.reshape(rows * d)
    real = out.dtype.type
    count = rows if d > 0 else 0
    for r in prange(count):
        row = np.int64(r)
        centre = np.float64(x[row, 0])
        rest, squares = moments(flat, row * d, centre, 1, 0, d)
        rest /= d
        spread = squares / d - rest * rest
        mean, rstd = centre + rest, 1 / math.sqrt((0.0 if spread < 0 else spread) + eps)
        statistics[0, row], statistics[1, row] = mean, rstd
        high = real(mean)
        low, scale = real(mean - np.float64(high)), real(rstd)
        line, line_out = x[row], out[row]
        for i in range(d):
            line_out[i] = ((line[i] - high) - low) * scale * weight[i] + bias[i]


@adaptive
def _grad(g, weight, statistics, sums, out, x):
    chunks = sums.shape[0]
    rows = x.shape[0]
    for c in prange(chunks):
        chunk = np.int64(c)
        _grad_of_rows(g, weight, statistics, sums[chunk], out, x, rows * chunk // chunks, rows * (chunk + 1) // chunks)


@inline
def _grad_of_rows(g, weight, statistics, sums, out, x, first, last):
    d = x.shape[1]
    real = x.dtype.type
    flat = x.reshape(x.size)
    upstream = np.empty(d, x.dtype)
    sums[:] = 0
    for row in range(first, last):
        mean, rstd = statistics[0, row], statistics[1, row]
        centre, scale = real(mean), real(rstd)
        x_line, g_line = x[row], g[row]
        if sums.shape[1] > 0:
            gw, gb = sums[0], sums[1]
            for i in range(d):
                gw[i] += g_line[i] * ((x_line[i] - centre) * scale)
                gb[i] += g_line[i]
        if out.size > 0:
            for i in range(d):
                upstream[i] = g_line[i] * weight[i]
            total, product = products(upstream, 0, 0.0, flat, row * d, mean, 1, 0, d)
            slope = real(-product * rstd * rstd * rstd / d)
            shift = real(-total * rstd / d)
            line_out = out[row]
            for i in range(d):
                line_out[i] = upstream[i] * scale + ((x_line[i] - centre) * slope + shift)
