"""Vector loops over lines of any length: neighbouring elements of an array, the last few of them under a mask.

`multiply_add`      x * y + z, of numbers
`sum_of_line`       the sum, in float64; `squares_of_line` of squares, `numbers_of_line` of what is not NaN
`largest_of_line`, `smallest_of_line`  NaN where there is one
`place_in_line`     where a value first stands
`moments`           sum(a - p) and sum((a - p)^2) over several lines, in float64
`products`          sum(a - p) and sum((a - p) (b - q)) over several lines, in float64
`affine_line`       target = ((x - high) - low) * scale + shift
`affine_pair`       target = (x - centre) * x_scale + g * g_scale + shift
`scaled_difference` target = (x - shift) * y

Sums go through a fixed number of running vectors, which are added in a fixed order.  The compiler's own vector loops
leave up to 63 elements to scalar code and do not reorder sums at all.
"""

import math

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.microkernel import _INDEX, _check, _data, _index, _loop, _Vectors

UNROLL = 4  # vectors that one step of a loop takes


class Lines(_Vectors):
    """Vectors on lines whose length is no multiple of theirs."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype)
        self.numbers = ir.VectorType(_INDEX, self.lanes)
        self.lane = ir.Constant(self.numbers, list(range(self.lanes)))
        self.bits = ir.VectorType(ir.IntType(1), self.lanes)
        self.align = ir.Constant(ir.IntType(32), self.itemsize)
        self.wide = ir.VectorType(ir.DoubleType(), self.lanes)
        self.wide_zero = ir.Constant(self.wide, None)

    def first(self, count):
        """The mask of the lanes below `count`."""
        return self.builder.icmp_signed("<", self.lane, self.splat(count, self.numbers))

    def read(self, line, q, mask, otherwise=None):
        """line[q:], `otherwise` (zeros) where the mask is off; all lanes where there is no mask."""
        place = self.builder.gep(line, [q])
        if mask is None:
            return self.load(place)
        pointer = self.type.as_pointer()
        load = self.intrinsic("masked.load", self.type, [pointer, self.align.type, self.bits, self.type], ".p0")
        otherwise = self.zero if otherwise is None else otherwise
        return self.builder.call(load, [self.builder.bitcast(place, pointer), self.align, mask, otherwise])

    def write(self, value, line, q, mask):
        place = self.builder.gep(line, [q])
        if mask is None:
            self.store(value, place)
            return
        pointer = self.type.as_pointer()
        kinds = [self.type, pointer, self.align.type, self.bits]
        store = self.intrinsic("masked.store", ir.VoidType(), kinds, ".p0")
        self.builder.call(store, [value, self.builder.bitcast(place, pointer), self.align, mask])

    def widened(self, value):
        return value if self.wide == self.type else self.builder.fpext(value, self.wide)

    def folded(self, value, combine):
        """The lanes of a vector combined into one number, halves first."""
        n = value.type.count
        undefined = ir.Constant(value.type, ir.Undefined)
        while n > 1:
            n //= 2
            halves = [
                self.builder.shuffle_vector(
                    value, undefined, ir.Constant(ir.VectorType(ir.IntType(32), n), list(range(start, start + n)))
                )
                for start in (0, n)
            ]
            value = combine(*halves)
            undefined = ir.Constant(value.type, ir.Undefined)
        return self.builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    def copies(self, initial):
        """The accumulators `initial`, once for each vector of a step."""
        return [list(initial) for _ in range(UNROLL)]

    def along(self, count, sets, step):
        """`accumulators = step(q, mask, accumulators)` for every vector of a line of `count` elements.

        There are UNROLL sets of accumulators, for as many vectors side by side; what is left at the end, which has a
        mask, goes into the first set.
        """
        builder, size = self.builder, len(sets[0])
        taken = UNROLL * self.lanes

        def several(k, carried):
            q = _index(builder, taken, k)
            following = []
            for u in range(UNROLL):
                place = builder.add(q, ir.Constant(_INDEX, u * self.lanes))
                following += step(place, None, carried[u * size : (u + 1) * size])
            return following

        whole = builder.sdiv(count, ir.Constant(_INDEX, taken))
        carried = _loop(builder, whole, [value for each in sets for value in each], several)
        done = _index(builder, taken, whole)
        rest = builder.sub(count, done)

        def one(k, carried):
            q = _index(builder, self.lanes, k)
            return step(builder.add(done, q), self.first(builder.sub(rest, q)), carried)

        steps = builder.sdiv(builder.add(rest, ir.Constant(_INDEX, self.lanes - 1)), ir.Constant(_INDEX, self.lanes))
        first = _loop(builder, steps, carried[:size], one)
        return [first, *(carried[u * size : (u + 1) * size] for u in range(1, UNROLL))]

    def merged(self, sets, combine):
        """The sets of accumulators combined position by position, neighbours first."""
        while len(sets) > 1:
            sets = [
                [combine(x, y) for x, y in zip(left, right, strict=True)]
                for left, right in zip(sets[::2], sets[1::2], strict=True)
            ]
        return sets[0]


def places_of(context, builder, arrays):
    """Pointers to the elements where the lines start, of (type, array, start)."""
    return [builder.gep(_data(context, builder, kind, array), [start]) for kind, array, start in arrays]


@intrinsic
def multiply_add(typingctx, x, y, z):
    """x * y + z of three numbers, rounded once where the processor can do so; loops over it become vector code."""
    signature = x(x, x, x)

    def codegen(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        name = f"llvm.fmuladd.f{signature.return_type.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
        return builder.call(function, arguments)

    return signature, codegen


def itself(lines, value):
    return value


def squared(lines, value):
    return lines.builder.fmul(value, value)


def number(lines, value):
    """0 for NaN"""
    return lines.builder.select(lines.builder.fcmp_ordered("ord", value, value), value, lines.wide_zero)


def _sum(term):
    """The intrinsic that adds up terms, of elements in float64."""

    def sum_of_line(typingctx, x, start, count):
        _check(x)
        signature = types.float64(x, types.intp, types.intp)

        def codegen(context, builder, signature, arguments):
            x, start, count = arguments
            lines = Lines(builder, signature.args[0].dtype)
            (x,) = places_of(context, builder, [(signature.args[0], x, start)])

            def step(q, mask, totals):
                return [builder.fadd(totals[0], term(lines, lines.widened(lines.read(x, q, mask))))]

            (total,) = lines.merged(lines.along(count, lines.copies([lines.wide_zero]), step), builder.fadd)
            return lines.folded(total, builder.fadd)

        return signature, codegen

    return sum_of_line


sum_of_line = intrinsic(_sum(itself))
squares_of_line = intrinsic(_sum(squared))
numbers_of_line = intrinsic(_sum(number))


def _extreme(better, start):
    """The intrinsic that finds the largest (">") or the smallest ("<") element."""

    def extreme_of_line(typingctx, x, start_, count):
        _check(x)
        signature = x.dtype(x, types.intp, types.intp)

        def codegen(context, builder, signature, arguments):
            x, first, count = arguments
            lines = Lines(builder, signature.args[0].dtype)
            (x,) = places_of(context, builder, [(signature.args[0], x, first)])
            none = ir.Constant(lines.type, [start] * lines.lanes)

            def chosen(value, best):
                return builder.select(builder.fcmp_ordered(better, value, best), value, best)

            def step(q, mask, carried):
                best, nans = carried
                value = lines.read(x, q, mask, none)
                return [chosen(value, best), builder.or_(nans, builder.fcmp_unordered("uno", value, value))]

            sets = lines.along(count, lines.copies([none, ir.Constant(lines.bits, None)]), step)
            best = lines.merged([carried[:1] for carried in sets], chosen)[0]
            nans = lines.merged([carried[1:] for carried in sets], builder.or_)[0]
            number = ir.IntType(lines.lanes)
            has_nan = builder.icmp_unsigned("!=", builder.bitcast(nans, number), ir.Constant(number, 0))
            return builder.select(has_nan, ir.Constant(lines.element, math.nan), lines.folded(best, chosen))

        return signature, codegen

    return extreme_of_line


largest_of_line = intrinsic(_extreme(">", -math.inf))
smallest_of_line = intrinsic(_extreme("<", math.inf))


@intrinsic
def place_in_line(typingctx, x, start, count, value):
    """The first k with x[start + k] == value, or NaN where value is NaN; `count` where there is none."""
    _check(x)
    signature = types.intp(x, types.intp, types.intp, x.dtype)

    def codegen(context, builder, signature, arguments):
        x, start, count, value = arguments
        lines = Lines(builder, signature.args[0].dtype)
        (x,) = places_of(context, builder, [(signature.args[0], x, start)])
        number = ir.IntType(lines.lanes)
        wanted = lines.splat(value)
        wants_nan = lines.splat(builder.fcmp_unordered("uno", value, value), lines.bits)
        head, body, after = (builder.append_basic_block(name) for name in ("search", "compare", "found"))
        before = builder.block
        builder.branch(head)
        builder.position_at_end(head)
        q = builder.phi(_INDEX)
        q.add_incoming(ir.Constant(_INDEX, 0), before)
        builder.cbranch(builder.icmp_signed("<", q, count), body, after)
        builder.position_at_end(body)
        mask = lines.first(builder.sub(count, q))
        read = lines.read(x, q, mask)
        equal = builder.fcmp_ordered("==", read, wanted)
        nan = builder.and_(builder.fcmp_unordered("uno", read, read), wants_nan)
        hits = builder.bitcast(builder.and_(builder.or_(equal, nan), mask), number)
        q.add_incoming(builder.add(q, ir.Constant(_INDEX, lines.lanes)), body)
        builder.cbranch(builder.icmp_unsigned("==", hits, ir.Constant(number, 0)), head, after)
        builder.position_at_end(after)
        place = builder.phi(_INDEX)
        place.add_incoming(count, head)
        # The block before `after` is `body`, so what it computed is known there.
        builder.position_before(body.instructions[-1])
        lane = builder.zext(builder.cttz(hits, ir.Constant(ir.IntType(1), 0)), _INDEX)
        place.add_incoming(builder.add(q, lane), body)
        builder.position_at_end(after)
        return place

    return signature, codegen


def _two_sums(context, builder, signature, lines, a, a_centre, b, b_centre, rows, pitch, count):
    """The tuple (sum(a - a_centre), sum((a - a_centre) (b - b_centre))); b is None where it is a."""
    centres = [lines.splat(centre, lines.wide) for centre in (a_centre, b_centre) if centre is not None]
    kinds = [lines.wide] * 3
    name = f"llvm.fmuladd.v{lines.lanes}f64"
    multiply_add = cgutils.get_or_insert_function(builder.module, ir.FunctionType(lines.wide, kinds), name)

    def row(r, carried):
        offset = builder.mul(r, pitch)
        starts = [builder.gep(array, [offset]) for array in (a, b) if array is not None]

        def step(q, mask, sums):
            differences = []
            for line, centre in zip(starts, centres, strict=True):
                value = builder.fsub(lines.widened(lines.read(line, q, mask)), centre)
                differences.append(value if mask is None else builder.select(mask, value, lines.wide_zero))
            left, right = differences[0], differences[-1]
            return [builder.fadd(sums[0], left), builder.call(multiply_add, [left, right, sums[1]])]

        sets = lines.along(count, [carried[2 * u : 2 * u + 2] for u in range(UNROLL)], step)
        return [value for each in sets for value in each]

    totals = _loop(builder, rows, [lines.wide_zero] * (2 * UNROLL), row)
    sums = lines.merged([totals[2 * u : 2 * u + 2] for u in range(UNROLL)], builder.fadd)
    return context.make_tuple(builder, signature.return_type, [lines.folded(total, builder.fadd) for total in sums])


@intrinsic
def moments(typingctx, x, start, centre, rows, pitch, count):
    """sum(x - centre) and sum((x - centre)^2) over `rows` lines of `count` elements, `pitch` apart, in float64."""
    _check(x)
    signature = types.UniTuple(types.float64, 2)(x, types.intp, types.float64, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        x, start, centre, rows, pitch, count = arguments
        lines = Lines(builder, signature.args[0].dtype)
        (x,) = places_of(context, builder, [(signature.args[0], x, start)])
        return _two_sums(context, builder, signature, lines, x, centre, None, None, rows, pitch, count)

    return signature, codegen


@intrinsic
def products(typingctx, a, a_start, a_centre, b, b_start, b_centre, rows, pitch, count):
    """sum(a - a_centre) and sum((a - a_centre) (b - b_centre)) over lines as in `moments`."""
    _check(a, b)
    place = (types.intp, types.float64)
    signature = types.UniTuple(types.float64, 2)(a, *place, b, *place, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        a, a_start, a_centre, b, b_start, b_centre, rows, pitch, count = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[0].dtype)
        a, b = places_of(context, builder, [(kinds[0], a, a_start), (kinds[3], b, b_start)])
        return _two_sums(context, builder, signature, lines, a, a_centre, b, b_centre, rows, pitch, count)

    return signature, codegen


@intrinsic
def affine_line(typingctx, count, x, x_start, high, low, scale, shift, target, start):
    """target[start + q] = ((x[x_start + q] - high) - low) * scale + shift for q below `count`."""
    _check(x, target)
    number = x.dtype
    signature = types.void(types.intp, x, types.intp, number, number, number, number, target, types.intp)

    def codegen(context, builder, signature, arguments):
        count, x, x_start, high, low, scale, shift, target, start = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[1].dtype)
        x, target = places_of(context, builder, [(kinds[1], x, x_start), (kinds[7], target, start)])
        high, low, scale, shift = (lines.splat(number) for number in (high, low, scale, shift))

        def step(q, mask, _):
            centred = builder.fsub(builder.fsub(lines.read(x, q, mask), high), low)
            lines.write(lines.fma(centred, scale, shift), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def affine_pair(typingctx, count, x, x_start, centre, x_scale, g, g_start, g_scale, shift, target, start):
    """target[start + q] = (x[x_start + q] - centre) * x_scale + (g[g_start + q] * g_scale + shift) below `count`."""
    _check(x, g, target)
    number = x.dtype
    given = (x, types.intp, number, number, g, types.intp, number, number, target, types.intp)
    signature = types.void(types.intp, *given)

    def codegen(context, builder, signature, arguments):
        count, x, x_start, centre, x_scale, g, g_start, g_scale, shift, target, start = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[1].dtype)
        sources = [(kinds[1], x, x_start), (kinds[5], g, g_start), (kinds[9], target, start)]
        x, g, target = places_of(context, builder, sources)
        centre, x_scale, g_scale, shift = (lines.splat(number) for number in (centre, x_scale, g_scale, shift))

        def step(q, mask, _):
            rest = lines.fma(lines.read(g, q, mask), g_scale, shift)
            centred = builder.fsub(lines.read(x, q, mask), centre)
            lines.write(lines.fma(centred, x_scale, rest), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def scaled_difference(typingctx, count, x, x_start, shift, y, y_start, target, start):
    """target[start + q] = (x[x_start + q] - shift) * y[y_start + q] for q below `count`."""
    _check(x, y, target)
    signature = types.void(types.intp, x, types.intp, x.dtype, y, types.intp, target, types.intp)

    def codegen(context, builder, signature, arguments):
        count, x, x_start, shift, y, y_start, target, start = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[1].dtype)
        sources = [(kinds[1], x, x_start), (kinds[4], y, y_start), (kinds[6], target, start)]
        x, y, target = places_of(context, builder, sources)
        shift = lines.splat(shift)

        def step(q, mask, _):
            difference = builder.fsub(lines.read(x, q, mask), shift)
            lines.write(builder.fmul(difference, lines.read(y, q, mask)), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen
