"""Two-dimensional convolution and its gradients on the vector micro-kernel.

Images are packed with their padding into rows of one pitch, and split by stride: pixels that a stride reads one after
the other lie one after the other.  The pixels of a channel then form one line in which output pixel q reads tap (i, j) at
q + a constant, whatever the kernel, stride or dilation; the vectors of the micro-kernel run along that line, its rows over
output channels.  The few pixels of the line that lie between two rows are computed and left out when a tile is copied
to its place.  The gradient for the input is the same loop with another table of taps, once for every phase of the stride.
"""

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import inline, parallel
from autograd_cnn.kernels.cpu.microkernel import (
    INNER_A,
    INNER_B,
    INNER_TILE,
    MAX_ROWS,
    MAX_VECTORS,
    SUM_LINE,
    VECTOR_BYTES,
    copy_line,
    inner_products,
    multiply_add,
    sum_line,
    tile_height,
    tile_vectors,
)

__all__ = ["conv2d_forward", "conv2d_grad_input", "conv2d_grad_weight", "sum_channels"]

PIXELS = 1024  # of a channel in one packed block: the block stays in the L2 cache
TASKS = 16  # pieces that a large problem is cut into, whatever the number of threads
SERIAL_WORK = 1 << 17  # multiplications below which threads cost more than they bring
PARTIAL_SIZE = 1 << 22  # elements of the partial sums of a weight's gradient


class Axis(NamedTuple):
    """One spatial axis of a correlation: grid point y reads, for each tap, phase `phase` at y + `shift`.

    Phase p holds, at position r, the source's element r * stride + p - before.
    """

    size: int  # of the source
    grid: int  # points computed
    before: int  # padding before the source; negative where the source's first elements are not read
    stride: int
    taps: tuple  # of (index in the kernel, phase, shift)
    start: int = 0  # grid point y is element start + y * step of the output
    step: int = 1

    @property
    def reach(self):
        return self.grid + max((shift for _, _, shift in self.taps), default=0)

    def pitch(self):
        """Least distance of two lines of packed elements: the zeros after one and before the next are shared."""
        end = (self.before + self.size - 1) // self.stride + 1
        zeros = max(self.before, 0) // self.stride
        return max(self.grid, min(end, self.reach), self.reach - zeros)


class Packing(NamedTuple):
    """How a block of images lies in scratch memory: [channel][phase][image][row][column]."""

    images: int
    channels: int  # of a group
    groups: int
    height: int
    width: int
    top: int
    left: int
    stride_y: int
    stride_x: int
    block: int  # images of a block
    lines: int  # rows of an image
    pitch: int  # columns of a row
    line: int  # elements of one phase of one channel
    slack: int  # elements after the last line


class Grid(NamedTuple):
    """The output pixels, the pieces they are computed in, and where they go."""

    height: int
    width: int
    strip: int  # rows of a piece
    joined: bool  # one run of pixels over all images of a block, not one for each image
    rows: int  # output channels of a group
    chunk: int  # output channels of a piece
    a_lane: int
    a_group: int
    plane_height: int
    plane_width: int
    start_y: int
    start_x: int
    step_y: int
    step_x: int


class Inner(NamedTuple):
    """How the gradient for the weight is cut up."""

    strip: int  # output rows of a unit of work: a strip of a block of images
    strips: int
    units: int  # of a part, whose sum is made by one thread
    total: int
    rows: int  # output channels of a group, rounded up to whole tiles
    chunk: int  # output channels of a piece: whole tiles
    over_channels: bool  # the tile's columns are channels, not neighbouring taps
    lane: int  # distance of the tile's columns in packed memory


@inline
def _pack(source, packing, channels, image, count, channel, top, lines, packed):
    """Copy `count` images of `channels` channels into zeroed scratch.

    The first packed row is `top` rows above the image (below its first row, where negative).
    """
    step = packing.stride_x
    for c in range(channels):
        for n in range(count):
            plane = (
                ((image + n) * packing.channels * packing.groups + channel + c)
                * packing.height
                * packing.width
            )
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


@inline
def _correlate_piece(task, source, weight, bias, a_offset, b_offset, packing, grid, out):
    chunks = (grid.rows + grid.chunk - 1) // grid.chunk
    strips = (grid.height + grid.strip - 1) // grid.strip
    rest, part = divmod(task, chunks)
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
        source, packing, packing.channels, image, count, group * packing.channels, top, packing.lines, packed
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
                multiply_add(
                    height, vectors, weight, base, a_offset, grid.a_lane,
                    packed, n * image_size + q, b_offset, 0, a_offset.size, tile, q, tile_pitch, False,
                )  # fmt: skip
                q += vectors * lanes
            channel = group * grid.rows + row
            _place(tile, tile_pitch, height, packing, grid, bias, image + n, together, y, lines, channel, out)
            row += height


@parallel
def _correlate(source, weight, bias, a_offset, b_offset, packing, grid, tasks, out):
    """out[n, o, y, x] = bias[o] + the sum over k of weight[o, a_offset[k]] * packed[b_offset[k] + pixel]."""
    if grid.height * grid.width * grid.rows * packing.groups * packing.images * a_offset.size < SERIAL_WORK:
        for task in range(tasks):
            _correlate_piece(task, source, weight, bias, a_offset, b_offset, packing, grid, out)
    else:
        for task in prange(tasks):
            _correlate_piece(np.int64(task), source, weight, bias, a_offset, b_offset, packing, grid, out)


@inline
def _weight_piece(task, g, x, offset, taps, scheme, g_packing, packing, partial):
    """The inner products of one part of the images and some of the output channels."""
    rest, split = divmod(task, (g_packing.channels + scheme.chunk - 1) // scheme.chunk)
    part, group = divmod(rest, packing.groups)
    first = split * scheme.chunk
    rows = min(scheme.chunk, g_packing.channels - first)
    channels = packing.channels
    phases = packing.stride_y * packing.stride_x
    packed = np.zeros((channels + INNER_B) * phases * packing.line + packing.slack, g.dtype)
    cotangent = np.zeros((rows + INNER_A) * g_packing.line, g.dtype)
    columns = (channels + INNER_B - 1) // INNER_B if scheme.over_channels else channels
    step = INNER_B if scheme.over_channels else 1
    begin = (part * packing.groups + group) * scheme.rows // INNER_A * columns * taps.size * INNER_TILE
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
        place = begin + first // INNER_A * columns * taps.size * INNER_TILE
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
def _grad_weight(g, x, offset, taps, scheme, g_packing, packing, tasks, partial):
    """partial[part, group, rows, columns, tap] += a tile of inner products over the images and strips of the part."""
    if g.size * packing.channels * taps.size < SERIAL_WORK:
        for task in range(tasks):
            _weight_piece(task, g, x, offset, taps, scheme, g_packing, packing, partial)
    else:
        for task in prange(tasks):
            _weight_piece(np.int64(task), g, x, offset, taps, scheme, g_packing, packing, partial)


@inline
def _channel_sum(g, channel, channels, images, pixels):
    total = 0.0
    for n in range(images):
        start = (n * channels + channel) * pixels
        steps = pixels // SUM_LINE
        total += sum_line(g, start, steps)
        for q in range(start + steps * SUM_LINE, start + pixels):
            total += g[q]
    return total


@parallel
def _sum_channels(g, images, pixels, out):
    for channel in prange(out.size):
        out[channel] = _channel_sum(g, np.int64(channel), out.size, images, pixels)


def _ceil(a, b):
    return -(-a // b)


def _forward_axis(size, grid, kernel, before, stride, dilation):
    taps = ((i, i * dilation % stride, i * dilation // stride) for i in range(kernel))
    return Axis(size, grid, before, stride, tuple(taps))


def _backward_axes(size, grid, kernel, before, stride, dilation):
    """The correlations that make the input's gradient along one axis, one for each phase of the stride.

    Input element h is read at h + before = y * stride + i * dilation, so that for the phase a of h + before only
    the taps with i * dilation = a (mod stride) count, and y = (h + before - a) / stride - (i * dilation - a) / stride.
    """
    for phase in range(stride):
        first = max(_ceil(before - phase, stride), 0)
        count = (size - 1 + before - phase) // stride + 1 - first
        if count <= 0:
            continue
        back = {i: (i * dilation - phase) // stride for i in range(kernel) if i * dilation % stride == phase}
        furthest = max(back.values(), default=0)
        taps = tuple((i, 0, furthest - shift) for i, shift in back.items())
        yield Axis(grid, count, furthest - first, 1, taps, first * stride + phase - before, stride)


def _packing(images, channels, groups, y, x, itemsize):
    """The packed layout for axes y and x, and the output rows of a strip."""
    lanes = VECTOR_BYTES // itemsize
    pitch = x.pitch()
    strip = _ceil(y.grid, _ceil(y.grid * pitch, PIXELS + PIXELS // 2))
    lines = y.pitch() if strip == y.grid else strip + y.reach - y.grid
    block = max(1, min(PIXELS // (lines * pitch), _ceil(images * groups, TASKS))) if strip == y.grid else 1
    line = block * lines * pitch
    reach = (y.reach + 1) * pitch + x.reach
    return strip, Packing(
        images, channels, groups, y.size, x.size, y.before, x.before, y.stride, x.stride,
        block, lines, pitch, line, reach + MAX_VECTORS * lanes,
    )  # fmt: skip


def _joined(packing, strip, width, lanes):
    """Whether one run of vectors over all images of a block is shorter than a run for each."""
    image = packing.lines * packing.pitch
    run = (strip - 1) * packing.pitch + width
    apart = _ceil(run, lanes) * lanes
    return apart > image or _ceil((packing.block - 1) * image + run, lanes) * lanes <= packing.block * apart


def _shift(packing, tap_y, tap_x):
    _, phase_y, shift_y = tap_y
    _, phase_x, shift_x = tap_x
    return (phase_y * packing.stride_x + phase_x) * packing.line + shift_y * packing.pitch + shift_x


def _correlation(images, channels, groups, rows, y, x, kernel, planes, lanes_a, itemsize):
    """The tables and the cutting up of one correlation: the arguments of `_correlate` after the arrays."""
    a_channel, a_lane, a_group = lanes_a
    strip, packing = _packing(images, channels, groups, y, x, itemsize)
    joined = _joined(packing, strip, x.grid, VECTOR_BYTES // itemsize)
    taps = list(product(y.taps, x.taps))
    in_weight = np.array([tap_y[0] * kernel[1] + tap_x[0] for tap_y, tap_x in taps], np.int64)
    in_packed = np.array([_shift(packing, tap_y, tap_x) for tap_y, tap_x in taps], np.int64)
    channel = np.arange(channels)[:, None]
    a_offset = (channel * a_channel + in_weight).reshape(-1)
    b_offset = (channel * (packing.line * y.stride * x.stride) + in_packed).reshape(-1)
    pieces = _ceil(images, packing.block) * _ceil(y.grid, strip) * groups
    chunk = max(_ceil(rows, _ceil(TASKS, pieces)), min(rows, MAX_ROWS))
    grid = Grid(
        y.grid, x.grid, strip, joined, rows, chunk, a_lane, a_group, *planes, y.start, x.start, y.step, x.step
    )
    return a_offset, b_offset, packing, grid, pieces * _ceil(rows, chunk)


@lru_cache(maxsize=512)
def _forward_plan(x_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, height, width = x_shape
    rows, channels, *kernel = w_shape
    y = _forward_axis(height, out_shape[2], kernel[0], padding[0], stride[0], dilation[0])
    x = _forward_axis(width, out_shape[3], kernel[1], padding[2], stride[1], dilation[1])
    size = kernel[0] * kernel[1]
    lanes = (size, channels * size, rows // groups * channels * size)
    return _correlation(
        images, channels, groups, rows // groups, y, x, kernel, out_shape[2:], lanes, itemsize
    )


@lru_cache(maxsize=512)
def _grad_input_plans(g_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, height, width = out_shape
    outputs, channels, *kernel = w_shape
    rows = outputs // groups
    size = kernel[0] * kernel[1]
    lanes = (channels * size, size, rows * channels * size)
    axes = product(
        _backward_axes(height, g_shape[2], kernel[0], padding[0], stride[0], dilation[0]),
        _backward_axes(width, g_shape[3], kernel[1], padding[2], stride[1], dilation[1]),
    )
    return [
        _correlation(images, rows, groups, channels, y, x, kernel, (height, width), lanes, itemsize)
        for y, x in axes
    ]


@lru_cache(maxsize=512)
def _grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, height, width = x_shape
    outputs, channels, *kernel = out_shape
    rows = outputs // groups
    y = _forward_axis(height, g_shape[2], kernel[0], padding[0], stride[0], dilation[0])
    x = _forward_axis(width, g_shape[3], kernel[1], padding[2], stride[1], dilation[1])
    lanes = VECTOR_BYTES // itemsize
    strip, packing = _packing(images, channels, groups, y, x, itemsize)
    step = dilation[1] // stride[1]
    neighbours = dilation[1] % stride[1] == 0
    # Neighbouring taps fill the tile's columns better than channels do where there are few channels.
    over_channels = not neighbours or channels / _ceil(channels, INNER_B) >= kernel[1] / _ceil(
        kernel[1], INNER_B
    )
    starts = list(product(y.taps, x.taps[:: 1 if over_channels else INNER_B]))
    taps = np.array([_shift(packing, tap_y, tap_x) for tap_y, tap_x in starts])
    packing = packing._replace(slack=packing.slack + INNER_B * step)
    # The last vector of a line reaches over its end: zeros must follow there, so that it adds nothing.
    g_packing = packing._replace(
        channels=rows, height=g_shape[2], width=g_shape[3], top=0, left=0, stride_y=1, stride_x=1,
        line=packing.line + lanes,
    )  # fmt: skip
    image = packing.lines * packing.pitch
    run = (strip - 1) * packing.pitch + x.grid
    if _joined(packing, strip, x.grid, lanes):
        offset = np.arange(0, (packing.block - 1) * image + run, lanes)
    else:
        offset = (np.arange(packing.block)[:, None] * image + np.arange(0, run, lanes)).reshape(-1)
    strips = _ceil(y.grid, strip)
    total = _ceil(images, packing.block) * strips
    padded = _ceil(rows, INNER_A) * INNER_A
    columns = _ceil(channels, INNER_B) if over_channels else channels
    tiles = (groups, padded // INNER_A, columns, len(starts), INNER_TILE)
    parts = max(1, min(total, TASKS, PARTIAL_SIZE // prod(tiles)))
    units = _ceil(total, parts)
    parts = _ceil(total, units)
    chunk = _ceil(padded, _ceil(TASKS, parts * groups) * INNER_A) * INNER_A
    lane = packing.line * y.stride * x.stride if over_channels else step
    scheme = Inner(strip, strips, units, total, padded, chunk, over_channels, lane)
    o, c, i, j = np.ogrid[:rows, :channels, : kernel[0], : kernel[1]]
    column, tap, u = (
        (c // INNER_B, i * kernel[1] + j, c % INNER_B)
        if over_channels
        else (c, i * _ceil(kernel[1], INNER_B) + j // INNER_B, j % INNER_B)
    )
    group = np.arange(groups)[:, None, None, None, None]
    gather = np.ravel_multi_index(
        np.broadcast_arrays(group, o // INNER_A, column, tap, o % INNER_A * INNER_B + u), tiles
    )
    tasks = parts * groups * _ceil(rows, chunk)
    return (parts, prod(tiles)), gather.reshape(-1), (offset, taps, scheme, g_packing, packing, tasks)


def _elements(array):
    return np.ascontiguousarray(array).reshape(-1)


def conv2d_forward(x, w, bias, stride, padding, dilation, groups, out):
    """out[n, o, y, x] = bias[o] + the sum over c, i, j of w[o, c, i, j] * padded[n, c, y * stride + i * dilation, ...].

    x: (N, C, H, W), w: (O, C / groups, KH, KW), bias: (O,) or None, padding: (top, bottom, left, right),
    out: (N, O, OH, OW) contiguous.
    """
    if out.size == 0:
        return
    plan = _forward_plan(x.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    elements = out.reshape(-1)
    bias = elements[:0] if bias is None else np.ascontiguousarray(bias)
    _correlate(_elements(x), _elements(w), bias, *plan, elements)


def conv2d_grad_input(g, w, stride, padding, dilation, groups, out):
    """The gradient of conv2d for its input.  g: (N, O, OH, OW), w: (O, C / groups, KH, KW), out: (N, C, H, W) contiguous.

    Also the transposed convolution: out may be any size that g fits.
    """
    if out.size == 0:
        return
    elements = out.reshape(-1)
    plans = _grad_input_plans(g.shape, w.shape, out.shape, stride, padding, dilation, groups, out.itemsize)
    g, w = _elements(g), _elements(w)
    for plan in plans:
        _correlate(g, w, elements[:0], *plan, elements)


def conv2d_grad_weight(g, x, stride, padding, dilation, groups, out):
    """The gradient of conv2d for its weight.  g: (N, O, OH, OW), x: (N, C, H, W), out: (O, C / groups, KH, KW) contiguous."""
    if out.size == 0:
        return
    if g.size == 0:
        out[...] = 0
        return
    partial, gather, plan = _grad_weight_plan(
        g.shape, x.shape, out.shape, stride, padding, dilation, groups, out.itemsize
    )
    partial = np.zeros(partial, out.dtype)
    _grad_weight(_elements(g), _elements(x), *plan, partial.reshape(-1))
    partial.sum(axis=0).take(gather, out=out.reshape(-1))


def sum_channels(g, out):
    """out[o] = the sum of g[n, o, y, x] over n, y, x, in float64: the gradient of conv2d for its bias."""
    _sum_channels(_elements(g), g.shape[0], g.shape[2] * g.shape[3], out)
