"""Matrix products against float64 arithmetic written out, in every layout."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels.cpu.contraction import linear_forward, matmul

FLOATS = (np.float32, np.float64)
SHAPES = [
    *((n, n, n) for n in range(1, 41)),
    *((m, 3, 5) for m in range(2, 20)),
    *((7, k, 5) for k in (1, 2, 511, 512, 513, 1030)),
    *((9, 4, n) for n in (1, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 95, 96, 97)),
    (1, 400, 120),
    (64, 84, 10),
    (70, 100, 130),
    (130, 600, 100),
]


def reference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sum over k of a[..., i, k] b[..., k, j], one k after the other."""
    total = np.zeros((*a.shape[:-1], b.shape[-1]), np.int64 if a.dtype.kind == "i" else np.float64)
    for k in range(a.shape[-1]):
        total += a[..., :, k, None].astype(total.dtype) * b[..., k, None, :].astype(total.dtype)
    return total


def close(value: np.ndarray, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether `value` is a @ b but for the rounding of each multiplication and addition."""
    bound = (a.shape[-1] + 1) * np.finfo(value.dtype).eps * reference(np.abs(a), np.abs(b))
    return bool((np.abs(value - reference(a, b)) <= bound).all())


def random(rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return (rng.standard_normal(shape) * 10).astype(dtype)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    canaries = Canaries((*a.shape[:-1], b.shape[-1]), a.dtype)
    matmul(a, b, canaries.out)
    assert canaries.alive()
    return canaries.out


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_remainder_of_a_tile(dtype: type) -> None:
    rng = np.random.default_rng(1)
    for m, k, n in SHAPES:
        a, b = random(rng, (m, k), dtype), random(rng, (k, n), dtype)
        assert close(product(a, b), a, b), (m, k, n)


def test_random_shapes() -> None:
    rng = np.random.default_rng(2)
    for m, k, n in rng.integers(1, 41, (300, 3)):
        a, b = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
        assert close(product(a, b), a, b), (m, k, n)


def test_integers_are_exact() -> None:
    rng = np.random.default_rng(3)
    for m, k, n in rng.integers(0, 30, (40, 3)):
        a, b = random(rng, (m, k), np.int64), random(rng, (k, n), np.int64)
        assert np.array_equal(product(a, b), reference(a, b))
        assert np.array_equal(product(a.T.copy().T, b[:, ::-1]), reference(a, b[:, ::-1]))


def layouts(rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> list[np.ndarray]:
    """Arrays of one shape in every kind of layout."""
    *batch, rows, columns = shape
    wide = random(rng, (*batch, 2 * rows, 3 * columns), dtype)
    return [
        random(rng, shape, dtype),
        random(rng, (*batch, columns, rows), dtype).swapaxes(-1, -2),
        random(rng, shape, dtype)[..., ::-1, :],
        random(rng, shape, dtype)[..., ::-1],
        random(rng, (*batch, columns, rows), dtype)[..., ::-1, :].swapaxes(-1, -2),
        wide[..., ::2, ::3],
        wide[..., :rows, :columns],
        np.broadcast_to(random(rng, (rows, 1), dtype), shape),
        np.broadcast_to(random(rng, (columns,), dtype), shape),
        np.broadcast_to(random(rng, (rows, columns), dtype), shape),
        np.broadcast_to(random(rng, (columns, rows), dtype).T, shape),
        np.broadcast_to(random(rng, (1, 1), dtype), shape),
    ]


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_every_layout(dtype: type, batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    for a in layouts(rng, (*batch, 9, 11), dtype):
        for b in layouts(rng, (*batch, 11, 50), dtype):
            value = product(a, b)
            assert np.array_equal(value, reference(a, b)) if dtype is np.int64 else close(value, a, b)


def test_one_batch_dimension_broadcast_and_another_not() -> None:
    rng = np.random.default_rng(5)
    a = np.broadcast_to(random(rng, (2, 1, 4, 5), np.float32), (2, 3, 4, 5))
    b = np.broadcast_to(random(rng, (1, 3, 5, 6), np.float32), (2, 3, 5, 6))
    assert close(product(a, b), a, b)


def test_batch_reversed_and_permuted() -> None:
    rng = np.random.default_rng(6)
    a = random(rng, (3, 2, 4, 5), np.float64)[::-1].swapaxes(0, 1)
    b = random(rng, (5, 2, 3, 6), np.float64).transpose(1, 2, 0, 3)
    assert close(product(a, b), a, b)


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
def test_no_elements(dtype: type) -> None:
    for m, k, n in [(3, 0, 4), (0, 3, 4), (3, 4, 0), (0, 0, 0), (60, 0, 50)]:
        assert (product(np.ones((m, k), dtype), np.ones((k, n), dtype)) == 0).all()
    assert product(np.ones((0, 3, 4), dtype), np.ones((0, 4, 2), dtype)).shape == (0, 3, 2)
    canaries = Canaries((2, 3), np.float32)
    linear_forward(np.ones((2, 0), np.float32), np.ones((3, 0), np.float32), np.arange(3, dtype="f"), canaries.out)
    assert np.array_equal(canaries.out, [[0, 1, 2], [0, 1, 2]])


@pytest.mark.parametrize("dtype", FLOATS)
def test_linear(dtype: type) -> None:
    rng = np.random.default_rng(7)
    for m, k, n in [
        (1, 1, 1),
        (5, 7, 10),
        (64, 84, 10),
        (64, 120, 84),
        (3, 600, 48),
        (40, 90, 96),
        (2, 3, 200),
    ]:
        x, weight, bias = random(rng, (m, k), dtype), random(rng, (n, k), dtype), random(rng, (n,), dtype)
        for added in (None, bias, np.repeat(bias, 2)[::2]):
            for left, right in ((x, weight), (x[::-1], weight), (x.T.copy().T, weight.T.copy().T)):
                canaries = Canaries((m, n), dtype)
                linear_forward(left, right, added, canaries.out)
                expected = reference(left, right.T) + (0 if added is None else added)
                bound = (k + 2) * np.finfo(dtype).eps * (reference(np.abs(left), np.abs(right.T)) + 50)
                assert (np.abs(canaries.out - expected) <= bound).all()
                assert canaries.alive()


def test_same_bits_for_every_thread_count() -> None:
    rng = np.random.default_rng(8)
    for m, k, n in [(64, 400, 120), (300, 700, 10), (33, 600, 130), (5, 2000, 400)]:
        a, b = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            before = numba.get_num_threads()
            numba.set_num_threads(threads)
            results.append(product(a, b))
            numba.set_num_threads(before)
        assert np.array_equal(*results)


def test_error_is_like_pytorchs(torch) -> None:
    rng = np.random.default_rng(9)
    for m, k, n in [(64, 400, 120), (100, 1500, 100), (31, 77, 53)]:
        a, b = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
        exact = reference(a, b)
        theirs = np.abs(torch.mm(torch.from_numpy(a), torch.from_numpy(b)).numpy() - exact).mean()
        assert np.abs(product(a, b) - exact).mean() <= 2 * theirs


def in_guarded_memory() -> None:
    rng = np.random.default_rng(10)
    for side in ("before", "after"):
        for m, k, n in [(1, 1, 1), (5, 7, 3), (9, 20, 49), (64, 84, 10), (70, 520, 100)]:
            a, b = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
            bias = guarded(random(rng, (n,), np.float32), side)
            out = guarded(np.empty((m, n), np.float32), side)
            at, bt = guarded(a.T.copy(), side).T, guarded(b.T.copy(), side).T
            for left in (guarded(a, side), at, at[::-1]):
                for right in (guarded(b, side), bt):
                    matmul(left, right, out)
                    assert close(out, left, right)
            linear_forward(at, bt.T, bias, out)
            integers = guarded(a.astype(np.int64), side), guarded(b.astype(np.int64), side)
            whole = guarded(np.empty((m, n), np.int64), side)
            matmul(*integers, whole)
            assert np.array_equal(whole, reference(*integers))


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_contraction", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
