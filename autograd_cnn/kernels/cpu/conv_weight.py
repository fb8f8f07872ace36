"""The gradients of convolution for its weight and its bias.

The gradient for the weight is a sum of outer products over the pixels of g: for each tap

    sums[c, tap, o] += x[c, pixel + shift(tap)] * g[o, pixel]

x is read where it lies, at the pixels that the tap meets inside the image: nothing is padded and nothing is
multiplied by padding.  g is turned, a block of pixels at a time, so that the vectors run over its channels.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_grad_weight, is_depthwise
from autograd_cnn.kernels.cpu.conv_plan import lifted
from autograd_cnn.kernels.cpu.conv_weight_plan import grad_weight_plan
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    MAX_ROWS,
    MAX_VECTORS,
    SERIAL_WORK,
    SUM_LINE,
    VECTOR_BYTES,
    multiply_add,
    sum_line,
    tile_height,
    transpose_block,
    transpose_part,
)

__all__ = ["conv_grad_weight", "sum_channels"]


@inline
def _turn(source, start, rows, source_pitch, columns, width, target, place, target_pitch):
    """target[k, j] = source[j, k] for `rows` rows and `columns` columns, and zeros for j from `rows` to `width`."""
    lanes = VECTOR_BYTES // target.itemsize
    for j in range(0, width, lanes):
        for k in range(0, columns, lanes):
            read = start + j * source_pitch + k
            write = place + k * target_pitch + j
            if rows - j >= lanes and columns - k >= lanes:
                transpose_block(source, read, source_pitch, target, write, target_pitch)
            else:
                stored = min(width - j, lanes)
                transpose_part(source, read, source_pitch, rows - j, columns - k, stored, target, write, target_pitch)


@inline
def _chunk(piece, s):
    """(group, first channel, channels, first vector, vectors) of a piece of the result."""
    rest, chunk = divmod(piece, s.channel_chunks)
    group, panel = divmod(rest, s.output_chunks)
    channel = chunk * s.channel_tiles // s.channel_chunks * MAX_ROWS
    end = min((chunk + 1) * s.channel_tiles // s.channel_chunks * MAX_ROWS, s.channels)
    vector = panel * s.output_vectors // s.output_chunks
    vectors = (panel + 1) * s.output_vectors // s.output_chunks - vector
    return group, channel, end - channel, vector, vectors


@inline
def _finish(sums, place, group, channel, channels, first, width, s, out):
    """Turn the sums [channel, tap, output] of a piece into its part of out."""
    start = ((group * s.outputs + first) * s.channels + channel) * s.taps
    outputs = min(width, s.outputs - first)
    _turn(sums, place, channels * s.taps, width, outputs, channels * s.taps, out, start, s.channels * s.taps)


@serial
def _grad_weight_pieces(begin, end, g, x, a_offset, b_offset, bounds, strips, schemes, partial, out):
    """Pieces of the sums: a chunk of the result, over the blocks of one part."""
    s = schemes[0]
    lanes = VECTOR_BYTES // out.itemsize
    turned = np.empty(s.pixels * MAX_VECTORS * lanes, out.dtype)
    chunks = s.groups * s.output_chunks * s.channel_chunks
    units = (s.images + s.block - 1) // s.block * s.strips
    for piece in range(begin, end):
        part, rest = divmod(piece, chunks)
        group, channel, channels, vector, vectors = _chunk(rest, s)
        width = vectors * lanes
        outputs = min(width, s.outputs - vector * lanes)
        if s.parts > 1:
            sums = partial
            whole = s.channels * s.taps * s.output_vectors * lanes
            place = (part * s.groups + group) * whole + (vector * s.channels + channel * vectors) * s.taps * lanes
        else:
            sums = np.empty(channels * s.taps * width, out.dtype)
            place = 0
        for unit in range(part * units // s.parts, (part + 1) * units // s.parts):
            block, strip = divmod(unit, s.strips)
            image = block * s.block
            count = min(s.block, s.images - image)
            table, x_start, pixel, pixels = strips[strip if count == s.block else s.strips]
            for n in range(count):
                start = (((image + n) * s.groups + group) * s.outputs + vector * lanes) * s.g_plane + pixel
                _turn(
                    g,
                    start,
                    outputs,
                    s.g_plane,
                    pixels,
                    width,
                    turned,
                    n * pixels * MAX_VECTORS * lanes,
                    MAX_VECTORS * lanes,
                )
            x_start += ((image * s.groups + group) * s.channels + channel) * s.x_plane
            row = 0
            while row < channels:
                height = tile_height(channels - row)
                for tap in range(s.taps):
                    first = bounds[table * s.taps + tap]
                    multiply_add(
                        height, vectors, x, x_start + row * s.x_plane, a_offset, s.x_plane, turned, 0, b_offset,
                        first, bounds[table * s.taps + tap + 1] - first,
                        sums, place + (row * s.taps + tap) * width, s.taps * width, unit > part * units // s.parts,
                    )  # fmt: skip
                row += height
        if s.parts == 1:
            _finish(sums, place, group, channel, channels, vector * lanes, width, s, out)


@parallel
def _grad_weight(pieces, g, x, a_offset, b_offset, bounds, strips, schemes, partial, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        _grad_weight_pieces(first, first + 1, g, x, a_offset, b_offset, bounds, strips, schemes, partial, out)


@serial
def _add_parts_pieces(begin, end, partial, schemes, out):
    """out = the sums of all parts, one after the other."""
    s = schemes[0]
    lanes = VECTOR_BYTES // out.itemsize
    whole = s.groups * s.channels * s.taps * s.output_vectors * lanes
    for piece in range(begin, end):
        group, channel, channels, vector, vectors = _chunk(piece, s)
        width = vectors * lanes
        size = channels * s.taps * width
        place = group * s.channels * s.taps * s.output_vectors * lanes
        place += (vector * s.channels + channel * vectors) * s.taps * lanes
        for part in range(1, s.parts):
            for k in range(size):
                partial[place + k] += partial[place + part * whole + k]
        _finish(partial, place, group, channel, channels, vector * lanes, width, s, out)


@parallel
def _add_parts(pieces, partial, schemes, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        _add_parts_pieces(first, first + 1, partial, schemes, out)


@serial
def _sum_channels_serial(first, last, g, images, pixels, out):
    steps = pixels // SUM_LINE
    for channel in range(first, last):
        total = 0.0
        for n in range(images):
            start = (n * out.size + channel) * pixels
            total += sum_line(g, start, steps)
            for q in range(start + steps * SUM_LINE, start + pixels):
                total += g[q]
        out[channel] = total


@parallel
def _sum_channels(g, images, pixels, out):
    for channel in prange(out.size):
        first = np.int64(channel)
        _sum_channels_serial(first, first + 1, g, images, pixels, out)


def _elements(array):
    return np.ascontiguousarray(array).reshape(-1)


def conv_grad_weight(g, x, stride, padding, dilation, groups, out):
    """The gradient of convolution for its weight.

    g: (N, O, OH, OW), x: (N, C, H, W), out: (O, C / groups, KH, KW) contiguous.
    """
    if out.size == 0:
        return
    if g.size == 0:
        out[...] = 0
        return
    stride, padding, dilation, g, x, out = lifted(stride, padding, dilation, g, x, out)
    if is_depthwise(out.shape, stride, groups, g.shape[2:]):
        depthwise_grad_weight(g, x, stride, padding, dilation, out)
        return
    large, chunks, parts, partial, tables = grad_weight_plan(
        g.shape, x.shape, out.shape, stride, padding, dilation, groups, out.itemsize
    )
    elements = out.reshape(-1)
    partial = np.empty(partial, out.dtype)
    arrays = _elements(g), _elements(x), *tables, partial, elements
    if large:
        _grad_weight(parts * chunks, *arrays)
    else:
        _grad_weight_pieces(0, parts * chunks, *arrays)
    if parts > 1:
        if large:
            _add_parts(chunks, partial, tables[-1], elements)
        else:
            _add_parts_pieces(0, chunks, partial, tables[-1], elements)


def sum_channels(g, out):
    """out[o] = the sum of g[n, o, y, x] over n, y and x, in float64: the gradient of convolution for its bias.

    g: (N, O, ...), out: (O,) contiguous.
    """
    pixels = g.size // max(g.shape[0] * out.size, 1)
    arguments = _elements(g), g.shape[0], pixels, out
    if g.size < SERIAL_WORK:
        _sum_channels_serial(0, out.size, *arguments)
    else:
        _sum_channels(*arguments)
