"""Convolution of 3 x 3 kernels at stride 1 by Winograd's minimal filtering.

    y = A' ((G w G') * (B' d B)) A                                   for a tile of 2 x 2 pixels of the result

d are the 4 x 4 pixels that the tile needs.  The product in the middle is one of components, so that the sum over
channels is a matrix product for each of the sixteen: 16 multiplications a tile where the definition takes 36.
(S. Winograd, 1980; A. Lavin & S. Gray, 2016, https://arxiv.org/abs/1509.09308: F(2 x 2, 3 x 3).)

A piece of work is a block of tiles.  They are numbered along the lines of tiles of one image after the other, and
vectors run over those numbers, whatever the width of an image.  All that lies between the image and the result,
transformed tiles and their sums for some channels of the result, stays in the L2 cache.

Rounding: sums run over 16 channels at a time, so that among numbers of like size the error is below that of the
definition summed in one go (`python -m benchmarks.rounding conv`).  But it is relative to the largest number that a
tile meets: where the kernel has zeros, as in masked convolution, a huge pixel leaves traces that the definition does
not know.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.alignment import aligned, scratch
from autograd_cnn.kernels.cpu.conv_axis import Axis
from autograd_cnn.kernels.cpu.conv_plan import Correlation
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.transposition import turn
from autograd_cnn.kernels.cpu.winograd_plan import TOGETHER, by_winograd
from autograd_cnn.kernels.cpu.winograd_tile import (
    ROWS,
    VECTORS,
    multiply,
    narrow_tiles,
    weave_rows,
    widen_kernels,
    widen_rows,
    widen_tiles,
)


@serial
def _widen_weights(begin, end, weight, layout, widened):
    """widened[component, piece, channel, row] = G w G', of ROWS rows a piece."""
    s = layout[0]
    lanes = VECTOR_BYTES // weight.itemsize
    pieces = (s.rows + ROWS - 1) // ROWS
    taps = np.zeros(ROWS * 9 * s.weight_pitch, weight.dtype)
    for piece in range(begin, end):
        for t in range(min(ROWS, s.rows - piece * ROWS)):
            start, place = (piece * ROWS + t) * s.a_row, t * 9 * s.weight_pitch
            turn(weight, start, s.channels, s.a_channel, 9, s.weight_pitch, taps, place, s.weight_pitch)
        widen_kernels(
            s.weight_pitch // lanes, taps, s.a_first * s.weight_pitch, s.a_tap * s.weight_pitch, 9 * s.weight_pitch,
            widened, piece * s.weight_pitch * ROWS, pieces * s.weight_pitch * ROWS,
        )  # fmt: skip


@inline
def _widen_channel(x, s, first, count, channel, zeros, rows, tiles, place, panel_pitch, plane):
    """The transforms of a block's tiles in one channel: panels of tiles, `panel_pitch` apart."""
    lanes = VECTOR_BYTES // x.itemsize
    image, tile_row = divmod(first, s.tile_rows)
    line = 0
    while line < count:
        some = min(count - line, s.tile_rows - tile_row)
        widen_rows(
            s.tile_columns, 2 * some + 2, x, (image * s.channels + channel) * s.height * s.width,
            2 * tile_row - s.top, s.height, s.width, s.left, s.height * s.width, zeros,
            rows, line * s.tile_columns, s.pitch,
        )  # fmt: skip
        line += some
        image, tile_row = image + 1, 0
    vectors = (count * s.tile_columns + lanes - 1) // lanes
    for v in range(0, vectors, VECTORS):
        widen_tiles(min(VECTORS, vectors - v), rows, v * lanes, s.pitch, tiles, place, plane)
        place += panel_pitch


@serial
def _convolve_blocks(begin, end, x, weights, bias, low, layout, out, finite):
    s = layout[0]
    lanes = VECTOR_BYTES // out.itemsize
    panel = VECTORS * lanes
    width = s.pitch - lanes
    plane = s.channels * width + lanes  # so that the components of a tile fall into different cache sets
    turns = (s.rows + ROWS - 1) // ROWS
    group = min(TOGETHER, turns * ROWS)
    zeros = np.zeros(s.width, out.dtype)
    rows, tiles = scratch(16 * s.pitch, out), scratch(16 * plane, out)
    rows[:] = 0
    sums_plane = group * width + lanes
    sums = scratch(16 * sums_plane, out)
    pixels = scratch(4 * s.pitch, out)
    zero = np.empty(lanes, out.dtype)  # zero times every result
    for piece in range(begin, end):
        zero[:] = 0
        first = piece * s.lines
        count = min(s.lines, s.all_lines - first)
        vectors = (count * s.tile_columns + lanes - 1) // lanes
        for c in range(s.channels):
            _widen_channel(x, s, first, count, c, zeros, rows, tiles, c * panel, s.channels * panel, plane)
        for k in range(0, s.rows, group):
            height = min(group, s.rows - k)
            for component in range(16):
                for v in range(0, vectors, VECTORS):
                    for t in range(0, height, ROWS):
                        multiply(
                            min(VECTORS, vectors - v), s.channels,
                            weights, (component * turns + (k + t) // ROWS) * s.weight_pitch * ROWS,
                            tiles, component * plane + v * lanes * s.channels, panel,
                            sums, component * sums_plane + t * width + v * lanes, width,
                        )  # fmt: skip
            for t in range(height):
                added = bias[k + t] if bias.size else out.dtype.type(-0.0)
                narrow_tiles(vectors, sums, t * width, sums_plane, pixels, s.pitch)
                image, tile_row = divmod(first, s.tile_rows)
                line = 0
                while line < count:
                    some = min(count - line, s.tile_rows - tile_row)
                    place = (image * s.rows + k + t) * s.out_height + 2 * tile_row
                    weave_rows(
                        s.tile_columns, min(2 * some, s.out_height - 2 * tile_row), pixels, line * s.tile_columns,
                        s.pitch, out, place * s.out_width, s.out_width, s.out_height * s.out_width, added, low, zero,
                    )  # fmt: skip
                    line += some
                    image, tile_row = image + 1, 0
        finite[piece] = zero.sum() == 0


@parallel
def _convolve(kernels, turns, pieces, x, weight, weights, bias, low, layout, out, finite):
    for piece in prange(turns):
        first = np.int64(piece)
        call(kernels[0], (first, first + 1, weight, layout, weights))
    for piece in prange(pieces):
        first = np.int64(piece)
        call(kernels[1], (first, first + 1, x, weights, bias, low, layout, out, finite))


@lru_cache
def _code(dtype):
    """The addresses of the two kernels."""
    line, plane = Axis(1, 1, 1, 0, 1, 1, False), Axis(2, 2, 3, 1, 1, 1, False)
    layout = by_winograd(Correlation(1, 1, 1, 1, (line, plane, plane), 0, 0, 0, False, 4), None)[1].layout
    none = np.empty(0, dtype)
    return (
        address_of(_widen_weights, 0, 0, none, layout, none),
        address_of(_convolve_blocks, 0, 0, none, none, none, dtype.type(0), layout, none, np.empty(0, np.bool_)),
    )


def convolve(source, weight, bias, plan, low, out):
    """Flat arrays, `bias` may be empty; whether the result is right, as it is where all of it is finite.

    Transforms of large numbers may overflow, and a difference of infinities is NaN where the definition has infinity.
    """
    weights = aligned(plan.weights, out)
    finite = np.empty(plan.pieces, np.bool_)
    _convolve(
        _code(out.dtype), plan.turns, plan.pieces, source, weight, weights, bias, low, plan.layout, out, finite
    )  # fmt: skip
    return finite.all()
