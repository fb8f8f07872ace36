"""The formulas of pointwise kernels against NumPy, over dtypes and special values."""

import math

import numpy as np
import pytest

from autograd_cnn.kernels.cpu import activation, arithmetic, elementwise, trigonometric

FAMILIES = (elementwise, activation, arithmetic, trigonometric)
FLOATS = [np.float32, np.float64]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 20.0, -20.0, 1e30, -1e30, 1e-30]
SPECIAL += [np.inf, -np.inf, np.nan]
INTEGERS = np.array([0, 1, -1, 2, -2, 3, -3, 7, -7, 100, 2**40, -(2**40)])
cdf = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float])


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def numbers(dtype, n=1000):
    random = np.random.default_rng(1).normal(0, 3, n)
    return np.concatenate([SPECIAL, random]).astype(dtype)


def pairs(dtype):
    """Every special value with every other, and random pairs."""
    values = INTEGERS if dtype is np.int64 else np.array(SPECIAL)
    x, y = (grid.ravel() for grid in np.meshgrid(values, values))
    random = np.random.default_rng(2).normal(0, 30, (2, 1000))
    return np.concatenate([x, random[0]]).astype(dtype), np.concatenate([y, random[1]]).astype(dtype)


def check(out, expected, dtype):
    tolerance = {np.float32: 2e-6, np.float64: 1e-13}.get(dtype, 0)
    with np.errstate(all="ignore"):
        expected = np.asarray(expected).astype(out.dtype)
    tiny = np.finfo(dtype).tiny if tolerance else 0
    np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tiny)


UNARY = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": lambda x: np.where(np.isnan(x), 0, np.sign(x)),
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "square": np.square,
    "cube": lambda x: x * x * x,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "trunc": np.trunc,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: np.where(x == -np.inf, 0, x * cdf(x)),  # the limit
}
TESTS = {
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "logical_not": np.logical_not,
}
BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "atan2": np.arctan2,
}
BINARY_TESTS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}


def kernel(name):
    return next(getattr(family, name) for family in FAMILIES if hasattr(family, name))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    x = numbers(dtype)
    out = np.empty_like(x)
    kernel(name)(x, out)
    with np.errstate(all="ignore"):
        expected = UNARY[name](x.astype(np.float64))
    check(out, expected, dtype)


@pytest.mark.parametrize("name", ["neg", "abs", "sign", "square", "cube", "relu"])
def test_unary_of_integers(name):
    out = np.empty_like(INTEGERS)
    kernel(name)(INTEGERS, out)
    check(out, UNARY[name](INTEGERS), np.int64)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", TESTS)
def test_unary_test(name, dtype):
    x = numbers(dtype)
    out = np.empty(x.shape, bool)
    kernel(name)(x, out)
    np.testing.assert_array_equal(out, TESTS[name](x))


@pytest.mark.parametrize("dtype", FLOATS)
def test_signed_zero_is_kept(dtype):
    zero = np.array([-0.0], dtype)
    for name in ["expm1", "log1p", "tanh", "erf", "sin", "tan", "sqrt", "floor", "round", "trunc"]:
        out = np.ones_like(zero)
        kernel(name)(zero, out)
        assert out[0] == 0, name
        assert np.signbit(out[0]), name
    elementwise.abs(zero, out)
    assert not np.signbit(out[0])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    x, y = pairs(dtype)
    out = np.empty_like(x)
    kernel(name)(x, y, out)
    with np.errstate(all="ignore"):
        # The other two are exact in their own precision and jump where a float64 quotient would not.
        exact = name in ("floor_divide", "remainder")
        expected = BINARY[name](x, y) if exact else BINARY[name](x.astype(np.float64), y.astype(np.float64))
    check(out, expected, dtype)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "maximum", "minimum", "floor_divide", "remainder"])
def test_binary_of_integers(name):
    x, y = pairs(np.int64)
    out = np.empty_like(x)
    kernel(name)(x, y, out)
    with np.errstate(all="ignore"):
        expected = BINARY[name](x, y)
    np.testing.assert_array_equal(out, expected)


def test_integer_division_does_not_trap():
    least = np.iinfo(np.int64).min
    x, y = np.array([least, 5, least]), np.array([-1, 0, 0])
    out = np.empty_like(x)
    arithmetic.floor_divide(x, y, out)
    np.testing.assert_array_equal(out, [least, 0, 0])
    arithmetic.remainder(x, y, out)
    np.testing.assert_array_equal(out, [0, 0, 0])


def test_power_of_integers():
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(-4, 5), np.arange(8)))
    out = np.empty_like(x)
    elementwise.pow(x, y, out)
    np.testing.assert_array_equal(out, x**y)
    base = np.array([1, -1, -1, 2, -3, 0])
    out = np.empty_like(base)
    elementwise.pow(base, np.array([-2, -2, -3, -1, -2, -1]), out)
    np.testing.assert_array_equal(out, [1, 1, -1, 0, 0, 0])


@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, -0.5, -1.0, 1.0, 0.0, 1.7])
@pytest.mark.parametrize("dtype", FLOATS)
def test_power_with_one_exponent(exponent, dtype):
    x = np.linspace(0.01, 9, 100).astype(dtype)
    out = np.empty_like(x)
    elementwise.pow(x, np.array(exponent, dtype), out)
    check(out, x.astype(np.float64) ** np.float64(dtype(exponent)), dtype)


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
@pytest.mark.parametrize("name", BINARY_TESTS)
def test_binary_test(name, dtype):
    x, y = pairs(dtype)
    out = np.empty(x.shape, bool)
    kernel(name)(x, y, out)
    np.testing.assert_array_equal(out, BINARY_TESTS[name](x, y))


@pytest.mark.parametrize("name", ["eq", "ne", "logical_and", "logical_or", "logical_xor"])
def test_binary_test_of_bools(name):
    x, y = np.array([True, True, False, False]), np.array([True, False, True, False])
    out = np.empty(4, bool)
    kernel(name)(x, y, out)
    np.testing.assert_array_equal(out, BINARY_TESTS[name](x, y))


@pytest.mark.parametrize("dtype", FLOATS)
def test_activations_with_parameters(dtype):
    x = numbers(dtype)
    wide = x.astype(np.float64)
    out = np.empty_like(x)
    with np.errstate(all="ignore"):
        activation.leaky_relu(x, 0.1, out)
        check(out, np.where(wide > 0, wide, wide * dtype(0.1)), dtype)
        activation.elu(x, 1.5, out)
        check(out, np.where(wide > 0, wide, 1.5 * np.expm1(wide)), dtype)
        activation.softplus(x, 2.0, 20.0, out)
        check(out, np.where(2 * wide > 20, wide, np.logaddexp(0, 2 * wide) / 2), dtype)
        activation.gelu_tanh(x, out)
        expected = np.where(wide == -np.inf, 0, gelu_tanh(wide))
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6 if dtype is np.float32 else 1e-13)


@pytest.mark.parametrize("low", [-np.inf, -1.0, 2.0])
@pytest.mark.parametrize("high", [np.inf, 1.0, -3.0])
@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
def test_clamp(low, high, dtype):
    x = INTEGERS if dtype is np.int64 else numbers(dtype)
    out = np.empty_like(x)
    elementwise.clamp(x, low, high, out)
    np.testing.assert_array_equal(out, np.minimum(np.maximum(x, low), high).astype(dtype))
    elementwise.clamp_grad(np.full_like(x, 3), x, low, high, out)
    np.testing.assert_array_equal(out, np.where((x >= low) & (x <= high), 3, 0))


def derivative(f, x):
    step = 1e-5
    return (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * step)


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_are_the_derivatives(dtype):
    x = np.random.default_rng(3).normal(0, 2, 1000).astype(dtype)
    x = x[np.abs(x) > 1e-3]  # the kinks have tests of their own
    g = np.random.default_rng(4).normal(0, 1, x.size).astype(dtype)
    wide = x.astype(np.float64)
    tanh, relu, logistic = (f(wide).astype(dtype) for f in (np.tanh, UNARY["relu"], sigmoid))
    cases = [
        (activation.tanh_grad, (tanh,), np.tanh),
        (activation.sigmoid_grad, (logistic,), sigmoid),
        (activation.relu_grad, (relu,), UNARY["relu"]),
        (activation.leaky_relu_grad, (x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
        (activation.elu_grad, (x, 1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(x))),
        (activation.gelu_grad, (x,), lambda x: x * cdf(x)),
        (activation.gelu_tanh_grad, (x,), gelu_tanh),
        (activation.softplus_grad, (x, 2.0, 20.0), lambda x: np.logaddexp(0, 2 * x) / 2),
    ]
    for grad, arguments, f in cases:
        out = np.empty_like(x)
        grad(g, *arguments, out)
        tolerance = 2e-6 if dtype is np.float32 else 1e-9
        np.testing.assert_allclose(out, g * derivative(f, wide), tolerance, tolerance, err_msg=grad.__name__)


def test_gradients_at_the_kinks():
    g, zero, out = np.array([3.0]), np.array([0.0]), np.empty(1)
    for grad, arguments, expected in [
        (activation.relu_grad, (), 0.0),
        (activation.leaky_relu_grad, (0.5,), 1.5),
        (activation.elu_grad, (2.0,), 6.0),
    ]:
        grad(g, zero, *arguments, out)
        assert out[0] == expected, grad.__name__


def test_nan_stays_where_it_can_matter():
    nan, one, out = np.array([np.nan]), np.array([1.0]), np.empty(1)
    for x, y in [(nan, one), (one, nan)]:
        for name in ("maximum", "minimum"):
            kernel(name)(x, y, out)
            assert np.isnan(out[0]), name
    activation.relu(nan, out)
    assert np.isnan(out[0])
