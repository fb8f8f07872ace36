"""How a matrix product is cut up: how its operands lie in memory, which kernel suits its shape, and the pieces.

Everything here is a function of shapes and strides alone, computed once for each, so that results are the same bits
whatever the number of threads.
"""

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd_cnn.kernels.cpu.contraction_tile import ROWS, SPAN, inner_columns
from autograd_cnn.kernels.cpu.microkernel import DEPTH, INNER_A, VECTOR_BYTES

TASKS = 16  # pieces of a large problem, where its shape allows
SPLITS = (1, 2, 3, 4, 6, 8, 11, 16)  # numbers of chunks of rows and groups of columns that are considered
GROUP = 4  # most panels in a group of columns: DEPTH rows of them stay in the L2 cache
SCRATCH = 1 << 15  # elements up to which a copy costs less than a view
PARALLEL_WORK = 1 << 19  # multiplications below which threads cost more than they bring
ELEMENT_WORK = 12  # multiplications in the time in which one element comes from memory
IN_PLACE_ROWS = 24  # rows of a: with fewer, packing b does not pay
INNER_ROWS = 24  # rows of a: with fewer, turning b does not pay
INNER_DEPTH = 2048  # of one pass of inner products
STREAM_DEPTH = 32  # of one pass where all of a's rows are one tile: whole lines of b then come from memory in order
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
    chunk: int = 1  # rows of a piece
    group: int = 1  # columns of a piece
    panel: int = 1  # columns of a tile
    block: int = 1  # depth of one pass
    parts: int = 1  # that the depth is cut into; each has an output of its own
    part: int = 1  # depth of one of them
    pack_a: bool = False
    pack_b: bool = False
    pieces: int = 0


RECORD = np.dtype([(name, np.int64) for name in Geometry._fields])


class Source(NamedTuple):
    """An operand that is not dense, as flat elements: copied, or a window on all memory from its first to its last."""

    copied: bool
    extent: int

    def elements(self, array):
        if self.copied:
            return np.array(array, order="C").ravel()
        window = as_strided(array, (self.extent,), (array.itemsize,))
        # A view that must not be written to is another type to the compiler, and not worth another kernel.
        return window if window.flags.writeable else window.copy()


class Plan(NamedTuple):
    kernel: tuple[str, bool]  # "broadcast", "inner" or "integers"; whether in parallel
    swapped: bool  # whether out.T = b.T @ a.T is computed
    a: Source | None  # None where the elements lie close together, in whatever order of dimensions
    b: Source | None
    pieces: int
    numbers: np.ndarray  # a Geometry
    levels: np.ndarray  # of the batch, the outermost first: size, stride in a, stride in b
    parts: int
    nothing: np.ndarray  # a bias of no elements


def _source(shape, strides, itemsize):
    """The way to an operand's elements, and the strides of its dimensions among them (0 for a size of 1)."""
    strides = tuple(0 if n == 1 else stride for n, stride in zip(shape, strides, strict=True))
    flat = tuple(stride // itemsize for stride in strides)
    expected = itemsize
    for stride, n in sorted((stride, n) for n, stride in zip(shape, strides, strict=True) if n > 1):
        if stride != expected:
            break
        expected *= n
    else:
        return None, flat
    size = prod(shape)
    regular = all(stride >= 0 and stride % itemsize == 0 for stride in strides)
    if size > SCRATCH and regular and 1 in flat[-2:]:
        return Source(False, 1 + sum((n - 1) * stride for n, stride in zip(shape, flat, strict=True))), flat
    lines = [prod(shape[i + 1 :]) for i in range(len(shape))]
    return Source(True, size), tuple(0 if n == 1 else line for n, line in zip(shape, lines, strict=True))


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


def _shares(count, unit, splits, most):
    """(Elements of a share, number of shares) for some ways to cut `count` elements into shares of whole units."""
    units = -(-count // unit)
    largest = max(1, most // unit)
    sizes = dict.fromkeys(min(largest, -(-units // n)) for n in splits)
    return [(size * unit, -(-units // size)) for size in sizes]


def _balanced(g, parts, rows_of_tile, most):
    """(Rows, columns) of a piece: the least estimated time on 2 and on 4 threads."""

    def time(choice):
        (chunk, chunks), (group, groups) = choice
        chunk, group = min(chunk, g.rows), min(group, g.columns)
        # What each piece does anew: bring or pack its part of b, for as long as a few rows take, and likewise of a.
        again = 1 + (8 if g.pack_b else 3) / chunk + (16 if g.pack_a else 2) / group
        pieces = g.batches * parts * chunks * groups
        share = chunk * group / (g.rows * g.columns * g.batches * parts)
        return sum(-(-pieces // threads) * share * threads for threads in (2, 4)) * again

    groups = _shares(g.columns, g.panel, SPLITS, most)
    (chunk, _), (group, _) = min(product(_shares(g.rows, rows_of_tile, SPLITS, g.rows), groups), key=time)
    return min(chunk, g.rows), min(group, g.columns)


def _in_pieces(geometry, rows_of_tile, most, parallel, splits_depth):
    """The geometry with the pieces that it is computed in; `most` is the number of columns that one may have."""
    g = geometry
    chunk, group = max(g.rows, 1), max(min(g.columns, most // g.panel * g.panel), 1)
    parts = 1
    if parallel:
        if splits_depth and g.batches * g.rows * g.columns <= MOST_OUTPUTS:
            parts = max(1, min(TASKS, g.depth // LEAST_PART))
        if parts * g.batches < TASKS:
            chunk, group = _balanced(g, parts, rows_of_tile, most)
    part = -(-g.depth // parts)
    if part > g.block:
        part = -(-part // g.block) * g.block
    parts = max(1, -(-g.depth // max(part, 1)))
    block = max(1, min(g.block, part))
    pieces = parts * g.batches * -(-g.rows // chunk) * -(-g.columns // group)
    return g._replace(chunk=chunk, group=group, block=block, part=part, parts=parts, pieces=pieces)


@lru_cache(4096)
def plan(a_shape, a_strides, b_shape, b_strides, kind):
    """The plan for out = a @ b, for arrays of these shapes and strides and dtype character `kind`."""
    dtype = np.dtype(kind)
    a, a_flat = _source(a_shape, a_strides, dtype.itemsize)
    b, b_flat = _source(b_shape, b_strides, dtype.itemsize)
    levels = _levels(a_shape[:-2], a_flat[:-2], b_shape[:-2], b_flat[:-2])
    (rows, depth), columns = a_shape[-2:], b_shape[-1]
    (a_row, a_column), (b_row, b_column) = a_flat[-2:], b_flat[-2:]
    swapped = columns == 1 and rows > 1
    if swapped:
        # A matrix by a vector is a vector by a matrix: the vectors of the kernels then run over many outputs.
        levels = [(size, b_stride, a_stride) for size, a_stride, b_stride in levels]
        rows, columns = columns, rows
        a_row, a_column, b_row, b_column = b_column, b_row, a_column, a_row
    elif levels and levels[-1][1:] == (rows * a_row, 0):
        # Many matrices by one are a tall matrix by one.
        rows *= levels.pop()[0]
    batches = prod(size for size, _, _ in levels)
    lanes = VECTOR_BYTES // dtype.itemsize
    geometry = Geometry(rows, depth, columns, batches, a_row, a_column, b_row, b_column)
    outputs = batches * rows * columns
    elements = batches * depth * (rows + columns) + outputs
    parallel = outputs > 0 and outputs * depth + ELEMENT_WORK * elements >= PARALLEL_WORK
    if dtype.kind != "f":
        kernel = "integers"
        geometry = geometry._replace(chunk=1, group=columns, part=depth, pieces=batches * rows)
    elif a_column == b_row == 1 and b_column != 1 and (rows <= INNER_ROWS or columns < lanes):
        # Both operands' lines run along the depth.
        kernel = "inner"
        geometry = geometry._replace(panel=inner_columns(lanes), block=INNER_DEPTH)
        geometry = _in_pieces(geometry, INNER_A, columns, parallel, True)
    else:
        kernel = "broadcast"
        vectors = max(1, -(-columns // lanes))
        panel = -(-vectors // -(-vectors // SPAN)) * lanes
        pack_a = a_column != 1 and depth > 1 and columns > 2 * panel
        pack_b = (b_column != 1 and columns > 1) or rows > IN_PLACE_ROWS
        streamed = rows <= ROWS and not pack_b
        geometry = geometry._replace(
            panel=panel, block=STREAM_DEPTH if streamed else DEPTH, pack_a=pack_a, pack_b=pack_b
        )
        geometry = _in_pieces(geometry, ROWS, columns if streamed else GROUP * panel, parallel, True)
    return Plan(
        (kernel, parallel), swapped, a, b, geometry.pieces, np.array([geometry], RECORD),
        np.array(levels, np.int64).reshape(-1, 3), geometry.parts, np.empty(0, dtype),
    )  # fmt: skip
