"""Indexing kernels against loops."""

import numpy as np
import pytest
from guarded_memory import guarded, run_alone

from autograd_cnn.kernels import cpu as kernels
from autograd_cnn.kernels.cpu.jit import GRAIN

DTYPES = [np.float32, np.float64, np.int64]
CASES = [  # shape of x, dim, shape of index
    ((5,), 0, (9,)),
    ((3, 4), 0, (6, 4)),
    ((3, 4), 1, (3, 2)),
    ((3, 4), 1, (2, 7)),
    ((3, 4, 5), 1, (3, 6, 5)),
    ((3, 4, 5), 0, (7, 2, 3)),
    ((3, 4, 5), 2, (2, 4, 0)),
    ((2, 300, 150), 1, (2, 200, 150)),
]


def sample(shape, dtype, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 10).astype(dtype)


def places(shape, high, seed=1):
    return np.random.default_rng(seed).integers(0, high, shape)


@pytest.mark.parametrize("dtype", [*DTYPES, bool])
@pytest.mark.parametrize(("shape", "dim", "index_shape"), CASES)
def test_gather(shape, dim, index_shape, dtype):
    x, index = sample(shape, dtype), places(index_shape, shape[dim])
    out = np.empty(index_shape, dtype)
    kernels.gather(x, dim, index, out)
    for at in np.ndindex(index_shape):
        assert out[at] == x[(*at[:dim], index[at], *at[dim + 1 :])]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "dim", "index_shape"), CASES)
def test_scatter_add(shape, dim, index_shape, dtype):
    out, index = sample(shape, dtype), places(index_shape, shape[dim])
    src = sample([size + 1 for size in index_shape], dtype, 2)
    want = out.copy()
    for at in np.ndindex(index_shape):
        want[(*at[:dim], index[at], *at[dim + 1 :])] += src[at]
    kernels.scatter_add(out, dim, index, src)
    np.testing.assert_array_equal(out, want)


def test_gather_and_scatter_add_of_a_scalar():
    x, index, out = np.array(3.0), np.array(0), np.empty(())
    kernels.gather(x, 0, index, out)
    assert out == 3
    kernels.scatter_add(out, 0, index, x)
    assert out == 6


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 50, 40_000])
def test_take_and_put_add(count, dtype):
    x, positions, values = sample((6, 7), dtype), places((count,), 42), sample((count,), dtype, 3)
    out = np.empty(count, dtype)
    kernels.take(x.T, positions, out)
    np.testing.assert_array_equal(out, x.T.ravel()[positions])
    want = x.copy()
    np.add.at(want.reshape(-1), positions, values)
    kernels.put_add(x, positions, values)
    np.testing.assert_array_equal(x, want)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 3, 400])
def test_index_select_and_index_add(dim, count):
    x, index = sample((6, 5, 70), np.float32).transpose(0, 1, 2), places((count,), 5)
    want = np.take(x, index, dim)
    out = np.empty(want.shape, np.float32)
    kernels.index_select(np.asfortranarray(x), dim, index, out)
    np.testing.assert_array_equal(out, want)
    want, got = x.copy(), x.copy()
    np.add.at(want.swapaxes(0, dim), index, out.swapaxes(0, dim))
    kernels.index_add(got, dim, index, out)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("ids_shape", [(), (7,), (4, 90), (0, 3)])
@pytest.mark.parametrize("padding_idx", [-1, 2])
def test_embedding(ids_shape, padding_idx):
    weight, ids = sample((11, 130), np.float32), places(ids_shape, 11)
    out, back = np.empty((*ids_shape, 130), np.float32), np.full(weight.shape, np.nan, np.float32)
    kernels.embedding(weight, ids, out)
    np.testing.assert_array_equal(out, weight[ids])
    kernels.embedding_grad(out, ids, padding_idx, back)
    want = np.zeros_like(weight)
    for at in np.ndindex(ids_shape):
        if ids[at] != padding_idx:
            want[ids[at]] += out[at]
    np.testing.assert_array_equal(back, want)


ROWS = [  # outer, rows, inner, entries, the largest row that is named
    (1, 1, GRAIN, 3, 1),
    (1, 5000, 17, 4000, 5000),
    (1, 5000, 300, 500, 5000),
    (1, 1025, 64, 3000, 2),  # nearly all in one bucket
    (3, 2048, 5, 9000, 2048),
    (70, 40, 30, 50, 40),
    (2, 70_000, 1, 50_000, 70_000),
    (1, 3, 2, 5, 3),
    (0, 5, 3, 4, 5),
    (2, 5, 0, 4, 5),
    (2, 5, 3, 0, 1),
]


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize("shape", ROWS, ids=str)
def test_rows_are_added_in_the_order_of_the_index(shape, dtype):
    outer, rows, inner, entries, high = shape
    out, index = sample((outer, rows, inner), dtype), places(entries, high)
    src = sample((outer, entries, inner), dtype, 2)
    want = out.copy()
    np.add.at(want, (slice(None), index), src)
    kernels.index_add(out, 1, index, src)
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("padding_idx", [-1, 0, 1999])
def test_embedding_grad_of_many_ids(padding_idx):
    ids, g = places((50, 90), 2000), sample((50, 90, 40), np.float32)
    ids[0] = padding_idx if padding_idx >= 0 else 3
    want, out = np.zeros((2000, 40), np.float32), np.full((2000, 40), np.nan, np.float32)
    np.add.at(want, ids, np.where((ids == padding_idx)[..., None], 0, g))
    kernels.embedding_grad(g, ids, padding_idx, out)
    np.testing.assert_array_equal(out, want)


def in_guarded_memory():
    for side in ("before", "after"):
        for shape, dim, index_shape in [*CASES, ((2, 3, 40_000), 1, (2, 5, 39_000)), ((90, 700), 1, (90, 800))]:
            x, index = guarded(sample(shape, np.float32), side), guarded(places(index_shape, shape[dim]), side)
            if index.size:
                out = guarded(np.full(index_shape, np.nan, np.float32), side)
                kernels.gather(x, dim, index, out)
                part = x[tuple(slice(None if d == dim else n) for d, n in enumerate(index_shape))]
                np.testing.assert_array_equal(out, np.take_along_axis(part, index, dim))
                kernels.scatter_add(x, dim, index, out)
        for outer, rows, inner, entries, high in ROWS[:-3]:
            out, index = (guarded(a, side) for a in (sample((outer, rows, inner), np.float32), places(entries, high)))
            src = guarded(sample((outer, entries, inner), np.float32, 2), side)
            want = out.copy()
            np.add.at(want, (slice(None), index), src)
            kernels.index_add(out, 1, index, src)
            np.testing.assert_array_equal(out, want)
            kernels.index_select(out, 1, index, src)
            np.testing.assert_array_equal(src, want[:, index])
            kernels.embedding_grad(src[0], index, 1, out[0])


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds):
    child = run_alone("test_index_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr


def test_check_range():
    index = places((4, 5), 7)
    assert kernels.check_range(index, 0, 7) == -1
    assert kernels.check_range(index[:0], 0, 7) == -1
    index[2, 1] = 7
    index[3, 0] = -1
    assert kernels.check_range(index, 0, 7) == 11
    assert kernels.check_range(index, 0, 8) == 15
    assert kernels.check_range(index, -1, 8) == -1
    assert kernels.check_range(index.T, 0, 7) == 3  # counted in the order of the argument


def test_same_bits_for_every_thread_count(same_bits):
    src, index = sample((3, 300, 200), np.float32), places((3, 300, 200), 10)
    many = places((3, 300), 3000)

    def compute():
        out, back = np.zeros((3, 10, 200), np.float32), np.empty((10, 200), np.float32)
        table, sums = np.empty((3000, 200), np.float32), np.ones((90, 3000), np.float32)
        kernels.embedding_grad(src, many, 5, table)
        kernels.index_add(sums, 1, many[0], src[0].T[:90])
        kernels.scatter_add(out, 1, index, src)
        kernels.embedding_grad(src, index[:, :, 0], -1, back)
        return out, back, table, sums

    same_bits(compute)
