"""What is found in an array: places of what is not zero, how often a number is there, which of some it is."""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import adaptive, serial

PIECE = 16384


def nonzero(x, out):
    """The indices of the elements that are not zero, in row-major order; out: (their count, x.ndim) int64."""
    if out.size == 0:
        return
    mask = contiguous(x if x.dtype == bool else x != 0).ravel()
    starts = np.add.reduceat(mask, np.arange(0, mask.size, PIECE), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(starts)])
    _places(starts, np.array(x.shape), mask, out)


@adaptive
def _places(starts, shape, mask, out):
    ndim = shape.size
    for index in prange(starts.size - 1):
        piece = np.int64(index)
        first, row = piece * PIECE, starts[piece]
        last = min(first + PIECE, mask.size)
        for i in range(first, last):
            if mask[i]:
                rest = i
                for d in range(ndim - 1, 0, -1):
                    above = rest // shape[d]
                    out[row, d] = rest - above * shape[d]
                    rest = above
                out[row, 0] = rest
                row += 1


def bincount(x, weights, out):
    """How often each number below out.size is in x, (n,) int64, or the sum of its weights."""
    if weights is None:
        out[...] = 0
        _count(contiguous(x), out)
    else:
        out[...] = np.bincount(x, weights, out.size)


@serial
def _count(x, out):
    for i in range(x.size):
        out[x[i]] += 1


def isin(x, values, out):
    """Whether each element of x is one of the values, of the same dtype."""
    out[...] = np.isin(x, values)
