"""The gradients of convolution for its weight and its bias.

The gradient for the weight is a sum of outer products over the pixels of g: for each tap

    sums[c, tap, o] += x[c, pixel + shift(tap)] * g[o, pixel]

x is read where it lies, at the pixels that the tap meets inside the image: nothing is padded and nothing is
multiplied by padding.  g is turned, a block of pixels at a time, so that the vectors run over its channels.  Where x
has few channels, the whole window of x that a pixel of g meets is laid out in one line, with its padding:

    sums[o, window] += g[o, pixel] * windows[pixel, window]        g is read where it lies
    sums[window, o] += windows[pixel, window] * turned[pixel, o]

whichever of the three is estimated to be the fastest; or, for 3 x 3 kernels at stride 1, Winograd's way
(winograd_weight.py).
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.conv_choice import grad_weight_plan
from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_grad_weight, is_depthwise
from autograd_cnn.kernels.cpu.conv_plan import lifted
from autograd_cnn.kernels.cpu.conv_weight_plan import TASKS
from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    MAX_ROWS,
    MAX_VECTORS,
    SERIAL_WORK,
    VECTOR_BYTES,
    multiply_add,
    sum_lines,
    tile_height,
)
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.transposition import transpose_lines, turn
from autograd_cnn.kernels.cpu.winograd_weight import grad_weight
from autograd_cnn.kernels.cpu.winograd_weight_plan import WeightPlan

__all__ = ["conv_grad_weight", "sum_channels"]

LONG_LINE = 80  # pixels of a channel from which it is summed alone
RUN = 256  # elements at least of channels that are summed together


@inline
def _lay_windows(source, start, lines, row, rows, first, span, s, starts, packed, place):
    """packed[r, q, c, i] = source[c, line (row + r, i), first + q], and zeros outside the image.

    The window of x that an output reads is then `kernel_width` neighbouring lines of (c, i).
    """
    lanes = VECTOR_BYTES // packed.itemsize
    pitch = s.channels * s.lines
    for r in range(rows):
        for c in range(s.channels):
            for i in range(s.lines):
                line = lines[row + r, i]
                starts[c * s.lines + i] = start + c * s.x_plane + line if line >= 0 else -1
        for q in range(0, span, lanes):
            write = place + (r * span + q) * pitch
            low, high = -first - q, min(span, s.x_width - first) - q
            for line in range(0, pitch, lanes):
                transpose_lines(
                    source, starts, line, first + q, low, high, span - q, pitch - line, packed, write + line, pitch
                )


@inline
def _chunk(piece, row_chunks, s):
    """(group, first row, rows, first vector, vectors) of a piece of the result."""
    rest, chunk = divmod(piece, row_chunks)
    group, panel = divmod(rest, s.column_chunks)
    row = chunk * s.row_tiles // row_chunks * MAX_ROWS
    end = min((chunk + 1) * s.row_tiles // row_chunks * MAX_ROWS, s.rows)
    vector = panel * s.vectors // s.column_chunks
    vectors = (panel + 1) * s.vectors // s.column_chunks - vector
    return group, row, end - row, vector, vectors


@inline
def _finish(sums, group, row, rows, first, width, s, out):
    """Bring the sums of a piece to their place in out."""
    size = s.channels * s.lines * s.kernel_width
    if not s.laid:  # [channel, tap, output]
        start = (group * s.outputs + first) * size + row * s.taps
        turn(sums, 0, rows * s.taps, width, min(width, s.outputs - first), rows * s.taps, out, start, size)
        return
    lines = s.channels * s.lines
    outputs = min(width, s.outputs - first) if s.turned else rows
    for w in range(min(rows, size - row) if s.turned else size):
        column, line = divmod(row + w if s.turned else w, lines)
        for o in range(outputs):
            output = group * s.outputs + (first if s.turned else row) + o
            place = w * width + o if s.turned else o * width + w
            out[output * size + line * s.kernel_width + column] = sums[place]


@inline
def _pack(g, x, block, group, vector, width, s, line_starts, starts, strip, packed):
    """A block of pixels as the tiles read it: the turned channels of g, the windows of x, or both."""
    lanes = VECTOR_BYTES // packed.itemsize
    _, _, pixel, pixels = strip
    line, column = divmod(pixel, s.g_width)
    rows = (pixels + s.g_width - 1) // s.g_width
    span = (min(s.g_width, pixels) - 1) * s.step + s.kernel_width
    first = vector * lanes
    pitch = MAX_VECTORS * lanes
    for n in range(min(s.block, s.images - block * s.block)):
        image = (block * s.block + n) * s.groups + group
        if s.laid:
            place = s.windows + n * rows * span * s.channels * s.lines
            _lay_windows(
                x, image * s.channels * s.x_plane, line_starts, line, rows, column * s.step - s.before, span, s,
                starts, packed, place,
            )  # fmt: skip
        if s.turned:
            start = (image * s.outputs + first) * s.g_plane + pixel
            outputs = min(width, s.outputs - first)
            turn(g, start, outputs, s.g_plane, pixels, width, packed, n * pixels * pitch, pitch)


@inline
def _multiply(vectors, rows, a, start, a_offset, b, b_offset, bounds, table, s, sums, place, accumulate):
    """sums[row, tap, column] (+)= the sums over a block of a's rows times b's columns."""
    lanes = VECTOR_BYTES // sums.itemsize
    width = vectors * lanes
    panels = (vectors + MAX_VECTORS - 1) // MAX_VECTORS
    for panel in range(panels):
        left = panel * vectors // panels
        across = (panel + 1) * vectors // panels - left
        t = 0
        while t < rows:
            height = tile_height(rows - t)
            for tap in range(s.taps):
                k = bounds[table * s.taps + tap]
                multiply_add(
                    height, across, a, start + t * s.row_plane, a_offset, s.row_plane,
                    b, left * lanes, b_offset, k, bounds[table * s.taps + tap + 1] - k,
                    sums, place + (t * s.taps + tap) * width + left * lanes, s.taps * width, accumulate,
                )  # fmt: skip
            t += height


@serial
def _grad_weight_pieces(
    begin, end, adding, g, x, a_offset, b_offset, bounds, strips, line_starts, schemes, partial, out
):
    """Pieces of the result.  Where sums are made in parts, first pieces of these, and then, `adding`, their sums."""
    s = schemes[0]
    lanes = VECTOR_BYTES // out.itemsize
    packed = np.zeros(0 if adding else s.packed, out.dtype)
    starts = np.full(s.channels * s.lines + lanes, -1)
    row_chunks = s.adding_chunks if adding else s.row_chunks
    chunks = s.groups * s.column_chunks * row_chunks
    units = (s.images + s.block - 1) // s.block * s.strips
    size = s.rows * s.vectors * s.taps * lanes  # of a group's sums
    for piece in range(begin, end):
        part, rest = divmod(piece, chunks)
        group, row, rows, vector, vectors = _chunk(rest, row_chunks, s)
        width = vectors * lanes
        place = group * size + (vector * s.rows + row * vectors) * s.taps * lanes
        own = np.empty(rows * s.taps * width if adding or s.parts == 1 else 0, out.dtype)
        if adding:
            own[:] = 0
            for p in range(s.parts):
                start = p * s.groups * size + place
                its = partial[start : start + own.size]
                for k in range(own.size):
                    own[k] += its[k]
        else:
            sums, place = (own, 0) if s.parts == 1 else (partial, part * s.groups * size + place)
            earliest = part * units // s.parts
            for unit in range(earliest, (part + 1) * units // s.parts):
                block, within = divmod(unit, s.strips)
                strip = strips[within if (block + 1) * s.block <= s.images else s.strips]
                _pack(g, x, block, group, vector, width, s, line_starts, starts, strip, packed)
                table, start, _, _ = strip
                start += row * s.row_plane
                a = packed
                if not (s.laid and s.turned):
                    a = g if s.laid else x
                    start += (block * s.block * s.groups + group) * s.rows * s.row_plane
                _multiply(
                    vectors, rows, a, start, a_offset, packed, b_offset, bounds, table, s, sums, place, unit > earliest
                )
        if own.size:
            _finish(own, group, row, rows, vector * lanes, width, s, out)


@parallel
def _in_parallel(pieces, kernel, adding, g, x, a_offset, b_offset, bounds, strips, line_starts, schemes, partial, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        call(
            kernel,
            (first, first + 1, adding, g, x, a_offset, b_offset, bounds, strips, line_starts, schemes, partial, out),
        )


@serial
def _sum_channels_pieces(begin, end, g, images, pixels, together, out):
    """Sum long channels one by one; of `together` short ones, first the images pixel by pixel, then the pixels."""
    sums = np.empty(together * pixels if together > 1 else 0, np.float64)
    for piece in range(begin, end):
        channel = piece * together
        if together == 1:
            out[channel] = sum_lines(g, channel * pixels, images, out.size * pixels, pixels)
            continue
        channels = min(together, out.size - channel)
        sums[:] = 0
        for n in range(images):
            start = (n * out.size + channel) * pixels
            run = g[start : start + channels * pixels]
            for q in range(run.size):
                sums[q] += run[q]
        for c in range(channels):
            if pixels > 8:
                out[channel + c] = sum_lines(sums, c * pixels, 1, 0, pixels)
            else:
                total = 0.0
                for q in range(c * pixels, (c + 1) * pixels):
                    total += sums[q]
                out[channel + c] = total


@parallel
def _sum_channels(pieces, g, images, pixels, together, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        _sum_channels_pieces(first, first + 1, g, images, pixels, together, out)


@lru_cache
def _code(dtype):
    tables = grad_weight_plan(
        (1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (0,) * 4, (1, 1), 1, dtype.itemsize
    ).tables
    none = np.empty(0, dtype)
    return address_of(_grad_weight_pieces, 0, 0, 0, none, none, *tables, none, none)


def conv_grad_weight(g, x, stride, padding, dilation, groups, out):
    """The gradient of convolution for its weight.

    g: (N, O, OH, OW), x: (N, C, H, W), out: (O, C / groups, KH, KW) contiguous; one, two or three spatial axes.
    padding: (before, after) of each axis, the first axis first.
    """
    if out.size == 0:
        return
    if g.size == 0:
        out[...] = 0
        return
    if len(stride) < 3:
        stride, padding, dilation, g, x, out = lifted(stride, padding, dilation, g, x, out)
        if is_depthwise(out.shape, stride, groups, g.shape[2:]):
            depthwise_grad_weight(g, x, stride, padding, dilation, out)
            return
    plan = grad_weight_plan(g.shape, x.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    g, x, out = contiguous(g).reshape(-1), contiguous(x).reshape(-1), out.reshape(-1)
    if isinstance(plan, WeightPlan):
        if grad_weight(g, x, plan, out):
            return
        plan = plan.instead
    arrays = g, x, *plan.tables, np.empty(plan.partial, out.dtype), out
    for adding, pieces in enumerate(plan.pieces):
        if plan.parallel:
            _in_parallel(pieces, _code(out.dtype), adding, *arrays)
        else:
            _grad_weight_pieces(0, pieces, adding, *arrays)


def sum_channels(g, out):
    """out[o] = the sum of g[n, o, y, x] over n, y and x, in float64: the gradient of convolution for its bias.

    g: (N, O, ...), out: (O,) contiguous.
    """
    pixels = g.size // max(g.shape[0] * out.size, 1)
    # Runs of memory long enough to be read fast, and short enough that their sums stay in the L1 cache.
    together = 1 if pixels >= LONG_LINE else max(-(-out.size // TASKS), RUN // max(pixels, 1))
    pieces = -(-out.size // together)
    arguments = contiguous(g).reshape(-1), g.shape[0], pixels, together, out
    if g.size < SERIAL_WORK:
        _sum_channels_pieces(0, pieces, *arguments)
    else:
        _sum_channels(pieces, *arguments)
