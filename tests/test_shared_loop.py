"""Pointwise kernels that share one parallel loop: accuracy in units in the last place, layouts, broadcasting."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from test_vectormath import arguments, elementwise, ulps

from autograd_cnn.kernels import cpu as kernels
from autograd_cnn.kernels.cpu.jit import GRAIN

FLOATS = [np.float32, np.float64]

# name: reference, ulp in float32, ulp in float64
FUNCTIONS: dict[str, tuple[Callable, float, float]] = {
    "asin": (np.arcsin, 3, 3),
    "acos": (np.arccos, 2, 2),
    "atan": (np.arctan, 3, 3),
    "sinh": (np.sinh, 3, 3),
    "cosh": (np.cosh, 3, 3),
    "asinh": (np.arcsinh, 3, 3),
    "acosh": (np.arccosh, 3, 3),
    "atanh": (np.arctanh, 3, 3),
    "exp2": (np.exp2, 1.5, 1.5),
    "log2": (np.log2, 2, 2),
    "log10": (np.log10, 2, 2),
}


def places(dtype: type) -> np.ndarray:
    """Those of every vector function, and more of the domains between -1 and 3."""
    random = np.random.default_rng(3)
    near = [random.uniform(-1, 1, 50_000), random.uniform(1, 3, 50_000), [1, -1, 0.5, -0.5, 0.0, -0.0]]
    special = [np.inf, -np.inf, np.nan]
    return np.concatenate([arguments(dtype), *(np.array(part, dtype) for part in [*near, special])])


def applied(name: str, x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    getattr(kernels, name)(x, out)
    return out


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision(name: str) -> None:
    reference, bound, _ = FUNCTIONS[name]
    x = places(np.float32)
    errors = ulps(applied(name, x), reference(x.astype(np.float64)))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= bound, f"{name}({x[worst]})"


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long double is no wider than double here")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_double_precision(name: str) -> None:
    reference, _, bound = FUNCTIONS[name]
    x = places(np.float64)
    errors = ulps(applied(name, x), reference(x.astype(np.longdouble)))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= bound, f"{name}({x[worst]})"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 5), (np.float64, 7)])
def test_complement_of_the_error_function(dtype: type, bound: float) -> None:
    x = places(dtype)
    errors = ulps(applied("erfc", x), elementwise(math.erfc)(x.astype(np.float64)))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= bound, f"erfc({x[worst]})"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["asin", "atan", "sinh", "asinh", "atanh"])
def test_signed_zero_is_kept(name: str, dtype: type) -> None:
    zeros = applied(name, np.array([0.0, -0.0], dtype))
    assert not zeros.any()
    assert np.signbit(zeros).tolist() == [False, True]


@pytest.mark.parametrize("dtype", FLOATS)
def test_logarithms_of_powers_are_whole(dtype: type) -> None:
    exponents = np.arange(-30, 31)
    tens = np.array([10.0**n for n in exponents]).astype(dtype)
    np.testing.assert_array_equal(applied("log10", tens), exponents)
    np.testing.assert_array_equal(applied("log2", (2.0**exponents).astype(dtype)), exponents)
    np.testing.assert_array_equal(applied("exp2", exponents.astype(dtype)), 2.0**exponents)


@pytest.mark.parametrize("dtype", FLOATS)
def test_lengths_far_from_1(dtype: type) -> None:
    limits = np.finfo(dtype)
    x = np.array([limits.max / 2, limits.tiny, 0, 3, np.inf, np.nan, 1e-30], dtype)
    y = np.array([limits.max / 2, limits.tiny, 0, 4, np.nan, 1, 1e-20], dtype)
    out = np.empty_like(x)
    kernels.hypot(x, y, out)
    np.testing.assert_allclose(out, np.hypot(x, y), rtol=4 * limits.eps)


SHAPES = [
    ((), ()),
    ((5,), ()),
    ((), (5,)),
    ((0,), (1,)),
    ((3, 4), (4,)),
    ((4,), (3, 1)),
    ((200, 300), (300,)),
    ((2, 1, 2), (3, 1)),
]


@pytest.mark.parametrize(("x_shape", "y_shape"), SHAPES)
def test_broadcasting(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    x, y = random.normal(size=x_shape), random.normal(size=y_shape)
    shape = np.broadcast_shapes(x_shape, y_shape)
    out = np.full(shape, 7.0)
    kernels.fmax(x, y, out)
    np.testing.assert_array_equal(out, np.fmax(x, y))
    kernels.addcmul(x, y, x, 2, out)
    np.testing.assert_array_equal(out, x + 2 * y * x)
    close = np.empty(shape, bool)
    kernels.isclose(x, y, 0.5, 0.1, True, close)
    np.testing.assert_array_equal(close, np.isclose(x, y, 0.5, 0.1, True))


@pytest.mark.parametrize("size", [40, 2 * GRAIN + 3])
def test_layouts(size: int) -> None:
    whole = np.random.default_rng(6).normal(size=2 * size)
    frozen = whole[:size].copy()
    frozen.flags.writeable = False
    shifted = np.frombuffer(b"-" + whole[:size].tobytes(), np.uint8)[1:].view(np.float64)
    assert not shifted.flags.aligned
    for x in (whole[:size], whole[::2], whole[size:][::-1], frozen, shifted):
        np.testing.assert_allclose(applied("atan", x), np.arctan(x), rtol=1e-15)
    x = whole[:size].copy()
    kernels.atan(x, x)  # a result may take the place of its input
    np.testing.assert_array_equal(x, applied("atan", whole[:size]))


def test_whole_numbers_that_trap_when_divided() -> None:
    least = np.iinfo(np.int64).min
    x, y = np.array([least, 5, least, -7, 7, -7]), np.array([-1, 0, 0, 4, -4, -4])
    out = np.empty_like(x)
    kernels.fmod(x, y, out)
    np.testing.assert_array_equal(out, [0, 0, 0, -3, 3, -3])


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, np.inf, -np.inf, np.nan, 1e-30, 1e30]


def pairs(dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Special numbers with each other, and random ones of all quotients."""
    limits, random = np.finfo(dtype), np.random.default_rng(7)
    special = [*SPECIAL, limits.max, -limits.max, limits.tiny, limits.smallest_subnormal]
    x, y = (grid.ravel() for grid in np.meshgrid(np.array(special, dtype), np.array(special, dtype)))
    left = random.normal(0, 1, 100_000) * 10.0 ** random.integers(-3, 9, 100_000)
    right = random.normal(0, 1, 100_000)
    whole = random.integers(-50, 50, (2, 20_000))
    return tuple(np.concatenate([a, b, c]).astype(dtype) for a, b, c in ((x, left, whole[0]), (y, right, whole[1])))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "reference"), [("fmod", np.fmod), ("remainder", np.remainder)])
def test_remainders_are_exact(name: str, reference: Callable, dtype: type) -> None:
    x, y = pairs(dtype)
    out, plain = np.empty_like(x), slice(len(SPECIAL) ** 2 * 2, None)
    for part in (slice(None), plain):  # with special numbers among them, which take another way, and without
        getattr(kernels, name)(x[part], y[part], out[part])
        np.testing.assert_array_equal(out[part], reference(x[part], y[part]))
        if name == "fmod":
            np.testing.assert_array_equal(np.signbit(out[part]), np.signbit(reference(x[part], y[part])))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", FLOATS)
def test_angles_of_points(dtype: type) -> None:
    y, x = pairs(dtype)
    out = np.empty_like(x)
    kernels.atan2(y, x, out)
    exact = np.arctan2(y.astype(np.longdouble), x.astype(np.longdouble))
    # Of subnormal quotients digits are lost before the angle is taken.
    errors = np.where(np.abs(exact) < np.finfo(dtype).tiny, 0, ulps(out, exact))
    worst = np.argmax(np.nan_to_num(errors, nan=np.inf))
    assert errors[worst] <= 4, f"atan2({y[worst]}, {x[worst]})"
    np.testing.assert_array_equal(np.signbit(out[~np.isnan(out)]), np.signbit(exact[~np.isnan(exact)]))
