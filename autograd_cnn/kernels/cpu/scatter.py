"""Combining elements with those at places that an index names: the last, the product, the largest, the smallest.

As in index.py, no kernel checks its index, and values for one place are taken in the order of the index.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.index import COLUMNS, PIECE, extent, flat, sizes
from autograd_cnn.kernels.cpu.jit import adaptive

PUT, MUL, MAX, MIN = range(4)


def scatter_put(out, dim, index, src):
    """out[i, index[i, j, k], k] = src[i, j, k] for dim 1, and so for every dim; index and src have one shape.

    It may be smaller than out's but along dim.
    """
    _combined(out, dim, index, src, PUT)


def scatter_mul(out, dim, index, src):
    """out[i, index[i, j, k], k] *= src[i, j, k] for dim 1, and so for every dim."""
    _combined(out, dim, index, src, MUL)


def scatter_max(out, dim, index, src):
    """The larger of out[i, index[i, j, k], k] and src[i, j, k] for dim 1, and so for every dim; NaN if either is."""
    _combined(out, dim, index, src, MAX)


def scatter_min(out, dim, index, src):
    """The smaller of out[i, index[i, j, k], k] and src[i, j, k] for dim 1, and so for every dim; NaN if either is."""
    _combined(out, dim, index, src, MIN)


def _combined(out, dim, index, src, how):
    if not index.size:
        return
    part = out[extent(dim, index)]
    target = flat(part)
    n, inner = sizes(index, dim)
    _scatter(target, flat(index), n, inner, sizes(part, dim)[0] * inner, how, flat(src))
    if not part.flags.c_contiguous:
        part[...] = target.reshape(part.shape)


@adaptive
def _scatter(out, index, n, inner, out_step, how, src):
    """On flat arrays: index and src are (outer, n, inner); out_step elements of out belong to one of outer."""
    outer = src.size // (n * inner)
    several = max(PIECE // (n * inner), 1)
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange((outer + several - 1) // several * blocks):
        group = task // blocks
        left = (task - group * blocks) * COLUMNS
        right = min(left + COLUMNS, inner)
        for o in range(group * several, min((group + 1) * several, outer)):
            target, first = np.uint64(o * out_step), o * n
            if how == PUT:
                for k in range(first, first + n):
                    for i in range(left, right):
                        at = np.uint64(k * inner) + np.uint64(i)
                        out[target + np.uint64(index[at]) * np.uint64(inner) + np.uint64(i)] = src[at]
                continue
            for k in range(first, first + n):
                for i in range(left, right):
                    at = np.uint64(k * inner) + np.uint64(i)
                    place = target + np.uint64(index[at]) * np.uint64(inner) + np.uint64(i)
                    value, old = src[at], out[place]
                    if how == MUL:
                        out[place] = old * value
                    elif value != value or (value > old if how == MAX else value < old):
                        out[place] = value
