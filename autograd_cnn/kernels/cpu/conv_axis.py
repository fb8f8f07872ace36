"""The geometry of a convolution along one spatial axis, and of its gradient for the input."""

from itertools import product
from typing import NamedTuple


def ceil_div(a, b):
    return -(-a // b)


class Axis(NamedTuple):
    """Which elements of the source each point of the result reads along one axis.

    Point p reads tap i at element p * stride + i * dilation - before, or, transposed, at element
    (p + before - i * dilation) / stride where that is a whole number.
    """

    size: int  # of the source
    points: int  # of the result
    kernel: int
    before: int  # padding
    stride: int
    dilation: int
    transposed: bool

    def reads(self):
        """For each point the elements inside the source that its taps meet, by tap."""
        taps = [(i, i * self.dilation) for i in range(self.kernel)]
        if self.transposed:
            met = (
                {
                    i: (p + self.before - far) // self.stride
                    for i, far in taps
                    if (p + self.before - far) % self.stride == 0
                }
                for p in range(self.points)
            )
        else:
            met = ({i: p * self.stride + far - self.before for i, far in taps} for p in range(self.points))
        return [{i: s for i, s in elements.items() if 0 <= s < self.size} for elements in met]

    def plain(self):
        """Whether point p reads element p, and nothing else."""
        return self.kernel == 1 and self.stride == 1 and self.before == 0 and self.size == self.points

    def source_phase(self, element):
        """Elements of one phase are read one after the other."""
        return 0 if self.transposed else (element + self.before) % self.stride

    def point_phase(self, point):
        """Points of one phase are read by the same taps."""
        return (point + self.before) % self.stride if self.transposed else 0


class Phase(NamedTuple):
    """Points start, start + step, ... of an axis: the j-th reads each tap at place j + shift of a packed line."""

    points: int
    start: int
    step: int
    taps: tuple  # of (tap, phase of the source, shift)

    @property
    def reach(self):
        return self.points + max((shift for _, _, shift in self.taps), default=0)


class PaddedAxis(NamedTuple):
    """An axis as packed with its padding: place r of phase a is the source's element r * stride + a - before."""

    size: int
    before: int  # negative where the source's first elements are not read
    stride: int
    phases: tuple  # of the points

    @classmethod
    def copied(cls, axis):
        """With a phase for each tap, so that every point reads all taps at its own place; not for transposed axes."""
        taps = tuple((i, i * axis.dilation, 0) for i in range(axis.kernel))
        return cls(axis.size, axis.before, axis.stride, (Phase(axis.points, 0, 1, taps),))

    @classmethod
    def of(cls, axis):
        if not axis.transposed:
            taps = tuple(
                (i, i * axis.dilation % axis.stride, i * axis.dilation // axis.stride) for i in range(axis.kernel)
            )
            return cls(axis.size, axis.before, axis.stride, (Phase(axis.points, 0, 1, taps),))
        found = list(_transposed_phases(axis))
        before = max(before for before, _ in found)
        phases = (
            phase._replace(taps=tuple((i, 0, shift + before - least) for i, _, shift in phase.taps))
            for least, phase in found
        )
        return cls(axis.size, before, 1, tuple(phases))

    def places(self):
        """Least distance of two packed lines: the zeros after one and before the next are shared."""
        end = (self.before + self.size - 1) // self.stride + 1
        zeros = max(self.before, 0) // self.stride
        return max(max(phase.points, min(end, phase.reach), phase.reach - zeros) for phase in self.phases)

    def source_phases(self):
        """The phases of the source that are read."""
        return sorted({tap[1] for phase in self.phases for tap in phase.taps}) or [0]


def _transposed_phases(axis):
    """(padding, Phase) for each phase of the stride, as if it were alone.

    For points with (p + before) % stride = a only taps with i * dilation = a (mod stride) count, and they meet
    element (p + before - a) / stride - (i * dilation - a) / stride.
    """
    for a in range(axis.stride):
        first = max(ceil_div(axis.before - a, axis.stride), 0)
        points = (axis.points - 1 + axis.before - a) // axis.stride + 1 - first
        if points <= 0:
            continue
        back = {
            i: (i * axis.dilation - a) // axis.stride
            for i in range(axis.kernel)
            if i * axis.dilation % axis.stride == a
        }
        furthest = max(back.values(), default=0)
        taps = tuple((i, 0, furthest - shift) for i, shift in back.items())
        yield furthest - first, Phase(points, first * axis.stride + a - axis.before, axis.stride, taps)


def flat(indices, sizes):
    """The number of an element in an array of these sizes."""
    number = 0
    for index, size in zip(indices, sizes, strict=True):
        number = number * size + index
    return number


def everywhere(*ranges):
    return product(*(range(size) for size in ranges))
