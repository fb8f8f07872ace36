"""The vector loops of matrix products, with operands at regular strides and an epilogue.

`broadcast_tile`  acc[t, j] = sum_k a[t, k] * b[k, j], vectors along j: b's rows are contiguous
`inner_tile`      acc[t, u] = sum_k a[t, k] * b[u, k], vectors along k: both operands' rows are contiguous
`add_lines`       c[j] += sum_k a[k] * b[k, j] for a few k and lines of any length
`copy_lines`      lines of a few vectors copied into a packed block

Both tiles write c = max(acc + addend, lower), where the addend is what was summed before, or a bias.  The last vector
of a line is masked, so lines may have any length and nothing beside them is touched.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.microkernel import (
    _INDEX,
    _WIDE,
    INNER_A,
    INNER_B,
    _ask,
    _check,
    _data,
    _index,
    _loop,
    _Vectors,
)

# With AVX-512's 32 registers: 24 sums, 4 vectors of b, a broadcast.  With 16: 12 sums, 3 vectors of b, a broadcast.
ROWS, SPAN = (6, 4) if _WIDE else (4, 3)
SUMS = (
    8  # that must be under way at once to hide the latency of an addition; where a tile has fewer it has several sets
)
AHEAD = 8  # lines of b, that a tile of one row asks for
LINES = 4  # of b that `add_lines` takes together

_BIT, _WORD = ir.IntType(1), ir.IntType(32)


class _Lines(_Vectors):
    """Vectors along lines whose last vector is masked."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype)
        self.bits = ir.VectorType(_BIT, self.lanes)
        self.numbers = ir.VectorType(_INDEX, self.lanes)
        self.align = ir.Constant(_WORD, self.itemsize)
        self.pointer = self.type.as_pointer()

    def mask(self, count):
        """Lanes below `count`."""
        lane = ir.Constant(self.numbers, list(range(self.lanes)))
        return self.builder.icmp_signed("<", lane, self.splat(count, self.numbers))

    def load_masked(self, pointer, mask):
        kinds = [self.pointer, _WORD, self.bits, self.type]
        function = self.intrinsic("masked.load", self.type, kinds, ".p0")
        return self.builder.call(function, [self.builder.bitcast(pointer, self.pointer), self.align, mask, self.zero])

    def store_masked(self, value, pointer, mask):
        kinds = [self.type, self.pointer, _WORD, self.bits]
        function = self.intrinsic("masked.store", ir.VoidType(), kinds, ".p0")
        self.builder.call(function, [value, self.builder.bitcast(pointer, self.pointer), self.align, mask])

    def places(self, pointer, span):
        """Where the vectors of a line lie."""
        return [self.builder.gep(pointer, [ir.Constant(_INDEX, v * self.lanes)]) for v in range(span)]

    def load_line(self, pointer, span, mask):
        *whole, last = self.places(pointer, span)
        return [*map(self.load, whole), self.load_masked(last, mask)]

    def store_line(self, values, pointer, mask):
        *whole, last = self.places(pointer, len(values))
        for value, place in zip(values[:-1], whole, strict=True):
            self.store(value, place)
        self.store_masked(values[-1], last, mask)

    def finished(self, total, addend, lower):
        """max(total + addend, lower); NaN stays."""
        total = self.builder.fadd(total, addend)
        return self.builder.select(self.builder.fcmp_ordered("<=", total, lower), lower, total)


def _row(builder, pointer, lane, t):
    return builder.gep(pointer, [_index(builder, t, lane)])


def _switch(builder, value, cases):
    """Emit the code of one of `cases`, a dict of functions, by `value`."""
    done = builder.append_basic_block("done")
    switch = builder.switch(value, done)
    for key, emit in cases.items():
        block = builder.append_basic_block(f"case_{key}")
        switch.add_case(ir.Constant(_INDEX, key), block)
        builder.position_at_end(block)
        emit()
        builder.branch(done)
    builder.position_at_end(done)


def _spans(builder, columns, lanes):
    """The number of vectors that `columns` elements take, and how many of them the last one holds."""
    span = builder.sdiv(builder.add(columns, ir.Constant(_INDEX, lanes - 1)), ir.Constant(_INDEX, lanes))
    before = _index(builder, lanes, builder.sub(span, ir.Constant(_INDEX, 1)))
    return span, builder.sub(columns, before)


@intrinsic
def broadcast_tile(
    typingctx, rows, columns, a, a_base, a_lane, a_step, b, b_base, b_step, count,
    addend, addend_base, addend_lane, lower, c, c_base, c_lane,
):  # fmt: skip
    """c[t, j] = max(addend[t, j] + the sum over k < count of a[t, k] * b[k, j], lower).

    1 <= rows <= ROWS, 1 <= columns <= SPAN vectors.  a[t, k] is at a_base + t * a_lane + k * a_step, b[k, j] at
    b_base + k * b_step + j; addend and c have contiguous lines `lane` apart.
    """
    _check(a, b, addend, c)
    integer = types.intp
    signature = types.void(
        integer, integer, a, integer, integer, integer, b, integer, integer, integer,
        addend, integer, integer, c.dtype, c, integer, integer,
    )  # fmt: skip

    def codegen(context, builder, signature, arguments):
        rows, columns, a, a_base, a_lane, a_step, b, b_base, b_step, count, *rest = arguments
        addend, addend_base, addend_lane, lower, c, c_base, c_lane = rest
        kinds = signature.args
        vectors = _Lines(builder, kinds[2].dtype)
        a = builder.gep(_data(context, builder, kinds[2], a), [a_base])
        b = builder.gep(_data(context, builder, kinds[6], b), [b_base])
        addend = builder.gep(_data(context, builder, kinds[10], addend), [addend_base])
        c = builder.gep(_data(context, builder, kinds[14], c), [c_base])
        lower = vectors.splat(lower)
        span, last = _spans(builder, columns, vectors.lanes)
        mask = vectors.mask(last)

        def tile(height, span):
            sums = height * span
            sets = next(n for n in (1, 2, 4) if n * sums >= SUMS or n == 4)

            def step(k, accumulators):
                a_k = builder.gep(a, [builder.mul(k, a_step)])
                line = vectors.load_line(builder.gep(b, [builder.mul(k, b_step)]), span, mask)
                if height == 1:  # it waits for b, and processors look ahead no further than to the end of a page
                    ahead = builder.add(k, ir.Constant(_INDEX, AHEAD))
                    for place in vectors.places(builder.gep(b, [builder.mul(ahead, b_step)]), span):
                        _ask(builder, place)
                following = []
                for t in range(height):
                    x = vectors.splat(builder.load(_row(builder, a_k, a_lane, t)))
                    mine = accumulators[t * span : (t + 1) * span]
                    following += [vectors.fma(x, y, z) for y, z in zip(line, mine, strict=True)]
                return following

            def steps(k, accumulators):
                following = []
                for n in range(sets):
                    place = builder.add(_index(builder, sets, k), ir.Constant(_INDEX, n))
                    following += step(place, accumulators[n * sums : (n + 1) * sums])
                return following

            whole = builder.sdiv(count, ir.Constant(_INDEX, sets))
            totals = _loop(builder, whole, [vectors.zero] * (sets * sums), steps)
            if sets > 1:
                done = _index(builder, sets, whole)
                rest = _loop(
                    builder, builder.sub(count, done), totals[:sums], lambda k, x: step(builder.add(done, k), x)
                )
                totals = rest + totals[sums:]
            while len(totals) > sums:
                half = len(totals) // 2
                totals = [builder.fadd(x, y) for x, y in zip(totals[:half], totals[half:], strict=True)]
            for t in range(height):
                added = vectors.load_line(_row(builder, addend, addend_lane, t), span, mask)
                mine = totals[t * span : (t + 1) * span]
                values = [vectors.finished(x, y, lower) for x, y in zip(mine, added, strict=True)]
                vectors.store_line(values, _row(builder, c, c_lane, t), mask)

        cases = {
            height * (SPAN + 1) + span: lambda height=height, span=span: tile(height, span)
            for height in range(1, ROWS + 1)
            for span in range(1, SPAN + 1)
        }
        _switch(builder, builder.add(_index(builder, SPAN + 1, rows), span), cases)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def inner_tile(
    typingctx, rows, columns, a, a_base, a_lane, b, b_base, b_lane, count,
    addend, addend_base, addend_lane, lower, c, c_base, c_lane,
):  # fmt: skip
    """c[t, u] = max(addend[t, u] + the sum over k < count of a[t, k] * b[u, k], lower).

    1 <= rows <= INNER_A, 1 <= columns <= inner_columns(lanes).  All four have contiguous lines `lane` apart.
    """
    _check(a, b, addend, c)
    integer = types.intp
    signature = types.void(
        integer, integer, a, integer, integer, b, integer, integer, integer,
        addend, integer, integer, c.dtype, c, integer, integer,
    )  # fmt: skip

    def codegen(context, builder, signature, arguments):
        rows, columns, a, a_base, a_lane, b, b_base, b_lane, count, *rest = arguments
        addend, addend_base, addend_lane, lower, c, c_base, c_lane = rest
        kinds = signature.args
        vectors = _Lines(builder, kinds[2].dtype)
        a = builder.gep(_data(context, builder, kinds[2], a), [a_base])
        b = builder.gep(_data(context, builder, kinds[5], b), [b_base])
        addend = builder.gep(_data(context, builder, kinds[9], addend), [addend_base])
        c = builder.gep(_data(context, builder, kinds[13], c), [c_base])
        lower = vectors.splat(lower)
        mask = vectors.mask(columns)
        steps = builder.sdiv(count, ir.Constant(_INDEX, vectors.lanes))
        whole = _index(builder, vectors.lanes, steps)
        rest = vectors.mask(builder.sub(count, whole))
        # Rows of b that the tile lacks are stood in for by its last one, and their sums are not written.
        final = builder.sub(columns, ir.Constant(_INDEX, 1))
        lines = []
        for u in range(inner_columns(vectors.lanes)):
            u = ir.Constant(_INDEX, u)
            u = builder.select(builder.icmp_signed("<", u, columns), u, final)
            lines.append(builder.gep(b, [builder.mul(u, b_lane)]))

        def tile(height):
            def products(place, load, accumulators):
                left = [load(builder.gep(_row(builder, a, a_lane, t), [place])) for t in range(height)]
                following = []
                for u, line in enumerate(lines):
                    right = load(builder.gep(line, [place]))
                    mine = accumulators[u * height : (u + 1) * height]
                    following += [vectors.fma(x, right, z) for x, z in zip(left, mine, strict=True)]
                return following

            def step(k, accumulators):
                return products(_index(builder, vectors.lanes, k), vectors.load, accumulators)

            totals = _loop(builder, steps, [vectors.zero] * (height * len(lines)), step)
            totals = products(whole, lambda place: vectors.load_masked(place, rest), totals)
            for t in range(height):
                added = vectors.load_masked(_row(builder, addend, addend_lane, t), mask)
                value = vectors.finished(vectors.sums(totals[t::height]), added, lower)
                vectors.store_masked(value, _row(builder, c, c_lane, t), mask)

        _switch(builder, rows, {height: lambda height=height: tile(height) for height in range(1, INNER_A + 1)})
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def add_lines(typingctx, lines, columns, a, a_base, a_step, b, b_base, b_step, c, c_base):
    """c[j] += the sum over k < lines of a[k] * b[k, j], for j < columns; `lines` is 1 or LINES."""
    _check(a, b, c)
    integer = types.intp
    signature = types.void(integer, integer, a, integer, integer, b, integer, integer, c, integer)

    def codegen(context, builder, signature, arguments):
        lines, columns, a, a_base, a_step, b, b_base, b_step, c, c_base = arguments
        kinds = signature.args
        vectors = _Lines(builder, kinds[2].dtype)
        a = builder.gep(_data(context, builder, kinds[2], a), [a_base])
        b = builder.gep(_data(context, builder, kinds[5], b), [b_base])
        c = builder.gep(_data(context, builder, kinds[8], c), [c_base])
        run = SPAN * vectors.lanes
        runs = builder.sdiv(columns, ir.Constant(_INDEX, run))
        done = _index(builder, run, runs)
        rest = builder.sub(columns, done)
        vectors_left = builder.sdiv(
            builder.add(rest, ir.Constant(_INDEX, vectors.lanes - 1)), ir.Constant(_INDEX, vectors.lanes)
        )

        def add(count):
            factors = [vectors.splat(builder.load(_row(builder, a, a_step, k))) for k in range(count)]

            def update(place, load, store):
                total = load(builder.gep(c, [place]))
                for k, factor in enumerate(factors):
                    line = load(builder.gep(_row(builder, b, b_step, k), [place]))
                    total = vectors.fma(factor, line, total)
                store(total, builder.gep(c, [place]))

            def step(i, _):
                for v in range(SPAN):
                    place = builder.add(_index(builder, run, i), ir.Constant(_INDEX, v * vectors.lanes))
                    update(place, vectors.load, vectors.store)
                return []

            def last_steps(i, _):
                shift = _index(builder, vectors.lanes, i)
                mask = vectors.mask(builder.sub(rest, shift))
                update(
                    builder.add(done, shift),
                    lambda pointer: vectors.load_masked(pointer, mask),
                    lambda value, pointer: vectors.store_masked(value, pointer, mask),
                )
                return []

            _loop(builder, runs, [], step)
            _loop(builder, vectors_left, [], last_steps)

        _switch(builder, lines, {count: lambda count=count: add(count) for count in (1, LINES)})
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def copy_lines(typingctx, count, columns, source, start, source_pitch, target, place, target_pitch):
    """target[place + k * target_pitch + j] = source[start + k * source_pitch + j] for k < count and j < columns.

    1 <= columns <= SPAN vectors.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, integer, source, integer, integer, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        count, columns, source, start, source_pitch, target, place, target_pitch = arguments
        kinds = signature.args
        vectors = _Lines(builder, kinds[2].dtype)
        source = builder.gep(_data(context, builder, kinds[2], source), [start])
        target = builder.gep(_data(context, builder, kinds[5], target), [place])
        span, last = _spans(builder, columns, vectors.lanes)
        mask = vectors.mask(last)

        def copy(span):
            def step(k, _):
                line = vectors.load_line(builder.gep(source, [builder.mul(k, source_pitch)]), span, mask)
                vectors.store_line(line, builder.gep(target, [builder.mul(k, target_pitch)]), mask)
                return []

            _loop(builder, count, [], step)

        _switch(builder, span, {span: lambda span=span: copy(span) for span in range(1, SPAN + 1)})
        return context.get_dummy_value()

    return signature, codegen


def inner_columns(lanes):
    """Columns of a tile of inner products: their sums must fit into one vector."""
    return min(INNER_B, lanes)
