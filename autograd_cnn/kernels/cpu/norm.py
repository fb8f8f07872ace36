"""Batch normalisation of x (N, C, ...): every channel is brought to mean 0 and variance 1 over all but C.

Sergey Ioffe and Christian Szegedy, Batch Normalization, 2015, https://arxiv.org/abs/1502.03167.

A piece of work is one channel of all images, or, where a channel of an image has few elements, a block of neighbouring
channels (norm_columns.py): it sums them up once, in float64, and writes the result while they still lie in the
cache.  Sums of squares are taken round a channel's first element, so that a mean far from zero costs no digits.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.flat_call import FlatCall
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.lines import affine_line, affine_pair, moments, products
from autograd_cnn.kernels.cpu.norm_columns import (
    LARGEST,
    above_zero,
    apply_columns,
    channels_of_block,
    grad_columns,
    train_columns,
)
from autograd_cnn.kernels.cpu.shared_code import call

PIECES = 64  # of evaluation, at most


def batch_norm_train(x, weight, bias, eps, out, statistics):
    """out = (x - mean) invstd weight + bias, with the mean and the biased variance of each channel of x (N, C, ...).

    statistics (3, C) float64 gets mean, invstd = 1 / sqrt(var + eps) and var; weight and bias (C,) may be None.
    """
    if x.size == 0:
        statistics[...] = np.nan
        return
    weight, bias = _or_all(weight, 1, x), _or_all(bias, 0, x)
    size, per, pieces, of_columns = _pieces(x.shape)
    kernel = _TRAIN_COLUMNS if of_columns else _TRAIN
    if x.size < GRAIN:
        kernel.of(x.dtype)(0, pieces, per, size, x, weight, bias, eps, statistics, out)
    else:
        flat = [a.ravel() for a in (x, weight, bias, statistics, out)]
        _train(_address(kernel, x.dtype), pieces, per, size, *flat[:3], eps, *flat[3:])


def batch_norm_eval(x, mean, var, weight, bias, eps, out):
    """out = (x - mean) / sqrt(var + eps) weight + bias, by channel; weight and bias (C,) may be None."""
    if x.size == 0:
        return
    weight, bias = _or_all(weight, 1, x), _or_all(bias, 0, x)
    size = math.prod(x.shape[2:])
    kernel, count = (_APPLY_COLUMNS, x.shape[0]) if size == 1 else (_APPLY, x.shape[0] * x.shape[1])
    if x.size < GRAIN:
        kernel.of(x.dtype)(0, count, size, x, mean, var, weight, bias, eps, out)
    else:
        flat = [a.ravel() for a in (x, mean, var, weight, bias)]
        _evaluate(_address(kernel, x.dtype), min(count, PIECES), count, size, *flat, eps, out.ravel())


def batch_norm_grad(g, x, weight, statistics, training, gx, gw, gb):
    """Gradients of batch normalisation for x, weight and bias; None where one is not wanted.

    statistics (2 or 3, C) float64 begins with mean and invstd, the batch's own in training, else constants.
    With z = (x - mean) invstd and m = N S: gb = sum(g), gw = sum(g z),
    gx = weight invstd (g - (gb + z gw) / m) in training, else weight invstd g, which may lie where g does.
    """
    weight = _or_all(weight, 1, x)
    gw, gb = (np.empty(x.shape[1], x.dtype) if each is None else each for each in (gw, gb))
    out = np.empty(0, x.dtype) if gx is None else gx
    size, per, pieces, of_columns = _pieces(x.shape)
    kernel = _GRAD_COLUMNS if of_columns else _GRAD
    if x.size < GRAIN:
        kernel.of(x.dtype)(0, pieces, per, size, training, g, x, weight, statistics, gw, gb, out)
    else:
        flat = [a.ravel() for a in (g, x, weight, statistics, gw, gb, out)]
        _grad(_address(kernel, x.dtype), pieces, per, size, int(training), *flat)


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


def _or_all(values, default, x):
    return np.full(x.shape[1], default, x.dtype) if values is None else values


@lru_cache
def _address(kernel, dtype):
    return kernel.address(dtype)


@lru_cache(maxsize=1024)
def _pieces(shape):
    """Elements of a channel of an image, channels of a piece, how many pieces, and whether they are of columns."""
    channels, size = shape[1], math.prod(shape[2:])
    of_columns = 0 < size <= LARGEST
    per = channels_of_block(channels, size) if of_columns else 1
    return size, per, (channels + per - 1) // per, of_columns


@inline
def _split(value, real):
    """A float64 as the sum of two numbers of type `real`."""
    high = real(value)
    return high, real(value - np.float64(high))


# Serial kernels for pieces [first, last), here of one channel each.


@serial
def _train_lines(first, last, per, size, x, weight, bias, eps, statistics, out):
    channels = weight.size
    pitch = channels * size
    n = x.size // pitch
    for c in range(first, last):
        start = c * size
        centre = np.float64(x[start])
        rest, squares = moments(x, start, centre, n, pitch, size)
        rest /= n * size
        spread = above_zero(squares / (n * size) - rest * rest)
        mean, invstd = centre + rest, 1 / math.sqrt(spread + eps)
        statistics[c], statistics[channels + c], statistics[2 * channels + c] = mean, invstd, spread
        high, low = _split(mean, out.dtype.type)
        scale, shift = out.dtype.type(invstd * weight[c]), bias[c]
        for image in range(n):
            place = image * pitch + start
            affine_line(size, x, place, high, low, scale, shift, out, place)


@serial
def _grad_lines(first, last, per, size, training, g, x, weight, statistics, gw, gb, out):
    channels = weight.size
    pitch = channels * size
    n = x.size // max(pitch, 1)
    real = x.dtype.type
    for c in range(first, last):
        start = c * size
        mean, invstd = statistics[c], statistics[channels + c]
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


@serial
def _apply_lines(first, last, size, x, mean, var, weight, bias, eps, out):
    """Runs [first, last), of one channel of one image each."""
    zero = mean.dtype.type(0)
    for run in range(first, last):
        c = run % mean.size
        scale = out.dtype.type(weight[c] / math.sqrt(var[c] + eps))
        affine_line(size, x, run * size, mean[c], zero, scale, bias[c], out, run * size)


_TRAIN, _TRAIN_COLUMNS = (FlatCall(kernel, "iiiixxxdsx") for kernel in (_train_lines, train_columns))
_GRAD, _GRAD_COLUMNS = (FlatCall(kernel, "iiiiixxxsxxx") for kernel in (_grad_lines, grad_columns))
_APPLY, _APPLY_COLUMNS = (FlatCall(kernel, "iiixxxxxdx") for kernel in (_apply_lines, apply_columns))


@parallel
def _train(kernel, pieces, per, size, x, weight, bias, eps, statistics, out):
    for piece in prange(pieces):
        p = np.int64(piece)
        call(kernel, (p, p + 1, per, size, x, weight, bias, eps, statistics, out))


@parallel
def _grad(kernel, pieces, per, size, training, g, x, weight, statistics, gw, gb, out):
    for piece in prange(pieces):
        p = np.int64(piece)
        call(kernel, (p, p + 1, per, size, training, g, x, weight, statistics, gw, gb, out))


@parallel
def _evaluate(kernel, pieces, count, size, x, mean, var, weight, bias, eps, out):
    for piece in prange(pieces):
        p = np.int64(piece)
        first, last = count * p // pieces, count * (p + 1) // pieces
        call(kernel, (first, last, size, x, mean, var, weight, bias, eps, out))
