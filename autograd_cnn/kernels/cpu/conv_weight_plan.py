"""How the gradient of a convolution for its weight is cut up: blocks of pixels, tables of taps, pieces of work.

Everything here is a function of shapes alone, computed once for each, so that results are the same bits whatever
the number of threads.
"""

from math import isqrt, prod
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.microkernel import MAX_ROWS, MAX_VECTORS, SERIAL_WORK, TILE_ROWS, VECTOR_BYTES

PIXELS = 64  # of a block: so many products are summed in a row, and what they need stays in the L1 cache
WINDOW_PIXELS = 128  # the same where windows are laid out, which few channels have
# The same where all sums are short, and where groups have few of them: they cost little to bring back, and with fewer
# products in a row rounding errors are smaller.
FEW_PIXELS, SHORT_SUM = 32, 1024
FEW_SUMS_BYTES = 1 << 16
SUMS_BYTES = 1 << 18  # of a piece's sums: they stay in the L2 cache
TASKS = 16  # pieces that a large problem is cut into
LEAST_ROWS = 256  # of a tile's rows times taps, for which a block of pixels is worth turning
TURNING = 4  # cycles that a pixel takes in a block that is turned, for each vector
MOST_LINES = 64  # of windows: more make a block larger than the L1 cache


class Scheme(NamedTuple):
    """The pieces of work, and how the arrays lie in memory.  Channels and outputs are those of a group."""

    laid: bool  # x is laid out in windows: the columns, or, where g is turned too, the rows
    turned: bool  # g is turned: its channels are the columns, else the rows
    images: int
    block: int  # images of a block
    strips: int  # blocks that an image is cut into, where it is larger than one
    parts: int  # that the blocks are shared among: each has sums of its own
    groups: int
    rows: int
    row_tiles: int
    row_chunks: int
    adding_chunks: int  # chunks of the rows where parts are added up
    row_plane: int  # elements from one row to the next
    columns: int
    vectors: int
    column_chunks: int
    taps: int  # that have a table of their own
    channels: int
    outputs: int
    x_plane: int
    x_width: int
    g_plane: int
    g_width: int
    step: int  # stride along the last axis
    before: int  # padding before the last axis
    kernel_width: int
    lines: int  # taps of the axes before the last
    windows: int  # where they begin in a packed block
    packed: int  # elements of a packed block


class Plan(NamedTuple):
    laid: bool
    turned: bool
    parallel: bool
    pieces: tuple  # of the sums, and of adding them up where they are made in parts
    partial: int  # elements of those parts
    cost: float  # estimate of the time, in cycles
    tables: tuple  # the kernel's arrays after g and x


class Strip(NamedTuple):
    """A block of pixels within an image."""

    table: int  # number of its table of taps
    start: int  # in the array that is read in place
    pixel: int
    pixels: int


def _ceil(a, b):
    return -(-a // b)


def _even(total, most):
    """The size of equal shares of `total`, none larger than `most`."""
    return _ceil(total, _ceil(total, max(most, 1)))


def _cuts(sizes, most):
    """(first, last) of each strip of an image's pixels: whole lines of the inner axes."""
    inner = 1
    for size in reversed(sizes):
        if inner * size > most:
            count = _even(size, most // inner)
            return [
                ((outer * size + start) * inner, (outer * size + min(start + count, size)) * inner)
                for outer in range(prod(sizes) // (size * inner))
                for start in range(0, size, count)
            ]
        inner *= size
    return [(0, inner)]


def _positions(coordinates, sizes, kernel, stride, before, dilation):
    """For each tap and coordinate: whether it lies inside x, and where."""
    count = coordinates[0].size if coordinates else 1
    inside, place = np.ones((1, count), bool), np.zeros((1, count), np.int64)
    for axis, coordinate in enumerate(coordinates):
        tap = np.arange(kernel[axis])[:, None] * dilation[axis] - before[axis]
        position = coordinate * stride[axis] + tap
        within = (position >= 0) & (position < sizes[axis])
        inside = (inside[:, None] & within).reshape(-1, count)
        place = (place[:, None] * sizes[axis] + position).reshape(-1, count)
    return inside, place


def _inside(sizes, grid, kernel, stride, before, dilation):
    """The share of taps that meet a pixel inside x."""
    share = 1.0
    for size, points, taps, *axis in zip(sizes, grid, kernel, stride, before, dilation, strict=True):
        inside, _ = _positions([np.arange(points)], [size], [taps], *([number] for number in axis))
        share *= inside.mean()
    return share


def _tap_tables(blocks, grid, image_size, sizes, *movement):
    """For each block: (start in x, pixels of each tap, their places in x, their numbers in the block)."""
    for images, first, last in blocks:
        pixels = np.arange(first, last)
        inside, place = _positions(np.unravel_index(pixels, grid), sizes, *movement)
        start = int(place[0, 0])
        place = place[:, None] - start + np.arange(images)[:, None] * image_size
        inside = np.broadcast_to(inside[:, None], place.shape)
        number = np.broadcast_to(np.arange(images * pixels.size).reshape(images, -1), place.shape)
        yield start, inside.sum((1, 2)), place[inside], number[inside]


def _window_tables(blocks, width, image_size, span, step):
    """For each block: (start in g, pixels, their places in g, the numbers of their windows' first columns)."""
    for images, first, last in blocks:
        pixels = np.arange(last - first)
        rows = _ceil(pixels.size, width)
        image = np.arange(images)[:, None]
        window = (image * rows + pixels // width) * span + pixels % width * step
        place = image * image_size + pixels
        yield first, np.array([place.size]), place.reshape(-1), window.reshape(-1)


def _packed_tables(window_tables, pitch, windows, turned_pitch):
    """The same where both are packed: (0, pixels, places of the windows, of the turned pixels)."""
    for _, pixels, _, window in window_tables:
        yield 0, pixels, windows + window * pitch, np.arange(window.size) * turned_pitch


def _cycles(rows, columns, lanes):
    """About how long a step of the contraction takes over all tiles: additions, reads and their latency."""
    vectors = _ceil(columns, lanes)
    panels = _ceil(vectors, MAX_VECTORS)
    spans = [(panel + 1) * vectors // panels - panel * vectors // panels for panel in range(panels)]
    total = 0
    while rows > 0:
        height = next(height for height in TILE_ROWS if height <= rows)
        total += sum(max(height * span / 2, (height + span + 2) / 2, 4) for span in spans)
        rows -= height
    return total


def _whole_tiles(rows):
    """So many rows that the last of them are one tile."""
    rest = rows % MAX_ROWS
    return rows - rest + min(height for height in (0, *TILE_ROWS) if height >= rest)


def _fastest(channels, outputs, kernel, grid, stride, dilation, lanes):
    """(cycles a pixel, (whether to lay out windows, whether to turn g))."""
    lines, size = channels * prod(kernel[:-1]), prod(kernel)
    columns = min(grid[-1], WINDOW_PIXELS)
    laying = _ceil(lines, lanes) * TURNING * ((columns - 1) * stride[-1] + kernel[-1]) / columns
    turning = _ceil(outputs, lanes) * TURNING
    cycles = {(False, True): size * _cycles(channels, outputs, lanes) + turning}
    if lines <= MOST_LINES and (dilation[-1] == 1 or kernel[-1] == 1):
        panels = _ceil(outputs, MAX_VECTORS * lanes)
        cycles[True, False] = _cycles(outputs, channels * size, lanes) + laying
        cycles[True, True] = _cycles(_whole_tiles(channels * size), outputs, lanes) + laying * panels + turning
    return min((cost, way) for way, cost in cycles.items())


def _joined(blocks, tables):
    """The tables one after the other, each of them once: (places of a, places of b, bounds, strips)."""
    numbers, kept, strips = {}, [], []
    for (_, first, last), (start, *table) in zip(blocks, tables, strict=True):
        number = numbers.setdefault(tuple(column.tobytes() for column in table), len(numbers))
        if number == len(kept):
            kept.append(table)
        strips.append(Strip(number, start, first, last - first))
    counts, a, b = (np.concatenate(column) for column in zip(*kept, strict=True))
    return a, b, np.concatenate([[0], np.cumsum(counts)]), np.array(strips)


def grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize):
    images, _, *sizes = x_shape
    outputs, channels, *kernel = out_shape
    outputs //= groups
    grid = g_shape[2:]
    lanes = VECTOR_BYTES // itemsize
    pixels, size, x_plane = prod(grid), prod(kernel), prod(sizes)
    lines = size // kernel[-1]
    movement = (sizes, kernel, stride, padding[::2], dilation)
    cycles, (laid, turned) = _fastest(channels, outputs, kernel, grid, stride, dilation, lanes)

    most = WINDOW_PIXELS if laid else PIXELS
    few_sums = prod(out_shape) * itemsize <= FEW_SUMS_BYTES
    if images * pixels <= SHORT_SUM or (groups > 1 and few_sums):
        most = FEW_PIXELS
    cuts = _cuts(grid, most)
    block = _even(images, most // pixels)
    units = _ceil(images, block) * len(cuts)
    # The last block may hold fewer images: one more strip.
    blocks = [(block, *cut) for cut in cuts] + [(images % block, *cuts[0])] * (images % block > 0)
    longest = max(last - first for first, last in cuts)
    panel = MAX_VECTORS * lanes
    windows = block * longest * panel if turned else 0  # elements before them
    rows, columns, taps, row_plane, packed = channels, outputs, size, x_plane, windows
    if laid:
        span, pitch = (min(grid[-1], most) - 1) * stride[-1] + kernel[-1], channels * lines
        rows, columns, taps, row_plane = outputs, channels * size, 1, pixels
        packed += block * _ceil(longest, grid[-1]) * span * pitch + panel
        tables = _window_tables(blocks, grid[-1], outputs * groups * pixels, span, stride[-1])
        if turned:
            rows, columns, row_plane = _whole_tiles(columns), rows, 1
            tables = _packed_tables(tables, pitch, windows, panel)
        else:
            tables = ((start, count, place, number * pitch) for start, count, place, number in tables)
    else:
        tables = _tap_tables(blocks, grid, channels * groups * x_plane, *movement)
        tables = ((start, count, place, number * panel) for start, count, place, number in tables)
    a_offset, b_offset, bounds, strips = _joined(blocks, tables)
    inside, line = _positions(np.unravel_index(np.arange(pixels // grid[-1]), grid[:-1]), *movement)

    vectors, tiles = _ceil(columns, lanes), _ceil(rows, MAX_ROWS)
    column_chunks = _ceil(vectors, MAX_VECTORS) if turned else 1
    wanted = _ceil(TASKS, groups * column_chunks)
    sums = rows * taps * _ceil(vectors, column_chunks) * VECTOR_BYTES
    row_chunks = min(tiles, max(1, min(wanted, rows * taps // LEAST_ROWS), _ceil(sums, SUMS_BYTES)))
    adding_chunks = min(tiles, wanted)
    chunks = groups * column_chunks * row_chunks
    parts = _ceil(TASKS, chunks)
    if few_sums:
        parts = max(parts, isqrt(units))  # the sums of blocks are themselves summed in blocks
    parts = min(units, parts)
    scheme = Scheme(
        laid, turned, images, block, len(cuts), parts, groups,
        rows, tiles, row_chunks, adding_chunks, row_plane, columns, vectors, column_chunks, taps,
        channels, outputs, x_plane, sizes[-1], pixels, grid[-1], stride[-1], padding[-2], kernel[-1], lines,
        windows, packed,
    )  # fmt: skip
    record = np.array([scheme], [(name, np.int64) for name in scheme._fields])
    return Plan(
        laid,
        turned,
        parallel=prod(g_shape) * channels * size >= SERIAL_WORK,
        pieces=(chunks * parts, groups * column_chunks * adding_chunks) if parts > 1 else (chunks,),
        partial=parts * groups * rows * taps * vectors * lanes if parts > 1 else 0,
        cost=images * pixels * groups * cycles * (1 if laid else _inside(sizes, grid, *movement[1:])),
        tables=(a_offset, b_offset, bounds, strips, np.where(inside, line * sizes[-1], -1).T.copy(), record),
    )
