"""Samples: whether tensors are close, and signs and infinities."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import closeness
from samples.sample import ErrorSample, Sample, given, real, truth, whole

WHY = "bools have no gradient"
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]
GRID = np.meshgrid([*SPECIAL, 1.0 + 1e-7, 1.0 + 1e-4, 1e-9], [*SPECIAL, 1.0, 1.00001])
LEFT, RIGHT = (given(grid.ravel(), grad=False) for grid in GRID)


def close(x, y, kwargs, name: str, large: tuple = ()) -> Sample:
    return Sample(f"isclose {name} {kwargs}", closeness.isclose, (x, y), np.isclose, "isclose", kwargs, 0, WHY, large)


def asked(name: str, reference) -> list[Sample]:
    op = getattr(closeness, name)
    sources = ("reals", given(SPECIAL, grad=False)), ("ints", whole(9)), ("bools", truth(9)), ("none", real(0, 3))
    return [
        *(Sample(f"{name} of {kind}", op, (x,), reference, name, order=0, why=WHY) for kind, x in sources),
        Sample(f"{name} large", op, (real(3, 4),), reference, name, order=0, why=WHY, large=(real(200, 300),)),
    ]


SAMPLES = (
    close(LEFT, RIGHT, {}, "special"),
    close(LEFT, RIGHT, {"equal_nan": True}, "special"),
    close(LEFT, RIGHT, {"rtol": 0.5, "atol": 0.1}, "special"),
    close(LEFT, RIGHT, {"rtol": 0.0, "atol": 0.0}, "special"),
    close(real(3, 4), real(4), {"atol": 0.5}, "broadcast", (real(200, 300), real(300))),
    close(real(0, 4), real(4), {"equal_nan": True}, "empty"),
    close(real(), real(), {}, "0-d"),
    close(whole(9), whole(9), {"atol": 2.0}, "ints"),
    close(truth(9), truth(9), {}, "bools"),
    *asked("isposinf", lambda x: np.isposinf(x.astype(float))),
    *asked("isneginf", lambda x: np.isneginf(x.astype(float))),
    *asked("signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0),
)

ERRORS = (
    ErrorSample(
        "isclose dtypes", closeness.isclose, (real(3), whole(3)), DTypeError, "other has dtype int64, input has"
    ),
    ErrorSample(
        "isclose shapes", closeness.isclose, (real(3), real(4)), ShapeError, r"isclose: shapes \[3\] and \[4\]"
    ),
    ErrorSample("allclose of a number", closeness.allclose, (real(3), 1.0), DTypeError, "allclose: takes a tensor"),
    ErrorSample("isclose rtol", closeness.isclose, (real(3), real(3), -1.0), ArgumentError, "rtol must be at least 0"),
    ErrorSample(
        "allclose atol", closeness.allclose, (real(3), real(3), 0.1, -1.0), ArgumentError, "allclose: atol must be"
    ),
    ErrorSample("equal to a number", closeness.equal, (real(3), 1.0), DTypeError, "equal: takes a tensor, got float"),
)
