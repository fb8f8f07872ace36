"""Scalar arithmetic beneath the vector math: what Python has no operator for, in forms that LLVM vectorises.

`fma(x, y, z)`              x * y + z, with one rounding where the processor has such an instruction
`rest_of_product(x, y, p)`  what rounding took from p = x * y
`polynomial(x, terms)`      `terms`: coefficients for float32 and for float64, the highest power's first
`paired_polynomial(x, square, terms)`  the same by x and its square, with half as many roundings in a row
`either_polynomial(x, first, terms, others)`  that with `terms` where `first` holds, else that with `others`
`nearest(x, factor)`        the whole number next to x * factor (below 2^22), as a real number and as an integer
`power_of_two(x, n)`        2^n in x's precision, for n within its exponents
`raised(x, n)`              x * 2^n by its exponent bits, for x and a result within the normal numbers
`shifted(x, n)`             x * 2^n with one rounding, for |n| up to twice the exponents

All take float32 or float64 and answer in the same precision.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import overload
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.processor import features

_FEATURES = features()
FUSED = _FEATURES.get("fma", False) or _FEATURES.get("neon", False)
SHIFTS = _FEATURES.get("avx512dq", False)  # `shifted` is one instruction

_SUFFIXES = {types.float32: "f32", types.float64: "f64"}


def compiled_as(function):
    """Compiled code takes the formula that the decorated function chooses; plain Python calls `function`."""
    # A call that is left in a loop would keep it from being vectorised.
    return overload(function, jit_options={"forceinline": True})


def by_precision(single, double):
    """A function whose formula is `single` where its first argument is float32, and `double` for float64."""
    # With NUMBA_DISABLE_JIT=1 both are plain functions already.
    formulas = {name: getattr(f, "py_func", f) for name, f in (("float32", single), ("float64", double))}

    def chosen(x):
        return formulas[x.dtype.name](x)

    @compiled_as(chosen)
    def choose(x):
        return formulas.get(x.name) if isinstance(x, types.Float) else None

    return chosen


@intrinsic
def _fused(typingctx, x, y, z):
    def codegen(context, builder, signature, arguments):
        return _emit_fma(context, builder, x, *arguments)

    return x(x, x, x), codegen


@intrinsic
def _horner(typingctx, x, terms):
    def codegen(context, builder, signature, arguments):
        variable, terms = arguments
        terms = builder.extract_value(terms, list(_SUFFIXES).index(x))
        p, *rest = (context.cast(builder, term, types.float64, x) for term in cgutils.unpack_tuple(builder, terms))
        for term in rest:
            p = _emit_fma(context, builder, x, p, variable, term)
        return p

    return x(x, terms), codegen


@intrinsic
def _either_horner(typingctx, x, first, terms, others):
    def codegen(context, builder, signature, arguments):
        variable, first, *tables = arguments
        tables = [builder.extract_value(table, list(_SUFFIXES).index(x)) for table in tables]
        tables = [
            [context.cast(builder, term, types.float64, x) for term in cgutils.unpack_tuple(builder, table)]
            for table in tables
        ]
        p, *rest = (builder.select(first, *pair) for pair in zip(*tables, strict=True))
        for term in rest:
            p = _emit_fma(context, builder, x, p, variable, term)
        return p

    return x(x, first, terms, others), codegen


@intrinsic
def _paired_horner(typingctx, x, square, terms):
    def codegen(context, builder, signature, arguments):
        variable, square, terms = arguments
        terms = builder.extract_value(terms, list(_SUFFIXES).index(x))
        terms = [context.cast(builder, term, types.float64, x) for term in cgutils.unpack_tuple(builder, terms)]
        odd = len(terms) % 2
        pairs = zip(terms[odd::2], terms[odd + 1 :: 2], strict=True)
        p, *rest = terms[:odd] + [_emit_fma(context, builder, x, variable, *pair) for pair in pairs]
        for pair in rest:
            p = _emit_fma(context, builder, x, p, square, pair)
        return p

    return x(x, x, terms), codegen


@intrinsic
def _load_exponent(typingctx, x, n):
    def codegen(context, builder, signature, arguments):
        real, whole = (argument.type for argument in arguments)
        name = f"llvm.ldexp.{_SUFFIXES[x]}.{whole}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(real, [real, whole]), name)
        return builder.call(function, arguments)

    return x(x, n), codegen


def _emit_fma(context, builder, real, *arguments):
    # fmuladd, not fma: without the instruction it is a multiplication and an addition, not a call into libm.
    kind = context.get_value_type(real)
    name = f"llvm.fmuladd.{_SUFFIXES[real]}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(function, arguments)


def fma(x, y, z):
    return x * y + z


@compiled_as(fma)
def _fma(x, y, z):
    return lambda x, y, z: _fused(x, y, z)


def polynomial(x, terms):
    p = type(x)(0)
    for term in terms[x.dtype == np.float64]:
        p = p * x + type(x)(term)
    return p


@compiled_as(polynomial)
def _polynomial(x, terms):
    return lambda x, terms: _horner(x, terms)


def either_polynomial(x, first, terms, others):
    return polynomial(x, terms if first else others)


@compiled_as(either_polynomial)
def _either_polynomial(x, first, terms, others):
    return lambda x, first, terms, others: _either_horner(x, first, terms, others)


def paired_polynomial(x, square, terms):
    return polynomial(x, terms)


@compiled_as(paired_polynomial)
def _paired_polynomial(x, square, terms):
    return lambda x, square, terms: _paired_horner(x, square, terms)


_halving = by_precision(inline(lambda x: np.float32(4097)), inline(lambda x: 134217729.0))


def rest_of_product(x, y, p):
    # Dekker 1971: halves short enough for their products to be exact.
    x_scaled, y_scaled = _halving(x) * x, _halving(y) * y
    x_high, y_high = x_scaled - (x_scaled - x), y_scaled - (y_scaled - y)
    x_low, y_low = x - x_high, y - y_high
    return ((x_high * y_high - p) + x_high * y_low + x_low * y_high) + x_low * y_low


@compiled_as(rest_of_product)
def _rest_of_product(x, y, p):
    return (lambda x, y, p: _fused(x, y, -p)) if FUSED else rest_of_product


def nearest(x, factor):
    n = np.rint(x * factor)
    return n, int(n)


@compiled_as(nearest)
def _nearest(x, factor):
    def single(x, factor):
        lifted = np.float32(fma(x, factor, np.float32(12582912)))  # the low bits of 1.5 * 2^23 + n are n
        return lifted - np.float32(12582912), np.int32(lifted.view(np.int32) - np.int32(0x4B400000))

    def double(x, factor):
        lifted = np.float64(fma(x, factor, 6755399441055744.0))
        return lifted - 6755399441055744.0, np.int64(lifted.view(np.int64) - 0x4338000000000000)

    return single if x == types.float32 else double


def power_of_two(x, n):
    return type(x)(2) ** n


@compiled_as(power_of_two)
def _power_of_two(x, n):
    def single(x, n):
        return np.int32(np.int32(n + np.int32(127)) << 23).view(np.float32)

    def double(x, n):
        return np.int64(np.int64(n + 1023) << 52).view(np.float64)

    return single if x == types.float32 else double


def raised(x, n):
    return x * type(x)(2) ** n


@compiled_as(raised)
def _raised(x, n):
    def single(x, n):
        return np.int32(np.float32(x).view(np.int32) + np.int32(n << 23)).view(np.float32)

    def double(x, n):
        return np.int64(np.float64(x).view(np.int64) + np.int64(n << 52)).view(np.float64)

    return single if x == types.float32 else double


def shifted(x, n):
    half = n >> 1  # in two steps, as 2^n alone may overflow or be subnormal where the product is not
    return x * power_of_two(x, half) * power_of_two(x, n - half)


@compiled_as(shifted)
def _shifted(x, n):
    return (lambda x, n: _load_exponent(x, n)) if SHIFTS else shifted
