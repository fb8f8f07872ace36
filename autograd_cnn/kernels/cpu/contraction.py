"""Matrix products on vector tiles: large and small, of matrices and vectors, in any layout."""

from functools import lru_cache
from math import inf

import numpy as np
from numba import prange

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.contraction_plan import TASKS, plan
from autograd_cnn.kernels.cpu.contraction_tile import LINES, ROWS, add_lines, broadcast_tile, copy_lines, inner_tile
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import INNER_A, VECTOR_BYTES
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.transposition import transpose_block

__all__ = ["IDENTITY", "RELU", "linear_forward", "matmul"]

IDENTITY, RELU = 0, 1  # activations that a result may have
LOWER = (-inf, 0.0)  # what an activation lets through at least: none, relu
NONE, COLUMNS_BIAS, ROWS_BIAS = range(3)  # what a bias is added to


@inline
def _piece(index, p, levels):
    """Where a piece lies: rows, columns and depth from where to where, and the starts of a, b and out."""
    groups = (p.columns + p.group - 1) // p.group
    chunks = (p.rows + p.chunk - 1) // p.chunk
    rest, group = divmod(index, groups)
    matrix, chunk = divmod(rest, chunks)
    part, batch = divmod(matrix, p.batches)
    a_start, b_start = -p.a_first, -p.b_first
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
def _operands(a, b, out, p, like):
    """The memory of a, b and out as flat arrays."""
    size = p.parts * p.batches * p.rows * p.columns
    return (
        part_of(a, p.a_first, p.a_extent, like),
        part_of(b, p.b_first, p.b_extent, like),
        part_of(out, 0, size, like),
    )


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
def _broadcast_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """Pieces [first, last) of out[n] = max(a[n] @ b[n] + bias, lower), where b's lines are contiguous or packed.

    `biased` is NONE, `bias` then holds the zeros of one tile, or says what each number of the bias belongs to.
    """
    p = plans[0]
    a, b, out = _operands(a, b, out, p, like)
    bias_row = p.panel if biased == ROWS_BIAS else 0
    bias = part_of(bias, 0, p.rows * bias_row if bias_row else p.columns if biased else like.size, like)
    size_a = ROWS * p.block if p.pack_a else 0
    size_b = (p.group + p.panel - 1) // p.panel * p.panel * p.block if p.pack_b else 0
    scratch = np.empty(size_a + size_b, out.dtype)
    lowest, nothing = out.dtype.type(lower), out.dtype.type(-np.inf)
    for piece in range(first, last):
        row, last_row, column, last_column, k, last_k, a_start, b_start, c_start = _piece(piece, p, levels)
        summed = False
        while k < last_k or not summed:
            count = min(p.block, last_k - k)
            source_b, b_base, b_step, b_panel = b, b_start + k * p.b_row + column * p.b_column, p.b_row, p.panel
            if p.pack_b:
                for j in range(column, last_column, p.panel):
                    place = size_a + (j - column) * p.block
                    width = min(p.panel, last_column - j)
                    source = b_base + (j - column) * p.b_column
                    _pack_panel(b, source, p.b_row, p.b_column, count, width, scratch, place, p.panel)
                source_b, b_base, b_step, b_panel = scratch, size_a, p.panel, p.panel * p.block
            last_pass = k + count >= last_k
            for strip in range(column, last_column, p.strip):
                for t in range(row, last_row, ROWS):
                    height = min(ROWS, last_row - t)
                    source_a, a_base, a_row, a_column = a, a_start + t * p.a_row + k * p.a_column, p.a_row, p.a_column
                    if p.pack_a:
                        if a_row == 1:
                            copy_lines(count, height, a, a_base, a_column, scratch, 0, ROWS)
                        else:
                            for i in range(height):
                                for q in range(count):
                                    scratch[q * ROWS + i] = a[a_base + i * a_row + q * a_column]
                        source_a, a_base, a_row, a_column = scratch, 0, 1, ROWS
                    for j in range(strip, min(strip + p.strip, last_column), p.panel):
                        place_b = b_base + (j - column) // p.panel * b_panel
                        place = c_start + t * p.columns + j
                        addend, added_row, added_start = bias, bias_row, t * bias_row + j * int(biased == COLUMNS_BIAS)
                        if summed:
                            addend, added_row, added_start = out, p.columns, place
                        for q in range(0, max(count, 1), p.chain):
                            steps = min(p.chain, count - q)
                            least = lowest if last_pass and q + steps == count else nothing
                            broadcast_tile(
                                height, min(p.panel, last_column - j), source_a, a_base + q * a_column, a_row, a_column,
                                source_b, place_b + q * b_step, b_step, steps,
                                addend, added_start, added_row, least, out, place, p.columns,
                            )  # fmt: skip
                            addend, added_row, added_start = out, p.columns, place
            k += count
            summed = True


@serial
def _inner_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """The same where a's rows and b's columns are contiguous."""
    p = plans[0]
    a, b, out = _operands(a, b, out, p, like)
    bias = part_of(bias, 0, p.columns if biased else like.size, like)
    for piece in range(first, last):
        row, last_row, column, last_column, k, last_k, a_start, b_start, c_start = _piece(piece, p, levels)
        summed = False
        while k < last_k or not summed:
            count = min(p.block, last_k - k)
            addend, added_row, added_start, added_column = bias, 0, 0, biased
            if summed:
                addend, added_row, added_start, added_column = out, p.columns, c_start, 1
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


@serial
def _stream_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """The same for few rows of a and long lines of b, which are read once, in their order; bias and bound are apart."""
    p = plans[0]
    a, b, out = _operands(a, b, out, p, like)
    for piece in range(first, last):
        row, last_row, column, last_column, k, last_k, a_start, b_start, c_start = _piece(piece, p, levels)
        for t in range(row, last_row):
            start = c_start + t * p.columns
            for j in range(start + column, start + last_column):
                out[j] = 0
        while k < last_k:
            lines = LINES if last_k - k >= LINES else 1
            for j in range(column, last_column, p.strip):
                for t in range(row, last_row):
                    add_lines(
                        lines, min(p.strip, last_column - j), a, a_start + t * p.a_row + k * p.a_column, p.a_column,
                        b, b_start + k * p.b_row + j, p.b_row, out, c_start + t * p.columns + j,
                    )  # fmt: skip
            k += lines


@serial
def _outer_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """The same for a depth of 1: each row is a number times the one line of b."""
    p = plans[0]
    a, b, out = _operands(a, b, out, p, like)
    bias = part_of(bias, 0, p.columns if biased else like.size, like)
    least = like.dtype.type(lower)
    for piece in range(first, last):
        row, last_row, _, _, _, _, a_start, b_start, c_start = _piece(piece, p, levels)
        source = b[b_start : b_start + p.columns]
        for t in range(row, last_row):
            factor = a[a_start + t * p.a_row]
            target = out[c_start + t * p.columns : c_start + (t + 1) * p.columns]
            for j in range(p.columns):
                target[j] = factor * source[j]
            if biased:
                for j in range(p.columns):
                    target[j] += bias[j]
            if least == 0:
                for j in range(p.columns):
                    target[j] = least if target[j] <= least else target[j]


@serial
def _add_parts(partial, bias, biased, lower, out):
    """out = max(the sum of the parts, in their order, + bias, lower)."""
    least = out.dtype.type(lower)
    for part in range(1, partial.size // out.size):
        start = part * out.size
        for i in range(out.size):
            partial[i] += partial[start + i]
    columns = bias.size if biased else 1
    for start in range(0, out.size, columns):
        for j in range(columns):
            total = partial[start + j] + bias[j]
            out[start + j] = least if total <= least else total


@serial
def _integer_pieces(first, last, plans, levels, a, b, bias, biased, lower, out, like):
    """Rows [first, last) of out[n] = a[n] @ b[n] in whole numbers."""
    p = plans[0]
    a, b, out = _operands(a, b, out, p, like)
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
def _in_parallel(kernel, pieces, plans, levels, a, b, bias, biased, lower, out, like):
    """The pieces of a kernel that is given by its address."""
    tasks = min(pieces, TASKS)
    for index in prange(tasks):
        task = np.int64(index)
        first, last = task * pieces // tasks, (task + 1) * pieces // tasks
        call(kernel, (first, last, plans, levels, a, b, bias, biased, lower, out, like))


KERNELS = {
    "broadcast": _broadcast_pieces,
    "inner": _inner_pieces,
    "stream": _stream_pieces,
    "outer": _outer_pieces,
    "integers": _integer_pieces,
}


@lru_cache(4096)
def _prepared(a_shape, a_strides, b_shape, b_strides, kind):
    """What `_product` needs to know of a product, looked up by all that it depends on."""
    p = plan(a_shape, a_strides, b_shape, b_strides, kind)
    if p is None:
        return None
    kernel, first = KERNELS[p.kernel], 0
    if p.parallel:
        some = id(p.zeros)  # no piece is asked for, so nothing is read
        first = address_of(kernel, 0, 0, p.numbers, p.levels, some, some, some, 0, -inf, some, p.zeros)
        kernel = _in_parallel
    return kernel, first, p.pieces, p.numbers, p.levels, p.swapped, p.parts, p.zeros


def _product(a, b, bias, lower, out):
    """out = max(a @ b + bias, lower).  Kernels find the arrays by the addresses of the array objects."""
    dtype = out.dtype
    if a.dtype != dtype or b.dtype != dtype or (bias is not None and bias.dtype != dtype):
        dtypes = [str(array.dtype) for array in (a, b, bias, out) if array is not None]
        raise DTypeError(f"matmul: all arrays must have one dtype, got {', '.join(dtypes)}")
    if not out.flags.c_contiguous:
        raise ArgumentError(f"matmul: out must be contiguous, got strides {out.strides} for shape {out.shape}")
    if out.size == 0:
        return
    if a.shape[-1] == 0:
        out[...] = 0 if bias is None else np.maximum(bias, lower)
        return
    prepared = _prepared(a.shape, a.strides, b.shape, b.strides, out.dtype.char)
    if prepared is None:
        _product(np.array(a, order="C"), np.array(b, order="C"), bias, lower, out)
        return
    kernel, first, pieces, numbers, levels, swapped, parts, zeros = prepared
    biased = NONE
    if bias is None:
        bias = zeros
    else:
        biased = COLUMNS_BIAS
        bias = np.repeat(bias, out.size) if swapped else bias.ravel()
    if swapped:
        a, b = b, a
    if parts:
        whole = np.empty(parts * out.size, out.dtype)
        kernel(first, pieces, numbers, levels, id(a), id(b), id(zeros), 0, -inf, id(whole), zeros)
        _add_parts(whole, bias, biased, lower, out.ravel())
    else:
        kernel(first, pieces, numbers, levels, id(a), id(b), id(bias), biased, lower, id(out), zeros)


def matmul(a, b, out):
    """out = a @ b.  a: (..., M, K), b: (..., K, N), leading dimensions broadcast; out: (..., M, N) contiguous."""
    _product(a, b, None, -inf, out)


def linear_forward(x, weight, bias, out, activation=IDENTITY):
    """out = x @ weight.T + bias, where `activation` is RELU max(that, 0).

    x: (M, K), weight: (N, K), bias: (N,) or None, out: (M, N) contiguous.
    """
    _product(x, weight.T, bias, LOWER[activation], out)


def multiply_planes(weight, planes, bias, activation, out):
    """out[n, g] = weight[g] @ planes[n, g] + bias, a number for each row; where `activation` is RELU max(that, 0).

    weight: (G, M, K), planes: (N, G, K, P), bias: (M,) where G is 1, or None, out: (N, G, M, P); all contiguous but
    the weight, which may be a transpose.  For shapes of which `multiplies_planes` holds.
    """
    kernel, first, pieces, numbers, levels, _, _, zeros = _prepared(
        weight.shape, weight.strides, planes.shape, planes.strides, out.dtype.char
    )
    biased, bias = (NONE, zeros) if bias is None else (ROWS_BIAS, np.repeat(bias, zeros.size))
    lower = LOWER[activation]
    kernel(first, pieces, numbers, levels, id(weight), id(planes), id(bias), biased, lower, id(out), zeros)


def multiplies_planes(weight_shape, weight_strides, planes_shape, planes_strides, kind):
    """Whether the kernel for such a product can add a number to each row."""
    chosen = plan(weight_shape, weight_strides, planes_shape, planes_strides, kind)
    return chosen is not None and chosen.kernel == "broadcast" and not chosen.swapped and not chosen.parts
