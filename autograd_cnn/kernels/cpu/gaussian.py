"""The error function and the normal distribution, in the manner of vectormath.py.  Errors: erf 2 ulp, gelu 4."""

import numpy as np

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.scalar import (
    FUSED,
    by_precision,
    either_polynomial,
    fma,
    nearest,
    paired_polynomial,
    polynomial,
    power_of_two,
    raised,
    rest_of_product,
    shifted,
)
from autograd_cnn.kernels.cpu.vectormath import EXP_TAIL, LN2_HIGH, LN2_LOW, LOG2_E, exp_parts, sigmoid_parts

SQRT_2 = 1.4142135623730951
INV_SQRT_2PI = 0.3989422804014327
# 2 sqrt(2 / pi), and that times 0.044715, each in two parts that are exact in float32 and in float64
SLOPE_HIGH = 1.5957691669464111
SLOPE_LOW = -4.534068042105272e-08
CUBE_HIGH = 0.07135481387376785
CUBE_LOW = 2.3988323959931355e-09

# (e^(-r / 2) - 1) / r for |r| <= ln(2)
GAUSS = tuple(tuple(c * (-0.5) ** (len(tail) + 1 - i) for i, c in enumerate((*tail, 1.0))) for tail in EXP_TAIL)
# erf(x) / x - 1 as a polynomial in x^2, for |x| <= 1
ERF_NEAR = (
    (
        7.855054992032878e-5,
        -8.010525321585287e-4,
        5.188361260863734e-3,
        -2.6853826815683664e-2,
        0.11283585416243433,
        -0.37612625836902447,
        0.1283791657260207,
    ),
    (
        -7.608263100864372e-10,
        1.3616917235339606e-08,
        -1.6184035307211102e-07,
        1.6444155434710471e-06,
        -1.4924465956950683e-05,
        0.00012055280509012997,
        -0.0008548325485282501,
        0.005223977596739277,
        -0.0268661706419593,
        0.1128379167093695,
        -0.37612638903183343,
        0.1283791670955126,
    ),
)
# p and q of e^(x^2 / 2) normal_cdf(-x) = (1/2 + x p) / (1 + x q) for 0 <= x <= 15, in float64 39; no coefficient is
# negative, so that no digits cancel.
MILLS_TOP = (
    (0.004090586677193642, 0.04048377647995949, 0.18282681703567505, 0.4377977252006531),
    (
        2.2343314824307868e-07,
        6.956128866791806e-06,
        0.00010631472768178318,
        0.0010375851606215082,
        0.007110663135725542,
        0.03561758615872017,
        0.13189813961317876,
        0.3570420872532342,
        0.6792154426328201,
        0.8276717446357676,
    ),
)
MILLS_BOTTOM = (
    (0.010253461077809334, 0.10148423910140991, 0.4683819115161896, 1.2008939981460571, 1.6734802722930908),
    (
        5.600638468757872e-07,
        1.7436429299508167e-05,
        0.0002670515662604646,
        0.0026182767304606326,
        0.0180891606328713,
        0.09184601627987381,
        0.34791600568107406,
        0.9792246659842556,
        2.0001339024109166,
        2.8158236705485153,
        2.453228050074401,
    ),
)
# For gelu in float32: 2^64 e^(-r / 2); and p of x e^(x^2 / 2) normal_cdf(-x) = s p(s - MIDDLE), s = x / (x + BEND), for
# 0 <= x <= 14.5.  LN4 is above 2 ln(2) by 2.7e-9 of it, which p makes up for.
LIFTED_GAUSS = (tuple(c * 2.0**64 for c in (*GAUSS[0], 1.0)), ())
LN4 = 1.3862943649291992
BEND = 3.390000104904175
MIDDLE = 0.3100000023841858
MOMENT = (
    (
        0.0676148310303688,
        -0.032388389110565186,
        -0.14263509213924408,
        0.03166918456554413,
        0.320063054561615,
        -0.13080286979675293,
        -0.8177579641342163,
        1.6639556884765625,
        -1.6513326168060303,
        1.000880479812622,
    ),
    (),
)
# For gelu in float64: p and q of x e^(x^2 / 2) normal_cdf(-x) = x p / q below 1.75, and 1 / sqrt(2 pi) - p / q above,
# where p / q is small and with it its rounding errors
NEAR_TOP = (
    (),
    (
        8.011753509686582e-06,
        0.0002140388353093289,
        0.002621989442070232,
        0.019113644987250194,
        0.08976329634203521,
        0.2750806309671171,
        0.5166912129304538,
        0.5,
    ),
)
NEAR_BOTTOM = (
    (),
    (
        -6.345098688316506e-11,
        2.0085243740679205e-05,
        0.0005364550516046454,
        0.0065933376413642745,
        0.048437215940923824,
        0.23162568872597009,
        0.7356982882616775,
        1.5113009173012455,
        1.831266986663773,
        1.0,
    ),
)
FAR_TOP = (
    (),
    (
        -3.211126916105209e-05,
        -0.0005284586444751355,
        -0.00468704007865271,
        -0.026761261280360896,
        -0.10459763758624416,
        -0.2782514396062154,
        -0.4699228720373678,
        -0.39894269051467,
    ),
)
FAR_BOTTOM = (
    (),
    (
        8.049101522128637e-05,
        0.0013246493787786916,
        0.011990140347660603,
        0.0710544766800595,
        0.29695063564146296,
        0.8907623151567301,
        1.8974482746410737,
        2.744561166438493,
        2.4312430831797425,
        1.0,
    ),
)


@inline
def _normal_limits_single(x):
    return np.float32(15), np.float32(4), np.float32(12)


@inline
def _normal_limits_double(x):
    return 39.0, 6.0, 22.5


normal_limits = by_precision(
    _normal_limits_single, _normal_limits_double
)  # where normal_cdf(-x) is 0, where erf(x) is 1


@inline
def mills(x, square):
    """e^(x^2 / 2) normal_cdf(-x) for x >= 0 as far as normal_limits"""
    real = type(x)
    # In pairs, as a rounding error of the square moves both polynomials alike, and not their quotient.
    p = fma(x, paired_polynomial(x, square, MILLS_TOP), real(0.5))
    return p / fma(x, paired_polynomial(x, square, MILLS_BOTTOM), real(1))


@inline
def _mills_moment_double(x):
    """x mills(x)"""
    near = x < 1.75
    p = either_polynomial(x, near, NEAR_TOP, FAR_TOP) * (x if near else 1.0)
    q = either_polynomial(x, near, NEAR_BOTTOM, FAR_BOTTOM)
    return (0.0 if near else INV_SQRT_2PI) + p / q


@inline
def _gauss(x):
    """a = |x|, or where the tail ends if that is less, and w and n with e^(-a^2 / 2) = 2^n (1 + w)."""
    real = type(x)
    a, (end, _, _) = abs(x), normal_limits(x)
    a = end if a > end else a
    square = a * a
    n, whole = nearest(square, real(-0.5 * LOG2_E))
    # Without what rounding took from the square, many ulp would be lost.
    r = fma(n, real(2 * LN2_HIGH), square) + fma(n, real(2 * LN2_LOW), rest_of_product(a, a, square))
    return a, polynomial(r, GAUSS) * r, whole


@inline
def erf(x):
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x"""
    real = type(x)
    a, (_, end, _) = abs(x), normal_limits(x)
    a = end if a > end else a
    z = a * a
    n, w = exp_parts(-z, real(0))
    tail = (real(1) + w) * mills(real(SQRT_2) * a, real(2) * z)
    far = fma(real(-2) * tail, power_of_two(x, n), real(1))
    far = -far if x < real(0) else far
    return fma(x, polynomial(z, ERF_NEAR), x) if a < real(1) else far


@inline
def normal_cdf(x):
    """(1 + erf(x / sqrt(2))) / 2, without its cancellation on the left"""
    real = type(x)
    a, w, n = _gauss(x)
    y = mills(a, a * a)
    tail = shifted(fma(y, w, y), n)
    return tail if x < real(0) else real(1) - tail


@inline
def normal_pdf(x):
    """e^(-x^2 / 2) / sqrt(2 pi)"""
    real = type(x)
    _, w, n = _gauss(x)
    return shifted(fma(real(INV_SQRT_2PI), w, real(INV_SQRT_2PI)), n)


@inline
def _gelu_single(x):
    real = type(x)
    a, (end, _, _) = abs(x), normal_limits(x)
    a = end if a > end else a
    square = a * a
    n, whole = nearest(square, real(-0.5 * LOG2_E))
    r = fma(n, real(LN4), square) + rest_of_product(a, a, square)
    # 2^64 e^(-a^2 / 2), as the tail may be subnormal where the result is not
    gauss = raised(polynomial(r, LIFTED_GAUSS), whole)
    s = a / (a + real(BEND))
    tail = s * polynomial(s - real(MIDDLE), MOMENT) * gauss
    return fma(real(-(2.0**-64)), tail, real(0) if x < real(0) else x)


@inline
def _gelu_double(x):
    a, w, n = _gauss(x)
    y = _mills_moment_double(a)
    return (x if x >= 0.0 else -0.0) - shifted(fma(y, w, y), n)


@inline
def _gelu_widened(x):
    return np.float32(_gelu_double(np.float64(x)))


# x normal_cdf(x).  Where products are rounded before they are added, the polynomial would be more than 4 ulp off.
gelu = by_precision(_gelu_single if FUSED else _gelu_widened, _gelu_double)


@inline
def gelu_slope(x):
    """The derivative of gelu: normal_cdf(x) + x normal_pdf(x)."""
    real = type(x)
    a, w, n = _gauss(x)
    y = fma(real(-INV_SQRT_2PI), a, mills(a, a * a))
    tail = shifted(fma(y, w, y), n)
    return tail if x < real(0) else real(1) - tail


@inline
def _gelu_tanh_parts(x):
    """x, or where gelu_tanh is 0 if that is more; x^2; and d and m with sigmoid(2 u) = 2^m / d, u as in gelu_tanh."""
    real = type(x)
    _, _, end = normal_limits(x)
    x = -end if x < -end else x
    t = end if x > end else x
    s = t * t
    cube = real(CUBE_HIGH) * s
    # 2 u = t (slope + cube) in two parts, as e^2u has an error of as many ulp as 2 u is large
    cube_low = fma(real(CUBE_HIGH), rest_of_product(t, t, s), rest_of_product(real(CUBE_HIGH), s, cube))
    cube_low = fma(real(CUBE_LOW), s, cube_low)
    total = cube + real(SLOPE_HIGH)
    part = total - cube
    low = ((cube - (total - part)) + (real(SLOPE_HIGH) - part)) + (cube_low + real(SLOPE_LOW))
    twice = t * total
    d, m = sigmoid_parts(twice, fma(t, low, rest_of_product(t, total, twice)))
    return x, s, d, m


@inline
def gelu_tanh(x):
    """x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3)"""
    x, _, d, m = _gelu_tanh_parts(x)
    return shifted(x / d, m)


@inline
def gelu_tanh_slope(x):
    """The derivative of gelu_tanh."""
    real = type(x)
    x, s, d, m = _gelu_tanh_parts(x)
    y = shifted(real(1) / d, m)
    slope = fma(real(3 * (CUBE_HIGH + CUBE_LOW)), s, real(SLOPE_HIGH + SLOPE_LOW))
    return fma(x * slope, y * (real(1) - y), y)
