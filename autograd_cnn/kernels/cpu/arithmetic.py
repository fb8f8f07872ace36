"""Remainders, and arithmetic on two and three numbers that few programs use, in the manner of shared_loop.py."""

import math

import numpy as np

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.scalar import by_precision, rest_of_product
from autograd_cnn.kernels.cpu.shared_loop import pointwise, pointwise_or_else, pointwise_with_two


@pointwise
@inline
def hypot(x, y):
    """sqrt(x^2 + y^2), without its overflow; inf where either is."""
    real = type(x)
    a, b = abs(x), abs(y)
    a, b = (b, a) if a < b else (a, b)
    ratio = b / (a if a > real(0) else real(1))
    length = a * np.sqrt(real(1) + ratio * ratio)
    length = x + y if (x != x) | (y != y) else length
    return real(np.inf) if (abs(x) == real(np.inf)) | (abs(y) == real(np.inf)) else length


@pointwise
@inline
def fmax(x, y):
    """The larger; of a number and NaN the number."""
    return x if (x >= y) | (y != y) else y


@pointwise
@inline
def fmin(x, y):
    """The smaller; of a number and NaN the number."""
    return x if (x <= y) | (y != y) else y


@inline
def _limits_single(x):
    return np.float32(4194304), np.float32(1e37)


@inline
def _limits_double(x):
    return 2251799813685248.0, 1e307


limits = by_precision(_limits_single, _limits_double)  # of quotients that have digits left for a fraction, of products


@inline
def _beyond_whole(x, y):
    """Whether the operands, or their quotient, are too large for `_rest` and `_floored_rest`, or no numbers."""
    quotient, most = limits(x)
    return not (abs(x / y) < quotient) & (abs(x) < most) & (abs(y) < most)


@inline
def _rest(x, y):
    """x - y trunc(x / y)"""
    real = type(x)
    q = np.trunc(x / y)
    p = q * y
    rest = (x - p) - rest_of_product(q, y, p)  # exact; below 0 where rounding took the quotient up to a whole number
    rest = -rest if x < real(0) else rest
    rest = rest + abs(y) if rest < real(0) else rest
    return real(math.copysign(rest, x))


@inline
def _floored_rest(x, y):
    """x - y floor(x / y)"""
    rest = _rest(x, y)
    return rest + y if (rest != 0) & ((y < 0) != (rest < 0)) else rest


@inline
def _rest_of_any(x, y):
    return np.fmod(x, y)


@inline
def _floored_rest_of_any(x, y):
    rest = np.fmod(x, y)
    return rest + y if (rest != 0) & ((y < 0) != (rest < 0)) else rest


@inline
def _floored_quotient(x, y, rest):
    real = type(x)
    quotient = (x - rest) / y
    quotient = quotient - real(1) if (rest != 0) & ((y < 0) != (rest < 0)) else quotient
    whole = np.floor(quotient)
    return whole + real(1) if quotient - whole > real(0.5) else whole


@inline
def _floor_of_quotient(x, y):
    """floor(x / y), by the rest, as x / y may have been rounded up"""
    return _floored_quotient(x, y, _rest(x, y))


@inline
def _floor_of_any_quotient(x, y):
    return x / y if y == 0 else _floored_quotient(x, y, np.fmod(x, y))


_floor_divide_real = pointwise_or_else(_floor_of_quotient, _beyond_whole, _floor_of_any_quotient)
_fmod_real = pointwise_or_else(_rest, _beyond_whole, _rest_of_any)
_remainder_real = pointwise_or_else(_floored_rest, _beyond_whole, _floored_rest_of_any)


@pointwise
@inline
def _fmod_whole(x, y):
    # Neither may reach the processor's division, which traps.
    if (y == 0) | (y == -1):
        return type(x)(0)
    rest = x % y
    return rest - y if (rest != 0) & ((x < 0) != (y < 0)) else rest


@pointwise
@inline
def _remainder_whole(x, y):
    return type(x)(0) if (y == 0) | (y == -1) else x % y


@pointwise
@inline
def _floor_divide_whole(x, y):
    if y == 0:
        return type(x)(0)
    return -x if y == -1 else x // y


def fmod(x, y, out):
    """x - y * trunc(x / y), of x's sign; of whole numbers, 0 where y is 0."""
    (_fmod_real if out.dtype.kind == "f" else _fmod_whole)(x, y, out)


def floor_divide(x, y, out):
    """floor(x / y); of whole numbers, 0 where y is 0."""
    (_floor_divide_real if out.dtype.kind == "f" else _floor_divide_whole)(x, y, out)


def remainder(x, y, out):
    """x - y * floor(x / y), of y's sign; of whole numbers, 0 where y is 0."""
    (_remainder_real if out.dtype.kind == "f" else _remainder_whole)(x, y, out)


@pointwise
@inline
def trunc_divide(x, y):
    """x / y without its fraction."""
    return np.trunc(x / y)


@pointwise
@inline
def frac(x):
    """x without its whole part."""
    return x - np.trunc(x)


@pointwise
@inline
def signbit(x):
    """Whether the sign is -, also of zero and NaN."""
    return math.copysign(1.0, x) < 0


@pointwise_with_two
@inline
def _lerp(x, end, weight, a, b):
    real = type(x)
    difference = end - x
    # From the nearer end, so that both are met exactly.
    return x + weight * difference if abs(weight) < real(0.5) else end - difference * (real(1) - weight)


def lerp(x, end, weight, out):
    """x + weight * (end - x)"""
    _lerp(x, end, weight, 0, 0, out)


@pointwise_with_two
@inline
def _addcmul(x, y, z, value, b):
    return x + type(x)(value) * y * z


def addcmul(x, y, z, value, out):
    """x + value * y * z"""
    _addcmul(x, y, z, value, 0, out)


@pointwise_with_two
@inline
def _addcdiv(x, y, z, value, b):
    return x + type(x)(value) * y / z


def addcdiv(x, y, z, value, out):
    """x + value * y / z"""
    _addcdiv(x, y, z, value, 0, out)


@pointwise_with_two
@inline
def _limit(x, low, high, a, b):
    y = low if (x < low) | (low != low) else x
    return high if (y > high) | (high != high) else y


def limit(x, low, high, out):
    """min(max(x, low), high); NaN where any is."""
    _limit(x, low, high, 0, 0, out)


@pointwise_with_two
@inline
def _near(x, y, rtol, atol):
    difference = abs(np.float64(x) - np.float64(y))
    return (x == y) | ((difference <= atol + rtol * abs(np.float64(y))) & (difference < np.inf))


@pointwise
@inline
def _both_nan(x, y):
    return (x != x) & (y != y)


def isclose(x, y, rtol, atol, equal_nan, out):
    """Where |x - y| <= atol + rtol * |y|, or both are equal, or, if wanted, both NaN."""
    _near(x, y, rtol, atol, out)
    if equal_nan and x.dtype.kind == "f":
        nan = np.empty(out.shape, bool)
        _both_nan(x, y, nan)
        np.logical_or(out, nan, out=out)
