"""Matrix products against float64 arithmetic written out, in every layout."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.kernels.cpu.contraction import RELU, linear_forward, matmul

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
    # Few rows: lines of a large b are streamed, in parts, strips and groups.
    *((1, k, 2000) for k in (66, 67, 70)),
    (1, 1030, 257),
    (1, 130, 5000),
    (2, 531, 1000),
    # A smaller b stays in place.
    *((m, k, 300) for m in (1, 3, 4, 5) for k in (3, 4, 9, 70)),
    (1, 6000, 5),
    # b in place, in blocks of a few lines or many.
    (8, 200, 700),
    (20, 300, 70),
    (40, 3, 200),
    # Outer products.
    (40, 1, 30),
    (300, 1, 400),
    # Few outputs: the sum is cut into parts.
    (3, 5000, 7),
    (1, 9000, 1),
    (64, 3000, 33),
    # Blocked in every direction.
    (150, 450, 400),
]


BENCHMARKED = [
    *((str(n),) * 3 for n in (128, 256, 512, 1024)),
    *(tuple(shape.split()) for shape in ("2048 256 64", "64 4096 1024", "64 64 64", "1 4096 512", "64 20000 64")),
    *((m, k, n) for m in ("1", "8", "32", "128") for k, n in (("784", "256"), ("256", "128"), ("128", "10"))),
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
        # The same operands, each also stored column by column.
        turned_a, turned_b = a.T.copy().T, b.T.copy().T
        for left, right in ((turned_a, b), (a, turned_b), (turned_a, turned_b)):
            assert close(product(left, right), a, b), (m, k, n)


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


@pytest.mark.parametrize("dtype", FLOATS)
def test_relu_after_linear(dtype: type) -> None:
    rng = np.random.default_rng(11)
    for m, k, n in [(1, 30, 10), (2, 9, 300), (1, 500, 300), (4, 1, 9), (3, 5000, 7), (64, 400, 120), (5, 7, 1)]:
        x, weight, bias = random(rng, (m, k), dtype), random(rng, (n, k), dtype), random(rng, (n,), dtype)
        x[0, 0] = np.nan
        for right in (weight, weight.T.copy().T):
            plain, clipped = Canaries((m, n), dtype), Canaries((m, n), dtype)
            linear_forward(x, right, bias, plain.out)
            linear_forward(x, right, bias, clipped.out, RELU)
            assert np.isnan(clipped.out[0]).all()
            assert np.array_equal(clipped.out, np.where(plain.out <= 0, 0, plain.out), equal_nan=True)
            assert clipped.alive()


@pytest.mark.parametrize("shape", [(9, 11, 50), (9, 1, 50), (1, 40, 300), (1, 450, 300), (40, 200, 90), (3, 4000, 5)])
def test_nothing_beside_a_view_is_used(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(12)
    m, k, n = shape
    for turned_a in (False, True):
        for turned_b in (False, True):
            a = np.full((k + 5, m + 3) if turned_a else (m + 5, k + 3), np.nan, np.float32)
            b = np.full((n + 5, k + 3) if turned_b else (k + 5, n + 3), np.nan, np.float32)
            a, b = (a.T if turned_a else a)[2 : 2 + m, 1 : 1 + k], (b.T if turned_b else b)[2 : 2 + k, 1 : 1 + n]
            a[...], b[...] = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
            assert close(product(a, b), a, b)


def test_fields_of_records() -> None:
    rng = np.random.default_rng(13)
    a = np.zeros((5, 7), [("kind", np.int8), ("value", np.float32)])["value"]
    a[...] = random(rng, a.shape, np.float32)
    b = random(rng, (7, 6), np.float32)
    assert close(product(a, b), a, b)
    assert close(product(b.T, a.T), b.T, a.T)


def test_operands_that_must_not_be_written() -> None:
    rng = np.random.default_rng(14)
    a, b = random(rng, (9, 40), np.float32), random(rng, (40, 300), np.float32)
    a.flags.writeable = b.flags.writeable = False
    assert close(product(a, b), a, b)


def test_batches_share_operands() -> None:
    rng = np.random.default_rng(15)
    for a_shape, b_shape in [
        ((6, 5, 7), (7, 4)),
        ((5, 7), (6, 7, 4)),
        ((2, 1, 5, 7), (3, 7, 4)),
        ((3, 1, 5, 7), (1, 2, 7, 4)),
        ((4, 3, 1, 40), (40, 1)),
        ((2, 3, 1, 4), (2, 1, 4, 300)),
    ]:
        a, b = random(rng, a_shape, np.float32), random(rng, b_shape, np.float32)
        batch = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
        canaries = Canaries((*batch, a_shape[-2], b_shape[-1]), np.float32)
        matmul(a, b, canaries.out)
        wide_a, wide_b = np.broadcast_to(a, batch + a.shape[-2:]), np.broadcast_to(b, batch + b.shape[-2:])
        assert close(canaries.out, wide_a, wide_b)
        assert canaries.alive()


def test_same_bits_for_every_thread_count() -> None:
    rng = np.random.default_rng(8)
    for m, k, n in [
        (64, 400, 120),
        (300, 700, 10),
        (33, 600, 130),
        (5, 2000, 400),
        (1, 3000, 900),
        (7, 9000, 8),
        (300, 1, 400),
    ]:
        a, b = random(rng, (m, k), np.float32), random(rng, (k, n), np.float32)
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            before = numba.get_num_threads()
            numba.set_num_threads(threads)
            results.append(product(a, b))
            numba.set_num_threads(before)
        assert np.array_equal(*results)


@pytest.mark.parametrize("shape", BENCHMARKED, ids="x".join)
def test_error_is_at_most_pytorchs(torch, shape: tuple[str, ...]) -> None:
    rng = np.random.default_rng(9)
    m, k, n = map(int, shape)
    ours = theirs = 0.0
    for _ in range(max(1, 20000 // (m * n))):
        a, b = rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32)
        exact = a.astype(np.float64) @ b.astype(np.float64)
        for left, right in ((a, b), (a.T.copy().T, b), (a, b.T.copy().T)):
            peer = torch.mm(torch.from_numpy(left), torch.from_numpy(right)).numpy()
            ours += np.square(product(left, right) - exact).sum()
            theirs += np.square(peer - exact).sum()
    # Where both add in one order the errors are the same; one in a hundred allows for those that differ by chance.
    assert ours <= 1.01 * theirs


def in_guarded_memory() -> None:
    rng = np.random.default_rng(10)
    for side in ("before", "after"):
        for m, k, n in [
            (1, 1, 1),
            (5, 7, 3),
            (9, 20, 49),
            (64, 84, 10),
            (70, 520, 100),
            (1, 40, 300),
            (1, 450, 301),
            (2, 5000, 3),
        ]:
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


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    a, b = np.ones((2, 3), np.float32), np.ones((3, 2))
    with pytest.raises(DTypeError, match=r"matmul: all arrays must have one dtype, got float32, float64, float32"):
        matmul(a, b, np.empty((2, 2), np.float32))
    with pytest.raises(DTypeError):
        linear_forward(a, np.ones((2, 3), np.float32), np.ones(2), np.empty((2, 2), np.float32))
    with pytest.raises(ArgumentError, match=r"matmul: out must be contiguous"):
        matmul(a, b.astype(np.float32), np.empty((2, 4), np.float32)[:, ::2])


@pytest.mark.parametrize("dtype", FLOATS)
def test_empty_products(dtype: type) -> None:
    for m, k, n in itertools.product((0, 1, 257), repeat=3):
        for a in (np.ones((m, k), dtype), np.ones((k, m), dtype).T):
            for b in (np.ones((k, n), dtype), np.ones((n, k), dtype).T):
                np.testing.assert_array_equal(product(a, b), np.full((m, n), k, dtype))
    out = np.empty((2, 3), np.float32)
    linear_forward(np.ones((2, 0), np.float32), np.ones((3, 0), np.float32), np.float32([1, -1, 2]), out, RELU)
    np.testing.assert_array_equal(out, [[1, 0, 2], [1, 0, 2]])
