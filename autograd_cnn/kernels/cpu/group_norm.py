"""Group normalisation of x (N, C, ...): each group of channels of each image by its own mean and variance.

Yuxin Wu and Kaiming He, Group Normalization, 2018, https://arxiv.org/abs/1803.08494.

A piece of work is a group of an image, which lies in one run of memory.  It is summed up once, in float64, round its
first element, and written while it still lies in the cache.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.lines import affine_line, affine_pair, moments, products
from autograd_cnn.kernels.cpu.norm_columns import above_zero
from autograd_cnn.kernels.cpu.shared_code import address_of, call


def group_norm(x, groups, weight, bias, eps, out, statistics):
    """out = (x - mean) invstd weight + bias, with the mean and the biased variance of each group of each image.

    x: (N, C, ...), contiguous; weight and bias (C,) may be None; statistics (3, N groups) float64 gets mean,
    invstd = 1 / sqrt(var + eps) and var.
    """
    if x.size == 0:
        statistics[...] = np.nan
        return
    weight, bias = _or_all(weight, 1, x), _or_all(bias, 0, x)
    none = statistics[:0].ravel()
    _run(_forward, x, groups, x.ravel(), x.ravel(), weight, bias, eps, statistics.ravel(), none, out.ravel())


def group_norm_grad(g, x, groups, weight, statistics, gx, gw, gb):
    """Gradients of group normalisation for x, weight and bias; None where one is not wanted.

    With z = (x - mean) invstd, h = g weight and m the size of a group: gb = sum(g), gw = sum(g z),
    gx = invstd (h - (sum(h) + z sum(h z)) / m).
    """
    sums = np.zeros((2, x.shape[0], x.shape[1]))
    if x.size:
        weight = _or_all(weight, 1, x)
        out = np.empty(0, x.dtype) if gx is None else gx.ravel()
        flat = np.ascontiguousarray(g).ravel(), x.ravel()
        _run(_backward, x, groups, *flat, weight, weight, 0.0, statistics.ravel(), sums.ravel(), out)
    for result, of_images in ((gw, sums[0]), (gb, sums[1])):
        if result is not None:
            result[...] = of_images.sum(0)


def _or_all(values, default, x):
    return np.full(x.shape[1], default, x.dtype) if values is None else np.ascontiguousarray(values)


def _run(kernel, x, groups, *operands):
    pieces, per, size = x.shape[0] * groups, x.shape[1] // groups, math.prod(x.shape[2:])
    if x.size < GRAIN:
        kernel(0, pieces, groups, per, size, *operands)
    else:
        _in_pieces(_address(kernel, x.dtype), pieces, groups, per, size, *operands)


@lru_cache
def _address(kernel, dtype):
    some, wide = np.zeros(1, dtype), np.zeros(1)
    return address_of(kernel, 0, 0, 1, 1, 1, some, some, some, some, 0.0, wide, wide, some)


@inline
def _split(value, real):
    """A float64 as the sum of two numbers of type `real`."""
    high = real(value)
    return high, real(value - np.float64(high))


# Serial kernels for pieces [first, last); arguments that only one of them needs the other ignores.


@serial
def _forward(first, last, groups, per, size, g, x, weight, bias, eps, statistics, sums, out):
    count = per * size
    images = x.size // count
    real = out.dtype.type
    for piece in range(first, last):
        start = piece * count
        centre = np.float64(x[start])
        rest, squares = moments(x, start, centre, 1, 0, count)
        rest /= count
        spread = above_zero(squares / count - rest * rest)
        mean, invstd = centre + rest, 1 / math.sqrt(spread + eps)
        statistics[piece], statistics[images + piece], statistics[2 * images + piece] = mean, invstd, spread
        high, low = _split(mean, real)
        channel = piece % groups * per
        for c in range(per):
            place = start + c * size
            scale = real(invstd * weight[channel + c])
            affine_line(size, x, place, high, low, scale, bias[channel + c], out, place)


@serial
def _backward(first, last, groups, per, size, g, x, weight, bias, eps, statistics, sums, out):
    count = per * size
    images = x.size // count
    real = x.dtype.type
    for piece in range(first, last):
        start = piece * count
        mean, invstd = statistics[piece], statistics[images + piece]
        channel = piece % groups * per
        whole, whole_product = 0.0, 0.0
        for c in range(per):
            place = start + c * size
            total, product = products(g, place, 0.0, x, place, mean, 1, 0, size)
            sums[piece * per + c], sums[images * per + piece * per + c] = product * invstd, total
            whole += total * weight[channel + c]
            whole_product += product * weight[channel + c]
        if out.size > 0:
            slope = real(-invstd * invstd * invstd * whole_product / count)
            shift = real(-invstd * whole / count)
            for c in range(per):
                place = start + c * size
                scale = real(invstd * weight[channel + c])
                affine_pair(size, x, place, real(mean), slope, g, place, scale, shift, out, place)


@parallel
def _in_pieces(kernel, pieces, groups, per, size, g, x, weight, bias, eps, statistics, sums, out):
    for index in prange(pieces):
        piece = np.int64(index)
        call(kernel, (piece, piece + 1, groups, per, size, g, x, weight, bias, eps, statistics, sums, out))
