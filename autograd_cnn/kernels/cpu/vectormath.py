"""Scalar functions for kernels, in plain arithmetic that LLVM turns into vector code; libm calls stay scalar.

All take float32 or float64 and answer in the same precision.  Method: range reduction by bits, then a
polynomial; the coefficients are minimax fits made in 50 digits.  Errors are at most 2 ulp; for tanh 4.

There is no branch: both sides of a condition are computed and one is selected, or loops would not vectorise.
`a if x < a else x` is a clamp that lets NaN through; `max(x, a)` would not.
"""

import math

import numpy as np

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.scalar import (
    by_precision,
    fma,
    nearest,
    polynomial,
    power_of_two,
    shifted,
)

LOG2_E = 1.4426950408889634
# ln 2 in two parts: the first has 9 bits, so that its product with an exponent is exact in both precisions.
LN2_HIGH = 355 / 512
LN2_LOW = -2.121944400546905827679e-4
CIRCULAR_LIMIT = 1e5

EXP_TAIL = (
    (0.001383887603878975, 0.00836919154971838, 0.04166810214519501, 0.16666516661643982, 0.4999999403953552),
    (
        2.501188243379107e-08,
        2.7630030309674635e-07,
        2.755753962374682e-06,
        2.4801493630178005e-05,
        0.00019841269573912858,
        0.0013888888943286366,
        0.008333333333452861,
        0.041666666666529996,
        0.16666666666666505,
        0.5000000000000011,
    ),
)
# (2 artanh(s) / s - 2) / s^2 as a polynomial in s^2, for |s| <= (sqrt(2) - 1) / (sqrt(2) + 1)
LOG_TAIL = (
    (0.23594434272572642, 0.2853670233030787, 0.40000344082196704, 0.6666666560880236),
    (
        0.14811221224419052,
        0.15312604931613907,
        0.18183617452829812,
        0.22222197621007855,
        0.28571428750923333,
        0.3999999999938002,
        0.6666666666666738,
    ),
)
# The same for 0 <= s <= 1/3.
LOG1P_TAIL = (
    (0.24246343970298767, 0.21443718671798706, 0.286152184009552, 0.3999894857406616, 0.6666667461395264),
    (
        0.17015070929422452,
        0.08342168116727462,
        0.12105570488952384,
        0.1330104452654068,
        0.15386554057749427,
        0.18181744223024732,
        0.22222223960598933,
        0.28571428548011857,
        0.40000000000155905,
        0.6666666666666631,
    ),
)
# (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 as polynomials in r^2, for |r| <= pi / 4, only in float64.
SINE_TAIL = (
    (0.0,),
    (
        1.589652440837354e-10,
        -2.5050753525895736e-8,
        2.755731366353262e-6,
        -1.9841269829731206e-4,
        8.333333333322333e-3,
        -0.16666666666666632,
    ),
)
COSINE_TAIL = (
    (0.0,),
    (
        -1.135947995514695e-11,
        2.08757201704533e-9,
        -2.7557314330403945e-7,
        2.4801587289408218e-5,
        -1.3888888888874005e-3,
        4.16666666666666e-2,
    ),
)


@inline
def _limits_single(x):
    return np.float32(-104), np.float32(89), np.float32(-20)


@inline
def _limits_double(x):
    return -746.0, 710.0, -40.0


exp_limits = by_precision(_limits_single, _limits_double)  # where e^x is 0, where inf, where e^x - 1 is -1


@inline
def exp_tail(r):
    """(e^r - 1 - r) / r^2 for |r| <= ln(2) / 2"""
    return polynomial(r, EXP_TAIL)


@inline
def exp_parts(x, low):
    """n and w with e^(x + low) = 2^n (1 + w), for x within exp_limits and a `low` far below x, whose digits count."""
    real = type(x)
    n, whole = nearest(x, real(LOG2_E))
    r = fma(n, real(-LN2_LOW), fma(n, real(-LN2_HIGH), x)) + low
    return whole, fma(r * r, exp_tail(r), r)


@inline
def exp(x):
    """e^x"""
    real = type(x)
    zero_below, inf_above, _ = exp_limits(x)
    x = zero_below if x < zero_below else x
    x = inf_above if x > inf_above else x
    n, w = exp_parts(x, real(0))
    return shifted(real(1) + w, n)


@inline
def expm1(x):
    """e^x - 1"""
    real = type(x)
    _, inf_above, minus_one_below = exp_limits(x)
    t = minus_one_below if x < minus_one_below else x
    t = inf_above if t > inf_above else t
    n, w = exp_parts(t, real(0))
    half = power_of_two(x, n - 1)  # twice half of the result, as 2^n may overflow where the result does not
    y = real(2) * fma(half, w, half - real(0.5))
    return x if abs(x) < real(1e-18) else y


@inline
def _exponent_and_mantissa_single(x):
    subnormal = x < np.float32(1.1754944e-38)
    bits = np.float32(x * np.float32(33554432) if subnormal else x).view(np.int32)
    e = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> 23)
    m = np.int32(bits - np.int32(e << 23)).view(np.float32)
    return np.float32(e) - (np.float32(25) if subnormal else np.float32(0)), m


@inline
def _exponent_and_mantissa_double(x):
    subnormal = x < 2.2250738585072014e-308
    bits = np.float64(x * 18014398509481984.0 if subnormal else x).view(np.int64)
    e = (bits - 0x3FE6A09E667F3BCD) >> 52
    m = np.int64(bits - (e << 52)).view(np.float64)
    return np.float64(e) - (54.0 if subnormal else 0.0), m


# x = m * 2^e with sqrt(1/2) <= m < sqrt(2)
exponent_and_mantissa = by_precision(_exponent_and_mantissa_single, _exponent_and_mantissa_double)


@inline
def log(x):
    """ln x"""
    real = type(x)
    e, m = exponent_and_mantissa(x)
    f = m - real(1)
    s = f / (real(2) + f)  # ln(1 + f) = 2 artanh(s) = f - f^2 / 2 + s (f^2 / 2 + s^2 tail(s^2))
    z = s * s
    square = real(0.5) * f * f
    low = fma(s, fma(z, polynomial(z, LOG_TAIL), square), e * real(LN2_LOW))
    y = fma(e, real(LN2_HIGH), f - (square - low))
    y = y if x < real(np.inf) else x
    y = real(-np.inf) if x == real(0) else y
    return real(np.nan) if x < real(0) else y


@inline
def log1p(x):
    """ln(1 + x)"""
    real = type(x)
    u = real(1) + x
    y = log(u)
    corrected = y + (x - (u - real(1))) / u  # what rounding took from 1 + x
    y = corrected if (u > real(0)) & (u < real(np.inf)) else y
    return x if abs(x) < real(1e-18) else y


@inline
def softplus(x):
    """ln(1 + e^x)"""
    real = type(x)
    f = exp(-abs(x))  # at most 1: then no exponent has to be split off, as in `log`
    s = f / (real(2) + f)
    z = s * s
    square = real(0.5) * f * f
    y = f - (square - s * fma(z, polynomial(z, LOG1P_TAIL), square))
    return (real(0) if x < real(0) else x) + y


@inline
def tanh(x):
    """tanh x"""
    real = type(x)
    t = expm1(real(-2) * abs(x))
    y = -t / (t + real(2))
    y = -y if x < real(0) else y
    return x if x == real(0) else y


@inline
def sigmoid_parts(x, low):
    """d and m with sigmoid(x + low) = 2^m / d, for x and `low` as in exp_parts."""
    real = type(x)
    n, w = exp_parts(-x, -low)
    # d = 1 + 2^n (1 + w), or for n > 0 2^-n of that, which cannot overflow; of its terms, 2^-126 no longer counts.
    whole = type(n)
    m = whole(-n if n > 0 else n)
    t = power_of_two(x, m if m > whole(-126) else whole(-126))
    return real(1) + fma(real(1) if n > 0 else t, w, t), m if n > 0 else whole(0)


@inline
def sigmoid(x):
    """1 / (1 + e^-x)"""
    real = type(x)
    least, _, _ = exp_limits(x)
    x = least if x < least else x
    x = -least if x > -least else x
    d, m = sigmoid_parts(x, real(0))
    return shifted(real(1) / d, m)


@inline
def _circular(x):
    """n and sin r, cos r, r for x = n * pi / 2 + r with |r| <= pi / 4, in float64, for |x| <= CIRCULAR_LIMIT."""
    n, whole = nearest(x, 0.6366197723675814)
    # The first two parts of pi / 2 have so few digits that their products are exact.
    rest, part = x - n * 1.5707963267341256, n * 6.077100506303966e-11
    r = rest - part
    low = ((rest - r) - part) - n * 2.0222662487959506e-21
    r += low
    z = r * r
    sine = fma(r * z, polynomial(z, SINE_TAIL), r)
    cosine = fma(z * z, polynomial(z, COSINE_TAIL), fma(-0.5, z, 1.0))
    return whole, sine, cosine


@inline
def _sin_of_quarter_turns(x, turns):
    """sin(x + turns * pi / 2)"""
    n, sine, cosine = _circular(x)
    n += turns
    y = cosine if n & 1 else sine
    return -y if n & 2 else y


@inline
def beyond_circular_limit(x):
    """Whether sin_near, cos_near and tan_near are wrong at x."""
    return abs(x) > type(x)(CIRCULAR_LIMIT)


@inline
def sin_near(x):
    """sin x for |x| <= CIRCULAR_LIMIT"""
    return x if x == type(x)(0) else type(x)(_sin_of_quarter_turns(np.float64(x), 0))


@inline
def cos_near(x):
    """cos x for |x| <= CIRCULAR_LIMIT"""
    return type(x)(_sin_of_quarter_turns(np.float64(x), 1))


@inline
def tan_near(x):
    """tan x for |x| <= CIRCULAR_LIMIT"""
    n, sine, cosine = _circular(np.float64(x))
    y = (-cosine if n & 1 else sine) / (sine if n & 1 else cosine)
    return x if x == type(x)(0) else type(x)(y)


@inline
def sin(x):
    """sin x; libm's, and no vector code, beyond CIRCULAR_LIMIT"""
    return math.sin(x) if beyond_circular_limit(x) else sin_near(x)


@inline
def cos(x):
    """cos x; libm's, and no vector code, beyond CIRCULAR_LIMIT"""
    return math.cos(x) if beyond_circular_limit(x) else cos_near(x)


@inline
def tan(x):
    """tan x; libm's, and no vector code, beyond CIRCULAR_LIMIT"""
    return math.tan(x) if beyond_circular_limit(x) else tan_near(x)


@inline
def pow_single(x, y):
    """x^y of float32 numbers, through float64."""
    base, power = np.float64(x), np.float64(y)
    whole = np.floor(power) == power
    odd = whole & (np.floor(power * 0.5) * 2.0 != power)
    size = abs(base)
    p = exp(power * log(size))
    p = 1.0 if (power == 0.0) | (base == 1.0) | ((size == 1.0) & (abs(power) == np.inf)) else p
    p = np.nan if (base < 0.0) & (base > -np.inf) & ~whole else p
    return np.float32(-p if odd & ((base < 0.0) | (1.0 / base < 0.0)) else p)
