"""The vector loops of depthwise convolution: each takes one channel of some images through a small square kernel.

`correlate`    target[y, x] = added + the sum over i, j of w[i, j] * source[y s + i - top, x s + j - left]
`spread`       its adjoint for s = 2: target[2 u + i - top, 2 v + j - left] += w[i, j] * source[u, v]
`tap_sums`     totals[i, j] += the sum over y, x of g[y, x] * source[y s + i - top, x s + j - left]

Vectors lie along the rows of the target, in tiles a few rows high, so that a row of the source that was read
meets every row of the kernel, and the kernel stays in registers.  Beyond the ends of a row the lanes are masked.
Rows beyond the plane are read from a line of zeros and written to a line that nobody reads: no inner loop has a
branch.
"""

from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.masked_rows import Lines, Window, ceil, constant, either, for_each_size, row_of
from autograd_cnn.kernels.cpu.microkernel import _check, _data, _index, _loop

SIZES = (1, 3, 5)  # of the kernels that are unrolled
STRIDES = (1, 2)
ROWS = 4  # of a tile


@intrinsic
def correlate(
    typingctx, size, stride, images, source, start, pitch, height, width, weight, tap, tap_step, top, left, zeros,
    added, keep, target, place, target_pitch, rows, columns, spill,
):  # fmt: skip
    """target = added + source correlated with weight[tap::tap_step], or target += that where `keep`.

    `size` is one of SIZES, `stride` one of STRIDES.  The first image's source plane begins at `start`, its target
    plane at `place`; those of the next are `pitch` and `target_pitch` further.  `zeros` has at least `width`
    elements, `spill` at least `columns`.
    """
    _check(source, weight, zeros, target, spill)
    integer = types.intp
    planes = (source, *[integer] * 4, weight, *[integer] * 4, zeros)
    target_planes = (source.dtype, types.boolean, target, *[integer] * 4, spill)
    signature = types.void(integer, integer, integer, *planes, *target_planes)

    def codegen(context, builder, signature, arguments):
        size, stride, images, source, start, pitch, height, width, weight, tap, tap_step, *rest = arguments
        top, left, zeros, added, keep, target, place, target_pitch, rows, columns, spill = rest
        kinds = signature.args
        lines = Lines(builder, kinds[3].dtype)
        first_source = builder.gep(_data(context, builder, kinds[3], source), [start])
        weight = builder.gep(_data(context, builder, kinds[8], weight), [tap])
        zeros = _data(context, builder, kinds[13], zeros)
        first_target = builder.gep(_data(context, builder, kinds[16], target), [place])
        spill = _data(context, builder, kinds[21], spill)

        def planes(size, stride):
            taps = lines.splats(weight, tap_step, size**2)

            def plane(index, _):
                source = builder.gep(first_source, [builder.mul(index, pitch)])
                target = builder.gep(first_target, [builder.mul(index, target_pitch)])
                _loop(builder, ceil(builder, rows, ROWS), [], lambda index, _: tile(source, target, index))
                return []

            def tile(source, target, index):
                y = _index(builder, ROWS, index)
                first = builder.sub(_index(builder, stride, y), top)
                sources = [
                    row_of(builder, source, builder.add(first, constant(r)), height, width, zeros)
                    for r in range((ROWS - 1) * stride + size)
                ]
                targets = [
                    row_of(builder, target, builder.add(y, constant(t)), rows, columns, spill) for t in range(ROWS)
                ]

                def block(index, _):
                    x = _index(builder, lines.lanes, index)
                    shown = lines.within(x, columns)
                    window = Window(lines, builder.sub(_index(builder, stride, x), left), width, size, stride)
                    sums = either(
                        builder,
                        keep,
                        lambda: [lines.read(line, x, shown) for line in targets],
                        lambda: [lines.splat(added)] * ROWS,
                    )
                    for line in sources[-ROWS * stride :]:
                        lines.fetch(line, _index(builder, stride, x))
                    for r, line in enumerate(sources):
                        values = window.read(line)
                        for t in range(ROWS):
                            i = r - t * stride
                            if 0 <= i < size:
                                for j, value in enumerate(values):
                                    sums[t] = lines.fma(taps[i * size + j], value, sums[t])
                    for value, line in zip(sums, targets, strict=True):
                        lines.write(value, line, x, shown)
                    return []

                _loop(builder, ceil(builder, columns, lines.lanes), [], block)
                return []

            _loop(builder, images, [], plane)

        def strides(size):
            with builder.if_else(builder.icmp_signed("==", stride, constant(1))) as (then, otherwise):
                with then:
                    planes(size, 1)
                with otherwise:
                    planes(size, 2)

        for_each_size(builder, size, SIZES, strides)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def spread(
    typingctx, size, images, source, start, pitch, height, width, weight, tap, top, left, zeros,
    added, keep, target, place, target_pitch, rows, columns, spill,
):  # fmt: skip
    """target = added + the adjoint of `correlate` with stride 2 on source, or target += that where `keep`.

    Target rows and columns of one parity meet the same taps.  A tile takes rows of both, and the vectors of both
    kinds of columns are woven together before they are written.
    """
    _check(source, weight, zeros, target, spill)
    integer = types.intp
    planes = (source, *[integer] * 4, weight, *[integer] * 3, zeros)
    target_planes = (source.dtype, types.boolean, target, *[integer] * 4, spill)
    signature = types.void(integer, integer, *planes, *target_planes)

    def codegen(context, builder, signature, arguments):
        size, images, source, start, pitch, height, width, weight, tap, top, left, *rest = arguments
        zeros, added, keep, target, place, target_pitch, rows, columns, spill = rest
        kinds = signature.args
        lines = Lines(builder, kinds[2].dtype)
        first_source = builder.gep(_data(context, builder, kinds[2], source), [start])
        weight = builder.gep(_data(context, builder, kinds[7], weight), [tap])
        zeros = _data(context, builder, kinds[11], zeros)
        first_target = builder.gep(_data(context, builder, kinds[14], target), [place])
        spill = _data(context, builder, kinds[19], spill)
        one = constant(1)
        pairs = ROWS // 2

        def halves(before, count):
            """The first source position that meets the target, and how many do."""
            first = builder.ashr(before, one)
            last = builder.ashr(builder.add(before, builder.sub(count, one)), one)
            return first, builder.add(builder.sub(last, first), one)

        def planes(size):
            taps = lines.splats(weight, one, size**2)
            reach = (size + 1) // 2
            first_row, count_rows = halves(top, rows)
            first_column, count_columns = halves(left, columns)

            def plane(index, _):
                source = builder.gep(first_source, [builder.mul(index, pitch)])
                target = builder.gep(first_target, [builder.mul(index, target_pitch)])
                _loop(builder, ceil(builder, count_rows, pairs), [], lambda index, _: tile(source, target, index))
                return []

            def tile(source, target, index):
                u = builder.add(first_row, _index(builder, pairs, index))
                lowest = builder.sub(u, constant(reach - 1))
                sources = [
                    row_of(builder, source, builder.add(lowest, constant(r)), height, width, zeros)
                    for r in range(pairs + reach - 1)
                ]
                y = builder.sub(_index(builder, 2, u), top)
                targets = [
                    row_of(builder, target, builder.add(y, constant(t)), rows, columns, spill) for t in range(2 * pairs)
                ]

                def block(index, _):
                    v = builder.add(first_column, _index(builder, lines.lanes, index))
                    x = builder.sub(_index(builder, 2, v), left)
                    places = [builder.add(x, constant(half * lines.lanes)) for half in range(2)]
                    shown = [(place, lines.within(place, columns)) for place in places]
                    window = Window(lines, builder.sub(v, constant(reach - 1)), width, reach, 1)
                    sums = [[lines.splat(added) for _ in range(2)] for _ in targets]
                    for line in sources[-pairs:]:
                        lines.fetch(line, v)
                    for r, line in enumerate(sources):
                        values = window.read(line)[::-1]
                        for t in range(2 * pairs):
                            i = t % 2 + 2 * (t // 2 + reach - 1 - r)
                            for j in range(size if 0 <= i < size else 0):
                                sums[t][j % 2] = lines.fma(taps[i * size + j], values[j // 2], sums[t][j % 2])
                    woven = [value for pair in sums for value in lines.joined(*pair)]
                    spots = [(line, *span) for line in targets for span in shown]
                    zero = [lines.zero] * len(spots)
                    before = either(builder, keep, lambda: [lines.read(*spot) for spot in spots], lambda: zero)
                    for old, value, spot in zip(before, woven, spots, strict=True):
                        lines.write(builder.fadd(old, value), *spot)
                    return []

                _loop(builder, ceil(builder, count_columns, lines.lanes), [], block)
                return []

            _loop(builder, images, [], plane)

        for_each_size(builder, size, SIZES, planes)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def tap_sums(
    typingctx, size, stride, images, g, g_start, g_pitch, rows, columns,
    source, start, pitch, height, width, top, left, zeros, totals, place,
):  # fmt: skip
    """totals[place + i * size + j] += the sum over images, y and x of g[y, x] * source[y s + i - top, x s + j - left].

    The planes of the images are `g_pitch` and `pitch` apart.  `totals` is float64, into which the sums of the
    lanes go at the end.  `zeros` has at least max(width, columns) elements.
    """
    _check(g, source, zeros, totals)
    integer = types.intp
    planes = (g, *[integer] * 4, source, *[integer] * 6, zeros, totals, integer)
    signature = types.void(integer, integer, integer, *planes)

    def codegen(context, builder, signature, arguments):
        size, stride, images, g, g_start, g_pitch, rows, columns, source, start, pitch, *rest = arguments
        height, width, top, left, zeros, totals, place = rest
        kinds = signature.args
        lines = Lines(builder, kinds[3].dtype)
        g = builder.gep(_data(context, builder, kinds[3], g), [g_start])
        source = builder.gep(_data(context, builder, kinds[8], source), [start])
        zeros = _data(context, builder, kinds[15], zeros)
        totals = builder.gep(_data(context, builder, kinds[16], totals), [place])

        def plane(size, stride):
            copies = ROWS if size == 1 else 1  # so that additions do not wait for each other

            def image(index, sums):
                g_plane = builder.gep(g, [builder.mul(index, g_pitch)])
                plane = builder.gep(source, [builder.mul(index, pitch)])

                def tile(index, sums):
                    y = _index(builder, ROWS, index)
                    first = builder.sub(_index(builder, stride, y), top)
                    g_lines = [
                        row_of(builder, g_plane, builder.add(y, constant(t)), rows, columns, zeros) for t in range(ROWS)
                    ]
                    sources = [
                        row_of(builder, plane, builder.add(first, constant(r)), height, width, zeros)
                        for r in range((ROWS - 1) * stride + size)
                    ]

                    def block(index, sums):
                        sums = list(sums)
                        x = _index(builder, lines.lanes, index)
                        shown = lines.within(x, columns)
                        window = Window(lines, builder.sub(_index(builder, stride, x), left), width, size, stride)
                        cotangents = [lines.read(line, x, shown) for line in g_lines]
                        for line in g_lines:
                            lines.fetch(line, x)
                        for line in sources[-ROWS * stride :]:
                            lines.fetch(line, _index(builder, stride, x))
                        for r, line in enumerate(sources):
                            values = window.read(line)
                            for t, cotangent in enumerate(cotangents):
                                i = r - t * stride
                                for j in range(size if 0 <= i < size else 0):
                                    k = (i * size + j) * copies + t % copies
                                    sums[k] = lines.fma(cotangent, values[j], sums[k])
                        return sums

                    return _loop(builder, ceil(builder, columns, lines.lanes), sums, block)

                return _loop(builder, ceil(builder, rows, ROWS), sums, tile)

            sums = _loop(builder, images, [lines.zero] * (size**2 * copies), image)
            for k in range(size**2):
                mine = sums[k * copies : (k + 1) * copies]
                while len(mine) > 1:
                    mine = [builder.fadd(one, other) for one, other in zip(mine[::2], mine[1::2], strict=True)]
                spot = builder.gep(totals, [constant(k)])
                builder.store(builder.fadd(builder.load(spot), lines.total(mine[0])), spot)

        def strides(size):
            with builder.if_else(builder.icmp_signed("==", stride, constant(1))) as (then, otherwise):
                with then:
                    plane(size, 1)
                with otherwise:
                    plane(size, 2)

        for_each_size(builder, size, SIZES, strides)
        return context.get_dummy_value()

    return signature, codegen
