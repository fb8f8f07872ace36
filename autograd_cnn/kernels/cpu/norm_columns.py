"""Batch normalisation of x (N, C, S) where S is small: x as a matrix of N rows and C S columns.

A block of whole channels is summed up column by column, in vectors over neighbouring columns, and then S columns
give a channel.  Serial kernels for blocks [first, last); norm.py runs them.
"""

import math

import numpy as np

from autograd_cnn.kernels.cpu.column_sums import moments_of_columns, products_of_columns
from autograd_cnn.kernels.cpu.jit import inline, serial
from autograd_cnn.kernels.cpu.lines import sum_of_line
from autograd_cnn.kernels.cpu.norm_lines import affine_pair_row, affine_row

LARGEST = 64  # columns of a channel
# Columns of a block: enough blocks for the threads, but a line of each long enough for the processor to read ahead.
FEW, MANY, BLOCKS = 64, 512, 8


@inline
def above_zero(spread):
    """A variance that rounding has left below 0 is 0; NaN stays."""
    return 0.0 if spread < 0 else spread


def channels_of_block(channels, size):
    """How many channels of `size` columns a block has."""
    columns = channels * size
    width = max(min(MANY, columns // BLOCKS), min(FEW, columns // 2))
    return max(width // size, 1)


@serial
def train_columns(first, last, per, size, x, weight, bias, eps, statistics, out):
    channels = weight.size
    pitch = channels * size
    n = x.size // pitch
    m = n * size
    real = x.dtype.type
    columns = per * size
    centres, totals, squares = np.empty(columns), np.empty(columns), np.empty(columns)
    highs, scales, shifts = np.empty(columns, x.dtype), np.empty(columns, x.dtype), np.empty(columns, x.dtype)
    for block in range(first, last):
        begin = block * per
        end = min(begin + per, channels)
        start, count = begin * size, (end - begin) * size
        for c in range(begin, end):
            centres[(c - begin) * size : (c + 1 - begin) * size] = x[c * size]
        moments_of_columns(x, start, pitch, n, count, centres, totals, squares)
        for c in range(begin, end):
            own = (c - begin) * size
            rest = sum_of_line(totals, own, size) / m
            spread = above_zero(sum_of_line(squares, own, size) / m - rest * rest)
            mean, invstd = centres[own] + rest, 1 / math.sqrt(spread + eps)
            statistics[c], statistics[channels + c], statistics[2 * channels + c] = mean, invstd, spread
            high, scale = real(mean), invstd * weight[c]
            highs[own : own + size] = high
            scales[own : own + size] = real(scale)
            shifts[own : own + size] = real(bias[c] - (mean - np.float64(high)) * scale)
        for row in range(n):
            affine_row(count, x, row * pitch + start, highs, scales, shifts, out)


@serial
def grad_columns(first, last, per, size, training, g, x, weight, statistics, gw, gb, out):
    channels = weight.size
    pitch = channels * size
    n = x.size // max(pitch, 1)
    m = n * size
    real = x.dtype.type
    columns = per * size
    means, totals, products = np.empty(columns), np.empty(columns), np.empty(columns)
    highs, scales = np.zeros(columns, x.dtype), np.empty(columns, x.dtype)
    slopes, shifts = np.empty(columns, x.dtype), np.zeros(columns, x.dtype)
    for block in range(first, last):
        begin = block * per
        end = min(begin + per, channels)
        start, count = begin * size, (end - begin) * size
        for c in range(begin, end):
            means[(c - begin) * size : (c + 1 - begin) * size] = statistics[c]
        products_of_columns(g, x, start, pitch, n, count, means, totals, products)
        for c in range(begin, end):
            own = (c - begin) * size
            total, product = sum_of_line(totals, own, size), sum_of_line(products, own, size)
            mean, invstd = statistics[c], statistics[channels + c]
            gw[c], gb[c] = product * invstd, total
            scale = invstd * weight[c]
            scales[own : own + size] = real(scale)
            if training:
                high = real(mean)
                slope = -scale * invstd * invstd * product / m
                highs[own : own + size] = high
                slopes[own : own + size] = real(slope)
                shifts[own : own + size] = real(-scale * total / m - (mean - np.float64(high)) * slope)
        for row in range(n if out.size > 0 else 0):
            place = row * pitch + start
            if training:
                affine_pair_row(count, g, x, place, highs, slopes, scales, shifts, out)
            else:
                affine_row(count, g, place, highs, scales, shifts, out)


@serial
def apply_columns(first, last, size, x, mean, var, weight, bias, eps, out):
    """Rows [first, last)."""
    channels = mean.size
    scales = np.empty_like(weight)
    for c in range(channels):
        scales[c] = weight[c] / math.sqrt(var[c] + eps)
    for row in range(first, last):
        affine_row(channels, x, row * channels, mean, scales, bias, out)
