"""The vector loops of depthwise convolution with stride 2 onto planes of four columns, and at most four rows.

A vector along one of these rows would be nearly empty; here it takes all of them, or as many as it has lanes for.
Each row of the source is read eight pixels at a time, joined with others, and its even and odd pixels are picked out.
Which rows and pixels lie in the source is the same for every plane: their masks are made once.

`correlate_narrow`   as `correlate` of depthwise_vectors.py
`tap_sums_narrow`    as `tap_sums`
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.masked_rows import Lines, constant, for_each_size
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES, _check, _data, _loop

NARROW_SIZES = (3, 5)  # of kernels
COLUMNS = 4  # of a target, and its rows at most
STRIDE = 2
FETCHED = 64  # pixels that are asked for in advance with each plane: about as many as it has


class _NarrowPlanes:
    """The planes of one channel: what is read where, and under which mask."""

    def __init__(self, builder, dtype, size, height, width, top, left, rows):
        self.builder, self.size = builder, size
        itemsize = dtype.bitwidth // 8
        self.lines = Lines(builder, dtype, max(VECTOR_BYTES, COLUMNS * itemsize))
        self.rows = self.lanes // COLUMNS  # that a vector takes
        pixels = builder.mul(rows, constant(COLUMNS))
        firsts = [constant(first) for first in range(0, COLUMNS**2, self.lanes)]
        self.targets = [(first, self.lines.within(first, pixels)) for first in firsts]
        self.reader = Lines(builder, dtype, STRIDE * COLUMNS * itemsize)
        self.spans = [
            self._row(builder.sub(constant(r), top), height, width, left) for r in range((COLUMNS - 1) * STRIDE + size)
        ]

    @property
    def lanes(self):
        return self.lines.lanes

    def _row(self, y, height, width, left):
        """Where the even taps of row y begin, and the masks of their pixels."""
        inside = self.builder.icmp_unsigned("<", y, height)
        start = self.builder.mul(y, width)
        firsts = [self.builder.sub(constant(tap), left) for tap in range(0, self.size, STRIDE)]
        return [
            (self.builder.add(start, first), self.reader.where(inside, self.reader.within(first, width)))
            for first in firsts
        ]

    def read(self, plane):
        """values[i * size + j][v]: what tap (i, j) reads for vector v of the target."""
        for first in range(0, FETCHED, 64 // self.lines.itemsize):
            self.lines.fetch(plane, constant(first))
        rows = [[self.reader.read(plane, *span) for span in spans] for spans in self.spans]
        return [
            vectors for i in range(self.size) for vectors in self._taps([rows[t * STRIDE + i] for t in range(COLUMNS)])
        ]

    def _taps(self, rows):
        """The taps of one row of the kernel, from the row of the source that each row of the target meets."""
        joined = [
            [self._joined(list(part)) for part in zip(*rows[t : t + self.rows], strict=True)]
            for t in range(0, COLUMNS, self.rows)
        ]
        return [[self._every_second(vector[j // 2], j % 2) for vector in joined] for j in range(self.size)]

    def _joined(self, values):
        while len(values) > 1:
            lanes = range(2 * values[0].type.count)
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [self._shuffled(left, right, lanes) for left, right in pairs]
        return values[0]

    def _every_second(self, value, first):
        return self._shuffled(value, value, range(first, STRIDE * self.lanes, STRIDE))

    def _shuffled(self, left, right, lanes):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
        return self.builder.shuffle_vector(left, right, mask)


@intrinsic
def correlate_narrow(
    typingctx, size, images, source, start, pitch, height, width, weight, tap, top, left,
    added, target, place, target_pitch, rows,
):  # fmt: skip
    """target = added + source correlated with weight[tap:] in steps of STRIDE, for targets of COLUMNS columns.

    `size` is one of NARROW_SIZES.  The first image's source plane begins at `start`, its target plane at `place`.
    """
    _check(source, weight, target)
    integer = types.intp
    planes = (source, *[integer] * 4, weight, *[integer] * 3)
    signature = types.void(integer, integer, *planes, source.dtype, target, *[integer] * 3)

    def codegen(context, builder, signature, arguments):
        size, images, source, start, pitch, height, width, weight, tap, top, left, *rest = arguments
        added, target, place, target_pitch, rows = rest
        kinds = signature.args
        source = builder.gep(_data(context, builder, kinds[2], source), [start])
        weight = builder.gep(_data(context, builder, kinds[7], weight), [tap])
        target = builder.gep(_data(context, builder, kinds[12], target), [place])

        def planes(size):
            narrow = _NarrowPlanes(builder, kinds[2].dtype, size, height, width, top, left, rows)
            lines = narrow.lines
            taps = lines.splats(weight, constant(1), size**2)

            def plane(index, _):
                values = narrow.read(builder.gep(source, [builder.mul(index, pitch)]))
                result = builder.gep(target, [builder.mul(index, target_pitch)])
                for v, spot in enumerate(narrow.targets):
                    total = lines.splat(added)
                    for value, vectors in zip(taps, values, strict=True):
                        total = lines.fma(value, vectors[v], total)
                    lines.write(total, result, *spot)
                return []

            _loop(builder, images, [], plane)

        for_each_size(builder, size, NARROW_SIZES, planes)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def tap_sums_narrow(
    typingctx, size, images, g, g_start, g_pitch, rows, source, start, pitch, height, width, top, left, totals, place
):
    """totals[place + i * size + j] += the sum over images and pixels of g times source at tap (i, j)."""
    _check(g, source, totals)
    integer = types.intp
    signature = types.void(integer, integer, g, *[integer] * 3, source, *[integer] * 6, totals, integer)

    def codegen(context, builder, signature, arguments):
        size, images, g, g_start, g_pitch, rows, source, start, pitch, height, width, top, left, *rest = arguments
        totals, place = rest
        kinds = signature.args
        g = builder.gep(_data(context, builder, kinds[2], g), [g_start])
        source = builder.gep(_data(context, builder, kinds[6], source), [start])
        totals = builder.gep(_data(context, builder, kinds[13], totals), [place])

        def planes(size):
            narrow = _NarrowPlanes(builder, kinds[2].dtype, size, height, width, top, left, rows)
            lines = narrow.lines

            def plane(index, sums):
                values = narrow.read(builder.gep(source, [builder.mul(index, pitch)]))
                line = builder.gep(g, [builder.mul(index, g_pitch)])
                for v, spot in enumerate(narrow.targets):
                    cotangent = lines.read(line, *spot)
                    sums = [lines.fma(cotangent, vectors[v], s) for vectors, s in zip(values, sums, strict=True)]
                return sums

            for k, total in enumerate(_loop(builder, images, [lines.zero] * size**2, plane)):
                spot = builder.gep(totals, [constant(k)])
                builder.store(builder.fadd(builder.load(spot), lines.total(total)), spot)

        for_each_size(builder, size, NARROW_SIZES, planes)
        return context.get_dummy_value()

    return signature, codegen
