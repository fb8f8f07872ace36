"""The three gradients of a dense layer in one call, against float64 arithmetic."""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
import pytest
from guarded_memory import guarded, run_alone

from autograd_cnn.errors import ShapeError
from autograd_cnn.kernels.cpu.linear import linear_backward

FLOATS = (np.float32, np.float64)
SHAPES = [  # rows, outputs, inputs
    *product((1, 2, 5), (1, 3, 10), (1, 4, 17)),
    (1, 256, 784),
    (1, 128, 1600),  # lines of the weight are streamed
    (32, 10, 128),
    (33, 65, 129),
    (32, 256, 784),
    (128, 128, 256),
    (3000, 5, 2),  # the sum for the weight is cut into parts
    (20000, 10, 4),  # the sum over rows is on its own
    (7, 200, 3),
    (0, 3, 4),
    (4, 0, 3),
    (4, 3, 0),
]
WANTED = [some for some in product((False, True), repeat=3) if any(some)]


def check(g: np.ndarray, x: np.ndarray, weight: np.ndarray, wanted: tuple[bool, ...], outs: list[np.ndarray]) -> None:
    given = [out if want else None for out, want in zip(outs, wanted, strict=True)]
    for out in outs:
        out[...] = np.nan
    linear_backward(g, x if wanted[1] else None, weight if wanted[0] else None, *given)
    exact = g.astype(np.float64)
    expected = exact @ weight, exact.T @ x, exact.sum(0)
    sizes = np.abs(exact) @ np.abs(weight), np.abs(exact).T @ np.abs(x), np.abs(exact).sum(0)
    for out, right, size, want in zip(outs, expected, sizes, wanted, strict=True):
        if want:
            assert np.all(np.abs(out - right) <= 20 * np.finfo(g.dtype).eps * size)
        else:
            assert np.isnan(out).all()


def operands(shape: tuple[int, int, int], dtype: type) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    rows, outputs, inputs = shape
    sizes = (rows, outputs), (rows, inputs), (outputs, inputs)
    return [rng.uniform(-1, 1, size).astype(dtype) for size in sizes]


def results(g: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    sizes = (*x.shape,), (g.shape[1], x.shape[1]), g.shape[1:]
    return [np.empty(size, g.dtype) for size in sizes]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients(shape: tuple[int, int, int], dtype: type) -> None:
    g, x, weight = operands(shape, dtype)
    for wanted in WANTED:
        check(g, x, weight, wanted, results(g, x))


def test_any_layout() -> None:
    g, x, weight = operands((33, 40, 50), np.float32)
    layouts = [lambda a: a.T.copy().T, lambda a: a[::-1], lambda a: np.repeat(a, 2, 1)[:, ::2]]
    for change in layouts:
        check(change(g), change(x), change(weight), (True,) * 3, results(g, x))
    column = np.broadcast_to(g[:, :1], g.shape)
    check(column, x, weight, (True,) * 3, results(g, x))


def test_same_bits_for_any_number_of_threads() -> None:
    for shape in [(128, 256, 784), (1, 256, 784), (33, 65, 129), (3000, 5, 200)]:
        g, x, weight = operands(shape, np.float32)
        found = []
        before = numba.get_num_threads()
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            outs = results(g, x)
            linear_backward(g, x, weight, *outs)
            found.append(outs)
            numba.set_num_threads(before)
        assert all(map(np.array_equal, *found))


@pytest.mark.parametrize("changed", ["x", "weight"])
def test_an_operand_that_has_become_another_is_refused(changed: str) -> None:
    g, x, weight = operands((4, 3, 5), np.float32)
    outs = results(g, x)
    for other in (np.float64, (1, 5)):
        arrays = {"x": x, "weight": weight}
        arrays[changed] = arrays[changed].astype(other) if isinstance(other, type) else np.ones(other, np.float32)
        with pytest.raises(ShapeError, match=r"linear: an operand of shape .* has become"):
            linear_backward(g, arrays["x"], arrays["weight"], *outs)


def in_guarded_memory() -> None:
    for side, shape in product(
        ("before", "after"), [(1, 1, 1), (5, 7, 3), (33, 65, 129), (1, 130, 520), (70, 100, 30)]
    ):
        g, x, weight = operands(shape, np.float32)
        outs = [guarded(out, side) for out in results(g, x)]
        for wanted in WANTED:
            check(guarded(g, side), guarded(x, side), guarded(weight, side), wanted, outs)


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_linear_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
