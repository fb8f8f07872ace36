"""How a matrix product is cut up: how its operands lie in memory, which kernel suits its shape, and the pieces.

Everything here is a function of shapes and strides alone, computed once for each, so that results are the same bits
whatever the number of threads.
"""

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.contraction_tile import LINES, ROWS, SPAN, inner_columns
from autograd_cnn.kernels.cpu.microkernel import INNER_A, VECTOR_BYTES

TASKS = 16  # pieces of a large problem, where its shape allows
SPLITS = (1, 2, 3, 4, 6, 8, 11, 16)  # numbers of chunks of rows and groups of columns that are considered
DEPTH = 192  # steps of a sum taken in one pass: so many lines of a panel stay in the L1 cache
# Steps that are taken in registers, in even shares of a pass.  The sums of such chains are added, so that rounding
# errors grow with the chain and with the number of chains, not with their product.
CHAIN = 64
GROUP = 5  # most panels in a group of columns: DEPTH lines of them stay in the L2 cache
PARALLEL_WORK = 1 << 19  # multiplications below which threads cost more than they bring
ELEMENT_WORK = 6  # multiplications in the time in which one element comes from memory
IN_PLACE_ROWS = 24  # rows of a: with fewer, packing b does not pay
IN_PLACE_DEPTH = 8  # likewise
INNER_ROWS = 24  # rows of a: with fewer, turning b does not pay
INNER_DEPTH = 2048  # of one pass of inner products
LARGE = 1 << 17  # elements of b that do not stay in the L2 cache
SHALLOW = 64  # depth of one pass over a large b in place: it is read in long runs
# Few rows of a, long lines of a large b: they are added up line by line.  Each row goes over what is in the L1 cache
# again, so the more rows, the slower the memory must be that b comes from.
STREAM_ROWS, STREAM_COLUMNS, STREAM_PART = 8, 256, 512
STREAM_STRIP = 2048  # columns that a few lines are added up in before the next ones
LEAST_PART, MOST_OUTPUTS = 1024, 1 << 14  # where outputs are few, long sums are cut into parts


class Geometry(NamedTuple):
    """The numbers that a kernel works from.  Strides are in elements; matrices of the result are contiguous."""

    rows: int
    depth: int
    columns: int
    batches: int
    a_row: int
    a_column: int
    b_row: int
    b_column: int
    a_first: int  # where the memory of a begins, counted from its first element; below 0 for strides below 0
    a_extent: int
    b_first: int
    b_extent: int
    chunk: int = 1  # rows of a piece
    group: int = 1  # columns of a piece
    panel: int = 1  # columns of a tile
    strip: int = 1  # columns that a row of tiles spans before the next one
    block: int = 1  # depth of one pass
    chain: int = 1  # steps of it that are taken in registers
    parts: int = 1  # that the depth is cut into; each has an output of its own
    part: int = 1  # depth of one of them
    pack_a: bool = False
    pack_b: bool = False
    pieces: int = 0


RECORD = np.dtype([(name, np.int64) for name in Geometry._fields])


class Plan(NamedTuple):
    kernel: str  # "broadcast", "inner", "stream", "outer" or "integers"
    parallel: bool
    swapped: bool  # whether out.T = b.T @ a.T is computed
    pieces: int
    numbers: np.ndarray  # a Geometry
    levels: np.ndarray  # of the batch, the outermost first: size, stride in a, stride in b
    parts: int  # outputs that are to be added up; 0 where there is but the one
    zeros: np.ndarray  # a tile's width of them


def _memory(shape, strides, itemsize):
    """Strides in elements, 0 for sizes of 1; where the memory begins, counted from element 0, and its extent."""
    flat = tuple(0 if n == 1 else stride // itemsize for n, stride in zip(shape, strides, strict=True))
    if 0 in shape:
        return flat, 0, 0
    reach = [(n - 1) * stride for n, stride in zip(shape, flat, strict=True)]
    first = sum(min(step, 0) for step in reach)
    return flat, first, 1 + sum(max(step, 0) for step in reach) - first


def _levels(a_shape, a_strides, b_shape, b_strides):
    """The batch's dimensions as (size, stride in a, stride in b), neighbours merged where one stride serves both."""
    ndim = max(len(a_shape), len(b_shape))
    levels = []
    for i in range(ndim, 0, -1):
        a_size, a_stride = (a_shape[-i], a_strides[-i]) if i <= len(a_shape) else (1, 0)
        b_size, b_stride = (b_shape[-i], b_strides[-i]) if i <= len(b_shape) else (1, 0)
        size = b_size if a_size == 1 else a_size
        if size == 1:
            continue
        if levels and levels[-1][1:] == (a_stride * size, b_stride * size):
            levels[-1] = (levels[-1][0] * size, a_stride, b_stride)
        else:
            levels.append((size, a_stride, b_stride))
    return levels


def _shares(count, unit, splits, most=None):
    """(Elements of a share, number of shares) for some ways to cut `count` elements into shares of whole units."""
    units = -(-count // unit)
    largest = units if most is None else max(1, most // unit)
    sizes = dict.fromkeys(min(largest, -(-units // n)) for n in splits)
    return [(size * unit, -(-units // size)) for size in sizes]


def _balanced(g, parts, rows_of_tile, most):
    """(Rows, columns) of a piece: the least estimated time on 2 and on 4 threads."""

    def time(choice):
        (chunk, chunks), (group, groups) = choice
        chunk, group = min(chunk, g.rows), min(group, g.columns)
        # What each piece does anew: bring or pack its part of b, for as long as a few rows take, and likewise of a.
        again = 1 + (8 if g.pack_b else 3) / chunk + (16 if g.pack_a else 2) / group
        matrices = g.batches * parts

        def load(pieces):
            """Outputs of the first thread, whose pieces are whole ones but where a matrix or a chunk ends."""
            whole, rest = divmod(pieces, chunks * groups)
            row, column = divmod(rest, groups)
            last = min(chunk, g.rows - row * chunk) * min(column * group, g.columns)
            return (whole * g.rows + row * chunk) * g.columns + last

        loads = [load(-(-matrices * chunks * groups // threads)) * threads for threads in (2, 4)]
        return sum(loads) / (matrices * g.rows * g.columns) * again

    groups = _shares(g.columns, g.panel, SPLITS, most)
    (chunk, _), (group, _) = min(product(_shares(g.rows, rows_of_tile, SPLITS), groups), key=time)
    return min(chunk, g.rows), min(group, g.columns)


def _in_pieces(g, rows_of_tile, most, parallel):
    """The geometry with the pieces that it is computed in; `most` is the number of columns that one may have."""
    chunk, group = max(g.rows, 1), max(min(g.columns, most // g.panel * g.panel), 1)
    parts = 1
    if parallel:
        if g.batches * g.rows * g.columns <= MOST_OUTPUTS:
            parts = max(1, min(TASKS, g.depth // LEAST_PART))
        if parts * g.batches < TASKS:
            chunk, group = _balanced(g, parts, rows_of_tile, most)
    return _with_parts(g._replace(chunk=chunk, group=group), parts)


def _with_parts(g, parts):
    """The geometry with its depth cut into parts of whole blocks, none of which is left much smaller than others."""
    part = -(-g.depth // parts)
    blocks = max(1, -(-part // g.block))
    block = max(1, -(-part // blocks))
    part = blocks * block
    parts = max(1, -(-g.depth // part))
    pieces = parts * g.batches * -(-g.rows // g.chunk) * -(-g.columns // g.group)
    chain = -(-block // -(-block // CHAIN))
    return g._replace(block=block, chain=chain, part=part, parts=parts, pieces=pieces)


def _inner_geometry(g, lanes, parallel):
    """Inner products of the rows of a and the columns of b, both contiguous."""
    g = g._replace(panel=inner_columns(lanes), block=INNER_DEPTH)
    return _in_pieces(g, INNER_A, g.columns, parallel)


def _stream_geometry(g, parallel):
    """Lines of b, times numbers of a, are added up."""
    parts = -(-g.depth // STREAM_PART)
    if parallel:
        parts = max(parts, min(TASKS, g.depth // SHALLOW))
    few = parallel and parts * g.batches < TASKS
    group = STREAM_STRIP if few and g.columns >= 2 * STREAM_STRIP else g.columns
    g = g._replace(chunk=g.rows, group=group, strip=min(STREAM_STRIP, group), block=LINES)
    return _with_parts(g, parts)


def _broadcast_geometry(g, lanes, parallel):
    """Tiles of rows of a and columns of b, b in place where few rows use it or else packed."""
    vectors = max(1, -(-g.columns // lanes))
    panel = -(-vectors // -(-vectors // SPAN)) * lanes
    pack_a = g.a_column != 1 and g.depth > 1 and g.columns > 2 * panel
    pack_b = (g.b_column != 1 and g.columns > 1) or (g.rows > IN_PLACE_ROWS and g.depth > IN_PLACE_DEPTH)
    if pack_b:
        most, strip, block = GROUP * panel, GROUP * panel, DEPTH
    elif g.depth <= IN_PLACE_DEPTH:
        most, strip, block = g.columns, g.columns, DEPTH
    else:
        most, strip, block = g.columns, panel, SHALLOW if g.depth * g.columns > LARGE else DEPTH
        pack_a = False
    g = g._replace(panel=panel, strip=max(strip, 1), block=block, pack_a=pack_a, pack_b=pack_b)
    return _in_pieces(g, ROWS, most, parallel)


def plan(a_shape, a_strides, b_shape, b_strides, kind):
    """The plan for out = a @ b, for arrays of these shapes and strides and dtype character `kind`.

    None where contiguous copies of a and b would be better.
    """
    dtype = np.dtype(kind)
    if any(stride % dtype.itemsize for stride in (*a_strides, *b_strides)):
        return None
    a_flat, *a_memory = _memory(a_shape, a_strides, dtype.itemsize)
    b_flat, *b_memory = _memory(b_shape, b_strides, dtype.itemsize)
    levels = _levels(a_shape[:-2], a_flat[:-2], b_shape[:-2], b_flat[:-2])
    (rows, depth), columns = a_shape[-2:], b_shape[-1]
    (a_row, a_column), (b_row, b_column) = a_flat[-2:], b_flat[-2:]
    swapped = columns == 1 and rows > 1
    if swapped:
        # A matrix by a vector is a vector by a matrix: the vectors of the kernels then run over many outputs.
        levels = [(size, b_stride, a_stride) for size, a_stride, b_stride in levels]
        rows, columns = columns, rows
        a_row, a_column, b_row, b_column = b_column, b_row, a_column, a_row
        a_memory, b_memory = b_memory, a_memory
    elif levels and levels[-1][1:] == (rows * a_row, 0):
        # Many matrices by one are a tall matrix by one.
        rows *= levels.pop()[0]
    batches = prod(size for size, _, _ in levels)
    lanes = VECTOR_BYTES // dtype.itemsize
    g = Geometry(rows, depth, columns, batches, a_row, a_column, b_row, b_column, *a_memory, *b_memory)
    outputs = batches * rows * columns
    elements = batches * depth * (rows + columns) + outputs
    parallel = outputs > 0 and outputs * depth + ELEMENT_WORK * elements >= PARALLEL_WORK
    if dtype.kind != "f":
        kernel = "integers"
        g = g._replace(chunk=1, group=columns, part=depth, pieces=batches * rows)
    elif a_column == b_row == 1 and b_column != 1 and (rows <= INNER_ROWS or columns < lanes):
        kernel, g = "inner", _inner_geometry(g, lanes, parallel)
    elif b_column == 1 and rows <= STREAM_ROWS and columns >= STREAM_COLUMNS and depth * columns > LARGE * rows**2:
        kernel, g = "stream", _stream_geometry(g, parallel)
    elif depth == 1 and b_column == 1:
        chunk = -(-rows // TASKS) if parallel else max(rows, 1)
        kernel, g = "outer", g._replace(chunk=chunk, group=columns, pieces=batches * -(-rows // chunk))
    else:
        kernel, g = "broadcast", _broadcast_geometry(g, lanes, parallel)
    # Streams leave bias and bound to the sum of the parts.
    parts = g.parts if g.parts > 1 or kernel == "stream" else 0
    return Plan(
        kernel, parallel, swapped, g.pieces, np.array([g], RECORD),
        np.array(levels, np.int64).reshape(-1, 3), parts, np.zeros(max(g.panel, 1), dtype),
    )  # fmt: skip
