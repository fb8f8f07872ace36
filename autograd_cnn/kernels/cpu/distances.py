"""Distances by a p-norm of every row of one matrix from every row of another, without room for their differences.

A piece of work is a row of the first matrix.  Forward it goes over the numbers of a row one by one, with all rows of
the second matrix, which is given turned, side by side in vectors.
"""

import math
from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

TASKS = 64
ONE, TWO, MOST, OTHER = range(4)  # kinds of p


def distances(x, y, p, upper, out):
    """out[i, j] = |x[i] - y[j]|_p, of x: (P, n) and y: (R, n); where `upper`, of j above i alone, one by one."""
    flat = out.ravel()
    _run(_forward, x, np.ascontiguousarray(y.T), p, upper, flat, flat, x[:0])


def distances_grad(g, x, y, p, upper, out, gx):
    """gx[i] = the sum over j of g[i, j] times the slope of out[i, j] for x[i], 0 where that distance is 0.

    Where `upper`, x is y, and a pair's distance counts for both of its rows.
    """
    g, lengths = (np.ascontiguousarray(a).ravel() for a in (g, out))
    _run(_backward, x, np.ascontiguousarray(y), p, upper, lengths, g, gx)


def _kind(p):
    return {1: ONE, 2: TWO, math.inf: MOST}.get(p, OTHER)


def _run(kernel, x, y, p, upper, lengths, g, gx):
    x, rows = np.ascontiguousarray(x), x.shape[0]
    arrays = x, y, float(p), _kind(p), int(upper), lengths, g, gx
    if lengths.size * x.shape[1] < GRAIN:
        kernel(0, 1, 1, *arrays)
    else:
        _in_parallel(_address(kernel, x.dtype), min(TASKS, rows), *arrays)


@lru_cache
def _address(kernel, dtype):
    some, flat = np.zeros((0, 1), dtype), np.zeros(1, dtype)
    return address_of(kernel, 0, 0, 1, some, some, 1.0, ONE, 0, flat, flat, some)


@inline
def _place(i, j, count, upper):
    """Where the distance of rows i and j stands; with `upper` that of the smaller and the larger of them."""
    if not upper:
        return i * count + j
    low, high = min(i, j), max(i, j)
    return low * (2 * count - low - 1) // 2 + high - low - 1


# Serial kernels for the rows first, first + step, ...: for an upper triangle later rows are less work.


@serial
def _forward(first, last, step, x, turned, p, kind, upper, out, g, gx):
    real = out.dtype.type
    for i in range(first, x.shape[0], step):
        begin = i + 1 if upper else 0
        count = turned.shape[1]
        place = _place(i, begin, count, upper)
        row = out[place : place + count - begin]
        for j in range(row.size):
            row[j] = 0
        done = 0
        if kind == TWO:  # four numbers for each time that the sums are read and written
            done = x.shape[1] // 4 * 4
            for k in range(0, done, 4):
                a, b, c, d = x[i, k], x[i, k + 1], x[i, k + 2], x[i, k + 3]
                line_a, line_b, line_c, line_d = (
                    turned[k, begin:], turned[k + 1, begin:], turned[k + 2, begin:], turned[k + 3, begin:],
                )  # fmt: skip
                for j in range(row.size):
                    p_a, p_b, p_c, p_d = a - line_a[j], b - line_b[j], c - line_c[j], d - line_d[j]
                    row[j] += (p_a * p_a + p_b * p_b) + (p_c * p_c + p_d * p_d)
        for k in range(done, x.shape[1]):
            number, line = x[i, k], turned[k, begin:]
            if kind == TWO:
                for j in range(row.size):
                    row[j] += (number - line[j]) * (number - line[j])
            elif kind == ONE:
                for j in range(row.size):
                    row[j] += abs(number - line[j])
            elif kind == MOST:
                for j in range(row.size):
                    d = abs(number - line[j])
                    row[j] = d if (d > row[j]) | (d != d) else row[j]
            elif p == 0:
                for j in range(row.size):
                    row[j] += real(1) if number != line[j] else real(0)
            else:
                for j in range(row.size):
                    row[j] += real(abs(number - line[j]) ** p)
        if kind == TWO:
            for j in range(row.size):
                row[j] = math.sqrt(row[j])
        elif kind == OTHER and p > 0:
            for j in range(row.size):
                row[j] = real(row[j] ** (1 / p))


@serial
def _backward(first, last, step, x, y, p, kind, upper, lengths, g, gx):
    real = gx.dtype.type
    zero = real(0)
    for i in range(first, x.shape[0], step):
        row, slope = x[i], gx[i]
        for k in range(row.size):
            slope[k] = zero
        for j in range(y.shape[0]):
            if upper and i == j:
                continue
            place = _place(i, j, y.shape[0], upper)
            length, factor, other = lengths[place], g[place], y[j]
            if length == 0 or factor == 0:
                continue
            if kind == TWO:
                scaled = factor / length
                for k in range(row.size):
                    slope[k] += scaled * (row[k] - other[k])
            elif kind == ONE:
                for k in range(row.size):
                    d = row[k] - other[k]
                    slope[k] += factor if d > zero else -factor if d < zero else zero
            elif kind == MOST:
                for k in range(row.size):
                    d = row[k] - other[k]
                    slope[k] += zero if abs(d) != length else factor if d > zero else -factor
            elif p > 0:
                for k in range(row.size):
                    d = row[k] - other[k]
                    if d != zero:
                        part = real(abs(d / length) ** (p - 1)) * factor
                        slope[k] += part if d > zero else -part


@parallel
def _in_parallel(kernel, tasks, x, y, p, kind, upper, lengths, g, gx):
    for index in prange(tasks):
        task = np.int64(index)
        call(kernel, (task, task + 1, tasks, x, y, p, kind, upper, lengths, g, gx))
