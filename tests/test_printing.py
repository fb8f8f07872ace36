"""What tensors print as, and set_printoptions: PyTorch's text, but for the names of dtypes and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError

RNG = np.random.default_rng(0)
SHAPES = [(), (3,), (30,), (4, 5), (3, 20), (2, 3, 4), (2, 2, 2, 2)]
ARRAYS: dict[str, Any] = {
    **{
        f"real {shape}": RNG.standard_normal(shape)
        for shape in [(), (3,), (30,), (4, 5), (3, 20), (2, 3, 4), (2, 2, 2, 2)]
    },
    **{f"summarized {shape}": RNG.standard_normal(shape) for shape in [(2000,), (50, 60), (3, 7, 90), (1, 1, 1000, 2)]},
    "wide": RNG.standard_normal((5, 5)) * 1e5,
    "huge": RNG.standard_normal((5, 5)) * 1e9,
    "huge and whole": np.array([1e9, 2e9]),
    "tiny": np.array([1e-7, 0.0]),
    "far apart": np.array([1e-5, 1.0]),
    "whole and far apart": np.arange(2000.0),
    "whole": np.arange(40.0),
    "not finite": np.array([1.5, np.nan, np.inf, -np.inf]),
    "whole and not finite": np.array([1.0, np.nan, np.inf, -np.inf]),
    "nothing but nan": np.full((2, 2), np.nan),
    "zeros": np.array([0.0, -0.0]),
    "integers": RNG.integers(-1000, 10**6, (20, 30)),
    "many integers": np.arange(2000),
    "a large integer": np.array([2**62, 1]),
    "an integer": np.array(7),
    "bools": RNG.random((3, 40)) < 0.5,
    "a bool": np.array(True),
    "empty": np.zeros(0),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"precision": 2},
    {"sci_mode": True},
    {"sci_mode": False},
    {"linewidth": 40},
    {"threshold": 5, "edgeitems": 1},
    {"profile": "full", "linewidth": 120},
    {"profile": "short", "precision": 3},
]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    ag.set_printoptions(profile="default")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_pytorch(options: dict[str, Any], torch: Any) -> None:
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    ag.set_printoptions(**options)
    try:
        for name, array in ARRAYS.items():
            array = array.astype(np.float32) if array.dtype.kind == "f" else array
            x, other = ag.tensor(array), torch.tensor(array)
            assert repr(x) == repr(other), name
            if array.dtype.kind == "f":
                assert repr(x.requires_grad_()) == repr(other.requires_grad_()), name
    finally:
        torch.set_printoptions(profile="default")


def test_dtypes_and_empty_shapes_are_named() -> None:
    assert repr(ag.zeros(2, dtype=ag.float64)) == "tensor([0., 0.], dtype=float64)"
    assert repr(ag.zeros(0, 3, dtype=ag.int32)) == "tensor([], size=(0, 3), dtype=int32)"
    assert repr(ag.zeros(1, dtype=ag.float64, requires_grad=True)) == "tensor([0.], dtype=float64, requires_grad=True)"


def test_what_is_not_told_stays() -> None:
    ag.set_printoptions(precision=2, sci_mode=True)
    ag.set_printoptions(edgeitems=1)
    options = ag.get_printoptions()
    assert (options["precision"], options["edgeitems"], options["sci_mode"]) == (2, 1, None)


def test_unknown_profile() -> None:
    with pytest.raises(ArgumentError, match="one of default, short, full, got 'long'"):
        ag.set_printoptions(profile="long")
