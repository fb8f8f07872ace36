"""Reductions against NumPy in float64."""

import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels import cpu as kernels

SHAPES_AND_DIMS = [
    ((), ()),
    ((1,), (0,)),
    ((64,), (0,)),
    ((1000,), (0,)),
    ((3, 5), ()),
    ((3, 5), (0,)),
    ((3, 5), (1,)),
    ((3, 5), (0, 1)),
    ((2, 3, 4, 5), (0, 2)),
    ((2, 3, 4, 5), (1, 3)),
    ((2, 3, 4, 5), (1, 2)),
    ((4, 3, 7, 6), (0, 2, 3)),
    ((2, 700, 3), (1,)),
    ((3, 2, 1100), (1,)),
    ((300001,), (0,)),
    ((90000, 3), (0,)),
    ((2, 70001), (1,)),
    ((70, 1050), (0,)),
    ((9, 3), (1,)),
    ((19, 37), (1,)),
    ((3000, 21), (1,)),
    ((3, 0), (1,)),
    ((12, 0), (1,)),
    ((0, 3), (1,)),
    ((0,), (0,)),
]
REFERENCES = {"sum": np.sum, "prod": np.prod, "amax": np.max, "amin": np.min, "any": np.any, "all": np.all}
REDUCTIONS = [  # the extreme of nothing is rejected before the kernel
    (name, *case) for name in REFERENCES for case in SHAPES_AND_DIMS if not (name in ("amax", "amin") and 0 in case[0])
]


def sample(shape, dtype, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return values > 0 if dtype is bool else (values * (100 if dtype == np.int64 else 1)).astype(dtype)


def run(name, x, dims):
    kept = [size for d, size in enumerate(x.shape) if d not in dims]
    dtype = bool if name in ("any", "all") else np.int64 if x.dtype == bool and name in ("sum", "prod") else x.dtype
    out = np.empty(kept, dtype)
    getattr(kernels, name)(x, dims, out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
@pytest.mark.parametrize(("name", "shape", "dims"), REDUCTIONS)
def test_reduction_matches_numpy(name, shape, dims, dtype):
    x = sample(shape, dtype)
    if name == "prod" and dtype is not bool:
        x = np.exp(x / 100).astype(dtype) if dtype != np.int64 else x % 3 - 1
    want = REFERENCES[name](x.astype(np.float64) if x.dtype == np.float32 else x, axis=dims)
    np.testing.assert_allclose(run(name, x, dims), want, rtol=1e-6 if dtype == np.float32 else 1e-12, atol=1e-11)


@pytest.mark.parametrize("name", ["sum", "amax", "amin"])
@pytest.mark.parametrize(("shape", "dims"), [((5, 200), (1,)), ((200, 5), (0,)), ((3, 4), (1,)), ((70000,), (0,))])
def test_nan_and_inf(name, shape, dims):
    for value in (np.nan, np.inf, -np.inf):
        x = sample(shape, np.float32)
        x.flat[x.size // 2] = value
        np.testing.assert_array_equal(np.isnan(run(name, x, dims)), np.isnan(REFERENCES[name](x, axis=dims)))
        np.testing.assert_array_equal(np.isinf(run(name, x, dims)), np.isinf(REFERENCES[name](x, axis=dims)))


def test_any_and_all_see_nan_and_fractions_as_true():
    x = np.array([[0.0, np.nan], [0.0, 0.25], [0.0, 0.0], [1.0, -np.inf]], np.float32)
    np.testing.assert_array_equal(run("any", x, (1,)), [True, True, False, True])
    np.testing.assert_array_equal(run("all", x, (1,)), [False, False, False, True])


def test_float32_is_summed_in_float64():
    x = np.full(1 << 20, 0.1, np.float32)
    assert run("sum", x, (0,)) == np.float32(x.astype(np.float64).sum())


def test_int64_sum_is_exact():
    x = np.array([2**62, 1, -(2**62), 2**53 + 1])
    assert run("sum", x, (0,)) == 2**53 + 2


LINES = [  # shape, dim
    ((), None),
    ((), 0),
    ((1,), 0),
    ((300,), 0),
    ((4, 5), 0),
    ((4, 5), 1),
    ((4, 5), None),
    ((2, 30, 7), 1),
    ((3, 2, 1100), 1),
    ((200_001,), None),
    ((90_000, 3), 0),
    ((2, 0), 0),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("shape", "dim"), LINES)
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_place_of_the_extreme_matches_numpy(name, shape, dim, dtype):
    x = sample(shape, dtype).round(1)  # rounding makes ties
    got = np.empty(() if dim is None or x.ndim == 0 else np.delete(shape, dim), np.int64)
    for nans in (0, 3):
        if nans and dtype is not np.int64 and x.size > 20:
            x.flat[np.random.default_rng(1).integers(0, x.size, nans)] = np.nan
        getattr(kernels, name)(x, dim, got)
        np.testing.assert_array_equal(got, getattr(np, name)(x, axis=dim))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("shape", "dim"), [case for case in LINES if case[1] is not None])
def test_running_sums_and_products_match_numpy(shape, dim, dtype):
    x = sample(shape, dtype)
    wide = x.astype(np.float64) if dtype is np.float32 else x
    axis = dim if x.ndim else None
    out, rtol = np.empty_like(x), 1e-6 if dtype is np.float32 else 1e-11
    kernels.cumsum(x, dim, out)
    np.testing.assert_allclose(out, np.cumsum(wide, axis).reshape(shape), rtol=rtol, atol=1e-9)
    factors = (x % 3 - 1) if dtype is np.int64 else np.exp(x / 1000)
    kernels.cumprod(factors, dim, out)
    wide = factors.astype(wide.dtype)
    np.testing.assert_allclose(out, np.cumprod(wide, axis).reshape(shape), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("correction", [0, 1, 3])
@pytest.mark.parametrize(("shape", "dims"), [case for case in SHAPES_AND_DIMS if case[0]])
def test_variance(shape, dims, correction, dtype):
    x = sample(shape, dtype) + 100
    out = np.empty([size for d, size in enumerate(shape) if d not in dims], dtype)
    kernels.var(x, dims, correction, out)
    count = np.prod([shape[d] for d in dims], dtype=int)
    if count <= correction:
        assert np.isnan(out).all()
    else:
        want = x.astype(np.float64).var(dims, ddof=correction)
        np.testing.assert_allclose(out, want, rtol=1e-6 if dtype is np.float32 else 1e-11, atol=1e-11)


@pytest.mark.parametrize("name", REFERENCES)
def test_non_contiguous_inputs(name):
    x = sample((6, 7, 8), np.float64).transpose(2, 0, 1)[::2]
    np.testing.assert_allclose(run(name, x, (0, 2)), REFERENCES[name](x, axis=(0, 2)), rtol=1e-12)


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for shape, dims in (
            *[((3, 5), (1,)), ((5, 130), (1,)), ((70_001,), (0,)), ((9, 3), (0,)), ((6, 150), (0,))],
            *[((9, 3), (1,)), ((16, 8), (1,)), ((11, 37), (1,))],
        ):
            x = guarded(sample(shape, np.float32), side)
            kept = [size for d, size in enumerate(shape) if d not in dims]
            out, places = Canaries(tuple(kept), np.float32), Canaries(tuple(kept), np.int64)
            for name in ("sum", "amax", "amin"):
                getattr(kernels, name)(x, dims, out.out)
            kernels.var(x, dims, 1, out.out)
            kernels.argmax(x, dims[0], places.out)
            assert out.alive()
            assert places.alive()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_of_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_reduce_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr


@pytest.mark.parametrize(
    ("shape", "dims"), [((400_001,), (0,)), ((90_000, 7), (0,)), ((20_001, 29), (1,)), ((8, 6, 90, 90), (0, 2, 3))]
)
def test_same_bits_for_every_thread_count(shape, dims, same_bits):
    x = sample(shape, np.float32)

    def compute():
        arrays = [run(name, x, dims) for name in ("sum", "prod", "amax")]
        arrays.append(np.empty_like(arrays[0]))
        kernels.var(x, dims, 1, arrays[-1])
        place, running = np.empty((), np.int64), np.empty_like(x)
        kernels.argmax(x, None, place)
        kernels.cumsum(x, 0, running)
        return *arrays, place, running

    same_bits(compute)
