"""Matrix products on vector tiles: large and small, of matrices and vectors, in any layout."""

from math import inf

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.contraction_plan import TASKS, plan
from autograd_cnn.kernels.cpu.contraction_tile import ROWS, broadcast_tile, copy_lines, inner_tile
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import INNER_A, VECTOR_BYTES, transpose_block

__all__ = ["RELU", "linear_forward", "matmul"]

RELU = 1
LOWER = (-inf, 0.0)  # what an activation lets through at least: none, relu


@inline
def _piece(index, p, levels):
    """Where a piece lies: rows, columns and depth from where to where, and the starts of a, b and out."""
    groups = (p.columns + p.group - 1) // p.group
    chunks = (p.rows + p.chunk - 1) // p.chunk
    rest, group = divmod(index, groups)
    matrix, chunk = divmod(rest, chunks)
    part, batch = divmod(matrix, p.batches)
    a_start = b_start = 0
    for level in range(levels.shape[0] - 1, -1, -1):
        batch, i = divmod(batch, levels[level, 0])
        a_start += i * levels[level, 1]
        b_start += i * levels[level, 2]
    row, column, k = chunk * p.chunk, group * p.group, part * p.part
    return (
        row, min(row + p.chunk, p.rows), column, min(column + p.group, p.columns), k, min(k + p.part, p.depth),
        a_start, b_start, matrix * p.rows * p.columns,
    )  # fmt: skip


@inline
def _pack_panel(b, start, row_stride, column_stride, depth, columns, panel, place, pitch):
    """panel[place + k * pitch + j] = b[k, j]."""
    lanes = VECTOR_BYTES // panel.itemsize
    if column_stride == 1:
        copy_lines(depth, columns, b, start, row_stride, panel, place, pitch)
    elif row_stride == 1 and depth >= lanes and columns >= lanes:
        # The last block in each direction ends where the panel does: it may overlap the one before.
        for block_j in range(0, columns, lanes):
            j = min(block_j, columns - lanes)
            for block_k in range(0, depth, lanes):
                k = min(block_k, depth - lanes)
                transpose_block(b, start + j * column_stride + k, column_stride, panel, place + k * pitch + j, pitch)
    else:
        for j in range(columns):
            for k in range(depth):
                panel[place + k * pitch + j] = b[start + k * row_stride + j * column_stride]


@serial
def _broadcast_pieces(first, last, plans, levels, a, b, bias, lower, out):
    """Pieces [first, last) of out[n] = max(a[n] @ b[n] + bias, lower), where b's lines are contiguous or packed."""
    p = plans[0]
    packed_a = np.empty(ROWS * p.block if p.pack_a else 0, out.dtype)
    packed_b = np.empty(((p.group + p.panel - 1) // p.panel) * p.panel * p.block if p.pack_b else 0, out.dtype)
    nothing = np.zeros(p.panel, out.dtype)
    for piece in range(first, last):
        row, last_row, column, last_column, k, last_k, a_start, b_start, c_start = _piece(piece, p, levels)
        summed = False
        while k < last_k or not summed:
            count = min(p.block, last_k - k)
            b_base, b_step, b_panel = b_start + k * p.b_row + column * p.b_column, p.b_row, p.panel
            source_b = b
            if p.pack_b:
                for j in range(column, last_column, p.panel):
                    place = (j - column) * p.block
                    width = min(p.panel, last_column - j)
                    source = b_base + (j - column) * p.b_column
                    _pack_panel(b, source, p.b_row, p.b_column, count, width, packed_b, place, p.panel)
                source_b, b_base, b_step, b_panel = packed_b, 0, p.panel, p.panel * p.block
            addend, added_row, added_start, added_column = nothing, 0, 0, 0
            if summed:
                addend, added_row, added_start, added_column = out, p.columns, c_start, 1
            elif bias.size:
                addend, added_column = bias, 1
            least = out.dtype.type(lower if k + count >= last_k else -np.inf)
            for t in range(row, last_row, ROWS):
                height = min(ROWS, last_row - t)
                a_base, a_row, a_column = a_start + t * p.a_row + k * p.a_column, p.a_row, p.a_column
                source_a = a
                if p.pack_a:
                    if a_row == 1:
                        copy_lines(count, height, a, a_base, a_column, packed_a, 0, ROWS)
                    else:
                        for i in range(height):
                            for q in range(count):
                                packed_a[q * ROWS + i] = a[a_base + i * a_row + q * a_column]
                    source_a, a_base, a_row, a_column = packed_a, 0, 1, ROWS
                for j in range(column, last_column, p.panel):
                    broadcast_tile(
                        height, min(p.panel, last_column - j), source_a, a_base, a_row, a_column,
                        source_b, b_base + (j - column) // p.panel * b_panel, b_step, count,
                        addend, added_start + t * added_row + j * added_column, added_row, least,
                        out, c_start + t * p.columns + j, p.columns,
                    )  # fmt: skip
            k += count
            summed = True


@parallel
def _broadcast(first, last, plans, levels, a, b, bias, lower, out):
    tasks = min(last - first, TASKS)
    for index in prange(tasks):
        task = np.int64(index)
        begin, end = first + task * (last - first) // tasks, first + (task + 1) * (last - first) // tasks
        _broadcast_pieces(begin, end, plans, levels, a, b, bias, lower, out)


@serial
def _inner_pieces(first, last, plans, levels, a, b, bias, lower, out):
    """The same where a's rows and b's columns are contiguous."""
    p = plans[0]
    nothing = np.zeros(p.panel, out.dtype)
    for piece in range(first, last):
        row, last_row, column, last_column, k, last_k, a_start, b_start, c_start = _piece(piece, p, levels)
        summed = False
        while k < last_k or not summed:
            count = min(p.block, last_k - k)
            addend, added_row, added_start, added_column = nothing, 0, 0, 0
            if summed:
                addend, added_row, added_start, added_column = out, p.columns, c_start, 1
            elif bias.size:
                addend, added_column = bias, 1
            least = out.dtype.type(lower if k + count >= last_k else -np.inf)
            for j in range(column, last_column, p.panel):
                for t in range(row, last_row, INNER_A):
                    inner_tile(
                        min(INNER_A, last_row - t), min(p.panel, last_column - j),
                        a, a_start + t * p.a_row + k, p.a_row, b, b_start + j * p.b_column + k, p.b_column, count,
                        addend, added_start + t * added_row + j * added_column, added_row, least,
                        out, c_start + t * p.columns + j, p.columns,
                    )  # fmt: skip
            k += count
            summed = True


@parallel
def _inner(first, last, plans, levels, a, b, bias, lower, out):
    tasks = min(last - first, TASKS)
    for index in prange(tasks):
        task = np.int64(index)
        begin, end = first + task * (last - first) // tasks, first + (task + 1) * (last - first) // tasks
        _inner_pieces(begin, end, plans, levels, a, b, bias, lower, out)


@serial
def _add_parts(partial, bias, lower, out):
    """out = max(the sum of the parts, in their order, + bias, lower)."""
    least = out.dtype.type(lower)
    for i in range(out.size):
        total = partial[i]
        for part in range(1, partial.size // out.size):
            total += partial[part * out.size + i]
        if bias.size:
            total += bias[i % bias.size]
        out[i] = least if total <= least else total


@serial
def _integer_pieces(first, last, plans, levels, a, b, bias, lower, out):
    """Rows [first, last) of out[n] = a[n] @ b[n] in whole numbers."""
    p = plans[0]
    for piece in range(first, last):
        row, _, _, _, _, _, a_start, b_start, place = _piece(piece, p, levels)
        place += row * p.columns
        for j in range(p.columns):
            out[place + j] = 0
        for k in range(p.depth):
            x = a[a_start + row * p.a_row + k * p.a_column]
            start = b_start + k * p.b_row
            for j in range(p.columns):
                out[place + j] += x * b[start + j * p.b_column]


@parallel
def _integers(first, last, plans, levels, a, b, bias, lower, out):
    for piece in prange(first, last):
        _integer_pieces(np.int64(piece), np.int64(piece) + 1, plans, levels, a, b, bias, lower, out)


KERNELS = {
    ("broadcast", False): _broadcast_pieces,
    ("broadcast", True): _broadcast,
    ("inner", False): _inner_pieces,
    ("inner", True): _inner,
    ("integers", False): _integer_pieces,
    ("integers", True): _integers,
}


def _product(a, b, bias, lower, out):
    """out = max(a @ b + bias, lower)."""
    kernel, swapped, a_source, b_source, pieces, numbers, levels, parts, nothing = plan(
        a.shape, a.strides, b.shape, b.strides, out.dtype.char
    )
    a = a.ravel("K") if a_source is None else a_source.elements(a)
    b = b.ravel("K") if b_source is None else b_source.elements(b)
    out = out.ravel()
    if bias is None:
        bias = nothing
    if swapped:
        a, b = b, a
        if bias.size:
            bias = np.repeat(bias, out.size)
    if parts == 1:
        KERNELS[kernel](0, pieces, numbers, levels, a, b, bias, lower, out)
    else:
        partial = np.empty(parts * out.size, out.dtype)
        KERNELS[kernel](0, pieces, numbers, levels, a, b, nothing, -inf, partial)
        _add_parts(partial, bias, lower, out)


def matmul(a, b, out):
    """out = a @ b.  a: (..., M, K), b: (..., K, N), leading dimensions broadcast; out: (..., M, N) contiguous."""
    _product(a, b, None, -inf, out)


def linear_forward(x, weight, bias, out, activation=0):
    """out = x @ weight.T + bias, where `activation` is RELU max(that, 0).

    x: (M, K), weight: (N, K), bias: (N,) or None, out: (M, N) contiguous.
    """
    _product(x, weight.T, None if bias is None else bias.ravel(), LOWER[activation], out)
