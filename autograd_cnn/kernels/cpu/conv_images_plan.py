"""Plans whose vectors run over images.

The source is turned to [channel][pixel][image].  Each point of the result reads only the taps inside the image:
no padding is stored or multiplied, and stride and dilation are only other tables.  Neighbouring points with the
same taps make one run of vectors; for that the pixels of one phase of the stride lie one after the other.
"""

from math import prod

import numpy as np

from autograd_cnn.kernels.cpu.conv_axis import ceil_div, everywhere, flat
from autograd_cnn.kernels.cpu.conv_plan import (
    MAX_VECTORS,
    TASKS,
    TILE_SIZE,
    Layout,
    Plan,
    Tables,
    chunks,
    depth,
    integers,
    merged,
    multiplications,
    record,
    steps,
)

TURNING = 8  # cycles to turn a vector and write it


class _Order:
    """The order of an axis' elements and points in memory, and what each point meets there."""

    def __init__(self, axis):
        reads = axis.reads()
        used = sorted({s for met in reads for s in met.values()}, key=lambda s: (axis.source_phase(s), s))
        self.place = {s: place for place, s in enumerate(used)}
        self.places = max(len(used), 1)
        self.points = sorted(range(axis.points), key=lambda p: (axis.point_phase(p), p))
        self.slot = np.argsort(self.points)
        self.meets = [tuple((i, self.place[s]) for i, s in met.items()) for met in reads]

    def segments(self):
        """(first slot, slots, what the first meets) of points whose taps move on by one place with each."""
        found = []
        for slot, p in enumerate(self.points):
            if found:
                first, length, meets = found[-1]
                if self.meets[p] == tuple((i, place + length) for i, place in meets):
                    found[-1] = first, length + 1, meets
                    continue
            found.append((slot, 1, self.meets[p]))
        return found


def _block(images, lanes):
    """Images packed together: whole vectors, as few as possible without images, at most three."""
    vectors = ceil_div(images, lanes)
    if vectors > MAX_VECTORS:
        vectors = min((2, 3), key=lambda width: (ceil_div(vectors, width) * width, -width))
    return vectors * lanes


def _strip(problem, block, blocks):
    """Lines of points in a piece: enough to turn whole vectors, and not more sums than fit."""
    *outer, width = problem.result
    lines = prod(outer)
    least = min(ceil_div(problem.lanes, width), lines)
    strip = max(least, ceil_div(lines, ceil_div(TASKS, blocks * problem.groups)))
    while strip > least and strip * width * block * min(problem.rows, 48) > TILE_SIZE:
        strip -= 1
    return ceil_div(lines, ceil_div(lines, strip))


def _span(elements, channels, lanes):
    """Channels turned at once, so that few vectors are filled in part."""
    spans = [span for span in (1, 2, 4, 8, 16) if span <= channels]
    return next((s for s in spans if ceil_div(s * elements, lanes) * lanes <= 1.05 * s * elements), spans[-1])


def _padded(table, lanes):
    """The table, and a vector of entries after it that may be read, but are not used."""
    return np.concatenate([np.asarray(table, np.int64).reshape(-1), np.zeros(lanes, np.int64)])


def by_images(problem):
    """(estimate of the time, Plan)."""
    lanes = problem.lanes
    block = _block(problem.images, lanes)
    blocks = ceil_div(problem.images, block)
    orders = [_Order(axis) for axis in problem.axes]
    places = [order.places for order in orders]
    source_plane, result_plane = prod(problem.source), prod(problem.result)
    used = prod(places)
    # Elements that no point reads are written to one place after the others.
    unread = any(len(order.place) < size for order, size in zip(orders, problem.source, strict=True))
    vectors = (used + unread) * block // lanes
    # An odd number of cache lines: the same pixel of many channels does not fall into the same cache sets.
    b_channel = (vectors | 1) * lanes
    strip = _strip(problem, block, blocks)
    *outer, width = problem.result
    lines = list(everywhere(*outer))
    strips = ceil_div(len(lines), strip)
    sums = strip * width * block
    chunk, count = chunks(problem, blocks * problem.groups * strips, sums)

    tables = Tables(problem, b_channel)
    segments = orders[-1].segments()
    runs, bounds = [], []
    for start in range(0, len(lines), strip):
        mine = []
        for number, line in enumerate(lines[start : start + strip]):
            around = [order.meets[p] for order, p in zip(orders, line, strict=False)]
            for slot, length, meets in segments:
                axes = (*around, meets)
                first = [axis[0][1] if axis else 0 for axis in axes]
                taps = [
                    (flat([i for i, _ in tap], problem.kernel),
                     (flat([place for _, place in tap], places) - flat(first, places)) * block)
                    for tap in _product(axes)
                ]  # fmt: skip
                b = flat(first, places) * block if taps else 0
                mine.append((b, (number * width + slot) * block, length * block, *tables.add(tuple(taps))))
        bounds.append((len(runs), 0, start * width, len(lines[start : start + strip]) * width))
        runs += merged(mine)
    bounds.append((len(runs), 0, 0, 0))

    span = _span(source_plane, problem.channels * problem.groups, lanes)
    inward = np.full(problem.source, used * block, np.int64)
    for element in everywhere(*problem.source):
        if all(e in order.place for e, order in zip(element, orders, strict=True)):
            inward[element] = flat([order.place[e] for e, order in zip(element, orders, strict=True)], places) * block
    inward = np.arange(span)[:, None] * b_channel + inward.reshape(-1)
    result_span = _span(result_plane, chunk, lanes) if strips == 1 else 1
    outward = (np.arange(strip)[:, None] * width + orders[-1].slot) * block
    outward = np.arange(result_span)[:, None] * sums + outward.reshape(-1)

    channels = problem.channels * problem.groups
    layout = Layout(
        problem.images, problem.groups, problem.channels, problem.rows, problem.a_channel, problem.a_lane,
        problem.a_group, source_plane, result_plane, block, True, b_channel, 0, 1, 1, span, result_span,
        sums, 0, depth(problem), chunk, count, strips,
    )  # fmt: skip
    cost = blocks * problem.groups * problem.channels * problem.rows * steps(runs, lanes) / 2
    turned = channels * source_plane + problem.rows * problem.groups * result_plane
    cost += blocks * turned * block / lanes * TURNING
    return cost, Plan(
        blocks * ceil_div(channels, span),
        blocks * problem.groups * strips * count,
        blocks * channels * b_channel,
        MAX_VECTORS * lanes,
        multiplications(problem),
        (record(layout), *tables.arrays(), integers(runs, 5), integers(bounds, 4), _padded(inward, lanes),
         _padded(outward, lanes)),
    )  # fmt: skip


def _product(axes):
    """The taps of all axes together: for each a pair (tap, place) of every axis."""
    taps = [()]
    for axis in axes:
        taps = [(*tap, pair) for tap in taps for pair in axis]
    return taps
