"""Kernels that go through the planes of images one by one share one parallel loop: of each, serial code is compiled.

All take the same arguments, `kernel(first, last, table, x, y, z, out, places)`: which of their tasks to do, sizes and
tables of positions in one array of integers, three operands and a result of one dtype, and positions that are written.
What a kernel has no use for is empty.  Arrays are flat.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import GRAIN, parallel
from autograd_cnn.kernels.cpu.shared_code import address_of, call

PIECES = 64  # parts of the work, each of one thread
NOWHERE = np.empty(0, np.int64)


def run(kernel, tasks, table, operands, out, places=NOWHERE):
    """Does all tasks of a serial kernel: at once, or on all threads where x or `out` is large.

    `operands` are up to three arrays, `out` and `places` contiguous ones.
    """
    flat = [plain(operand).ravel() for operand in operands]
    flat += [np.empty(0, out.dtype)] * (3 - len(flat))
    if max(out.size, flat[0].size) < GRAIN:
        kernel(0, tasks, table, *flat, out.ravel(), places.ravel())
    else:
        _in_pieces(_code(kernel, out.dtype.char), tasks, table, *flat, out.ravel(), places.ravel())


def plain(x):
    """x as an array of just the type that kernels are compiled for."""
    x = contiguous(x)
    return x if x.flags.carray else x.copy()


@lru_cache(maxsize=256)
def _code(kernel, dtype):
    some = np.zeros(1, dtype)
    return address_of(kernel, 0, 0, np.zeros(64, np.int64), some, some, some, some, np.zeros(1, np.int64))


@parallel
def _in_pieces(kernel, tasks, table, x, y, z, out, places):
    pieces = min(tasks, PIECES)
    for piece in prange(pieces):
        first, last = np.int64(piece) * tasks // pieces, (np.int64(piece) + 1) * tasks // pieces
        call(kernel, (first, last, table, x, y, z, out, places))
