"""Every plan of convolution by itself, and what is common to all: three axes, the activation, odd numbers of images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, run_alone
from test_conv_kernels import CASES, FLOATS, Case, Guarded, arrays, random_cases, reference

from autograd_cnn.kernels.cpu import conv_choice
from autograd_cnn.kernels.cpu.conv import RELU, conv_forward, conv_grad_input
from autograd_cnn.kernels.cpu.conv_plan import Plan
from autograd_cnn.kernels.cpu.conv_product import ProductPlan
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.winograd_plan import WinogradPlan

PLANS = ("images", "lines", "product", "winograd")
MORE_CASES = [
    *CASES,
    Case((40, 5, 4, 4), (7, 5, 3, 3), padding=(1, 1, 1, 1)),
    Case((17, 20, 1, 1), (9, 20, 3, 3), padding=(1, 1, 1, 1)),  # one pixel: one tap of nine is inside
    Case((70, 3, 9, 7), (13, 3, 3, 3), (2, 2), (1, 1, 1, 1)),  # several blocks of images
    Case((33, 6, 8, 8), (4, 3, 1, 1), (2, 2), groups=2),  # pixels that nothing reads
    Case((3, 40, 9, 11), (50, 40, 1, 1)),
    Case((2, 6, 31, 33), (14, 3, 1, 1), groups=2),
    Case((1, 3, 40, 40), (5, 3, 3, 3), (2, 2), (1, 1, 1, 1)),
    Case((2, 3, 50, 60), (5, 3, 3, 3), (3, 3), (2, 1, 0, 2)),
    Case((3, 17, 9, 12), (37, 17, 3, 3), padding=(1, 1, 1, 1)),
    Case((2, 70, 5, 70), (6, 70, 3, 3), padding=(0, 2, 3, 0)),
]


def force(name: str) -> None:
    """Compute every convolution by this plan, where it can be, and turn every weight that a gradient is made from.

    test_conv_kernels.py has the same cases with weights as they are.
    """

    def forced(problem: object) -> object:
        plans = conv_choice.candidates(problem)
        return plans.get(name, plans["lines"])[1]

    conv_choice._fastest = forced
    conv_choice.MANY_PIXELS = 0
    forget()


def forget() -> None:
    conv_choice.forward_plan.cache_clear()
    conv_choice.grad_input_plan.cache_clear()


@pytest.fixture(params=PLANS)
def plan(request: pytest.FixtureRequest) -> Iterator[str]:
    before = conv_choice._fastest, conv_choice.MANY_PIXELS
    force(request.param)
    yield request.param
    conv_choice._fastest, conv_choice.MANY_PIXELS = before
    forget()


def run(case: Case, x, w, bias, g, fresh=Canaries):
    """(out, gradient for the input) by the kernels."""
    out, grad_x = fresh(case.out, x.dtype), fresh(case.x, x.dtype)
    conv_forward(x, w, bias, *case.settings, out.out)
    conv_grad_input(g, w, *case.settings, grad_x.out)
    assert out.alive()
    assert grad_x.alive()
    return out.out, grad_x.out


@pytest.mark.parametrize("dtype", FLOATS)
def test_each_plan(plan: str, dtype: type) -> None:
    for case in [*MORE_CASES, *random_cases(np.random.default_rng(4), 60)]:
        x, w, bias, g = arrays(case, dtype)
        exact = reference(case, x, w, bias, g)
        bounds = reference(case, *(np.abs(array) for array in (x, w, bias, g)))
        for name, value, right, bound in zip(
            ("out", "grad_input"), run(case, x, w, bias, g), exact, bounds, strict=False
        ):
            error = np.abs(value - right)
            assert (error <= 32 * np.finfo(dtype).eps * (bound + 1e-30)).all(), (name, case)


def tables(case: Case) -> Iterator[tuple]:
    for transposed in (False, True):
        source, result = (case.out, case.x) if transposed else (case.x, case.out)
        plan = conv_choice.grad_input_plan if transposed else conv_choice.forward_plan
        yield plan.__wrapped__(source, case.w, result, *case.settings, 4), source, result


def test_scratch_memory_is_large_enough(plan: str) -> None:
    """What the kernels read and write in memory of their own, which no forbidden page surrounds."""
    lanes = VECTOR_BYTES // 4
    for case in [*MORE_CASES, *random_cases(np.random.default_rng(7), 100)]:
        for made, source, result in tables(case):
            if not isinstance(made, Plan):
                continue  # test_winograd.py, test_contraction.py
            layout, _, b_offset, runs, bounds, inward, outward = made.tables
            s = layout[0]
            blocks = -(-s["images"] // s["block"])
            whole = blocks * s["channels"] * s["groups"] * s["b_channel"]
            packed = s["own"] or made.packed or prod(source)
            last_block = 0 if s["own"] else whole - s["channels"] * s["b_channel"]
            for b, place, length, table, taps in runs:
                covered = -(-length // lanes) * lanes
                assert place + covered <= s["sums"]
                for channel in range(0, s["channels"], s["depth"]):
                    entries = b_offset[table : table + min(s["depth"], s["channels"] - channel) * taps]
                    if entries.size:
                        first = last_block + (0 if s["own"] else channel * s["b_channel"]) + b
                        assert b + entries.min() >= 0
                        assert first + entries.max() + covered <= packed
            if s["by_images"]:
                span = inward[:-lanes] % s["b_channel"]
                assert inward.min() >= 0
                assert span.max() + s["block"] <= s["b_channel"]
                assert outward.max() + s["block"] <= s["result_span"] * s["sums"]
                assert bounds[:-1, 3].max() <= outward.size - lanes
                assert (bounds[:-1, 2] + bounds[:-1, 3]).max() == prod(result[2:])
            else:
                moves, lines = inward.reshape(-1, 5), outward.reshape(-1, 3)
                images = (s["block"] - 1) * s["b_image"]
                assert moves.size == 0 or (moves[:, 0] + moves[:, 4]).max() + images <= s["b_channel"]
                assert (lines[:, 0] + lines[:, 2]).max() + (s["block"] - 1) * s["sums_image"] <= s["sums"]
                assert (lines[:, 1] + (lines[:, 2] - 1) * s["result_step"]).max() < prod(result[2:])


def test_each_plan_is_chosen_somewhere() -> None:
    """Otherwise `force` would test what no user meets."""

    def chosen(x, w, out, pad):
        plan = conv_choice.forward_plan(x, w, out, (1, 1), (pad,) * 4, (1, 1), 1, 4)
        if not isinstance(plan, Plan):
            return type(plan)
        return "images" if plan.tables[0][0]["by_images"] else "lines"

    assert chosen((32, 256, 4, 4), (256, 256, 3, 3), (32, 256, 4, 4), 1) == "images"
    assert chosen((1, 4, 56, 56), (64, 4, 3, 3), (1, 64, 56, 56), 1) == "lines"
    assert chosen((8, 64, 56, 56), (64, 64, 3, 3), (8, 64, 56, 56), 1) is WinogradPlan
    assert chosen((8, 64, 28, 28), (256, 64, 1, 1), (8, 256, 28, 28), 0) is ProductPlan


def test_relu_after_a_depthwise_kernel() -> None:
    case = Case((2, 6, 9, 11), (6, 1, 3, 3), padding=(1, 1, 1, 1), groups=6)
    x, w, bias, _ = arrays(case, np.float32)
    plain, positive = Canaries(case.out, np.float32), Canaries(case.out, np.float32)
    conv_forward(x, w, bias, *case.settings, plain.out)
    conv_forward(x, w, bias, *case.settings, positive.out, RELU)
    assert positive.alive()
    assert np.array_equal(positive.out, np.maximum(plain.out, 0))


def test_same_bits_for_every_thread_count(plan: str) -> None:
    before = numba.get_num_threads()
    for case in (CASES[0], CASES[2], Case((33, 40, 7, 7), (50, 40, 3, 3), padding=(1, 1, 1, 1))):
        inputs = arrays(case, np.float32)
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            results.append(run(case, *inputs))
        numba.set_num_threads(before)
        for alone, together in zip(*results, strict=True):
            assert np.array_equal(alone, together)


def test_error_is_like_pytorchs(plan: str, torch) -> None:
    for case in (
        Case((32, 64, 6, 6), (48, 64, 3, 3), padding=(1, 1, 1, 1)),
        Case((4, 300, 9, 9), (20, 300, 1, 1)),
        Case((4, 128, 14, 14), (32, 128, 3, 3), padding=(1, 1, 1, 1)),
    ):
        x, w, bias, g = arrays(case, np.float32)
        exact = reference(case, x, w, bias, g)
        tensors = [torch.from_numpy(array).requires_grad_() for array in (x, w, bias)]
        theirs = torch.nn.functional.conv2d(*tensors, padding=case.padding[0])
        theirs.backward(torch.from_numpy(g))
        others = theirs.detach().numpy(), tensors[0].grad.numpy()
        for ours, other, right in zip(run(case, x, w, bias, g), others, exact, strict=False):
            assert np.abs(ours - right).mean() <= 1.25 * np.abs(other - right).mean()


def test_relu_while_the_sums_are_hot(plan: str) -> None:
    for case in (CASES[2], CASES[15], Case((17, 8, 5, 5), (6, 8, 3, 3)), Case((2, 8, 9, 9), (6, 8, 1, 1))):
        x, w, bias, _ = arrays(case, np.float32)
        x[0, 0, 0, 0] = np.nan
        plain, positive = Canaries(case.out, np.float32), Canaries(case.out, np.float32)
        conv_forward(x, w, bias, *case.settings, plain.out)
        conv_forward(x, w, bias, *case.settings, positive.out, RELU)
        assert positive.alive()
        inside = np.isfinite(plain.out)
        assert np.array_equal(np.isfinite(positive.out), inside)
        assert np.allclose(positive.out[inside], np.maximum(plain.out[inside], 0), 1e-5, 1e-5)


def correlate(x, w, stride, padding, dilation):
    """The sum over channels and taps, written out for three axes."""
    padded = np.pad(x, ((0, 0), (0, 0), *zip(padding[::2], padding[1::2], strict=True)))
    sizes = [
        (size - d * (k - 1) - 1) // s + 1
        for size, k, s, d in zip(padded.shape[2:], w.shape[2:], stride, dilation, strict=True)
    ]
    out = np.zeros((x.shape[0], w.shape[0], *sizes))
    for tap in product(*(range(k) for k in w.shape[2:])):
        window = tuple(
            slice(i * d, i * d + s * (n - 1) + 1, s) for i, d, s, n in zip(tap, dilation, stride, sizes, strict=True)
        )
        out += np.einsum("nczyx,oc->nozyx", padded[(slice(None), slice(None), *window)], w[(..., *tap)])
    return out


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("images", [2, 18])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"),
    [
        ((5, 6, 7), (3, 3, 3), (1, 1, 1), (1, 1, 1, 1, 1, 1), (1, 1, 1)),
        ((6, 9, 8), (2, 3, 1), (2, 1, 2), (0, 1, 2, 0, 1, 0), (1, 2, 1)),
        ((4, 5, 5), (1, 1, 1), (1, 1, 1), (0, 0, 0, 0, 0, 0), (1, 1, 1)),
        ((7, 5, 9), (3, 2, 2), (3, 2, 1), (1, 2, 0, 0, 1, 1), (1, 1, 3)),
    ],
)
def test_three_axes(plan: str, dtype: type, images: int, size, kernel, stride, padding, dilation) -> None:
    rng = np.random.default_rng(5)
    settings = stride, padding, dilation
    x = rng.standard_normal((images, 4, *size)).astype(dtype)
    w = rng.standard_normal((6, 2, *kernel)).astype(dtype)
    bias = rng.standard_normal(6).astype(dtype)
    exact = [correlate(x[:, 2 * q : 2 * q + 2], w[3 * q : 3 * q + 3], *settings) for q in range(2)]
    expected = np.concatenate(exact, axis=1) + bias[:, None, None, None]
    out = Canaries(expected.shape, dtype)
    conv_forward(x, w, bias, *settings, 2, out.out)
    assert out.alive()
    tolerance = 200 * np.finfo(dtype).eps
    assert np.allclose(out.out, expected, tolerance, tolerance)
    # The gradient is the transpose: <g, conv(x)> = <gradient(g), x> for every x.
    g = rng.standard_normal(expected.shape).astype(dtype)
    gradient = Canaries(x.shape, dtype)
    conv_grad_input(g, w, *settings, 2, gradient.out)
    assert gradient.alive()
    for _ in range(5):
        v = rng.standard_normal(x.shape)
        moved = [correlate(v[:, 2 * q : 2 * q + 2], w[3 * q : 3 * q + 3], *settings) for q in range(2)]
        left = (g * np.concatenate(moved, axis=1)).sum()
        right = (gradient.out * v).sum()
        assert abs(left - right) <= 100 * np.finfo(dtype).eps * np.abs(gradient.out).sum()


def in_guarded_memory() -> None:
    cases = [*MORE_CASES[1:], *random_cases(np.random.default_rng(6), 25)]
    for name in PLANS:
        force(name)
        for side in ("before", "after"):
            for case in cases:
                x, w, bias, g = (guarded_input(array, side) for array in arrays(case, np.float32))
                values = run(case, x, w, bias, g, lambda shape, dtype, side=side: Guarded(shape, dtype, side))
                for value, exact in zip(values, reference(case, x, w, bias, g), strict=False):
                    assert np.allclose(value, exact, 1e-3, 1e-3)


def guarded_input(array, side):
    whole = Guarded(array.shape, array.dtype, side)
    whole.out[...] = array
    return whole.out


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_conv_plans", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
