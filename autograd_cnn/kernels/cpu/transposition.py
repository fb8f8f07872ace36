"""Matrices turned: square blocks of one vector, in registers.

`transpose_block`  a whole block
`transpose_part`   a block of which only a part is there
`transpose_lines`  a block of lines that lie anywhere
`turn`             a matrix of any size
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.microkernel import _INDEX, VECTOR_BYTES, _check, _data, _index, _Vectors


@intrinsic
def transpose_block(typingctx, source, start, source_pitch, target, place, target_pitch):
    """target[place + k * target_pitch + j] = source[start + j * source_pitch + k] for a square block of one vector."""
    _check(source, target)
    signature = types.void(source, types.intp, types.intp, target, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        source, start, source_pitch, target, place, target_pitch = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[0].dtype)
        source = builder.gep(_data(context, builder, kinds[0], source), [start])
        target = builder.gep(_data(context, builder, kinds[3], target), [place])
        lanes = range(vectors.lanes)
        rows = [vectors.load(builder.gep(source, [_index(builder, t, source_pitch)])) for t in lanes]
        for t, row in enumerate(vectors.transposed(rows)):
            vectors.store(row, builder.gep(target, [_index(builder, t, target_pitch)]))
        return context.get_dummy_value()

    return signature, codegen


def _transpose_masked(builder, vectors, lines, masks, columns, stored, target, pitch):
    """Turn the lanes of `lines` that `masks` select, and store `stored` elements of each of `columns` lines."""
    rows = vectors.transposed([vectors.load_masked(line, mask) for line, mask in zip(lines, masks, strict=True)])
    written = vectors.mask(stored)
    for t, row in enumerate(rows):
        mask = vectors.where(builder.icmp_signed("<", ir.Constant(_INDEX, t), columns), written)
        vectors.store_masked(row, builder.gep(target, [_index(builder, t, pitch)]), mask)


@intrinsic
def transpose_part(typingctx, source, start, source_pitch, rows, columns, stored, target, place, target_pitch):
    """transpose_block that reads only the first `rows` rows and `columns` columns of the source.

    Each of the `columns` lines of the target gets `stored` elements, zeros after the first `rows`.
    """
    _check(source, target)
    integer = types.intp
    signature = types.void(source, integer, integer, integer, integer, integer, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        source, start, source_pitch, rows, columns, stored, target, place, target_pitch = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[0].dtype)
        source = builder.gep(_data(context, builder, kinds[0], source), [start])
        target = builder.gep(_data(context, builder, kinds[6], target), [place])
        read = vectors.mask(columns)
        lines, masks = [], []
        for t in range(vectors.lanes):
            lines.append(builder.gep(source, [_index(builder, t, source_pitch)]))
            masks.append(vectors.where(builder.icmp_signed("<", ir.Constant(_INDEX, t), rows), read))
        _transpose_masked(builder, vectors, lines, masks, columns, stored, target, target_pitch)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def transpose_lines(
    typingctx, source, starts, first, shift, low, high, columns, stored, target, place, target_pitch
):  # fmt: skip
    """target[place + k * target_pitch + j] = source[starts[first + j] + shift + k], zero but for low <= k < high.

    A negative start stands for a line of zeros.  A vector of starts is read; j runs to `stored`, k to `columns`.
    """
    _check(source, starts, target)
    integer = types.intp
    signature = types.void(source, starts, *[integer] * 6, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        source, starts, first, shift, low, high, columns, stored, target, place, target_pitch = arguments
        kinds = signature.args
        vectors = _Vectors(builder, kinds[0].dtype)
        source = builder.gep(_data(context, builder, kinds[0], source), [shift])
        starts = builder.gep(_data(context, builder, kinds[1], starts), [first])
        target = builder.gep(_data(context, builder, kinds[8], target), [place])
        read = builder.and_(vectors.mask(high), builder.not_(vectors.mask(low)))
        lines, masks = [], []
        for t in range(vectors.lanes):
            start = builder.load(builder.gep(starts, [ir.Constant(_INDEX, t)]))
            lines.append(builder.gep(source, [start]))
            masks.append(vectors.where(builder.icmp_signed(">=", start, ir.Constant(_INDEX, 0)), read))
        _transpose_masked(builder, vectors, lines, masks, columns, stored, target, target_pitch)
        return context.get_dummy_value()

    return signature, codegen


@inline
def turn(source, start, rows, source_pitch, columns, width, target, place, target_pitch):
    """target[k, j] = source[j, k] for `rows` rows and `columns` columns, and zeros for j from `rows` to `width`."""
    lanes = VECTOR_BYTES // target.itemsize
    for j in range(0, width, lanes):
        for k in range(0, columns, lanes):
            read = start + j * source_pitch + k
            write = place + k * target_pitch + j
            if rows - j >= lanes and columns - k >= lanes:
                transpose_block(source, read, source_pitch, target, write, target_pitch)
            else:
                stored = min(width - j, lanes)
                transpose_part(source, read, source_pitch, rows - j, columns - k, stored, target, write, target_pitch)
