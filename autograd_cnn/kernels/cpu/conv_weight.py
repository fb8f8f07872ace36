"""The gradients of convolution for its weight and its bias.

The gradient for the weight takes inner products of lines of pixels, packed as in conv.py.
"""

from math import prod

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.conv_depthwise import depthwise_grad_weight, is_depthwise
from autograd_cnn.kernels.cpu.conv_plan import lifted
from autograd_cnn.kernels.cpu.conv_weight_plan import grad_weight_plan
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.microkernel import (
    INNER_A,
    INNER_B,
    INNER_TILE,
    SERIAL_WORK,
    SUM_LINE,
    copy_line,
    inner_products,
    sum_line,
)

__all__ = ["conv_grad_weight", "sum_channels"]


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


@serial
def _grad_weight_pieces(begin, end, g, x, offset, taps, schemes, g_packings, packings, partial):
    """partial[part, group, rows, columns, tap] += a tile of inner products over the images of the part."""
    scheme, g_packing, packing = schemes[0], g_packings[0], packings[0]
    for piece in range(begin, end):
        rest, split = divmod(piece, (g_packing.channels + scheme.chunk - 1) // scheme.chunk)
        part, group = divmod(rest, packing.groups)
        first = split * scheme.chunk
        rows = min(scheme.chunk, g_packing.channels - first)
        channels = packing.channels
        phases = packing.stride_y * packing.stride_x
        packed = np.zeros((channels + INNER_B) * phases * packing.line + packing.slack, g.dtype)
        cotangent = np.zeros((rows + INNER_A) * g_packing.line, g.dtype)
        columns = (channels + INNER_B - 1) // INNER_B if scheme.over_channels else channels
        step = INNER_B if scheme.over_channels else 1
        corner = (part * packing.groups + group) * scheme.rows // INNER_A * columns * taps.size * INNER_TILE
        for unit in range(part * scheme.units, min((part + 1) * scheme.units, scheme.total)):
            block, strip = divmod(unit, scheme.strips)
            image = block * packing.block
            count = min(packing.block, packing.images - image)
            y = strip * scheme.strip
            lines = min(scheme.strip, g_packing.height - y)
            packed[:] = 0
            cotangent[:] = 0
            top = packing.top - y * packing.stride_y
            _pack(x, packing, channels, image, count, group * channels, top, packing.lines, packed)
            _pack(g, g_packing, rows, image, count, group * g_packing.channels + first, -y, lines, cotangent)
            place = corner + first // INNER_A * columns * taps.size * INNER_TILE
            for row in range(0, rows, INNER_A):
                for column in range(columns):
                    base = column * step * phases * packing.line
                    for tap in range(taps.size):
                        inner_products(
                            cotangent, row * g_packing.line, g_packing.line,
                            packed, base + taps[tap], scheme.lane, offset, 0, offset.size, partial, place,
                        )  # fmt: skip
                        place += INNER_TILE


@parallel
def _grad_weight(pieces, g, x, offset, taps, schemes, g_packings, packings, partial):
    for piece in prange(pieces):
        first = np.int64(piece)
        _grad_weight_pieces(first, first + 1, g, x, offset, taps, schemes, g_packings, packings, partial)


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
    plan = grad_weight_plan(g.shape, x.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    tiles, gather, pieces, work, *tables = plan
    partial = np.zeros(tiles, out.dtype)
    arrays = _elements(g), _elements(x), *tables, partial.reshape(-1)
    if work < SERIAL_WORK:
        _grad_weight_pieces(0, pieces, *arrays)
    else:
        _grad_weight(pieces, *arrays)
    partial.sum(axis=0).take(gather, out=out.reshape(-1))


def sum_channels(g, out):
    """out[o] = the sum of g[n, o, y, x] over n, y and x, in float64: the gradient of convolution for its bias.

    g: (N, O, ...), out: (O,) contiguous.
    """
    arguments = _elements(g), g.shape[0], prod(g.shape[2:]), out
    if g.size < SERIAL_WORK:
        _sum_channels_serial(0, out.size, *arguments)
    else:
        _sum_channels(*arguments)
