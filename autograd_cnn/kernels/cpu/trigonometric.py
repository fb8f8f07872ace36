"""Inverse and hyperbolic functions: scalar formulas in the manner of vectormath.py, and their kernels.

Errors are at most 3 ulp.  The coefficients are minimax fits made in 40 digits.
"""

import numpy as np

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.scalar import by_precision, fma, polynomial
from autograd_cnn.kernels.cpu.shared_loop import pointwise

LN_2 = 0.6931471805599453
TAN_PI_8 = 0.41421356237309503
TAN_3_PI_8 = 2.414213562373095

# (atan t / t - 1) / t^2 as a polynomial in t^2, for |t| <= tan(pi / 8)
ATAN_TAIL = (
    (-0.06431038710715442, 0.1073739696716272, -0.1426336657972561, 0.1999952339722771, -0.33333331686451945),
    (
        -0.019029290809743134,
        0.03911053674347613,
        -0.05081236164642543,
        0.058573396761385246,
        -0.06664417824186955,
        0.07692176510795928,
        -0.09090904289128517,
        0.11111111008107874,
        -0.14285714284577217,
        0.1999999999999509,
        -0.3333333333333333,
    ),
)
# (asin t / t - 1) / t^2 as a polynomial in t^2, for |t| <= 1/2
ASIN_TAIL = (
    (
        0.03369084720283012,
        0.017149238357677253,
        0.03110066273549457,
        0.04459940152851218,
        0.07500094543497424,
        0.16666666337430908,
    ),
    (
        0.028169218060881414,
        -0.010749050339697808,
        0.01603551434914882,
        0.0078029494773533175,
        0.011875494382636922,
        0.013929652902326633,
        0.017355259955786323,
        0.02237204763174451,
        0.03038194736709848,
        0.044642857103423646,
        0.07500000000020764,
        0.1666666666666665,
    ),
)


@inline
def _half_pi_single(x):
    return np.float32(1.5707963267948966), np.float32(-4.371139000186243e-08)


@inline
def _half_pi_double(x):
    return 1.5707963267948966, 6.123233995736766e-17


half_pi = by_precision(_half_pi_single, _half_pi_double)  # in two parts, the second of which is the rest


@inline
def _large_single(x):
    return np.float32(1e18), np.float32(88)


@inline
def _large_double(x):
    return 1e150, 709.0


large = by_precision(_large_single, _large_double)  # from where a square or an exponential may overflow


@inline
def _asin_of_half(t):
    """asin t for |t| <= 1/2"""
    z = t * t
    return fma(t, z * polynomial(z, ASIN_TAIL), t)


@pointwise
@inline
def asin(x):
    """The angle in [-pi / 2, pi / 2] whose sine is x."""
    real = type(x)
    high, low = half_pi(x)
    a = abs(x)
    near = a <= real(0.5)
    t = _asin_of_half(a if near else np.sqrt(real(0.5) * (real(1) - a)))
    y = t if near else high - (real(2) * t - low)
    y = -y if x < real(0) else y
    return x if x == real(0) else y


@pointwise
@inline
def acos(x):
    """The angle in [0, pi] whose cosine is x."""
    real = type(x)
    high, low = half_pi(x)
    a = abs(x)
    near = a <= real(0.5)
    t = _asin_of_half(x if near else np.sqrt(real(0.5) * (real(1) - a)))
    far = real(2) * t
    far = real(2) * high - (far - real(2) * low) if x < real(0) else far
    return high - (t - low) if near else far


@inline
def angle(x):
    """The angle in [-pi / 2, pi / 2] whose tangent is x."""
    real = type(x)
    high, low = half_pi(x)
    a = abs(x)
    near, far = a <= real(TAN_PI_8), a > real(TAN_3_PI_8)
    t = a if near else (real(-1) / a if far else (a - real(1)) / (a + real(1)))
    z = t * t
    y = fma(t, z * polynomial(z, ATAN_TAIL), t)
    base, rest = (high, low) if far else (real(0.5) * high, real(0.5) * low)
    y = y if near else base + (y + rest)
    y = -y if x < real(0) else y
    return x if x == real(0) else y


atan = pointwise(angle)


@pointwise
@inline
def atan2(y, x):
    """The angle of the point (x, y)."""
    real = type(x)
    high, low = half_pi(x)
    a, b = abs(y), abs(x)
    infinite = (a == real(np.inf)) & (b == real(np.inf))
    steep = a > b
    short, long = (b, a) if steep else (a, b)
    t = short / (long if long > real(0) else real(1))
    t = real(1) if infinite else t
    turn = angle(t)
    turn = high - (turn - low) if steep else turn
    behind = (x < real(0)) | ((x == real(0)) & (real(1) / x < real(0)))
    turn = real(2) * high - (turn - real(2) * low) if behind else turn
    below = (y < real(0)) | ((y == real(0)) & (real(1) / y < real(0)))
    turn = -turn if below else turn
    return x + y if (x != x) | (y != y) else turn


@pointwise
@inline
def sinh(x):
    """(e^x - e^-x) / 2"""
    real = type(x)
    _, limit = large(x)
    a = abs(x)
    e = vm.expm1(a)
    near = real(0.5) * (e + e / (e + real(1)))
    half = vm.exp(real(0.5) * a)  # as e^x may overflow where half of it does not
    y = real(0.5) * half * half if a > limit else near
    y = -y if x < real(0) else y
    return x if x == real(0) else y


@pointwise
@inline
def cosh(x):
    """(e^x + e^-x) / 2"""
    real = type(x)
    _, limit = large(x)
    a = abs(x)
    e = vm.exp(a)
    half = vm.exp(real(0.5) * a)
    return real(0.5) * half * half if a > limit else real(0.5) * e + real(0.5) / e


@pointwise
@inline
def asinh(x):
    """The number whose sinh is x: ln(x + sqrt(x^2 + 1))."""
    real = type(x)
    limit, _ = large(x)
    a = abs(x)
    far = a > limit
    z = a * a
    near = a + z / (real(1) + np.sqrt(real(1) + z))
    y = vm.log1p(a if far else near)
    y = y + real(LN_2) if far else y
    y = -y if x < real(0) else y
    return x if x == real(0) else y


@pointwise
@inline
def acosh(x):
    """The number whose cosh is x >= 1: ln(x + sqrt(x^2 - 1))."""
    real = type(x)
    limit, _ = large(x)
    far = x > limit
    t = x - real(1)
    y = vm.log1p(x if far else t + np.sqrt(t * (x + real(1))))
    y = y + real(LN_2) if far else y
    return real(np.nan) if x < real(1) else y


@pointwise
@inline
def atanh(x):
    """The number whose tanh is x: ln((1 + x) / (1 - x)) / 2."""
    real = type(x)
    a = abs(x)
    y = real(0.5) * vm.log1p(real(2) * a / (real(1) - a))
    y = real(np.nan) if a > real(1) else y
    y = -y if x < real(0) else y
    return x if x == real(0) else y
