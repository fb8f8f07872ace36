"""Matrix products on the vector micro-kernel."""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import inline, parallel
from autograd_cnn.kernels.cpu.microkernel import (
    MAX_VECTORS,
    VECTOR_BYTES,
    multiply_add,
    tile_height,
    tile_vectors,
)

__all__ = ["linear_forward", "matmul"]

DEPTH = 512  # contraction steps at a time: a packed panel of that depth stays in the L2 cache
TASKS = 16  # pieces that a large problem is cut into, whatever the number of threads
LEAST_ROWS = 32  # rows of a piece that are worth packing a panel for
SERIAL_WORK = 1 << 17  # multiplications below which threads cost more than they bring


@inline
def _pack_panel(b, start, row_stride, column_stride, depth, columns, width, panel):
    """panel[k, j] = b[k, j], with zeros from `columns` to `width`."""
    if column_stride == 1:
        for k in range(depth):
            source = start + k * row_stride
            for j in range(columns):
                panel[k * width + j] = b[source + j]
            for j in range(columns, width):
                panel[k * width + j] = 0
        return
    for j in range(columns):
        source = start + j * column_stride
        for k in range(depth):
            panel[k * width + j] = b[source + k * row_stride]
    for j in range(columns, width):
        for k in range(depth):
            panel[k * width + j] = 0


@inline
def _product(
    a, b, bias, out, a_start, a_strides, b_start, b_strides, out_start, pitch, rows, depth, first, columns
):
    """One piece of the product: `rows` by `columns`, at most one panel wide; `first` is its first column."""
    lanes = VECTOR_BYTES // out.itemsize
    vectors = tile_vectors(columns, lanes)
    width = vectors * lanes
    block = min(depth, DEPTH)
    a_offset = np.arange(block) * a_strides[1]
    b_offset = np.arange(block) * width
    panel = np.empty(block * width, out.dtype)
    # A panel wider than what is left of out writes to the side, and is copied over.
    whole = width == columns
    side = out if whole else np.empty(rows * width, out.dtype)
    side_start = out_start if whole else 0
    side_pitch = pitch if whole else width
    for k in range(0, max(depth, 1), DEPTH):
        count = min(block, depth - k)
        _pack_panel(b, b_start + k * b_strides[0], b_strides[0], b_strides[1], count, columns, width, panel)
        row = 0
        while row < rows:
            height = tile_height(rows - row)
            base = a_start + row * a_strides[0] + k * a_strides[1]
            target = side_start + row * side_pitch
            multiply_add(
                height, vectors, a, base, a_offset, a_strides[0], panel, 0, b_offset, 0, count,
                side, target, side_pitch, k > 0,
            )  # fmt: skip
            row += height
    if whole and bias.size == 0:
        return
    for row in range(rows):
        for j in range(columns):
            value = side[side_start + row * side_pitch + j]
            out[out_start + row * pitch + j] = value + bias[first + j] if bias.size else value


@inline
def _piece(task, panels, chunks, chunk, a, b, bias, out, shape, a_strides, b_strides):
    rows, depth, columns = shape
    width = MAX_VECTORS * (VECTOR_BYTES // out.itemsize)
    batch, rest = divmod(task, panels * chunks)
    row = rest // panels * chunk
    first = rest % panels * width
    _product(
        a, b, bias, out,
        batch * a_strides[0] + row * a_strides[1], a_strides[1:],
        batch * b_strides[0] + first * b_strides[2], b_strides[1:],
        (batch * rows + row) * columns + first, columns,
        min(chunk, rows - row), depth, first, min(width, columns - first),
    )  # fmt: skip


@parallel
def _multiply(a, b, bias, batches, shape, a_strides, b_strides, out):
    """out[n] = a[n] @ b[n] + bias; arrays are flat, strides in elements are (batch, row, column)."""
    rows, depth, columns = shape
    width = MAX_VECTORS * (VECTOR_BYTES // out.itemsize)
    panels = (columns + width - 1) // width
    wanted = (TASKS + batches * panels - 1) // (batches * panels)
    chunk = max((rows + wanted - 1) // wanted, LEAST_ROWS)
    chunks = (rows + chunk - 1) // chunk
    tasks = batches * chunks * panels
    if out.size * max(depth, 1) < SERIAL_WORK:
        for task in range(tasks):
            _piece(task, panels, chunks, chunk, a, b, bias, out, shape, a_strides, b_strides)
    else:
        for task in prange(tasks):
            _piece(np.int64(task), panels, chunks, chunk, a, b, bias, out, shape, a_strides, b_strides)


@parallel
def _multiply_integers(a, b, batches, shape, a_strides, b_strides, out):
    rows, depth, columns = shape
    for line in prange(batches * rows):
        batch, row = divmod(np.int64(line), rows)
        for j in range(columns):
            out[line * columns + j] = 0
        for k in range(depth):
            x = a[batch * a_strides[0] + row * a_strides[1] + k * a_strides[2]]
            start = batch * b_strides[0] + k * b_strides[1]
            for j in range(columns):
                out[line * columns + j] += x * b[start + j * b_strides[2]]


def _flat(array):
    """A matrix or stack of them as (elements, strides in elements), copied only where the layout is irregular."""
    rows, columns = array.shape[-2:]
    if array.ndim > 2 and not any(array.strides[:-2]):
        elements, (_, row, column) = _flat(array[(0,) * (array.ndim - 2)])
        return elements, (0, row, column)
    if array.flags.c_contiguous:
        return array.reshape(-1), (rows * columns, columns, 1)
    turned = array.swapaxes(-2, -1)
    if turned.flags.c_contiguous:
        return turned.reshape(-1), (rows * columns, 1, rows)
    return np.ascontiguousarray(array).reshape(-1), (rows * columns, columns, 1)


def matmul(a, b, out):
    """out = a @ b.  a: (..., M, K), b: (..., K, N), out: (..., M, N) contiguous, leading dimensions equal."""
    if out.size == 0:
        return
    *batch, rows, columns = out.shape
    batches = out.size // (rows * columns)
    shape = (rows, a.shape[-1], columns)
    a, a_strides = _flat(a)
    b, b_strides = _flat(b)
    if out.dtype.kind == "f":
        _multiply(a, b, out.reshape(-1)[:0], batches, shape, a_strides, b_strides, out.reshape(-1))
    else:
        _multiply_integers(a, b, batches, shape, a_strides, b_strides, out.reshape(-1))


def linear_forward(x, weight, bias, out):
    """out = x @ weight.T + bias.  x: (M, K), weight: (N, K), bias: (N,) or None, out: (M, N) contiguous."""
    if out.size == 0:
        return
    elements = out.reshape(-1)
    a, a_strides = _flat(x)
    b, b_strides = _flat(weight.T)
    bias = elements[:0] if bias is None else np.ascontiguousarray(bias)
    _multiply(a, b, bias, 1, (x.shape[0], x.shape[1], weight.shape[0]), a_strides, b_strides, elements)
