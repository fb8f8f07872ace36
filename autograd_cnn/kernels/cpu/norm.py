"""Batch normalisation of x (N, C, S): every channel is brought to mean 0 and variance 1 over N and S.

Sergey Ioffe and Christian Szegedy, Batch Normalization, 2015, https://arxiv.org/abs/1502.03167.

A task takes one channel of all images, or a few neighbouring channels where S is 1: it sums them up once, in float64,
and writes the result while they still lie in the cache.  Sums of squares are taken round a channel's first element,
so that a mean far from zero costs no digits.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline, serial
from autograd_cnn.kernels.cpu.lines import affine_line, affine_pair, moments, products

COLUMNS = 32  # neighbouring channels that one task takes where S is 1


def batch_norm_train(x, weight, bias, eps, out, statistics):
    """out = (x - mean) invstd weight + bias, with the mean and the biased variance of each channel of x.

    statistics (3, C) float64 gets mean, invstd = 1 / sqrt(var + eps) and var; weight and bias (C,) may be None.
    """
    if x.size == 0:
        statistics[...] = np.nan
        return
    kernel = _train if x.shape[2] != 1 else _train_columns
    kernel(_flat(x), x.shape[2], _or_all(weight, 1, x), _or_all(bias, 0, x), eps, statistics, out.ravel())


def batch_norm_eval(x, mean, var, weight, bias, eps, out):
    """out = (x - mean) / sqrt(var + eps) weight + bias, by channel; weight and bias (C,) may be None."""
    kernel = _apply if x.shape[2] != 1 else _apply_columns
    kernel(_flat(x), x.shape[2], mean, var, _or_all(weight, 1, x), _or_all(bias, 0, x), eps, out.ravel())


def batch_norm_grad(g, x, weight, statistics, training, gx, gw, gb):
    """Gradients of batch normalisation for x, weight and bias; None where one is not wanted.

    statistics (2 or 3, C) float64 begins with mean and invstd, the batch's own in training, else constants.
    With z = (x - mean) invstd and m = N S: gb = sum(g), gw = sum(g z),
    gx = weight invstd (g - (gb + z gw) / m) in training, else weight invstd g.
    """
    channels, size = x.shape[1:]
    kernel = _grad if size != 1 else _grad_columns
    gw, gb = (np.empty(channels, x.dtype) if each is None else each for each in (gw, gb))
    out = np.empty(0, x.dtype) if gx is None else gx.ravel()
    kernel(_flat(g), size, _or_all(weight, 1, x), statistics, training, gw, gb, out, _flat(x))


@serial
def running_averages(mean, var, statistics, unbiased, momentum):
    """Bring mean and var (C,), either of which may be empty, towards the batch's, in place.

    running = (1 - momentum) running + momentum batch's, of statistics as `batch_norm_train` fills them; the variance
    times `unbiased`.
    """
    for c in range(mean.size):
        mean[c] = mean[c] * (1 - momentum) + statistics[0, c] * momentum
    for c in range(var.size):
        var[c] = var[c] * (1 - momentum) + statistics[2, c] * unbiased * momentum


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


def _or_all(values, default, x):
    return np.full(x.shape[1], default, x.dtype) if values is None else values


@inline
def _split(value, real):
    """A float64 as the sum of two numbers of type `real`."""
    high = real(value)
    return high, real(value - np.float64(high))


@inline
def _above_zero(spread):
    """A variance that rounding has left below 0 is 0; NaN stays."""
    return 0.0 if spread < 0 else spread


@inline
def _scales(var, weight, eps):
    scales = np.empty_like(weight)
    for i in range(weight.size):
        scales[i] = weight[i] / math.sqrt(var[i] + eps)
    return scales


# out, or x, comes last: its size says whether threads are worth it.
# prange counts in uint64: np.int64 spares a second compilation of what is called with it.


@adaptive
def _train(x, size, weight, bias, eps, statistics, out):
    channels = weight.size
    pitch = channels * size
    n = x.size // max(pitch, 1)
    for channel in prange(channels):
        c = np.int64(channel)
        start = c * size
        centre = np.float64(x[start])
        rest, squares = moments(x, start, centre, n, pitch, size)
        rest /= n * size
        spread = _above_zero(squares / (n * size) - rest * rest)
        mean, invstd = centre + rest, 1 / math.sqrt(spread + eps)
        statistics[0, c], statistics[1, c], statistics[2, c] = mean, invstd, spread
        high, low = _split(mean, out.dtype.type)
        scale, shift = out.dtype.type(invstd * weight[c]), bias[c]
        for image in range(n):
            place = image * pitch + start
            affine_line(size, x, place, high, low, scale, shift, out, place)


@adaptive
def _grad(g, size, weight, statistics, training, gw, gb, out, x):
    channels = weight.size
    pitch = channels * size
    n = x.size // max(pitch, 1)
    real = x.dtype.type
    for channel in prange(channels):
        c = np.int64(channel)
        start = c * size
        mean, invstd = statistics[0, c], statistics[1, c]
        total, product = products(g, start, 0.0, x, start, mean, n, pitch, size)
        gw[c], gb[c] = product * invstd, total
        if out.size > 0:
            scale = real(invstd * weight[c])
            slope = real(-invstd * weight[c] * invstd * invstd * product / (n * size))
            shift = real(-invstd * weight[c] * total / (n * size))
            zero = real(0)
            for image in range(n):
                place = image * pitch + start
                if training:
                    affine_pair(size, x, place, real(mean), slope, g, place, scale, shift, out, place)
                else:
                    affine_line(size, g, place, zero, zero, scale, zero, out, place)


@adaptive
def _apply(x, size, mean, var, weight, bias, eps, out):
    scales = _scales(var, weight, eps)
    for run in prange(out.size // max(size, 1)):
        r = np.int64(run)
        c = r % mean.size
        affine_line(size, x, r * size, mean[c], mean.dtype.type(0), scales[c], bias[c], out, r * size)


# The same for x (N, C), where neighbours belong to different channels.


@adaptive
def _train_columns(x, size, weight, bias, eps, statistics, out):
    channels = weight.size
    n = x.size // max(channels, 1)
    for task in prange((channels + COLUMNS - 1) // COLUMNS):
        left = np.int64(task) * COLUMNS
        count = min(COLUMNS, channels - left)
        rest, squares = np.zeros(COLUMNS), np.zeros(COLUMNS)
        centre, scale = np.empty(COLUMNS), np.empty(COLUMNS)
        first = x[left : left + count]
        for i in range(count):
            centre[i] = first[i]
        for row in range(n):
            line = x[row * channels + left : row * channels + left + count]
            for i in range(count):
                difference = line[i] - centre[i]
                rest[i] += difference
                squares[i] += difference * difference
        for i in range(count):
            offset = rest[i] / n
            spread = _above_zero(squares[i] / n - offset * offset)
            centre[i] += offset
            invstd = 1 / math.sqrt(spread + eps)
            scale[i] = invstd * weight[left + i]
            statistics[0, left + i], statistics[1, left + i], statistics[2, left + i] = centre[i], invstd, spread
        shift = bias[left : left + count]
        for row in range(n):
            place = row * channels + left
            line, line_out = x[place : place + count], out[place : place + count]
            for i in range(count):
                line_out[i] = (line[i] - centre[i]) * scale[i] + shift[i]


@adaptive
def _grad_columns(g, size, weight, statistics, training, gw, gb, out, x):
    channels = weight.size
    n = x.size // max(channels, 1)
    for task in prange((channels + COLUMNS - 1) // COLUMNS):
        left = np.int64(task) * COLUMNS
        count = min(COLUMNS, channels - left)
        total, product, scale = np.zeros(COLUMNS), np.zeros(COLUMNS), np.empty(COLUMNS)
        mean, invstd = statistics[0, left : left + count], statistics[1, left : left + count]
        for row in range(n):
            place = row * channels + left
            g_line, x_line = g[place : place + count], x[place : place + count]
            for i in range(count):
                total[i] += g_line[i]
                product[i] += g_line[i] * (x_line[i] - mean[i])
        for i in range(count):
            gw[left + i], gb[left + i] = product[i] * invstd[i], total[i]
            scale[i] = invstd[i] * weight[left + i]
            total[i] /= n
            product[i] *= invstd[i] * invstd[i] / n
        for row in range(n if out.size > 0 else 0):
            place = row * channels + left
            g_line, x_line, line_out = g[place : place + count], x[place : place + count], out[place : place + count]
            if training:
                for i in range(count):
                    line_out[i] = scale[i] * (g_line[i] - total[i] - (x_line[i] - mean[i]) * product[i])
            else:
                for i in range(count):
                    line_out[i] = scale[i] * g_line[i]


@adaptive
def _apply_columns(x, size, mean, var, weight, bias, eps, out):
    channels = mean.size
    scales = _scales(var, weight, eps)
    for row in prange(out.size // max(channels, 1)):
        start = np.int64(row) * channels
        line, line_out = x[start : start + channels], out[start : start + channels]
        for i in range(channels):
            line_out[i] = (line[i] - mean[i]) * scales[i] + bias[i]
