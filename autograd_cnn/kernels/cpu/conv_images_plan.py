"""Plans whose vectors run over images.

The source is turned to [channel][pixel][image].  Each point of the result reads only the taps inside the image:
no padding is stored or multiplied, and stride and dilation are only other tables.  Neighbouring points with the
same taps make one run of vectors; for that the pixels of one phase of the stride lie one after the other.
"""

from itertools import product
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
    shares,
    steps,
)

APART = 1.04  # time of a tile whose neighbouring pixels share no cache lines
# Cycles to turn a vector of the source, of the result, and to begin with an image's line of the result.
READING, WRITING, LINE = 10, 20, 30
SETS = 64  # of an L1 cache: lines that far apart share a set
ROWS = 48  # that the pixels of a strip are worth reading for


class _Order:
    """The order of an axis' elements and points in memory, and what each point meets there."""

    def __init__(self, axis):
        reads = axis.reads()
        used = sorted({s for met in reads for s in met.values()}, key=lambda s: (axis.source_phase(s), s))
        place = {s: number for number, s in enumerate(used)}
        self.places = max(len(used), 1)
        self.place = np.array([place.get(s, -1) for s in range(axis.size)])
        self.points = sorted(range(axis.points), key=lambda p: (axis.point_phase(p), p))
        self.slot = np.argsort(self.points)
        self.meets = [tuple((i, place[s]) for i, s in met.items()) for met in reads]

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


def _strips(problem, block, blocks):
    """Into how many strips the lines of points are cut: each turns whole vectors, and has not more sums than fit."""
    *outer, width = problem.result
    lines = prod(outer)
    least = min(ceil_div(problem.lanes, width), lines)
    strip = max(least, ceil_div(lines, ceil_div(TASKS, blocks * problem.groups)))
    while strip > least and strip * width * block * min(problem.rows, ROWS) > TILE_SIZE:
        strip -= 1
    return ceil_div(lines, strip)


def _span(elements, channels, lanes):
    """Channels turned at once, so that few vectors are filled in part."""
    spans = [span for span in (1, 2, 4, 8, 16) if span <= channels]
    return next((s for s in spans if ceil_div(s * elements, lanes) * lanes <= 1.05 * s * elements), spans[-1])


def _distance(vectors, across):
    """Distance of two channels, so that the `across` vectors that a tile reads of each fall into other cache sets."""
    across = min(across, SETS // 2 - 1)
    while vectors % 2 == 0 or not across <= vectors % SETS <= SETS - across:
        vectors += 1
    return vectors


def _padded(table, lanes):
    """The table, and a vector of entries after it that may be read, but are not used."""
    return np.concatenate([np.asarray(table, np.int64).reshape(-1), np.zeros(lanes, np.int64)])


def _run(problem, axes, places, block):
    """(place, taps) of a point, where its taps meet (tap, place) along each axis: the taps relative to the place."""
    if not all(axes):
        return 0, ()
    start = flat([meets[0][1] for meets in axes], places)
    taps = []
    for pairs in product(*axes):
        number, place = zip(*pairs, strict=True)
        taps.append((flat(number, problem.kernel), (flat(place, places) - start) * block))
    return start * block, tuple(taps)


def _inward(orders, places, block):
    """Where each element of a channel of the source goes; those that no point reads go after the others."""
    number = np.zeros((), np.int64)
    read = np.ones((), bool)
    for order, size in zip(orders, places, strict=True):
        number = number[..., None] * size + order.place
        read = read[..., None] & (order.place >= 0)
    return np.where(read, number, prod(places)).reshape(-1) * block, not read.all()


def by_images(problem):
    """(estimate of the time, Plan)."""
    lanes = problem.lanes
    block = _block(problem.images, lanes)
    blocks = ceil_div(problem.images, block)
    orders = [_Order(axis) for axis in problem.axes]
    places = [order.places for order in orders]
    inward, unread = _inward(orders, places, block)
    across = MAX_VECTORS + (problem.kernel[-1] - 1) * block // lanes
    b_channel = _distance((prod(places) + unread) * block // lanes, across) * lanes
    *outer, width = problem.result
    lines = list(everywhere(*outer))
    strips = _strips(problem, block, blocks)
    strip = ceil_div(len(lines), strips)
    sums = strip * width * block
    chunk, count = chunks(problem, blocks * problem.groups * strips, sums)

    tables = Tables(problem, b_channel, depth(problem, block))
    segments = orders[-1].segments()
    runs, bounds = [], []
    for number in range(strips):
        first, last = shares(len(lines), strips, number)
        mine = []
        for row, line in enumerate(lines[first:last]):
            around = [order.meets[p] for order, p in zip(orders, line, strict=False)]
            for slot, length, meets in segments:
                b, taps = _run(problem, (*around, meets), places, block)
                mine.append((b, (row * width + slot) * block, length * block, *tables.add(taps)))
        bounds.append((len(runs), 0, first * width, (last - first) * width))
        runs += merged(mine)
    bounds.append((len(runs), 0, 0, 0))

    channels, rows = problem.channels * problem.groups, problem.rows * problem.groups
    span = _span(inward.size, channels, lanes)
    inward = np.arange(span)[:, None] * b_channel + inward
    result_span = _span(prod(problem.result), chunk, lanes) if strips == 1 else 1
    outward = (np.arange(strip)[:, None] * width + orders[-1].slot) * block
    outward = np.arange(result_span)[:, None] * sums + outward.reshape(-1)
    layout = Layout(
        *problem.numbers, block=block, by_images=True, b_channel=b_channel, b_image=0, source_step=1, result_step=1,
        span=span, result_span=result_span, sums=sums, sums_image=0, depth=tables.depth, chunk=chunk, chunks=count,
        strips=strips, own=0,
    )  # fmt: skip
    cost = blocks * problem.channels * rows * steps(runs, lanes) / 2 * APART
    cost += blocks * channels * prod(problem.source) * block / lanes * READING
    cost += blocks * block * rows * (prod(problem.result) / lanes * WRITING + strips * LINE)
    return cost, Plan(
        packs=blocks * ceil_div(channels, span),
        turns=problem.turns,
        pieces=blocks * problem.groups * strips * count,
        packed=blocks * channels * b_channel,
        tail=0,
        work=multiplications(problem),
        tables=(record(layout), *tables.arrays(), integers(runs, 5), integers(bounds, 4), _padded(inward, lanes),
                _padded(outward, lanes)),
    )  # fmt: skip
