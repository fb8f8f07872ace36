"""Reading from and adding to places that an index names.

No kernel checks its index: `check_range` does, before.  Where places repeat, their values are added in the
order of the index, whatever the number of threads: a thread owns the columns it adds to.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, serial

COLUMNS = 64  # columns that one task adds to


def check_range(index, low, high):
    """Flat position of the first element of index outside [low, high), or -1."""
    return _check_range(_flat(index), low, high)


def gather(x, dim, index, out):
    """out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so for every dim; index may be smaller than x."""
    x = x[_extent(dim, index)]
    _gather(_lines(x, dim), _lines(index, dim), _lines(out, dim))


def scatter_add(out, dim, index, src):
    """out[i, index[i, j, k], k] += src[i, j, k] for dim 1, and so for every dim.

    index may be smaller than src, and than out but along dim.
    """
    src = src[*map(slice, index.shape), ...]
    part = out[_extent(dim, index)]
    lines = _lines(part, dim)
    _scatter_add(lines, _lines(index, dim), _lines(src, dim))
    if not part.flags.c_contiguous:
        part[...] = lines.reshape(part.shape)


def take(x, positions, out):
    """out[i] = x[positions[i]], all arrays seen flat."""
    _take(_flat(x), _flat(positions), out.ravel())


def put_add(out, positions, values):
    """out[positions[i]] += values[i], all arrays seen flat."""
    _put_add(out.ravel(), _flat(positions), _flat(values))


def index_select(x, dim, index, out):
    """out[i, j, k] = x[i, index[j], k] for dim 1, and so for every dim."""
    _index_select(_lines(x, dim), _flat(index), _lines(out, dim))


def index_add(out, dim, index, src):
    """out[i, index[j], k] += src[i, j, k] for dim 1, and so for every dim."""
    _index_add(_lines(out, dim), _flat(index), -1, _lines(src, dim))


def index_copy(out, dim, index, src):
    """out[i, index[j], k] = src[i, j, k] for dim 1, and so for every dim; of equal places the last stays."""
    _index_copy(_lines(out, dim), _flat(index), _lines(src, dim))


def embedding(weight, ids, out):
    """Rows of weight (V, D): out (..., D) for ids (...)."""
    _index_select(_rows(weight), _flat(ids), _rows(out))


def embedding_grad(g, ids, padding_idx, out):
    """Sum of the rows of g (..., D) of every id in out (V, D); `padding_idx` keeps 0, -1 for none."""
    out[...] = 0
    _index_add(_rows(out), _flat(ids), padding_idx, _rows(g))


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


def _extent(dim, index):
    """What cuts an array to the index's size, but along dim."""
    return (*(slice(None if d == dim else size) for d, size in enumerate(index.shape)), ...)


def _lines(a, dim):
    """a as (outer, n, inner), n along dim."""
    if a.ndim == 0:
        return a.reshape(1, 1, 1)
    a = a if a.flags.c_contiguous else np.ascontiguousarray(a)
    return a.reshape(math.prod(a.shape[:dim]), a.shape[dim], math.prod(a.shape[dim + 1 :]))


def _rows(a):
    """a (..., D) as (1, n, D)."""
    a = a if a.flags.c_contiguous else np.ascontiguousarray(a)
    return a.reshape(1, math.prod(a.shape[:-1]), a.shape[-1])


@serial
def _check_range(index, low, high):
    # First without a branch, in vector code: all is well as a rule.
    bad = 0
    for i in range(index.size):
        bad |= (index[i] < low) | (index[i] >= high)
    if bad:
        for i in range(index.size):
            if index[i] < low or index[i] >= high:
                return i
    return -1


@adaptive
def _gather(x, index, out):
    outer, n, inner = out.shape
    for row in prange(outer * n):
        o = row // n
        k = row - o * n
        for i in range(inner):
            out[o, k, i] = x[o, index[o, k, i], i]


@adaptive
def _scatter_add(out, index, src):
    outer, n, inner = src.shape
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * blocks):
        o = task // blocks
        left = (task - o * blocks) * COLUMNS
        for k in range(n):
            for i in range(left, min(left + COLUMNS, inner)):
                out[o, index[o, k, i], i] += src[o, k, i]


@adaptive
def _take(x, positions, out):
    for i in prange(out.size):
        out[i] = x[positions[i]]


@serial
def _put_add(out, positions, values):
    for i in range(values.size):
        out[positions[i]] += values[i]


@adaptive
def _index_select(x, index, out):
    outer, n, inner = out.shape
    for row in prange(outer * n):
        o = row // n
        k = row - o * n
        source, place = x[o, index[k]], out[o, k]
        for i in range(inner):
            place[i] = source[i]


@serial
def _index_copy(out, index, src):
    outer, n, inner = src.shape
    for o in range(outer):
        for k in range(n):
            for i in range(inner):
                out[o, index[k], i] = src[o, k, i]


@adaptive
def _index_add(out, index, skipped, src):
    outer, n, inner = src.shape
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * blocks):
        o = task // blocks
        left = (task - o * blocks) * COLUMNS
        for k in range(n):
            if index[k] != skipped:
                place = out[o, index[k], left : left + COLUMNS]
                values = src[o, k, left : left + COLUMNS]
                for i in range(values.size):
                    place[i] += values[i]
