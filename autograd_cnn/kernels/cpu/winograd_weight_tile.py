"""The steps of Winograd's gradient for the weight, as LLVM vector code: the lanes are channels.

`widen_line`     transforms of a line of tiles of the input
`spread_line`    transforms of a line of tiles of the gradient
`accumulate`     sums over tiles of transforms of the gradient times transforms of the input
`narrow_kernels` the nine taps of kernels, from their sixteen sums

winograd_weight.py says what they are for.  Component 4 * row + column of a tile lies in a plane of its own.
"""

from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.masked_rows import constant, for_each_size
from autograd_cnn.kernels.cpu.microkernel import _WIDE, _check, _data, _index, _loop
from autograd_cnn.kernels.cpu.winograd_tile import VECTORS, TileLines, widened

SUM_ROWS = 8 if _WIDE else 4  # channels of the gradient that one step of `accumulate` takes


@intrinsic
def widen_line(typingctx, columns, vectors, source, start, row_pitch, pitch, target, place, plane):
    """target[place + tile * pitch + c] = the transform of the 4 x 4 pixels from column 2 * tile on, for all channels.

    Pixels and tiles are `pitch` apart, which is `vectors` vectors of channels; rows of pixels `row_pitch`.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, integer, source, *[integer] * 3, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        columns, vectors, source, start, row_pitch, pitch, target, place, plane = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[2].dtype)
        first = lines.place(_data(context, builder, kinds[2], source), start)
        first_target = lines.place(_data(context, builder, kinds[6], target), place)

        def vector(index, _):
            q = _index(builder, lines.lanes, index)
            source, target = lines.place(first, q), lines.place(first_target, q)

            def column(number):
                pixel = lines.plane(source, pitch, number)
                return widened(builder, [lines.load(lines.plane(pixel, row_pitch, i)) for i in range(4)])

            def tile(number, carried):
                twice = _index(builder, 2, number)
                third, fourth = (column(builder.add(twice, constant(j))) for j in (2, 3))
                spot = lines.plane(target, pitch, number)
                for i, values in enumerate(zip(carried[:4], carried[4:], third, fourth, strict=True)):
                    for j, value in enumerate(widened(builder, values)):
                        lines.store(value, lines.plane(spot, plane, 4 * i + j))
                return [*third, *fourth]

            _loop(builder, columns, [*column(0), *column(1)], tile)
            return []

        _loop(builder, vectors, [], vector)
        return context.get_dummy_value()

    return signature, codegen


def _spread(builder, values):
    """Four components in a row, from two pixels; the last with the other sign, which `narrow_kernels` mends."""
    a, b = values
    return [a, builder.fadd(a, b), builder.fsub(a, b), b]


@intrinsic
def spread_line(typingctx, columns, vectors, source, start, row_pitch, pitch, target, place, plane):
    """target[place + tile * pitch + c] = the transform of the 2 x 2 pixels from column 2 * tile on, for all channels.

    As in `widen_line`.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, integer, source, *[integer] * 3, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        columns, vectors, source, start, row_pitch, pitch, target, place, plane = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[2].dtype)
        first = lines.place(_data(context, builder, kinds[2], source), start)
        first_target = lines.place(_data(context, builder, kinds[6], target), place)

        def tile(number, _):
            pixel = lines.plane(first, pitch, _index(builder, 2, number))
            spot = lines.plane(first_target, pitch, number)

            def vector(index, _):
                q = _index(builder, lines.lanes, index)
                columns = []
                for j in range(2):
                    column = lines.place(lines.plane(pixel, pitch, j), q)
                    columns.append(_spread(builder, [lines.load(lines.plane(column, row_pitch, i)) for i in range(2)]))
                for i, values in enumerate(zip(*columns, strict=True)):
                    for j, value in enumerate(_spread(builder, values)):
                        lines.store(value, lines.place(lines.plane(spot, plane, 4 * i + j), q))
                return []

            _loop(builder, vectors, [], vector)
            return []

        _loop(builder, columns, [], tile)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def accumulate(typingctx, vectors, tiles, a, a_start, a_pitch, b, b_start, b_pitch, sums, place, pitch, add):
    """sums[t, v] (+)= the sum over tiles of a[tile, t] * b[tile, v], SUM_ROWS rows of up to VECTORS vectors."""
    _check(a, b, sums)
    integer = types.intp
    operands = a, integer, integer, b, integer, integer, sums, integer, integer
    signature = types.void(integer, integer, *operands, types.boolean)

    def codegen(context, builder, signature, arguments):
        width, tiles, a, a_start, a_pitch, b, b_start, b_pitch, sums, place, pitch, add = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[2].dtype)
        a = lines.place(_data(context, builder, kinds[2], a), a_start)
        b = lines.place(_data(context, builder, kinds[5], b), b_start)
        sums = lines.place(_data(context, builder, kinds[8], sums), place)

        def tile(span):
            def step(k, accumulators):
                a_k, b_k = lines.plane(a, a_pitch, k), lines.plane(b, b_pitch, k)
                columns = [lines.load(lines.place(b_k, constant(v * lines.lanes))) for v in range(span)]
                following = []
                for t in range(SUM_ROWS):
                    x = lines.splat(builder.load(lines.place(a_k, constant(t))))
                    mine = accumulators[t * span : (t + 1) * span]
                    following += [lines.fma(x, y, z) for y, z in zip(columns, mine, strict=True)]
                return following

            totals = _loop(builder, tiles, [lines.zero] * (SUM_ROWS * span), step)
            places = [
                lines.place(lines.plane(sums, pitch, t), constant(v * lines.lanes))
                for t in range(SUM_ROWS)
                for v in range(span)
            ]
            with builder.if_else(add) as (then, otherwise):
                with then:
                    for total, place in zip(totals, places, strict=True):
                        lines.store(builder.fadd(lines.load(place), total), place)
                with otherwise:
                    for total, place in zip(totals, places, strict=True):
                        lines.store(total, place)

        for_each_size(builder, width, range(1, VECTORS + 1), tile)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def narrow_kernels(typingctx, vectors, source, pitch, target, target_pitch, zero):
    """target[tap * target_pitch + c] = tap of the kernels whose sums are source[component * pitch + c].

    Adds to the vector `zero` what is zero where all taps are finite, and NaN elsewhere.
    """
    _check(source, target, zero)
    signature = types.void(types.intp, source, types.intp, target, types.intp, zero)

    def codegen(context, builder, signature, arguments):
        vectors, source, pitch, target, target_pitch, zero = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[1].dtype)
        source, target, zero = (
            _data(context, builder, kinds[i], array) for i, array in ((1, source), (3, target), (5, zero))
        )
        half = lines.splat(lines.number(0.5))

        def narrowed(values):
            a, b, c, d = values
            middle = builder.fmul(half, builder.fadd(b, c))
            slope = builder.fmul(half, builder.fsub(b, c))
            return [builder.fadd(a, middle), slope, builder.fsub(middle, d)]

        def vector(index, carried):
            (finite,) = carried
            q = _index(builder, lines.lanes, index)
            rows = []
            for i in range(4):
                places = [lines.place(lines.plane(source, pitch, 4 * i + j), q) for j in range(4)]
                rows.append(narrowed([lines.load(place) for place in places]))
            for column, values in enumerate(zip(*rows, strict=True)):
                for row, value in enumerate(narrowed(values)):
                    finite = lines.fma(value, lines.zero, finite)
                    lines.store(value, lines.place(lines.plane(target, target_pitch, 3 * row + column), q))
            return [finite]

        (finite,) = _loop(builder, vectors, [lines.load(zero)], vector)
        lines.store(finite, zero)
        return context.get_dummy_value()

    return signature, codegen
