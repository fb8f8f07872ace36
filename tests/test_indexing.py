"""Random keys: x[key] and x[key] = value must do what NumPy does, and raise where it raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import AutogradCnnError, DTypeError
from autograd_cnn.ops.pad import pad

SEEDS = range(40)
KEYS = 50


def random_shape(rng: np.random.Generator) -> tuple[int, ...]:
    smallest = int(rng.random() < 0.9)
    return tuple(int(n) for n in rng.integers(smallest, 5, rng.integers(1, 5)))


def random_part(rng: np.random.Generator, shape: tuple[int, ...], common: tuple[int, ...]) -> tuple[Any, int]:
    """One part of a key for the first of the dimensions of `shape`, and how many of them it takes."""
    size = shape[0]
    ends = [None, *range(-6, 7)]
    kind = rng.choice(["slice", "int", "none", "array", "mask"], p=[0.35, 0.1, 0.1, 0.25, 0.2])
    if kind == "slice":
        start, stop = (ends[rng.integers(len(ends))] for _ in range(2))
        return slice(start, stop, [None, 1, 2, 3][rng.integers(4)]), 1
    if kind == "int":
        return int(rng.integers(-size - 1, size + 1)), 1
    if kind == "none":
        return None, 0
    if kind == "array" and size:
        return rng.integers(-size, size, common), 1
    dims = int(rng.integers(1, min(2, len(shape)) + 1))
    return rng.random(shape[:dims]) < 0.5, dims


def random_key(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, ...]:
    common = [(1,), (2,), (3,), (2, 1)][rng.integers(4)]
    key: list[Any] = []
    done = 0
    while done < len(shape) and rng.random() < 0.85:
        part, dims = random_part(rng, shape[done:], common)
        key.append(part)
        done += dims
    arrays = any(isinstance(part, np.ndarray) for part in key)
    if arrays:
        # Beside arrays, ints go by PyTorch's rule: samples/index.py has those.
        key = [slice(part, part + 1) if isinstance(part, int) else part for part in key]
    elif rng.random() < 0.3:
        key.append(...)
    return tuple(key)


def outcome(read: Any) -> Any:
    try:
        return read()
    except (IndexError, ValueError) as error:
        return error


@pytest.mark.parametrize("seed", SEEDS)
def test_random_keys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(KEYS):
        shape = random_shape(rng)
        key = random_key(rng, shape)
        x = rng.standard_normal(shape)
        expected = outcome(lambda: x[key])  # noqa: B023
        found = outcome(lambda: ag.tensor(x)[key])  # noqa: B023
        if isinstance(expected, Exception):
            assert isinstance(found, AutogradCnnError), f"{shape} {key}: NumPy raises {expected}, found {found}"
            continue
        np.testing.assert_array_equal(found.numpy(), expected, err_msg=f"{shape} {key}", strict=True)
        value = rng.standard_normal(expected.shape)
        y = ag.tensor(x)
        y[key] = ag.tensor(value)
        x[key] = value
        np.testing.assert_array_equal(y.numpy(), x, err_msg=f"{shape} {key} = ...")


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5)], ids=repr)
def test_no_float_is_cut_to_fit_among_integers(value: float) -> None:
    x = ag.tensor([1, 2])
    for change in (lambda: ag.masked_fill(x, x > 1, value), lambda: x.masked_fill_(x > 1, value)):
        with pytest.raises(DTypeError, match=r"0.5.* cannot be put into a tensor of dtype int64"):
            change()
    with pytest.raises(DTypeError, match=r"pad: value .*0.5.* cannot be put into a tensor of dtype int64"):
        pad(x, (1, 1), value=value)
    assert x.tolist() == [1, 2]
