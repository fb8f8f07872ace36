"""Plans whose vectors run over the pixels of a line.

Images are packed with their padding into lines of one pitch, and split by stride: pixels that a stride reads one
after the other lie one after the other.  The pixels of a channel then form one line, in which point q of the
result reads each tap at q + a constant.  The few points that lie between two lines of the result are computed and
left out when sums are written to their place.

Where channels are few, lines are rather copied, once for each tap along them: then there are no such points, sums are
written a plane at a time, and vectors begin where cache lines do.
"""

from itertools import product
from math import prod

from autograd_cnn.kernels.cpu.conv_axis import PaddedAxis, ceil_div, everywhere, flat
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

PIXELS = 256, 1024  # of a piece: at least and at most
REPACKED = 32  # rows of a piece from which it packs its pixels itself, even where other rows need them too
COPYING = 18, 5  # cycles to begin a line, and for each of its vectors


def _copying(lengths, lanes):
    start, each = COPYING
    return sum(start + each * ceil_div(length, lanes) for length in lengths)


def _budget(problem):
    """Points of a piece: as many as leave room for the sums of all rows."""
    least, most = PIXELS
    return min(max(TILE_SIZE // problem.rows, least), most)


class _Packed:
    """Where the pixels of `block` images lie in a packed channel: [phase][image][z][y][x]."""

    def __init__(self, problem, copied):
        self.problem = problem
        *outer, x = problem.axes
        self.axes = [*map(PaddedAxis.of, outer), PaddedAxis.copied(x) if copied else PaddedAxis.of(x)]
        self.pitches = [axis.places() for axis in self.axes]
        self.pitch = self.pitches[-1]
        self.image = prod(self.pitches)
        self.phases = list(product(*(axis.source_phases() for axis in self.axes)))
        self.points = list(product(*(axis.phases for axis in self.axes)))  # by phase

        planes = sum(z.points for z, _, _ in self.points)
        self.height = max(y.points for _, y, _ in self.points)
        budget = _budget(problem)
        self.strips = min(ceil_div(self.height * planes * self.pitch, budget + budget // 2), self.height)
        block = 1
        if self.strips == 1:
            wanted = ceil_div(problem.images * problem.groups, TASKS)
            block = max(1, min(budget // (self.height * planes * self.pitch), wanted))
        self.blocks = ceil_div(problem.images, block)
        self.block = ceil_div(problem.images, self.blocks)
        self.line = self.block * self.image
        self.channel = len(self.phases) * self.line

    @property
    def tail(self):
        """Elements after the last line that may be read: zeros, and what the last vector covers."""
        distances = prod(self.pitches[1:]), self.pitch, 1
        reach = sum(
            max(phase.reach for phase in axis.phases) * distance
            for axis, distance in zip(self.axes, distances, strict=True)
        )
        return reach + self.image + MAX_VECTORS * self.problem.lanes

    def moves(self, wanted):
        """How one image of a channel is packed: (place, start in the source, first, last, length) of wanted lines."""
        *outer, x = self.axes
        lines = []
        for number, phase in enumerate(self.phases):
            shift = phase[-1] - x.before
            first = max(0, ceil_div(-shift, x.stride))
            last = max(first, min(self.pitch, (x.size - 1 - shift) // x.stride + 1))
            for place in everywhere(*self.pitches[:-1]):
                target = number * self.line + flat((*place, 0), self.pitches)
                if target // self.pitch not in wanted:
                    continue
                element = [r * axis.stride + a - axis.before for r, axis, a in zip(place, outer, phase, strict=False)]
                inside = all(0 <= e < axis.size for e, axis in zip(element, outer, strict=True))
                start = flat(element, [axis.size for axis in outer]) * x.size + shift
                bounds = (start, first, last) if inside else (0, 0, 0)
                lines.append((target, *bounds, self.pitch))
        return _merged_moves(lines) if x.stride == 1 else lines

    def table(self, tables, points):
        """The table of taps of the points of one phase."""
        taps = []
        for tap in product(*(phase.taps for phase in points)):
            number, phase, shift = zip(*tap, strict=True)
            place = self.phases.index(phase) * self.line + flat(shift, self.pitches)
            taps.append((flat(number, self.problem.kernel), place))
        return tables.add(tuple(taps))

    def wanted(self, runs, tables):
        """The lines of a packed channel that runs read.  What is after the channel is the beginning of the next one."""
        if self.strips == 1:
            return range(self.channel // self.pitch)
        lines = set()
        for start, length, table, taps in runs:
            for tap in tables.places(table, taps):
                lines.update(range((start + tap) // self.pitch, (start + tap + length - 1) // self.pitch + 1))
        return {line % (self.channel // self.pitch) for line in lines}

    def strip(self, number, tables):
        """Runs (place, length, table, taps) of one image, and lines (run, place in it, place in the result, points)."""
        runs, lines = [], []
        for points in self.points:
            z, y, x = points
            first, last = shares(y.points, self.strips, number)
            for plane in range(z.points if first < last else 0):
                length = (last - first - 1) * self.pitch + x.points
                runs.append((flat((plane, first, 0), self.pitches), length, *self.table(tables, points)))
                for row in range(first, last):
                    corner = z.start + plane * z.step, y.start + row * y.step, x.start
                    place = flat(corner, self.problem.result)
                    lines.append((len(runs) - 1, (row - first) * self.pitch, place, x.points))
        return runs, lines


class _Sums:
    """Where the sums of a strip lie: in one run of vectors over all images of a block, or in a run for each."""

    def __init__(self, packed, strips, lanes):
        self.packed, self.lanes = packed, lanes
        self.between = (packed.block - 1) * packed.image
        alone = max(sum(self._vectors(length) for _, length, *_ in runs) for runs, _ in strips)
        together = max(sum(self._vectors(length + self.between) for _, length, *_ in runs) for runs, _ in strips)
        self.joined = together <= packed.block * alone
        self.image = packed.image if self.joined else alone * lanes
        self.size = (together if self.joined else packed.block * alone) * lanes

    def _vectors(self, length):
        return ceil_div(length, self.lanes)

    def place(self, runs, lines, step):
        """The runs and lines of a strip with their places among the sums."""
        placed, starts, position = [], [], 0
        for b, length, *table in runs:
            starts.append(position)
            if self.joined:
                placed.append((b, position, length + self.between, *table))
                position += self._vectors(length + self.between) * self.lanes
            else:
                images = range(self.packed.block)
                placed += [(n * self.packed.image + b, n * self.image + position, length, *table) for n in images]
                position += self._vectors(length) * self.lanes
        lines = [(starts[run] + c, place, points) for run, c, place, points in lines]
        return merged(placed), _merged_lines(lines) if step == 1 else lines


def by_lines(problem, copied=False):
    """(estimate of the time, Plan).  copied: whether each tap along a line reads a line of its own."""
    lanes = problem.lanes
    packed = _Packed(problem, copied)
    tables = Tables(problem, packed.channel, depth(problem, 1, copied))
    strips = [packed.strip(number, tables) for number in range(packed.strips)]
    sums = _Sums(packed, strips, lanes)
    x = problem.axes[-1]
    step = x.stride if x.transposed else 1
    pieces = packed.blocks * problem.groups * packed.strips
    chunk, count = chunks(problem, pieces, sums.size)
    own = tables.depth * packed.channel + packed.tail if count == 1 or chunk >= REPACKED else 0
    everything = range(packed.channel // packed.pitch)
    runs, lines, moves, bounds = [], [], [], []
    for strip in strips:
        new_runs, new_lines = sums.place(*strip, step)
        new_moves = packed.moves(packed.wanted(strip[0], tables) if own else everything)
        bounds.append((len(runs), len(lines), len(moves), len(moves) + len(new_moves)))
        runs += new_runs
        lines += new_lines
        moves = moves + new_moves if own else new_moves
    bounds.append((len(runs), len(lines), 0, 0))
    channels, rows = problem.channels * problem.groups, problem.rows * problem.groups
    source_step = packed.axes[-1].stride
    layout = Layout(
        *problem.numbers, block=packed.block, by_images=False, b_channel=packed.channel, b_image=packed.image,
        source_step=source_step, result_step=step, span=1, result_span=1, sums=sums.size, sums_image=sums.image,
        depth=tables.depth, chunk=chunk, chunks=count, strips=packed.strips, own=own,
    )  # fmt: skip
    cost = packed.blocks * problem.channels * rows * steps(runs, lanes) / 2
    images = packed.blocks * packed.block
    cost += images * channels * _copying((source_step * length for *_, length in moves), lanes)
    cost += images * rows * _copying((points for *_, points in lines), lanes)
    return cost, Plan(
        packs=0 if own else packed.blocks * channels,
        turns=problem.turns,
        pieces=pieces * count,
        packed=0 if own else packed.blocks * channels * packed.channel + packed.tail,
        tail=packed.tail,
        work=multiplications(problem),
        tables=(record(layout), *tables.arrays(), integers(runs, 5), integers(bounds, 4),
                integers(moves, 5).reshape(-1), integers(lines, 3).reshape(-1)),
    )  # fmt: skip


def _merged_lines(lines):
    """Lines (place among the sums, place in the result, points), neighbours in both made one."""
    whole = []
    for c, place, points in lines:
        if whole:
            last_c, last_place, last_points = whole[-1]
            if (c, place) == (last_c + last_points, last_place + last_points):
                whole[-1] = last_c, last_place, last_points + points
                continue
        whole.append((c, place, points))
    return whole


def _merged_moves(moves):
    """Lines without padding that follow each other in the source as well, made one."""
    whole = []
    for place, start, first, last, length in moves:
        if whole and (first, last) == (0, length):
            last_place, last_start, last_first, last_last, last_length = whole[-1]
            full = (last_first, last_last) == (0, last_length)
            if full and (place, start) == (last_place + last_length, last_start + last_length):
                whole[-1] = last_place, last_start, 0, last_length + length, last_length + length
                continue
        whole.append((place, start, first, last, length))
    return whole
