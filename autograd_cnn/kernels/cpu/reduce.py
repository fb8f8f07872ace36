"""Reductions: sums, products, extremes and their places, variances; running sums and products.

Every array is seen as (outer, n, inner) and reduced over n.  n is cut into chunks by the shape alone, and
chunks are combined in their order, so a result has the same bits for every number of threads.  folds.py has the loops
of sums, products and extremes.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.folds import (
    COLUMNS,
    LARGEST,
    NUMBERS,
    PROD,
    SMALLEST,
    SQUARES,
    SUM,
    TASK,
    chunk_of,
    fold,
    step,
)
from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.lines import largest_of_line, moments, place_in_line, smallest_of_line
from autograd_cnn.kernels.cpu.scan import running_lines

CHUNK = 32768  # elements that one task folds where n is cut
TASKS = 32  # enough for every thread
STEPS = np.add, np.multiply, np.maximum, np.minimum, np.add, np.add  # by kind
INT64 = np.iinfo(np.int64)


def sum(x, dims, out):
    """Add over `dims`; float32 is added up in float64, bool in int64."""
    _reduce(SUM, 0.0 if out.dtype.kind == "f" else 0, x, dims, out)


def sum_squares(x, dims, out):
    """Add x^2 over `dims`, in float64."""
    _reduce(SQUARES, 0.0, x, dims, out)


def nansum(x, dims, out):
    """Add what is not NaN over `dims`, in float64."""
    _reduce(NUMBERS, 0.0, x, dims, out)


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
    if not x.flags.c_contiguous:
        x, dims = _as_it_lies(x, dims)
    first, last = (0, x.ndim) if len(dims) == x.ndim else _last_run(dims)
    n, inner = math.prod(x.shape[first:last]), math.prod(x.shape[last:])
    total = math.prod(x.shape[d] for d in dims)
    if total <= correction or x.size == 0:
        out[...] = np.nan
        return
    chunks = _chunks(n, inner, out.size)
    shape = (*x.shape[:first], chunks, *x.shape[last:])
    means, squares = np.empty(shape), np.empty(shape)
    flat = means.ravel(), squares.ravel(), chunks, n, inner, x.ravel()
    (_line_moments if inner == 1 else _column_moments)(*flat)
    with np.errstate(all="ignore"):
        if chunks > 1 or last - first < len(dims):  # Chan, Golub and LeVeque, 1979
            axes = (*dims[: len(dims) - (last - first)], first)
            edges = np.arange(chunks + 1) * n // chunks
            counts = (edges[1:] - edges[:-1]).reshape(-1, *(1,) * (len(shape) - 1 - first))
            centre = np.add.reduce(means * counts, axes, keepdims=True) / total
            squares = np.add.reduce(squares + (means - centre) ** 2 * counts, axes)
        np.divide(squares.reshape(out.shape), total - correction, out=out, casting="same_kind")


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
        x, dims = _as_it_lies(x, dims)
    shape = x.shape
    if len(dims) == len(shape):
        first, last, n, inner = 0, len(shape), x.size, 1
    else:
        first, last = _last_run(dims)
        n, inner = math.prod(shape[first:last]), math.prod(shape[last:])
    if x.dtype.kind == "f" and kind in (LARGEST, SMALLEST):
        identity = x.dtype.type(identity)  # no conversion where nothing is added
    chunks = _chunks(n, inner, out.size)
    if chunks == 1 and last - first >= len(dims):
        fold(kind, identity, out.ravel(), 1, n, inner, x.ravel())
        return
    partial = np.empty((*shape[:first], chunks, *shape[last:]), type(identity))
    fold(kind, identity, partial.ravel(), chunks, n, inner, x.ravel())
    with np.errstate(all="ignore"):
        rest = STEPS[kind].reduce(partial, axis=(*dims[: len(dims) - (last - first)], first))
        out[...] = rest.reshape(out.shape)


def _as_it_lies(x, dims):
    """x, contiguous, and the dims to fold: in the order of its memory, where the result's dimensions stay in theirs."""
    order = sorted(range(x.ndim), key=lambda d: -x.strides[d])
    kept = [d for d in order if d not in dims]
    turned = x.transpose(order)
    if turned.flags.c_contiguous and kept == sorted(kept):
        return turned, tuple(i for i, d in enumerate(order) if d in dims)
    return contiguous(x), dims


def _places(kind, x, dim, out):
    outer, n, inner = _layout(x, dim)
    lines = contiguous(x).reshape(outer, n, inner)
    chunks = _chunks(n, inner, out.size)
    if chunks == 1:
        _find_places(kind, out.reshape(outer, 1, inner), lines)
        return
    places = np.empty((outer, chunks, inner), np.int64)
    _find_places(kind, places, lines)
    best = np.empty((outer, 1, inner), np.int64)
    _find_places(kind, best, np.take_along_axis(lines, places, 1))
    out[...] = np.take_along_axis(places, best, 1).reshape(out.shape)


def _find_places(kind, places, x):
    outer, chunks, inner = places.shape
    if inner == 1 and x.dtype.kind == "f":
        _places_in_lines(kind, places.reshape(outer * chunks), chunks, x.shape[1], x.reshape(x.size))
    else:
        _places_in_chunks(kind, places, x)


def _accumulate(kind, identity, x, dim, out):
    layout = _layout(x, dim)
    if layout[2] == 1:
        running_lines(kind == SUM, identity, contiguous(x).reshape(layout[:2]), out.reshape(layout[:2]))
        return
    _running(kind, identity, contiguous(x).reshape(layout), out.reshape(layout))


def _layout(x, dim):
    """(outer, n, inner) with n along dim; all of x is one line where dim is None."""
    if dim is None or x.ndim == 0:
        return 1, x.size, 1
    return math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :])


def _chunks(n, inner, lines):
    """Into how many chunks n is cut: one where there are blocks of columns enough for all threads."""
    blocks = max(lines // max(inner, 1) * -(-inner // COLUMNS), 1)
    return max(min(n, n * inner // (CHUNK * min(blocks, 4)), TASKS // blocks), 1)


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
def _line_moments(means, squares, chunks, n, inner, x):
    count = max(TASK // max(n // chunks, 1), 1)
    for task in prange((means.size + count - 1) // count):
        first = np.int64(task) * count
        for line in range(first, min(first + count, means.size)):
            start, stop = chunk_of(line, chunks, n)
            centre = np.float64(x[start])
            rest, square = moments(x, start, centre, 1, 0, stop - start)
            means[line] = centre + rest / (stop - start)
            squares[line] = square - rest * rest / (stop - start)


@adaptive
def _column_moments(means, squares, chunks, n, inner, x):
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(means.size // max(inner, 1) * blocks):
        line = np.int64(task) // blocks
        left = (np.int64(task) - line * blocks) * COLUMNS
        start, stop = chunk_of(line, chunks, n)
        place = line * inner + left
        width = min(COLUMNS, inner - left)
        _moments_of_columns(means[place : place + width], squares[place : place + width], x, start, stop, inner, left)


@inline
def _moments_of_columns(means, squares, x, start, stop, inner, left):
    width = means.size
    centre, rest, square = np.empty(width), np.zeros(width), np.zeros(width)
    for i in range(width):
        centre[i] = x[start * inner + left + i]
    for row in range(start, stop):
        line = x[row * inner + left : row * inner + left + width]
        for i in range(width):
            difference = line[i] - centre[i]
            rest[i] += difference
            square[i] += difference * difference
    for i in range(width):
        means[i] = centre[i] + rest[i] / (stop - start)
        squares[i] = square[i] - rest[i] * rest[i] / (stop - start)


@adaptive
def _places_in_lines(kind, places, chunks, n, x):
    count = max(TASK // max(n // chunks, 1), 1)
    for task in prange((places.size + count - 1) // count):
        first = np.int64(task) * count
        for line in range(first, min(first + count, places.size)):
            start, stop = chunk_of(line, chunks, n)
            length = stop - start
            best = largest_of_line(x, start, length) if kind == LARGEST else smallest_of_line(x, start, length)
            places[line] = start - line // chunks * n + place_in_line(x, start, length, best)


@adaptive
def _places_in_chunks(kind, places, x):
    outer, chunks, inner = places.shape
    n = x.shape[1]
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * chunks * blocks):
        line = np.int64(task) // blocks
        left = (np.int64(task) - line * blocks) * COLUMNS
        o = line // chunks
        c = line - o * chunks
        right = min(left + COLUMNS, inner)
        _places_in_chunk(kind, places[o, c, left:right], x[o], n * c // chunks, n * (c + 1) // chunks, left, right)


@inline
def _places_in_chunk(kind, places, rows, first, last, left, right):
    best = np.empty(right - left, rows.dtype)
    for i in range(places.size):
        places[i] = first
        best[i] = rows[first, left + i]
    for k in range(first + 1, last):
        row = rows[k, left:right]
        for i in range(places.size):
            value = row[i]
            better = value > best[i] if kind == LARGEST else value < best[i]
            better |= (value != value) & (best[i] == best[i])
            best[i] = value if better else best[i]
            places[i] = k if better else places[i]


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
            totals[i] = step(kind, totals[i], x_row[i])
            out_row[i] = totals[i]
