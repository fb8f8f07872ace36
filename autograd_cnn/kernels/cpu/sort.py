"""Sorting lines, and the first few of them: stable, with the places that elements come from.

Numbers become whole ranks of the same order: -0 and 0 have one rank, and all NaN the largest.  A line is sorted by the
bytes of its ranks above the least, from the lowest byte to the highest (radix sort); short lines by insertion.  The
first few of a long line are kept in order while it is read.  Lines are independent: threads call the serial code by its
address.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

SHORT = 24  # lines up to this length are sorted by insertion
BLOCK = 256  # elements whose ranks are made together
PIECES = 64  # that many lines are cut into
COLUMNS = 16  # neighbouring lines across memory that are taken together
BITS = {1: np.dtype(np.uint8), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}  # by size: how a line's elements are read


def sort(x, dim, descending, values, indices):
    """x sorted along `dim`, and where each element was; equal ones stay in order, NaN counts as the largest."""
    _sort(x, dim, descending, values, indices)


def topk(x, dim, largest, values, indices):
    """The first elements of x sorted along `dim`, as many as `values` has there, and where each was."""
    _sort(x, dim, largest, values, indices)


def _sort(x, dim, descending, values, indices):
    outer, n, inner = _layout(x.shape, dim)
    if values.size == 0:
        return
    k = values.size // (outer * inner)
    bits = BITS[x.dtype.itemsize]
    x = contiguous(x).view(bits).reshape(outer * n * inner)
    x = x if x.flags.carray else x.copy()
    blocks = (inner + COLUMNS - 1) // COLUMNS if inner > 1 else 1
    limits = _limits(values.dtype.kind == "f", bits.itemsize, descending)
    arguments = blocks, n, inner, k, limits, x, values.view(bits).reshape(values.size), indices.reshape(indices.size)
    if x.size < GRAIN:
        _sort_lines(0, outer * blocks, *arguments)
    else:
        _in_parallel(_code(bits), outer * blocks, *arguments)


def _layout(shape, dim):
    if not shape:
        return 1, 1, 1
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


@lru_cache(maxsize=16)
def _limits(floating, size, descending):
    """What makes ranks of bits: the largest magnitude and infinity of floats, else 0; whether the order is reversed."""
    if not floating:
        return np.array([0, 0, descending])
    return np.array([(1 << (8 * size - 1)) - 1, {4: 0x7F800000, 8: 0x7FF0000000000000}[size], descending])


@lru_cache(maxsize=3)
def _code(bits):
    some = np.zeros(1, bits)
    limits = _limits(False, bits.itemsize, False)
    return address_of(_sort_lines, 0, 0, 1, 1, 1, 1, limits, some, some, np.zeros(1, np.int64))


@parallel
def _in_parallel(kernel, tasks, blocks, n, inner, k, limits, x, values, indices):
    pieces = min(tasks, PIECES)
    for index in prange(pieces):
        piece = np.int64(index)
        first, last = tasks * piece // pieces, tasks * (piece + 1) // pieces
        call(kernel, (first, last, blocks, n, inner, k, limits, x, values, indices))


@serial
def _sort_lines(first, last, blocks, n, inner, k, limits, x, values, indices):
    width = min(COLUMNS, inner)
    lines, ranks = np.empty(width * n if inner > 1 else 0, x.dtype), np.empty(max(n, BLOCK), x.dtype)
    keys, others = np.empty(n, np.uint64), np.empty(n, np.uint64)
    order, places = np.empty(n, np.int64), np.empty(n, np.int64)
    counts = np.empty(8 * 256, np.int64)
    for task in range(first, last):
        o, left = task // blocks, task % blocks * COLUMNS
        count = min(width, inner - left)
        if inner > 1:  # side by side in memory, so that each cache line is read once
            for j in range(n):
                for c in range(count):
                    lines[c * n + j] = x[(o * n + j) * inner + left + c]
        for c in range(count):
            line = x[o * n : (o + 1) * n] if inner == 1 else lines[c * n : (c + 1) * n]
            if k * k >= n or not _first_of_line(line, limits, k, ranks, order):
                _sort_line(line, limits, ranks, keys, order, others, places, counts)
            for j in range(k):
                target = (o * k + j) * inner + left + c
                values[target] = line[order[j]]
                indices[target] = order[j]


@inline
def _rank(bits, magnitude, infinity, descending):
    kind = type(bits)
    size = kind(bits & magnitude)
    rank = kind(bits ^ (magnitude if bits < kind(0) else kind(0)))  # negative floats are ordered by falling magnitude
    rank = kind(0) if (magnitude != kind(0)) & (size == kind(0)) else rank
    rank = magnitude if size > infinity else rank
    return kind(~rank) if descending else rank


@inline
def _ranks_of(line, limits, ranks):
    """Ranks of a line; the least and the largest of them."""
    kind = ranks.dtype.type
    magnitude, infinity, descending = kind(limits[0]), kind(limits[1]), limits[2] != 0
    for j in range(line.size):
        ranks[j] = _rank(line[j], magnitude, infinity, descending)
    least = largest = ranks[0]
    for j in range(line.size):
        least, largest = min(least, ranks[j]), max(largest, ranks[j])
    return least, largest


@inline
def _sort_line(line, limits, ranks, keys, order, others, places, counts):
    """Fills `order` with where the elements of the sorted line are."""
    n = line.size
    least, largest = _ranks_of(line, limits, ranks)
    for j in range(n):
        keys[j], order[j] = np.uint64(np.int64(ranks[j]) - np.int64(least)), j
    if n <= SHORT:
        for j in range(1, n):
            key, i = keys[j], j
            while i > 0 and keys[i - 1] > key:
                keys[i], order[i] = keys[i - 1], order[i - 1]
                i -= 1
            keys[i], order[i] = key, j
        return
    span, digits = np.uint64(np.int64(largest) - np.int64(least)), 0
    while digits < 8 and span >> np.uint64(8 * digits) > np.uint64(0):
        digits += 1
    for i in range(256 * digits):
        counts[i] = 0
    for j in range(n):
        for digit in range(digits):
            counts[256 * digit + np.int64((keys[j] >> np.uint64(8 * digit)) & np.uint64(255))] += 1
    for digit in range(digits):
        shift, base = np.uint64(8 * digit), 256 * digit
        total = 0
        for i in range(base, base + 256):
            total, counts[i] = total + counts[i], total
        for j in range(n):
            i = base + np.int64((keys[j] >> shift) & np.uint64(255))
            place = counts[i]
            counts[i] = place + 1
            others[place], places[place] = keys[j], order[j]
        keys, others = others, keys
        order, places = places, order
    if digits % 2 == 1:  # the caller's array is the other one now
        places[:n] = order[:n]


@inline
def _first_of_line(line, limits, k, ranks, order):
    """Whether it was little work to fill `order` with where the first k elements of the sorted line are."""
    kept, moves = 0, 0
    first, block = np.empty(k, line.dtype), ranks[:BLOCK]
    for start in range(0, line.size, BLOCK):
        stop = min(start + BLOCK, line.size)
        least, _ = _ranks_of(line[start:stop], limits, block)
        if kept == k and least >= first[k - 1]:
            continue
        for j in range(stop - start):
            rank = block[j]
            if kept == k and rank >= first[k - 1]:
                continue
            last = i = kept if kept < k else k - 1
            while i > 0 and first[i - 1] > rank:
                first[i], order[i] = first[i - 1], order[i - 1]
                i -= 1
            first[i], order[i] = rank, start + j
            kept += kept < k
            moves += last - i
        if moves > 4 * line.size:
            return False
    return True
