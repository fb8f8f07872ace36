"""The vector loops under convolution, written as LLVM vector code, and what other vector code is made of.

`multiply_add`     acc[t, v] += a[a_offset[k] + t * a_lane] * b[b_offset[k] + v], for all k
`sum_lines`        the sum of lines in float64

A tile of accumulators stays in registers for the whole loop.  Operands are read through small tables of
offsets, so that one loop serves a matrix in any layout and a convolution of any shape (the indirect convolution
of Dukhan, 2019, https://arxiv.org/abs/1907.02129).
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.processor import features

_FEATURES = features()
_WIDE = _FEATURES.get("avx512f", False)

VECTOR_BYTES = 64 if _WIDE else 32 if _FEATURES.get("avx", False) else 16
# Heights a tile may have.  The largest, three vectors wide, and a broadcast for each row fit into the registers: 32
# with AVX-512, else 16.  Two rows more, and LLVM spills.
TILE_ROWS = (6, 4, 2, 1) if _WIDE else (4, 3, 2, 1)
TILE_VECTORS = (3, 2, 1)
# About how many steps of a contraction are summed in registers.  The sums of such blocks are added, so that rounding
# errors grow with the block and with the number of blocks, not with their product.
DEPTH = 64
MAX_ROWS, MID_ROWS, LOW_ROWS, _ = TILE_ROWS
MAX_VECTORS = TILE_VECTORS[0]
# The tile of inner products: rows of a by rows of b.
INNER_A, INNER_B = (4, 6) if _WIDE else (3, 4)

SUM_LINE = 32  # elements that one step of `sum_lines` takes

SERIAL_WORK = 1 << 17  # multiplications below which threads cost more than they bring

_INDEX = ir.IntType(64)
_ELEMENTS = {types.float32: (ir.FloatType(), "f32", 4), types.float64: (ir.DoubleType(), "f64", 8)}


class _Vectors:
    """Emits vector instructions for one element type."""

    def __init__(self, builder, dtype):
        self.builder = builder
        self.element, self.suffix, self.itemsize = _ELEMENTS[dtype]
        self.lanes = VECTOR_BYTES // self.itemsize
        self.type = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.type, None)

    def intrinsic(self, name, result, arguments, pointers=""):
        # llvmlite's declare_intrinsic does not know vector types, so the name is spelled out here.
        name = f"llvm.{name}.v{self.lanes}{self.suffix}{pointers}"
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def load(self, pointer):
        vector = self.builder.load(self.builder.bitcast(pointer, self.type.as_pointer()))
        vector.align = self.itemsize
        return vector

    def store(self, value, pointer):
        self.builder.store(value, self.builder.bitcast(pointer, self.type.as_pointer())).align = self.itemsize

    def splat(self, scalar, kind=None):
        undefined = ir.Constant(kind or self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        return self.select(first, undefined, [0] * self.lanes)

    def fma(self, x, y, z):
        # fmuladd, not fma: without an FMA unit it is a multiplication and an addition, not a call into libm.
        return self.builder.call(self.intrinsic("fmuladd", self.type, [self.type] * 3), [x, y, z])

    def select(self, left, right, lanes):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), lanes)
        return self.builder.shuffle_vector(left, right, mask)

    def mask(self, count):
        """Lanes below `count`."""
        numbers = ir.VectorType(_INDEX, self.lanes)
        lane = ir.Constant(numbers, list(range(self.lanes)))
        return self.builder.icmp_signed("<", lane, self.splat(count, numbers))

    def where(self, condition, mask):
        """The mask, or, where the condition does not hold, no lane at all."""
        return self.builder.select(condition, mask, ir.Constant(mask.type, None))

    def load_masked(self, pointer, mask):
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        align = ir.Constant(ir.IntType(32), self.itemsize)
        arguments = [pointer, align, mask, self.zero]
        return self.builder.call(
            self.intrinsic("masked.load", self.type, [value.type for value in arguments], ".p0"), arguments
        )

    def store_masked(self, value, pointer, mask):
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        arguments = [value, pointer, ir.Constant(ir.IntType(32), self.itemsize), mask]
        self.builder.call(
            self.intrinsic("masked.store", ir.VoidType(), [value.type for value in arguments], ".p0"), arguments
        )

    def transposed(self, rows):
        """The columns of a square block: turned within parts of 16 bytes, then as a block of such parts.

        Each selection is then one instruction that takes no table of lanes.
        """
        inner = 16 // self.itemsize
        groups = [self._turned(rows[t : t + inner], 1, inner) for t in range(0, self.lanes, inner)]
        columns = [self._turned(list(group), inner, self.lanes) for group in zip(*groups, strict=True)]
        return [column[t] for t in range(self.lanes // inner) for column in columns]

    def _turned(self, rows, size, part):
        """Turn rows of elements of `size` lanes, within each part of the vectors: as many elements as rows."""
        for _ in range(len(rows).bit_length() - 1):
            pairs = list(zip(rows[::2], rows[1::2], strict=True))
            rows = [self._every_second(x, y, first, size, part) for first in (0, size) for x, y in pairs]
        return rows

    def _every_second(self, left, right, first, size, part):
        lanes = [
            operand + start + element + lane
            for start in range(0, self.lanes, part)
            for operand in (0, self.lanes)
            for element in range(first, part, 2 * size)
            for lane in range(size)
        ]
        return self.select(left, right, lanes)

    def sums(self, values):
        """One vector whose lane i is the sum of the lanes of values[i]; at most as many values as lanes."""
        values = values + [self.zero] * (self.lanes - len(values))
        even, odd = list(range(0, 2 * self.lanes, 2)), list(range(1, 2 * self.lanes, 2))
        while len(values) > 1:
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [self.builder.fadd(self.select(x, y, even), self.select(x, y, odd)) for x, y in pairs]
        return values[0]


def _data(context, builder, array_type, value):
    return make_array(array_type)(context, builder, value).data


def _index(builder, scale, value):
    return builder.mul(value, ir.Constant(_INDEX, scale))


def _ask(builder, pointer):
    """Ask for a cache line that will be read later."""
    pointer = builder.bitcast(pointer, ir.IntType(8).as_pointer())
    word = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [pointer, ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)])


def _loop(builder, count, initial, body):
    """Emit `for k in range(count): accumulators = body(k, accumulators)`, all of them in registers."""
    before = builder.block
    head = builder.append_basic_block("contraction")
    after = builder.append_basic_block("contracted")
    empty = builder.icmp_signed("<=", count, ir.Constant(_INDEX, 0))
    builder.cbranch(empty, after, head)
    builder.position_at_end(head)
    k = builder.phi(_INDEX)
    k.add_incoming(ir.Constant(_INDEX, 0), before)
    carried = [builder.phi(value.type) for value in initial]
    for phi, value in zip(carried, initial, strict=True):
        phi.add_incoming(value, before)
    results = body(k, carried)
    following = builder.add(k, ir.Constant(_INDEX, 1))
    k.add_incoming(following, builder.block)
    for phi, value in zip(carried, results, strict=True):
        phi.add_incoming(value, builder.block)
    last = builder.block
    builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    builder.position_at_end(after)
    final = []
    for start, value in zip(initial, results, strict=True):
        phi = builder.phi(value.type)
        phi.add_incoming(start, before)
        phi.add_incoming(value, last)
        final.append(phi)
    return final


def _check(*arrays):
    for array in arrays:
        if not (isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"):
            raise TypingError("the vector loops take one-dimensional contiguous arrays")


@intrinsic
def multiply_add(
    typingctx, rows, width, a, a_base, a_offset, a_lane, b, b_base, b_offset, first, count,
    c, c_base, c_lane, accumulate,
):  # fmt: skip
    """c[t, v] (+)= the sum over k in [first, first + count) of a's row t times b's `width` vectors.

    `rows` is one of TILE_ROWS and `width` one of TILE_VECTORS; c's row t starts at c_base + t * c_lane.
    Exactly `rows` rows of a are read.
    """
    _check(a, a_offset, b, b_offset, c)
    integer = types.intp
    place = (a, integer, a_offset, integer, b, integer, b_offset, integer, integer, c, integer, integer)
    signature = types.void(integer, integer, *place, types.boolean)

    def codegen(context, builder, signature, arguments):
        rows, width, a, a_base, a_offset, a_lane, b, b_base, b_offset, first, count, *target = arguments
        c, c_base, c_lane, accumulate = target
        kinds = signature.args
        vectors = _Vectors(builder, kinds[2].dtype)
        a = builder.gep(_data(context, builder, kinds[2], a), [a_base])
        b = builder.gep(_data(context, builder, kinds[6], b), [b_base])
        c = builder.gep(_data(context, builder, kinds[11], c), [c_base])
        a_offset = builder.gep(_data(context, builder, kinds[4], a_offset), [first])
        b_offset = builder.gep(_data(context, builder, kinds[8], b_offset), [first])

        def row(pointer, lane, t):
            return builder.gep(pointer, [_index(builder, t, lane)])

        def column(pointer, v):
            return builder.gep(pointer, [ir.Constant(_INDEX, v * vectors.lanes)])

        def tile(height, span):
            def step(k, accumulators):
                a_k = builder.gep(a, [builder.load(builder.gep(a_offset, [k]))])
                b_k = builder.gep(b, [builder.load(builder.gep(b_offset, [k]))])
                columns = [vectors.load(column(b_k, v)) for v in range(span)]
                for v in range(span):
                    _ask(builder, column(b_k, span + v))  # what the next tile is likely to read
                following = []
                for t in range(height):
                    x = vectors.splat(builder.load(row(a_k, a_lane, t)))
                    mine = accumulators[t * span : (t + 1) * span]
                    following += [vectors.fma(x, y, z) for y, z in zip(columns, mine, strict=True)]
                return following

            places = [column(row(c, c_lane, t), v) for t in range(height) for v in range(span)]
            totals = _loop(builder, count, [vectors.zero] * (height * span), step)
            with builder.if_else(accumulate) as (then, otherwise):
                with then:
                    for total, place in zip(totals, places, strict=True):
                        vectors.store(builder.fadd(vectors.load(place), total), place)
                with otherwise:
                    for total, place in zip(totals, places, strict=True):
                        vectors.store(total, place)

        done = builder.append_basic_block("tile_done")
        shape = builder.add(_index(builder, MAX_VECTORS + 1, rows), width)
        switch = builder.switch(shape, done)
        for height in TILE_ROWS:
            for span in TILE_VECTORS:
                block = builder.append_basic_block(f"tile_{height}_{span}")
                switch.add_case(ir.Constant(_INDEX, height * (MAX_VECTORS + 1) + span), block)
                builder.position_at_end(block)
                tile(height, span)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def sum_lines(typingctx, source, start, lines, pitch, length):
    """The sum of `lines` lines of `length` elements, `pitch` apart, from source[start], in float64."""
    _check(source)
    integer = types.intp
    signature = types.float64(source, integer, integer, integer, integer)

    def codegen(context, builder, signature, arguments):
        source, start, lines, pitch, length = arguments
        narrow, wide = _Vectors(builder, signature.args[0].dtype), _Vectors(builder, types.float64)
        narrow.lanes = wide.lanes
        narrow.type = ir.VectorType(narrow.element, wide.lanes)
        narrow.zero = ir.Constant(narrow.type, None)
        source = builder.gep(_data(context, builder, signature.args[0], source), [start])
        step = ir.Constant(_INDEX, SUM_LINE)
        steps = builder.sdiv(length, step)
        rest = builder.srem(length, step)

        def added(accumulators, line, q, load):
            following = []
            for position, total in enumerate(accumulators):
                first = ir.Constant(_INDEX, position * wide.lanes)
                value = load(builder.gep(line, [builder.add(q, first)]), first)
                value = value if value.type == wide.type else builder.fpext(value, wide.type)
                following.append(builder.fadd(total, value))
            return following

        def load(pointer, _):
            return narrow.load(pointer)

        def load_rest(pointer, first):
            return narrow.load_masked(pointer, narrow.mask(builder.sub(rest, first)))

        def line_added(t, accumulators):
            line = builder.gep(source, [builder.mul(t, pitch)])

            def step_added(k, totals):
                vectors = _index(builder, SUM_LINE, k)
                for first in range(0, SUM_LINE * narrow.itemsize, 64):
                    ahead = builder.add(builder.add(vectors, pitch), ir.Constant(_INDEX, first // narrow.itemsize))
                    _ask(builder, builder.gep(line, [ahead]))
                return added(totals, line, _index(builder, SUM_LINE, k), load)

            totals = _loop(builder, steps, accumulators, step_added)
            return added(totals, line, builder.mul(steps, step), load_rest)

        totals = _loop(builder, lines, [wide.zero] * (SUM_LINE // wide.lanes), line_added)
        while len(totals) > 1:
            totals = [builder.fadd(x, y) for x, y in zip(totals[::2], totals[1::2], strict=True)]
        return builder.extract_element(wide.sums(totals), ir.Constant(ir.IntType(32), 0))

    return signature, codegen


@inline
def tile_height(remaining):
    """Rows of the next tile: the largest of TILE_ROWS that fits."""
    if remaining >= MAX_ROWS:
        return MAX_ROWS
    if remaining >= MID_ROWS:
        return MID_ROWS
    if remaining >= LOW_ROWS:
        return LOW_ROWS
    return 1
