"""gelu in float32 by a polynomial for each of 32 pieces of the axis, written as AVX-512 code.

A permutation of two vectors looks up a coefficient for each lane, where the formula for all numbers (gaussian.py) takes
an exponential and a division.  Errors are at most 3 ulp.  Below the last piece, where gelu is next to nothing but its
digits count, x is left in its place for that formula.
"""

import math

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.lines import Lines, places_of
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES, _check
from autograd_cnn.kernels.cpu.scalar import by_precision

IN_PIECES = VECTOR_BYTES == 64 and not config.DISABLE_JIT
BLOCK = 128  # numbers of which one below the last piece calls for the other formula
PIECES, WIDTH, DEGREE = 32, 0.21875, 7
END = (PIECES - 0.53) * WIDTH  # less than half a width above the centre of the last piece
_LIFT = 1.5 * 2.0**23  # the low bits of _LIFT + n are n


@inline
def _end_single(x):
    return np.float32(-END)


@inline
def _end_double(x):
    return np.inf


far_below = by_precision(_end_single, _end_double)  # below which numbers are left for the formula


def _coefficients():
    """By power, for each piece: normal_cdf(-a) as a polynomial in the distance from the piece's centre."""
    tail = np.vectorize(lambda a: 0.5 * math.erfc(a * math.sqrt(0.5)))
    half = 0.53 * WIDTH
    powers = half ** np.arange(DEGREE + 1)
    table = []
    for centre in WIDTH * np.arange(PIECES):
        series = np.polynomial.chebyshev.chebinterpolate(lambda t, centre=centre: tail(centre + half * t), DEGREE)
        table.append(np.polynomial.chebyshev.cheb2poly(series) / powers)
    return np.array(table, np.float32).T.astype(np.float64)


def _gelu(lines, x, coefficients):
    """gelu of a vector, or x where that is below the last piece; and the mask of such lanes."""
    builder, index = lines.builder, ir.VectorType(ir.IntType(32), lines.lanes)

    def constant(value):
        return ir.Constant(lines.type, [value] * lines.lanes)

    def call(name, *arguments):
        kind = ir.FunctionType(lines.type, [argument.type for argument in arguments])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)

    end = constant(float(np.float32(END)))
    a = builder.call(lines.intrinsic("fabs", lines.type, [lines.type]), [x])
    a = builder.select(builder.fcmp_ordered(">", a, end), end, a)
    lifted = lines.fma(a, constant(float(np.float32(1 / WIDTH))), constant(_LIFT))
    distance = lines.fma(builder.fsub(lifted, constant(_LIFT)), constant(-WIDTH), a)
    piece = builder.bitcast(lifted, index)
    y = None
    for row in reversed(coefficients):
        halves = [ir.Constant(lines.type, list(half)) for half in np.split(row, 2)]
        term = call("llvm.x86.avx512.vpermi2var.ps.512", halves[0], piece, halves[1])
        y = term if y is None else lines.fma(y, distance, term)
    y = lines.fma(builder.fneg(a), y, builder.select(builder.fcmp_ordered("<", x, lines.zero), lines.zero, x))
    far = builder.fcmp_ordered("<", x, builder.fneg(end))
    return builder.select(far, x, y), far


@intrinsic
def gelu_in_pieces(typingctx, x, start, count, out):
    """out[q] = gelu(x[q]), or x[q] where that is below far_below(x[q]), for `count` q from `start` on; whether any was.

    All numbers of float64 are.
    """
    _check(x, out)
    signature = types.boolean(x, types.intp, types.intp, out)

    def codegen(context, builder, signature, arguments):
        x, start, count, out = arguments
        kinds = signature.args
        lines = Lines(builder, kinds[0].dtype)
        x, out = places_of(context, builder, [(kinds[0], x, start), (kinds[3], out, start)])
        coefficients = _coefficients() if lines.itemsize == 4 else None
        none, every = ir.Constant(lines.bits, None), ir.Constant(lines.bits, [1] * lines.lanes)

        def step(q, mask, carried):
            value = lines.read(x, q, mask)
            y, far = (value, every) if coefficients is None else _gelu(lines, value, coefficients)
            lines.write(y, out, q, mask)
            return [builder.or_(carried[0], far)]

        (far,) = lines.merged(lines.along(count, lines.copies([none]), step), builder.or_)
        number = ir.IntType(lines.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(far, number), ir.Constant(number, 0))

    return signature, codegen


def each_in_pieces(x, out):
    """The loop of pointwise.py for gelu: `formula` is that of all numbers."""
    for start in range(0, out.size, BLOCK):
        count = min(out.size - start, BLOCK)
        if gelu_in_pieces(x, start, count, out):
            part = out[start : start + count]
            for i in range(part.size):
                y = formula(part[i])  # noqa: F821
                part[i] = y if part[i] < far_below(part[i]) else part[i]
