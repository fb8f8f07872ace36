"""Depthwise convolution and its gradients: the kernels of conv_depthwise.py against float64 sums over the taps."""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
import pytest
from guarded_memory import guarded, run_alone
from test_conv_kernels import FLOATS, Case, Guarded, arrays, check, reference, run

from autograd_cnn.kernels.cpu.conv_depthwise import is_depthwise


def depthwise(x, kernel, stride=1, padding=0, dilation=(1, 1), multiplier=1) -> Case:
    channels = x[1]
    sides = padding if isinstance(padding, tuple) else (padding,) * 4
    return Case(x, (channels * multiplier, 1, *kernel), (stride, stride), sides, dilation, channels)


CASES = [
    *(
        depthwise((2, 3, size, size + 1), (kernel, kernel), stride, kernel // 2)
        for size, kernel, stride in product((4, 7, 8, 14, 15, 33), (1, 3, 5), (1, 2))
    ),
    depthwise((2, 3, 9, 10), (3, 3), padding=(0, 1, 2, 0)),
    depthwise((2, 3, 9, 10), (3, 3), 2, (1, 0, 0, 3)),
    depthwise((2, 3, 9, 10), (5, 5), 2, (4, 5, 6, 3)),  # padding beyond the kernel
    depthwise((2, 3, 9, 10), (3, 3), 1, 4),
    depthwise((2, 2, 20, 21), (7, 7), 1, 3),
    depthwise((2, 2, 20, 21), (7, 7), 2, 3),
    depthwise((2, 2, 9, 12), (2, 4), 2, 1),
    depthwise((2, 2, 9, 12), (4, 1), 1, (2, 1, 0, 0)),
    depthwise((2, 3, 12, 13), (3, 3), 1, 2, dilation=(2, 2)),
    depthwise((2, 3, 12, 13), (3, 3), 2, 2, dilation=(3, 2)),
    depthwise((2, 3, 9, 9), (3, 3), 1, 1, multiplier=3),
    depthwise((2, 3, 9, 9), (3, 3), 2, 1, multiplier=2),
    depthwise((2, 3, 9, 9), (2, 3), 2, 1, multiplier=2),
    depthwise((1, 2, 150, 130), (3, 3), 1, 1),  # several strips of a plane
    depthwise((1, 2, 150, 130), (3, 3), 2, 1),
    depthwise((70, 3, 7, 7), (3, 3), 1, 1),  # several blocks of images
    depthwise((3, 150, 7, 7), (3, 3), 1, 1),  # more channels than pieces
    depthwise((40, 3, 4, 4), (3, 3), 1, 1),  # a plane is one vector
    depthwise((5, 3, 4, 4), (5, 5), 1, 2),
    depthwise((5, 3, 2, 5), (3, 3), 1, (2, 1, 1, 1)),
    depthwise((5, 3, 4, 3), (3, 3), 1, (0, 1, 0, 2)),
    depthwise((5, 3, 2, 4), (3, 3), 1, 1, multiplier=2),
    depthwise((5, 3, 1, 16), (3, 3), 1, 1),
    depthwise((40, 3, 7, 7), (3, 3), 2, 1),  # stride 2 onto four columns
    depthwise((5, 3, 8, 8), (3, 3), 2, (0, 1, 0, 1)),
    depthwise((5, 3, 3, 7), (5, 5), 2, (2, 1, 2, 3)),
    depthwise((5, 3, 8, 8), (5, 5), 2, (5, 0, 2, 2)),
    depthwise((5, 3, 2, 8), (3, 3), 2, 1, multiplier=2),
    depthwise((5, 3, 1, 1), (3, 3), 2, (3, 5, 4, 4)),
    depthwise((3, 20, 1, 50), (1, 3), 2, 0),
    Case((2, 4, 1, 50), (4, 1, 1, 5), (1, 2), (0, 0, 2, 2), groups=4),  # one row: its stride does not matter
    Case((2, 4, 50, 1), (4, 1, 3, 1), (2, 1), (1, 1, 0, 0), groups=4),
]


def random_cases(rng: np.random.Generator, count: int) -> list[Case]:
    cases = []
    for _ in range(count):
        images, channels, multiplier = (int(n) for n in rng.integers(1, (6, 9, 4)))
        dilation = tuple(int(n) for n in rng.choice([1, 1, 2, 3], 2))
        padding = tuple(int(n) for n in rng.integers(0, 4, 4))
        kernel = tuple(int(n) for n in rng.choice([(3, 3), (5, 5), (1, 1), rng.integers(1, 6, 2)]))
        sides = (padding[:2], padding[2:])
        least = [d * (k - 1) + 1 - sum(p) for d, k, p in zip(dilation, kernel, sides, strict=True)]
        height, width = (max(n, 1) + int(rng.integers(0, 30)) for n in least)
        x = (images, channels + 1, height, width)
        cases.append(depthwise(x, kernel, int(rng.integers(1, 3)), padding, dilation, multiplier))
    return cases


def taken(case: Case) -> bool:
    return is_depthwise(case.w, case.stride, case.groups, case.out[2:])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_chosen_shapes(case: Case, dtype: type) -> None:
    assert taken(case)
    check(case, dtype, *arrays(case, dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_random_shapes(dtype: type) -> None:
    for case in random_cases(np.random.default_rng(2), 150):
        assert taken(case)
        check(case, dtype, *arrays(case, dtype))


def test_others_are_left_to_the_contraction() -> None:
    x = (2, 4, 9, 9)
    for case in (
        Case(x, (4, 1, 3, 3), (2, 1), groups=4),
        Case(x, (4, 1, 3, 3), (3, 3), groups=4),
        Case(x, (4, 2, 3, 3), groups=2),
        Case((2, 1, 9, 9), (4, 1, 3, 3)),
    ):
        assert not taken(case)
        check(case, np.float32, *arrays(case, np.float32))


def test_without_bias() -> None:
    case = depthwise((2, 5, 9, 9), (3, 3), 1, 1)
    x, w, _, g = arrays(case, np.float32)
    check(case, np.float32, x, w, None, g)


def test_grad_input_of_any_size_that_fits() -> None:
    """A stride may leave rows at the end that no output has read: they get zeros."""
    for kernel, extra in product((1, 2, 3, 5), range(2)):
        case = depthwise((2, 3, 13 + extra, 7 + extra), (kernel, kernel), 2, (1, 1, 0, 0))
        check(case, np.float64, *arrays(case, np.float64))


def test_a_wide_padding_gives_rows_and_columns_of_zeros() -> None:
    case = depthwise((1, 2, 3, 3), (3, 3), 1, 9)
    x, w, _, g = arrays(case, np.float32)
    out = run(case, x, w, None, g)[0]
    assert not out[:, :, :7].any()
    assert not out[..., :7].any()
    assert out[:, :, 7:12, 7:12].all()


def test_infinities_do_not_leak_between_planes() -> None:
    for stride in (1, 2):
        case = depthwise((3, 4, 7, 7), (3, 3), stride, 1)
        x, w, bias, g = arrays(case, np.float32)
        spoilt_x, spoilt_g = x.copy(), g.copy()
        spoilt_x[1, 2], spoilt_g[1, 2] = np.inf, np.nan
        right, spoilt = run(case, x, w, bias, g), run(case, spoilt_x, w, bias, spoilt_g)
        others = np.ones((3, 4), bool)
        others[1, 2] = False
        for value, expected in zip(spoilt[:2], right[:2], strict=True):
            assert np.array_equal(value[others], expected[others])
            assert not np.isfinite(value[1, 2]).any()
        kept = [0, 1, 3]
        assert np.array_equal(spoilt[2][kept], right[2][kept])


def test_long_sums_keep_their_digits() -> None:
    case = depthwise((256, 2, 40, 40), (3, 3), 1, 1)
    x, g = np.full(case.x, 0.1, np.float32), np.full(case.out, 0.1, np.float32)
    grad_w = run(case, x, np.zeros(case.w, np.float32), None, g)[2]
    middle = 256 * 40 * 40 * float(np.float32(0.1)) ** 2
    assert np.allclose(grad_w[:, 0, 1, 1], middle, rtol=1e-6)


def test_same_bits_for_every_thread_count() -> None:
    for case in (
        depthwise((4, 70, 20, 20), (3, 3), 1, 1),
        depthwise((32, 70, 7, 7), (3, 3), 2, 1),
        depthwise((40, 3, 30, 30), (3, 3), 2, 1),
        depthwise((1, 2, 150, 130), (3, 3), 1, 1),
    ):
        inputs = arrays(case, np.float32)
        before = numba.get_num_threads()
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            results.append(run(case, *inputs))
        numba.set_num_threads(before)
        for alone, together in zip(*results, strict=True):
            assert np.array_equal(alone, together)


def test_error_is_like_pytorchs(torch) -> None:
    for stride in (1, 2):
        case = depthwise((8, 32, 28, 28), (3, 3), stride, 1)
        x, w, bias, g = arrays(case, np.float32)
        exact = reference(case, x, w, bias, g)
        tensors = [torch.from_numpy(a).requires_grad_() for a in (x, w, bias)]
        theirs = torch.nn.functional.conv2d(*tensors, stride=stride, padding=1, groups=32)
        theirs.backward(torch.from_numpy(g))
        theirs = theirs.detach().numpy(), *(tensor.grad.numpy() for tensor in tensors[:2])
        for ours, other, right in zip(run(case, x, w, bias, g), theirs, exact, strict=False):
            assert np.abs(ours - right).mean() <= 2 * np.abs(other - right).mean()


def in_guarded_memory() -> None:
    cases = [*CASES, *random_cases(np.random.default_rng(3), 40)]
    for side, dtype in product(("before", "after"), FLOATS):
        for case in cases:
            inputs = [guarded(array, side) for array in arrays(case, dtype)]
            values = run(case, *inputs, fresh=lambda shape, dtype, side=side: Guarded(shape, dtype, side))
            for value, exact in zip(values, reference(case, *inputs), strict=False):
                assert np.allclose(value, exact, 1e-3, 1e-3)


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_conv_depthwise", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
