"""How a convolution is cut up: where pixels are packed, what each piece of work reads, sums and writes.

Everything here is a function of shapes alone, computed once for each, so that results are the same bits whatever
the number of threads.
"""

from math import ceil, prod, sqrt
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from autograd_cnn.kernels.cpu.conv_axis import ceil_div
from autograd_cnn.kernels.cpu.microkernel import DEPTH, MAX_ROWS, MAX_VECTORS, VECTOR_BYTES

TASKS = 16  # pieces that a large problem is cut into
TILE_SIZE = 1 << 16  # elements of the sums of a piece: they stay in the L2 cache
TILE_LINES = 340  # cache lines that a tile may read of one block of the contraction: they stay in the L1 cache
FEW_CHANNELS = 8  # that are summed in one go, whatever the size of their kernel
LEAST_DEPTH = 16  # steps of a contraction below which bringing the sums back costs too much
LONE_VECTOR = 1.4  # cost of a tile of one vector: too few sums are under way to hide an addition's latency


def lifted(stride, padding, dilation, *arrays):
    """Arrays of one spatial axis as arrays of two, the first of size 1."""
    if len(stride) > 1:
        return stride, padding, dilation, *arrays
    return (1, *stride), (0, 0, *padding), (1, *dilation), *(array[:, :, None] for array in arrays)


class Correlation(NamedTuple):
    """result[n, row, point] = the sum over channels and taps of weight * source, once for each group."""

    images: int
    groups: int
    channels: int  # of the source, a group
    rows: int  # channels of the result, a group
    axes: tuple
    a_channel: int  # distances in the weight
    a_lane: int
    a_group: int
    turned: bool  # whether the weight is first turned to [row][channel][tap], the last tap first
    lanes: int  # of a vector

    @property
    def float32(self):
        return self.lanes * 4 == VECTOR_BYTES

    @property
    def kernel(self):
        return [axis.kernel for axis in self.axes]

    @property
    def source(self):
        return [axis.size for axis in self.axes]

    @property
    def result(self):
        return [axis.points for axis in self.axes]

    @property
    def numbers(self):
        """The first fields of a Layout."""
        channels = self.images, self.groups, self.channels, self.rows
        weight = prod(self.kernel), self.a_channel, self.a_lane, self.a_group
        return *channels, *weight, prod(self.source), prod(self.result)

    @property
    def turns(self):
        return self.rows * self.groups if self.turned else 0


class Layout(NamedTuple):
    """The numbers that the kernels need."""

    images: int
    groups: int
    channels: int
    rows: int
    taps: int
    a_channel: int
    a_lane: int
    a_group: int
    source_plane: int  # elements of a channel
    result_plane: int
    block: int  # images packed together
    by_images: int  # vectors run over images, not over the pixels of a line
    b_channel: int  # elements of a packed channel
    b_image: int  # distance of the images of a block in a packed channel, where vectors run over pixels
    source_step: int  # between neighbours in a packed line
    result_step: int
    span: int  # channels packed at once, where vectors run over images
    result_span: int
    sums: int  # elements of a row of sums
    sums_image: int
    depth: int  # channels of one block of the contraction
    chunk: int  # rows of a piece
    chunks: int
    strips: int
    own: int  # elements of scratch memory of a piece that packs its pixels itself, else 0


class Plan(NamedTuple):
    """The arguments of the kernels after the arrays."""

    packs: int  # pieces of packing
    turns: int  # rows of the weight to be turned
    pieces: int
    packed: int  # elements of scratch memory, 0 where pieces have their own
    tail: int  # of them, to be zeros
    work: int  # multiplications
    tables: tuple


def record(fields):
    """A NamedTuple of integers as an array of one record: a kernel takes it as one argument."""
    return np.array([fields], [(name, np.int64) for name in fields._fields])


def integers(rows, width):
    return np.array(rows, np.int64).reshape(-1, width)


def chunks(problem, others, sums):
    """Rows of a piece and their number, where `others` pieces have `sums` elements of sums a row."""
    most = max((TILE_SIZE + TILE_SIZE // 8) // sums, MAX_ROWS)
    count = max(ceil_div(problem.rows, most), ceil_div(TASKS, others))
    chunk = max(ceil_div(problem.rows, count), min(problem.rows, MAX_ROWS))
    return chunk, ceil_div(problem.rows, chunk)


def shares(total, parts, number):
    """Where part `number` of `parts` equal ones begins and ends."""
    return number * total // parts, (number + 1) * total // parts


def depth(problem, apart, copied=False):
    """Channels of one block of the contraction: blocks of equal size.

    Where n products are summed d by d, the square of the error grows with d / 2 + n / 2d: least for d the root of n.
    Neighbouring pixels are `apart` elements; where lines are `copied`, the taps of a line share no pixels.
    """
    *outer, x = problem.kernel
    lines = prod(outer) * (MAX_VECTORS + ceil_div((x - 1) * apart, problem.lanes) + (x > 1 and apart == 1))
    if copied:
        lines = prod(problem.kernel) * MAX_VECTORS
    taps = prod(max(map(len, axis.reads()), default=1) or 1 for axis in problem.axes)  # that a point meets
    wanted = min(max(ceil(sqrt(problem.channels * taps)), LEAST_DEPTH), DEPTH)
    few = FEW_CHANNELS if taps > 1 else 1
    most = max(min(max(wanted // taps, few), TILE_LINES // lines), 1)
    return ceil_div(problem.channels, ceil_div(problem.channels, most))


class Tables:
    """Tables of taps for one block of channels, each kept once."""

    def __init__(self, problem, b_channel, depth):
        self.problem = problem
        self.b_channel = b_channel
        self.depth = depth
        self.a, self.b = [], []
        self.found = {}

    def add(self, taps):
        """(first entry, entries of a channel) of the table of taps: (place in the weight, in the packed channel).

        Pixels are read in the order in which they lie: what is read next is then on its way already.
        """
        if taps not in self.found:
            pairs = np.array(sorted(taps, key=itemgetter(1)), np.int64).reshape(-1, 2)
            if self.problem.turned:
                pairs[:, 0] = prod(self.problem.kernel) - 1 - pairs[:, 0]
            channel = np.arange(self.depth)[:, None]
            self.found[taps] = sum(map(len, self.a)), len(taps)
            self.a.append((channel * self.problem.a_channel + pairs[:, 0]).reshape(-1))
            self.b.append((channel * self.b_channel + pairs[:, 1]).reshape(-1))
        return self.found[taps]

    def places(self, table, taps):
        """Where the taps of a table lie in the packed channel."""
        return np.concatenate(self.b)[table : table + taps].tolist()

    def arrays(self):
        return np.concatenate([*self.a, np.zeros(1, np.int64)]), np.concatenate([*self.b, np.zeros(1, np.int64)])


def merged(runs):
    """Runs (place in packed memory, place among the sums, length, table, taps), neighbours made one."""
    whole = []
    for run in runs:
        b, c, length, *table = run
        if whole:
            last_b, last_c, last_length, *last_table = whole[-1]
            if (b, c, table) == (last_b + last_length, last_c + last_length, last_table):
                whole[-1] = (last_b, last_c, last_length + length, *table)
                continue
        whole.append(run)
    return whole


def steps(runs, lanes):
    """Multiplications of a vector that runs take for one row and channel."""
    total = 0
    for _, _, length, _, taps in runs:
        vectors = ceil_div(length, lanes)
        total += taps * (vectors + (LONE_VECTOR - 1) * (vectors % MAX_VECTORS == 1 and vectors != MAX_VECTORS + 1))
    return total


def multiplications(problem):
    return (
        prod(problem.result) * prod(problem.kernel) * problem.images * problem.groups * problem.channels * problem.rows
    )
