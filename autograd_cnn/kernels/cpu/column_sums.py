"""Sums of neighbouring columns, in float64: vectors side by side, which stay in registers from row to row."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import UNROLL, Lines, places_of
from autograd_cnn.kernels.cpu.microkernel import _INDEX, _ask, _check, _index, _loop

ALIGN_DOUBLE = 8
ROWS_AHEAD = 8  # how far down memory is asked for: rows lie too far apart for the processor to guess


@intrinsic
def sums_of_columns(typingctx, x, start, pitch, rows, count, totals):
    """totals[q] = sum of x[start + r pitch + q] over r below `rows`, for q below `count`; totals is float64."""
    _check(x, totals)
    if totals.dtype != types.float64:
        raise TypingError("sums_of_columns: totals must be float64")
    signature = types.void(x, types.intp, types.intp, types.intp, types.intp, totals)

    def codegen(context, builder, signature, arguments):
        x, start, pitch, rows, count, totals = arguments
        lines = Lines(builder, signature.args[0].dtype)
        zero = ir.Constant(_INDEX, 0)
        sources = [(signature.args[0], x, start), (signature.args[5], totals, zero)]
        x, totals = places_of(context, builder, sources)
        taken, ahead = UNROLL * lines.lanes, builder.mul(pitch, ir.Constant(_INDEX, ROWS_AHEAD))

        def block(q, masks):
            """As many vectors side by side as there are masks, summed up and written down."""
            places = [builder.add(q, ir.Constant(_INDEX, u * lines.lanes)) for u in range(len(masks))]

            def row(r, sums):
                line = builder.gep(x, [builder.mul(r, pitch)])
                following = []
                for place, mask, total in zip(places, masks, sums, strict=True):
                    _ask(builder, builder.gep(line, [builder.add(place, ahead)]))
                    following.append(builder.fadd(total, lines.widened(lines.read(line, place, mask))))
                return following

            sums = _loop(builder, rows, [lines.wide_zero] * len(masks), row)
            for place, mask, total in zip(places, masks, sums, strict=True):
                keep(place, mask, total)

        def keep(place, mask, total):
            pointer = lines.wide.as_pointer()
            target = builder.bitcast(builder.gep(totals, [place]), pointer)
            if mask is None:
                builder.store(total, target, align=ALIGN_DOUBLE)
                return
            align = ir.Constant(ir.IntType(32), ALIGN_DOUBLE)
            kinds = [lines.wide, pointer, align.type, lines.bits]
            name = f"llvm.masked.store.v{lines.lanes}f64.p0"
            store = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
            builder.call(store, [total, target, align, mask])

        def whole(k, _):
            block(_index(builder, taken, k), [None] * UNROLL)
            return []

        def rest(k, _):
            q = builder.add(done, _index(builder, lines.lanes, k))
            block(q, [lines.first(builder.sub(count, q))])
            return []

        blocks = builder.sdiv(count, ir.Constant(_INDEX, taken))
        _loop(builder, blocks, [], whole)
        done = _index(builder, taken, blocks)
        left = builder.add(builder.sub(count, done), ir.Constant(_INDEX, lines.lanes - 1))
        _loop(builder, builder.sdiv(left, ir.Constant(_INDEX, lines.lanes)), [], rest)
        return context.get_dummy_value()

    return signature, codegen
