"""Combining elements with those at places that an index names: the last, the product, the largest, the smallest.

As in index.py, no kernel checks its index, and values for one place are taken in the order of the index.
"""

import numpy as np

from autograd_cnn.kernels.cpu.index import column_tasks, columns_of, extent, flat, run, sizes
from autograd_cnn.kernels.cpu.jit import apart


def scatter_put(out, dim, index, src):
    """out[i, index[i, j, k], k] = src[i, j, k] for dim 1, and so for every dim; index and src have one shape.

    It may be smaller than out's but along dim.
    """
    _combined(out, dim, index, src, _put)


def scatter_mul(out, dim, index, src):
    """out[i, index[i, j, k], k] *= src[i, j, k] for dim 1, and so for every dim."""
    _combined(out, dim, index, src, _mul)


def scatter_max(out, dim, index, src):
    """The larger of out[i, index[i, j, k], k] and src[i, j, k] for dim 1, and so for every dim; NaN if either is."""
    _combined(out, dim, index, src, _max)


def scatter_min(out, dim, index, src):
    """The smaller of out[i, index[i, j, k], k] and src[i, j, k] for dim 1, and so for every dim; NaN if either is."""
    _combined(out, dim, index, src, _min)


def _combined(out, dim, index, src, kernel):
    if not index.size:
        return
    part = out[extent(dim, index)]
    target = flat(part)
    n, inner = sizes(index, dim)
    step = sizes(part, dim)[0] * inner
    run(kernel, src.size, column_tasks(src, n, inner), target, flat(index), n, inner, step, flat(src))
    if not part.flags.c_contiguous:
        part[...] = target.reshape(part.shape)


@apart
def _put(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        target = out[o * step :]
        places, values = index[o * n * inner :], src[o * n * inner :]
        if inner == 1:
            for k in range(n):
                target[np.uint64(places[k])] = values[k]
        else:
            for k in range(n):
                for i in range(left, right):
                    at = np.uint64(k * inner + i)
                    target[np.uint64(places[at] * inner + i)] = values[at]


@apart
def _mul(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        for k in range(o * n, o * n + n):
            for i in range(left, right):
                at = np.uint64(k * inner + i)
                out[np.uint64(o * step + index[at] * inner + i)] *= src[at]


@apart
def _max(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        for k in range(o * n, o * n + n):
            for i in range(left, right):
                at = np.uint64(k * inner + i)
                place, value = np.uint64(o * step + index[at] * inner + i), src[at]
                old = out[place]
                out[place] = value if (value > old) | (value != value) else old


@apart
def _min(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        for k in range(o * n, o * n + n):
            for i in range(left, right):
                at = np.uint64(k * inner + i)
                place, value = np.uint64(o * step + index[at] * inner + i), src[at]
                old = out[place]
                out[place] = value if (value < old) | (value != value) else old
