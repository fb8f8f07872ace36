"""Convolution of 3 x 3 kernels and its gradients by Winograd's algorithm, wherever it can be used."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone
from test_conv_kernels import FLOATS, Case, arrays, reference

from autograd_cnn.kernels.cpu import conv_choice
from autograd_cnn.kernels.cpu.conv import IDENTITY, RELU, conv_forward, conv_grad_input
from autograd_cnn.kernels.cpu.conv_weight import conv_grad_weight
from autograd_cnn.kernels.cpu.winograd_plan import WinogradPlan
from autograd_cnn.kernels.cpu.winograd_weight_plan import WeightPlan

LEAST = conv_choice._least
BY_DEFINITION = "by definition"
BY_WINOGRAD = "by Winograd"


def force(way: str) -> None:
    def least(plans: dict) -> object:
        turned = plans.pop("winograd", (0, None))[1]
        return turned if way == BY_WINOGRAD and turned else LEAST(plans)

    use(least)


def use(least) -> None:
    conv_choice._least = least
    for plan in (conv_choice.forward_plan, conv_choice.grad_input_plan, conv_choice.grad_weight_plan):
        plan.cache_clear()


@pytest.fixture(autouse=True)
def winograd() -> Iterator[None]:
    force(BY_WINOGRAD)
    yield
    use(LEAST)


def square(images: int, channels: int, rows: int, size: int, padding: int = 1) -> Case:
    return Case((images, channels, size, size), (rows, channels, 3, 3), padding=(padding,) * 4)


def cases(count: int) -> list[Case]:
    rng = np.random.default_rng(8)
    found = [
        square(1, 1, 1, 1),
        square(2, 1, 1, 2),
        square(5, 33, 37, 8),  # a block of several images, channels that fill no vector
        square(1, 70, 5, 40),
        square(2, 4, 130, 12, 0),
        square(3, 8, 9, 9, 4),  # more padding than the kernel is wide
        Case((2, 3, 5, 100), (6, 3, 3, 3), padding=(0, 2, 3, 0)),
        Case((3, 20, 40, 3), (7, 20, 3, 3), padding=(2, 0, 0, 1)),
    ]
    for _ in range(count):
        images, channels, rows = (int(n) for n in rng.integers(1, (7, 40, 40)))
        padding = tuple(int(n) for n in rng.integers(0, 4, 4))
        height, width = (max(3 - sum(pair), 1) + int(rng.integers(0, 40)) for pair in (padding[:2], padding[2:]))
        found.append(Case((images, channels, height, width), (rows, channels, 3, 3), padding=padding))
    return found


def run(case: Case, x, w, bias, g, activation=IDENTITY):
    """(out, gradient for the input, gradient for the weight)."""
    out, grad_x, grad_w = (Canaries(shape, x.dtype) for shape in (case.out, case.x, case.w))
    conv_forward(x, w, bias, *case.settings, out.out, activation)
    conv_grad_input(g, w, *case.settings, grad_x.out)
    conv_grad_weight(g, x, *case.settings, grad_w.out)
    results = out, grad_x, grad_w
    assert all(result.alive() for result in results)
    return [result.out for result in results]


def test_it_is_what_computes_the_cases() -> None:
    for case in cases(5):
        sizes = *case.settings, 4
        assert isinstance(conv_choice.forward_plan(case.x, case.w, case.out, *sizes), WinogradPlan)
        assert isinstance(conv_choice.grad_input_plan(case.out, case.w, case.x, *sizes), WinogradPlan)
        assert isinstance(conv_choice.grad_weight_plan(case.out, case.x, case.w, *sizes), WeightPlan)


def test_it_is_chosen_where_it_is_faster() -> None:
    use(LEAST)
    for case, faster in ((square(32, 64, 64, 32), True), (square(32, 3, 64, 32), False), (square(1, 8, 8, 6), False)):
        sizes = *case.settings, 4
        plans = (
            conv_choice.forward_plan(case.x, case.w, case.out, *sizes),
            conv_choice.grad_weight_plan(case.out, case.x, case.w, *sizes),
        )
        assert [isinstance(plan, WinogradPlan | WeightPlan) for plan in plans] == [faster, faster]


@pytest.mark.parametrize("dtype", FLOATS)
def test_against_sums_over_windows(dtype: type) -> None:
    for case in cases(40):
        x, w, bias, g = arrays(case, dtype)
        exact = reference(case, x, w, bias, g)
        # A tile's pixels are sums of all that the tile meets, so the bound is the largest sum and not each one's own.
        bounds = reference(case, *(np.abs(array) for array in (x, w, bias, g)))
        for value, right, bound in zip(run(case, x, w, bias, g), exact, bounds, strict=False):
            assert np.abs(value - right).max() <= 16 * np.finfo(dtype).eps * (bound.max() + 1e-30), case


def test_what_is_not_finite_stays_where_it_belongs() -> None:
    """Transforms overflow sooner, make NaN of infinities, and for the weight reach all taps of a kernel."""
    rng = np.random.default_rng(9)
    for case in (square(3, 9, 10, 11), square(2, 20, 8, 16, 0)):
        for value in (np.inf, -np.inf, np.nan, 3e38):
            for spoilt in range(3):
                x, w, bias, g = arrays(case, np.float32)
                array = (x, w, g)[spoilt]
                array[tuple(rng.integers(0, array.shape))] = value
                force(BY_DEFINITION)
                expected = run(case, x, w, bias, g)
                force(BY_WINOGRAD)
                for one, other in zip(run(case, x, w, bias, g), expected, strict=True):
                    assert np.array_equal(np.isnan(one), np.isnan(other))
                    assert np.array_equal(np.isposinf(one), np.isposinf(other))
                    finite = np.isfinite(other)
                    assert np.allclose(one[finite], other[finite], 1e-4, 1e-4 if value != 3e38 else 1e34)


def test_relu_while_the_tile_is_hot() -> None:
    for case in cases(5):
        x, w, bias, g = arrays(case, np.float32)
        plain, positive = run(case, x, w, bias, g)[0], run(case, x, w, bias, g, RELU)[0]
        assert np.array_equal(positive, np.maximum(plain, 0))


def test_same_bits_for_every_thread_count() -> None:
    before = numba.get_num_threads()
    for case in (square(5, 33, 37, 16), square(9, 16, 16, 32), square(2, 130, 140, 9)):
        inputs = arrays(case, np.float32)
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS, 1):
            numba.set_num_threads(threads)
            results.append(run(case, *inputs))
        numba.set_num_threads(before)
        for alone, together, again in zip(*results, strict=True):
            assert np.array_equal(alone, together)
            assert np.array_equal(alone, again)


def one_by_one(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b, each sum a chain of products in their order, rounded at each step."""
    return sum(a[:, k, None] * b[..., k, None, :] for k in range(a.shape[1]))


def by_definition(case: Case, x, w, g) -> list[np.ndarray]:
    """What `run` computes, without the bias, as one sum for each number; images are square and padded by 1."""

    def windows(images):
        padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
        laid = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))  # n, c, y, x, i, j
        return laid.transpose(0, 1, 4, 5, 2, 3).reshape(len(images), -1, images[0, 0].size)

    turned = w[:, :, ::-1, ::-1].swapaxes(0, 1)
    out, grad_x = (
        one_by_one(weight.reshape(len(weight), -1), windows(images)).reshape(shape)
        for weight, images, shape in ((w, x, case.out), (turned, g, case.x))
    )
    pixels = g.swapaxes(0, 1).reshape(g.shape[1], -1)
    met = windows(x)
    grad_w = one_by_one(pixels, met.swapaxes(1, 2).reshape(-1, met.shape[1])).reshape(case.w)
    return [out, grad_x, grad_w]


def test_errors_are_below_those_of_plain_sums() -> None:
    """Of numbers of like size, in the root mean square, against float64; PyTorch's: benchmarks/rounding.py."""
    for case in (square(4, 16, 16, 32), square(2, 64, 64, 16), square(4, 256, 16, 8)):
        x, w, _, g = arrays(case, np.float32)
        exact = by_definition(case, *(array.astype(np.float64) for array in (x, w, g)))
        plain = by_definition(case, x, w, g)
        for ours, theirs, right in zip(run(case, x, w, None, g), plain, exact, strict=True):
            mine, other = (np.square(array - right).mean() for array in (ours, theirs))
            assert mine <= other, case


def in_guarded_memory() -> None:
    force(BY_WINOGRAD)
    for side, dtype in (("before", np.float32), ("after", np.float32), ("before", np.float64), ("after", np.float64)):
        for case in cases(20):
            inputs = arrays(case, dtype)
            x, w, bias, g = (guarded(array, side) for array in inputs)
            out, grad_x, grad_w = (guarded(np.empty(shape, dtype), side) for shape in (case.out, case.x, case.w))
            conv_forward(x, w, bias, *case.settings, out)
            conv_grad_input(g, w, *case.settings, grad_x)
            conv_grad_weight(g, x, *case.settings, grad_w)
            for value, exact in zip((out, grad_x, grad_w), reference(case, *inputs), strict=True):
                assert np.allclose(value, exact, 1e-3, 1e-3 * np.abs(exact).max())


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_winograd", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
