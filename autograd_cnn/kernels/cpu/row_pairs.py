"""Rows of two matrices, pair by pair: their inner products, and sums of them with a factor for each row."""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, parallel, serial
from autograd_cnn.kernels.cpu.lines import affine_pair, products
from autograd_cnn.kernels.cpu.shared_code import address_of, call

BLOCK = 8192  # elements of a task


def row_products(x, y, out):
    """out[i] = the sum of x[i] y[i], in float64; x and y: (rows, n), out: (rows,) float64."""
    _run(_products, x, y, out, out, out, np.empty(0, x.dtype))


def row_combination(x, y, a, b, c, out):
    """out[i] = a[i] x[i] + b[i] y[i] + c[i]; x, y and out: (rows, n), a, b and c: (rows,) float64."""
    _run(_combination, x, y, a, b, c, out.ravel())


def _run(kernel, x, y, a, b, c, out):
    rows, n = x.shape
    x, y = np.ascontiguousarray(x).ravel(), np.ascontiguousarray(y).ravel()
    if x.size < GRAIN:
        kernel(0, rows, n, x, y, a, b, c, out)
    else:
        _in_blocks(_address(kernel, x.dtype), rows, n, x, y, a, b, c, out)


@lru_cache
def _address(kernel, dtype):
    some, factors = np.zeros(1, dtype), np.zeros(1)
    return address_of(kernel, 0, 0, 1, some, some, factors, factors, factors, some)


@serial
def _products(first, last, n, x, y, a, b, c, out):
    for row in range(first, last):
        a[row] = products(x, row * n, 0.0, y, row * n, 0.0, 1, 0, n)[1]


@serial
def _combination(first, last, n, x, y, a, b, c, out):
    real = out.dtype.type
    zero = real(0)
    for row in range(first, last):
        start = row * n
        affine_pair(n, x, start, zero, real(a[row]), y, start, real(b[row]), real(c[row]), out, start)


@parallel
def _in_blocks(kernel, rows, n, x, y, a, b, c, out):
    count = max(BLOCK // max(n, 1), 1)
    for block in prange((rows + count - 1) // count):
        first = np.int64(block) * count
        call(kernel, (first, min(first + count, rows), n, x, y, a, b, c, out))
