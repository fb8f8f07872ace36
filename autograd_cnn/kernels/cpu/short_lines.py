"""Sums of short lines, LINES at a time: adding up the lanes of one vector costs as much as reading a short line."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import places_of
from autograd_cnn.kernels.cpu.microkernel import _ELEMENTS, _INDEX, VECTOR_BYTES, _check, _index, _loop, _Vectors

LINES = VECTOR_BYTES // 8  # as many as a vector has lanes of float64


@intrinsic
def sums_of_lines(typingctx, x, start, count, sums):
    """sums[i] = the sum of the `count` elements from x[start + i * count] on, in float64, for i below LINES."""
    _check(x, sums)
    if sums.dtype != types.float64:
        raise TypingError("sums_of_lines: sums must be float64")
    signature = types.void(x, types.intp, types.intp, sums)

    def codegen(context, builder, signature, arguments):
        x, start, count, sums = arguments
        kinds = signature.args
        element, suffix, itemsize = _ELEMENTS[kinds[0].dtype]
        vectors = _Vectors(builder, types.float64)
        x, sums = places_of(context, builder, [(kinds[0], x, start), (kinds[3], sums, start.type(0))])
        lines = [builder.gep(x, [_index(builder, i, count)]) for i in range(LINES)]
        narrow = ir.VectorType(element, LINES)

        def added(totals, read):
            following = []
            for line, total in zip(lines, totals, strict=True):
                value = read(line)
                following.append(
                    builder.fadd(total, value if narrow == vectors.type else builder.fpext(value, vectors.type))
                )
            return following

        def whole(k, totals):
            def read(line):
                place = builder.gep(line, [_index(builder, LINES, k)])
                value = builder.load(builder.bitcast(place, narrow.as_pointer()))
                value.align = itemsize
                return value

            return added(totals, read)

        def rest(k, totals):
            mask = vectors.mask(left)
            kind = ir.FunctionType(narrow, [narrow.as_pointer(), ir.IntType(32), mask.type, narrow])
            name = f"llvm.masked.load.v{LINES}{suffix}.p0"
            load = cgutils.get_or_insert_function(builder.module, kind, name)

            def read(line):
                place = builder.bitcast(builder.gep(line, [done]), narrow.as_pointer())
                return builder.call(
                    load, [place, ir.Constant(ir.IntType(32), itemsize), mask, ir.Constant(narrow, None)]
                )

            return added(totals, read)

        steps = builder.sdiv(count, ir.Constant(_INDEX, LINES))
        totals = _loop(builder, steps, [vectors.zero] * LINES, whole)
        done = _index(builder, LINES, steps)
        left = builder.sub(count, done)
        once = builder.zext(builder.icmp_signed(">", left, ir.Constant(_INDEX, 0)), _INDEX)
        totals = _loop(builder, once, totals, rest)
        vectors.store(vectors.sums(totals), sums)
        return context.get_dummy_value()

    return signature, codegen
