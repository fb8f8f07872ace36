"""How Winograd's gradient for the weight is cut up (winograd_weight.py)."""

from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.conv_axis import ceil_div
from autograd_cnn.kernels.cpu.conv_plan import record
from autograd_cnn.kernels.cpu.conv_weight_plan import Plan
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.winograd_weight_tile import SUM_ROWS

TILES_BYTES = 3 << 18  # of a block's transforms, so that most of them stay in the L2 cache
LEAST_TILES = 48  # of a block: with fewer, sums are fetched and put back too often
TASKS = 8  # pieces that the work is cut into
PARTIAL_BYTES = 1 << 24  # of all sums
PART_TILES = 128  # of a part
CHUNK = 128  # channels of the gradient at most in a piece

# Cycles, measured: a vector of channels of a tile transformed, of x and of g; the taps of a kernel written.
WIDENING, SPREADING, NARROWING = 30, 24, 40
STARTING = 10000  # two parallel loops
DOUBT = 1.1  # where both take about as long, the definition is the simpler way


class Layout(NamedTuple):
    """The numbers that the kernels need."""

    channels: int
    rows: int  # channels of the gradient
    height: int
    width: int
    g_height: int
    g_width: int
    top: int  # padding
    left: int
    tile_rows: int  # lines of tiles of an image
    tile_columns: int
    lines: int  # lines of tiles of a block
    all_lines: int
    parts: int  # that all lines are shared among: each has sums of its own
    chunk: int  # channels of the gradient of a piece
    chunks: int
    pitch: int  # channels of x, up to whole vectors
    g_pitch: int  # of the chunk
    sum_rows: int  # all chunks, up to whole steps of the sums
    plane: int  # elements between components
    g_plane: int


class WeightPlan(NamedTuple):
    pieces: int
    rows: int
    partial: int  # elements of all sums
    layout: np.ndarray
    instead: Plan  # where a pixel or a sum is not finite


def by_winograd_turned(g_shape, x_shape, padding, itemsize, instead):
    """(estimate of the time, WeightPlan)."""
    images, channels, height, width = x_shape
    rows, g_height, g_width = g_shape[1:]
    lanes = VECTOR_BYTES // itemsize
    tile_rows, tile_columns = ceil_div(g_height, 2), ceil_div(g_width, 2)
    all_lines = images * tile_rows
    pitch = ceil_div(channels, lanes) * lanes
    everything = all_lines * tile_columns
    most = min(TASKS, all_lines, everything // PART_TILES, PARTIAL_BYTES // (16 * rows * pitch * itemsize))
    parts = max(most, 1)
    chunks = max(ceil_div(TASKS, parts) if rows >= CHUNK else 1, ceil_div(rows, CHUNK))
    chunk = ceil_div(ceil_div(rows, chunks), SUM_ROWS) * SUM_ROWS
    chunks = ceil_div(rows, chunk)
    sums = 16 * chunks * chunk * pitch
    g_pitch = ceil_div(chunk, lanes) * lanes
    tiles = max(TILES_BYTES // (16 * itemsize * (pitch + g_pitch)), LEAST_TILES)
    share = ceil_div(all_lines, parts)
    lines = ceil_div(share, ceil_div(share * tile_columns, max(tiles, tile_columns)))
    tiles = lines * tile_columns
    layout = Layout(
        channels, rows, height, width, g_height, g_width, *padding, tile_rows, tile_columns, lines, all_lines,
        parts, chunk, chunks, pitch, g_pitch, chunks * chunk, tiles * pitch + lanes, tiles * g_pitch + lanes,
    )  # fmt: skip
    cost = everything * (sums / lanes / 2 + pitch / lanes * chunks * WIDENING + g_pitch * chunks / lanes * SPREADING)
    cost += rows * channels * (NARROWING + parts) + ceil_div(everything, tiles) * sums / lanes * 2 + STARTING
    return cost * DOUBT, WeightPlan(parts * chunks, rows, parts * sums, record(layout), instead)
