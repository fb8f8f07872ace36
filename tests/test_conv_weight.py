"""The gradient of convolution for its weight, over any number of axes, against float64 sums over windows."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels.cpu import conv_choice, conv_weight_plan
from autograd_cnn.kernels.cpu.conv_weight import conv_grad_weight, sum_channels

FLOATS = (np.float32, np.float64)


@dataclass(frozen=True)
class Case:
    """Convolution of x with kernels (O, C / groups, ...); stride, padding and dilation hold one number an axis."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    @property
    def settings(self) -> tuple:
        return self.stride, tuple(p for p in self.padding for _ in range(2)), self.dilation, self.groups

    @property
    def g(self) -> tuple[int, ...]:
        axes = zip(self.x[2:], self.w[2:], self.stride, self.padding, self.dilation, strict=True)
        return self.x[0], self.w[0], *((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)

    def arrays(self, dtype: type) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(5)
        return rng.standard_normal(self.g).astype(dtype), rng.standard_normal(self.x).astype(dtype)

    def plan(self) -> conv_weight_plan.Plan:
        """How it is cut up in float32."""
        lifted = [(*shape[:2], *(1,) * (4 - len(shape)), *shape[2:]) for shape in (self.g, self.x, self.w)]
        stride, padding, dilation, groups = self.settings
        missing = len(lifted[0]) - len(self.g)
        settings = (1,) * missing + stride, (0,) * 2 * missing + padding, (1,) * missing + dilation, groups
        return conv_weight_plan.grad_weight_plan(*lifted, *settings, 4)


def square(x: tuple[int, int, int], w: tuple[int, int], stride=1, padding=0, dilation=1, groups=1) -> Case:
    """(images, channels, size), (outputs, kernel size)."""
    n, c, size = x
    pairs = ((number, number) for number in (stride, padding, dilation))
    return Case((n, c, size, size), (w[0], c // groups, w[1], w[1]), *pairs, groups)


CASES = [
    square((3, 64, 9), (64, 3), padding=1),  # several panels of outputs and chunks of channels
    square((7, 130, 4), (70, 3), padding=1),  # many images in a block, the last block with fewer
    square((9, 20, 2), (33, 3), padding=1),
    square((5, 40, 1), (24, 3), padding=1),  # only the middle tap meets anything
    square((2, 16, 40), (32, 3), padding=1),  # several strips
    square((1, 12, 150), (20, 3), padding=1),  # parts of lines
    square((4, 9, 30), (12, 3), stride=2, padding=1),
    square((4, 9, 30), (12, 3), padding=2, dilation=2),
    square((3, 48, 14), (96, 1)),
    square((3, 32, 14), (32, 1), stride=2),
    square((2, 32, 12), (48, 3), padding=1, groups=4),
    square((3, 1, 28), (6, 5), padding=2),  # windows
    square((2, 3, 33), (64, 7), stride=2, padding=3),
    square((1, 2, 150), (5, 3), padding=1),
    square((3, 1, 28), (32, 3), padding=1),  # windows and turned
    square((3, 16, 20), (16, 3), padding=1, groups=4),
    square((40, 2, 3), (7, 2), padding=1),
    square((2, 1, 9), (3, 3), padding=4, dilation=3),
    Case((3, 4, 50), (7, 4, 5), (1,), (2,), (1,)),  # one axis
    Case((2, 20, 300), (33, 20, 3), (2,), (1,), (2,)),
    Case((2, 3, 5, 9, 11), (4, 3, 3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1)),  # three axes
    Case((3, 8, 4, 6, 5), (20, 8, 2, 3, 3), (1, 2, 1), (0, 1, 2), (2, 1, 1)),
    Case((2, 12, 6, 20, 20), (18, 6, 3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 2), 2),
    Case((2, 4, 3, 7, 7), (4, 1, 3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 4),  # depthwise
]


def reference(case: Case, g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """sum over images and pixels of g[n, o, p] x[n, c, p stride + tap dilation - padding], in float64."""
    edges = [(0, 0), (0, 0), *((p, p) for p in case.padding)]
    padded = np.pad(x.astype(np.float64), edges)
    extents = [d * (k - 1) + 1 for d, k in zip(case.dilation, case.w[2:], strict=True)]
    axes = tuple(range(2, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(padded, extents, axes)
    windows = windows[(slice(None), slice(None), *(slice(None, None, s) for s in case.stride))]
    windows = windows[(..., *(slice(None, None, d) for d in case.dilation))]
    out = []
    for group in range(case.groups):
        mine = np.split(g.astype(np.float64), case.groups, 1)[group], np.split(windows, case.groups, 1)[group]
        pixels = (0, *axes)
        out.append(np.tensordot(*mine, (pixels, pixels)))
    return np.concatenate(out)


def gradient(case: Case, g: np.ndarray, x: np.ndarray) -> np.ndarray:
    canaries = Canaries(case.w, g.dtype)
    conv_grad_weight(g, x, *case.settings, canaries.out)
    assert canaries.alive()
    return canaries.out


def check(case: Case, dtype: type) -> None:
    g, x = case.arrays(dtype)
    bound = reference(case, np.abs(g), np.abs(x))
    error = np.abs(gradient(case, g, x) - reference(case, g, x))
    assert (error <= 16 * np.finfo(dtype).eps * (bound + 1e-30)).all(), case


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_sums_over_windows(case: Case, dtype: type) -> None:
    check(case, dtype)


@pytest.mark.parametrize("way", [(False, True), (True, False), (True, True)], ids=["in place", "windows", "both"])
def test_every_way(way: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """x read in place, or laid out in windows, with g in place or turned: whichever is fastest on this processor."""
    monkeypatch.setattr(conv_weight_plan, "_fastest", lambda *_: (0.0, way))
    conv_choice.grad_weight_plan.cache_clear()
    parts = set()
    for case in CASES:
        if case.groups < case.x[1] and (case.dilation[-1] == 1 or not way[0]):
            check(case, np.float32)
            parts.add(len(case.plan().pieces))
    conv_choice.grad_weight_plan.cache_clear()
    assert parts == {1, 2}  # at once, and in parts that are added up


@pytest.mark.parametrize("case", CASES[:18], ids=str)
def test_infinity_reaches_only_the_taps_that_meet_it(case: Case) -> None:
    g, x = case.arrays(np.float32)
    g = np.abs(g)
    x[-1, 0, 0, 0] = np.inf
    expected = reference(case, g, x)
    assert np.array_equal(np.isinf(gradient(case, g, x)), np.isinf(expected))
    assert not np.isnan(gradient(case, g, x)).any()


def test_same_bits_for_every_thread_count() -> None:
    before = numba.get_num_threads()
    for case in CASES:
        g, x = case.arrays(np.float32)
        results = []
        for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
            numba.set_num_threads(threads)
            results.append(gradient(case, g, x))
        numba.set_num_threads(before)
        assert all(np.array_equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[13], square((16, 128, 14), (32, 3), padding=1)], ids=str)
def test_error_is_like_pytorchs(torch, case: Case) -> None:
    g, x = case.arrays(np.float32)
    w = torch.zeros(case.w)
    theirs = torch.ops.aten.convolution_backward(
        torch.from_numpy(g), torch.from_numpy(x), w, [case.w[0]], case.stride, case.padding, case.dilation, False,
        [0, 0], case.groups, (False, True, False),
    )[1].numpy()  # fmt: skip
    exact = reference(case, g, x)
    assert np.abs(gradient(case, g, x) - exact).mean() <= 1.25 * np.abs(theirs - exact).mean()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(3, 5, 7), (64, 6, 28, 28), (2, 70, 64, 65), (32, 512, 1, 1), (5, 40, 3, 3, 3)])
def test_sum_channels(shape: tuple[int, ...], dtype: type) -> None:
    g = np.random.default_rng(6).standard_normal(shape).astype(dtype)
    canaries = Canaries(shape[1:2], dtype)
    sum_channels(g, canaries.out)
    axes = (0, *range(2, g.ndim))
    assert canaries.alive()
    assert np.abs(canaries.out - g.sum(axes, np.float64)).max() <= np.finfo(dtype).eps * np.abs(g).sum(axes).max()


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for case in CASES:
            g, x = (guarded(array, side) for array in case.arrays(np.float32))
            out = guarded(np.full(case.w, np.nan, np.float32), side)
            conv_grad_weight(g, x, *case.settings, out)
            assert np.allclose(out, reference(case, g, x), 1e-3, 1e-3)
            bias = guarded(np.full(case.w[:1], np.nan, np.float32), side)
            sum_channels(g, bias)
            assert np.allclose(bias, g.sum((0, *range(2, g.ndim))), 1e-3, 1e-3 * prod(g.shape) ** 0.5)


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_conv_weight", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
