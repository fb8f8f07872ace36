"""The vector loops of depthwise convolution on planes so small that one vector holds them.

Where the target's rows are as long as the source's, and the stride is 1, pixel q of the target reads tap (i, j) at
q + a constant.  Which pixels do so inside of the plane is a mask that depends on the tap alone: `tap_masks` makes them
once for each shape.  A plane is then one vector, and costs one multiplication and addition for each tap.

`correlate_line`   as `correlate` of depthwise_vectors.py
`tap_sums_line`    as `tap_sums`
"""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.masked_rows import Lines, constant, for_each_size
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES, _check, _data, _index, _loop

LINE_SIZES = (3, 5)  # of kernels


def tap_masks(size, height, width, rows, top, left):
    """The bits of those pixels whose tap lies in the plane, for each tap, and last those of the target's pixels."""
    y, x = np.divmod(np.arange(rows * width), width)
    inside = [
        (y + i >= 0) & (y + i < height) & (x + j >= 0) & (x + j < width)
        for i in range(-top, size - top)
        for j in range(-left, size - left)
    ]
    bits = np.stack([*inside, y < rows])
    return (bits << np.arange(rows * width)).sum(axis=1).astype(np.uint16)


def line_pixels(itemsize):
    """How many pixels a plane may have."""
    return VECTOR_BYTES // itemsize


class _MaskedLines(Lines):
    """Vectors as wide as there are, each tap with its mask and its place."""

    def __init__(self, builder, dtype, masks):
        super().__init__(builder, dtype, VECTOR_BYTES)
        self.bits_of_taps = masks

    def masks(self, count):
        words = [self.builder.load(self.builder.gep(self.bits_of_taps, [constant(k)])) for k in range(count)]
        number = ir.IntType(self.lanes)
        return [self.builder.bitcast(self.builder.trunc(word, number), self.bits) for word in words]

    def places(self, width, top, left, size):
        """Where each tap of the first pixel is, counted from the start of a plane."""
        builder = self.builder
        first = builder.neg(builder.add(builder.mul(top, width), left))
        rows = [builder.add(first, _index(builder, i, width)) for i in range(size)]
        return [builder.add(row, constant(j)) for row in rows for j in range(size)]


@intrinsic
def correlate_line(
    typingctx, size, images, source, start, pitch, width, weight, tap, tap_step, top, left, masks,
    added, target, place, target_pitch,
):  # fmt: skip
    """target = added + source correlated with weight[tap::tap_step], for planes of at most one vector.

    `size` is one of LINE_SIZES.  The first image's source plane begins at `start`, its target plane at `place`.
    """
    _check(source, weight, masks, target)
    integer = types.intp
    planes = (source, *[integer] * 3, weight, *[integer] * 4, masks)
    signature = types.void(integer, integer, *planes, source.dtype, target, integer, integer)

    def codegen(context, builder, signature, arguments):
        size, images, source, start, pitch, width, weight, tap, tap_step, top, left, *rest = arguments
        masks, added, target, place, target_pitch = rest
        kinds = signature.args
        lines = _MaskedLines(builder, kinds[2].dtype, _data(context, builder, kinds[11], masks))
        source = builder.gep(_data(context, builder, kinds[2], source), [start])
        weight = builder.gep(_data(context, builder, kinds[6], weight), [tap])
        target = builder.gep(_data(context, builder, kinds[13], target), [place])

        def planes(size):
            taps = lines.splats(weight, tap_step, size**2)
            *inside, shown = lines.masks(size**2 + 1)
            places = lines.places(width, top, left, size)

            def plane(index, _):
                line = builder.gep(source, [builder.mul(index, pitch)])
                lines.fetch(line, constant(0))
                total = lines.splat(added)
                for value, first, mask in zip(taps, places, inside, strict=True):
                    total = lines.fma(value, lines.read(line, first, mask), total)
                lines.write(total, target, builder.mul(index, target_pitch), shown)
                return []

            _loop(builder, images, [], plane)

        for_each_size(builder, size, LINE_SIZES, planes)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def tap_sums_line(
    typingctx, size, images, g, g_start, g_pitch, source, start, pitch, width, top, left, masks, totals, place
):
    """totals[place + i * size + j] += the sum over images and pixels of g times source at tap (i, j)."""
    _check(g, source, masks, totals)
    integer = types.intp
    planes = (g, integer, integer, source, *[integer] * 5, masks)
    signature = types.void(integer, integer, *planes, totals, integer)

    def codegen(context, builder, signature, arguments):
        size, images, g, g_start, g_pitch, source, start, pitch, width, top, left, masks, totals, place = arguments
        kinds = signature.args
        lines = _MaskedLines(builder, kinds[2].dtype, _data(context, builder, kinds[11], masks))
        g = builder.gep(_data(context, builder, kinds[2], g), [g_start])
        source = builder.gep(_data(context, builder, kinds[5], source), [start])
        totals = builder.gep(_data(context, builder, kinds[12], totals), [place])

        def planes(size):
            *inside, shown = lines.masks(size**2 + 1)
            places = lines.places(width, top, left, size)

            def plane(index, sums):
                line, g_place = builder.gep(source, [builder.mul(index, pitch)]), builder.mul(index, g_pitch)
                lines.fetch(line, constant(0))
                lines.fetch(g, g_place)
                cotangent = lines.read(g, g_place, shown)
                values = [lines.read(line, first, mask) for first, mask in zip(places, inside, strict=True)]
                return [lines.fma(cotangent, value, total) for value, total in zip(values, sums, strict=True)]

            for k, total in enumerate(_loop(builder, images, [lines.zero] * size**2, plane)):
                spot = builder.gep(totals, [constant(k)])
                builder.store(builder.fadd(builder.load(spot), lines.total(total)), spot)

        for_each_size(builder, size, LINE_SIZES, planes)
        return context.get_dummy_value()

    return signature, codegen
