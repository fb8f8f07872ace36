"""Reductions to one value a line: sum, prod, amax, amin, any, all.

Every array is seen as (outer, n, inner) and reduced over n.  n is cut into chunks by the shape alone, and
chunks are combined in their order, so a result has the same bits for every number of threads.
Neighbouring columns are folded side by side, and so are LANES parts of a contiguous run: that is what the
compiler turns into vector code.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline

SUM, PROD, LARGEST, SMALLEST = range(4)
LANES = 64  # running values that a contiguous run is folded into
COLUMNS = 512  # columns that one task folds side by side
CHUNK = 32768  # elements that one task folds where n is cut
TASKS = 32  # from here on there is work for every thread without cutting n
STEPS = np.add, np.multiply, np.maximum, np.minimum  # by kind
INT64 = np.iinfo(np.int64)


def sum(x, dims, out):
    """Add over `dims`; float32 is added up in float64, bool in int64."""
    _reduce(SUM, 0.0 if out.dtype.kind == "f" else 0, x, dims, out)


def prod(x, dims, out):
    """Multiply over `dims`; float32 is multiplied up in float64, bool in int64."""
    _reduce(PROD, 1.0 if out.dtype.kind == "f" else 1, x, dims, out)


def amax(x, dims, out):
    """Largest value over `dims`; NaN where there is one."""
    _reduce(LARGEST, -math.inf if out.dtype.kind == "f" else INT64.min, x, dims, out)


def amin(x, dims, out):
    """Smallest value over `dims`; NaN where there is one."""
    _reduce(SMALLEST, math.inf if out.dtype.kind == "f" else INT64.max, x, dims, out)


def any(x, dims, out):
    """Whether a value over `dims` is not zero."""
    _reduce(LARGEST, 0, x if x.dtype == bool else x != 0, dims, out)


def all(x, dims, out):
    """Whether no value over `dims` is zero."""
    _reduce(SMALLEST, 1, x if x.dtype == bool else x != 0, dims, out)


def _reduce(kind, identity, x, dims, out):
    if not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    shape = x.shape
    if len(dims) == len(shape):
        first, last, n, inner = 0, len(shape), x.size, 1
    else:
        first, last = _last_run(dims)
        n, inner = math.prod(shape[first:last]), math.prod(shape[last:])
    chunks = n * inner // CHUNK if n * inner >= 2 * CHUNK and out.size < TASKS * COLUMNS else 1
    if chunks == 1 and last - first >= len(dims):
        _reduce_chunks(kind, identity, out.ravel(), 1, n, inner, x.ravel())
        return
    chunks = min(n, chunks)
    partial = np.empty((*shape[:first], chunks, *shape[last:]), type(identity))
    _reduce_chunks(kind, identity, partial.ravel(), chunks, n, inner, x.ravel())
    with np.errstate(all="ignore"):
        rest = STEPS[kind].reduce(partial, axis=(*dims[: len(dims) - (last - first)], first))
        out[...] = rest.reshape(out.shape)


def _last_run(dims):
    """The last run of adjacent dims, as a range."""
    if not dims:
        return 0, 0
    start = len(dims) - 1
    while start > 0 and dims[start - 1] == dims[start] - 1:
        start -= 1
    return dims[start], dims[-1] + 1


# x comes last: its size, not that of the small output, says whether threads are worth it.
@adaptive
def _reduce_chunks(kind, identity, out, chunks, n, inner, x):
    tasks = out.size // max(inner, 1) * ((inner + COLUMNS - 1) // COLUMNS)
    for task in prange(tasks):
        _reduce_chunk(kind, identity, out, chunks, n, inner, x, task)


@inline
def _reduce_chunk(kind, identity, out, chunks, n, inner, x, task):
    """Fold rows of x (outer, n, inner) into one place of out (outer, chunks, inner).

    The identity says where to start and, by its type, in which precision to count.
    """
    blocks = (inner + COLUMNS - 1) // COLUMNS
    line = task // blocks
    left = (task - line * blocks) * COLUMNS
    o = line // chunks
    c = line - o * chunks
    start = (o * n + n * c // chunks) * inner + left
    stop = (o * n + n * (c + 1) // chunks) * inner
    width, stride, tail = min(COLUMNS, inner - left), inner, stop
    if inner == 1:
        width = stride = LANES
        tail = start + (stop - start) // LANES * LANES if stop - start >= 2 * LANES else start
    total = identity
    if tail > start or inner > 1:
        totals = np.empty(width, type(identity))
        for i in range(width):
            totals[i] = identity
        for row_start in range(start, tail, stride):
            row = x[row_start : row_start + width]
            for i in range(width):
                totals[i] = _step(kind, totals[i], row[i])
        if inner > 1:
            for i in range(width):
                out[line * inner + left + i] = totals[i]
        else:
            for i in range(width):
                total = _step(kind, total, totals[i])
    if inner == 1:
        for i in range(tail, stop):
            total = _step(kind, total, x[i])
        out[line] = total


@inline
def _step(kind, total, value):
    if kind == SUM:
        return total + value
    if kind == PROD:
        return total * value
    better = value > total if kind == LARGEST else value < total
    return value if better | (value != value) else total
