"""How pointwise kernels walk through arrays: broadcasting, layouts, threads, small arrays past the dispatcher."""

import importlib
import math
import sys

import numba
import numpy as np
import pytest

from autograd_cnn.kernels.cpu import activation, copying, elementwise, fingerprint, pointwise
from autograd_cnn.kernels.cpu.jit import GRAIN
from autograd_cnn.kernels.cpu.pointwise import broadcast_plan

FLOATS = [np.float32, np.float64]


def kernel(name):
    return getattr(elementwise, name, None) or getattr(activation, name)


SHAPES = [
    ((), ()),
    ((), (3,)),
    ((3,), ()),
    ((1, 1), (2, 3)),
    ((0,), ()),
    ((0, 3), (3,)),
    ((2, 0, 4), (1, 4)),
    ((4, 5), (5,)),
    ((4, 5), (4, 1)),
    ((4, 1), (1, 5)),
    ((2, 3, 4, 5), (1, 3, 1, 1)),
    ((3, 1, 1), (2, 3, 4, 5)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
    ((2, 3, 4), (2, 1, 4)),
    ((2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2)),
    ((20, 7001), (20, 1)),
    ((1, 70001), (2, 1)),
    ((3, 20000), (20000,)),
]


@pytest.mark.parametrize(("x_shape", "y_shape"), SHAPES)
def test_broadcasting(x_shape, y_shape):
    random = np.random.default_rng(5)
    x, y = random.normal(size=x_shape), random.normal(size=y_shape)
    out = np.full(np.broadcast_shapes(x_shape, y_shape), np.nan)
    elementwise.sub(x, y, out)
    np.testing.assert_array_equal(out, x - y)
    condition = random.random(x_shape) > 0.5
    elementwise.where(condition, x, y, out)
    np.testing.assert_array_equal(out, np.where(condition, x, y))
    one, two = np.array(1.0), np.array(2.0)
    for left, right in [(one, y), (x, two), (one, two)]:
        elementwise.where(condition, left, right, out)
        np.testing.assert_array_equal(out, np.broadcast_to(np.where(condition, left, right), out.shape))


def test_broadcast_plan_merges_dimensions():
    np.testing.assert_array_equal(
        broadcast_plan((2, 3, 4, 5), (1, 3, 1, 1)), [[1, 2, 3, 20], [0, 60, 20, 1], [0, 0, 1, 0]]
    )
    np.testing.assert_array_equal(broadcast_plan((6, 2, 5), (2, 5))[0], [1, 1, 6, 10])
    assert broadcast_plan((2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2)) is None


@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: a[1:, 1:]])
def test_layouts(view):
    random = np.random.default_rng(6)
    x, y = view(random.normal(size=(6, 6))), view(random.normal(size=(6, 6)))
    out = np.empty(x.shape)
    before = x.copy()
    elementwise.sub(x, y, out)
    np.testing.assert_array_equal(out, x - y)
    elementwise.neg(x, out)
    np.testing.assert_array_equal(out, -x)
    elementwise.clamp(x, -0.5, 0.5, out)
    np.testing.assert_array_equal(out, np.clip(x, -0.5, 0.5))
    np.testing.assert_array_equal(x, before)
    total = view(np.ones((6, 6)))
    elementwise.add_(total, x)
    np.testing.assert_array_equal(total, 1 + x)


def test_accumulation():
    a, b = np.ones((3, 4), np.float32), np.arange(4, dtype=np.float32)
    elementwise.add_(a, b)
    np.testing.assert_array_equal(a, np.tile(1 + b, (3, 1)))
    elementwise.add_(a, a)
    np.testing.assert_array_equal(a, np.tile(2 + 2 * b, (3, 1)))
    copying.fill(a, 7)
    assert (a == 7).all()
    counts = np.empty((3, 4), np.int64)
    copying.copy(a, counts)
    assert (counts == 7).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_same_bits_for_any_number_of_threads(dtype):
    n = 2 * GRAIN + 7
    x = np.random.default_rng(7).normal(0, 5, n).astype(dtype)
    y = np.random.default_rng(8).normal(0, 5, n).astype(dtype)
    rows = x[: n // 7 * 7].reshape(-1, 7)
    threads = numba.get_num_threads()

    def results():
        yield from (run(kernel(name), x) for name in ("exp", "log1p", "tanh", "gelu", "erf"))
        yield from (run(kernel(name), x, y) for name in ("add", "pow", "gelu_grad"))
        yield run(elementwise.mul, rows, y[:7])

    def run(f, *arrays):
        out = np.empty_like(arrays[0])
        f(*arrays, out)
        return out.tobytes()

    try:
        outcomes = []
        for count in {1, threads}:
            numba.set_num_threads(count)
            outcomes.append(list(results()))
    finally:
        numba.set_num_threads(threads)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    piece = np.empty(1000, dtype)
    for name in ("exp", "log1p", "tanh", "gelu", "erf"):  # serial, against the parallel of the whole
        kernel(name)(x[500:1500], piece)
        assert piece.tobytes() == np.frombuffer(run(kernel(name), x), dtype)[500:1500].tobytes()


def test_the_cache_tells_formulas_of_different_sources_apart(tmp_path, monkeypatch):
    """A loop lies in another file than its formula: an edit of the formula must change the kernel's name."""

    def kernel_name(source):
        (tmp_path / "edited_formula.py").write_text(source)
        monkeypatch.setattr(fingerprint, "_STARTED", math.inf)
        monkeypatch.delitem(sys.modules, "edited_formula", raising=False)
        importlib.invalidate_caches()
        module = importlib.import_module("edited_formula")
        pointwise._sources.cache_clear()
        return pointwise.bound(pointwise.each, module.formula).__name__

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = "from autograd_cnn.kernels.cpu.jit import inline\n\n@inline\ndef formula(x):\n    return x + {}\n"
    first, second, again = (kernel_name(source.format(n)) for n in (1, 22, 1))
    assert first == again
    assert first != second


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (0, 3), (3, 0), (2, 3, 4)])
def test_flat_kernels_take_any_shape(dtype, shape):
    x, y = np.random.default_rng(3).normal(0, 1, (2, *shape)).astype(dtype)  # of shape (): NumPy's scalars
    out = np.empty(shape, dtype)
    elementwise.add(x, y, out)
    np.testing.assert_array_equal(out, x + y)


@pytest.mark.parametrize("dtype", FLOATS)
def test_flat_kernels_take_any_layout(dtype):
    whole = np.random.default_rng(4).normal(0, 1, (6, 8)).astype(dtype)
    frozen = whole.copy()
    frozen.setflags(write=False)
    # Not at a multiple of the size of an element.
    shifted = np.frombuffer(b"-" + whole.tobytes(), np.uint8)[1:].view(dtype).reshape(whole.shape)
    assert not shifted.flags.aligned
    for x in (whole.T, whole[::2, ::3], whole[::-1], np.broadcast_to(whole[0], (3, 8)), frozen, shifted):
        out = np.empty(x.shape, dtype)
        before = sys.getrefcount(x)
        elementwise.neg(x, out)
        np.testing.assert_array_equal(out, -x)
        assert sys.getrefcount(x) == before


def test_a_result_may_take_the_place_of_its_input() -> None:
    for kernel in (elementwise.sin, elementwise.cos, elementwise.tan, elementwise.exp, elementwise.sqrt):
        x = np.array([0.5, 1e20, 3.0, 1e8] * 20, np.float32)
        apart = np.empty_like(x)
        kernel(x, apart)
        kernel(x, x)
        np.testing.assert_array_equal(x, apart)


@pytest.mark.parametrize("n", [100, 2 * GRAIN])
def test_arrays_that_are_not_aligned(n: int) -> None:
    def unaligned(values: np.ndarray) -> np.ndarray:
        x = np.frombuffer(bytearray(b"-" + values.tobytes()), np.uint8)[1:].view(np.float32)
        assert not x.flags.aligned
        return x

    x, y = unaligned(np.arange(n, dtype=np.float32)), unaligned(np.full(n, 2, np.float32))
    rows = x.reshape(-1, 4)
    for kernel, operands, expected in (
        (elementwise.neg, (x,), -x),
        (elementwise.mul, (x, y), 2 * x),
        (elementwise.mul, (rows, y[:4]), 2 * rows),
    ):
        out = np.zeros(expected.shape, np.float32)
        kernel(*operands, out)
        np.testing.assert_array_equal(out, expected)
    elementwise.add_(y, x)
    np.testing.assert_array_equal(y, x + 2)
