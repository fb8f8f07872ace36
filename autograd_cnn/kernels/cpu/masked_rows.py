"""What the vector loops on rows of pixels are emitted with: masked vectors, windows of taps, choices and loops."""

from llvmlite import ir
from numba.core import cgutils

from autograd_cnn.kernels.cpu.microkernel import _INDEX, VECTOR_BYTES, _index, _Vectors

# Bytes of a vector.  Wider ones gain little where loads and not sums are the limit, and waste lanes on narrow images.
WIDTH = min(VECTOR_BYTES, 32)
# Bytes between what is read and what is asked for in advance.  Planes lie one behind the other, so that what follows
# a plane is wanted too; but the processor sees no stream in a tile's short rows.
AHEAD = 4096


class Lines(_Vectors):
    """Vectors on rows whose length is no multiple of theirs."""

    def __init__(self, builder, dtype, width=WIDTH):
        super().__init__(builder, dtype)
        self.lanes = width // self.itemsize
        self.type = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.type, None)
        number = ir.IntType(8 * self.itemsize)
        self.numbers = ir.VectorType(number, self.lanes)
        self.lane = ir.Constant(self.numbers, list(range(self.lanes)))
        self.bits = ir.VectorType(ir.IntType(1), self.lanes)
        self.align = ir.Constant(ir.IntType(32), self.itemsize)

    def within(self, first, size):
        """Which lanes have 0 <= first + lane < size."""
        first, size = (self.splat(self.builder.trunc(n, self.numbers.element), self.numbers) for n in (first, size))
        return self.builder.icmp_unsigned("<", self.builder.add(self.lane, first), size)

    def read(self, line, first, mask):
        """The lanes of the mask from line[first] on, and zeros."""
        pointer = self.type.as_pointer()
        load = self.intrinsic("masked.load", self.type, [pointer, self.align.type, self.bits, self.type], ".p0")
        place = self.builder.bitcast(self.builder.gep(line, [first]), pointer)
        return self.builder.call(load, [place, self.align, mask, self.zero])

    def write(self, value, line, first, mask):
        pointer = self.type.as_pointer()
        kinds = [self.type, pointer, self.align.type, self.bits]
        store = self.intrinsic("masked.store", ir.VoidType(), kinds, ".p0")
        place = self.builder.bitcast(self.builder.gep(line, [first]), pointer)
        self.builder.call(store, [value, place, self.align, mask])

    def fetch(self, line, first):
        """Ask for the memory that is AHEAD of line[first]."""
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        prefetch = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        ahead = self.builder.add(first, constant(AHEAD // self.itemsize))
        place = self.builder.bitcast(self.builder.gep(line, [ahead]), byte)
        self.builder.call(prefetch, [place, *(ir.Constant(word, value) for value in (0, 3, 1))])

    def splats(self, array, step, count):
        """A vector of each of array[0], array[step], ..."""
        places = [self.builder.gep(array, [_index(self.builder, k, step)]) for k in range(count)]
        return [self.splat(self.builder.load(place)) for place in places]

    def splits(self, values):
        """The lanes of one vector as they are; of two, the even and the odd ones of both."""
        if len(values) == 1:
            return values
        return [self.select(*values, list(range(phase, 2 * self.lanes, 2))) for phase in range(2)]

    def joined(self, even, odd):
        """The two vectors that `splits` would split into these."""
        lanes = [lane + phase * self.lanes for lane in range(self.lanes) for phase in range(2)]
        return [self.select(even, odd, half) for half in (lanes[: self.lanes], lanes[self.lanes :])]

    def total(self, value):
        """The sum of the lanes in float64."""
        kind = ir.VectorType(ir.DoubleType(), self.lanes)
        value = value if value.type == kind else self.builder.fpext(value, kind)
        count = self.lanes
        while count > 1:
            count //= 2
            halves = [ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(n, n + count))) for n in (0, count)]
            value = self.builder.fadd(*(self.builder.shuffle_vector(value, value, half) for half in halves))
        return self.builder.extract_element(value, ir.Constant(ir.IntType(32), 0))


class Window:
    """What the taps of a row of the kernel read for one vector of outputs: tap j reads from `first` + j on."""

    def __init__(self, lines, first, width, size, stride):
        builder = lines.builder
        self.lines, self.size = lines, size
        self.spans = []
        for tap in range(0, size, stride):
            places = [builder.add(first, constant(tap + part * lines.lanes)) for part in range(stride)]
            self.spans.append([(place, lines.within(place, width)) for place in places])

    def read(self, line):
        values = []
        for span in self.spans:
            values += self.lines.splits([self.lines.read(line, place, mask) for place, mask in span])
        return values[: self.size]


def constant(value):
    return ir.Constant(_INDEX, value)


def ceil(builder, count, step):
    return builder.sdiv(builder.add(count, constant(step - 1)), constant(step))


def row_of(builder, plane, y, height, width, outside):
    """Row y of a plane, or `outside` where there is none."""
    inside = builder.icmp_unsigned("<", y, height)
    return builder.select(inside, builder.gep(plane, [builder.mul(y, width)]), outside)


def either(builder, condition, yes, no):
    """The values that `yes()` emits where the condition holds, those of `no()` elsewhere."""
    with builder.if_else(condition) as (then, otherwise):
        with then:
            left = yes()
            left_end = builder.block
        with otherwise:
            right = no()
            right_end = builder.block
    results = []
    for one, other in zip(left, right, strict=True):
        result = builder.phi(one.type)
        result.add_incoming(one, left_end)
        result.add_incoming(other, right_end)
        results.append(result)
    return results


def for_each_size(builder, size, sizes, emit):
    """Emit the code for every kernel size, and the choice between them."""
    done = builder.append_basic_block("plane_done")
    switch = builder.switch(size, done)
    for one in sizes:
        block = builder.append_basic_block(f"size_{one}")
        switch.add_case(constant(one), block)
        builder.position_at_end(block)
        emit(one)
        builder.branch(done)
    builder.position_at_end(done)
