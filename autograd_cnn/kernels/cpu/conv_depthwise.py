"""Depthwise convolution and its gradients: every channel of the input has kernels of its own.

Nothing is packed and there is no contraction: the vector loops of depthwise_vectors.py run over whole planes in
place, those of depthwise_lines.py over the smallest.  Kernels of 3 x 3 and 5 x 5 are unrolled there; any other, and
every dilated one, is a sum of kernels of 1 x 1, each with a padding of its own.  Planes are independent; the
gradient for the weight sums blocks of images in vectors of the input's dtype, and the blocks in float64.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.depthwise_lines import LINE_SIZES, correlate_line, line_pixels, tap_masks, tap_sums_line
from autograd_cnn.kernels.cpu.depthwise_narrow import COLUMNS, NARROW_SIZES, correlate_narrow, tap_sums_narrow
from autograd_cnn.kernels.cpu.depthwise_vectors import ROWS, SIZES, STRIDES, correlate, spread, tap_sums
from autograd_cnn.kernels.cpu.jit import inline, parallel, serial
from autograd_cnn.kernels.cpu.masked_rows import WIDTH
from autograd_cnn.kernels.cpu.microkernel import DEPTH, SERIAL_WORK
from autograd_cnn.kernels.cpu.shared_code import address_of, call

PIECES = 64  # that a large problem is cut into
BLOCK_PIXELS = 2048  # of images that are taken through one kernel together
NO_MASKS = np.empty(0, np.uint16)
LEAST_STRIP = 4 * ROWS  # rows of a plane that are worth a piece of their own


class Pass(NamedTuple):
    """An unrolled kernel: its first tap, and the padding before the source."""

    tap: int
    top: int
    left: int


class Planes(NamedTuple):
    """How planes of a source become planes of a target."""

    size: int  # of the unrolled kernel
    stride: int
    spreading: bool
    tap_step: int
    taps: int  # of the whole kernel
    images: int
    block: int  # images that are taken through one kernel together
    blocks: int
    sources: int  # channels
    height: int
    width: int
    channels: int
    rows: int
    columns: int
    depth: int  # planes of the source that each plane of the target sums over
    multiplier: int  # planes of the target that come from each plane of the source
    strip: int  # rows of the target that are computed at once
    strips: int
    narrow: bool  # whether depthwise_narrow.py takes it


class Sums(NamedTuple):
    """How the gradient for the weight is cut up."""

    size: int
    stride: int
    taps: int
    images: int
    block: int  # images that are summed in registers
    part: int  # images that one piece sums
    channels: int  # of the output
    share: int  # of them that one piece takes
    shares: int
    rows: int
    columns: int
    strip: int  # rows that are summed in registers
    sources: int
    multiplier: int  # channels of the output that come from each channel of the input
    height: int
    width: int
    narrow: bool


@inline
def _fed_by(channel, multiplier):
    """The channel of the input that this channel of the output, one of `multiplier` for each, comes from."""
    return channel if multiplier == 1 else channel // multiplier


@serial
def _planes_serial(first, last, source, weight, bias, passes, masks, layouts, out):
    """The target's planes in units [first, last): strips of channels of blocks of images."""
    layout = layouts[0]
    zeros = np.zeros(layout.width, out.dtype)
    spill = np.zeros(layout.columns, out.dtype)
    size, rows, columns = layout.size, layout.rows, layout.columns
    height, width = layout.height, layout.width
    pitch, target_pitch = layout.sources * height * width, layout.channels * rows * columns
    rest, strip = divmod(first, layout.strips)
    block, channel = divmod(rest, layout.channels)
    for _ in range(first, last):
        y = strip * layout.strip
        image = block * layout.block
        images = min(layout.block, layout.images - image)
        count = min(layout.strip, rows - y)
        place = image * target_pitch + (channel * rows + y) * columns
        first_start = image * pitch + _fed_by(channel, layout.multiplier) * layout.depth * height * width
        added = bias[channel] if bias.size else out.dtype.type(0)
        for k in range(layout.depth):
            start = first_start + k * height * width
            for p in range(passes.size):
                one = passes[p]
                tap = (channel * layout.depth + k) * layout.taps + one.tap
                keep = k > 0 or p > 0
                if masks.size > 0:
                    correlate_line(
                        size, images, source, start, pitch, width, weight, tap, layout.tap_step, one.top, one.left,
                        masks, added, out, place, target_pitch,
                    )  # fmt: skip
                elif layout.narrow:
                    correlate_narrow(
                        size, images, source, start, pitch, height, width, weight, tap, one.top, one.left,
                        added, out, place, target_pitch, rows,
                    )  # fmt: skip
                elif layout.spreading:
                    spread(
                        size, images, source, start, pitch, height, width, weight, tap, one.top + y, one.left, zeros,
                        added, keep, out, place, target_pitch, count, columns, spill,
                    )  # fmt: skip
                else:
                    correlate(
                        size, layout.stride, images, source, start, pitch, height, width, weight, tap, layout.tap_step,
                        one.top - y * layout.stride, one.left, zeros,
                        added, keep, out, place, target_pitch, count, columns, spill,
                    )  # fmt: skip
        # On to the next unit: divisions would cost as much as a small plane.
        strip += 1
        if strip == layout.strips:
            strip = 0
            channel += 1
            if channel == layout.channels:
                channel = 0
                block += 1


@parallel
def _planes(kernel, units, source, weight, bias, passes, masks, layouts, out):
    pieces = min(units, PIECES)
    for index in prange(pieces):
        piece = np.int64(index)
        first, last = units * piece // pieces, units * (piece + 1) // pieces
        call(kernel, (first, last, source, weight, bias, passes, masks, layouts, out))


@serial
def _tap_sums_serial(first, last, g, x, passes, masks, schemes, totals):
    scheme = schemes[0]
    rows, columns, height, width = scheme.rows, scheme.columns, scheme.height, scheme.width
    zeros = np.zeros(max(width, columns), x.dtype)
    for piece in range(first, last):
        part, share = divmod(piece, scheme.shares)
        end = min((part + 1) * scheme.part, scheme.images)
        for image in range(part * scheme.part, end, scheme.block):
            count = min(scheme.block, end - image)
            for channel in range(share * scheme.share, min((share + 1) * scheme.share, scheme.channels)):
                g_start = (image * scheme.channels + channel) * rows * columns
                source = image * scheme.sources + _fed_by(channel, scheme.multiplier)
                place = (part * scheme.channels + channel) * scheme.taps
                start, pitch = source * height * width, scheme.sources * height * width
                g_pitch = scheme.channels * rows * columns
                if masks.size > 0:
                    one = passes[0]
                    tap_sums_line(
                        scheme.size, count, g, g_start, g_pitch, x, start, pitch, width, one.top, one.left, masks,
                        totals, place,
                    )  # fmt: skip
                    continue
                if scheme.narrow:
                    one = passes[0]
                    tap_sums_narrow(
                        scheme.size, count, g, g_start, g_pitch, rows, x, start, pitch, height, width,
                        one.top, one.left, totals, place,
                    )  # fmt: skip
                    continue
                for y in range(0, rows, scheme.strip):
                    for p in range(passes.size):
                        one = passes[p]
                        tap_sums(
                            scheme.size, scheme.stride, count,
                            g, g_start + y * columns, g_pitch, min(scheme.strip, rows - y), columns,
                            x, start, pitch, height, width,
                            one.top - y * scheme.stride, one.left, zeros, totals, place + one.tap,
                        )  # fmt: skip


@parallel
def _tap_sums(kernel, pieces, g, x, passes, masks, schemes, totals):
    for piece in prange(pieces):
        first = np.int64(piece)
        call(kernel, (first, first + 1, g, x, passes, masks, schemes, totals))


@lru_cache(maxsize=2)
def _planes_code(dtype):
    some = np.zeros(1, dtype)
    return address_of(_planes_serial, 0, 0, some, some, some, _some(Pass), NO_MASKS, _some(Planes), some)


@lru_cache(maxsize=2)
def _tap_sums_code(dtype):
    some = np.zeros(1, dtype)
    return address_of(_tap_sums_serial, 0, 0, some, some, _some(Pass), NO_MASKS, _some(Sums), np.zeros(1))


def is_depthwise(w_shape, stride, groups, pixels):
    """Whether the kernels of this file take a convolution whose output has `pixels` rows and columns."""
    return groups > 1 and w_shape[1] == 1 and len(pixels) == 2 and _common(stride, pixels) in STRIDES


def depthwise_forward(x, w, bias, stride, padding, dilation, out):
    """conv_forward where is_depthwise holds."""
    plan = _forward_plan(x.shape, w.shape, out.shape, stride, padding, dilation, out.itemsize)
    _run_planes(x, w, bias, plan, out)


def depthwise_grad_input(g, w, stride, padding, dilation, out):
    """conv_grad_input where is_depthwise holds."""
    plan = _grad_input_plan(g.shape, w.shape, out.shape, stride, padding, dilation, out.itemsize)
    _run_planes(g, w, None, plan, out)


def depthwise_grad_weight(g, x, stride, padding, dilation, out):
    """conv_grad_weight where is_depthwise holds."""
    plan = _grad_weight_plan(g.shape, x.shape, out.shape, stride, padding, dilation, out.itemsize)
    pieces, work, parts, *tables = plan
    totals = np.zeros((parts, out.size), np.float64)
    arrays = _elements(g), _elements(x), *tables, totals.reshape(-1)
    if work < SERIAL_WORK:
        _tap_sums_serial(0, pieces, *arrays)
    else:
        _tap_sums(_tap_sums_code(out.dtype), pieces, *arrays)
    out.reshape(-1)[...] = totals.sum(axis=0)


def _run_planes(source, w, bias, plan, out):
    units, work, *tables = plan
    elements = out.reshape(-1)
    bias = elements[:0] if bias is None else np.ascontiguousarray(bias)
    arrays = _elements(source), _elements(w), bias, *tables, elements
    if work < SERIAL_WORK:
        _planes_serial(0, units, *arrays)
    else:
        _planes(_planes_code(out.dtype), units, *arrays)


@lru_cache(maxsize=512)
def _forward_plan(x_shape, w_shape, out_shape, stride, padding, dilation, itemsize):
    size, passes = _forward_passes(w_shape[2:], padding, dilation)
    step = _common(stride, out_shape[2:])
    return _planes_plan(size, step, False, 1, passes, x_shape, w_shape, out_shape, itemsize)


@lru_cache(maxsize=512)
def _grad_input_plan(g_shape, w_shape, out_shape, stride, padding, dilation, itemsize):
    step = _common(stride, g_shape[2:])
    spreading = step > 1
    size, passes = _forward_passes(w_shape[2:], padding, dilation)
    if not spreading:  # the correlation with the kernel turned round
        last = size - 1
        passes = [Pass(one.tap + size * size - 1, last - one.top, last - one.left) for one in passes]
    tap_step = 1 if spreading else -1
    return _planes_plan(size, step, spreading, tap_step, passes, g_shape, w_shape, out_shape, itemsize)


def _planes_plan(size, stride, spreading, tap_step, passes, source_shape, w_shape, out_shape, itemsize):
    images, channels, rows, columns = out_shape
    sources, height, width = source_shape[1:]
    taps = w_shape[2] * w_shape[3]
    planes = images * channels
    strips = max(1, min(PIECES // planes, rows // LEAST_STRIP))
    strip = -(-rows // (strips * ROWS)) * ROWS
    strips = -(-rows // strip)
    depth = max(1, sources // channels)
    block = max(1, min(BLOCK_PIXELS // (rows * columns), planes // PIECES))
    layout = Planes(
        size, stride, spreading, tap_step, taps, images, block, -(-images // block), sources, height, width,
        channels, rows, columns, depth, max(1, channels // sources), strip, strips,
        not spreading and depth == 1 and _narrow(size, stride, rows, columns),
    )  # fmt: skip
    work = prod(source_shape if spreading else out_shape) * taps * depth
    masks = NO_MASKS if depth > 1 else _masks(size, stride, passes, source_shape, out_shape, itemsize)
    return layout.blocks * channels * strips, work, _records(passes), masks, _records([layout])


@lru_cache(maxsize=512)
def _grad_weight_plan(g_shape, x_shape, w_shape, stride, padding, dilation, itemsize):
    images, channels, rows, columns = g_shape
    size, passes = _forward_passes(w_shape[2:], padding, dilation)
    vectors = -(-columns * itemsize // WIDTH)
    strip = max(ROWS, DEPTH // vectors // ROWS * ROWS)
    block = max(1, DEPTH // (rows * vectors))
    shares = min(channels, PIECES)
    share = -(-channels // shares)
    shares = -(-channels // share)
    part = -(-images // max(1, min(images // block, PIECES // shares)))
    part = -(-part // block) * block
    parts = -(-images // part)
    taps = w_shape[2] * w_shape[3]
    step = _common(stride, g_shape[2:])
    masks = _masks(size, step, passes, x_shape, g_shape, itemsize)
    scheme = Sums(
        size, step, taps, images, block, part, channels, share, shares,
        rows, columns, strip, x_shape[1], channels // x_shape[1], *x_shape[2:], _narrow(size, step, rows, columns),
    )  # fmt: skip
    return parts * shares, prod(g_shape) * taps, parts, _records(passes), masks, _records([scheme])


def _forward_passes(kernel, padding, dilation):
    """The size of the unrolled kernels, and what each is applied to."""
    top, _, left, _ = padding
    if kernel[0] == kernel[1] and kernel[0] in SIZES and dilation == (1, 1):
        return kernel[0], [Pass(0, top, left)]
    taps = np.ndindex(*kernel)
    return 1, [Pass(k, top - i * dilation[0], left - j * dilation[1]) for k, (i, j) in enumerate(taps)]


def _masks(size, stride, passes, source_shape, target_shape, itemsize):
    """The masks of planes that are one vector each; none where they are not."""
    height, width = source_shape[2:]
    rows, columns = target_shape[2:]
    if stride > 1 or size not in LINE_SIZES or width != columns or rows * columns > line_pixels(itemsize):
        return NO_MASKS
    return tap_masks(size, height, width, rows, passes[0].top, passes[0].left)


def _narrow(size, stride, rows, columns):
    return stride == 2 and size in NARROW_SIZES and columns == COLUMNS and rows <= COLUMNS


def _common(stride, pixels):
    """The stride of both axes, or None: along one pixel it does not matter."""
    wanted = {step for step, count in zip(stride, pixels, strict=True) if count > 1}
    return max(wanted, default=1) if len(wanted) < 2 else None


def _records(tuples):
    """NamedTuples of integers as an array of records: a kernel takes it as one argument."""
    return np.array(tuples, [(name, np.int64) for name in tuples[0]._fields])


def _some(kind):
    """One such record, of ones."""
    return _records([kind(*[1] * len(kind._fields))])


def _elements(array):
    return np.ascontiguousarray(array).reshape(-1)
