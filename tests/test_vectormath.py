"""Accuracy of the scalar functions, in units in the last place, over the whole range of their arguments."""

import math

import numpy as np
import pytest

from autograd_cnn.kernels import cpu as kernels
from autograd_cnn.kernels.cpu import gaussian, vectormath
from autograd_cnn.kernels.cpu.pointwise import binary, unary

FLOATS = [np.float32, np.float64]
SAMPLES = 100_000


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def gelu_tanh(x):
    # As wide as x: the digits that float64 takes from the constants are hundreds of ulp at x = -20.
    pi, cube = x.dtype.type("3.14159265358979323846264338"), x.dtype.type("0.044715")
    return np.where(x < -50, -0.0, x * sigmoid(2 * np.sqrt(2 / pi) * (x + cube * x**3)))


def elementwise(f):
    return np.vectorize(f, otypes=[np.float64])


# name: reference, ulp in float32, ulp in float64
FUNCTIONS = {
    "exp": (np.exp, 1, 1.5),
    "expm1": (np.expm1, 2, 2),
    "log": (np.log, 1, 1),
    "log1p": (np.log1p, 2, 2),
    "tanh": (np.tanh, 3, 3),
    "sigmoid": (sigmoid, 2, 2),
    "gelu_tanh": (gelu_tanh, 4, 2.5),
    "sin": (np.sin, 1, 2),
    "cos": (np.cos, 1, 2),
    "tan": (np.tan, 2, 3.5),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 2, 2),
    "sqrt": (np.sqrt, 0.5, 0.5),
}
SINGLE_FUNCTIONS = {
    "erf": (elementwise(math.erf), 2, None),
    "normal_cdf": (elementwise(lambda x: 0.5 * math.erfc(-x / math.sqrt(2))), 6, None),
    "gelu": (elementwise(lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)) if not x < -50 else -0.0), 4, None),
}


def run(name, x):
    """By the elementwise kernel, where the function has one."""
    out = np.empty_like(x)
    (getattr(kernels, name, None) or unary(getattr(gaussian if hasattr(gaussian, name) else vectormath, name)))(x, out)
    return out


def arguments(dtype):
    """Random bit patterns (every magnitude, NaN), usual magnitudes, and both sides of thresholds."""
    random = np.random.default_rng(10)
    bits = np.uint32 if dtype is np.float32 else np.uint64
    patterns = random.integers(0, np.iinfo(bits).max, SAMPLES, dtype=bits).view(dtype)
    usual = [
        random.normal(0, 1, SAMPLES),
        random.uniform(-20, 20, SAMPLES),
        random.uniform(-750, 750, SAMPLES),
    ]
    limits = np.finfo(dtype)
    edges = [math.log(limits.max), math.log(limits.tiny), math.log(limits.smallest_subnormal), 89, 104, 746]
    edges += [math.log(2) / 2, math.log(2), math.sqrt(0.5), math.sqrt(2), 1, 2, limits.tiny, limits.max]
    edges = np.array([*edges, limits.eps, limits.smallest_subnormal, 1e-18, 10, 15, 20, 40], dtype)
    edges = np.concatenate([edges, np.nextafter(edges, dtype(np.inf)), np.nextafter(edges, dtype(-np.inf))])
    return np.concatenate([patterns, *(u.astype(dtype) for u in usual), edges, -edges])


def ulps(out, exact):
    """The error in units of the last place of the exact result, and 0 where both are the same inf or NaN."""
    rounded = exact.astype(out.dtype)
    unit = np.spacing(np.maximum(np.abs(rounded), np.finfo(out.dtype).tiny)).astype(exact.dtype)
    errors = np.abs(out.astype(exact.dtype) - exact) / unit
    return np.where((out == rounded) | (np.isnan(out) & np.isnan(exact)), 0, errors)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [*FUNCTIONS, *SINGLE_FUNCTIONS])
def test_single_precision(name):
    reference, bound, _ = (FUNCTIONS | SINGLE_FUNCTIONS)[name]
    x = arguments(np.float32)
    errors = ulps(run(name, x), reference(x.astype(np.float64)))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= bound, f"{name}({x[worst]})"


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long double is no wider than double here")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [name for name, (*_, bound) in FUNCTIONS.items() if bound])
def test_double_precision(name):
    reference, _, bound = FUNCTIONS[name]
    x = arguments(np.float64)
    errors = ulps(run(name, x), reference(x.astype(np.longdouble)))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= bound, f"{name}({x[worst]})"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("exp", [0.0, -0.0, np.inf, -np.inf, np.nan], [1, 1, np.inf, 0, np.nan]),
        ("expm1", [0.0, -0.0, np.inf, -np.inf, np.nan], [0, -0.0, np.inf, -1, np.nan]),
        (
            "log",
            [1.0, 0.0, -0.0, -1.0, np.inf, -np.inf, np.nan],
            [0, -np.inf, -np.inf, np.nan, np.inf, np.nan, np.nan],
        ),
        ("log1p", [0.0, -0.0, -1.0, -2.0, np.inf, np.nan], [0, -0.0, -np.inf, np.nan, np.inf, np.nan]),
        ("tanh", [0.0, -0.0, np.inf, -np.inf, np.nan], [0, -0.0, 1, -1, np.nan]),
        ("sigmoid", [0.0, -0.0, np.inf, -np.inf, np.nan], [0.5, 0.5, 1, 0, np.nan]),
        ("erf", [0.0, -0.0, np.inf, -np.inf, np.nan], [0, -0.0, 1, -1, np.nan]),
        ("normal_cdf", [0.0, -0.0, np.inf, -np.inf, np.nan], [0.5, 0.5, 1, 0, np.nan]),
        ("normal_pdf", [np.inf, -np.inf, np.nan], [0, 0, np.nan]),
        ("sin", [0.0, -0.0, np.inf, np.nan], [0, -0.0, np.nan, np.nan]),
        ("cos", [0.0, -0.0, np.inf, np.nan], [1, 1, np.nan, np.nan]),
    ],
)
def test_special_values(name, at, value, dtype):
    out = run(name, np.array(at, dtype))
    np.testing.assert_array_equal(out, np.array(value, dtype))
    finite = ~np.isnan(out)
    np.testing.assert_array_equal(np.signbit(out[finite]), np.signbit(np.array(value)[finite]))


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_at_the_thresholds(dtype):
    limits = np.finfo(dtype)
    overflow = dtype(math.log(limits.max))
    x = np.array([np.nextafter(overflow, dtype(0)), overflow + 1, math.log(limits.smallest_subnormal) - 1], dtype)
    finite, infinite, zero = run("exp", x)
    assert np.isfinite(finite)
    assert infinite == np.inf
    assert zero == 0
    # The smallest result that is not zero is subnormal: nothing is flushed.
    assert run("exp", np.array([math.log(limits.smallest_subnormal) + 0.1], dtype))[0] == limits.smallest_subnormal


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_normal_density(dtype):
    x = np.linspace(-12, 12, 10001).astype(dtype)
    exact = np.exp(-0.5 * x.astype(np.float64) ** 2) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(run("normal_pdf", x), exact, rtol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("name", "rtol"), [("erf", 4.5e-16), ("normal_cdf", 1e-12), ("gelu", 1e-12)])
def test_normal_distribution_in_double_precision(name, rtol):
    x = np.linspace(-37, 9, 10001)
    np.testing.assert_allclose(run(name, x), SINGLE_FUNCTIONS[name][0](x), rtol=rtol, atol=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_power_in_single_precision():
    random = np.random.default_rng(11)
    special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        1e38,
        -1e38,
        1e-40,
        np.inf,
        -np.inf,
        np.nan,
    ]
    x, y = (grid.ravel() for grid in np.meshgrid(special, special))
    x = np.concatenate([x, random.lognormal(0, 5, SAMPLES), -random.lognormal(0, 2, SAMPLES)]).astype(np.float32)
    y = np.concatenate([y, random.normal(0, 8, SAMPLES), random.integers(-20, 20, SAMPLES)]).astype(np.float32)
    out = np.empty_like(x)
    binary(vectormath.pow_single)(x, y, out)
    exact = np.power(x.astype(np.float64), y.astype(np.float64))
    errors = ulps(out, exact)
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= 0.51, f"{x[worst]} ** {y[worst]}"
    small = np.abs(exact) < 1e300  # where the reference itself overflows, signs are compared above
    np.testing.assert_array_equal(np.signbit(out[small]), np.signbit(exact[small]))


def test_the_python_functions_are_the_formulas_of_each_precision():
    for name in ("exponent_and_mantissa", "exp_limits"):
        for dtype in FLOATS:
            values = np.atleast_1d(getattr(gaussian if hasattr(gaussian, name) else vectormath, name)(dtype(0.25)))
            assert values.dtype == dtype, name
