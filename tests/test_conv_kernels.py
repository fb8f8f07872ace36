"""Convolution and its gradients against float64 sums over the taps, written out."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels.cpu.conv import conv_forward, conv_grad_input
from autograd_cnn.kernels.cpu.conv_weight import conv_grad_weight, sum_channels

FLOATS = (np.float32, np.float64)


@dataclass(frozen=True)
class Case:
    x: tuple[int, int, int, int]
    w: tuple[int, int, int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def settings(self) -> tuple:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def out(self) -> tuple[int, int, int, int]:
        top, bottom, left, right = self.padding
        height = self.x[2] + top + bottom - self.dilation[0] * (self.w[2] - 1) - 1
        width = self.x[3] + left + right - self.dilation[1] * (self.w[3] - 1) - 1
        return self.x[0], self.w[0], height // self.stride[0] + 1, width // self.stride[1] + 1


CASES = [
    Case((64, 1, 28, 28), (6, 1, 5, 5), padding=(2, 2, 2, 2)),
    Case((16, 6, 14, 14), (16, 6, 5, 5)),
    Case((2, 32, 13, 13), (64, 32, 3, 3)),
    Case((4, 16, 5, 5), (120, 16, 5, 5)),  # the kernel is as large as the image
    Case((1, 1, 1, 1), (1, 1, 1, 1)),
    Case((3, 5, 1, 40), (7, 5, 1, 3), padding=(0, 0, 1, 1)),
    Case((3, 5, 40, 1), (7, 5, 3, 1), padding=(1, 1, 0, 0)),
    Case((2, 300, 6, 6), (9, 300, 1, 1)),  # several blocks of the contraction
    Case((2, 3, 70, 70), (8, 3, 3, 3), padding=(1, 1, 1, 1)),  # several strips
    Case((1, 2, 90, 61), (4, 2, 7, 7), (2, 2), (3, 3, 3, 3)),
    Case((2, 4, 9, 10), (6, 4, 2, 2), padding=(0, 1, 0, 1)),  # "same" with an even kernel
    Case((2, 3, 9, 9), (4, 3, 1, 1), padding=(2, 1, 3, 0)),  # padding beyond the kernel
    Case((2, 3, 9, 9), (4, 3, 1, 1), (3, 2)),  # stride beyond the kernel
    Case((2, 3, 8, 9), (4, 3, 2, 3), (3, 4), (1, 0, 2, 1), (2, 3)),
    Case((2, 3, 19, 19), (4, 3, 3, 3), (2, 2), (4, 4, 4, 4), (4, 4)),
    Case((3, 8, 7, 7), (8, 1, 3, 3), padding=(1, 1, 1, 1), groups=8),  # depthwise
    Case((3, 6, 9, 8), (4, 3, 3, 3), (2, 1), (1, 1, 1, 1), groups=2),
    Case((20, 3, 4, 4), (5, 3, 2, 2)),  # several images in a run of pixels
    Case((33, 2, 3, 3), (3, 2, 3, 3), padding=(1, 1, 1, 1)),
]


def random_cases(rng: np.random.Generator, count: int) -> list[Case]:
    cases = []
    for _ in range(count):
        groups = int(rng.choice([1, 1, 1, 2, 3]))
        images, channels, outputs = (int(n) for n in rng.integers(1, (6, 9, 14)))
        stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        dilation = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        padding = tuple(int(n) for n in rng.integers(0, 4, 4))
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 8)))
        least = [d * (k - 1) + 1 - sum(p) for d, k, p in zip(dilation, kernel, (padding[:2], padding[2:]), strict=True)]
        size = [max(n, 1) + int(rng.integers(0, 12)) for n in least]
        x = (images, groups * channels, size[0], size[1])
        cases.append(Case(x, (groups * outputs, channels, *kernel), stride, padding, dilation, groups))
    return cases


def taps(case: Case, padded: np.ndarray):
    """For each tap (i, j) the elements of the padded input that it meets, (N, C, OH, OW)."""
    (sh, sw), (dh, dw), (_, _, oh, ow) = case.stride, case.dilation, case.out
    for i in range(case.w[2]):
        for j in range(case.w[3]):
            yield (
                i,
                j,
                padded[:, :, i * dh : i * dh + sh * oh : sh, j * dw : j * dw + sw * ow : sw][..., :oh, :ow],
            )


def split(array: np.ndarray, groups: int, axis: int) -> np.ndarray:
    return np.stack(np.split(array.astype(np.float64), groups, axis))


def reference(case: Case, x, w, bias, g):
    """(out, gradient for the input, for the weight), each tap as one sum in float64."""
    top, bottom, left, right = case.padding
    groups = case.groups
    # Room for the strides' last step; what it adds is cut off by `taps`.
    margin = (max(case.stride), max(case.stride))
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (top, bottom + margin[0]), (left, right + margin[1])))
    grad_padded = np.zeros_like(padded)
    w_groups, g_groups = split(w, groups, 0), split(g, groups, 1)
    out = np.zeros(g_groups.shape)
    grad_w = np.zeros(w_groups.shape)
    for (i, j, seen), (_, _, place) in zip(taps(case, padded), taps(case, grad_padded), strict=True):
        seen = split(seen, groups, 1)
        out += np.einsum("qoc,qncyx->qnoyx", w_groups[..., i, j], seen)
        grad_w[..., i, j] += np.einsum("qnoyx,qncyx->qoc", g_groups, seen)
        place += np.concatenate(list(np.einsum("qoc,qnoyx->qncyx", w_groups[..., i, j], g_groups)), axis=1)
    out = np.concatenate(list(out), axis=1) + (0 if bias is None else bias[:, None, None])
    height, width = x.shape[2:]
    grad_x = grad_padded[:, :, top : top + height, left : left + width]
    return out, grad_x, grad_w.reshape(w.shape)


def arrays(case: Case, dtype: type):
    rng = np.random.default_rng(1)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in (case.x, case.w, case.w[:1], case.out))


def run(case: Case, x, w, bias, g, fresh=None):
    """(out, gradient for the input, for the weight, for the bias) by the kernels."""
    fresh = fresh or (lambda shape, dtype: Canaries(shape, dtype))
    all_canaries = [fresh(shape, x.dtype) for shape in (case.out, case.x, case.w, case.w[:1])]
    out, grad_x, grad_w, grad_bias = (canaries.out for canaries in all_canaries)
    conv_forward(x, w, bias, *case.settings, out)
    conv_grad_input(g, w, *case.settings, grad_x)
    conv_grad_weight(g, x, *case.settings, grad_w)
    sum_channels(g, grad_bias)
    assert all(canaries.alive() for canaries in all_canaries)
    return out, grad_x, grad_w, grad_bias


def check(case: Case, dtype: type, x, w, bias, g) -> None:
    expected = (*reference(case, x, w, bias, g), g.sum((0, 2, 3), dtype=np.float64))
    bounds = (
        *reference(case, *(None if a is None else np.abs(a) for a in (x, w, bias, g))),
        np.abs(g).sum((0, 2, 3)),
    )
    names = ("out", "grad_input", "grad_weight", "grad_bias")
    for name, value, exact, bound in zip(names, run(case, x, w, bias, g), expected, bounds, strict=True):
        # Far below the worst case of the longest sum here: rounding errors mostly cancel.
        assert (np.abs(value - exact) <= 32 * np.finfo(dtype).eps * (bound + 1e-30)).all(), (name, case)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_chosen_shapes(case: Case, dtype: type) -> None:
    check(case, dtype, *arrays(case, dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_random_shapes(dtype: type) -> None:
    for case in random_cases(np.random.default_rng(2), 200):
        check(case, dtype, *arrays(case, dtype))


def test_without_bias() -> None:
    for case in CASES[1:4]:
        x, w, _, g = arrays(case, np.float32)
        check(case, np.float32, x, w, None, g)


def test_irregular_layouts() -> None:
    case = Case((3, 4, 8, 9), (5, 4, 3, 3), padding=(1, 1, 1, 1))
    x, w, bias, g = arrays(case, np.float32)
    turned = [np.ascontiguousarray(a.transpose(3, 1, 0, 2)).transpose(2, 1, 3, 0) for a in (x, w, g)]
    reversed_arrays = [np.ascontiguousarray(a[:, ::-1, :, ::-1])[:, ::-1, :, ::-1] for a in (x, w, g)]
    spread = [np.repeat(a, 2, axis=3)[..., ::2] for a in (x, w, g)]
    plain = run(case, x, w, bias, g)
    for left, kernel, cotangent in (turned, reversed_arrays, spread):
        for value, expected in zip(run(case, left, kernel, bias, cotangent), plain, strict=True):
            assert np.array_equal(value, expected)
    flat = [np.broadcast_to(a[:1, :1, :1, :1], a.shape) for a in (x, w, g)]
    check(case, np.float32, flat[0], flat[1], np.broadcast_to(bias[:1], bias.shape), flat[2])


def test_one_spatial_axis() -> None:
    case = Case((3, 4, 1, 21), (6, 2, 1, 5), (1, 2), (0, 0, 3, 1), (1, 2), groups=2)
    x, w, bias, g = arrays(case, np.float32)
    line = case.stride[1:], case.padding[2:], case.dilation[1:], case.groups
    x_line, w_line, g_line = (a[:, :, 0] for a in (x, w, g))
    out, grad_x, grad_w = (np.full_like(a, np.nan) for a in (g_line, x_line, w_line))
    conv_forward(x_line, w_line, bias, *line, out)
    conv_grad_input(g_line, w_line, *line, grad_x)
    conv_grad_weight(g_line, x_line, *line, grad_w)
    for value, expected in zip((out, grad_x, grad_w), run(case, x, w, bias, g), strict=False):
        assert np.array_equal(value, expected[:, :, 0])


def test_empty_batch() -> None:
    case = Case((0, 3, 8, 8), (4, 3, 3, 3))
    _, _, grad_w, grad_bias = run(case, *arrays(case, np.float32))
    assert (grad_w == 0).all()
    assert (grad_bias == 0).all()


def test_grad_input_of_any_size_that_fits() -> None:
    """A stride may leave rows at the end that no output has read: they get zeros."""
    for extra in range(3):
        case = Case((2, 3, 13 + extra, 7 + extra), (4, 3, 3, 3), (3, 3), (1, 1, 0, 0))
        check(case, np.float64, *arrays(case, np.float64))


def test_infinities_do_not_leak_between_images() -> None:
    case = Case((6, 2, 5, 5), (3, 2, 3, 3), padding=(1, 1, 1, 1))
    x, w, bias, g = arrays(case, np.float32)
    spoilt_x, spoilt_g = x.copy(), g.copy()
    spoilt_x[2, 0, 0, 0] = spoilt_g[2, 0, 0, 0] = np.inf
    out, grad_x, _, _ = run(case, x, w, bias, g)
    spoilt_out, spoilt_grad_x, _, _ = run(case, spoilt_x, w, bias, spoilt_g)
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(out[others], spoilt_out[others])
    assert np.array_equal(grad_x[others], spoilt_grad_x[others])
    finite = np.isfinite(spoilt_out[2])
    assert finite[:, 2:].all()
    assert finite[:, :, 2:].all()
    assert not finite[:, 0, 0].any()


def test_same_bits_for_every_thread_count() -> None:
    for case in (CASES[0], CASES[1], CASES[2], CASES[8], CASES[9]):
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
    for case in (CASES[0], CASES[2], Case((4, 128, 14, 14), (32, 128, 3, 3), padding=(1, 1, 1, 1))):
        x, w, bias, g = arrays(case, np.float32)
        exact = reference(case, x, w, bias, g)
        tensors = [torch.from_numpy(a).requires_grad_() for a in (x, w, bias)]
        top, _, left, _ = case.padding
        theirs = torch.nn.functional.conv2d(*tensors, stride=case.stride, padding=(top, left))
        theirs.backward(torch.from_numpy(g))
        theirs = theirs.detach().numpy(), *(tensor.grad.numpy() for tensor in tensors[:2])
        for ours, other, right in zip(run(case, x, w, bias, g), theirs, exact, strict=False):
            assert np.abs(ours - right).mean() <= 2 * np.abs(other - right).mean()


class Guarded:
    def __init__(self, shape: tuple[int, ...], dtype: type, side: str) -> None:
        self.out = guarded(np.full(shape, np.nan, dtype), side)

    def alive(self) -> bool:
        return True


def in_guarded_memory() -> None:
    cases = [*CASES[1:], *random_cases(np.random.default_rng(3), 40)]
    for side in ("before", "after"):
        for case in cases:
            inputs = [guarded(array, side) for array in arrays(case, np.float32)]
            values = run(case, *inputs, fresh=lambda shape, dtype, side=side: Guarded(shape, dtype, side))
            for value, exact in zip(values, reference(case, *inputs), strict=False):
                assert np.allclose(value, exact, 1e-3, 1e-3)


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_conv_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
