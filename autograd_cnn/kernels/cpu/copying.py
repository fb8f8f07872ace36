"""Copies, fills and conversions: NumPy's where they are small, else on all threads.

A large copy sees both arrays as lines of numbers of which only the bytes count, so that there is one kernel for each
size of number.  Dimensions that follow each other in both arrays are one.  Numbers become those of another dtype in
contiguous memory, by one loop for all dtypes that calls serial code for two of them.
"""

from functools import cache
from math import prod
from types import FunctionType

import numpy as np
from numba import prange
from numpy.lib.stride_tricks import as_strided

from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

LARGE = 1 << 19  # bytes
PIECE = 1 << 15  # elements of one task
CONVERTED = 1 << 13  # elements of one task of a conversion
TURNED = 512, 64  # columns and lines of one task of a transposition
TILE = 8  # lines of x that a transposition reads side by side: they may all compete for one place in the cache
CARRIERS = {1: np.dtype(np.uint8), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}
BYTE = np.dtype(np.uint8)


def copy(x, out):
    """out = x, broadcast and cast as C does."""
    if out.nbytes < LARGE or np.may_share_memory(x, out):
        np.copyto(out, x, casting="unsafe")
    elif x.dtype == out.dtype:
        _moved(x, out)
    elif x.size < out.size:
        _moved(x.astype(out.dtype), out)
    elif out.dtype == BYTE and x.dtype.kind == "f":
        np.copyto(out, x, casting="unsafe")  # what becomes of numbers that do not fit is C's business
    else:
        _convert(x, out)


def fill(out, value):
    """out = value everywhere."""
    if out.nbytes < LARGE:
        out.fill(value)
    else:
        _moved(np.full(1, value, out.dtype), out)


def contiguous(a):
    """a, or a copy of it in row-major order where it lies in another way."""
    if a.flags.c_contiguous:
        return a
    out = np.empty(a.shape, a.dtype)
    copy(a, out)
    return out


def _moved(x, out):
    """out = x, of its dtype, broadcast."""
    carrier = CARRIERS[out.itemsize]
    if out.flags.carray and x.flags.carray and (x.size == out.size or x.size == 1):
        source, target = x.reshape(-1).view(carrier), out.reshape(-1).view(carrier)
        _move(source, 0, target, 0, _NO_DIMS, 1, 1, 0, 0, out.size, int(x.size > 1), 1)
        return
    steps = [step for a in (x, out) for step in a.strides]
    if not (x.flags.writeable and x.flags.aligned and out.flags.aligned) or any(n % out.itemsize for n in steps):
        np.copyto(out, x)  # read-only arrays would be another compilation
        return
    steps = [step // x.itemsize if n > 1 else 0 for n, step in zip(x.shape, x.strides, strict=True)]
    steps = [0] * (out.ndim - x.ndim) + steps
    dims = _merged(out.shape, steps, [step // out.itemsize for step in out.strides])
    source, first = _line(x, carrier)
    target, place = _line(out, carrier)
    # The two innermost dimensions are loops, what is outside of them is counted.
    (n1, s1, t1), (n0, s0, t0) = dims[-2:]
    outer = np.array(dims[:-2], np.int64).reshape(-1, 3)
    _move(source, first, target, place, outer, prod(n for n, _, _ in dims[:-2]), n1, s1, t1, n0, s0, t0)


def _convert(x, out):
    """out = x in out's dtype."""
    source = contiguous(x)
    if not source.flags.carray:
        source = source.copy()  # to memory that is aligned, and not read-only
    target = out if out.flags.carray else np.empty(out.shape, out.dtype)
    x_bytes, out_bytes = source.reshape(-1).view(BYTE), target.reshape(-1).view(BYTE)
    _convert_in_pieces(_conversion(x.dtype, out.dtype), x.itemsize, x_bytes, out.itemsize, out_bytes)
    if target is not out:
        _moved(target, out)


def converted(x_bytes, out_bytes):
    x, out = x_bytes.view(SOURCE), out_bytes.view(TARGET)  # noqa: F821
    for i in range(out.size):
        out[i] = x[i]


@cache
def _conversion(source, target):
    """The address of `converted` from one dtype to another."""
    name = f"converted_{source}_{target}"
    code = converted.__code__.replace(co_name=name, co_qualname=name)
    kernel = serial(FunctionType(code, {**globals(), "SOURCE": source, "TARGET": target}, name))
    return address_of(kernel, np.zeros(8, BYTE), np.zeros(8 // source.itemsize * target.itemsize, BYTE))


@parallel
def _convert_in_pieces(conversion, x_size, x_bytes, out_size, out_bytes):
    count = out_bytes.size // out_size
    for piece in prange((count + CONVERTED - 1) // CONVERTED):
        first = np.int64(piece) * CONVERTED
        last = min(first + CONVERTED, count)
        part = x_bytes[first * x_size : last * x_size]
        call(conversion, (part, out_bytes[first * out_size : last * out_size]))


def _merged(shape, source_steps, target_steps):
    """(size, step in x, step in out) of each dimension, neighbours as one where both arrays allow it; at least two."""
    dims = []
    for n, s, t in zip(shape, source_steps, target_steps, strict=True):
        if n == 1:
            continue
        if dims and dims[-1][1] == n * s and dims[-1][2] == n * t:
            n *= dims.pop()[0]
        dims.append((n, s, t))
    if dims and dims[-1][1] != 1:
        # Neighbours of x go next to those of out: a matrix that is transposed.
        dims[:-1] = sorted(dims[:-1], key=lambda dim: dim[1] == 1)
    return [(1, 0, 0)] * (2 - len(dims)) + dims


def _line(a, carrier):
    """All memory from a's lowest element to its highest as one line, and where in it the first element is."""
    first = sum((n - 1) * -step for n, step in zip(a.shape, a.strides, strict=True) if step < 0) // a.itemsize
    low = a[tuple([slice(None, None, -1) if step < 0 else slice(None) for step in a.strides])] if first else a
    reach = sum((n - 1) * step for n, step in zip(low.shape, low.strides, strict=True)) // a.itemsize
    return as_strided(low.view(carrier), (reach + 1,), (a.itemsize,)), first


_NO_DIMS = np.empty((0, 3), np.int64)


@inline
def _turn(source, first, pitch, target, place, target_pitch, lines, count):
    """target[place + j * target_pitch + i] = source[first + i * pitch + j] for j below `lines`, i below `count`."""
    for begin in range(0, count, TILE):
        width = min(TILE, count - begin)
        for j in range(lines):
            a, b = first + begin * pitch + j, place + j * target_pitch + begin
            for i in range(width):
                target[np.uint64(b + i)] = source[np.uint64(a + i * pitch)]


@parallel
def _move(source, first, target, place, outer, rows, n1, s1, t1, n0, s0, t0):
    """target[place + ...] = source[first + ...] over dimensions of n elements that are s and t apart."""
    turned = t0 == 1 and s1 == 1 and s0 > 1
    columns = min(n0, TURNED[0] if turned else PIECE)
    lines = TURNED[1] if turned else max(PIECE // columns, 1)
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
        if turned:
            _turn(source, x + start, s0, target, y + start * t1, t1, min(lines, n1 - start), count)
            continue
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
