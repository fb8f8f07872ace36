"""Kernels over lists of arrays, which are found by address: one call whatever the number of arrays.

A kernel that took a list of arrays would be compiled anew for each length of the list, and NumPy takes a
microsecond to tell one address.  So the kernel gets the addresses of the array objects, which are their `id`, and
reads there where their data lie: behind Python's object header, as NumPy's `PyArrayObject_fields` has it, a struct
that compiled extensions rely on and which therefore stays.  The caller holds the arrays during the call.
"""

from functools import lru_cache

import numpy as np
from numba import prange
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

HEADER = object.__basicsize__  # bytes of a Python object before what is its own
PART = 8192  # elements of a task
SETTINGS = 10  # numbers that a rule gets
_NONE = (0.0,) * SETTINGS

_LIKE = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


class ArrayTable:
    """Equally long lists of contiguous arrays of one float dtype, to be changed; those at one position have one size.

    The table holds the arrays, and so their addresses, as long as it lives.
    """

    __slots__ = ("addresses", "columns", "ends", "in_turn", "like", "memory")

    def __init__(self, columns):
        first = columns[0]
        self.columns = columns
        self.like = _LIKE[first[0].dtype]
        self.ends, total = _ends(tuple([array.size for array in first]))
        # Row 1 is left free for what differs from call to call.
        self.addresses = np.zeros((len(columns) + 1, len(first)), np.int64)
        self.addresses[0] = [*map(id, first)]
        for row, column in enumerate(columns[1:], 2):
            self.addresses[row] = [*map(id, column)]
        starts = _starts(self.addresses)
        self.in_turn = total < GRAIN or _overlap(self._intervals(starts[:1]))
        self.memory = None  # that of all arrays, once it was asked for

    def _intervals(self, starts):
        """Where the arrays that start there lie: their starts in order, and the furthest end of those up to each."""
        sizes = np.broadcast_to(np.diff(self.ends) * self.like.itemsize, starts.shape)
        starts, sizes = starts[sizes > 0], sizes[sizes > 0]
        order = starts.argsort()
        return np.stack([starts[order], np.maximum.accumulate((starts + sizes)[order])])

    def within(self, table, arrays):
        """The first of `arrays`, as large as those of `table`, that shares memory with what a kernel changes; or -1."""
        if self.memory is None:
            self.memory = self._intervals(np.delete(_starts(self.addresses), 1, 0))
        addresses = table.addresses[1]
        addresses[:] = [*map(id, arrays)]
        return _first_within(self.memory, addresses, table.ends, table.like.itemsize)

    def __reduce__(self):
        return ArrayTable, (self.columns,)  # a copy has other arrays, and so other addresses


class ListKernel:
    """`kernel(table, arrays, *settings)` from a `rule(addresses, t, start, count, like, settings)`.

    `arrays` are as the lists of the table, whose row 1 they become.  The rule is called for `count` elements from
    `start` on of the arrays at position t, with SETTINGS numbers, of which those not given are 0.  Tasks are equal
    parts of all elements, so it does not matter how large single arrays are; where those to be changed overlap, one
    thread takes them in turn.  Of a rule only a serial kernel is compiled: all share one loop, which calls it by its
    address.
    """

    __slots__ = ("codes", "rule")

    def __init__(self, rule):
        self.rule = serial(rule)
        self.codes = {}

    def __call__(self, table, arrays, *settings):
        table.addresses[1] = [*map(id, arrays)]
        self.run(table.addresses, table.ends, table.like, table.in_turn, settings)

    def on(self, arrays, *settings):
        """The same for one contiguous array and others, which must not overlap it, a list each; without a table."""
        first = arrays[0]
        ends, total = _ends((first.size,))
        addresses = np.array([[id(array)] for array in arrays])
        self.run(addresses, ends, _LIKE[first.dtype], total < GRAIN, settings)

    def run(self, addresses, ends, like, in_turn, settings):
        numbers = (*map(float, settings), *_NONE[len(settings) :])
        code = self.codes.get(like.dtype)
        if code is None:
            code = self.codes[like.dtype] = address_of(self.rule, addresses, 0, 0, 0, like, numbers)
        (_each_part.serial if in_turn else _each_part.parallel)(code, addresses, ends, like, numbers)


@lru_cache(maxsize=1024)
def _ends(sizes):
    """Where arrays of these sizes end if they lie one behind the other, from 0 on, and the size of all."""
    ends = np.cumsum((0, *sizes), dtype=np.int64)
    return ends, int(ends[-1])


@adaptive
def _each_part(rule, addresses, ends, like, settings):
    size = ends[-1]
    for part in prange((size + PART - 1) // PART):
        place = np.int64(part) * PART
        stop = min(place + PART, size)
        t = np.searchsorted(ends, place, "right") - 1
        while place < stop:
            end = min(stop, ends[t + 1])
            call(rule, (addresses, t, place - ends[t], end - place, like, settings))
            place = end
            t += 1


@serial
def _starts(addresses):
    """Where the data of the array objects at `addresses` lie; 0 where there is none."""
    starts = np.zeros_like(addresses)
    for row in range(addresses.shape[0]):
        for t in range(addresses.shape[1]):
            if addresses[row, t] != 0:
                starts[row, t] = data_of(addresses[row, t])
    return starts


def _overlap(intervals):
    starts, furthest = intervals
    return bool((starts[1:] < furthest[:-1]).any())


@serial
def _first_within(intervals, addresses, ends, itemsize):
    """The first of the arrays at `addresses` that reaches into one of the intervals, or -1."""
    starts, furthest = intervals[0], intervals[1]
    for t in range(addresses.size):
        size = (ends[t + 1] - ends[t]) * itemsize
        if size != 0:
            start = data_of(addresses[t])
            before = np.searchsorted(starts, start + size)  # intervals that begin before the array ends
            if before != 0 and furthest[before - 1] > start:
                return t
    return -1


def _data(context, builder, address):
    place = builder.add(address, context.get_constant(types.intp, HEADER))
    return builder.load(builder.inttoptr(place, cgutils.intp_t.as_pointer()))


@intrinsic
def data_of(typingctx, address):
    """The address of the data of the array object at `address`."""

    def codegen(context, builder, signature, arguments):
        return _data(context, builder, arguments[0])

    return types.intp(types.intp), codegen


@intrinsic
def part_of(typingctx, address, start, count, like):
    """`count` elements from `start` on of the contiguous array object at `address`, of the dtype of `like`."""
    if not (isinstance(like, types.Array) and like.ndim == 1 and like.layout == "C"):
        raise TypingError("part_of makes arrays of one dimension")

    def codegen(context, builder, signature, arguments):
        address, start, count, _ = arguments
        kind = signature.return_type
        first = builder.inttoptr(_data(context, builder, address), context.get_data_type(kind.dtype).as_pointer())
        itemsize = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
        shape, strides = (cgutils.pack_array(builder, [n]) for n in (count, itemsize))
        array = make_array(kind)(context, builder)
        data = builder.gep(first, [start])
        populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
        return array._getvalue()

    return like(types.intp, types.intp, types.intp, like), codegen
