"""Layer normalisation of x (rows, D): every row is brought to mean 0 and variance 1.

Jimmy Lei Ba, Jamie Ryan Kiros and Geoffrey Hinton, Layer Normalization, 2016, https://arxiv.org/abs/1607.06450.
A row is read once from memory; what follows finds it in the cache.  Gradients for weight and bias are summed up over
chunks of rows that the shape alone decides, combined in their order.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.flat_call import FlatCall
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.lines import moments
from autograd_cnn.kernels.cpu.norm_lines import gradient_line, gradient_sums, normalised_line
from autograd_cnn.kernels.cpu.shared_code import call

CHUNKS = 32  # at most, of the rows
CHUNK = 4096  # elements of a chunk at least


def layer_norm(x, weight, bias, eps, out, statistics):
    """out = (x - mean) rstd weight + bias, with the mean and the biased variance of each sample.

    x and out: (..., *size), one sample for each column of statistics (2, samples) float64, which gets mean and
    rstd = 1 / sqrt(var + eps); weight and bias, of the shape `size`, may be None.
    """
    if x.size == 0:
        return
    rows, dtype = statistics.shape[1], out.dtype
    if weight is None:
        weight = _all(1, rows, x)
    if bias is None:
        bias = _all(0, rows, x)
    if out.size < GRAIN:
        _NORMALISE.of(dtype)(0, rows, x, weight, bias, eps, statistics, out)
    else:
        arrays = [a.ravel() for a in (x, weight, bias, statistics, out)]
        _normalise(_address(_NORMALISE, dtype), min(CHUNKS, rows), *arrays[:3], eps, *arrays[3:])


def layer_norm_grad(g, x, weight, statistics, gx, gw, gb):
    """Gradients of layer_norm's out for x, weight and bias; None where one is not wanted.

    With z = (x - mean) rstd and v = g weight: gb = sum of g over samples, gw = sum of g z over samples,
    gx = rstd (v - (sum(v) + z sum(v z)) / D).
    """
    if x.size == 0:
        for sums in (gw, gb):
            if sums is not None:
                sums.fill(0)
        return
    rows, dtype = statistics.shape[1], x.dtype
    if weight is None:
        weight = _all(1, rows, x)
    chunks = max(min(CHUNKS, rows, x.size // CHUNK), 1)
    sums = np.empty(2 * chunks * weight.size, dtype)
    none = sums[:0]
    out = none if gx is None else gx
    if x.size < GRAIN:
        _GRAD.of(dtype)(0, chunks, chunks, g, x, weight, statistics, sums, out)
    else:
        arrays = [a.ravel() for a in (g, x, weight, statistics, sums, out)]
        _grad(_address(_GRAD, dtype), chunks, *arrays)
    if gw is not None or gb is not None:
        _COMBINE.of(dtype)(chunks, sums, none if gw is None else gw, none if gb is None else gb)


def _all(value, rows, x):
    """Weights or biases of one value."""
    return np.full(x.size // max(rows, 1), value, x.dtype)


@lru_cache
def _address(kernel, dtype):
    return kernel.address(dtype)


@inline
def _split(value, real):
    """A float64 as a number of type `real` and what that lacks."""
    high = real(value)
    return high, value - np.float64(high)


@serial
def _normalise_rows(first, last, x, weight, bias, eps, statistics, out):
    rows, d = statistics.size // 2, weight.size
    real = out.dtype.type
    share = 1 / d
    for row in range(first, last):
        start = row * d
        centre = np.float64(x[start])
        rest, squares = moments(x, start, centre, 1, 0, d)
        rest *= share
        spread = squares * share - rest * rest
        mean, rstd = centre + rest, 1 / math.sqrt((0.0 if spread < 0 else spread) + eps)
        statistics[row], statistics[rows + row] = mean, rstd
        high, low = _split(mean, real)
        normalised_line(d, x, start, high, real(rstd), real(-low * rstd), weight, bias, out)


@serial
def _grad_chunks(first, last, chunks, g, x, weight, statistics, sums, out):
    rows, d = statistics.size // 2, weight.size
    real = x.dtype.type
    share = 1 / d
    for chunk in range(first, last):
        place = 2 * d * chunk
        sums[place : place + 2 * d] = 0
        for row in range(rows * chunk // chunks, rows * (chunk + 1) // chunks):
            start = row * d
            mean, rstd = statistics[row], statistics[rows + row]
            high, low = _split(mean, real)
            scale = real(rstd)
            total, product = gradient_sums(d, g, x, start, high, scale, real(-low * rstd), weight, sums, place)
            if out.size > 0:
                slope = -product * rstd * share
                shift = -total * share - low * slope
                gradient_line(d, g, x, start, high, scale, real(slope), real(shift), weight, out)


@serial
def _combine(chunks, sums, gw, gb):
    """gw and gb, each of which may be empty, from the sums of the chunks, in their order."""
    d = sums.size // (2 * chunks)
    totals = np.empty(2 * d)
    for i in range(2 * d):
        totals[i] = sums[i]
    for chunk in range(1, chunks):
        for i in range(2 * d):
            totals[i] += sums[2 * d * chunk + i]
    for i in range(gw.size):
        gw[i] = totals[i]
    for i in range(gb.size):
        gb[i] = totals[d + i]


_NORMALISE = FlatCall(_normalise_rows, "iixxxdsx")
_GRAD = FlatCall(_grad_chunks, "iiixxxsxx")
_COMBINE = FlatCall(_combine, "ixxx")


@parallel
def _normalise(kernel, pieces, x, weight, bias, eps, statistics, out):
    rows = statistics.size // 2
    for piece in prange(pieces):
        p = np.int64(piece)
        call(kernel, (rows * p // pieces, rows * (p + 1) // pieces, x, weight, bias, eps, statistics, out))


@parallel
def _grad(kernel, chunks, g, x, weight, statistics, sums, out):
    for chunk in prange(chunks):
        c = np.int64(chunk)
        call(kernel, (c, c + 1, chunks, g, x, weight, statistics, sums, out))
