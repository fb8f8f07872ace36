"""Large copies and fills against NumPy's, for layouts of all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest
from guarded_memory import guarded, run_alone

from autograd_cnn.kernels.cpu import copying

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
SHAPES = [(7,), (1,), (70_000,), (300, 301), (3, 4, 5), (2, 1, 3, 1, 5), (6, 5, 4, 3), (50_000, 2), (2, 50_000)]


@pytest.fixture(autouse=True)
def _everything_is_large() -> Iterator[None]:
    with patch.object(copying, "LARGE", 1):
        yield


def sources(shape: tuple[int, ...], dtype: str) -> Iterator[np.ndarray]:
    """Arrays that broadcast to `shape`, in memory in many ways."""
    base = (np.random.default_rng(0).random([2 * n + 1 for n in shape]) * 100).astype(dtype)
    part = base[tuple([slice(n) for n in shape])]
    yield part.copy()
    yield base[tuple([slice(1, 2 * n + 1, 2) for n in shape])]
    yield np.flip(part)
    yield part[::-1]
    yield part.copy(order="F")
    yield base[tuple([slice(1 if i % 2 else n) for i, n in enumerate(shape)])]
    yield base[(0,) * len(shape)]
    yield base[(0,) * (len(shape) - 1)][: shape[-1]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_copy(shape: tuple[int, ...], dtype: str) -> None:
    for x in map(np.asarray, sources(shape, dtype)):
        for target in ("contiguous", "turned", "a part"):
            whole = np.full([n + 2 for n in shape], 77).astype(dtype)
            inner = tuple([slice(1, n + 1) for n in shape])
            out = {
                "contiguous": np.empty(shape, dtype),
                "turned": np.empty(shape[::-1], dtype).T,
                "a part": whole[inner],
            }[target]
            before = whole.copy()
            copying.copy(x, out)
            np.testing.assert_array_equal(out, np.broadcast_to(x, shape))
            before[inner] = whole[inner]
            np.testing.assert_array_equal(whole, before)


@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_copy_converts_as_numpy_does(dtype: str, target: str) -> None:
    x = (np.random.default_rng(0).random((30, 40, 7)) * 100).astype(dtype)[:, ::-2]
    out = np.empty((2, *x.shape), target)
    copying.copy(x, out)
    np.testing.assert_array_equal(out, np.broadcast_to(x.astype(target), out.shape))
    for same in (np.empty(x.shape, target), np.empty(x.shape[::-1], target).T):
        copying.copy(x, same)
        np.testing.assert_array_equal(same, x.astype(target))


@pytest.mark.parametrize("dtype", DTYPES)
def test_fill(dtype: str) -> None:
    out = np.zeros((90, 3, 200), dtype)
    copying.fill(out, 3)
    assert (out == np.array(3).astype(dtype)).all()
    copying.fill(out[:, 1], 0)
    assert not out[:, 1].any()
    assert out[:, ::2].all()


def test_memory_that_overlaps() -> None:
    x = np.arange(100_000.0)
    want = x.copy()
    want[1:] = want[:-1].copy()
    copying.copy(x[:-1], x[1:])
    np.testing.assert_array_equal(x, want)


def test_read_only_source() -> None:
    x = np.arange(1000.0)
    x.flags.writeable = False
    out = np.empty((3, 1000))
    copying.copy(x, out)
    np.testing.assert_array_equal(out[2], x)


def test_contiguous() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert copying.contiguous(x) is x
    assert copying.contiguous(x.T).flags.c_contiguous
    np.testing.assert_array_equal(copying.contiguous(x.T), x.T)


def in_guarded_memory() -> None:
    copying.LARGE = 1
    for side in ("before", "after"):
        for shape in SHAPES:
            whole = np.random.default_rng(0).random([2 * n for n in shape], np.float32)
            x = guarded(whole, side)
            out = guarded(np.zeros(shape, np.float32), side)
            for key in (tuple([slice(n) for n in shape]), (slice(None, None, 2),) * len(shape)):
                for source in (x[key], np.flip(x[key]), x[key][:1]):
                    copying.copy(source, out)
                    np.testing.assert_array_equal(out, np.broadcast_to(source, shape))
                    copying.copy(out, source[: shape[0]] if source.shape == shape else out)
            copying.fill(out, 2)


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_copying", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr


def test_what_is_no_number_is_true() -> None:
    x = np.array([0, -0.0, np.nan, np.inf, 1e-45, -1], np.float32)
    out = np.empty(6, bool)
    copying.copy(x, out)
    assert out.tolist() == [False, False, True, True, True, True]
