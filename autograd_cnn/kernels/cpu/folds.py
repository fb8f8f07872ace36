"""Folds of x (outer, n, inner) over n: sums, products, extremes.

Lines of floats, where inner is 1, go through the vector loops of lines.py and short_lines.py.  Else neighbouring
columns are folded side by side, and so are LANES parts of a contiguous run: that is what the compiler turns into
vector code.

n is cut into `chunks`, and out has an element for each; all kernels take the same arguments, so that one parallel loop
runs them.  An identity says where to start and, by its type, in which precision to count.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.column_sums import numbers_of_columns, squares_of_columns, sums_of_columns
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.lines import (
    largest_of_line,
    numbers_of_line,
    smallest_of_line,
    squares_of_line,
    sum_of_line,
)
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.short_lines import LINES, sums_of_lines

SUM, PROD, LARGEST, SMALLEST, SQUARES, NUMBERS = range(6)  # the last two of floats: sums of x^2, and without NaN
SUMS = SUM, SQUARES, NUMBERS
LANES = 64  # running values that a contiguous run is folded into
COLUMNS = 128  # columns that one task folds side by side
TASK = 8192  # elements of a task of whole lines
SHORT = 16  # below this length, extremes of lines are found number by number
LONG = 256  # below this length, lines are summed up LINES at a time

_ADDRESSES = {}


def fold(kind, identity, out, chunks, n, inner, x):
    """out = the chunks of flat x, folded."""
    if inner == 1:
        kernel = _lines if x.dtype.kind == "f" and kind != PROD else _runs
        count = out.size
        tasks = -(-count // max(TASK // max(n // chunks, 1), 1))
    else:
        kernel = _sums_of_columns if x.dtype.kind == "f" and kind in SUMS else _columns
        count = tasks = out.size // max(inner, 1) * -(-inner // COLUMNS)
    if kernel is _lines:
        identity = 0.0  # which has none: one type less to compile for
    arguments = kind, identity, out, chunks, n, inner, x
    if x.size < GRAIN:
        kernel(0, count, *arguments)
        return
    key = kernel, type(identity), out.dtype, x.dtype, x.flags.writeable
    if key not in _ADDRESSES:
        _ADDRESSES[key] = address_of(kernel, 0, 0, *arguments)
    _in_parallel(_ADDRESSES[key], tasks, count, *arguments)


@inline
def chunk_of(line, chunks, n):
    """Where a chunk begins and ends, in rows of x."""
    o = line // chunks
    c = line - o * chunks
    return o * n + n * c // chunks, o * n + n * (c + 1) // chunks


@inline
def step(kind, total, value):
    if kind == SUM:
        return total + value
    if kind == PROD:
        return total * value
    better = value > total if kind == LARGEST else value < total
    return value if better | (value != value) else total


@parallel
def _in_parallel(kernel, tasks, count, kind, identity, out, chunks, n, inner, x):
    for task in prange(tasks):
        t = np.int64(task)
        first, last = count * t // tasks, count * (t + 1) // tasks
        call(kernel, (first, last, kind, identity, out, chunks, n, inner, x))


# Serial kernels for elements [first, last) of out, or for as many blocks of columns.


@serial
def _lines(first, last, kind, identity, out, chunks, n, inner, x):
    if n < SHORT and kind in (LARGEST, SMALLEST):
        sign = x.dtype.type(1 if kind == LARGEST else -1)
        for line in range(first, last):
            best = x.dtype.type(-np.inf)
            for k in range(line * n, line * n + n):
                value = x[k] * sign
                best = value if (value > best) | (value != value) else best
            out[line] = best * sign
    elif n < LONG and kind == SUM and last - first >= LINES:
        sums = np.empty(LINES)
        for begin in range(first, last, LINES):
            line = min(begin, last - LINES)
            sums_of_lines(x, line * n, n, sums)
            for i in range(LINES):
                out[line + i] = sums[i]
    else:
        for line in range(first, last):
            start, stop = chunk_of(line, chunks, n)
            if kind == SUM:
                out[line] = sum_of_line(x, start, stop - start)
            elif kind == SQUARES:
                out[line] = squares_of_line(x, start, stop - start)
            elif kind == NUMBERS:
                out[line] = numbers_of_line(x, start, stop - start)
            elif kind == LARGEST:
                out[line] = largest_of_line(x, start, stop - start)
            else:
                out[line] = smallest_of_line(x, start, stop - start)


@serial
def _runs(first, last, kind, identity, out, chunks, n, inner, x):
    for line in range(first, last):
        start, stop = chunk_of(line, chunks, n)
        tail = start + (stop - start) // LANES * LANES if stop - start >= 2 * LANES else start
        total = identity
        if tail > start:
            totals = np.full(LANES, identity)
            for row_start in range(start, tail, LANES):
                row = x[row_start : row_start + LANES]
                for i in range(LANES):
                    totals[i] = step(kind, totals[i], row[i])
            for i in range(LANES):
                total = step(kind, total, totals[i])
        for i in range(tail, stop):
            total = step(kind, total, x[i])
        out[line] = total


@serial
def _sums_of_columns(first, last, kind, identity, out, chunks, n, inner, x):
    blocks = (inner + COLUMNS - 1) // COLUMNS
    totals = np.empty(COLUMNS)
    for task in range(first, last):
        line = task // blocks
        left = (task - line * blocks) * COLUMNS
        start, stop = chunk_of(line, chunks, n)
        width = min(COLUMNS, inner - left)
        first_element = start * inner + left
        if kind == SQUARES:
            squares_of_columns(x, first_element, inner, stop - start, width, totals)
        elif kind == NUMBERS:
            numbers_of_columns(x, first_element, inner, stop - start, width, totals)
        else:
            sums_of_columns(x, first_element, inner, stop - start, width, totals)
        place = line * inner + left
        for i in range(width):
            out[place + i] = totals[i]


@serial
def _columns(first, last, kind, identity, out, chunks, n, inner, x):
    """Four rows at a time."""
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for task in range(first, last):
        line = task // blocks
        left = (task - line * blocks) * COLUMNS
        start, stop = chunk_of(line, chunks, n)
        width = min(COLUMNS, inner - left)
        totals = np.full(width, identity)
        whole = start + (stop - start) // 4 * 4
        for row in range(start, whole, 4):
            place = row * inner + left
            a, b = x[place : place + width], x[place + inner : place + inner + width]
            c = x[place + 2 * inner : place + 2 * inner + width]
            d = x[place + 3 * inner : place + 3 * inner + width]
            for i in range(width):
                total = step(kind, step(kind, totals[i], a[i]), b[i])
                totals[i] = step(kind, step(kind, total, c[i]), d[i])
        for row in range(whole, stop):
            a = x[row * inner + left : row * inner + left + width]
            for i in range(width):
                totals[i] = step(kind, totals[i], a[i])
        place = line * inner + left
        for i in range(width):
            out[place + i] = totals[i]
