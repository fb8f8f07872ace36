"""Reading from and adding to places that an index names.

No kernel checks its index: `check_range` does, before.  Where places repeat, their values are added in the
order of the index, whatever the number of threads: no two of them add to one place.  For rows that is what buckets
are for: each holds the entries of an index for some neighbouring rows, in the order of the index, and is one thread's.

Most kernels are serial ones of one signature, over tasks [first, last): one parallel loop calls them by their address.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange
from numba.core.errors import TypingError

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, apart, inline, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

COLUMNS = 128  # columns that one task adds to
PIECES = 64  # that the tasks of a kernel are cut into
BUCKET_BITS = 10  # at most 1024 buckets for an index
TASKS = 64  # equal shares of the buckets' work


def check_range(index, low, high):
    """Flat position of the first element of index outside [low, high), or -1."""
    index = flat(index)
    if index.size >= GRAIN and _all_in_range(index, low, high):
        return -1
    return _check_range(index, low, high)


def gather(x, dim, index, out):
    """out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so for every dim; index may be smaller than x."""
    if out.size:
        x = x[extent(dim, index)]
        n, inner = sizes(index, dim)
        step = sizes(x, dim)[0] * inner
        run(_gather, out.size, out.size // inner, out.ravel(), flat(index), n, inner, step, flat(x))


def scatter_add(out, dim, index, src):
    """out[i, index[i, j, k], k] += src[i, j, k] for dim 1, and so for every dim.

    index may be smaller than src, and than out but along dim.
    """
    if not index.size:
        return
    src = flat(src[*map(slice, index.shape), ...])
    part = out[extent(dim, index)]
    target = flat(part)
    n, inner = sizes(index, dim)
    if n == src.size:
        _put_add(target, flat(index), src)
    else:
        step = sizes(part, dim)[0] * inner
        run(_scatter_add, src.size, column_tasks(src, n, inner), target, flat(index), n, inner, step, src)
    if not part.flags.c_contiguous:
        part[...] = target.reshape(part.shape)


def take(x, positions, out):
    """out[i] = x[positions[i]], all arrays seen flat."""
    _take(flat(x), flat(positions), out.ravel())


def put_add(out, positions, values):
    """out[positions[i]] += values[i], all arrays seen flat."""
    _put_add(out.ravel(), flat(positions), flat(values))


def index_select(x, dim, index, out):
    """out[i, j, k] = x[i, index[j], k] for dim 1, and so for every dim."""
    _select(lines(x, dim), index, out)


def index_add(out, dim, index, src):
    """out[i, index[j], k] += src[i, j, k] for dim 1, and so for every dim."""
    target, source, index = lines(out, dim), lines(src, dim), flat(index)
    outer, n, inner = source.shape
    if source.size and (outer >= TASKS or source.size < GRAIN):  # each thread has lines of its own
        step = target.shape[1] * inner
        run(_index_add, source.size, column_tasks(source, n, inner), out.ravel(), index, n, inner, step, source.ravel())
    else:
        _add_rows(target, index, -1, source, False)


def index_copy(out, dim, index, src):
    """out[i, index[j], k] = src[i, j, k] for dim 1, and so for every dim; of equal places the last stays."""
    if src.size:
        _, rows, inner = lines(out, dim).shape
        index, n = flat(index), index.size
        run(_index_copy, src.size, column_tasks(src, n, inner), out.ravel(), index, n, inner, rows * inner, flat(src))


def embedding(weight, ids, out):
    """Rows of weight (V, D): out (..., D) for ids (...)."""
    _select(_rows(weight), ids, out)


def embedding_grad(g, ids, padding_idx, out):
    """Sum of the rows of g (..., D) of every id in out (V, D); `padding_idx` keeps 0, -1 for none."""
    _add_rows(_rows(out), flat(ids), padding_idx, _rows(g), True)


def _select(x, index, out):
    _, n, inner = x.shape
    if out.size:
        index = flat(index)
        run(_index_select, out.size, out.size // inner, out.ravel(), index, index.size, inner, n * inner, x.ravel())


def flat(a):
    return contiguous(a).ravel()


def extent(dim, index):
    """What cuts an array to the index's size, but along dim."""
    return (*(slice(None if d == dim else size) for d, size in enumerate(index.shape)), ...)


def sizes(a, dim):
    """The size of a along dim, and how many elements one place of dim has behind it."""
    return (a.shape[dim], math.prod(a.shape[dim + 1 :])) if a.ndim else (1, 1)


def lines(a, dim):
    """a as (outer, n, inner), n along dim."""
    if a.ndim == 0:
        return a.reshape(1, 1, 1)
    a = contiguous(a)
    return a.reshape(math.prod(a.shape[:dim]), a.shape[dim], math.prod(a.shape[dim + 1 :]))


def _rows(a):
    """a (..., D) as (1, n, D)."""
    a = contiguous(a)
    return a.reshape(1, math.prod(a.shape[:-1]), a.shape[-1])


@serial
def _check_range(index, low, high):
    if _outside(index, low, high):
        for i in range(index.size):
            if index[i] < low or index[i] >= high:
                return i
    return -1


@inline
def _outside(index, low, high):
    bad = 0  # without a branch, in vector code: all is well as a rule
    for i in range(index.size):
        bad |= (index[i] < low) | (index[i] >= high)
    return bad


@parallel
def _all_in_range(index, low, high):
    bad = np.zeros(PIECES, np.int64)
    for number in prange(PIECES):
        piece = np.int64(number)
        bad[piece] = _outside(index[index.size * piece // PIECES : index.size * (piece + 1) // PIECES], low, high)
    return bad.max() == 0


def column_tasks(src, n, inner):
    """One for each of outer and COLUMNS columns of src (outer, n, inner)."""
    return src.size // (n * inner) * -(-inner // COLUMNS)


def run(kernel, size, tasks, *arguments):
    """`kernel(first, last, out, index, n, inner, step, src)` for all tasks, on all threads where size is large.

    On flat arrays.  src or out has the shape (outer, n, inner), the other one `step` elements for one of outer; index
    has this shape, too, or n elements.
    """
    if size >= GRAIN:
        out, index, *_, src = arguments
        try:
            _in_parallel(_code(kernel, out.dtype, index.dtype, src.dtype), tasks, *arguments)
            return
        except TypingError:  # an array is not aligned
            pass
    kernel(0, tasks, *arguments)


@lru_cache(maxsize=256)
def _code(kernel, *dtypes):
    out, index, src = (np.zeros(1, dtype) for dtype in dtypes)
    return address_of(kernel, 0, 0, out, index, 1, 1, 1, src)


@parallel
def _in_parallel(kernel, tasks, out, index, n, inner, step, src):
    pieces = min(tasks, PIECES)
    for number in prange(pieces):
        piece = np.int64(number)
        first, last = tasks * piece // pieces, tasks * (piece + 1) // pieces
        call(kernel, (first, last, out, index, n, inner, step, src))


@inline
def rows_of(first, last, n):
    """Of rows [first, last) those that belong to the same of outer as the first, and the first row of that one."""
    start = first // n * n
    return min(start + n, last), start


@apart
def _gather(first, last, out, index, n, inner, step, x):
    while first < last:
        end, start = rows_of(first, last, n)
        source = x[start // n * step :]
        if inner == 1:
            places, target = index[first:end], out[first:end]
            for i in range(end - first):
                target[i] = source[np.uint64(places[i])]
        else:
            for row in range(first, end):
                places, target = index[row * inner :], out[row * inner :]
                for i in range(inner):
                    target[i] = source[np.uint64(places[i] * inner + i)]
        first = end


@apart
def _index_select(first, last, out, index, n, inner, step, x):
    while first < last:
        end, start = rows_of(first, last, n)
        source, places = x[start // n * step :], index[first - start :]
        if inner == 1:
            target = out[first:end]
            for i in range(end - first):
                target[i] = source[np.uint64(places[i])]
        else:
            for row in range(first, end):
                line, target = source[places[row - first] * inner :], out[row * inner :]
                for i in range(inner):
                    target[i] = line[i]
        first = end


@inline
def columns_of(task, inner):
    """Which of outer a task is for, and its columns."""
    blocks = (inner + COLUMNS - 1) // COLUMNS
    left = task % blocks * COLUMNS
    return task // blocks, left, min(left + COLUMNS, inner)


@apart
def _scatter_add(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        target = out[o * step :]
        places, values = index[o * n * inner :], src[o * n * inner :]
        if inner == 1:
            for k in range(n):
                target[np.uint64(places[k])] += values[k]
        else:
            for k in range(n):
                for i in range(left, right):
                    at = np.uint64(k * inner + i)
                    target[np.uint64(places[at] * inner + i)] += values[at]


@apart
def _index_copy(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        for k in range(n):
            line = out[o * step + index[k] * inner + left :]
            values = src[(o * n + k) * inner + left :]
            for i in range(right - left):
                line[i] = values[i]


@adaptive
def _take(x, positions, out):
    for i in prange(out.size):
        out[i] = x[positions[i]]


@serial
def _put_add(out, positions, values):
    for i in range(values.size):
        out[np.uint64(positions[i])] += values[i]


@apart
def _index_add(first, last, out, index, n, inner, step, src):
    for task in range(first, last):
        o, left, right = columns_of(task, inner)
        if inner == 1:
            target, values = out[o * step :], src[o * n :]
            for k in range(n):
                target[np.uint64(index[k])] += values[k]
        else:
            for k in range(n):
                line = out[o * step + index[k] * inner + left :]
                values = src[(o * n + k) * inner + left :]
                for i in range(right - left):
                    line[i] += values[i]


def _add_rows(out, index, skipped, src, fresh):
    """out[o, index[k], i] += src[o, k, i], but for index[k] == skipped; where `fresh`, out counts as zeros."""
    outer, rows, inner = out.shape
    alone = src.size < GRAIN
    # One bucket for all rows where one thread will do.
    shift = rows.bit_length() if alone else max((rows - 1).bit_length() - BUCKET_BITS, 0)
    starts = np.empty((max(rows - 1, 0) >> shift) + 2, np.int64)
    order = np.empty(index.size, np.int64)
    _fill_buckets(index, skipped, shift, starts, order)
    shares = min(TASKS, starts.size - 1)
    tasks = outer * shares * -(-inner // COLUMNS)
    arguments = index, shift, starts, order, shares, src.ravel(), rows, inner, fresh, out.ravel()
    if not alone:
        try:
            _add_in_parallel(_code_of_buckets(out.dtype, index.dtype), tasks, *arguments)
            return
        except TypingError:  # an array is not aligned
            pass
    _add_buckets(0, tasks, *arguments)


@lru_cache(maxsize=16)
def _code_of_buckets(dtype, index_dtype):
    some, places, numbers = np.zeros(1, dtype), np.zeros(1, index_dtype), np.zeros(1, np.int64)
    return address_of(_add_buckets, 0, 0, places, 0, numbers, numbers, 1, some, 1, 1, False, some)


@parallel
def _add_in_parallel(kernel, tasks, index, shift, starts, order, shares, src, rows, inner, fresh, out):
    for number in prange(tasks):
        task = np.int64(number)
        call(kernel, (task, task + 1, index, shift, starts, order, shares, src, rows, inner, fresh, out))


@serial
def _fill_buckets(index, skipped, shift, starts, order):
    """order[starts[b] : starts[b + 1]] are the positions k in the index with index[k] >> shift == b, as they come."""
    for b in range(starts.size):
        starts[b] = 0
    for k in range(index.size):
        if index[k] != skipped:
            starts[np.uint64((index[k] >> shift) + 1)] += 1
    for b in range(1, starts.size):
        starts[b] += starts[b - 1]
    # Each start moves to its bucket's end, which is the next one's start, and then they move up by one.
    for k in range(index.size):
        if index[k] != skipped:
            b = np.uint64(index[k] >> shift)
            order[np.uint64(starts[b])] = k
            starts[b] += 1
    for b in range(starts.size - 1, 0, -1):
        starts[b] = starts[b - 1]
    starts[0] = 0


@inline
def _share(task, shares, shift, starts, rows):
    """The first bucket of a task: before it are as many rows and entries as the task's share of all."""
    low, high = 0, starts.size - 1
    wanted = (starts[high] + rows) * task
    while low < high:
        middle = (low + high) // 2
        if (starts[middle] + (middle << shift)) * shares < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@apart
def _add_buckets(first, last, index, shift, starts, order, shares, src, rows, inner, fresh, out):
    """On flat arrays: out is (outer, rows, inner), src (outer, n, inner) for n indices."""
    n = index.size
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in range(first, last):
        o = task // (shares * blocks)
        share = task // blocks % shares
        left = task % blocks * COLUMNS
        width = min(COLUMNS, inner - left)
        stop = _share(share + 1, shares, shift, starts, rows) if share + 1 < shares else starts.size - 1
        for b in range(_share(share, shares, shift, starts, rows) if share else 0, stop):
            if fresh:
                for row in range(b << shift, min((b + 1) << shift, rows)):
                    target = np.uint64((o * rows + row) * inner + left)
                    for i in range(width):
                        out[target + np.uint64(i)] = 0
            for place in range(starts[b], starts[b + 1]):
                k = order[place]
                target = np.uint64((o * rows + index[k]) * inner + left)
                source = np.uint64((o * n + k) * inner + left)
                if inner == 1:
                    out[target] += src[source]
                    continue
                for i in range(width):
                    out[target + np.uint64(i)] += src[source + np.uint64(i)]
