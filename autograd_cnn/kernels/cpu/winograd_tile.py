"""The steps of a convolution by Winograd's algorithm, written as LLVM vector code (winograd.py says what they are for).

`widen_kernels` kernels, transformed
`widen_rows`    rows of an image, transformed along the row, for each tile that a row crosses
`widen_tiles`   the tiles' transforms, from their transformed rows
`multiply`      sums over channels of transformed weights times transformed tiles
`narrow_tiles`  the four pixels of each tile's result
`weave_rows`    rows of the result, from the pixels of tiles

A tile has sixteen components, the number of one is 4 * row + column, and lies in planes, a component a plane.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu import masked_rows
from autograd_cnn.kernels.cpu.conv_moves import _ask
from autograd_cnn.kernels.cpu.masked_rows import ceil, constant
from autograd_cnn.kernels.cpu.microkernel import (
    _WIDE,
    VECTOR_BYTES,
    _check,
    _data,
    _index,
    _loop,
    _Vectors,
)

ROWS = 4 if _WIDE else 2  # channels of the result that one step of `multiply` takes
VECTORS = 3  # and vectors of tiles: with the sums of a block, two thirds of the registers
BLOCK = 16  # channels that are summed in a row, before sums are added to sums


class TileLines(masked_rows.Lines):
    def __init__(self, builder, dtype):
        super().__init__(builder, dtype, VECTOR_BYTES)

    def place(self, array, offset):
        return self.builder.gep(array, [offset])

    def number(self, value):
        return ir.Constant(self.element, value)

    def plane(self, array, pitch, number):
        number = number if isinstance(number, ir.Value) else constant(number)
        return self.builder.gep(array, [self.builder.mul(number, pitch)])


def _kernel_widened(lines, half, values):
    """Four components in a row, from three taps: G of Lavin & Gray (2016)."""
    builder = lines.builder
    a, b, c = values
    ends, middle = builder.fmul(half, builder.fadd(a, c)), builder.fmul(half, b)
    return [a, builder.fadd(ends, middle), builder.fsub(ends, middle), c]


def _interleaved(lines, values):
    """The vectors' first lanes, then their second ones, and so on; a power of two of vectors."""
    if len(values) == 1:
        return values
    even, odd = _interleaved(lines, values[::2]), _interleaved(lines, values[1::2])
    return [half for pair in zip(even, odd, strict=True) for half in lines.joined(*pair)]


@intrinsic
def widen_kernels(typingctx, vectors, source, start, tap_pitch, row_pitch, target, place, pitch):
    """target[place + component * pitch + c * ROWS + t] = that component of channel c's kernel of row t.

    Its taps are source[start + tap * tap_pitch + t * row_pitch + c].
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, source, *[integer] * 3, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        vectors, source, start, tap_pitch, row_pitch, target, place, pitch = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[1].dtype)
        source = lines.place(_data(context, builder, kinds[1], source), start)
        target = lines.place(_data(context, builder, kinds[5], target), place)
        half = lines.splat(lines.number(0.5))

        def vector(index, _):
            q = _index(builder, lines.lanes, index)
            kernels = []
            for t in range(ROWS):
                row = lines.place(lines.plane(source, row_pitch, t), q)
                taps = [lines.load(lines.plane(row, tap_pitch, tap)) for tap in range(9)]
                columns = [_kernel_widened(lines, half, taps[j::3]) for j in range(3)]
                rows = [_kernel_widened(lines, half, values) for values in zip(*columns, strict=True)]
                kernels.append([value for values in rows for value in values])
            for component, values in enumerate(zip(*kernels, strict=True)):
                spot = lines.place(lines.plane(target, pitch, component), _index(builder, ROWS, q))
                for k, value in enumerate(_interleaved(lines, values)):
                    lines.store(value, lines.place(spot, constant(k * lines.lanes)))
            return []

        _loop(builder, vectors, [], vector)
        return context.get_dummy_value()

    return signature, codegen


def widened(builder, values):
    """Four values in a row, as the tile's transform has them: B of Lavin & Gray (2016)."""
    a, b, c, d = values
    return [builder.fsub(a, c), builder.fadd(b, c), builder.fsub(c, b), builder.fsub(b, d)]


@intrinsic
def widen_rows(
    typingctx, columns, rows, source, start, first, height, width, left, ahead, zeros, target, place, pitch
):  # fmt: skip
    """Transform `rows` rows of a plane of an image, from row `first` on, along the row.

    For tile q in `columns` of line k of tiles, target[place + k * columns + q], in plane 4 * i + j, becomes component j
    of the four pixels of row first + 2 k + i from column 2 q - left on.  There are rows / 2 - 1 lines.  What lies
    beside the `height` rows of `width` pixels, which begin at source[start], is zero; `zeros` has `width` elements.
    Asks for what is `ahead` elements further on.
    """
    _check(source, zeros, target)
    integer = types.intp
    signature = types.void(integer, integer, source, *[integer] * 6, zeros, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        columns, rows, source, start, first, height, width, left, ahead, zeros, target, place, pitch = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[2].dtype)
        source = lines.place(_data(context, builder, kinds[2], source), start)
        zeros = _data(context, builder, kinds[9], zeros)
        target = lines.place(_data(context, builder, kinds[10], target), place)
        two = constant(2)
        past = builder.sub(rows, two)

        def vector(index, _):
            q = _index(builder, lines.lanes, index)
            x = builder.sub(_index(builder, 2, q), left)
            shown = lines.within(q, columns)
            places = [builder.add(x, constant(offset + half)) for offset in (0, 2) for half in (0, lines.lanes)]
            spans = [(place, lines.within(place, width)) for place in places]

            def row(r, _):
                line = masked_rows.row_of(builder, source, builder.add(first, r), height, width, zeros)
                for place, _ in spans[:2]:
                    _ask(builder, lines.place(line, builder.add(place, ahead)), writing=False)
                values = [lines.read(line, *span) for span in spans]
                results = widened(builder, lines.splits(values[:2]) + lines.splits(values[2:]))
                parity = builder.and_(r, constant(1))
                below = builder.lshr(r, constant(1))

                def store(i, k):
                    at = builder.add(builder.mul(k, columns), q)
                    for j, value in enumerate(results):
                        plane = lines.plane(target, pitch, builder.add(_index(builder, 4, i), constant(j)))
                        lines.write(value, plane, at, shown)

                with builder.if_then(builder.icmp_signed("<", r, past)):
                    store(parity, below)
                with builder.if_then(builder.icmp_signed(">=", r, two)):
                    store(builder.add(parity, two), builder.sub(below, constant(1)))
                return []

            _loop(builder, rows, [], row)
            return []

        _loop(builder, ceil(builder, columns, lines.lanes), [], vector)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def widen_tiles(typingctx, vectors, source, start, pitch, target, place, target_pitch):
    """The transforms of `vectors` vectors of tiles, from their four transformed rows; planes lie `pitch` apart."""
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, source, integer, integer, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        vectors, source, start, pitch, target, place, target_pitch = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[1].dtype)
        source = lines.place(_data(context, builder, kinds[1], source), start)
        target = lines.place(_data(context, builder, kinds[4], target), place)

        def step(index, _):
            q = _index(builder, lines.lanes, index)
            for j in range(4):
                rows = [lines.load(lines.place(lines.plane(source, pitch, 4 * i + j), q)) for i in range(4)]
                for i, value in enumerate(widened(builder, rows)):
                    lines.store(value, lines.place(lines.plane(target, target_pitch, 4 * i + j), q))
            return []

        _loop(builder, vectors, [], step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def multiply(typingctx, vectors, channels, weights, start, tiles, first, pitch, sums, place, row_pitch):
    """sums[t, v] = the sum over channels of weights[c, t] * tiles[c, v], ROWS rows of up to VECTORS vectors.

    The channels of the tiles lie `pitch` apart, those of the weights ROWS.
    """
    _check(weights, tiles, sums)
    integer = types.intp
    signature = types.void(integer, integer, weights, integer, tiles, integer, integer, sums, integer, integer)

    def codegen(context, builder, signature, arguments):
        width, channels, weights, start, tiles, first, pitch, sums, place, row_pitch = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[2].dtype)
        weights = builder.gep(_data(context, builder, kinds[2], weights), [start])
        tiles = builder.gep(_data(context, builder, kinds[4], tiles), [first])
        sums = builder.gep(_data(context, builder, kinds[7], sums), [place])

        def tile(span):
            def block(index, totals):
                base = _index(builder, BLOCK, index)
                left = builder.sub(channels, base)
                count = builder.select(builder.icmp_signed("<", left, constant(BLOCK)), left, constant(BLOCK))

                def step(k, accumulators):
                    c = builder.add(base, k)
                    a = builder.gep(weights, [_index(builder, ROWS, c)])
                    b = builder.gep(tiles, [builder.mul(c, pitch)])
                    columns = [vectors.load(builder.gep(b, [constant(v * vectors.lanes)])) for v in range(span)]
                    following = []
                    for t in range(ROWS):
                        x = vectors.splat(builder.load(builder.gep(a, [constant(t)])))
                        mine = accumulators[t * span : (t + 1) * span]
                        following += [vectors.fma(x, y, z) for y, z in zip(columns, mine, strict=True)]
                    return following

                partial = _loop(builder, count, [vectors.zero] * len(totals), step)
                return [builder.fadd(total, value) for total, value in zip(totals, partial, strict=True)]

            blocks = ceil(builder, channels, BLOCK)
            totals = _loop(builder, blocks, [vectors.zero] * (ROWS * span), block)
            for t in range(ROWS):
                row = builder.gep(sums, [_index(builder, t, row_pitch)])
                for v in range(span):
                    vectors.store(totals[t * span + v], builder.gep(row, [constant(v * vectors.lanes)]))

        masked_rows.for_each_size(builder, width, range(1, VECTORS + 1), tile)
        return context.get_dummy_value()

    return signature, codegen


def _narrowed(builder, values):
    """Two pixels in a row of the result, from four components: A of Lavin & Gray (2016)."""
    a, b, c, d = values
    return [builder.fadd(builder.fadd(a, b), c), builder.fsub(builder.fsub(b, c), d)]


@intrinsic
def narrow_tiles(typingctx, vectors, source, start, pitch, target, target_pitch):
    """target[2 * row + column] = that pixel of each tile's result, from its sixteen sums."""
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, source, integer, integer, target, integer)

    def codegen(context, builder, signature, arguments):
        vectors, source, start, pitch, target, target_pitch = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[1].dtype)
        source = lines.place(_data(context, builder, kinds[1], source), start)
        target = _data(context, builder, kinds[4], target)

        def step(index, _):
            q = _index(builder, lines.lanes, index)
            columns = []
            for j in range(4):
                rows = [lines.load(lines.place(lines.plane(source, pitch, 4 * i + j), q)) for i in range(4)]
                columns.append(_narrowed(builder, rows))
            for row, values in enumerate(zip(*columns, strict=True)):
                for column, value in enumerate(_narrowed(builder, values)):
                    lines.store(value, lines.place(lines.plane(target, target_pitch, 2 * row + column), q))
            return []

        _loop(builder, vectors, [], step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def weave_rows(
    typingctx, columns, rows, source, start, pitch, target, place, width, ahead, added, low, zero
):  # fmt: skip
    """target[place + r * width + x] = max(pixel x of row r + added, low) for x below `width` and r below `rows`.

    The pixels of tile q of line k of tiles are source[start + k * columns + q], in plane 2 * row + column.  Not a
    number stays what it is.  Asks for what is `ahead` elements further on and will be written.  Adds to the vector
    `zero` what is zero where all sums are finite, and NaN elsewhere.
    """
    _check(source, target, zero)
    integer = types.intp
    signature = types.void(
        integer, integer, source, integer, integer, target, *[integer] * 3, source.dtype, source.dtype, zero
    )  # fmt: skip

    def codegen(context, builder, signature, arguments):
        columns, rows, source, start, pitch, target, place, width, ahead, added, low, zero = arguments
        kinds = signature.args
        lines = TileLines(builder, kinds[2].dtype)
        source = lines.place(_data(context, builder, kinds[2], source), start)
        target = lines.place(_data(context, builder, kinds[5], target), place)
        added, low = lines.splat(added), lines.splat(low)
        zero = _data(context, builder, kinds[11], zero)

        def vector(index, carried):
            q = _index(builder, lines.lanes, index)
            places = [builder.add(_index(builder, 2, q), constant(half * lines.lanes)) for half in range(2)]
            spans = [(place, lines.within(place, width)) for place in places]
            inside = lines.within(q, columns)

            def row(r, carried):
                (finite,) = carried
                parity = builder.and_(r, constant(1))
                at = builder.add(builder.mul(builder.lshr(r, constant(1)), columns), q)
                halves = []
                for column in range(2):
                    plane = lines.plane(source, pitch, builder.add(_index(builder, 2, parity), constant(column)))
                    total = builder.fadd(lines.read(plane, at, inside), added)
                    finite = lines.fma(total, lines.zero, finite)
                    halves.append(builder.select(builder.fcmp_ordered("<", total, low), low, total))
                line = lines.place(target, builder.mul(r, width))
                for value, (place, mask) in zip(lines.joined(*halves), spans, strict=True):
                    _ask(builder, lines.place(line, builder.add(place, ahead)), writing=True)
                    lines.write(value, line, place, mask)
                return [finite]

            return _loop(builder, rows, carried, row)

        (finite,) = _loop(builder, ceil(builder, columns, lines.lanes), [lines.load(zero)], vector)
        lines.store(finite, zero)
        return context.get_dummy_value()

    return signature, codegen
