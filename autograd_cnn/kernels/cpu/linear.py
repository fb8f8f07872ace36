"""The gradients of a dense layer in one call.

Each of them may take less time than the call that asks for it.  So they are shared out together: every task does its
part of the one product, then of the other, then of the sum over rows.
"""

from functools import lru_cache
from math import inf
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, prange

from autograd_cnn.errors import ShapeError
from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.contraction import KERNELS, matmul
from autograd_cnn.kernels.cpu.contraction_plan import RECORD, Geometry, plan
from autograd_cnn.kernels.cpu.jit import parallel, serial
from autograd_cnn.kernels.cpu.reduce import sum as sum_over
from autograd_cnn.kernels.cpu.shared_code import address_of, call

SUMMED = 64  # columns of a piece of the sum over rows
MOST_SUMMED = 1 << 17  # elements from which on the sum over rows is shared out by rows, and so on its own
G, X, WEIGHT, GX, GW, GB, ZEROS = range(7)  # where they stand among the arrays
NO_LEVELS = np.empty((0, 3), np.int64)  # no product has a batch


class Shares(NamedTuple):
    """Gradients that are computed in one call, a row of `table` and of `plans` for each."""

    parallel: bool
    table: np.ndarray  # the kernel's address, its number of pieces, and where a, b and the result are
    plans: np.ndarray  # a Geometry each
    zeros: np.ndarray  # as many as a tile is wide
    others: tuple[int, ...]  # gradients that are not among them


@serial
def _sum_rows_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """out[j] = the sum over i of a[i, j], added up in float64; arguments are as a product's, a is contiguous."""
    p = plans[0]
    a, out = part_of(a, 0, p.rows * p.columns, like), part_of(out, 0, p.columns, like)
    sums = np.empty(SUMMED, np.float64)
    for piece in range(first, last):
        column = piece * SUMMED
        count = min(SUMMED, p.columns - column)
        sums[:count] = 0
        for start in range(column, a.size, p.columns):
            line = a[start : start + count]
            for j in range(count):
                sums[j] += line[j]
        for j in range(count):
            out[column + j] = sums[j]


@serial
def _share(task, tasks, table, plans, levels, arrays, like):
    """One task's part of each gradient."""
    for n in range(table.shape[0]):
        first, last = task * table[n, 1] // tasks, (task + 1) * table[n, 1] // tasks
        a, b, out = arrays[table[n, 2]], arrays[table[n, 3]], arrays[table[n, 4]]
        call(table[n, 0], (first, last, plans[n : n + 1], levels, a, b, arrays[ZEROS], 0, -inf, out, like))


@parallel
def _shares(tasks, table, plans, levels, arrays, like):
    for task in prange(tasks):
        _share(np.int64(task), tasks, table, plans, levels, arrays, like)


@lru_cache(1024)
def _plan(rows, columns, inner, wanted, w_strides, x_strides, kind):
    """The Shares for a contiguous g (rows, columns), weight (columns, inner) and x (rows, inner)."""
    zeros = np.zeros(1, kind)
    g_strides = columns * zeros.itemsize, zeros.itemsize
    together, others, large = [], [], False
    for result in wanted:
        if result == GB:
            kernel, operands, pieces = _sum_rows_pieces, (G, G), -(-columns // SUMMED)
            numbers = np.array([Geometry(rows, 0, columns, *(0,) * 9)], RECORD)
            fits = rows * columns <= MOST_SUMMED
        else:
            if result == GX:
                operands, p = (G, WEIGHT), plan((rows, columns), g_strides, (columns, inner), w_strides, kind)
            else:
                operands, p = (G, X), plan((columns, rows), g_strides[::-1], (rows, inner), x_strides, kind)
            fits = p is not None and not p.swapped and not p.parts  # else there is more to it than its pieces
            if fits:
                kernel, pieces, numbers = KERNELS[p.kernel], p.pieces, p.numbers
                large |= p.parallel
                zeros = max(zeros, p.zeros, key=len)
        if not fits or not rows * columns * (inner or result == GB):
            others.append(result)
            continue
        some = id(zeros)  # no piece is asked for, so nothing is read
        code = address_of(kernel, 0, 0, numbers, NO_LEVELS, some, some, some, 0, -inf, some, zeros)
        together.append(((code, pieces, *operands, result), numbers))
    if not together:
        return Shares(False, None, None, zeros, tuple(others))
    table, plans = zip(*together, strict=True)
    return Shares(large, np.array(table, np.int64), np.concatenate(plans), zeros, tuple(others))


def linear_backward(g, x, weight, gx, gw, gb):
    """gx = g @ weight, gw = g.T @ x, gb = the sum of g's rows; None for a result that is not wanted.

    g: (M, N), x: (M, K), weight: (N, K), gx: (M, K), gw: (N, K), gb: (N,), all of one float dtype, results contiguous.
    x is needed for gw alone, weight for gx alone.
    """
    if not g.flags.c_contiguous:
        g = np.ascontiguousarray(g)
    rows, columns = g.shape
    inner, w_strides, x_strides, wanted = 0, None, None, ()
    if gx is not None:
        inner, w_strides, wanted = gx.shape[1], weight.strides, (GX,)
        _require(weight, (columns, inner), g)
    if gw is not None:
        inner, x_strides, wanted = gw.shape[1], x.strides, (*wanted, GW)
        _require(x, (rows, inner), g)
    if gb is not None:
        wanted = *wanted, GB
    shares = _plan(rows, columns, inner, wanted, w_strides, x_strides, g.dtype.char)
    if shares.table is not None:
        arrays = id(g), id(x), id(weight), id(gx), id(gw), id(gb), id(shares.zeros)
        if shares.parallel:
            # As many tasks as threads: one that goes from product to product packs its operands anew.
            _shares(get_num_threads(), shares.table, shares.plans, NO_LEVELS, arrays, shares.zeros)
        else:
            _share(0, 1, shares.table, shares.plans, NO_LEVELS, arrays, shares.zeros)
    for result in shares.others:
        if result == GX:
            matmul(g, weight, gx)
        elif result == GW:
            matmul(g.T, x, gw)
        else:
            sum_over(g, (0,), gb)


def _require(operand, shape, g):
    """Kernels find arrays by their addresses, so one that was given other memory must not get there."""
    if operand.shape != shape or operand.dtype != g.dtype:
        raise ShapeError(
            f"linear: an operand of shape {list(shape)} and {g.dtype} has become {list(operand.shape)}, {operand.dtype}"
        )
