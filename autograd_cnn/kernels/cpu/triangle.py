"""One side of a diagonal of matrices, zeros on the other."""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import adaptive

PIECE = 4096  # elements of one task


def triangle(x, diagonal, lower, out):
    """x (..., rows, columns) where columns - rows <= diagonal if `lower`, else >= diagonal; 0 elsewhere."""
    if out.size:
        rows, columns = out.shape[-2:]
        # Whatever lies beyond the matrix is as good as its edge, and no number can grow too large.
        diagonal = max(min(diagonal, columns), -rows)
        _triangle(contiguous(x).ravel(), rows, columns, diagonal + lower, lower, out.ravel())


@adaptive
def _triangle(x, rows, columns, shift, left, out):
    """On flat arrays: in row r, the elements before r + shift are kept if `left`, else the others."""
    several = max(PIECE // columns, 1)
    lines = out.size // columns
    for task in prange((lines + several - 1) // several):
        for line in range(task * several, min((task + 1) * several, lines)):
            edge = max(min(line % rows + shift, columns), 0)
            first, last = (0, edge) if left else (edge, columns)
            start = np.uint64(line * columns)
            for j in range(first):
                out[start + np.uint64(j)] = 0
            for j in range(first, last):
                out[start + np.uint64(j)] = x[start + np.uint64(j)]
            for j in range(last, columns):
                out[start + np.uint64(j)] = 0
