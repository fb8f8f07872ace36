"""Pooling kernels against slow readable references, and against PyTorch where it is installed."""

import itertools

import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels.cpu import avg_pool, pool

CASES = [  # shape, kernel, stride, padding, dilation, ceil_mode
    ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((1, 2, 7, 9), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((2, 1, 7, 5), (3, 2), (2, 1), (1, 1), (1, 1), False),
    ((2, 3, 10, 11), (3, 3), (2, 2), (1, 1), (1, 1), True),
    ((1, 1, 12, 9), (3, 2), (1, 2), (1, 0), (2, 3), False),
    ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0), (1, 1), False),
    ((1, 2, 6, 6), (2, 3), (4, 4), (0, 1), (1, 1), True),
    ((2, 1, 17, 50), (5, 4), (3, 3), (2, 1), (1, 1), False),
    ((1, 2, 9, 40), (3, 3), (2, 4), (1, 1), (1, 2), True),
    ((2, 2, 9, 70), (6, 7), (1, 2), (3, 3), (1, 1), False),
    ((2, 2, 9, 75), (3, 3), (2, 2), (0, 0), (1, 1), True),
    ((3, 2, 64, 66), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((3, 4, 64, 66), (3, 3), (1, 1), (1, 1), (1, 1), False),
    ((0, 3, 4, 4), (2, 2), (2, 2), (0, 0), (1, 1), False),
]
AVERAGE_CASES = [case for case in CASES if case[4] == (1, 1)]


def out_size(size, kernel, stride, padding, dilation, ceil_mode):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    windows = (room + stride - 1 if ceil_mode else room) // stride + 1
    return windows - (ceil_mode and (windows - 1) * stride >= size + padding)


def out_shape(case):
    shape, kernel, stride, padding, dilation, ceil_mode = case
    return shape[:2] + tuple(
        out_size(shape[2 + d], kernel[d], stride[d], padding[d], dilation[d], ceil_mode) for d in range(2)
    )


def cells(case, i, j):
    """The places (y, z) of window (i, j) that lie inside the image."""
    shape, kernel, stride, padding, dilation, _ = case
    rows = [i * stride[0] - padding[0] + k * dilation[0] for k in range(kernel[0])]
    columns = [j * stride[1] - padding[1] + k * dilation[1] for k in range(kernel[1])]
    return [(y, z) for y in rows if 0 <= y < shape[2] for z in columns if 0 <= z < shape[3]]


def max_pool(x, case):
    out, places, indices = (np.empty(out_shape(case), dtype) for dtype in (x.dtype, np.uint8, np.int64))
    pool.max_pool2d(x, *case[1:5], out, places)
    pool.max_pool2d_indices(places, x.shape[2:], *case[1:5], indices)
    return out, places, indices


def sample(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_max_pool_matches_the_definition(case, dtype):
    x = sample(case[0], dtype).round(1)  # rounding makes ties
    out, _, indices = max_pool(x, case)
    for n, c, i, j in np.ndindex(out.shape):
        first = max(cells(case, i, j), key=lambda cell, plane=x[n, c]: plane[cell])
        assert out[n, c, i, j] == x[n, c][first]
        assert indices[n, c, i, j] == first[0] * x.shape[3] + first[1]


@pytest.mark.parametrize("case", [case for case in CASES if case[0][0]])
def test_max_pool_matches_torch_with_special_values(case):
    torch = pytest.importorskip("torch")
    x = sample(case[0], np.float32, seed=1).round(1)
    rng = np.random.default_rng(2)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.3] = -np.inf
    x[rng.random(x.shape) < 0.1] = np.inf
    out, _, indices = max_pool(x, case)
    want, where = torch.nn.functional.max_pool2d(torch.tensor(x), *case[1:6], return_indices=True)
    np.testing.assert_array_equal(out, want.numpy())
    np.testing.assert_array_equal(indices, where.numpy())


@pytest.mark.parametrize("case", CASES)
def test_gradient_and_reading_are_adjoint(case):
    x = sample(case[0], np.float64)
    out, places, indices = max_pool(x, case)
    g, v = sample(out.shape, np.float64, 3), sample(x.shape, np.float64, 4)
    spread, picked = np.full(x.shape, np.nan), np.full(out.shape, np.nan)
    pool.max_pool2d_grad(g, places, *case[1:5], spread)
    pool.max_pool2d_take(v, places, *case[1:5], picked)
    want = np.zeros((*x.shape[:2], x.shape[2] * x.shape[3]))
    for n, c in np.ndindex(x.shape[:2]):
        np.add.at(want[n, c], indices[n, c].ravel(), g[n, c].ravel())
        np.testing.assert_array_equal(picked[n, c].ravel(), v[n, c].ravel()[indices[n, c].ravel()])
    np.testing.assert_allclose(spread, want.reshape(x.shape), rtol=1e-14)


@pytest.mark.parametrize("include_pad", [True, False])
@pytest.mark.parametrize("divisor", [0, 3])
@pytest.mark.parametrize("case", AVERAGE_CASES)
def test_avg_pool_matches_the_definition(case, include_pad, divisor):
    shape, kernel, stride, padding, _, _ = case
    x = sample(shape, np.float64)
    out = np.full(out_shape(case), np.nan)
    avg_pool.avg_pool2d(x, kernel, stride, padding, include_pad, divisor, out)
    g, back = sample(out.shape, np.float64, 5), np.full(shape, np.nan)
    avg_pool.avg_pool2d_grad(g, kernel, stride, padding, include_pad, divisor, back)
    want_back = np.zeros_like(x)
    for n, c, i, j in np.ndindex(out.shape):
        inside = cells(case, i, j)
        padded = 1
        for d, place in ((0, i), (1, j)):
            end = min(place * stride[d] - padding[d] + kernel[d], shape[2 + d] + padding[d])
            padded *= end - (place * stride[d] - padding[d])
        count = divisor or (padded if include_pad else len(inside))
        assert out[n, c, i, j] == pytest.approx(sum(x[n, c][cell] for cell in inside) / count, abs=1e-13)
        for y, z in inside:
            want_back[n, c, y, z] += g[n, c, i, j] / count
    np.testing.assert_allclose(back, want_back, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("include_pad", [True, False])
@pytest.mark.parametrize("divisor", [0, 5])
@pytest.mark.parametrize("case", [case for case in AVERAGE_CASES if case[0][0]])
def test_avg_pool_matches_torch(case, include_pad, divisor):
    torch = pytest.importorskip("torch")
    shape, kernel, stride, padding, _, ceil_mode = case
    x = torch.tensor(sample(shape, np.float32), requires_grad=True)
    want = torch.nn.functional.avg_pool2d(x, kernel, stride, padding, ceil_mode, include_pad, divisor or None)
    g = sample(want.shape, np.float32, 6)
    want.backward(torch.tensor(g))
    out, back = np.empty(want.shape, np.float32), np.empty(shape, np.float32)
    avg_pool.avg_pool2d(x.detach().numpy(), kernel, stride, padding, include_pad, divisor, out)
    avg_pool.avg_pool2d_grad(g, kernel, stride, padding, include_pad, divisor, back)
    np.testing.assert_allclose(out, want.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(back, x.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_avg_pool_window_wholly_in_the_padding_is_zero():
    out = np.full((1, 1, 1, 3), np.nan)
    avg_pool.avg_pool2d(np.ones((1, 1, 1, 1)), (1, 1), (1, 1), (0, 1), False, 0, out)
    np.testing.assert_array_equal(out.ravel(), [0, 1, 0])


@pytest.mark.parametrize(("size", "target"), [((7, 5), (3, 2)), ((4, 4), (1, 1)), ((3, 2), (5, 7)), ((8, 6), (8, 6))])
def test_adaptive_avg_pool(size, target):
    x, g = sample((2, 3, *size), np.float64), sample((2, 3, *target), np.float64, 7)
    out, back, want_back = np.empty(g.shape), np.full(x.shape, np.nan), np.zeros(x.shape)
    avg_pool.adaptive_avg_pool2d(x, out)
    avg_pool.adaptive_avg_pool2d_grad(g, back)
    for i, j in np.ndindex(target):
        window = np.s_[
            :,
            :,
            i * size[0] // target[0] : -(-(i + 1) * size[0] // target[0]),
            j * size[1] // target[1] : -(-(j + 1) * size[1] // target[1]),
        ]
        np.testing.assert_allclose(out[:, :, i, j], x[window].mean(axis=(2, 3)), rtol=1e-12)
        want_back[window] += g[:, :, i, j, None, None] / x[window][0, 0].size
    np.testing.assert_allclose(back, want_back, rtol=1e-12)


def test_non_contiguous_inputs():
    case = ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False)
    x = sample((8, 8, 3, 2), np.float32).transpose(3, 2, 1, 0)
    out, places, indices = max_pool(x, case)
    for actual, want in zip((out, places, indices), max_pool(x.copy(), case), strict=True):
        np.testing.assert_array_equal(actual, want)
    g, back, want_back = out.transpose(0, 1, 3, 2), np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    pool.max_pool2d_grad(g, places.transpose(0, 1, 3, 2), *case[1:5], back)
    pool.max_pool2d_grad(g.copy(), places.transpose(0, 1, 3, 2).copy(), *case[1:5], want_back)
    np.testing.assert_array_equal(back, want_back)


def test_window_of_more_elements_than_a_byte_counts():
    x = sample((2, 1, 20, 30), np.float32)
    out, places, indices, back = (np.empty((2, 1, 1, 1), t) for t in (np.float32, np.int64, np.int64, np.float32))
    window = (20, 30), (20, 30), (0, 0), (1, 1)
    pool.max_pool2d(x, *window, out, places)
    pool.max_pool2d_indices(places, (20, 30), *window, indices)
    np.testing.assert_array_equal(places.ravel(), x.reshape(2, -1).argmax(1))
    np.testing.assert_array_equal(indices, places)
    pool.max_pool2d_take(x, places, *window, back)
    np.testing.assert_array_equal(back, out)
    spread = np.full_like(x, np.nan)
    pool.max_pool2d_grad(out, places, *window, spread)
    np.testing.assert_array_equal(spread, np.where(x == out, x, 0))


def test_average_of_special_values():
    x = sample((1, 2, 6, 6), np.float32)
    x[0, 0, 2, 2], x[0, 1, 3, 3], x[0, 1, 5, 5] = np.nan, np.inf, -np.inf
    for kernel, stride in ((2, 2), (3, 1), (3, 3)):
        out = np.empty((1, 2, (6 - kernel) // stride + 1, (6 - kernel) // stride + 1), np.float32)
        avg_pool.avg_pool2d(x, (kernel, kernel), (stride, stride), (0, 0), True, 0, out)
        views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(out, views.mean((4, 5)), rtol=1e-5, atol=1e-6)


def test_same_bits_for_every_thread_count(same_bits):
    case = ((4, 8, 48, 48), (3, 3), (1, 1), (1, 1), (1, 1), False)
    x = sample(case[0], np.float32)

    def compute():
        out, places, _ = max_pool(x, case)
        spread, mean, back = np.empty_like(x), np.empty_like(out), np.empty_like(x)
        small = np.empty((4, 8, 5, 5), x.dtype)
        pool.max_pool2d_grad(out, places, *case[1:5], spread)
        avg_pool.avg_pool2d(x, *case[1:4], True, 0, mean)
        avg_pool.avg_pool2d_grad(out, *case[1:4], True, 0, back)
        avg_pool.adaptive_avg_pool2d(x, small)
        return out, places, spread, mean, back, small

    same_bits(compute)


def in_guarded_memory() -> None:
    for side, case in itertools.product(("before", "after"), CASES):
        if case[0][0] == 0:
            continue
        x = guarded(sample(case[0], np.float32), side)
        places = guarded(np.zeros(out_shape(case), np.uint8), side)
        out, back = Canaries(out_shape(case), np.float32), Canaries(case[0], np.float32)
        pool.max_pool2d(x, *case[1:5], out.out, places)
        g = guarded(out.out, side)
        pool.max_pool2d_grad(g, places, *case[1:5], back.out)
        pool.max_pool2d_take(x, places, *case[1:5], out.out)
        if case[4] == (1, 1):
            for include_pad in (True, False):
                avg_pool.avg_pool2d(x, *case[1:4], include_pad, 0, out.out)
                avg_pool.avg_pool2d_grad(g, *case[1:4], include_pad, 0, back.out)
            avg_pool.adaptive_avg_pool2d(x, out.out)
            avg_pool.adaptive_avg_pool2d_grad(g, back.out)
        assert out.alive()
        assert back.alive()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_of_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_pool_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
