"""Convolution and its gradient for the input on the vector micro-kernel.

The source is packed so that what a vector of points of the result reads at one tap lies together: the vectors run
over images (conv_images_plan.py) or over the pixels of a line (conv_lines_plan.py), the rows of the micro-kernel
over channels of the result.  A piece of work is a strip of points and a chunk of rows; it adds up its sums block
of channels by block of channels, a tile of points after the other and all rows of the chunk within, so that the
tile's pixels are read from the L1 cache.  The gradient for the input is the same loop with other tables of taps.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.contraction import IDENTITY, RELU
from autograd_cnn.kernels.cpu.conv_choice import forward_plan, grad_input_plan
from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_forward, depthwise_grad_input, is_depthwise
from autograd_cnn.kernels.cpu.conv_moves import read_line, turn_lines, write_line
from autograd_cnn.kernels.cpu.conv_plan import lifted
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    MAX_VECTORS,
    SERIAL_WORK,
    VECTOR_BYTES,
    multiply_add,
    tile_height,
)

__all__ = ["conv_forward", "conv_grad_input"]

TURNED = 8  # vectors of an image that are turned before they are written


@inline
def _pack_images(source, s, lines, inward, block, channel, packed):
    """Turn the images of a block, a few channels of them, to [channel][pixel][image]."""
    lanes = VECTOR_BYTES // packed.itemsize
    channels = s.channels * s.groups
    elements = min(s.span, channels - channel) * s.source_plane
    for n in range(0, s.block, lanes):
        image = block * s.block + n
        count = min(lanes, s.images - image)
        start = (image * channels + channel) * s.source_plane
        place = (block * channels + channel) * s.b_channel + n
        for k in range(0, elements, lanes):
            turn_lines(count, min(lanes, elements - k), source, start + k, lines, 0, packed, place, inward, k)


@inline
def _pack_lines(source, s, inward, block, channel, packed):
    """Copy a channel of the images of a block, with the padding round them."""
    channels = s.channels * s.groups
    for n in range(s.block):
        image = block * s.block + n
        plane = (image * channels + channel) * s.source_plane
        target = (block * channels + channel) * s.b_channel + n * s.b_image
        for m in range(0, inward.size, 5):
            place, start, first, last = target + inward[m], plane + inward[m + 1], inward[m + 2], inward[m + 3]
            if image >= s.images:
                last = first
            if s.source_step <= 2:
                read_line(inward[m + 4], source, start, s.source_step, first, last, packed, place)
            else:
                for q in range(inward[m + 4]):
                    packed[place + q] = source[start + q * s.source_step] if first <= q < last else 0


@serial
def _pack_pieces(begin, end, source, layout, inward, packed):
    s = layout[0]
    channels = s.channels * s.groups
    spans = (channels + s.span - 1) // s.span
    lines = np.arange(VECTOR_BYTES // packed.itemsize) * (channels * s.source_plane)
    for piece in range(begin, end):
        block, span = divmod(piece, spans)
        if s.by_images:
            _pack_images(source, s, lines, inward, block, span * s.span, packed)
        else:
            _pack_lines(source, s, inward, block, span, packed)


@inline
def _place_images(sums, rows, s, outward, bias, low, block, channel, first, points, out):
    """Turn the sums of a piece, with the bias added, to their places in out."""
    lanes = VECTOR_BYTES // out.itemsize
    channels = s.rows * s.groups
    nothing = sums.dtype.type(-0.0)
    for t in range(rows if bias.size else 0):
        for q in range(t * s.sums, (t + 1) * s.sums):
            sums[q] += bias[channel + t]
    # By way of a buffer: the same line of many images falls into the same cache sets, and would be lost before it
    # is full.
    width = TURNED * lanes
    pitch = width + lanes
    turned = np.empty(lanes * pitch, out.dtype)
    lines = np.arange(lanes) * pitch
    for t in range(0, rows, s.result_span):
        elements = min(s.result_span, rows - t) * points
        for n in range(0, s.block, lanes):
            image = block * s.block + n
            count = min(lanes, s.images - image)
            for begin in range(0, elements if count > 0 else 0, width):
                length = min(width, elements - begin)
                for k in range(0, length, lanes):
                    turn_lines(
                        min(lanes, length - k), count, sums, t * s.sums + n, outward, begin + k, turned, k, lines, 0
                    )
                for j in range(count):
                    place = ((image + j) * channels + channel + t) * s.result_plane + first + begin
                    write_line(length, turned, j * pitch, out, place, 1, nothing, low)


@inline
def _place_lines(sums, rows, s, outward, bias, low, block, channel, first, last, out):
    """Copy the sums of a piece, with the bias added, to their places in out."""
    channels = s.rows * s.groups
    for t in range(rows):
        added = bias[channel + t] if bias.size else sums.dtype.type(-0.0)
        for n in range(min(s.block, s.images - block * s.block)):
            plane = ((block * s.block + n) * channels + channel + t) * s.result_plane
            line = t * s.sums + n * s.sums_image
            for m in range(3 * first, 3 * last, 3):
                start, place = line + outward[m], plane + outward[m + 1]
                if s.result_step <= 2:
                    write_line(outward[m + 2], sums, start, out, place, s.result_step, added, low)
                else:
                    for q in range(outward[m + 2]):
                        out[place + q * s.result_step] = max(sums[start + q] + added, low)


@serial
def _correlate_pieces(
    begin, end, packed, weight, bias, low, layout, a_offset, b_offset, runs, bounds, outward, out
):  # fmt: skip
    """out[n, o, point] = bias[o] + the sum over channels and taps of weight * source; at least `low`."""
    s = layout[0]
    lanes = VECTOR_BYTES // out.itemsize
    sums = np.empty(s.chunk * s.sums, out.dtype)
    for piece in range(begin, end):
        rest, strip = divmod(piece, s.strips)
        rest, part = divmod(rest, s.chunks)
        block, group = divmod(rest, s.groups)
        first = part * s.chunk
        rows = min(s.chunk, s.rows - first)
        a_base = group * s.a_group + first * s.a_lane
        b_base = (block * s.groups + group) * s.channels * s.b_channel
        for c in range(0, s.channels, s.depth):
            count = min(s.depth, s.channels - c)
            for run in range(bounds[strip, 0], bounds[strip + 1, 0]):
                b, place, length, table, taps = runs[run]
                left = (length + lanes - 1) // lanes
                while left > 0:
                    vectors = 2 if left == MAX_VECTORS + 1 else min(left, MAX_VECTORS)
                    row = 0
                    while row < rows:
                        height = tile_height(rows - row)
                        multiply_add(
                            height, vectors, weight, a_base + c * s.a_channel + row * s.a_lane, a_offset, s.a_lane,
                            packed, b_base + c * s.b_channel + b, b_offset, table, count * taps,
                            sums, row * s.sums + place, s.sums, c > 0,
                        )  # fmt: skip
                        row += height
                    b += vectors * lanes
                    place += vectors * lanes
                    left -= vectors
        channel = group * s.rows + first
        if s.by_images:
            _place_images(
                sums, rows, s, outward, bias, low, block, channel, bounds[strip, 2], bounds[strip, 3], out
            )  # fmt: skip
        else:
            _place_lines(
                sums, rows, s, outward, bias, low, block, channel, bounds[strip, 1], bounds[strip + 1, 1], out
            )  # fmt: skip


@parallel
def _correlate(
    packs, pieces, source, packed, weight, bias, low, layout, a_offset, b_offset, runs, bounds, inward, outward, out
):  # fmt: skip
    for piece in prange(packs):
        first = np.int64(piece)
        _pack_pieces(first, first + 1, source, layout, inward, packed)
    for piece in prange(pieces):
        first = np.int64(piece)
        _correlate_pieces(
            first, first + 1, packed, weight, bias, low, layout, a_offset, b_offset, runs, bounds, outward, out
        )  # fmt: skip


def _elements(array):
    return np.ascontiguousarray(array).reshape(-1)


def _run(source, weight, bias, plan, activation, out):
    source, weight, out = _elements(source), _elements(weight), out.reshape(-1)
    bias = out[:0] if bias is None else np.ascontiguousarray(bias)
    low = out.dtype.type(0 if activation == RELU else -np.inf)
    packed = source
    if plan.packed:
        packed = np.empty(plan.packed, out.dtype)
        packed[plan.packed - plan.tail :] = 0
    layout, a_offset, b_offset, runs, bounds, inward, outward = plan.tables
    tables = layout, a_offset, b_offset, runs, bounds
    if plan.work < SERIAL_WORK:
        _pack_pieces(0, plan.packs, source, layout, inward, packed)
        _correlate_pieces(0, plan.pieces, packed, weight, bias, low, *tables, outward, out)
    else:
        _correlate(plan.packs, plan.pieces, source, packed, weight, bias, low, *tables, inward, outward, out)


def conv_forward(x, w, bias, stride, padding, dilation, groups, out, activation=IDENTITY):
    """out[n, o, y, x] = bias[o] + the sum over c, i, j of w[o, c, i, j] padded[n, c, y sh + i dh, x sw + j dw].

    x: (N, C, H, W), w: (O, C / groups, KH, KW), bias: (O,) or None, out: (N, O, OH, OW) contiguous, or all of them
    with one axis or three in place of the two.  padding: (top, bottom, left, right).  activation: IDENTITY or RELU.
    """
    if out.size == 0:
        return
    if groups > 1 and activation == IDENTITY and len(stride) < 3:
        strides, sides, dilations, images, kernels, result = lifted(stride, padding, dilation, x, w, out)
        if is_depthwise(kernels.shape, strides, groups, result.shape[2:]):
            depthwise_forward(images, kernels, bias, strides, sides, dilations, result)
            return
    plan = forward_plan(x.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    _run(x, w, bias, plan, activation, out)


def conv_grad_input(g, w, stride, padding, dilation, groups, out):
    """The gradient of convolution for its input, which is the transposed convolution of g.

    g: (N, O, OH, OW), w: (O, C / groups, KH, KW), out: (N, C, H, W) contiguous, of any size that g fits.
    """
    if out.size == 0:
        return
    if groups > 1 and len(stride) < 3:
        strides, sides, dilations, cotangent, kernels, result = lifted(stride, padding, dilation, g, w, out)
        if is_depthwise(kernels.shape, strides, groups, cotangent.shape[2:]):
            depthwise_grad_input(cotangent, kernels, strides, sides, dilations, result)
            return
    plan = grad_input_plan(g.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    _run(g, w, None, plan, IDENTITY, out)
