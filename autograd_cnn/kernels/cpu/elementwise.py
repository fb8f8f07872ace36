"""Elementwise kernels: each is a formula of scalars, and a decorator that runs it over arrays.

`f(x, out)` and `f(x, y, out)`: operands of one dtype, of any layout and of any shape that broadcasts to that
of `out`, which is C-contiguous.
"""

import numpy as np

from autograd_cnn.kernels.cpu import gaussian
from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.pointwise import (
    accumulation,
    binary,
    binary_with_two,
    ternary,
    unary,
    unary_or_else,
    unary_with_two,
)

INT64 = np.iinfo(np.int64)

exp = unary(vm.exp)
expm1 = unary(vm.expm1)
log = unary(vm.log)
log1p = unary(vm.log1p)
erf = unary(gaussian.erf)
sin = unary_or_else(vm.sin_near, vm.beyond_circular_limit, vm.sin)
cos = unary_or_else(vm.cos_near, vm.beyond_circular_limit, vm.cos)
tan = unary_or_else(vm.tan_near, vm.beyond_circular_limit, vm.tan)


@unary
@inline
def neg(x):
    return -x


@unary
@inline
def abs(x):
    return -x if x < 0 else x + type(x)(0)  # -0 + 0 is 0


@unary
@inline
def sign(x):
    """-1, 0 or 1; 0 for NaN."""
    return type(x)(x > 0) - type(x)(x < 0)


@unary
@inline
def square(x):
    return x * x


@unary
@inline
def cube(x):
    return x * x * x


@unary
@inline
def sqrt(x):
    return np.sqrt(x)


@unary
@inline
def rsqrt(x):
    """1 / sqrt(x)"""
    return type(x)(1) / np.sqrt(x)


@unary
@inline
def reciprocal(x):
    return type(x)(1) / x


@unary
@inline
def floor(x):
    return np.floor(x)


@unary
@inline
def ceil(x):
    return np.ceil(x)


@unary
@inline
def round(x):
    """The nearest whole number; of two, the even one."""
    return np.rint(x)


@unary
@inline
def trunc(x):
    return np.trunc(x)


@unary
@inline
def isnan(x):
    return x != x


@unary
@inline
def isinf(x):
    return np.abs(x) == np.inf


@unary
@inline
def isfinite(x):
    return np.abs(x) < np.inf


@unary
@inline
def logical_not(x):
    return x == 0


@unary_with_two
@inline
def _clamp(x, low, high):
    low, high = type(x)(low), type(x)(high)
    x = low if x < low else x
    return high if x > high else x


def clamp(x, low, high, out):
    """min(max(x, low), high), with -inf or inf for a bound that is not there; NaN stays."""
    _clamp(x, *_bounds(x, low, high), out)


@binary
@inline
def add(x, y):
    return x + y


@binary
@inline
def sub(x, y):
    return x - y


@binary
@inline
def mul(x, y):
    return x * y


@binary
@inline
def div(x, y):
    return x / y


@binary
@inline
def maximum(x, y):
    """The larger; NaN if either is."""
    return x if (x > y) | (x != x) else y


@binary
@inline
def minimum(x, y):
    """The smaller; NaN if either is."""
    return x if (x < y) | (x != x) else y


@binary
@inline
def eq(x, y):
    return x == y


@binary
@inline
def ne(x, y):
    return x != y


@binary
@inline
def lt(x, y):
    return x < y


@binary
@inline
def le(x, y):
    return x <= y


@binary
@inline
def gt(x, y):
    return x > y


@binary
@inline
def ge(x, y):
    return x >= y


@binary
@inline
def logical_and(x, y):
    return (x != 0) & (y != 0)


@binary
@inline
def logical_or(x, y):
    return (x != 0) | (y != 0)


@binary
@inline
def logical_xor(x, y):
    return (x != 0) != (y != 0)


@ternary
@inline
def where(condition, x, y):
    """x where the condition holds, else y."""
    return x if condition else y


@binary
@inline
def _pow_double(x, y):
    return x**y


@binary
@inline
def _pow_whole(x, y):
    if y < 0:  # the fraction is cut off: only 1 and -1 have a whole inverse
        return x if (x == -1) & (y % 2 == 1) else type(x)((x == 1) | (x == -1))
    result, factor = type(x)(1), x
    while y > 0:
        if y & 1:
            result *= factor
        factor *= factor
        y >>= 1
    return result


_pow_single = binary(vm.pow_single)
_POWERS = {np.dtype(np.float32): _pow_single, np.dtype(np.float64): _pow_double}
_WHOLE_POWERS = {2: square, 3: cube}
_REAL_POWERS = {**_WHOLE_POWERS, 0.5: sqrt, -0.5: rsqrt, -1: reciprocal}


def pow(x, y, out):
    """x^y.  One exponent for all that is 2, 3, 1/2, -1/2 or -1 takes a shorter way, as in PyTorch."""
    shortcuts = _WHOLE_POWERS if out.dtype.kind == "i" else _REAL_POWERS
    shortcut = shortcuts.get(y.item()) if y.size == 1 and x.size == out.size else None
    if shortcut is not None:
        shortcut(x, out)
    else:
        _POWERS.get(out.dtype, _pow_whole)(x, y, out)


@binary_with_two
@inline
def _clamp_grad(g, x, low, high):
    return g if (x >= type(x)(low)) & (x <= type(x)(high)) else type(g)(0)


def clamp_grad(g, x, low, high, out):
    _clamp_grad(g, x, *_bounds(x, low, high), out)


@accumulation
@inline
def add_(a, b):
    """a += b"""
    return a + b


def _bounds(x, low, high):
    if x.dtype.kind != "i":
        return float(low), float(high)
    return int(max(low, INT64.min)), int(min(high, INT64.max))
