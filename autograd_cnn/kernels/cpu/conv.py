"""Convolution and its gradient for the input.

Depthwise kernels have code of their own (conv_depthwise.py); 1 x 1 kernels that stay on their pixel are matrix products
(conv_product.py); 3 x 3 kernels at stride 1 go by Winograd's algorithm where that is faster (winograd.py).  What
follows is the way of all others, on the vector micro-kernel.

The source is packed so that what a vector of points of the result reads at one tap lies together: the vectors run
over images (conv_images_plan.py) or over the pixels of a line (conv_lines_plan.py), the rows of the micro-kernel
over channels of the result.  A piece of work is a strip of points and a chunk of rows; it adds up its sums block
of channels by block of channels, a tile of points after the other and all rows of the chunk within, so that the
tile's pixels are read from the L1 cache.  Where other pieces hardly need its pixels, a piece packs them itself, a
block of channels at a time, and they never leave the L2 cache.  The gradient for the input is the same loop with
other tables of taps.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.activation import relu
from autograd_cnn.kernels.cpu.alignment import aligned, scratch
from autograd_cnn.kernels.cpu.contraction import IDENTITY, RELU
from autograd_cnn.kernels.cpu.conv_choice import forward_plan, grad_input_plan
from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_forward, depthwise_grad_input, is_depthwise
from autograd_cnn.kernels.cpu.conv_moves import ask_tile, read_line, turn_lines, write_line
from autograd_cnn.kernels.cpu.conv_plan import lifted
from autograd_cnn.kernels.cpu.conv_product import ProductPlan, multiply
from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    LOW_ROWS,
    MAX_VECTORS,
    MID_ROWS,
    SERIAL_WORK,
    VECTOR_BYTES,
    multiply_add,
    tile_height,
)
from autograd_cnn.kernels.cpu.shared_code import address_of, call
from autograd_cnn.kernels.cpu.winograd import convolve
from autograd_cnn.kernels.cpu.winograd_plan import WinogradPlan

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
def _pack_lines(source, s, inward, begin, end, block, channel, packed, place):
    """Copy a channel of the images of a block, with the padding round them: lines [begin, end) of `inward`."""
    for n in range(s.block):
        image = block * s.block + n
        plane = (image * s.channels * s.groups + channel) * s.source_plane
        for m in range(5 * begin, 5 * end, 5):
            target, start = place + n * s.b_image + inward[m], plane + inward[m + 1]
            first, last = inward[m + 2], inward[m + 3]
            if image >= s.images:
                last = first
            if s.source_step <= 2:
                read_line(inward[m + 4], source, start, s.source_step, first, last, packed, target)
            else:
                for q in range(inward[m + 4]):
                    packed[target + q] = source[start + q * s.source_step] if first <= q < last else 0


@inline
def _turn_weight(weight, s, row, turned):
    """turned[group, row, channel, taps - 1 - tap] = weight[group, channel, row, tap], for one row of all."""
    group, row = divmod(row, s.rows)
    for c in range(s.channels):
        start = ((group * s.channels + c) * s.rows + row) * s.taps
        place = ((group * s.rows + row) * s.channels + c) * s.taps
        for tap in range(s.taps):
            turned[place + s.taps - 1 - tap] = weight[start + tap]


@serial
def _pack_pieces(begin, end, packs, source, weight, layout, inward, packed, turned):
    """The first `packs` pieces are of the source, and each of the others is a row of the weight."""
    s = layout[0]
    channels = s.channels * s.groups
    spans = (channels + s.span - 1) // s.span
    lines = np.arange(VECTOR_BYTES // packed.itemsize) * (channels * s.source_plane)
    for piece in range(begin, end):
        if piece >= packs:
            _turn_weight(weight, s, piece - packs, turned)
            continue
        block, span = divmod(piece, spans)
        if s.by_images:
            _pack_images(source, s, lines, inward, block, span * s.span, packed)
        else:
            place = (block * channels + span) * s.b_channel
            _pack_lines(source, s, inward, 0, inward.size // 5, block, span, packed, place)


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


@inline
def _height(remaining):
    """Rows of the next tile.  Two tiles of middle height take less time than a high and a low one."""
    if 2 * MID_ROWS <= remaining < 2 * MID_ROWS + LOW_ROWS:
        return MID_ROWS
    return tile_height(remaining)


@serial
def _correlate_pieces(
    begin, end, source, packed, weight, bias, low, layout, a_offset, b_offset, runs, bounds, inward, outward, out
):  # fmt: skip
    """out[n, o, point] = bias[o] + the sum over channels and taps of weight * source; at least `low`."""
    s = layout[0]
    lanes = VECTOR_BYTES // out.itemsize
    sums = scratch(s.chunk * s.sums, out)
    own = scratch(s.own, out)
    own[s.depth * s.b_channel :] = 0
    pixels = own if s.own else packed
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
            b_start = b_base + c * s.b_channel
            if s.own:
                b_start = 0
                for channel in range(count):
                    _pack_lines(
                        source, s, inward, bounds[strip, 2], bounds[strip, 3], block, group * s.channels + c + channel,
                        own, channel * s.b_channel,
                    )  # fmt: skip
            for run in range(bounds[strip, 0], bounds[strip + 1, 0]):
                b, place, length, table, taps = runs[run]
                left = (length + lanes - 1) // lanes
                while left > 0:
                    vectors = 2 if left == MAX_VECTORS + 1 else min(left, MAX_VECTORS)
                    row = 0
                    while row < rows:
                        height = _height(rows - row)
                        if not s.by_images:
                            ask_tile(height, sums, row * s.sums + place, s.sums)
                        multiply_add(
                            height, vectors, weight, a_base + c * s.a_channel + row * s.a_lane, a_offset, s.a_lane,
                            pixels, b_start + b, b_offset, table, count * taps,
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
    kernels, packs, turns, pieces, source, packed, weight, turned, bias, low, layout, a_offset, b_offset, runs, bounds,
    inward, outward, out,
):  # fmt: skip
    if packs + turns > 0:
        for piece in prange(packs + turns):
            first = np.int64(piece)
            call(kernels[0], (first, first + 1, packs, source, weight, layout, inward, packed, turned))
    if turns:
        weight = turned
    for piece in prange(pieces):
        first = np.int64(piece)
        call(
            kernels[1],
            (first, first + 1, source, packed, weight, bias, low, layout, a_offset, b_offset, runs, bounds, inward,
             outward, out),
        )  # fmt: skip


@lru_cache
def _code(dtype):
    """The addresses of the two kernels."""
    layout, a_offset, b_offset, runs, bounds, inward, outward = forward_plan(
        (1, 1, 2, 2), (1, 1, 2, 2), (1, 1, 1, 1), (1, 1), (0,) * 4, (1, 1), 1, dtype.itemsize
    ).tables
    none = np.empty(0, dtype)
    low = dtype.type(0)
    tables = layout, a_offset, b_offset, runs, bounds, inward, outward
    return (
        address_of(_pack_pieces, 0, 0, 0, none, none, layout, inward, none, none),
        address_of(_correlate_pieces, 0, 0, none, none, none, none, low, *tables, none),
    )


def _run(source, weight, bias, plan, activation, out):
    source, weight, out = contiguous(source).reshape(-1), contiguous(weight).reshape(-1), out.reshape(-1)
    if isinstance(plan, ProductPlan):
        multiply(source, weight, bias, plan, activation, out)
        return
    bias = out[:0] if bias is None else np.ascontiguousarray(bias)
    low = out.dtype.type(0 if activation == RELU else -np.inf)
    if isinstance(plan, WinogradPlan):
        if convolve(source, weight, bias, plan, low, out):
            return
        plan = plan.instead
    packed = out[:0]
    if plan.packed:
        packed = aligned(plan.packed, out)
        packed[plan.packed - plan.tail :] = 0
    turned = np.empty(weight.size if plan.turns else 0, out.dtype)
    inward = plan.tables[5]
    if plan.work < SERIAL_WORK:
        if plan.packs + plan.turns:
            _pack_pieces(0, plan.packs + plan.turns, plan.packs, source, weight, plan.tables[0], inward, packed, turned)
            weight = turned if plan.turns else weight
        _correlate_pieces(0, plan.pieces, source, packed, weight, bias, low, *plan.tables, out)
    else:
        pieces = plan.packs, plan.turns, plan.pieces
        _correlate(_code(out.dtype), *pieces, source, packed, weight, turned, bias, low, *plan.tables, out)


def conv_forward(x, w, bias, stride, padding, dilation, groups, out, activation=IDENTITY):
    """out[n, o, y, x] = bias[o] + the sum over c, i, j of w[o, c, i, j] padded[n, c, y sh + i dh, x sw + j dw].

    x: (N, C, H, W), w: (O, C / groups, KH, KW), bias: (O,) or None, out: (N, O, OH, OW) contiguous, or all of them
    with one axis or three in place of the two.  padding: (top, bottom, left, right).  activation: IDENTITY or RELU.
    """
    if out.size == 0:
        return
    if w.size == 0:  # no channels to sum over
        out[...] = 0 if bias is None else bias.reshape(-1, *(1,) * len(stride))
        if activation == RELU:
            relu(out, out)
        return
    if groups > 1 and len(stride) < 3:
        strides, sides, dilations, images, kernels, result = lifted(stride, padding, dilation, x, w, out)
        if is_depthwise(kernels.shape, strides, groups, result.shape[2:]):
            depthwise_forward(images, kernels, bias, strides, sides, dilations, result)
            if activation == RELU:
                relu(result, result)
            return
    plan = forward_plan(x.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    _run(x, w, bias, plan, activation, out)


def conv_grad_input(g, w, stride, padding, dilation, groups, out):
    """The gradient of convolution for its input, which is the transposed convolution of g.

    g: (N, O, OH, OW), w: (O, C / groups, KH, KW), out: (N, C, H, W) contiguous, of any size that g fits.
    """
    if out.size == 0:
        return
    if w.size == 0 or g.size == 0:
        out[...] = 0
        return
    if groups > 1 and len(stride) < 3:
        strides, sides, dilations, cotangent, kernels, result = lifted(stride, padding, dilation, g, w, out)
        if is_depthwise(kernels.shape, strides, groups, cotangent.shape[2:]):
            depthwise_grad_input(cotangent, kernels, strides, sides, dilations, result)
            return
    plan = grad_input_plan(g.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    _run(g, w, None, plan, IDENTITY, out)
