"""Reading from and adding to places that an index names.

No kernel checks its index: `check_range` does, before.  Where places repeat, their values are added in the
order of the index, whatever the number of threads: no two of them add to one place.  For rows that is what buckets
are for: each holds the entries of an index for some neighbouring rows, in the order of the index, and is one thread's.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, inline, serial

COLUMNS = 128  # columns that one task adds to
PIECE = 2048  # elements that one task reads
BUCKET_BITS = 10  # at most 1024 buckets for an index
TASKS = 64  # equal shares of the buckets' work


def check_range(index, low, high):
    """Flat position of the first element of index outside [low, high), or -1."""
    return _check_range(flat(index), low, high)


def gather(x, dim, index, out):
    """out[i, j, k] = x[i, index[i, j, k], k] for dim 1, and so for every dim; index may be smaller than x."""
    if out.size:
        x = x[extent(dim, index)]
        n, inner = sizes(index, dim)
        _gather(flat(x), flat(index), n, inner, sizes(x, dim)[0] * inner, out.ravel())


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
        _scatter_add(target, flat(index), n, inner, sizes(part, dim)[0] * inner, src)
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
    _add_rows(lines(out, dim), flat(index), -1, lines(src, dim), False)


def index_copy(out, dim, index, src):
    """out[i, index[j], k] = src[i, j, k] for dim 1, and so for every dim; of equal places the last stays."""
    if src.size:
        _, rows, inner = lines(out, dim).shape
        _index_copy(out.ravel(), flat(index), inner, rows * inner, flat(src))


def embedding(weight, ids, out):
    """Rows of weight (V, D): out (..., D) for ids (...)."""
    _select(_rows(weight), ids, out)


def embedding_grad(g, ids, padding_idx, out):
    """Sum of the rows of g (..., D) of every id in out (V, D); `padding_idx` keeps 0, -1 for none."""
    _add_rows(_rows(out), flat(ids), padding_idx, _rows(g), True)


def _select(x, index, out):
    _, n, inner = x.shape
    _index_select(x.ravel(), flat(index), inner, n * inner, out.ravel())


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
def _gather(x, index, n, inner, x_step, out):
    """On flat arrays: index and out are (outer, n, inner); x_step elements of x belong to one of outer."""
    outer = out.size // (n * inner)
    several = max(PIECE // (n * inner), 1)
    for task in prange((outer + several - 1) // several):
        for o in range(task * several, min((task + 1) * several, outer)):
            for k in range(n):
                place, source = np.uint64((o * n + k) * inner), np.uint64(o * x_step)
                if inner == 1:
                    out[place] = x[source + np.uint64(index[place])]
                    continue
                for i in range(inner):
                    at = place + np.uint64(i)
                    out[at] = x[source + np.uint64(index[at]) * np.uint64(inner) + np.uint64(i)]


@adaptive
def _scatter_add(out, index, n, inner, out_step, src):
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
            for k in range(first, first + n):
                if inner == 1:
                    out[target + np.uint64(index[k])] += src[k]
                    continue
                for i in range(left, right):
                    at = np.uint64(k * inner) + np.uint64(i)
                    out[target + np.uint64(index[at]) * np.uint64(inner) + np.uint64(i)] += src[at]


@adaptive
def _take(x, positions, out):
    for i in prange(out.size):
        out[i] = x[positions[i]]


@serial
def _put_add(out, positions, values):
    for i in range(values.size):
        out[np.uint64(positions[i])] += values[i]


@adaptive
def _index_select(x, index, inner, x_step, out):
    """On flat arrays: out is (outer, n, inner) for n indices; x_step elements of x belong to one of outer."""
    n = index.size
    rows = out.size // max(inner, 1)
    step = max(PIECE // max(inner, 1), 1)
    for task in prange((rows + step - 1) // step):
        first, last = task * step, min((task + 1) * step, rows)
        while first < last:  # what belongs to one of outer
            o = first // n
            end = min((o + 1) * n, last)
            for row in range(first, end):
                place = np.uint64(row * inner)
                source = np.uint64(o * x_step) + np.uint64(index[row - o * n]) * np.uint64(inner)
                if inner == 1:
                    out[place] = x[source]
                    continue
                for i in range(inner):
                    out[place + np.uint64(i)] = x[source + np.uint64(i)]
            first = end


@adaptive
def _index_copy(out, index, inner, out_step, src):
    """On flat arrays: src is (outer, n, inner) for n indices; out_step elements of out belong to one of outer."""
    n = index.size
    outer = src.size // (n * inner)
    several = max(PIECE // (n * inner), 1)
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange((outer + several - 1) // several * blocks):
        group = task // blocks
        left = (task - group * blocks) * COLUMNS
        width = min(COLUMNS, inner - left)
        for o in range(group * several, min((group + 1) * several, outer)):
            for k in range(n):
                target = np.uint64(o * out_step + index[k] * inner + left)
                source = np.uint64((o * n + k) * inner + left)
                if inner == 1:
                    out[target] = src[source]
                    continue
                for i in range(width):
                    out[target + np.uint64(i)] = src[source + np.uint64(i)]


def _add_rows(out, index, skipped, src, fresh):
    """out[o, index[k], i] += src[o, k, i], but for index[k] == skipped; where `fresh`, out counts as zeros."""
    outer, rows, inner = out.shape
    alone = src.size < GRAIN
    # One bucket for all rows where one thread or each of outer will do.
    shift = rows.bit_length() if alone or outer >= TASKS else max((rows - 1).bit_length() - BUCKET_BITS, 0)
    starts = np.empty((max(rows - 1, 0) >> shift) + 2, np.int64)
    order = np.empty(index.size, np.int64)
    _fill_buckets(index, skipped, shift, starts, order)
    add = _add_buckets.serial if alone else _add_buckets.parallel
    shares = min(TASKS, starts.size - 1)
    add(index, shift, starts, order, shares, src.ravel(), rows, inner, fresh, out.ravel())


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


@adaptive
def _add_buckets(index, shift, starts, order, shares, src, rows, inner, fresh, out):
    """On flat arrays: out is (outer, rows, inner), src (outer, n, inner) for n indices."""
    n = index.size
    outer = out.size // max(rows * inner, 1)
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in prange(outer * shares * blocks):
        o = task // (shares * blocks)
        share = task // blocks % shares
        left = task % blocks * COLUMNS
        width = min(COLUMNS, inner - left)
        last = _share(share + 1, shares, shift, starts, rows) if share + 1 < shares else starts.size - 1
        for b in range(_share(share, shares, shift, starts, rows) if share else 0, last):
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
