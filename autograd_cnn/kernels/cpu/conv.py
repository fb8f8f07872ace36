"""Convolution and its gradient for the input on the vector micro-kernel.

Images are packed with their padding into rows of one pitch, and split by stride: pixels that a stride reads one
after the other lie one after the other.  The pixels of a channel then form one line, in which output pixel q reads
tap (i, j) at q + a constant, whatever the kernel, stride or dilation; the vectors of the micro-kernel run along
that line, its rows over output channels.  The few pixels of the line that lie between two rows are computed and
left out when a tile is copied to its place.  The gradient for the input is the same loop with another table of
taps, once for every phase of the stride.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_forward, depthwise_grad_input, is_depthwise
from autograd_cnn.kernels.cpu.conv_plan import forward_plan, grad_input_plans, lifted
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    DEPTH,
    MAX_ROWS,
    SERIAL_WORK,
    VECTOR_BYTES,
    copy_line,
    multiply_add,
    tile_height,
    tile_vectors,
)

__all__ = ["conv_forward", "conv_grad_input"]


@inline
def _pack(source, packing, channels, image, count, channel, top, lines, packed):
    """Copy `count` images of `channels` channels into zeroed scratch.

    The first packed row is `top` rows above the image (below its first row, where negative).
    """
    step = packing.stride_x
    for c in range(channels):
        for n in range(count):
            plane = ((image + n) * packing.channels * packing.groups + channel + c) * packing.height * packing.width
            for phase_y in range(packing.stride_y):
                for phase_x in range(step):
                    phase = (c * packing.stride_y + phase_y) * step + phase_x
                    target = phase * packing.line + n * packing.lines * packing.pitch
                    shift = phase_x - packing.left
                    first = max(0, -(shift // step))
                    last = min(packing.pitch, (packing.width - 1 - shift) // step + 1)
                    for r in range(lines):
                        h = r * packing.stride_y + phase_y - top
                        if 0 <= h < packing.height:
                            start = plane + h * packing.width + shift
                            place = target + r * packing.pitch
                            if step == 1:
                                copy_line(last - first, source, start + first, packed, place + first, -0.0)
                            else:
                                for q in range(first, last):
                                    packed[place + q] = source[start + q * step]


@inline
def _place(tile, tile_pitch, height, packing, grid, bias, image, images, y, lines, channel, out):
    """Copy the pixels of a tile, and add the bias, to where they belong in out."""
    channels = grid.rows * packing.groups
    for t in range(height):
        added = bias[channel + t] if bias.size else tile.dtype.type(-0.0)
        for n in range(images):
            plane = ((image + n) * channels + channel + t) * grid.plane_height
            for r in range(lines):
                row = plane + grid.start_y + (y + r) * grid.step_y
                target = row * grid.plane_width + grid.start_x
                start = t * tile_pitch + (n * packing.lines + r) * packing.pitch
                if grid.step_x == 1:
                    copy_line(grid.width, tile, start, out, target, added)
                else:
                    for q in range(grid.width):
                        out[target + q * grid.step_x] = tile[start + q] + added


@serial
def _correlate_pieces(begin, end, source, weight, bias, a_offset, b_offset, packings, grids, out):
    """out[n, o, pixel] = bias[o] + the sum over k of weight[o, a_offset[k]] * packed[b_offset[k] + pixel]."""
    packing, grid = packings[0], grids[0]
    for piece in range(begin, end):
        chunks = (grid.rows + grid.chunk - 1) // grid.chunk
        strips = (grid.height + grid.strip - 1) // grid.strip
        rest, part = divmod(piece, chunks)
        rest, group = divmod(rest, packing.groups)
        block, strip = divmod(rest, strips)
        image = block * packing.block
        count = min(packing.block, packing.images - image)
        y = strip * grid.strip
        lines = min(grid.strip, grid.height - y)

        phases = packing.stride_y * packing.stride_x
        packed = np.zeros(packing.channels * phases * packing.line + packing.slack, out.dtype)
        top = packing.top - y * packing.stride_y
        _pack(
            source,
            packing,
            packing.channels,
            image,
            count,
            group * packing.channels,
            top,
            packing.lines,
            packed,
        )

        lanes = VECTOR_BYTES // out.itemsize
        image_size = packing.lines * packing.pitch
        together = count if grid.joined else 1
        run = (together - 1) * image_size + (lines - 1) * packing.pitch + grid.width
        tile_pitch = (run + lanes - 1) // lanes * lanes
        tile = np.empty(MAX_ROWS * tile_pitch, out.dtype)
        first = part * grid.chunk
        last = min(first + grid.chunk, grid.rows)
        for n in range(0, count, together):
            row = first
            while row < last:
                height = tile_height(last - row)
                base = group * grid.a_group + row * grid.a_lane
                q = 0
                while q < run:
                    vectors = tile_vectors(run - q, lanes)
                    for k in range(0, max(a_offset.size, 1), DEPTH):
                        multiply_add(
                            height, vectors, weight, base, a_offset, grid.a_lane,
                            packed, n * image_size + q, b_offset, k, min(DEPTH, a_offset.size - k),
                            tile, q, tile_pitch, k > 0,
                        )  # fmt: skip
                    q += vectors * lanes
                channel = group * grid.rows + row
                _place(tile, tile_pitch, height, packing, grid, bias, image + n, together, y, lines, channel, out)
                row += height


@parallel
def _correlate(pieces, source, weight, bias, a_offset, b_offset, packings, grids, out):
    for piece in prange(pieces):
        first = np.int64(piece)
        _correlate_pieces(first, first + 1, source, weight, bias, a_offset, b_offset, packings, grids, out)


def _elements(array):
    return np.ascontiguousarray(array).reshape(-1)


def _run_correlation(source, weight, bias, plan, out):
    pieces, work, *tables = plan
    if work < SERIAL_WORK:
        _correlate_pieces(0, pieces, source, weight, bias, *tables, out)
    else:
        _correlate(pieces, source, weight, bias, *tables, out)


def conv_forward(x, w, bias, stride, padding, dilation, groups, out):
    """out[n, o, y, x] = bias[o] + the sum over c, i, j of w[o, c, i, j] padded[n, c, y sh + i dh, x sw + j dw].

    x: (N, C, H, W), w: (O, C / groups, KH, KW), bias: (O,) or None, out: (N, O, OH, OW) contiguous; or any of them
    without H.  padding: (top, bottom, left, right).
    """
    if out.size == 0:
        return
    stride, padding, dilation, x, w, out = lifted(stride, padding, dilation, x, w, out)
    if is_depthwise(w.shape, stride, groups, out.shape[2:]):
        depthwise_forward(x, w, bias, stride, padding, dilation, out)
        return
    plan = forward_plan(x.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    elements = out.reshape(-1)
    bias = elements[:0] if bias is None else np.ascontiguousarray(bias)
    _run_correlation(_elements(x), _elements(w), bias, plan, elements)


def conv_grad_input(g, w, stride, padding, dilation, groups, out):
    """The gradient of convolution for its input, which is the transposed convolution of g.

    g: (N, O, OH, OW), w: (O, C / groups, KH, KW), out: (N, C, H, W) contiguous, of any size that g fits.
    """
    if out.size == 0:
        return
    stride, padding, dilation, g, w, out = lifted(stride, padding, dilation, g, w, out)
    if is_depthwise(w.shape, stride, groups, g.shape[2:]):
        depthwise_grad_input(g, w, stride, padding, dilation, out)
        return
    elements = out.reshape(-1)
    plans = grad_input_plans(g.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    g, w = _elements(g), _elements(w)
    for plan in plans:
        _run_correlation(g, w, elements[:0], plan, elements)
