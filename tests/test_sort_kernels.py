"""Sorting kernels against NumPy's stable sort: every dtype, layouts, special numbers, and lines of many lengths."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_cnn.kernels import cpu as kernels

DTYPES = [np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_]
SHAPES = [
    ((1,), 0),
    ((24,), 0),
    ((25,), 0),
    ((1000,), 0),
    ((70000,), 0),
    ((7, 33), 0),
    ((7, 33), 1),
    ((3, 50, 40), 1),
    ((300, 300), 0),
]


def numbers(dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """Few different ones, so that many are equal; special ones among floats."""
    values = np.random.default_rng(0).normal(0, 3, shape).round(1)
    if dtype is np.bool_:
        return values > 0
    if dtype is np.uint8:
        return (np.abs(values) * 20).astype(np.uint8)
    x = values.astype(dtype)
    if x.dtype.kind == "f" and x.size > 8:
        x.flat[:9] = [0, -0.0, 0.0, np.nan, -np.nan, np.inf, -np.inf, np.finfo(dtype).tiny / 4, -np.finfo(dtype).max]
    if x.dtype.kind == "i" and x.size > 8:
        x.flat[:2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return x


def stable(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    backwards = np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
    return x.shape[dim] - 1 - backwards


def check(x: np.ndarray, dim: int, descending: bool, k: int | None = None) -> None:
    shape = list(x.shape)
    shape[dim] = shape[dim] if k is None else k
    values, indices = np.full(shape, 3, x.dtype), np.full(shape, -1)
    (kernels.sort if k is None else kernels.topk)(x, dim, descending, values, indices)
    expected = np.take(stable(x, dim, descending), range(shape[dim]), dim)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected, dim))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sort(dtype: type, shape: tuple[int, ...], dim: int, descending: bool) -> None:
    check(numbers(dtype, shape), dim, descending)


@pytest.mark.parametrize("k", [1, 2, 5, 30, 200])
@pytest.mark.parametrize("dtype", DTYPES[:5])
def test_topk(dtype: type, k: int) -> None:
    for shape, dim in SHAPES:
        if k <= shape[dim]:
            for largest in (False, True):
                check(numbers(dtype, shape), dim, largest, k)


@pytest.mark.parametrize("k", [1, 40])
def test_topk_of_lines_in_order(k: int) -> None:
    """Where every number is better than all before, the search gives way to sorting."""
    rising = np.arange(100_000, dtype=np.float32)
    for x in (rising, rising[::-1]):
        for largest in (False, True):
            check(x, 0, largest, k)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype: type) -> None:
    x = numbers(dtype, (40, 30))
    frozen = x.copy()
    frozen.flags.writeable = False
    for view in (x.T, x[::-1], x[::2, 1:], frozen, np.broadcast_to(x[0], (5, 30))):
        before = view.copy()
        for dim in (0, 1):
            check(view, dim, False)
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_nothing(shape: tuple[int, ...]) -> None:
    for dim in range(len(shape)):
        check(np.zeros(shape, np.float32), dim, False)
        check(np.zeros(shape, np.float32), dim, True, 0)
