"""Recurrent networks: how a whole sequence is walked through, and the product with the hidden weights at each step.

What does not depend on the state, the inputs' part of the gates, is one matrix product for all steps (contraction.py).
What remains of a step is a product of the states with the hidden weights and a pass over the gates that it completes.
The weights are packed once for all steps, in the order in which the product reads them.  Samples do not know of each
other, so every thread walks through the whole sequence with samples of its own and waits for nobody.  Only where the
weights do not fit into a core's cache the threads share out the hidden units instead, and meet after each step.

A `Walk` says in which order steps are taken, and, of packed sequences, which samples each step has: its rows in the
arrays of all steps.  Sums are over tiles that depend on shapes alone: the same bits for every number of threads.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, prange

from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.alignment import aligned
from autograd_cnn.kernels.cpu.contraction_plan import PARALLEL_WORK
from autograd_cnn.kernels.cpu.contraction_tile import ROWS, SPAN, broadcast_tile, copy_lines
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.transposition import turn

DEPTH = 128  # steps of a sum in one pass: so many lines of a panel stay in the L1 cache
CACHED = 3 << 18  # bytes of weights that stay in a core's L2 cache
START, SIZE, NEXT, CARRIED = range(4)  # columns of a walk's table
PLACES = 10  # arrays that a kernel may have

NUMBERS = ("samples", "rows", "units", "groups", "depth", "width", "panels", "tiles", "product", "turned", "rectified")
RECORD = np.dtype([(name, np.int64) for name in NUMBERS])


class Walk:
    """The steps of a batch of sequences, in the order in which they are taken.

    `table`  for each: its first row, how many rows it has, the first row of the step after it, how many go on there
    `first`  the row of each sample's first step
    """

    __slots__ = ("first", "rows", "samples", "steps", "table")

    def __init__(self, sizes, reverse):
        sizes = np.asarray(sizes, np.int64)
        starts = np.cumsum(sizes) - sizes
        self.steps, self.samples, self.rows = len(sizes), int(sizes.max(initial=0)), int(sizes.sum())
        if reverse:
            sizes, starts = sizes[::-1], starts[::-1]
        self.table = np.zeros((self.steps, 4), np.int64)
        self.table[:, START], self.table[:, SIZE] = starts, sizes
        self.table[:-1, NEXT], self.table[:-1, CARRIED] = starts[1:], np.minimum(sizes[:-1], sizes[1:])
        self.first = np.empty(self.samples, np.int64)
        seen = 0
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            if size > seen:
                self.first[seen:size] = np.arange(start + seen, start + size)
                seen = size


@lru_cache(256)
def walk(sizes, reverse):
    """The Walk of sequences of which `sizes[t]` have a step t, the longest ones first; or from the last step on."""
    return Walk(sizes, reverse)


class Plan(NamedTuple):
    parallel: bool
    by_units: bool
    tiles: int
    panels: int
    packed: int  # elements of the weights, packed
    numbers: np.ndarray  # a RECORD
    like: np.ndarray


@lru_cache(256)
def plan(steps, samples, rows, units, groups, depth, turned, rectified, kind, whole=False):
    """The Plan for states (samples, depth) times weights (depth, groups * units), at each step of a walk.

    Where all units of a sample are needed before its next step begins, a task has the `whole` of them.
    """
    like = np.zeros(1, kind)
    lanes = VECTOR_BYTES // like.itemsize
    vectors = -(-units // lanes)
    width = -(-vectors // -(-vectors // SPAN)) * lanes
    panels = -(-units // width)
    # As many tiles as can be shared out evenly, of about as many rows.
    tiles = -(-samples // ROWS)
    even = 4 if tiles >= 4 else 2 if samples >= 8 else 1
    tiles = -(-tiles // even) * even
    weights = groups * units * depth
    by_units = weights * like.itemsize > CACHED and panels > 1 and not whole
    numbers = np.zeros(1, RECORD)
    numbers[0] = (samples, rows, units, groups, depth, width, panels, tiles, _product_address(kind), turned, rectified)
    large = steps > 0 and (by_units or (rows * weights >= PARALLEL_WORK and tiles > 1))
    return Plan(large, by_units, tiles, panels, groups * panels * depth * width, numbers, like)


@lru_cache(2)
def _product_address(kind):
    like, numbers = np.zeros(1, kind), np.zeros(1, RECORD)
    return address_of(_product, 0, 0, 0, 0, 0, 0, 0, 0, like, 0, like, like, 0, 0, numbers, like)


@serial
def _product(
    step, rows, tile, last_tile, panel, last_panel, group, last_group, source, start, weights, target, place, pitch,
    plans, like,
):  # fmt: skip
    """target[row, j] += source[row] @ weights[:, j] for some tiles of rows below `rows`, and some panels of columns."""
    p = plans[0]
    least = like.dtype.type(-np.inf)
    panels = last_panel - panel
    count = (last_group - group) * panels
    for n in range(count):
        # Every other step begins with the panels that the one before ended with, as they may still be in the cache.
        g, q = divmod(count - 1 - n if step & 1 else n, panels)
        q += panel
        width = min(p.width, p.units - q * p.width)
        column = place + g * p.units + q * p.width
        for k in range(0, p.depth, DEPTH):
            packed = (((group + g) * p.panels + q) * p.depth + k) * p.width
            for t in range(tile, last_tile):
                row = t * p.samples // p.tiles
                height = min((t + 1) * p.samples // p.tiles, rows) - row
                if height > 0:
                    c = column + row * pitch
                    broadcast_tile(
                        height, width, source, start + row * p.depth + k, p.depth, 1, weights, packed, p.width,
                        min(DEPTH, p.depth - k), target, c, pitch, least, target, c, pitch,
                    )  # fmt: skip


@inline
def product(
    step, rows, tile, last_tile, panel, last_panel, group, last_group, source, start, weights, target, place, pitch,
    plans, like,
):  # fmt: skip
    """`_product` by its address: compiled into each of its callers it would cost seconds."""
    call(
        plans[0].product,
        (
            step, rows, tile, last_tile, panel, last_panel, group, last_group, source, start, weights, target, place,
            pitch, plans, like,
        ),
    )  # fmt: skip


@inline
def share(p, tile, last_tile, panel, last_panel, size):
    """The rows of some tiles, of those below `size`, and the units of some panels."""
    row, last_row = tile * p.samples // p.tiles, min(last_tile * p.samples // p.tiles, size)
    return row, last_row, panel * p.width, min(last_panel * p.width, p.units)


@serial
def _pack(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    """Some panels of the weights: packed[panel, k, j].

    The weights are (groups * units, depth), and turned, or (depth, units).
    """
    p = plans[0]
    size = p.groups * p.units * p.depth
    weight = part_of(arrays[0], 0, size, like)
    packed = part_of(arrays[1], 0, p.groups * p.panels * p.depth * p.width, like)
    for g in range(p.groups * (last - first)):
        for q in range(panel, last_panel):
            place, column = (g * p.panels + q) * p.depth * p.width, q * p.width
            width = min(p.width, p.units - column)
            if p.turned:
                start = (g * p.units + column) * p.depth
                turn(weight, start, width, p.depth, p.depth, p.width, packed, place, p.width)
            else:
                copy_lines(p.depth, width, weight, column, p.units, packed, place, p.width)


@parallel
def _in_parallel(kernel, tasks, by_units, steps, stride, tiles, panels, plans, table, arrays, like):
    """A kernel, given by its address, for `stride` steps at a time: each task has some tiles, or some panels."""
    for first in range(0, steps, stride):
        for index in prange(tasks):
            task = np.int64(index)
            tile, last_tile, panel, last_panel = 0, tiles, 0, panels
            if by_units:
                panel, last_panel = task * panels // tasks, (task + 1) * panels // tasks
            else:
                tile, last_tile = task * tiles // tasks, (task + 1) * tiles // tasks
            call(kernel, (first, first + stride, tile, last_tile, panel, last_panel, plans, table, arrays, like))


def _places(arrays):
    return *map(id, arrays), *(0,) * (PLACES - len(arrays))


_ADDRESSES = {}
_ONCE = np.zeros((1, 4), np.int64)  # the table of a single step


def _address(kernel, like):
    """The address of a kernel's code; it is asked for no step."""
    key = kernel, like.dtype.char
    if key not in _ADDRESSES:
        some = _places([like] * PLACES)
        numbers, table = np.zeros(1, RECORD), np.zeros((0, 4), np.int64)
        _ADDRESSES[key] = address_of(kernel, 0, 0, 0, 0, 0, 0, numbers, table, some, like)
    return _ADDRESSES[key]


def run(kernel, p, table, arrays, by_tiles=True):
    """All steps of the table by a kernel over contiguous arrays of one dtype, as the plan shares them out."""
    places, steps = _places(arrays), len(table)
    if p.by_units or (p.parallel and by_tiles):
        tasks = min(get_num_threads(), p.panels if p.by_units else p.tiles)
        stride = 1 if p.by_units else steps
        code = _address(kernel, p.like)
        _in_parallel(code, tasks, p.by_units, steps, stride, p.tiles, p.panels, p.numbers, table, places, p.like)
    else:
        kernel(0, steps, 0, p.tiles, 0, p.panels, p.numbers, table, places, p.like)


def packed(weight, p):
    """The weights in the order in which the product reads them."""
    result = aligned(p.packed, p.like)
    run(_pack, p, _ONCE, (np.ascontiguousarray(weight), result), by_tiles=False)
    return result
