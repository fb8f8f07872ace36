"""Batch normalisation of x (N, C, S): every channel is brought to mean 0 and variance 1 over N and S.

Sergey Ioffe and Christian Szegedy, Batch Normalization, 2015, https://arxiv.org/abs/1502.03167.
All sums are float64, over blocks of images that the shape alone decides, combined in their order.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline

LANES = 64  # running sums side by side: of neighbouring channels where S is 1, else of parts of one channel
BLOCK = 32768  # elements whose sums one task takes


def batch_norm_train(x, weight, bias, eps, out, mean, invstd, var):
    """out = (x - mean) invstd weight + bias, with the mean and the biased variance of each channel of x.

    invstd = 1 / sqrt(var + eps); weight and bias (C,) may be None.
    """
    x = np.ascontiguousarray(x)
    count = x.shape[0] * x.shape[2]
    with np.errstate(all="ignore"):
        zero = np.zeros(x.shape[1])
        centre = _channel_sums(zero, x, zero, x)[0] / count
        rest, squares = _channel_sums(centre, x, centre, x) / count
        spread = squares - rest * rest  # rest: what rounding left out of the mean
        centre += rest
        scale = 1 / np.sqrt(spread + eps)
        mean[...], invstd[...], var[...] = centre, scale, spread
        if weight is not None:
            scale = scale * weight
    shift = zero if bias is None else bias.astype(np.float64)
    _standardise(x.shape[2], centre, scale, shift, _runs(x), _runs(out))


def batch_norm_grad(g, x, weight, mean, invstd, gx, gw, gb):
    """Gradients of batch_norm_train's out for x, weight and bias.

    With z = (x - mean) invstd and m = N S: gb = sum(g), gw = sum(g z),
    gx = weight invstd (g - (gb + z gw) / m).
    """
    g, x = np.ascontiguousarray(g), np.ascontiguousarray(x)
    count = x.shape[0] * x.shape[2]
    with np.errstate(all="ignore"):
        mean, invstd = mean.astype(np.float64), invstd.astype(np.float64)
        total, product = _channel_sums(np.zeros(x.shape[1]), g, mean, x)
        product *= invstd
        gw[...], gb[...] = product, total
        scale = invstd if weight is None else invstd * weight
        total, product = total / count, product * invstd / count
    _grad(x.shape[2], mean, scale, total, product, _runs(g), _runs(x), _runs(gx))


def batch_norm_apply(x, scale, shift, out):
    """out = x scale + shift, scale and shift (C,)."""
    x = np.ascontiguousarray(x)
    scale, shift = scale.astype(np.float64), shift.astype(np.float64)
    _standardise(x.shape[2], np.zeros(scale.size), scale, shift, _runs(x), _runs(out))


def _runs(a):
    """A row for every run of memory: one channel of one image, or all channels of an image where S is 1."""
    n, c, s = a.shape
    return a.reshape((n * c, s) if s > 1 else (n, c * s))


def _channel_sums(a_centre, a, b_centre, b):
    """The sums over each channel of a - a_centre, and of that times b - b_centre: (2, C) float64."""
    n, c, s = b.shape
    images = max(BLOCK // max(s if s > 1 else min(c, LANES), 1), 1)
    partial = np.empty((-(-n // images), 2, c))
    _sums(images, s, partial, a_centre, a.reshape(n, c * s), b_centre, b.reshape(n, c * s))
    return partial.sum(axis=0)


# x comes last: its size, not that of the sums, says whether threads are worth it.
@adaptive
def _sums(images, size, partial, a_centre, a, b_centre, b):
    blocks, _, channels = partial.shape
    groups = channels if size > 1 else (channels + LANES - 1) // LANES
    for task in prange(blocks * groups):
        block = task // groups
        group = task - block * groups
        first = block * images
        last = min(first + images, b.shape[0])
        _sums_of_block(partial[block], size, group, a_centre, a[first:last], b_centre, b[first:last])


@inline
def _sums_of_block(sums, size, group, a_centre, a, b_centre, b):
    channel, count = (group, 1) if size > 1 else (group * LANES, min(LANES, sums.shape[1] - group * LANES))
    totals, products = np.zeros(LANES), np.zeros(LANES)
    a_centres, b_centres = np.empty(LANES), np.empty(LANES)
    for i in range(LANES):
        a_centres[i] = a_centre[channel + i % count]
        b_centres[i] = b_centre[channel + i % count]
    first, last = channel * size, (channel + count) * size
    for n in range(b.shape[0]):
        for start in range(first, last, LANES):
            a_part, b_part = a[n, start : min(start + LANES, last)], b[n, start : min(start + LANES, last)]
            for i in range(b_part.size):
                difference = a_part[i] - a_centres[i]
                totals[i] += difference
                products[i] += difference * (b_part[i] - b_centres[i])
    for i in range(count):
        sums[0, channel + i], sums[1, channel + i] = totals[i], products[i]
    if size > 1:
        for i in range(1, LANES):
            sums[0, channel] += totals[i]
            sums[1, channel] += products[i]


@adaptive
def _standardise(size, mean, scale, shift, x, out):
    for row in prange(out.shape[0]):
        x_run, out_run = x[row], out[row]
        if size > 1:
            channel = row % scale.size
            centre, a, b = mean[channel], scale[channel], shift[channel]
            for i in range(size):
                out_run[i] = (x_run[i] - centre) * a + b
        else:
            for i in range(out_run.size):
                out_run[i] = (x_run[i] - mean[i]) * scale[i] + shift[i]


@adaptive
def _grad(size, mean, scale, total, product, g, x, out):
    for row in prange(out.shape[0]):
        g_run, x_run, out_run = g[row], x[row], out[row]
        if size > 1:
            channel = row % scale.size
            centre, a, b, c = mean[channel], scale[channel], total[channel], product[channel]
            for i in range(size):
                out_run[i] = a * (g_run[i] - b - (x_run[i] - centre) * c)
        else:
            for i in range(out_run.size):
                out_run[i] = scale[i] * (g_run[i] - total[i] - (x_run[i] - mean[i]) * product[i])
