"""How a convolution by Winograd's algorithm is cut up (winograd.py)."""

from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.conv_axis import ceil_div
from autograd_cnn.kernels.cpu.conv_plan import Plan, record
from autograd_cnn.kernels.cpu.winograd_tile import ROWS, VECTORS

TILES_SIZE = 1 << 13  # vectors of a block's transformed tiles: they stay in the L2 cache
MOST_TILES = 16  # vectors of tiles of a block: the rows of one channel stay in the L1 cache
TOGETHER = 32  # channels of the result whose sums are kept until they are narrowed

# Cycles, measured: a vector of tiles in one channel transformed, and brought back; a vector of a row read, and
# written; a kernel transformed; what a product takes besides its multiplications.
WIDENING, NARROWING, READING, WRITING, TURNING, PRODUCT = 45, 35, 25, 20, 12, 20
STARTING = 10000  # two parallel loops
FEW = 1, 1.8, 1.2  # time a vector of a product takes of one vector and of two: sums wait for each other
NEAR, FETCHING = 1 << 17, 3  # transformed weights that stay in the L2 cache; fetching a vector of them from further off
DOUBT = 1.1  # where both take about as long, the definition is the simpler way


class Layout(NamedTuple):
    """The numbers that the kernels need."""

    channels: int
    rows: int  # channels of the result
    height: int  # of the source
    width: int
    top: int  # padding
    left: int
    out_height: int
    out_width: int
    tile_rows: int  # lines of tiles of an image
    tile_columns: int
    lines: int  # lines of tiles of a block
    all_lines: int
    pitch: int  # elements between planes of a block
    weight_pitch: int  # channels, up to whole vectors
    a_row: int  # distances in the weight
    a_channel: int
    a_first: int  # of a kernel's elements
    a_tap: int


class WinogradPlan(NamedTuple):
    turns: int  # pieces of the weight's transform
    pieces: int
    weights: int  # elements of the transformed weight
    layout: np.ndarray
    instead: Plan  # where a pixel or a sum is not finite


def applies(problem):
    """Whether these are kernels of 3 x 3 that move by one pixel."""
    deep, *plane = problem.axes
    return (
        problem.groups == 1
        and (deep.size, deep.points, deep.kernel, deep.before) == (1, 1, 1, 0)
        and all((axis.kernel, axis.stride, axis.dilation) == (3, 1, 1) for axis in plane)
    )


def block_lines(lines, columns, channels, weights, lanes):
    """Lines of tiles of a block: as few lanes lie idle as can be, in blocks that the caches hold."""
    most = min(max(TILES_SIZE // (16 * channels), VECTORS), MOST_TILES) * lanes

    def cycles(count):
        blocks, vectors = ceil_div(lines, count), ceil_div(count * columns, lanes)
        whole, rest = divmod(vectors, VECTORS)
        vectors = whole * VECTORS + rest * FEW[rest] + (weights > NEAR)  # they are fetched anew for each block
        return vectors * (blocks + blocks % 2)  # two threads get as many blocks each

    choices = {count: cycles(count) for count in range(1, max(most // columns, 1) + 1)}
    return max(count for count, cost in choices.items() if cost <= 1.03 * min(choices.values()))


def by_winograd(problem, instead):
    """(estimate of the time, WinogradPlan)."""
    _, y, x = problem.axes
    channels, rows, lanes = problem.channels, problem.rows, problem.lanes
    # The gradient for the input is a convolution with the kernels turned round.
    top, left = (2 - axis.before if axis.transposed else axis.before for axis in (y, x))
    weight = (9, 9 * rows, 8, -1) if x.transposed else (9 * channels, 9, 0, 1)
    tile_rows, tile_columns = ceil_div(y.points, 2), ceil_div(x.points, 2)
    all_lines = problem.images * tile_rows
    turns = ceil_div(rows, ROWS)
    weight_pitch = ceil_div(channels, lanes) * lanes
    weights = 16 * turns * ROWS * weight_pitch
    lines = block_lines(all_lines, tile_columns, channels, weights, lanes)
    tiles = lines * tile_columns
    pitch = ceil_div(tiles, VECTORS * lanes) * VECTORS * lanes + lanes
    layout = Layout(
        channels, rows, y.size, x.size, top, left, y.points, x.points, tile_rows, tile_columns, lines, all_lines,
        pitch, weight_pitch, *weight,
    )  # fmt: skip
    pieces = ceil_div(all_lines, lines)
    plan = WinogradPlan(turns, pieces, weights, record(layout), instead)

    blocks = pieces + pieces % 2  # as two threads see it
    vectors = blocks * ceil_div(tiles, lanes)
    products = 16 * turns * blocks * ceil_div(tiles, VECTORS * lanes)
    across = ceil_div(tile_columns, lanes) * 2 * all_lines
    cost = 16 * vectors * turns * ROWS * channels / 2 + products * PRODUCT + rows * channels * TURNING + STARTING
    cost += vectors * (channels * WIDENING + rows * NARROWING) + across * (channels * READING + rows * WRITING)
    if weights > NEAR:
        cost += blocks * weights / lanes * FETCHING
    return cost * DOUBT, plan
