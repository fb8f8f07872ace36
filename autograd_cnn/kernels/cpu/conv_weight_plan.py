"""How the gradient of a convolution for its weight is cut up: packed layout, tables of taps, pieces of work.

Everything here is a function of shapes alone, computed once for each, so that results are the same bits whatever
the number of threads.
"""

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.microkernel import (
    INNER_A,
    INNER_B,
    INNER_TILE,
    MAX_VECTORS,
    VECTOR_BYTES,
)

PIXELS = 1024  # of a channel in one packed block: the block stays in the L2 cache
TASKS = 16  # pieces that a large problem is cut into
PARTS = 4  # blocks that the images are cut into at least where a sum runs over them
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


def _ceil(a, b):
    return -(-a // b)


def _forward_axis(size, grid, kernel, before, stride, dilation):
    taps = ((i, i * dilation % stride, i * dilation // stride) for i in range(kernel))
    return Axis(size, grid, before, stride, tuple(taps))


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


@lru_cache(maxsize=512)
def grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, height, width = x_shape
    outputs, channels, *kernel = out_shape
    rows = outputs // groups
    y = _forward_axis(height, g_shape[2], kernel[0], padding[0], stride[0], dilation[0])
    x = _forward_axis(width, g_shape[3], kernel[1], padding[2], stride[1], dilation[1])
    lanes = VECTOR_BYTES // itemsize
    strip, packing = _packing(images, channels, groups, y, x, itemsize, PARTS)
    step = dilation[1] // stride[1]
    neighbours = dilation[1] % stride[1] == 0
    # Neighbouring taps fill the tile's columns better than channels do where there are few channels.
    over_channels = not neighbours or channels / _ceil(channels, INNER_B) >= kernel[1] / _ceil(kernel[1], INNER_B)
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
    pieces = parts * groups * _ceil(rows, chunk)
    work = prod(g_shape) * channels * kernel[0] * kernel[1]
    return (
        (parts, prod(tiles)),
        gather.reshape(-1),
        pieces,
        work,
        offset,
        taps,
        *map(_record, (scheme, g_packing, packing)),
    )
