"""The product of vectors in three dimensions."""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import adaptive

PIECE = 4096  # vectors of one task


def cross(x, y, dim, out):
    """The vectors along dimension `dim`, of size 3, that stand on those of x and y, which broadcast to `out`."""
    if out.size:
        x, y = (contiguous(np.broadcast_to(a, out.shape)).ravel() for a in (x, y))
        _cross(x, y, math.prod(out.shape[dim + 1 :]), out.ravel())


@adaptive
def _cross(x, y, inner, out):
    """On flat arrays (outer, 3, inner)."""
    outer = out.size // (3 * inner)
    several = max(PIECE // inner, 1)
    blocks = (inner + PIECE - 1) // PIECE
    for task in prange((outer + several - 1) // several * blocks):
        group = task // blocks
        left = (task - group * blocks) * PIECE
        width = min(PIECE, inner - left)
        for o in range(group * several, min((group + 1) * several, outer)):
            a = np.uint64(3 * o * inner + left)
            b = a + np.uint64(inner)
            c = b + np.uint64(inner)
            for j in range(width):
                i = np.uint64(j)
                x0, x1, x2 = x[a + i], x[b + i], x[c + i]
                y0, y1, y2 = y[a + i], y[b + i], y[c + i]
                out[a + i] = x1 * y2 - x2 * y1
                out[b + i] = x2 * y0 - x0 * y2
                out[c + i] = x0 * y1 - x1 * y0
