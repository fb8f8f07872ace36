"""Scalar functions for kernels, in plain arithmetic that LLVM turns into vector code; libm calls stay scalar.

All take float32 or float64 and answer in the same precision.  Method: range reduction by bits, then a
polynomial; the coefficients are minimax fits made in 50 digits.  The errors are at most 2 ulp; for tanh,
sigmoid and erf 3; for the normal distribution in float32 6, in its far tail too.

There is no branch: both sides of a condition are computed and one is selected, or loops would not vectorise.
`a if x < a else x` is a clamp that lets NaN through; `max(x, a)` would not.
"""

import math

import numpy as np
from numba import types
from numba.core.extending import overload

from autograd_cnn.kernels.cpu.jit import inline

LOG2_E = 1.4426950408889634
# ln 2 in two parts: the first has 9 bits, so that its product with an exponent is exact in both precisions.
LN2_HIGH = 355 / 512
LN2_LOW = -2.121944400546905827679e-4
SQRT_HALF = 0.7071067811865476
INV_SQRT_2PI = 0.3989422804014327
CIRCULAR_LIMIT = 1e5


def by_precision(single, double):
    """A function of x that compiles to `single` for float32 and to `double` for float64."""
    # With NUMBA_DISABLE_JIT=1 both are plain functions already.
    formulas = {name: getattr(f, "py_func", f) for name, f in (("float32", single), ("float64", double))}

    def chosen(x):
        return formulas[x.dtype.name](x)

    # A call that is left in a loop would keep it from being vectorised.
    @overload(chosen, jit_options={"forceinline": True})
    def choose(x):
        return formulas.get(x.name) if isinstance(x, types.Float) else None

    return chosen


@inline
def _power_of_two_single(x):
    # The low bits of 1.5 * 2^23 + n are n: biased and moved up, they are the exponent field of 2^n.
    return np.int32(np.float32(x + np.float32(12582912 + 127)).view(np.int32) << 23).view(np.float32)


@inline
def _power_of_two_double(x):
    return np.int64(np.float64(x + 6755399441056767.0).view(np.int64) << 52).view(np.float64)


@inline
def _exp_tail_single(x):
    p = np.float32(1.991220027462938e-4)
    p = p * x + np.float32(1.3941966138755913e-3)
    p = p * x + np.float32(8.333277050031947e-3)
    p = p * x + np.float32(4.1666343109227975e-2)
    p = p * x + np.float32(0.1666666679818759)
    return p * x + np.float32(0.5)


@inline
def _exp_tail_double(x):
    p = 2.0925222391582074e-9
    p = p * x + 2.5110170269582178e-8
    p = p * x + 2.7557240371765974e-7
    p = p * x + 2.7557241185840137e-6
    p = p * x + 2.480158736308922e-5
    p = p * x + 1.984126988887812e-4
    p = p * x + 1.3888888888865802e-3
    p = p * x + 8.333333333320654e-3
    p = p * x + 4.16666666666667e-2
    p = p * x + 0.16666666666666677
    return p * x + 0.5


@inline
def _exp_range_single(x):
    return np.float32(-104), np.float32(89), np.float32(-20)


@inline
def _exp_range_double(x):
    return -746.0, 710.0, -40.0


# 2^n for a whole n within the exponents
power_of_two = by_precision(_power_of_two_single, _power_of_two_double)
exp_tail = by_precision(_exp_tail_single, _exp_tail_double)  # (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2
exp_range = by_precision(_exp_range_single, _exp_range_double)  # where e^x is 0, where inf, where e^x - 1 is -1


@inline
def exp_of_sum(x, low):
    """e^(x + low), for a `low` far below x: keeps the digits that x + low would drop."""
    real = type(x)
    zero_below, inf_above, _ = exp_range(x)
    x = zero_below if x < zero_below else x
    x = inf_above if x > inf_above else x
    n = np.rint(x * real(LOG2_E))
    r = ((x - n * real(LN2_HIGH)) - n * real(LN2_LOW)) + low
    # Two steps, as 2^n alone may overflow or be subnormal where the product is not.
    half = np.floor(n * real(0.5))
    return ((real(1) + (r + r * r * exp_tail(r))) * power_of_two(half)) * power_of_two(n - half)


@inline
def exp(x):
    """e^x"""
    return exp_of_sum(x, type(x)(0))


@inline
def expm1(x):
    """e^x - 1"""
    real = type(x)
    _, inf_above, minus_one_below = exp_range(x)
    t = minus_one_below if x < minus_one_below else x
    t = inf_above if t > inf_above else t
    n = np.rint(t * real(LOG2_E))
    r = (t - n * real(LN2_HIGH)) - n * real(LN2_LOW)
    # Twice half of the result, as 2^n may overflow where the result does not.
    half = power_of_two(n - real(1))
    y = real(2) * (half * (r + r * r * exp_tail(r)) + (half - real(0.5)))
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


@inline
def _log_tail_single(x):
    p = np.float32(0.23594434272572642)
    p = p * x + np.float32(0.2853670233030787)
    p = p * x + np.float32(0.40000344082196704)
    return p * x + np.float32(0.6666666560880236)


@inline
def _log_tail_double(x):
    p = 0.14811221224419052
    p = p * x + 0.15312604931613907
    p = p * x + 0.18183617452829812
    p = p * x + 0.22222197621007855
    p = p * x + 0.28571428750923333
    p = p * x + 0.3999999999938002
    return p * x + 0.6666666666666738


# x = m * 2^e with sqrt(1/2) <= m < sqrt(2)
exponent_and_mantissa = by_precision(_exponent_and_mantissa_single, _exponent_and_mantissa_double)
log_tail = by_precision(_log_tail_single, _log_tail_double)  # (2 artanh(s) / s - 2) / s^2, of s^2


@inline
def log(x):
    """ln x"""
    real = type(x)
    e, m = exponent_and_mantissa(x)
    f = m - real(1)
    s = f / (real(2) + f)  # ln(1 + f) = 2 artanh(s) = f - f^2 / 2 + s (f^2 / 2 + s^2 tail(s^2))
    z = s * s
    square = real(0.5) * f * f
    y = e * real(LN2_HIGH) + (f - (square - (s * (square + z * log_tail(z)) + e * real(LN2_LOW))))
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
def tanh(x):
    """tanh x"""
    real = type(x)
    t = expm1(real(-2) * abs(x))
    y = -t / (t + real(2))
    y = -y if x < real(0) else y
    return x if x == real(0) else y


@inline
def sigmoid(x):
    """1 / (1 + e^-x)"""
    real = type(x)
    e = exp(-abs(x))  # at most 1: no overflow, and no digits lost far on the left
    return (e if x < real(0) else real(1)) / (real(1) + e)


@inline
def _scaled_tail_single(x):
    # e^(x^2 / 2) normal_cdf(-x) for 0 <= x <= 15: no coefficient is negative, so that no digits cancel.
    p = np.float32(0.004161500110636047)
    p = p * x + np.float32(0.04093667578941602)
    p = p * x + np.float32(0.1841336632301888)
    p = p * x + np.float32(0.4395050910997388)
    p = p * x + np.float32(0.5)
    q = np.float32(0.01043122399978938)
    q = q * x + np.float32(0.102619070964766)
    q = q * x + np.float32(0.4718431044557912)
    q = q * x + np.float32(1.206230990862436)
    q = q * x + np.float32(1.676895195670279)
    q = q * x + np.float32(1.0)
    return p / q


@inline
def _exp_of_minus_square_single(x, factor):
    # The square's upper half is exact and the rest goes along: rounded, the square would cost many ulp.
    upper = np.int32(np.float32(x).view(np.int32) & np.int32(-4096)).view(np.float32)
    return exp_of_sum(-factor * (upper * upper), -factor * ((x - upper) * (x + upper)))


@inline
def _erf_single(x):
    a = abs(x)
    a = np.float32(10) if a > np.float32(10) else a
    z = a * a
    p = np.float32(7.855054992032878e-5)
    p = p * z + np.float32(-8.010525321585287e-4)
    p = p * z + np.float32(5.188361260863734e-3)
    p = p * z + np.float32(-2.6853826815683664e-2)
    p = p * z + np.float32(0.11283585416243433)
    p = p * z + np.float32(-0.37612625836902447)
    p = p * z + np.float32(1.1283791657260207)
    tail = _exp_of_minus_square_single(a, np.float32(1)) * _scaled_tail_single(np.float32(1 / SQRT_HALF) * a)
    far = np.float32(1) - np.float32(2) * tail
    far = -far if x < np.float32(0) else far
    return x * p if a < np.float32(1) else far


@inline
def _erf_double(x):
    return math.erf(x)


@inline
def _normal_cdf_single(x):
    a = abs(x)
    a = np.float32(15) if a > np.float32(15) else a
    tail = _exp_of_minus_square_single(a, np.float32(0.5)) * _scaled_tail_single(a)
    return tail if x < np.float32(0) else np.float32(1) - tail


@inline
def _normal_cdf_double(x):
    return 0.5 * math.erfc(-SQRT_HALF * x)


_erf = by_precision(_erf_single, _erf_double)
_normal_cdf = by_precision(_normal_cdf_single, _normal_cdf_double)


@inline
def erf(x):
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x"""
    return _erf(x)


@inline
def normal_cdf(x):
    """(1 + erf(x / sqrt(2))) / 2, without its cancellation on the left"""
    return _normal_cdf(x)


@inline
def normal_pdf(x):
    """e^(-x^2 / 2) / sqrt(2 pi)"""
    real = type(x)
    return real(INV_SQRT_2PI) * exp(real(-0.5) * x * x)


@inline
def _sin_of_quarter_turns(x, turns):
    # sin(x + turns * pi / 2) for |x| <= CIRCULAR_LIMIT: x = n * pi / 2 + r, exactly so but for the last part.
    n = np.rint(x * 0.6366197723675814)
    rest, part = x - n * 1.5707963267341256, n * 6.077100506303966e-11
    r = rest - part
    r += ((rest - r) - part) - n * 2.0222662487959506e-21
    z = r * r
    p = 1.589652440837354e-10
    p = p * z - 2.5050753525895736e-8
    p = p * z + 2.755731366353262e-6
    p = p * z - 1.9841269829731206e-4
    p = p * z + 8.333333333322333e-3
    p = p * z - 0.16666666666666632
    sine = r + r * z * p
    p = -1.135947995514695e-11
    p = p * z + 2.08757201704533e-9
    p = p * z - 2.7557314330403945e-7
    p = p * z + 2.4801587289408218e-5
    p = p * z - 1.3888888888874005e-3
    p = p * z + 4.16666666666666e-2
    cosine = 1.0 - (0.5 * z - z * z * p)
    n += turns
    half = np.floor(0.5 * n)
    y = sine if n == 2.0 * half else cosine
    return y if half == 2.0 * np.floor(0.5 * half) else -y


@inline
def beyond_circular_limit(x):
    """Whether sin_near and cos_near are wrong at x."""
    return abs(x) > type(x)(CIRCULAR_LIMIT)


@inline
def sin_near(x):
    """sin x for |x| <= CIRCULAR_LIMIT"""
    return x if x == type(x)(0) else type(x)(_sin_of_quarter_turns(np.float64(x), 0.0))


@inline
def cos_near(x):
    """cos x for |x| <= CIRCULAR_LIMIT"""
    return type(x)(_sin_of_quarter_turns(np.float64(x), 1.0))


@inline
def sin(x):
    """sin x; libm's, and no vector code, beyond CIRCULAR_LIMIT"""
    return math.sin(x) if beyond_circular_limit(x) else sin_near(x)


@inline
def cos(x):
    """cos x; libm's, and no vector code, beyond CIRCULAR_LIMIT"""
    return math.cos(x) if beyond_circular_limit(x) else cos_near(x)


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
