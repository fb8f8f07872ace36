"""gelu by pieces of the axis: lengths, places and neighbours make no difference, and nothing else is touched."""

from __future__ import annotations

import math

import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels.cpu.activation import gelu
from autograd_cnn.kernels.cpu.gelu_pieces import BLOCK, END

LENGTHS = (0, 1, 15, 16, 17, 63, 65, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 33, 70_000)


def sample(length: int, dtype: type) -> np.ndarray:
    """Most of it near 0, some of it below the last piece, some of it special."""
    rng = np.random.default_rng(length)
    x = rng.standard_normal(length).astype(dtype)
    chosen = rng.random(length) < 0.02
    x[chosen] = rng.uniform(-15, 15, np.count_nonzero(chosen))
    special = rng.random(length) < 0.01
    x[special] = rng.choice([np.nan, np.inf, -np.inf, -0.0, -END, np.nextafter(dtype(-END), dtype(-9))], special.sum())
    return x


def run(x: np.ndarray) -> np.ndarray:
    out = np.full_like(x, 7)
    gelu(x, out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", LENGTHS)
def test_each_number_alone(length: int, dtype: type) -> None:
    x = sample(length, dtype)
    y = run(x)
    some = np.random.default_rng(0).permutation(length)[:200]
    np.testing.assert_array_equal(y[some], [run(x[i : i + 1])[0] for i in some])
    np.testing.assert_array_equal(y[::-1], run(x[::-1].copy()))
    inplace = x.copy()
    gelu(inplace, inplace)
    np.testing.assert_array_equal(inplace, y)


def test_where_pieces_meet_and_end() -> None:
    centres = np.arange(0, 33, 0.5) * END / 31.47
    x = np.concatenate([np.nextafter(np.float32(c), np.float32([-20, 20])) for c in (*centres, *-centres)])
    x = np.concatenate([x, np.linspace(-14, 8, 20_000)]).astype(np.float32)
    exact = np.array([0.5 * value * math.erfc(-value / math.sqrt(2)) for value in x.tolist()])
    assert np.max(np.abs(run(x) - exact) / np.spacing(np.abs(exact).astype(np.float32))) < 4


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for length in LENGTHS[1:]:
            x = guarded(sample(length, np.float32), side)
            out = Canaries((length,), np.float32)
            gelu(x, out.out)
            assert out.alive()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_of_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_gelu_pieces", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
