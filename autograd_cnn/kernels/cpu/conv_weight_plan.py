"""How the gradient of a convolution for its weight is cut up: blocks of pixels, tables of taps, pieces of work.

Everything here is a function of shapes alone, computed once for each, so that results are the same bits whatever
the number of threads.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.microkernel import MAX_ROWS, MAX_VECTORS, SERIAL_WORK, VECTOR_BYTES

PIXELS = 128  # of a block: with three vectors for each it stays in the L1 cache
SUMS_BYTES = 1 << 18  # of a piece's sums: they stay in the L2 cache
TASKS = 16  # pieces that a large problem is cut into
LEAST_ROWS = 256  # of a tile's rows times taps, for which a block of pixels is worth turning


class Scheme(NamedTuple):
    """The pieces of work, and how the arrays lie in memory."""

    images: int
    block: int  # images of a block
    strips: int  # blocks that an image is cut into, where it is larger than one
    pixels: int  # of the largest block
    parts: int  # that the blocks are shared among: each has sums of its own
    groups: int
    channels: int  # of x in a group
    channel_tiles: int  # tiles of `channels` in all
    channel_chunks: int
    outputs: int  # channels of g in a group
    output_vectors: int
    output_chunks: int  # panels of vectors
    x_plane: int  # elements of a channel
    g_plane: int
    taps: int


class Strip(NamedTuple):
    """A block of pixels within an image."""

    table: int  # number of its table of taps
    x_start: int
    pixel: int
    pixels: int


def _ceil(a, b):
    return -(-a // b)


def _even(total, most):
    """The size of equal shares of `total`, none larger than `most`."""
    return _ceil(total, _ceil(total, max(most, 1)))


def _cuts(sizes):
    """(first, last) of each strip of an image's pixels: whole lines of the inner axes."""
    inner = 1
    for size in reversed(sizes):
        if inner * size > PIXELS:
            count = _even(size, PIXELS // inner)
            starts = list(range(0, size, count))
            return [
                (outer * size * inner + start * inner, outer * size * inner + min(start + count, size) * inner)
                for outer in range(prod(sizes) // (size * inner))
                for start in starts
            ]
        inner *= size
    return [(0, inner)]


def _taps(pixels, images, image_size, sizes, spatial, kernel, stride, before, dilation):
    """Which pixels of a block each tap meets, and where in x: (start, counts, number in the block, place in x)."""
    met, place = np.ones((1, pixels.size), bool), np.zeros((1, pixels.size), np.int64)
    for axis, coordinate in enumerate(np.unravel_index(pixels, sizes)):
        tap = np.arange(kernel[axis])[:, None] * dilation[axis] - before[axis]
        position = coordinate * stride[axis] + tap
        inside = (position >= 0) & (position < spatial[axis])
        met = (met[:, None] & inside).reshape(-1, pixels.size)
        place = (place[:, None] * spatial[axis] + position).reshape(-1, pixels.size)
    start = int(place[0, 0])
    place = place[:, None] - start + np.arange(images)[:, None] * image_size
    met = np.broadcast_to(met[:, None], place.shape)
    number = np.broadcast_to(np.arange(images * pixels.size).reshape(images, -1), place.shape)
    return start, met.sum((1, 2)), number[met], place[met]


@lru_cache(maxsize=512)
def grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize):
    """(parallel, pieces, elements of the partial sums, and the tables that the kernels take)."""
    images, _, *spatial = x_shape
    outputs, channels, *kernel = out_shape
    outputs //= groups
    sizes = g_shape[2:]
    lanes = VECTOR_BYTES // itemsize
    pixels, taps = prod(sizes), prod(kernel)

    cuts = _cuts(sizes)
    block = _even(images, PIXELS // pixels)
    tables, counts, strips = {}, [], []
    # The last block may hold fewer images: one more strip.
    for count, (first, last) in [(block, cut) for cut in cuts] + [(images % block, cuts[0])] * (images % block > 0):
        start, met, number, place = _taps(
            np.arange(first, last), count, channels * groups * prod(spatial), sizes, spatial, kernel, stride,
            padding[::2], dilation,
        )  # fmt: skip
        table = tables.setdefault((met.tobytes(), place.tobytes(), number.tobytes()), len(tables))
        if table == len(counts):
            counts.append((met, place, number * (MAX_VECTORS * lanes)))
        strips.append(Strip(table, start, first, last - first))
    bounds = np.concatenate([[0], np.cumsum([met for met, _, _ in counts])])
    a_offset, b_offset = (np.concatenate([row[i] for row in counts]) for i in (1, 2))

    units = _ceil(images, block) * len(cuts)
    vectors = _ceil(outputs, lanes)
    output_chunks = _ceil(vectors, MAX_VECTORS)
    tiles = _ceil(channels, MAX_ROWS)
    sums = channels * taps * MAX_VECTORS * VECTOR_BYTES
    wanted = min(_ceil(TASKS, groups * output_chunks), channels * taps // LEAST_ROWS)
    channel_chunks = min(tiles, max(1, wanted, _ceil(sums, SUMS_BYTES)))
    chunks = groups * output_chunks * channel_chunks
    parts = min(units, _ceil(TASKS, chunks))
    scheme = Scheme(
        images, block, len(cuts), block * max(last - first for first, last in cuts), parts, groups, channels,
        tiles, channel_chunks, outputs, vectors, output_chunks, prod(spatial), pixels, taps,
    )  # fmt: skip
    partial = parts * groups * vectors * lanes * channels * taps if parts > 1 else 0
    work = prod(g_shape) * channels * taps
    record = np.array([scheme], [(name, np.int64) for name in scheme._fields])
    return work >= SERIAL_WORK, chunks, parts, partial, (a_offset, b_offset, bounds, np.array(strips), record)
