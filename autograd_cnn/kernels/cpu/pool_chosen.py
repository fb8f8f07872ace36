"""The vector loop of max pooling's gradient: what arrives at each element from the windows that chose it.

A block of stride x stride elements lies under few windows, and which element of it is which place of which window is
known when the code is made.  Vectors lie along the blocks of a row; every element is written once, unlike where windows
are gone through in their order and add to the elements that they chose.
"""

from itertools import product

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import places_of
from autograd_cnn.kernels.cpu.microkernel import _INDEX, _check, _index, _loop
from autograd_cnn.kernels.cpu.pool_vectors import Rows
from autograd_cnn.kernels.cpu.processor import features

# Kernel, stride and whether the padding is odd, of square windows that there is code for.
CHOSEN = ((2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 1))
# Elsewhere bytes are read one by one where some lanes are off.
_MASKS_BYTES = all(features().get(name, False) for name in ("avx512bw", "avx512vl"))


def gathers(kernel, stride, padding, dilation):
    """Whether `sums_of_chosen` is for such windows."""
    odd = {before % 2 for before in padding}
    square = len(odd) == 1 and kernel[0] == kernel[1] and stride[0] == stride[1] and dilation == (1, 1)
    return _MASKS_BYTES and square and (kernel[0], stride[0], *odd) in CHOSEN


def _taps(shape):
    """By phase of a block: (shift, cell) of each window m + shift in whose cell the element m * stride + phase lies."""
    size, step, odd = shape
    return [
        [
            ((phase + odd % step - cell) // step, cell)
            for cell in reversed(range(size))
            if not (phase + odd - cell) % step
        ]
        for phase in range(step)
    ]


@intrinsic
def sums_of_chosen(typingctx, g, places, start, windows, kernel, stride, padding, target, target_start, size):
    """An image of that size: for each element the sum of the g of those windows whose place is this element's.

    g and places hold `windows` (rows, columns) from `start` on.  For windows as in `gathers`.
    """
    _check(g, places, target)
    n, pair = types.intp, types.UniTuple(types.intp, 2)
    signature = types.void(g, places, n, pair, n, n, pair, target, n, pair)

    def codegen(context, builder, signature, arguments):
        g, places, start, windows, kernel, stride, padding, target, target_start, size = arguments
        kinds = signature.args
        rows = Rows(builder, kinds[0].dtype)
        starts = [(kinds[0], g, start), (kinds[1], places, start), (kinds[7], target, target_start)]
        g, places, target = places_of(context, builder, starts)
        byte = ir.IntType(kinds[1].dtype.bitwidth)
        (window_rows, windows), (height, width), (above, left) = (
            cgutils.unpack_tuple(builder, value) for value in (windows, size, padding)
        )

        def emit(shape):
            if shape not in CHOSEN:
                return
            step, taps = shape[1], _taps(shape)
            shifts = sorted({shift for phase in taps for shift, _ in phase})
            vector = ir.VectorType(byte, rows.lanes)

            def number(value):
                return ir.Constant(_INDEX, value)

            def blocks(count):
                return builder.sdiv(builder.add(count, number(step - 1)), number(step))

            def window(block, before, shift):
                return builder.add(block, builder.add(builder.sdiv(before, number(step)), number(shift)))

            def row(m, _):
                lines = []  # where rows of windows begin, and whether they exist
                for y in shifts:
                    i = window(m, above, y)
                    exists = builder.icmp_unsigned("<", i, window_rows)
                    lines.append((builder.mul(builder.select(exists, i, number(0)), windows), exists))
                first = _index(builder, step, m)
                ends = [builder.icmp_signed("<", builder.add(first, number(phase)), height) for phase in range(step)]

                def column(v, _):
                    q = _index(builder, rows.lanes, v)
                    values, chosen = {}, {}
                    for x in shifts:
                        start = window(q, left, x)
                        inside = rows.within(rows.position(start), windows)
                        for y, (line, exists) in zip(shifts, lines, strict=True):
                            place, mask = builder.add(line, start), rows.where(exists, inside)
                            values[y, x] = rows.read(g, place, mask)
                            chosen[y, x] = rows.read_places(places, place, mask, byte)
                    for phase, exists in enumerate(ends):
                        sums = [rows.zero] * step
                        for other in range(step):
                            for (y, cell_row), (x, cell) in product(taps[phase], taps[other]):
                                wanted = ir.Constant(vector, [cell_row * shape[0] + cell] * rows.lanes)
                                hit = builder.icmp_signed("==", chosen[y, x], wanted)
                                total = builder.fadd(sums[other], values[y, x])
                                sums[other] = builder.select(hit, total, sums[other])
                        line = builder.gep(target, [builder.mul(builder.add(first, number(phase)), width)])
                        rows.spread(sums, line, _index(builder, step, q), builder.select(exists, width, number(0)))
                    return []

                return _loop(builder, rows.vectors_of(blocks(width)), [], column)

            _loop(builder, blocks(height), [], row)

        odd = builder.and_(left, ir.Constant(_INDEX, 1))
        rows.for_shapes(kernel, stride, odd, cgutils.true_bit, emit)
        return context.get_dummy_value()

    return signature, codegen
