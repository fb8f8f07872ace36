"""The kernels of recurrent layers: every way of sharing out the work, against step-by-step sums in float64."""

from __future__ import annotations

import numpy as np
import pytest
from guarded_memory import guarded, run_alone

from autograd_cnn.kernels import cpu as k
from autograd_cnn.kernels.cpu import recurrent

FLOATS = (np.float32, np.float64)
# samples, units, sizes of the steps: one tile, many, weights beyond a core's cache, a panel of one unit more
SHAPES = {
    "one": (1, 1, (1,)),
    "one step": (5, 19, (5,)),
    "one sample": (1, 33, (1,) * 4),
    "tiles": (23, 70, (23,) * 5),
    "packed": (19, 49, (19, 19, 12, 6, 5, 1)),
    "beyond the cache": (7, 257, (7,) * 3),
    "beyond the cache, packed": (9, 260, (9, 4, 1)),
}
GATES = {"rnn": 1, "gru": 3, "lstm": 4, "projected": 4}  # the last is an LSTM whose states are projected


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(kind, sums, h, c, weight, bias, rows):
    """One step on the samples that have it: their new states.  `bias` is the GRU's, or a projection."""
    part = h @ weight.T
    if kind == "rnn":
        return np.tanh(sums[rows] + part), c
    units = h.shape[1]
    if kind == "gru":
        x, inner = sums[rows], part[:, 2 * units :] + bias
        r, z = (sigmoid(x[:, i * units :][:, :units] + part[:, i * units :][:, :units]) for i in range(2))
        return (1 - z) * np.tanh(x[:, 2 * units :] + r * inner) + z * h, c
    i, f, g, o = np.split(sums[rows] + part, 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h @ bias.T if kind == "projected" else h, c


def reference(kind, sums, h, c, weight, bias, sizes, reverse):
    """All outputs and the last states."""
    sums, h, c, weight, bias = (array.astype(np.float64) for array in (sums, h, c, weight, bias))
    y = np.empty((len(sums), h.shape[1]))
    starts = np.cumsum(sizes) - sizes
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        size, rows = sizes[t], slice(starts[t], starts[t] + sizes[t])
        y[rows], c[:size] = forward(kind, sums, h[:size], c[:size], weight, bias, rows)
        h[:size] = y[rows]
    return y, h, c


def data(kind, shape, dtype, seed=0):
    samples, units, sizes = SHAPES[shape]
    rng = np.random.default_rng(seed)
    wide = GATES[kind] * units
    out = units // 2 + 1 if kind == "projected" else units
    last = (out, units) if kind == "projected" else (units,)
    shapes = (sum(sizes), wide), (samples, out), (samples, units), (wide, out), last
    scales = 1, 1, 1, units**-0.5, units**-0.5
    return [(rng.standard_normal(s) * scale).astype(dtype) for s, scale in zip(shapes, scales, strict=True)], sizes


def run(kind, sums, h, c, weight, bias, sizes, reverse, memory=np.array, empty=np.empty):
    """What the kernels compute: y, h_n, c_n, and the gradients for the gates' sums, h_0 and c_0 of y's sum."""
    (samples, out), units, rows, dtype = h.shape, c.shape[1], len(sums), sums.dtype
    gates, h, c, weight, bias = (memory(array) for array in (sums, h, c, weight, bias))
    y, states, cells = (empty((rows, n), dtype) for n in (out, out, units))
    h_n, c_n = empty((samples, out), dtype), empty((samples, units), dtype)
    g, gh, gc = memory(np.ones((rows, out), dtype)), *(memory(np.zeros((samples, n), dtype)) for n in (out, units))
    g_gates = empty(gates.shape, dtype)
    if kind == "rnn":
        y = gates
        k.rnn(y, h, weight, False, sizes, reverse, states, h_n)
        k.rnn_backward(g, y, weight, False, sizes, reverse, g_gates, gh)
    elif kind == "gru":
        g_inner = empty(gates.shape, dtype)
        k.gru(gates, h, weight, bias, sizes, reverse, cells, states, y, h_n)
        k.gru_backward(g, gates, cells, states, weight, sizes, reverse, g_gates, g_inner, gh)
    else:
        more = (bias, empty((rows, units), dtype)) if kind == "projected" else ()
        k.lstm(gates, h, c, weight, sizes, reverse, states, cells, y, h_n, c_n, *more)
        more = (bias, empty((rows, out), dtype)) if kind == "projected" else ()
        k.lstm_backward(g, gates, cells, weight, sizes, reverse, g_gates, gh, gc, *more)
    return [y, h_n, c_n, g_gates, gh, gc] if GATES[kind] == 4 else [y, h_n, g_gates, gh]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
def test_against_steps_in_double_precision(kind, shape, reverse, dtype):
    arrays, sizes = data(kind, shape, dtype)
    found = run(kind, *arrays, sizes, reverse)
    expected = reference(kind, *arrays, sizes, reverse)
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    for array, exact in zip(found, expected[: len(found) // 2], strict=False):
        np.testing.assert_allclose(array, exact, rtol=0, atol=tolerance)
    # A step against the gradient: the sum of y grows by its slope.
    rng = np.random.default_rng(1)
    moved = [1e-6 * rng.standard_normal(array.shape) for array in arrays[:3]]
    sums, h, c, *parameters = (array.astype(np.float64) for array in arrays)
    above, below = (
        reference(kind, sums + s * moved[0], h + s * moved[1], c + s * moved[2], *parameters, sizes, reverse)[0].sum()
        for s in (1, -1)
    )
    gradients = found[len(found) // 2 :]
    slope = sum(float((g.astype(np.float64) * m).sum()) for g, m in zip(gradients, moved, strict=False))
    size = sum(float(np.linalg.norm(g) * np.linalg.norm(m)) for g, m in zip(gradients, moved, strict=False))
    assert abs((above - below) / 2 - slope) < 1e-5 * size


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("shape", ["tiles", "packed", "beyond the cache"])
def test_the_same_bits_for_every_number_of_threads(kind, shape, same_bits):
    arrays, sizes = data(kind, shape, np.float32)
    same_bits(lambda: run(kind, *arrays, sizes, False))


def test_each_way_of_sharing_out_is_chosen_by_some_shape():
    ways = set()
    for samples, units, sizes in SHAPES.values():
        p = recurrent.plan(len(sizes), samples, sum(sizes), units, 4, units, 1, 0, "f")
        ways.add((p.parallel, p.by_units))
    assert ways == {(False, False), (True, False), (True, True)}


def test_a_walk_says_where_each_sample_goes_on():
    walk = recurrent.walk((3, 2, 2, 1), False)
    assert walk.table.tolist() == [[0, 3, 3, 2], [3, 2, 5, 2], [5, 2, 7, 1], [7, 1, 0, 0]]
    assert walk.first.tolist() == [0, 1, 2]
    back = recurrent.walk((3, 2, 2, 1), True)
    assert back.table.tolist() == [[7, 1, 5, 1], [5, 2, 3, 2], [3, 2, 0, 2], [0, 3, 0, 0]]
    assert back.first.tolist() == [7, 6, 2]


def beside_forbidden_pages() -> None:
    """Runs in a process of its own, which dies where a kernel reads or writes beside its arrays."""
    for kind in GATES:
        for shape in SHAPES:
            for reverse in (False, True):
                arrays, sizes = data(kind, shape, np.float32)
                expected = run(kind, *arrays, sizes, reverse)
                for side in ("after", "before"):
                    found = run(
                        kind, *arrays, sizes, reverse,
                        lambda array, side=side: guarded(array, side),
                        lambda shape, dtype, side=side: guarded(np.full(shape, np.nan, dtype), side),
                    )  # fmt: skip
                    for array, other in zip(found, expected, strict=True):
                        np.testing.assert_array_equal(array, other)


def test_nothing_beside_the_arrays_is_touched():
    process = run_alone("test_recurrent_kernels", "beside_forbidden_pages", False)
    assert process.stdout.strip() == "finished", process.stderr
