"""The vector loops of pooling: each makes one row of an image, for windows of any size, stride and padding.

`largest_of_windows`  the largest element of each window, and its place in the window
`means_of_windows`    the sum of each window, divided
`sums_over_windows`   the adjoint of the second: what arrived at each element of an image

Vectors lie along the row that is written; lanes beyond it, and elements beyond the image, are masked.  Every second
element is read by two loads and a shuffle, wider strides by a gather.
"""

import math

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.lines import Lines, places_of
from autograd_cnn.kernels.cpu.microkernel import _INDEX, _check, _index, _loop

_NUMBER = ir.IntType(32)

# Kernel, stride and whether the padding is odd, of windows whose loops are unrolled.
SHAPES = ((2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 0), (3, 1, 1), (2, 1, 0))


class Rows(Lines):
    """Vectors on rows that are read and written at a stride; positions in a row are 32 bits wide."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype)
        self.positions = ir.VectorType(_NUMBER, self.lanes)
        self.steps = ir.Constant(self.positions, list(range(self.lanes)))

    def position(self, first, stride=1):
        """first + stride * lane, for each lane."""
        first = self.splat(self.builder.trunc(first, _NUMBER), self.positions)
        if isinstance(stride, int):
            steps = ir.Constant(self.positions, [stride * lane for lane in range(self.lanes)])
        else:
            steps = self.builder.mul(self.steps, self.splat(self.builder.trunc(stride, _NUMBER), self.positions))
        return self.builder.add(first, steps)

    def within(self, position, size):
        """Which lanes have 0 <= position < size."""
        size = self.splat(self.builder.trunc(size, _NUMBER), self.positions)
        return self.builder.icmp_unsigned("<", position, size)

    def pointers(self, row, position):
        """The addresses of row[position], lane by lane."""
        base = self.splat(self.builder.ptrtoint(row, _INDEX), self.numbers)
        offset = self.builder.sext(position, self.numbers)
        offset = self.builder.mul(offset, self.splat(ir.Constant(_INDEX, self.itemsize), self.numbers))
        return self.builder.inttoptr(self.builder.add(base, offset), ir.VectorType(row.type, self.lanes))

    def column(self, row, first, stride, size, inside, otherwise):
        """row[first + stride * lane] where that is in the row."""
        position = self.position(first, stride)
        mask = self.builder.and_(inside, self.within(position, size))
        if stride == 1:
            return self.read(row, first, mask, otherwise)
        pointers = self.pointers(row, position)
        kinds = [pointers.type, self.align.type, self.bits, self.type]
        gather = self.intrinsic("masked.gather", self.type, kinds, f".v{self.lanes}p0")
        return self.builder.call(gather, [pointers, self.align, mask, otherwise])

    def columns(self, start, stride, count, size):
        """A function of a row: row[start + u + stride * lane] for each u below `count`, where that is in the row.

        Without a size all of them are.
        """
        firsts = [self.builder.add(start, ir.Constant(_INDEX, u)) for u in range(0, count, stride)]
        if stride == 2:
            offsets = [ir.Constant(_INDEX, half * self.lanes) for half in range(2)]
            firsts = [self.builder.add(first, offset) for first in firsts for offset in offsets]
        masks = [None if size is None else self.within(self.position(first), size) for first in firsts]
        phases = [list(range(phase, 2 * self.lanes, 2)) for phase in range(2)]

        def read(row, otherwise):
            parts = [self.read(row, first, mask, otherwise) for first, mask in zip(firsts, masks, strict=True)]
            if stride == 1:
                return parts
            pairs = zip(parts[::2], parts[1::2], strict=True)
            return [self.select(*pair, lanes) for pair in pairs for lanes in phases][:count]

        return read

    def reach(self, stride, count):
        """How many elements of a row `columns` reads."""
        return stride * self.lanes + (count - 1) // stride * stride

    def spread(self, values, row, first, size):
        """row[first + lane * len(values) + phase] = values[phase], within the row."""
        if len(values) == 2:
            lanes = self.lanes
            order = [lane + half * lanes for lane in range(lanes) for half in range(2)]
            values = [self.select(*values, order[:lanes]), self.select(*values, order[lanes:])]
        for part, value in enumerate(values):
            start = self.builder.add(first, ir.Constant(_INDEX, part * self.lanes))
            self.write(value, row, start, self.within(self.position(start), size))

    def scatter(self, value, row, first, stride, size):
        position = self.position(first, stride)
        pointers = self.pointers(row, position)
        kinds = [self.type, pointers.type, self.align.type, self.bits]
        scatter = self.intrinsic("masked.scatter", ir.VoidType(), kinds, f".v{self.lanes}p0")
        self.builder.call(scatter, [value, pointers, self.align, self.within(position, size)])

    def read_places(self, row, q, mask, kind):
        """row[q:] of the kind that places have, zeros where the mask is off."""
        vector = ir.VectorType(kind, self.lanes)
        pointer, size = vector.as_pointer(), kind.width // 8
        name = f"llvm.masked.load.v{self.lanes}i{kind.width}.p0"
        function = ir.FunctionType(vector, [pointer, self.align.type, self.bits, vector])
        load = cgutils.get_or_insert_function(self.builder.module, function, name)
        place = self.builder.bitcast(self.builder.gep(row, [q]), pointer)
        return self.builder.call(load, [place, ir.Constant(self.align.type, size), mask, ir.Constant(vector, None)])

    def write_places(self, value, row, q, mask, kind):
        """row[q:] = value, as numbers of the kind that places have."""
        vector = ir.VectorType(kind, self.lanes)
        fitted = self.builder.trunc if kind.width < _NUMBER.width else self.builder.sext
        value = value if vector == value.type else fitted(value, vector)
        pointer, size = vector.as_pointer(), kind.width // 8
        place = self.builder.bitcast(self.builder.gep(row, [q]), pointer)
        if mask is None:
            self.builder.store(value, place).align = size
            return
        name = f"llvm.masked.store.v{self.lanes}i{kind.width}.p0"
        function = ir.FunctionType(ir.VoidType(), [vector, pointer, self.align.type, self.bits])
        store = cgutils.get_or_insert_function(self.builder.module, function, name)
        self.builder.call(store, [value, place, ir.Constant(self.align.type, size), mask])

    def for_shapes(self, kernel, stride, odd, plain, emit):
        """Emits `emit(shape)` for each of SHAPES, and `emit(None)`, of which the one that fits is run.

        odd: whether the padding is; plain: whether the windows may be of one of SHAPES at all.
        """
        builder = self.builder
        done, other = (builder.append_basic_block(name) for name in ("pooled", "any_shape"))
        key = builder.add(builder.mul(kernel, ir.Constant(_INDEX, 2)), odd)
        key = builder.add(builder.mul(key, ir.Constant(_INDEX, 3)), stride)
        key = builder.select(plain, key, ir.Constant(_INDEX, -1))
        switch = builder.switch(key, other)
        for size, step, parity in SHAPES:
            block = builder.append_basic_block(f"kernel_{size}_stride_{step}")
            switch.add_case(ir.Constant(_INDEX, (2 * size + parity) * 3 + step), block)
            builder.position_at_end(block)
            emit((size, step, parity))
            builder.branch(done)
        builder.position_at_end(other)
        emit(None)
        builder.branch(done)
        builder.position_at_end(done)

    def vectors_of(self, count):
        return self.builder.sdiv(
            self.builder.add(count, ir.Constant(_INDEX, self.lanes - 1)), ir.Constant(_INDEX, self.lanes)
        )


def _windows(rows, x, window, count, initial, outside, tap, finish):
    """Runs `tap` over the elements of the windows of a row of output, a vector of windows at a time.

    `window`: how many rows of the image the windows span inside of it, how far these rows are apart, the width of
    the image, the width of a window, stride, dilation, and the column where the first window starts.
    `initial(u)` makes the accumulators, from the first column of each window that is inside of the image.
    """
    builder = rows.builder
    height, pitch, width, kernel, stride, dilation, left = window
    zero, one = ir.Constant(_INDEX, 0), ir.Constant(_INDEX, 1)

    def emit(shape):
        size, step, _ = shape or (None, stride, None)
        by = ir.Constant(_INDEX, step) if shape else stride

        def first_column(start):
            def candidate(k, carried):
                u = builder.sub(builder.sub(kernel, one), k)
                position = rows.position(builder.add(start, builder.mul(u, dilation)), step)
                number = rows.splat(builder.trunc(u, _NUMBER), rows.positions)
                return [builder.select(rows.within(position, width), number, carried[0])]

            nothing = ir.Constant(rows.positions, None)
            return _loop(builder, ir.Constant(_INDEX, size) if shape else kernel, [nothing], candidate)[0]

        def pool(q, start, inside, size_of_row):
            read = rows.columns(start, step, size, size_of_row) if shape else None

            def row(t, carried):
                line = builder.gep(x, [builder.mul(t, pitch)])
                code = builder.mul(t, kernel)
                if shape:
                    for u, value in enumerate(read(line, outside)):
                        carried = tap(value, builder.add(code, ir.Constant(_INDEX, u)), carried)
                    return carried

                def column(u, carried):
                    first = builder.add(start, builder.mul(u, dilation))
                    return tap(rows.column(line, first, step, width, inside, outside), builder.add(code, u), carried)

                return _loop(builder, kernel, carried, column)

            def first():
                return ir.Constant(rows.positions, None) if size_of_row is None else first_column(start)

            finish(q, inside, _loop(builder, height, initial(first), row))

        def several(v, _):
            q = _index(builder, rows.lanes, v)
            if shape:  # the last vector is the one that ends with the row, if there is one: it needs no mask
                last = builder.sub(count, ir.Constant(_INDEX, rows.lanes))
                overlaps = builder.and_(builder.icmp_signed(">", q, last), builder.icmp_signed(">=", last, zero))
                q = builder.select(overlaps, last, q)
            start = builder.add(builder.mul(q, by), left)
            if not shape:
                pool(q, start, rows.within(rows.position(q), count), width)
                return []
            end = builder.add(start, ir.Constant(_INDEX, rows.reach(step, size)))
            whole = builder.and_(builder.icmp_signed(">=", start, zero), builder.icmp_signed("<=", end, width))
            whole = builder.and_(whole, builder.icmp_signed(">=", last, q))
            with builder.if_else(whole) as (then, otherwise):
                with then:
                    pool(q, start, None, None)
                with otherwise:
                    pool(q, start, rows.within(rows.position(q), count), width)
            return []

        _loop(builder, rows.vectors_of(count), [], several)

    odd = builder.and_(left, one)
    rows.for_shapes(kernel, stride, odd, builder.icmp_signed("==", dilation, one), emit)


@intrinsic
def largest_of_windows(
    typingctx, x, x_start, height, pitch, width, kernel, stride, dilation, left, y, y_start, places, place_start, code,
    count,
):  # fmt: skip
    """y[y_start + j], places[place_start + j] = the largest element of window j below `count` and where it stands.

    Row t of the windows is row t of the image from x_start on, `pitch` apart; column u of window j is its column
    j * stride + left + u * dilation.  A place is code + t * kernel + u.
    """
    _check(x, y, places)
    n = types.intp
    signature = types.void(x, n, n, n, n, n, n, n, n, y, n, places, n, n, n)

    def codegen(context, builder, signature, arguments):
        x, x_start, *window, y, y_start, places, place_start, code, count = arguments
        kinds = signature.args
        rows = Rows(builder, kinds[0].dtype)
        starts = [(kinds[0], x, x_start), (kinds[9], y, y_start), (kinds[11], places, place_start)]
        x, y, places = places_of(context, builder, starts)
        small = ir.IntType(kinds[11].dtype.bitwidth)
        lowest = ir.Constant(rows.type, [-math.inf] * rows.lanes)
        code = rows.splat(builder.trunc(code, _NUMBER), rows.positions)

        def tap(value, number, carried):
            best, place = carried
            larger = builder.fcmp_ordered(">", value, best)
            wins = builder.or_(larger, builder.fcmp_unordered("uno", value, value))
            number = rows.splat(builder.trunc(number, _NUMBER), rows.positions)
            return [builder.select(wins, value, best), builder.select(wins, number, place)]

        def finish(q, inside, carried):
            best, place = carried
            rows.write(best, y, q, inside)
            rows.write_places(builder.add(place, code), places, q, inside, small)

        _windows(rows, x, window, count, lambda first: [lowest, first()], lowest, tap, finish)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def means_of_windows(
    typingctx, x, x_start, height, pitch, width, kernel, stride, left, y, y_start, divisor, divisors, count
):
    """y[y_start + j] = the sum of window j, as in `largest_of_windows`, over divisor * divisors[j]."""
    _check(x, y, divisors)
    n = types.intp
    signature = types.void(x, n, n, n, n, n, n, n, y, n, x.dtype, divisors, n)

    def codegen(context, builder, signature, arguments):
        x, x_start, height, pitch, width, kernel, stride, left, y, y_start, divisor, divisors, count = arguments
        kinds = signature.args
        rows = Rows(builder, kinds[0].dtype)
        zero = ir.Constant(_INDEX, 0)
        starts = [(kinds[0], x, x_start), (kinds[8], y, y_start), (kinds[11], divisors, zero)]
        x, y, divisors = places_of(context, builder, starts)
        window = height, pitch, width, kernel, stride, ir.Constant(_INDEX, 1), left
        divisor = rows.splat(divisor)

        def tap(value, number, carried):
            return [builder.fadd(carried[0], value)]

        def finish(q, inside, carried):
            by = builder.fmul(divisor, rows.read(divisors, q, inside))
            rows.write(builder.fdiv(carried[0], by), y, q, inside)

        _windows(rows, x, window, count, lambda first: [rows.zero], rows.zero, tap, finish)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def sums_over_windows(
    typingctx, g, start, windows, row_places, first, end, shifts, begins, kernel, stride, padding, divisor, target,
    target_start, width,
):  # fmt: skip
    """A row of an image: for each element the sum of the g of all windows over it, over `divisor`.

    g is read from `start` on, `windows` in a row; the rows that matter begin at row_places[first:end].  Element
    m * stride + phase lies in the windows m + shift of each, for the phase's shifts, which begin at begins[phase].
    """
    _check(g, row_places, shifts, begins, target)
    n = types.intp
    signature = types.void(g, n, n, row_places, n, n, shifts, begins, n, n, n, g.dtype, target, n, n)

    def codegen(context, builder, signature, arguments):
        g, start, windows, row_places, first, end, shifts, begins, kernel, stride, padding, divisor, *place = arguments
        target, target_start, width = place
        kinds = signature.args
        rows = Rows(builder, kinds[0].dtype)
        zero = ir.Constant(_INDEX, 0)
        starts = [(kinds[0], g, start), (kinds[12], target, target_start)]
        starts += [(kinds[3], row_places, zero), (kinds[6], shifts, zero), (kinds[7], begins, zero)]
        g, target, row_places, shifts, begins = places_of(context, builder, starts)
        divisor = rows.splat(divisor)
        one = ir.Constant(_INDEX, 1)
        taken = builder.sub(end, first)

        def row_of(t):
            return builder.gep(g, [builder.load(builder.gep(row_places, [builder.add(t, first)]))])

        def known_phases(q, shape):
            """The means of all phases at once; which windows they take is known but for whole steps of the padding."""
            size, step, parity = shape
            parity %= step
            taps = [(phase, (phase + parity - u) // step) for phase in range(step) for u in reversed(range(size))
                    if not (phase + parity - u) % step]  # fmt: skip
            near = sorted({shift for _, shift in taps})
            base = builder.add(q, builder.sdiv(padding, ir.Constant(_INDEX, step)))
            at = {shift: builder.add(base, ir.Constant(_INDEX, shift)) for shift in near}
            inside = {shift: rows.within(rows.position(at[shift]), windows) for shift in near}

            def row(t, sums):
                line = row_of(t)
                seen = {shift: rows.read(line, at[shift], inside[shift]) for shift in near}
                sums = list(sums)
                for phase, shift in taps:
                    sums[phase] = builder.fadd(sums[phase], seen[shift])
                return sums

            return [builder.fdiv(total, divisor) for total in _loop(builder, taken, [rows.zero] * step, row)]

        def any_phase(q, phase):
            begin, stop = (builder.load(builder.gep(begins, [builder.add(phase, i)])) for i in (zero, one))

            def row(t, carried):
                line = row_of(t)

                def column(u, carried):
                    window = builder.add(q, builder.load(builder.gep(shifts, [builder.add(u, begin)])))
                    inside = rows.within(rows.position(window), windows)
                    return [builder.fadd(carried[0], rows.read(line, window, inside))]

                return _loop(builder, builder.sub(stop, begin), carried, column)

            return builder.fdiv(_loop(builder, taken, [rows.zero], row)[0], divisor)

        def emit(shape):
            by = ir.Constant(_INDEX, shape[1]) if shape else stride

            def several(v, _):
                q = _index(builder, rows.lanes, v)
                start = builder.mul(q, by)
                if shape:
                    rows.spread(known_phases(q, shape), target, start, width)
                    return []

                def each(phase, _):
                    rows.scatter(any_phase(q, phase), target, builder.add(start, phase), stride, width)
                    return []

                _loop(builder, by, [], each)
                return []

            groups = builder.sdiv(builder.add(width, builder.sub(by, one)), by)
            _loop(builder, rows.vectors_of(groups), [], several)

        rows.for_shapes(kernel, stride, builder.and_(padding, one), ir.Constant(ir.IntType(1), 1), emit)
        return context.get_dummy_value()

    return signature, codegen
