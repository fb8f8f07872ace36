"""Loops over the columns of a matrix: vectors side by side, whose sums stay in registers from row to row.

`sums_of_columns`     sum(x); `squares_of_columns` of squares, `numbers_of_columns` of what is not NaN
`moments_of_columns`  sum(x - p) and sum((x - p)^2)
`products_of_columns` sum(g) and sum(g (x - p))

In float64; p is a number for each column; x and g lie alike.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import UNROLL, Lines, itself, number, places_of, squared
from autograd_cnn.kernels.cpu.microkernel import _INDEX, _ask, _check, _index, _loop

ALIGN_DOUBLE = 8
ROWS_AHEAD = 16  # how far down memory is asked for: rows lie too far apart for the processor to guess


class Columns(Lines):
    """Vectors on `count` neighbouring columns of `rows` rows."""

    def __init__(self, builder, dtype, rows, count):
        super().__init__(builder, dtype)
        self.rows, self.count = rows, count

    def in_blocks(self, block):
        """`block(places, masks)` for UNROLL vectors side by side, and for each of those left over, with its mask."""
        builder, taken = self.builder, UNROLL * self.lanes

        def whole(k, _):
            q = _index(builder, taken, k)
            block([builder.add(q, ir.Constant(_INDEX, u * self.lanes)) for u in range(UNROLL)], [None] * UNROLL)
            return []

        def rest(k, _):
            q = builder.add(done, _index(builder, self.lanes, k))
            block([q], [self.first(builder.sub(self.count, q))])
            return []

        blocks = builder.sdiv(self.count, ir.Constant(_INDEX, taken))
        _loop(builder, blocks, [], whole)
        done = _index(builder, taken, blocks)
        left = builder.add(builder.sub(self.count, done), ir.Constant(_INDEX, self.lanes - 1))
        _loop(builder, builder.sdiv(left, ir.Constant(_INDEX, self.lanes)), [], rest)

    def down(self, matrices, initial, body):
        """`carried = body(lines, carried)` for every row, where the matrices have their lines.

        A matrix is where it begins and how many elements its rows lie apart.
        """

        def row(r, carried):
            return body([self.builder.gep(x, [self.builder.mul(r, pitch)]) for x, pitch in matrices], carried)

        return _loop(self.builder, self.rows, initial, row)

    def ask(self, line, pitch, place):
        """Ask for what the column has some rows further down."""
        ahead = self.builder.mul(pitch, ir.Constant(_INDEX, ROWS_AHEAD))
        _ask(self.builder, self.builder.gep(line, [self.builder.add(place, ahead)]))

    def read_wide(self, array, place, mask):
        """A vector of an array of float64."""
        pointer = self.builder.bitcast(self.builder.gep(array, [place]), self.wide.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=ALIGN_DOUBLE)
        return self._masked("load", self.wide, [pointer, mask, self.wide_zero])

    def write_wide(self, value, array, place, mask):
        pointer = self.builder.bitcast(self.builder.gep(array, [place]), self.wide.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=ALIGN_DOUBLE)
        else:
            self._masked("store", ir.VoidType(), [value, pointer, mask])

    def _masked(self, name, result, arguments):
        position = [value.type for value in arguments].index(self.wide.as_pointer()) + 1
        arguments.insert(position, ir.Constant(ir.IntType(32), ALIGN_DOUBLE))
        kind = ir.FunctionType(result, [value.type for value in arguments])
        name = f"llvm.masked.{name}.v{self.lanes}f64.p0"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def multiply_add(self, x, y, z):
        kind = ir.FunctionType(self.wide, [self.wide] * 3)
        name = f"llvm.fmuladd.v{self.lanes}f64"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [x, y, z])


def _check_sums(*arrays):
    _check(*arrays)
    if any(array.dtype != types.float64 for array in arrays):
        raise TypingError("sums of columns, and what they are taken round, must be float64")


def _sums(term):
    """The intrinsic for totals[q] = sum of a term of x[start + r pitch + q] over r < rows, for q below `count`."""

    def sums_of_columns(typingctx, x, start, pitch, rows, count, totals):
        _check(x)
        _check_sums(totals)
        signature = types.void(x, types.intp, types.intp, types.intp, types.intp, totals)

        def codegen(context, builder, signature, arguments):
            x, start, pitch, rows, count, totals = arguments
            columns = Columns(builder, signature.args[0].dtype, rows, count)
            sources = [(signature.args[0], x, start), (signature.args[5], totals, start.type(0))]
            x, totals = places_of(context, builder, sources)

            def block(places, masks):
                def row(lines, sums):
                    following = []
                    for place, mask, total in zip(places, masks, sums, strict=True):
                        columns.ask(lines[0], pitch, place)
                        following.append(
                            builder.fadd(total, term(columns, columns.widened(columns.read(lines[0], place, mask))))
                        )
                    return following

                sums = columns.down([(x, pitch)], [columns.wide_zero] * len(masks), row)
                for place, mask, total in zip(places, masks, sums, strict=True):
                    columns.write_wide(total, totals, place, mask)

            columns.in_blocks(block)
            return context.get_dummy_value()

        return signature, codegen

    return sums_of_columns


sums_of_columns = intrinsic(_sums(itself))
squares_of_columns = intrinsic(_sums(squared))
numbers_of_columns = intrinsic(_sums(number))


def _two_sums(columns, left, right, pitch, centres, totals, products):
    """totals = sum(left), products = sum(left (right - centre)); without `left`, of right - centre itself."""
    builder = columns.builder
    matrices = [(x, pitch) for x in (right, left) if x is not None]

    def block(places, masks):
        wide = [columns.read_wide(centres, place, mask) for place, mask in zip(places, masks, strict=True)]

        def row(lines, sums):
            following = []
            for u, (place, mask) in enumerate(zip(places, masks, strict=True)):
                for line in lines:
                    columns.ask(line, pitch, place)
                value, *others = (columns.widened(columns.read(line, place, mask)) for line in lines)
                value = builder.fsub(value, wide[u])
                other = others[0] if others else value
                following += [
                    builder.fadd(sums[2 * u], other),
                    columns.multiply_add(other, value, sums[2 * u + 1]),
                ]
            return following

        sums = columns.down(matrices, [columns.wide_zero] * (2 * len(masks)), row)
        for u, (place, mask) in enumerate(zip(places, masks, strict=True)):
            columns.write_wide(sums[2 * u], totals, place, mask)
            columns.write_wide(sums[2 * u + 1], products, place, mask)

    columns.in_blocks(block)


@intrinsic
def moments_of_columns(typingctx, x, start, pitch, rows, count, centres, totals, squares):
    """totals[q] = sum(x - centres[q]) and squares[q] = sum((x - centres[q])^2) of column q."""
    _check(x)
    _check_sums(centres, totals, squares)
    signature = types.void(x, types.intp, types.intp, types.intp, types.intp, centres, totals, squares)

    def codegen(context, builder, signature, arguments):
        x, start, pitch, rows, count, *wide = arguments
        columns = Columns(builder, signature.args[0].dtype, rows, count)
        sources = [(kind, array, start.type(0)) for kind, array in zip(signature.args[5:], wide, strict=True)]
        x, *wide = places_of(context, builder, [(signature.args[0], x, start), *sources])
        _two_sums(columns, None, x, pitch, *wide)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def products_of_columns(typingctx, g, x, start, pitch, rows, count, centres, totals, products):
    """totals[q] = sum(g) and products[q] = sum(g (x - centres[q])) of column q."""
    _check(g, x)
    _check_sums(centres, totals, products)
    signature = types.void(g, x, types.intp, types.intp, types.intp, types.intp, centres, totals, products)

    def codegen(context, builder, signature, arguments):
        g, x, start, pitch, rows, count, *wide = arguments
        kinds = signature.args
        columns = Columns(builder, kinds[1].dtype, rows, count)
        sources = [(kind, array, start.type(0)) for kind, array in zip(kinds[6:], wide, strict=True)]
        g, x, *wide = places_of(context, builder, [(kinds[0], g, start), (kinds[1], x, start), *sources])
        _two_sums(columns, g, x, pitch, *wide)
        return context.get_dummy_value()

    return signature, codegen
