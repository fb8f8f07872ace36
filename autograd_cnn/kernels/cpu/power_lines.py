"""Powers of e along contiguous lines, as softmax needs them: each loop goes from the numbers to what becomes of them.

`top_of_line`    the largest element, whatever is NaN left out
`sum_of_powers`  sum(e^(x - r)), in float64, for an r that suits the line
`stored_powers`  sum(e^(x - top)), with the powers as target
`scaled_powers`  target = e^((x - high) - low) * scale + shift

Exponents are at most 0, or not far above, so that a power takes a dozen instructions and no exception.  What is below
2^-126.5 (in float64 2^-1022.5) is 0.
"""

import math

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import UNROLL, Lines, places_of
from autograd_cnn.kernels.cpu.microkernel import _INDEX, _check, _index, _loop
from autograd_cnn.kernels.cpu.vectormath import EXP_TAIL, LOG2_E

REACH = 16.0
# As one number, ln 2 makes a power wrong by a part in 3.6e8 / |x|: a tenth of what rounding x - top does to it.
LN2 = math.log(2)
# For float32 and float64: what to add so that n stands in the low bits as the exponent of 2^n, where that begins in a
# number, and for which x the power is 0.
EXPONENTS = (12582912.0 + 127, 23, -88.0), (6755399441055744.0 + 1023, 52, -709.0)


class PowerLines(Lines):
    """Vectors of powers."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype)
        self.least = self.same(-math.inf)

    def same(self, number):
        return ir.Constant(self.type, [number] * self.lanes)

    def first(self, count):
        """The mask of the lanes below `count`, which is at most what one step takes."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        lane = ir.Constant(kind, list(range(self.lanes)))
        return self.builder.icmp_signed("<", lane, self.splat(self.builder.trunc(count, kind.element), kind))

    def power(self, x):
        """e^x for x below 88 (in float64 709); NaN stays."""
        builder = self.builder
        lift, digits, zero_below = EXPONENTS[self.itemsize == 8]
        x = builder.select(builder.fcmp_ordered("<", x, self.same(zero_below)), self.same(zero_below), x)
        lifted = self.fma(x, self.same(LOG2_E), self.same(lift))
        n = builder.fsub(lifted, self.same(lift))
        bits = ir.VectorType(ir.IntType(8 * self.itemsize), self.lanes)
        shifted = builder.shl(builder.bitcast(lifted, bits), ir.Constant(bits, [digits] * self.lanes))
        scale = builder.bitcast(shifted, self.type)
        r = self.fma(n, self.same(-LN2), x)
        p, *tail = (self.same(term) for term in (*EXP_TAIL[self.itemsize == 8], 1.0))
        for term in tail:
            p = self.fma(p, r, term)
        return self.fma(builder.fmul(r, p), scale, scale)

    def read_or_nothing(self, line, q, mask):
        """line[q:], -inf where the mask is off: its power is 0."""
        return self.read(line, q, mask, self.least)

    def larger(self, x, y):
        """The larger of two; y where x is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", x, y), x, y)

    def top(self, line, count):
        """The largest element of a line that is a number; -inf where there is none."""

        def step(q, mask, best):
            return [self.larger(self.read_or_nothing(line, q, mask), best[0])]

        (best,) = self.merged(self.along(count, self.copies([self.least]), step), self.larger)
        return self.folded(best, self.larger)

    def sum(self, line, count, reference, target=None):
        """The sum of e^(x - reference) over a line, in float64, and a vector that has its largest element.

        Powers that come together are added before they are widened.  `target` gets the powers.
        """
        builder, taken, reference = self.builder, UNROLL * self.lanes, self.splat(reference)

        def power_at(q, mask):
            x = self.read_or_nothing(line, q, mask)
            power = self.power(builder.fsub(x, reference))
            if target is not None:
                self.write(power, target, q, mask)
            return x, power

        def several(k, carried):
            total, *tops = carried
            q = _index(builder, taken, k)
            pairs = [power_at(builder.add(q, ir.Constant(_INDEX, u * self.lanes)), None) for u in range(UNROLL)]
            (power,) = self.merged([[power] for _, power in pairs], builder.fadd)
            tops = [self.larger(x, top) for (x, _), top in zip(pairs, tops, strict=True)]
            return [builder.fadd(total, self.widened(power)), *tops]

        whole = builder.sdiv(count, ir.Constant(_INDEX, taken))
        total, *tops = _loop(builder, whole, [self.wide_zero, *[self.least] * UNROLL], several)
        (top,) = self.merged([[top] for top in tops], self.larger)
        done = _index(builder, taken, whole)
        rest = builder.sub(count, done)

        def one(k, carried):
            total, top = carried
            q = _index(builder, self.lanes, k)
            x, power = power_at(builder.add(done, q), self.first(builder.sub(rest, q)))
            return [builder.fadd(total, power), self.larger(x, top)]

        steps = builder.sdiv(builder.add(rest, ir.Constant(_INDEX, self.lanes - 1)), ir.Constant(_INDEX, self.lanes))
        last, top = _loop(builder, steps, [self.zero, top], one)
        return self.folded(builder.fadd(total, self.widened(last)), builder.fadd), top

    def short_sum(self, line, count):
        """The sum of e^(x - t) over a line of at most one vector, in float64, and its largest element t."""
        x = self.read_or_nothing(line, ir.Constant(_INDEX, 0), self.first(count))
        top = self.folded(self.larger(x, self.least), self.larger)
        power = self.power(self.builder.fsub(x, self.splat(top)))
        return self.as_double(self.folded(power, self.builder.fadd)), top

    def any(self, sign, vector, limit):
        """Whether a lane of the vector compares so with a number."""
        found = self.builder.fcmp_ordered(sign, vector, self.same(limit))
        bits = ir.IntType(self.lanes)
        return self.builder.icmp_unsigned("!=", self.builder.bitcast(found, bits), ir.Constant(bits, 0))

    def as_double(self, number):
        return number if self.itemsize == 8 else self.builder.fpext(number, ir.DoubleType())


@intrinsic
def top_of_line(typingctx, x, start, count):
    """The largest of `count` elements from x[start] on that is a number; -inf where there is none."""
    _check(x)
    signature = x.dtype(x, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        x, start, count = arguments
        lines = PowerLines(builder, signature.args[0].dtype)
        (x,) = places_of(context, builder, [(signature.args[0], x, start)])
        return lines.top(x, count)

    return signature, codegen


@intrinsic
def sum_of_powers(typingctx, x, start, count):
    """r, the sum of e^(x[start + q] - r) over q below `count`, in float64, and the largest x.

    The largest is a safe r, but to find it first takes a pass.  So 0 is tried, which is as good, nay better as it
    rounds no x, where the largest turns out to lie within REACH of it; elsewhere the line is gone through again.
    """
    _check(x)
    signature = types.UniTuple(types.float64, 3)(x, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        x, start, count = arguments
        lines = PowerLines(builder, signature.args[0].dtype)
        (x,) = places_of(context, builder, [(signature.args[0], x, start)])
        zero, lanes = ir.Constant(lines.element, 0), ir.Constant(_INDEX, lines.lanes)
        names = "short", "first", "again", "long", "after"
        short, first, again, long, after = (builder.append_basic_block(name) for name in names)
        before = builder.block
        builder.cbranch(builder.icmp_signed("<=", count, lanes), short, first)
        builder.position_at_end(short)
        small, largest = lines.short_sum(x, count)
        builder.branch(after)
        builder.position_at_end(first)
        reference, second = builder.phi(lines.element), builder.phi(ir.IntType(1))
        reference.add_incoming(zero, before)
        second.add_incoming(cgutils.false_bit, before)
        total, tops = lines.sum(x, count, reference)
        # Told from the vector: to fold it takes as long as several powers.
        within = builder.and_(lines.any(">=", tops, -REACH), builder.not_(lines.any(">", tops, REACH)))
        builder.cbranch(builder.or_(second, within), long, again)
        builder.position_at_end(again)
        reference.add_incoming(lines.folded(tops, lines.larger), again)
        second.add_incoming(cgutils.true_bit, again)
        builder.branch(first)
        builder.position_at_end(long)
        top = lines.folded(tops, lines.larger)
        builder.branch(after)
        builder.position_at_end(after)
        found = [builder.phi(kind) for kind in (lines.element, ir.DoubleType(), lines.element)]
        for phi, values in zip(found, ((largest, reference), (small, total), (largest, top)), strict=True):
            for value, block in zip(values, (short, long), strict=True):
                phi.add_incoming(value, block)
        reference, total, top = found
        found = [lines.as_double(reference), total, lines.as_double(top)]
        return context.make_tuple(builder, signature.return_type, found)

    return signature, codegen


@intrinsic
def stored_powers(typingctx, count, x, x_start, top, target, start):
    """target[start + q] = e^(x[x_start + q] - top) for q below `count`; the sum of these, in float64."""
    _check(x, target)
    signature = types.float64(types.intp, x, types.intp, x.dtype, target, types.intp)

    def codegen(context, builder, signature, arguments):
        count, x, x_start, top, target, start = arguments
        kinds = signature.args
        lines = PowerLines(builder, kinds[1].dtype)
        x, target = places_of(context, builder, [(kinds[1], x, x_start), (kinds[4], target, start)])
        return lines.sum(x, count, top, target)[0]

    return signature, codegen


@intrinsic
def scaled_powers(typingctx, count, x, x_start, high, low, scale, shift, target, start):
    """target[start + q] = e^((x[x_start + q] - high) - low) * scale + shift for q below `count`."""
    _check(x, target)
    number = x.dtype
    signature = types.void(types.intp, x, types.intp, number, number, number, number, target, types.intp)

    def codegen(context, builder, signature, arguments):
        count, x, x_start, high, low, scale, shift, target, start = arguments
        kinds = signature.args
        lines = PowerLines(builder, kinds[1].dtype)
        x, target = places_of(context, builder, [(kinds[1], x, x_start), (kinds[7], target, start)])
        high, low, scale, shift = (lines.splat(number) for number in (high, low, scale, shift))

        def step(q, mask, _):
            exponent = builder.fsub(builder.fsub(lines.read_or_nothing(x, q, mask), high), low)
            lines.write(lines.fma(lines.power(exponent), scale, shift), target, q, mask)
            return []

        lines.along(count, lines.copies([]), step)
        return context.get_dummy_value()

    return signature, codegen
