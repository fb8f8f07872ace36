"""How a convolution is cut up: the packed layout of images, the tables of taps and the pieces of work.

Everything here is a function of shapes alone, computed once for each, so that results are the same bits whatever
the number of threads.
"""

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.microkernel import (
    MAX_ROWS,
    MAX_VECTORS,
    VECTOR_BYTES,
)

PIXELS = 1024  # of a channel in one packed block: the block stays in the L2 cache
TASKS = 16  # pieces that a large problem is cut into


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
        """Least distance of two packed lines: the zeros after one and before the next are shared."""
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


def lifted(stride, padding, dilation, *arrays):
    """Arrays of one spatial axis as arrays of two, the first of size 1."""
    if len(stride) > 1:
        return stride, padding, dilation, *arrays
    return (1, *stride), (0, 0, *padding), (1, *dilation), *(array[:, :, None] for array in arrays)


def _ceil(a, b):
    return -(-a // b)


def _forward_axis(size, grid, kernel, before, stride, dilation):
    taps = ((i, i * dilation % stride, i * dilation // stride) for i in range(kernel))
    return Axis(size, grid, before, stride, tuple(taps))


def _backward_axes(size, grid, kernel, before, stride, dilation):
    """The correlations that make the input's gradient along one axis, one for each phase of the stride.

    Input element h is read where h + before = y * stride + i * dilation: for the phase a of h + before only the
    taps with i * dilation = a (mod stride) count, and y = (h + before - a) / stride - (i * dilation - a) / stride.
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


def _packing(images, channels, groups, y, x, itemsize, pieces):
    """The output rows of a strip, and the packed layout for axes y and x, in `pieces` blocks or more."""
    lanes = VECTOR_BYTES // itemsize
    pitch = x.pitch()
    strip = _ceil(y.grid, _ceil(y.grid * pitch, PIXELS + PIXELS // 2))
    lines = y.pitch() if strip == y.grid else strip + y.reach - y.grid
    block = max(1, min(PIXELS // (lines * pitch), _ceil(images * groups, pieces))) if strip == y.grid else 1
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


def _record(fields):
    """A NamedTuple of integers as an array of one record: a kernel takes it as one argument."""
    return np.array([fields], [(name, np.int64) for name in fields._fields])


def _shift(packing, tap_y, tap_x):
    _, phase_y, shift_y = tap_y
    _, phase_x, shift_x = tap_x
    return (phase_y * packing.stride_x + phase_x) * packing.line + shift_y * packing.pitch + shift_x


def _correlation(images, channels, groups, rows, y, x, kernel, planes, lanes_a, itemsize):
    """The tables and the cutting up of one correlation: the arguments of `_correlate` after the arrays."""
    a_channel, a_lane, a_group = lanes_a
    strip, packing = _packing(images, channels, groups, y, x, itemsize, TASKS)
    joined = _joined(packing, strip, x.grid, VECTOR_BYTES // itemsize)
    taps = list(product(y.taps, x.taps))
    in_weight = np.array([tap_y[0] * kernel[1] + tap_x[0] for tap_y, tap_x in taps], np.int64)
    in_packed = np.array([_shift(packing, tap_y, tap_x) for tap_y, tap_x in taps], np.int64)
    channel = np.arange(channels)[:, None]
    a_offset = (channel * a_channel + in_weight).reshape(-1)
    b_offset = (channel * (packing.line * y.stride * x.stride) + in_packed).reshape(-1)
    pieces = _ceil(images, packing.block) * _ceil(y.grid, strip) * groups
    chunk = max(_ceil(rows, _ceil(TASKS, pieces)), min(rows, MAX_ROWS))
    grid = Grid(y.grid, x.grid, strip, joined, rows, chunk, a_lane, a_group, *planes, y.start, x.start, y.step, x.step)
    work = y.grid * x.grid * rows * groups * images * a_offset.size
    return pieces * _ceil(rows, chunk), work, a_offset, b_offset, _record(packing), _record(grid)


@lru_cache(maxsize=512)
def forward_plan(x_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, height, width = x_shape
    rows, channels, *kernel = w_shape
    y = _forward_axis(height, out_shape[2], kernel[0], padding[0], stride[0], dilation[0])
    x = _forward_axis(width, out_shape[3], kernel[1], padding[2], stride[1], dilation[1])
    size = kernel[0] * kernel[1]
    lanes = (size, channels * size, rows // groups * channels * size)
    return _correlation(images, channels, groups, rows // groups, y, x, kernel, out_shape[2:], lanes, itemsize)


@lru_cache(maxsize=512)
def grad_input_plans(g_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
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
        _correlation(images, rows, groups, channels, y, x, kernel, (height, width), lanes, itemsize) for y, x in axes
    ]
