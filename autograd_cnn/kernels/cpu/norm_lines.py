"""The vector loops of normalisation along one row whose columns have numbers of their own.

Of layer normalisation, where z = (x - centre) * scale + offset (the offset makes up for what the centre, of the type of
x, lacks to the mean):

`normalised_line`  target = z * weight + bias
`gradient_sums`    sum(g weight) and sum(g weight z), in float64; g z and g are added to running sums of the columns
`gradient_line`    target = (g * weight + ((x - centre) * slope + shift)) * scale

Of batch normalisation, with a centre, a scale and so on for each column:

`affine_row`       target = (x - centre) * scale + shift
`affine_pair_row`  target = (x - centre) * slope + (g * scale + shift)
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import Lines, places_of
from autograd_cnn.kernels.cpu.microkernel import _check


@intrinsic
def normalised_line(typingctx, count, x, start, centre, scale, offset, weight, bias, target):
    """target[start + q] = z * weight[q] + bias[q] over x[start + q] for q below `count`."""
    _check(x, weight, bias, target)
    number = x.dtype
    signature = types.void(types.intp, x, types.intp, number, number, number, weight, bias, target)

    def codegen(context, builder, signature, arguments):
        count, x, start, centre, scale, offset, weight, bias, target = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[1].dtype)
        zero = start.type(0)
        x, weight, bias, target = places_of(
            context,
            builder,
            [(kinds[1], x, start), (kinds[6], weight, zero), (kinds[7], bias, zero), (kinds[8], target, start)],
        )
        centre, scale, offset = (lines.splat(number) for number in (centre, scale, offset))

        def step(q, mask, _):
            z = lines.fma(builder.fsub(lines.read(x, q, mask), centre), scale, offset)
            y = lines.fma(z, lines.read(weight, q, mask), lines.read(bias, q, mask))
            lines.write(y, target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def gradient_sums(typingctx, count, g, x, start, centre, scale, offset, weight, sums, place):
    """The tuple (sum(v), sum(v z)) with v = g * weight over g[start + q] and x[start + q] for q below `count`.

    sums[place + q] += g z and sums[place + count + q] += g.
    """
    _check(g, x, weight, sums)
    number = x.dtype
    given = (g, x, types.intp, number, number, number, weight, sums, types.intp)
    signature = types.UniTuple(types.float64, 2)(types.intp, *given)

    def codegen(context, builder, signature, arguments):
        count, g, x, start, centre, scale, offset, weight, sums, place = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[2].dtype)
        g, x, weight, products, totals = places_of(
            context,
            builder,
            [
                (kinds[1], g, start),
                (kinds[2], x, start),
                (kinds[7], weight, start.type(0)),
                (kinds[8], sums, place),
                (kinds[8], sums, builder.add(place, count)),
            ],
        )
        centre, scale, offset = (lines.splat(number) for number in (centre, scale, offset))
        name = f"llvm.fmuladd.v{lines.lanes}f64"
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(lines.wide, [lines.wide] * 3), name
        )

        def step(q, mask, carried):
            # What a mask leaves out is 0 in g, and so in all sums.
            upstream = lines.read(g, q, mask)
            z = lines.fma(builder.fsub(lines.read(x, q, mask), centre), scale, offset)
            lines.write(lines.fma(upstream, z, lines.read(products, q, mask)), products, q, mask)
            lines.write(builder.fadd(upstream, lines.read(totals, q, mask)), totals, q, mask)
            v = lines.widened(builder.fmul(upstream, lines.read(weight, q, mask)))
            z = lines.widened(z)
            if mask is not None:  # 0 times inf or nan
                z = builder.select(mask, z, lines.wide_zero)
            return [builder.fadd(carried[0], v), builder.call(multiply_add, [v, z, carried[1]])]

        sets = lines.along(count, lines.copies([lines.wide_zero, lines.wide_zero]), step)
        folded = [lines.folded(total, builder.fadd) for total in lines.merged(sets, builder.fadd)]
        return context.make_tuple(builder, signature.return_type, folded)

    return signature, codegen


@intrinsic
def gradient_line(typingctx, count, g, x, start, centre, scale, slope, shift, weight, target):
    """target[start + q] = (g * weight[q] + ((x - centre) * slope + shift)) * scale for q below `count`.

    What is in brackets is rounded as the sum that `shift` stems from, so that for one element the gradient is 0.
    """
    _check(g, x, weight, target)
    number = x.dtype
    given = (g, x, types.intp, number, number, number, number, weight, target)
    signature = types.void(types.intp, *given)

    def codegen(context, builder, signature, arguments):
        count, g, x, start, centre, scale, slope, shift, weight, target = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[2].dtype)
        g, x, weight, target = places_of(
            context,
            builder,
            [(kinds[1], g, start), (kinds[2], x, start), (kinds[8], weight, start.type(0)), (kinds[9], target, start)],
        )
        centre, scale, slope, shift = (lines.splat(number) for number in (centre, scale, slope, shift))

        def step(q, mask, _):
            rest = lines.fma(builder.fsub(lines.read(x, q, mask), centre), slope, shift)
            v = builder.fmul(lines.read(g, q, mask), lines.read(weight, q, mask))
            lines.write(builder.fmul(builder.fadd(v, rest), scale), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def affine_row(typingctx, count, x, start, centres, scales, shifts, target):
    """target[start + q] = (x[start + q] - centres[q]) * scales[q] + shifts[q] for q below `count`."""
    _check(x, centres, scales, shifts, target)
    signature = types.void(types.intp, x, types.intp, centres, scales, shifts, target)

    def codegen(context, builder, signature, arguments):
        count, x, start, *constants, target = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[1].dtype)
        sources = [(kind, array, start.type(0)) for kind, array in zip(kinds[3:6], constants, strict=True)]
        x, target, *constants = places_of(context, builder, [(kinds[1], x, start), (kinds[6], target, start), *sources])

        def step(q, mask, _):
            centre, scale, shift = (lines.read(array, q, mask) for array in constants)
            lines.write(lines.fma(builder.fsub(lines.read(x, q, mask), centre), scale, shift), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def affine_pair_row(typingctx, count, g, x, start, centres, slopes, scales, shifts, target):
    """target = (x - centres[q]) * slopes[q] + (g * scales[q] + shifts[q]), likewise."""
    _check(g, x, centres, slopes, scales, shifts, target)
    signature = types.void(types.intp, g, x, types.intp, centres, slopes, scales, shifts, target)

    def codegen(context, builder, signature, arguments):
        count, g, x, start, *constants, target = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[2].dtype)
        sources = [(kind, array, start.type(0)) for kind, array in zip(kinds[4:8], constants, strict=True)]
        given = [(kinds[1], g, start), (kinds[2], x, start), (kinds[8], target, start), *sources]
        g, x, target, *constants = places_of(context, builder, given)

        def step(q, mask, _):
            centre, slope, scale, shift = (lines.read(array, q, mask) for array in constants)
            rest = lines.fma(lines.read(g, q, mask), scale, shift)
            lines.write(lines.fma(builder.fsub(lines.read(x, q, mask), centre), slope, rest), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen
