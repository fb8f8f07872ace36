"""Matrix products on the vector micro-kernel."""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    DEPTH,
    MAX_VECTORS,
    SERIAL_WORK,
    VECTOR_BYTES,
    copy_line,
    multiply_add,
    tile_height,
    tile_vectors,
    transpose_block,
)

__all__ = ["linear_forward", "matmul"]

TASKS = 16  # pieces that a large problem is cut into, whatever the number of threads
LEAST_ROWS = 32  # rows of a piece that are worth packing a panel for


@inline
def _pack_panel(b, start, row_stride, column_stride, depth, columns, width, panel):
    """panel[k, j] = b[k, j], with zeros from `columns` to `width`."""
    if column_stride == 1:
        for k in range(depth):
            copy_line(columns, b, start + k * row_stride, panel, k * width, -0.0)
            for j in range(columns, width):
                panel[k * width + j] = 0
        return
    lanes = VECTOR_BYTES // panel.itemsize
    turned_rows = depth // lanes * lanes if row_stride == 1 else 0
    turned_columns = columns // lanes * lanes
    for j in range(0, turned_columns, lanes):
        for k in range(0, turned_rows, lanes):
            source = start + j * column_stride + k
            transpose_block(b, source, column_stride, panel, k * width + j, width)
    for j in range(width):
        source = start + j * column_stride
        for k in range(turned_rows if j < turned_columns else 0, depth):
            panel[k * width + j] = b[source + k * row_stride] if j < columns else 0


@serial
def _multiply_pieces(first, last, a, b, bias, shape, a_strides, b_strides, chunk, out):
    """Pieces [first, last) of out[n] = a[n] @ b[n] + bias: `chunk` rows by one panel of columns each.

    Arrays are flat, strides in elements are (batch, row, column).
    """
    rows, depth, columns = shape
    lanes = VECTOR_BYTES // out.itemsize
    widest = MAX_VECTORS * lanes
    panels = (columns + widest - 1) // widest
    chunks = (rows + chunk - 1) // chunk
    block = min(depth, DEPTH)
    panel = np.empty(block * widest, out.dtype)
    edge = np.empty(chunk * widest, out.dtype)
    a_offset = np.empty(block, np.int64)
    b_offset = np.empty(block, np.int64)
    for piece in range(first, last):
        batch, rest = divmod(piece, panels * chunks)
        row = rest // panels * chunk
        column = rest % panels * widest
        height = min(chunk, rows - row)
        width = min(widest, columns - column)
        vectors = tile_vectors(width, lanes)
        pitch = vectors * lanes
        for k in range(block):
            a_offset[k] = k * a_strides[2]
            b_offset[k] = k * pitch
        start = (batch * rows + row) * columns + column
        # A panel wider than what is left of out is computed beside it, and copied to its place.
        whole = width == pitch
        target = out if whole else edge
        target_start = start if whole else 0
        target_pitch = columns if whole else pitch
        for k in range(0, max(depth, 1), DEPTH):
            count = min(block, depth - k)
            source = batch * b_strides[0] + k * b_strides[1] + column * b_strides[2]
            _pack_panel(b, source, b_strides[1], b_strides[2], count, width, pitch, panel)
            source = batch * a_strides[0] + row * a_strides[1] + k * a_strides[2]
            t = 0
            while t < height:
                tile = tile_height(height - t)
                multiply_add(
                    tile, vectors, a, source + t * a_strides[1], a_offset, a_strides[1], panel, 0, b_offset,
                    0, count, target, target_start + t * target_pitch, target_pitch, k > 0,
                )  # fmt: skip
                t += tile
        if whole and bias.size == 0:
            continue
        for t in range(height):
            for j in range(width):
                value = target[target_start + t * target_pitch + j]
                out[start + t * columns + j] = value + bias[column + j] if bias.size else value


@parallel
def _multiply(pieces, a, b, bias, shape, a_strides, b_strides, chunk, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        _multiply_pieces(first, first + 1, a, b, bias, shape, a_strides, b_strides, chunk, out)


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
    """Matrices as (elements, strides in elements), copied only where their layout is irregular."""
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


def _product(a, b, bias, batches, shape, out):
    """out = a @ b + bias in floating point, cut into pieces by its shape alone."""
    rows, depth, columns = shape
    a, a_strides = _flat(a)
    b, b_strides = _flat(b)
    elements = out.reshape(-1)
    bias = elements[:0] if bias is None else np.ascontiguousarray(bias)
    panels = -(-columns // (MAX_VECTORS * (VECTOR_BYTES // out.itemsize)))
    chunk = min(rows, max(LEAST_ROWS, -(-rows // -(-TASKS // (batches * panels)))))
    pieces = batches * panels * -(-rows // chunk)
    if out.size * depth < SERIAL_WORK:
        _multiply_pieces(0, pieces, a, b, bias, shape, a_strides, b_strides, chunk, elements)
    else:
        _multiply(pieces, a, b, bias, shape, a_strides, b_strides, chunk, elements)


def matmul(a, b, out):
    """out = a @ b.  a: (..., M, K), b: (..., K, N), out: (..., M, N) contiguous, leading dimensions equal."""
    if out.size == 0:
        return
    rows, columns = out.shape[-2:]
    batches = out.size // (rows * columns)
    shape = (rows, a.shape[-1], columns)
    if out.dtype.kind == "f":
        _product(a, b, None, batches, shape, out)
        return
    a, a_strides = _flat(a)
    b, b_strides = _flat(b)
    _multiply_integers(a, b, batches, shape, a_strides, b_strides, out.reshape(-1))


def linear_forward(x, weight, bias, out):
    """out = x @ weight.T + bias.  x: (M, K), weight: (N, K), bias: (N,) or None, out: (M, N) contiguous."""
    if out.size:
        _product(x, weight.T, bias, 1, (x.shape[0], x.shape[1], weight.shape[0]), out)
