"""Copies and fills: NumPy's where they are small, else on all threads.

A large copy sees both arrays as lines of numbers; where they are of one dtype only their bytes count, so that there is
one kernel for each size.  Dimensions that follow each other in both arrays are one.
"""

from math import prod

import numpy as np
from numba import prange
from numpy.lib.stride_tricks import as_strided

from autograd_cnn.kernels.cpu.jit import parallel

LARGE = 1 << 19  # bytes
PIECE = 1 << 15  # elements of one task
CARRIERS = {1: np.dtype(np.uint8), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}


def copy(x, out):
    """out = x, broadcast and cast as C does."""
    if out.nbytes < LARGE or not _moved(x, out):
        np.copyto(out, x, casting="unsafe")


def fill(out, value):
    """out = value everywhere."""
    if out.nbytes < LARGE or not _moved(np.full(1, value, out.dtype), out):
        out.fill(value)


def contiguous(a):
    """a, or a copy of it in row-major order where it lies in another way."""
    if a.flags.c_contiguous:
        return a
    out = np.empty(a.shape, a.dtype)
    copy(a, out)
    return out


def _moved(x, out):
    """Whether x was copied to out on all threads."""
    same = x.dtype == out.dtype
    if not (same or (out.dtype.kind == "f" and x.dtype.kind in "fi")):
        return False  # what becomes of a float among integers is C's business
    if not x.flags.writeable or np.may_share_memory(x, out):
        return False  # read-only arrays would be another compilation
    if any(step % x.itemsize for step in x.strides) or any(step % out.itemsize for step in out.strides):
        return False
    steps = [step // x.itemsize if n > 1 else 0 for n, step in zip(x.shape, x.strides, strict=True)]
    steps = [0] * (out.ndim - x.ndim) + steps
    dims = _merged(out.shape, steps, [step // out.itemsize for step in out.strides])
    source, first = _line(x, same)
    target, place = _line(out, same)
    # The two innermost dimensions are loops, what is outside of them is counted.
    (n1, s1, t1), (n0, s0, t0) = dims[-2:]
    outer = np.array(dims[:-2], np.int64).reshape(-1, 3)
    _move(source, first, target, place, outer, prod(n for n, _, _ in dims[:-2]), n1, s1, t1, n0, s0, t0)
    return True


def _merged(shape, source_steps, target_steps):
    """(size, step in x, step in out) of each dimension, neighbours as one where both arrays allow it; at least two."""
    dims = []
    for n, s, t in zip(shape, source_steps, target_steps, strict=True):
        if n == 1:
            continue
        if dims and dims[-1][1] == n * s and dims[-1][2] == n * t:
            n *= dims.pop()[0]
        dims.append((n, s, t))
    return [(1, 0, 0)] * (2 - len(dims)) + dims


def _line(a, carried):
    """All memory from a's lowest element to its highest as one line, and where in it the first element is."""
    first = sum((n - 1) * -step for n, step in zip(a.shape, a.strides, strict=True) if step < 0) // a.itemsize
    low = a[tuple([slice(None, None, -1) if step < 0 else slice(None) for step in a.strides])] if first else a
    reach = sum((n - 1) * step for n, step in zip(low.shape, low.strides, strict=True)) // a.itemsize
    low = low.view(CARRIERS[a.itemsize]) if carried else low
    return as_strided(low, (reach + 1,), (a.itemsize,)), first


@parallel
def _move(source, first, target, place, outer, rows, n1, s1, t1, n0, s0, t0):
    """target[place + ...] = source[first + ...] over dimensions of n elements that are s and t apart."""
    columns = min(n0, PIECE)
    lines = max(PIECE // columns, 1)
    blocks0, blocks1 = (n0 + columns - 1) // columns, (n1 + lines - 1) // lines
    for task in prange(rows * blocks0 * blocks1):
        block, rest = task % blocks0, task // blocks0
        begin = block * columns
        count = min(columns, n0 - begin)
        start, row = rest % blocks1 * lines, rest // blocks1
        x, y = first + begin * s0, place + begin * t0
        for d in range(outer.shape[0] - 1, -1, -1):
            k = row % outer[d, 0]
            row //= outer[d, 0]
            x += k * outer[d, 1]
            y += k * outer[d, 2]
        for j in range(start, min(start + lines, n1)):
            a, b = x + j * s1, y + j * t1
            if t0 == 1 and s0 == 1:
                for i in range(count):
                    target[np.uint64(b + i)] = source[np.uint64(a + i)]
            elif t0 == 1 and s0 == 0:
                value = source[np.uint64(a)]
                for i in range(count):
                    target[np.uint64(b + i)] = value
            elif t0 == 1 and s0 == -1:
                for i in range(count):
                    target[np.uint64(b + i)] = source[np.uint64(a - i)]
            else:
                for i in range(count):
                    target[np.uint64(b + i * t0)] = source[np.uint64(a + i * s0)]
