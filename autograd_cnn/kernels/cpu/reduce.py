"""Reductions: sums, products, extremes and their places, variances; running sums and products.

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


def var(x, dims, correction, out):
    """sum((x - mean)^2) / (n - correction) over `dims`, counted in float64; NaN where n <= correction."""
    shape = tuple(1 if d in dims else size for d, size in enumerate(x.shape))
    n = math.prod(x.shape[d] for d in dims)
    mean, total = np.empty(shape), np.empty(shape)
    with np.errstate(all="ignore"):
        sum(x, dims, mean)
        mean /= n
        deviations = np.subtract(x, mean, dtype=np.float64)
        sum(np.multiply(deviations, deviations, out=deviations), dims, total)
        out[...] = (total / (n - correction) if n > correction else np.full(shape, np.nan)).reshape(out.shape)


def argmax(x, dim, out):
    """Place of the largest value along `dim`, or in all of flat x for None: the first, or the first NaN."""
    _places(LARGEST, x, dim, out)


def argmin(x, dim, out):
    """Place of the smallest value along `dim`, or in all of flat x for None: the first, or the first NaN."""
    _places(SMALLEST, x, dim, out)


def cumsum(x, dim, out):
    """Running sums along `dim`; float32 is added up in float64."""
    _accumulate(SUM, 0.0 if out.dtype.kind == "f" else 0, x, dim, out)


def cumprod(x, dim, out):
    """Running products along `dim`; float32 is multiplied up in float64."""
    _accumulate(PROD, 1.0 if out.dtype.kind == "f" else 1, x, dim, out)


def _reduce(kind, identity, x, dims, out):
    if not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    shape = x.shape
    if len(dims) == len(shape):
        first, last, n, inner = 0, len(shape), x.size, 1
    else:
        first, last = _last_run(dims)
        n, inner = math.prod(shape[first:last]), math.prod(shape[last:])
    chunks = _chunks(n, inner, out.size)
    if chunks == 1 and last - first >= len(dims):
        _reduce_chunks(kind, identity, out.ravel(), 1, n, inner, x.ravel())
        return
    partial = np.empty((*shape[:first], chunks, *shape[last:]), type(identity))
    _reduce_chunks(kind, identity, partial.ravel(), chunks, n, inner, x.ravel())
    with np.errstate(all="ignore"):
        rest = STEPS[kind].reduce(partial, axis=(*dims[: len(dims) - (last - first)], first))
        out[...] = rest.reshape(out.shape)


def _places(kind, x, dim, out):
    outer, n, inner = _layout(x, dim)
    lines = np.ascontiguousarray(x).reshape(outer, n, inner)
    chunks = _chunks(n, inner, out.size)
    if chunks == 1:
        _places_in_chunks(kind, out.reshape(outer, 1, inner), lines)
        return
    places = np.empty((outer, chunks, inner), np.int64)
    _places_in_chunks(kind, places, lines)
    best = np.empty((outer, 1, inner), np.int64)
    _places_in_chunks(kind, best, np.take_along_axis(lines, places, 1))
    out[...] = np.take_along_axis(places, best, 1).reshape(out.shape)


def _accumulate(kind, identity, x, dim, out):
    layout = _layout(x, dim)
    _running(kind, identity, np.ascontiguousarray(x).reshape(layout), out.reshape(layout))


def _layout(x, dim):
    """(outer, n, inner) with n along dim; all of x is one line where dim is None."""
    if dim is None or x.ndim == 0:
        return 1, x.size, 1
    return math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :])


def _chunks(n, inner, lines):
    """Into how many chunks n is cut: one where there are lines enough for all threads."""
    return min(n, n * inner // CHUNK) if n * inner >= 2 * CHUNK and lines < TASKS * COLUMNS else 1


def _last_run(dims):
    """The last run of adjacent dims, as a range."""
    if not dims:
        return 0, 0
    start = len(dims) - 1
    while start > 0 and dims[start - 1] == dims[start] - 1:
        start -= 1
    return dims[start], dims[-1] + 1


# x comes last: its size, not that of the small output, says whether threads are worth it.
# prange counts in uint64: np.int64 spares a second compilation of the inlined function.
@adaptive
def _reduce_chunks(kind, identity, out, chunks, n, inner, x):
    tasks = out.size // max(inner, 1) * ((inner + COLUMNS - 1) // COLUMNS)
    for task in prange(tasks):
        _reduce_chunk(kind, identity, out, chunks, n, inner, x, np.int64(task))


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


@adaptive
def _places_in_chunks(kind, places, x):
    outer, chunks, _ = places.shape
    n = x.shape[1]
    for task in prange(outer * chunks):
        o = task // chunks
        c = task - o * chunks
        _places_in_chunk(kind, places[o, c], x[o], n * c // chunks, n * (c + 1) // chunks)


@inline
def _places_in_chunk(kind, places, rows, first, last):
    for left in range(0, places.size, COLUMNS):
        right = min(left + COLUMNS, places.size)
        for i in range(left, right):
            places[i] = first
        for k in range(first + 1, last):
            for i in range(left, right):
                value, best = rows[k, i], rows[places[i], i]
                better = value > best if kind == LARGEST else value < best
                if better | ((value != value) & (best == best)):
                    places[i] = k


@adaptive
def _running(kind, identity, x, out):
    outer, _, inner = x.shape
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * blocks):
        o = task // blocks
        left = (task - o * blocks) * COLUMNS
        _running_columns(kind, identity, x[o], out[o], left, min(left + COLUMNS, inner))


@inline
def _running_columns(kind, identity, x, out, left, right):
    totals = np.empty(right - left, type(identity))
    for i in range(right - left):
        totals[i] = identity
    for k in range(x.shape[0]):
        x_row, out_row = x[k, left:right], out[k, left:right]
        for i in range(right - left):
            totals[i] = _step(kind, totals[i], x_row[i])
            out_row[i] = totals[i]
