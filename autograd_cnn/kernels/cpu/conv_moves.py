"""How pixels come into packed lines and go out of finished tiles, written as LLVM vector code.

`read_line`    target[q] = source[q * step] inside the image, 0 outside
`write_line`   target[q * step] = source[q] + added, but at least `low`
`ask_tile`     asks for the cache lines of sums that a tile will be added to
`turn_lines`   lines of at most one vector, turned, each read and written at a place of its own
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.microkernel import _INDEX, MAX_VECTORS, _check, _data, _index, _loop, _Vectors

AHEAD = 8  # vectors: how far before their use cache lines are asked for


def _number(value):
    return ir.Constant(_INDEX, value)


def _ask(builder, pointer, writing):
    """Ask for a cache line that will be read, or written, later; the address may be any."""
    pointer = builder.bitcast(pointer, ir.IntType(8).as_pointer())
    word = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [pointer, ir.Constant(word, int(writing)), ir.Constant(word, 3), ir.Constant(word, 1)])


def _steps(builder, vectors, count):
    """Vectors that `count` elements take."""
    return builder.sdiv(builder.add(count, _number(vectors.lanes - 1)), _number(vectors.lanes))


def _within(vectors, first, last):
    """The mask of lanes from `first` on and below `last`."""
    builder = vectors.builder
    return builder.and_(vectors.mask(last), builder.not_(vectors.mask(first)))


def _if_single(builder, step, then, otherwise):
    with builder.if_else(builder.icmp_signed("==", step, _number(1))) as (single, double):
        with single:
            then()
        with double:
            otherwise()


@intrinsic
def read_line(typingctx, count, source, start, step, first, last, target, place):
    """target[place + q] = source[start + q * step] for q in range(first, last), else 0, for all q in range(count).

    The step is 1 or 2.  Reads only what lies between the first and the last element that are wanted.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, source, integer, integer, integer, integer, target, integer)

    def codegen(context, builder, signature, arguments):
        count, source, start, step, first, last, target, place = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[1].dtype)
        source = builder.gep(_data(context, builder, kinds[1], source), [start])
        target = builder.gep(_data(context, builder, kinds[6], target), [place])
        lanes = vectors.lanes

        def neighbours(q):
            inside = _within(vectors, builder.sub(first, q), builder.sub(last, q))
            _ask(builder, builder.gep(source, [builder.add(q, _number(AHEAD * lanes))]), writing=False)
            return vectors.load_masked(builder.gep(source, [q]), inside)

        def every_other(q):
            halves = []
            for half in range(2):
                start = builder.add(_index(builder, 2, q), _number(half * lanes))
                _ask(builder, builder.gep(source, [builder.add(start, _number(AHEAD * lanes))]), writing=False)
                least = builder.sub(_index(builder, 2, first), start)
                end = builder.sub(builder.sub(_index(builder, 2, last), _number(1)), start)
                halves.append(vectors.load_masked(builder.gep(source, [start]), _within(vectors, least, end)))
            return vectors.select(*halves, list(range(0, 2 * lanes, 2)))

        def line(load):
            def body(k, _):
                q = _index(builder, lanes, k)
                vectors.store_masked(load(q), builder.gep(target, [q]), vectors.mask(builder.sub(count, q)))
                return []

            return lambda: _loop(builder, _steps(builder, vectors, count), [], body)

        _if_single(builder, step, line(neighbours), line(every_other))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def write_line(typingctx, count, source, start, target, place, step, added, low):
    """target[place + q * step] = max(source[start + q] + added, low) for q in range(count), for a step of 1 or 2.

    Not a number stays what it is.  Reads and writes nothing else.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(integer, source, integer, target, integer, integer, source.dtype, source.dtype)

    def codegen(context, builder, signature, arguments):
        count, source, start, target, place, step, added, low = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[1].dtype)
        source = builder.gep(_data(context, builder, kinds[1], source), [start])
        target = builder.gep(_data(context, builder, kinds[3], target), [place])
        added, low = vectors.splat(added), vectors.splat(low)
        lanes = vectors.lanes

        def value(q, mask):
            total = builder.fadd(vectors.load_masked(builder.gep(source, [q]), mask), added)
            return builder.select(builder.fcmp_ordered("<", total, low), low, total)

        def neighbours(k, _):
            q = _index(builder, lanes, k)
            mask = vectors.mask(builder.sub(count, q))
            _ask(builder, builder.gep(target, [builder.add(q, _number(AHEAD * lanes))]), writing=True)
            vectors.store_masked(value(q, mask), builder.gep(target, [q]), mask)
            return []

        even = ir.Constant(ir.VectorType(ir.IntType(1), lanes), [lane % 2 == 0 for lane in range(lanes)])

        def every_other(k, _):
            q = _index(builder, lanes, k)
            rest = builder.sub(count, q)
            values = value(q, vectors.mask(rest))
            for half in range(2):
                doubled = [half * lanes // 2 + lane // 2 for lane in range(lanes)]
                left = builder.sub(_index(builder, 2, rest), _number(half * lanes))
                to = builder.gep(target, [builder.add(_index(builder, 2, q), _number(half * lanes))])
                mask = builder.and_(vectors.mask(left), even)
                vectors.store_masked(vectors.select(values, values, doubled), to, mask)
            return []

        steps = _steps(builder, vectors, count)
        _if_single(
            builder, step, lambda: _loop(builder, steps, [], neighbours), lambda: _loop(builder, steps, [], every_other)
        )
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def ask_tile(typingctx, rows, target, place, pitch):
    """Ask for the tile of `rows` rows, `pitch` apart, that begins at target[place] and will be written."""
    _check(target)
    integer = types.intp
    signature = types.void(integer, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        rows, target, place, pitch = arguments
        vectors = _Vectors(builder, signature.args[1].dtype)
        target = builder.gep(_data(context, builder, signature.args[1], target), [place])

        def row(t, _):
            start = builder.mul(t, pitch)
            for v in range(MAX_VECTORS):
                _ask(builder, builder.gep(target, [builder.add(start, _number(v * vectors.lanes))]), writing=True)
            return []

        _loop(builder, rows, [], row)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def turn_lines(typingctx, rows, columns, source, start, from_lines, first, target, place, to_lines, then):
    """target[place + to_lines[then + k] + j] = source[start + from_lines[first + j] + k], j < rows, k < columns.

    Up to one vector of rows and of columns.  Both tables must go on for a whole vector; nothing else is read or
    written outside the block.
    """
    _check(source, from_lines, target, to_lines)
    integer = types.intp
    signature = types.void(
        integer, integer, source, integer, from_lines, integer, target, integer, to_lines, integer
    )  # fmt: skip

    def codegen(context, builder, signature, arguments):
        rows, columns, source, start, from_lines, first, target, place, to_lines, then = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[2].dtype)
        source = builder.gep(_data(context, builder, kinds[2], source), [start])
        target = builder.gep(_data(context, builder, kinds[6], target), [place])
        from_lines = builder.gep(_data(context, builder, kinds[4], from_lines), [first])
        to_lines = builder.gep(_data(context, builder, kinds[8], to_lines), [then])
        lanes = range(vectors.lanes)
        none = ir.Constant(ir.VectorType(ir.IntType(1), vectors.lanes), None)

        def line(base, table, t):
            return builder.gep(base, [builder.load(builder.gep(table, [_number(t)]))])

        def whole():
            read = [vectors.load(line(source, from_lines, t)) for t in lanes]
            for t, value in enumerate(vectors.transposed(read)):
                vectors.store(value, line(target, to_lines, t))

        def part():
            wide, high = vectors.mask(columns), vectors.mask(rows)

            def present(count, t, mask):
                return builder.select(builder.icmp_signed("<", _number(t), count), mask, none)

            read = [vectors.load_masked(line(source, from_lines, t), present(rows, t, wide)) for t in lanes]
            for t, value in enumerate(vectors.transposed(read)):
                vectors.store_masked(value, line(target, to_lines, t), present(columns, t, high))

        least = builder.select(builder.icmp_signed("<", rows, columns), rows, columns)
        with builder.if_else(builder.icmp_signed(">=", least, _number(vectors.lanes))) as (full, partial):
            with full:
                whole()
            with partial:
                part()
        return context.get_dummy_value()

    return signature, codegen
