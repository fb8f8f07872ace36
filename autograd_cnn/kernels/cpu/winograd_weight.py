"""The gradient of a 3 x 3 convolution for its weight, by Winograd's algorithm turned round.

Convolution by winograd.py is linear in the weight, so that its gradient is that same computation backwards:

    gw = G' (the sum over tiles of (A g A') * (B' d B)) G

For each of the sixteen components the sum over tiles is a product of two matrices, tiles by channels.  So here the
lanes of vectors are channels: pixels are turned from planes of channels to channels of pixels, and then transformed.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.alignment import aligned, scratch
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.transposition import turn
from autograd_cnn.kernels.cpu.winograd_tile import VECTORS
from autograd_cnn.kernels.cpu.winograd_weight_plan import TASKS, by_winograd_turned
from autograd_cnn.kernels.cpu.winograd_weight_tile import SUM_ROWS, accumulate, narrow_kernels, spread_line, widen_line


@inline
def _turn_rows(source, plane, channels, size, first, rows, height, width, before, columns, pitch, target):
    """target[row, before + x, channel] = source[channel, first + row, x], zeros where there is no such row."""
    lanes = VECTOR_BYTES // target.itemsize
    count = min(width, columns - before)
    for r in range(rows):
        if not 0 <= first + r < height:
            target[r * columns * pitch : (r + 1) * columns * pitch] = 0
    for c in range(0, pitch, lanes):  # a few channels at a time, so that each is read on and on
        for r in range(max(-first, 0), min(rows, height - first)):
            start, place = plane + c * size + (first + r) * width, (r * columns + before) * pitch + c
            turn(source, start, channels - c, size, count, lanes, target, place, pitch)


@inline
def _transform(g, x, s, first, count, k, rows, pixels, cotangents, tiles, spread):
    """The transforms of `count` lines of tiles from line `first` on, of all of x and `rows` channels of g."""
    lanes = VECTOR_BYTES // x.itemsize
    x_row, g_row = 2 * s.tile_columns + 2, 2 * s.tile_columns
    image, tile_row = divmod(first, s.tile_rows)
    line = 0
    while line < count:
        some = min(count - line, s.tile_rows - tile_row)
        _turn_rows(
            x, image * s.channels * s.height * s.width, s.channels, s.height * s.width, 2 * tile_row - s.top,
            2 * some + 2, s.height, s.width, s.left, x_row, s.pitch, pixels,
        )  # fmt: skip
        _turn_rows(
            g, (image * s.rows + k) * s.g_height * s.g_width, rows, s.g_height * s.g_width, 2 * tile_row,
            2 * some, s.g_height, s.g_width, 0, g_row, s.g_pitch, cotangents,
        )  # fmt: skip
        for i in range(some):
            place = (line + i) * s.tile_columns
            widen_line(
                s.tile_columns, s.pitch // lanes, pixels, 2 * i * x_row * s.pitch, x_row * s.pitch, s.pitch,
                tiles, place * s.pitch, s.plane,
            )  # fmt: skip
            spread_line(
                s.tile_columns, s.g_pitch // lanes, cotangents, 2 * i * g_row * s.g_pitch, g_row * s.g_pitch, s.g_pitch,
                spread, place * s.g_pitch, s.g_plane,
            )  # fmt: skip
        line += some
        image, tile_row = image + 1, 0


@serial
def _sum_tiles(begin, end, g, x, layout, partial):
    """partial[part, component, k, c] = the sum over the part's tiles of transforms of g times transforms of x."""
    s = layout[0]
    lanes = VECTOR_BYTES // x.itemsize
    most = s.lines * s.tile_columns
    pixels = scratch((2 * s.lines + 2) * (2 * s.tile_columns + 2) * s.pitch, x)
    cotangents = scratch(4 * most * s.g_pitch, x)
    pixels[:], cotangents[:] = 0, 0
    tiles, spread = scratch(16 * s.plane, x), scratch(16 * s.g_plane, x)
    vectors = s.pitch // lanes
    panels = (vectors + VECTORS - 1) // VECTORS
    for piece in range(begin, end):
        part, chunk = divmod(piece, s.chunks)
        k = chunk * s.chunk
        rows = min(s.chunk, s.rows - k)
        earliest, last = part * s.all_lines // s.parts, (part + 1) * s.all_lines // s.parts
        for first in range(earliest, last, s.lines):
            count = min(s.lines, last - first)
            _transform(g, x, s, first, count, k, rows, pixels, cotangents, tiles, spread)
            for component in range(16):
                place = ((part * 16 + component) * s.sum_rows + k) * s.pitch
                for panel in range(panels):
                    v = panel * vectors // panels
                    across = (panel + 1) * vectors // panels - v
                    for t in range(0, rows, SUM_ROWS):
                        accumulate(
                            across, count * s.tile_columns, spread, component * s.g_plane + t, s.g_pitch,
                            tiles, component * s.plane + v * lanes, s.pitch,
                            partial, place + t * s.pitch + v * lanes, s.pitch, first > earliest,
                        )  # fmt: skip


@serial
def _narrow_rows(begin, end, layout, partial, out, finite):
    """The weight's gradient of rows [begin, end), from the sums of all parts."""
    s = layout[0]
    lanes = VECTOR_BYTES // out.itemsize
    sums, taps = np.empty(16 * s.pitch, out.dtype), np.empty(9 * s.pitch, out.dtype)
    zero = np.empty(lanes, out.dtype)
    for row in range(begin, end):
        for component in range(16):
            total = sums[component * s.pitch : (component + 1) * s.pitch]
            for part in range(s.parts):
                start = ((part * 16 + component) * s.sum_rows + row) * s.pitch
                its = partial[start : start + s.pitch]
                if part == 0:
                    for c in range(s.pitch):
                        total[c] = its[c]
                else:
                    for c in range(s.pitch):
                        total[c] += its[c]
        for lane in range(lanes):
            zero[lane] = 0
        narrow_kernels(s.pitch // lanes, sums, s.pitch, taps, s.pitch, zero)
        finite[row] = zero.sum() == 0
        turn(taps, 0, 9, s.pitch, s.channels, 9, out, row * s.channels * 9, 9)


@parallel
def _grad_weight(kernels, pieces, narrowings, rows, g, x, layout, partial, out, finite):
    for piece in prange(pieces):
        first = np.int64(piece)
        call(kernels[0], (first, first + 1, g, x, layout, partial))
    for piece in prange(narrowings):
        first = piece * rows // narrowings
        call(kernels[1], (first, (piece + 1) * rows // narrowings, layout, partial, out, finite))


@lru_cache
def _code(dtype):
    layout = by_winograd_turned((1, 1, 2, 2), (1, 1, 2, 2), (1, 1), dtype.itemsize, None)[1].layout
    none = np.empty(0, dtype)
    return (
        address_of(_sum_tiles, 0, 0, none, none, layout, none),
        address_of(_narrow_rows, 0, 0, layout, none, none, np.empty(0, np.bool_)),
    )


def grad_weight(g, x, plan, out):
    """Flat arrays; whether the result is right, as it is where all of it is finite: see `winograd.convolve`."""
    partial, finite = aligned(plan.partial, out), np.empty(plan.rows, np.bool_)
    _grad_weight(
        _code(out.dtype), plan.pieces, min(plan.rows, TASKS), plan.rows, g, x, plan.layout, partial, out, finite
    )
    return finite.all()
