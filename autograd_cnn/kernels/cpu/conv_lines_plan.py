"""Plans whose vectors run over the pixels of a line.

Images are packed with their padding into lines of one pitch, and split by stride: pixels that a stride reads one
after the other lie one after the other.  The pixels of a channel then form one line, in which point q of the
result reads each tap at q + a constant.  The few points that lie between two lines of the result are computed and
left out when sums are written to their place.
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
    steps,
)

PIXELS = 256, 1024  # of a piece: at least and at most
COPYING = 8, 4  # cycles to copy a line, and for each of its vectors


def _lines(length, lanes):
    start, each = COPYING
    return start + each * ceil_div(length, lanes)


def _moves(axes, phases, pitches, image):
    """How one image of a channel is packed: rows (place, start in the source, first, last, length)."""
    *outer, x = axes
    *outer_pitches, pitch = pitches
    rows = []
    for number, phase in enumerate(phases):
        for place in everywhere(*outer_pitches):
            element = [r * axis.stride + a - axis.before for r, axis, a in zip(place, outer, phase, strict=False)]
            shift = phase[-1] - x.before
            first, last = max(0, ceil_div(-shift, x.stride)), min(pitch, (x.size - 1 - shift) // x.stride + 1)
            start = flat(element, [axis.size for axis in outer]) * x.size + shift
            if not all(0 <= e < axis.size for e, axis in zip(element, outer, strict=True)):
                start, first, last = 0, 0, 0
            rows.append((number, flat(place, outer_pitches) * pitch, start, first, max(last, first)))
    return rows


def by_lines(problem):
    """(estimate of the time, Plan)."""
    lanes = problem.lanes
    axes = [PaddedAxis.of(axis) for axis in problem.axes]
    pitches = [axis.places() for axis in axes]
    pitch = pitches[-1]
    phases = list(product(*(axis.source_phases() for axis in axes)))
    groups_of_points = list(product(*(axis.phases for axis in axes)))
    image = prod(pitches)
    height = max(phase.points for phase in axes[1].phases)
    deep = sum(prod(p.points for p in points[:1]) for points in groups_of_points)
    budget = min(max(TILE_SIZE // problem.rows, PIXELS[0]), PIXELS[1])
    # Points of a line of the result, over all phases.
    each = deep * pitch
    strips = ceil_div(height * each, budget + budget // 2)
    strip = ceil_div(height, strips)
    strips = ceil_div(height, strip)
    block = 1
    if strips == 1:
        block = max(1, min(budget // (height * each), ceil_div(problem.images * problem.groups, TASKS)))
    blocks = ceil_div(problem.images, block)
    block = ceil_div(problem.images, blocks)
    line = block * image
    b_channel = len(phases) * line
    tables = Tables(problem, b_channel)

    def shift(tap):
        phase = phases.index(tuple(a for _, a, _ in tap))
        return phase * line + flat([s for _, _, s in tap], pitches)

    def table(points):
        taps = product(*(phase.taps for phase in points))
        return tables.add(tuple((flat([i for i, _, _ in tap], problem.kernel), shift(tap)) for tap in taps))

    def strip_runs(number):
        """Runs of one image (place, length, table, taps) and lines of it (run, place, place in the result, points)."""
        runs, lines = [], []
        for points in groups_of_points:
            z, y, x = points
            entry = table(points)
            first = min(number * strip, y.points)
            last = min(first + strip, y.points)
            if first == last:
                continue
            for depth_z in range(z.points):
                runs.append((flat((depth_z, first, 0), pitches), (last - first - 1) * pitch + x.points, *entry))
                for j in range(first, last):
                    corner = (z.start + depth_z * z.step, y.start + j * y.step, x.start)
                    lines.append((len(runs) - 1, (j - first) * pitch, flat(corner, problem.result), x.points))
        return runs, lines

    per_strip = [strip_runs(number) for number in range(strips)]
    one_vector = max(sum(ceil_div(length, lanes) for _, length, *_ in runs) for runs, _ in per_strip)
    together = max(
        sum(ceil_div((block - 1) * image + length, lanes) for _, length, *_ in runs) for runs, _ in per_strip
    )
    joined = together <= block * one_vector
    sums_image = image if joined else one_vector * lanes
    sums = (together if joined else block * one_vector) * lanes
    chunk, count = chunks(problem, blocks * problem.groups * strips, sums)
    all_runs, all_lines, bounds = [], [], []
    x_step = problem.axes[-1].stride if problem.axes[-1].transposed else 1
    for runs, lines in per_strip:
        bounds.append((len(all_runs), len(all_lines), 0, 0))
        starts, position = [], 0
        mine = []
        for b, length, *entry in runs:
            starts.append(position)
            if joined:
                length += (block - 1) * image
                mine.append((b, position, length, *entry))
            else:
                mine += [(n * image + b, n * sums_image + position, length, *entry) for n in range(block)]
            position += ceil_div(length, lanes) * lanes
        all_runs += merged(mine)
        all_lines += _merged_lines(((starts[run] + c, place, points) for run, c, place, points in lines), x_step)
    bounds.append((len(all_runs), len(all_lines), 0, 0))

    step = axes[-1].stride
    moves = [(phase * line + place, start, first, last, pitch) for phase, place, start, first, last in
             _moves(axes, phases, pitches, image)]  # fmt: skip
    moves = _merged_moves(moves, step)
    channels = problem.channels * problem.groups
    layout = Layout(
        problem.images, problem.groups, problem.channels, problem.rows, problem.a_channel, problem.a_lane,
        problem.a_group, prod(problem.source), prod(problem.result), block, False, b_channel, image, step, x_step,
        1, 1, sums, sums_image, depth(problem), chunk, count, strips,
    )  # fmt: skip
    cost = blocks * problem.groups * problem.channels * problem.rows * steps(all_runs, lanes) / 2
    cost += blocks * block * channels * sum(_lines(move[-1], lanes) for move in moves)
    cost += blocks * block * problem.rows * problem.groups * sum(_lines(points, lanes) for *_, points in all_lines)
    reach = sum(max(phase.reach for phase in axis.phases) * distance
                for axis, distance in zip(axes, (prod(pitches[1:]), pitch, 1), strict=True))  # fmt: skip
    tail = reach + image + MAX_VECTORS * lanes
    return cost, Plan(
        blocks * channels,
        blocks * problem.groups * strips * count,
        blocks * channels * b_channel + tail,
        tail,
        multiplications(problem),
        (record(layout), *tables.arrays(), integers(all_runs, 5), integers(bounds, 4), integers(moves, 5).reshape(-1),
         integers(all_lines, 3).reshape(-1)),
    )  # fmt: skip


def _merged_lines(lines, step):
    """Lines (place among the sums, place in the result, points), neighbours in both made one."""
    whole = []
    for c, place, points in lines:
        if whole and step == 1:
            last_c, last_place, last_points = whole[-1]
            if (c, place) == (last_c + last_points, last_place + last_points):
                whole[-1] = last_c, last_place, last_points + points
                continue
        whole.append((c, place, points))
    return whole


def _merged_moves(moves, step):
    """Full packed lines that follow each other in the source as well, made one."""
    whole = []
    for place, start, first, last, length in moves:
        if whole and step == 1 and (first, last) == (0, length):
            last_place, last_start, last_first, last_last, last_length = whole[-1]
            full = (last_first, last_last) == (0, last_length)
            if full and (place, start) == (last_place + last_length, last_start + last_length):
                whole[-1] = last_place, last_start, 0, last_length + length, last_length + length
                continue
        whole.append((place, start, first, last, length))
    return whole


def in_place(problem):
    """(estimate of the time, Plan) where point p reads element p alone: the source needs no packing.

    What is left of a strip after whole vectors is computed with a vector that begins before it.
    """
    lanes = problem.lanes
    plane = prod(problem.source)
    tile = MAX_VECTORS * lanes
    budget = min(max(TILE_SIZE // problem.rows, PIXELS[0]), PIXELS[1])
    strip = ceil_div(ceil_div(plane, ceil_div(plane, budget + budget // 2)), tile) * tile
    tables = Tables(problem, plane)
    entry = tables.add(((0, 0),))
    runs, lines, bounds = [], [], []
    for start in range(0, plane, strip):
        length = min(strip, plane - start)
        bounds.append((len(runs), len(lines), 0, 0))
        whole, rest = length // lanes * lanes, length % lanes
        if whole:
            runs.append((start, 0, whole, *entry))
            lines.append((0, start, whole))
        if rest:
            runs.append((start + length - lanes, whole, lanes, *entry))
            lines.append((whole + lanes - rest, start + whole, rest))
    strips = len(bounds)
    bounds.append((len(runs), len(lines), 0, 0))
    sums = min(strip, ceil_div(plane, lanes) * lanes)
    chunk, count = chunks(problem, problem.images * problem.groups * strips, sums)
    layout = Layout(
        problem.images, problem.groups, problem.channels, problem.rows, problem.a_channel, problem.a_lane,
        problem.a_group, plane, plane, 1, False, plane, 0, 1, 1, 1, 1, sums, 0, depth(problem), chunk, count, strips,
    )  # fmt: skip
    cost = problem.images * problem.groups * problem.channels * problem.rows * steps(runs, lanes) / 2
    cost += problem.images * problem.rows * problem.groups * sum(_lines(points, lanes) for *_, points in lines)
    nothing = integers([], 1).reshape(-1)
    tables = (record(layout), *tables.arrays(), integers(runs, 5), integers(bounds, 4), nothing,
              integers(lines, 3).reshape(-1))  # fmt: skip
    pieces = problem.images * problem.groups * strips * count
    return cost, Plan(0, pieces, 0, 0, multiplications(problem), tables)
