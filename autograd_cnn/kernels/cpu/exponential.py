"""Exponentials and logarithms to other bases, and of sums: scalar formulas in the manner of vectormath.py, and kernels.

Errors are at most 2 ulp; for erfc 6.
"""

import numpy as np

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.gaussian import SQRT_2, mills
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.scalar import by_precision, fma, nearest, polynomial, rest_of_product, shifted
from autograd_cnn.kernels.cpu.shared_loop import pointwise, pointwise_with_two

LN_2 = 0.6931471805599453
LOG10_E = 0.4342944819032518
# log10 2 in two parts: the first has so few bits that its product with an exponent is exact in both precisions.
LOG10_2_HIGH = 77 / 256
LOG10_2_LOW = 0.000248745663981195


@inline
def _limits_single(x):
    return np.float32(-151), np.float32(129), np.float32(10.6)


@inline
def _limits_double(x):
    return -1076.0, 1025.0, 27.5


limits = by_precision(_limits_single, _limits_double)  # where 2^x is 0, where inf; where erfc(x) is 0


@inline
def power_of_base_two(x):
    """2^x"""
    real = type(x)
    zero_below, inf_above, _ = limits(x)
    x = zero_below if x < zero_below else x
    x = inf_above if x > inf_above else x
    n, whole = nearest(x, real(1))
    r = (x - n) * real(LN_2)
    return shifted(real(1) + fma(r * r, vm.exp_tail(r), r), whole)


exp2 = pointwise(power_of_base_two)


@inline
def _log_parts(x):
    """e and y with x = 2^e exp(y), |y| <= ln(2) / 2."""
    real = type(x)
    e, m = vm.exponent_and_mantissa(x)
    f = m - real(1)
    s = f / (real(2) + f)
    z = s * s
    square = real(0.5) * f * f
    return e, f - (square - s * fma(z, polynomial(z, vm.LOG_TAIL), square))


@inline
def _at_the_limits(x, y):
    """y, a logarithm of x > 0, or what it is for any other x."""
    real = type(x)
    y = y if x < real(np.inf) else x
    y = real(-np.inf) if x == real(0) else y
    return real(np.nan) if x < real(0) else y


@pointwise
@inline
def log2(x):
    """The logarithm to base 2."""
    e, y = _log_parts(x)
    return _at_the_limits(x, fma(y, type(x)(vm.LOG2_E), e))


@pointwise
@inline
def log10(x):
    """The logarithm to base 10."""
    real = type(x)
    e, y = _log_parts(x)
    return _at_the_limits(x, fma(e, real(LOG10_2_HIGH), fma(y, real(LOG10_E), e * real(LOG10_2_LOW))))


@pointwise
@inline
def erfc(x):
    """1 - erf(x), without its cancellation on the right."""
    real = type(x)
    a, (_, _, end) = abs(x), limits(x)
    a = end if a > end else a
    z = a * a
    n, w = vm.exp_parts(-z, -rest_of_product(a, a, z))  # without the rest, many ulp would be lost
    y = mills(real(SQRT_2) * a, real(2) * z)
    tail = real(2) * shifted(fma(y, w, y), n)
    return real(2) - tail if x < real(0) else tail


@pointwise_with_two
@inline
def logit(x, low, high):
    """ln(x / (1 - x)) of x limited to [low, high]."""
    real = type(x)
    x = real(low) if x < real(low) else x
    x = real(high) if x > real(high) else x
    # Round 1/2, where x / (1 - x) is near 1, its logarithm would lose digits.
    t = (real(2) * x - real(1)) / (real(1) - x)
    return vm.log1p(t) if (x > real(0.25)) & (x < real(0.75)) else vm.log(x / (real(1) - x))


@pointwise_with_two
@inline
def logit_grad(g, x, low, high):
    """g / (x (1 - x)), 0 outside of [low, high]; without limits, where these are infinite, NaN outside of [0, 1]."""
    real = type(x)
    slope = g / (x * (real(1) - x))
    if real(low) == real(-np.inf):
        return real(np.nan) if (x < real(0)) | (x > real(1)) else slope
    return slope if (x >= real(low)) & (x <= real(high)) else real(0)


@pointwise
@inline
def logaddexp(x, y):
    """ln(e^x + e^y)"""
    high, low = (y, x) if x < y else (x, y)
    difference = low - high
    total = high + vm.log1p(vm.exp(difference))
    return high if difference != difference and x == y else total


@pointwise
@inline
def logaddexp2(x, y):
    """log2(2^x + 2^y)"""
    high, low = (y, x) if x < y else (x, y)
    difference = low - high
    total = high + vm.log1p(power_of_base_two(difference)) * type(x)(vm.LOG2_E)
    return high if difference != difference and x == y else total


@pointwise
@inline
def xlogy(x, y):
    """x ln y, and 0 where x is 0 and y a number."""
    real = type(x)
    return real(0) if (x == real(0)) & (y == y) else x * vm.log(y)
