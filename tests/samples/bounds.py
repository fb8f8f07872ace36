"""Samples: limits that are tensors, and the larger and smaller of two numbers past nan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.ops import bounds
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

NAN = np.nan
KINKS = (
    given([1.0, 2.0, 3.0, NAN, 1.0, np.inf, 5.0]),
    given([1.0, 3.0, 2.0, 1.0, NAN, -np.inf, 4.0]),
    given([2.0, 3.0, 2.0, 4.0, 3.0, np.inf, 3.0]),
)


def limit(x, low=None, high=None):
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def past_nan(name: str, reference: Callable) -> list[Sample]:
    op = getattr(bounds, name)
    near = real(4, low=0.01, high=0.04)
    return [
        Sample(f"{name}", op, (apart(3, 4), near), reference, name, large=(real(200, 300), real(300)), hazards=True),
        Sample(f"{name} one shape", op, (apart(4), near), reference, name, large=(real(200, 300), real(200, 300))),
        Sample(f"{name} 0-d", op, (apart(), real(low=0.01, high=0.04)), reference, name),
        Sample(f"{name} empty", op, (real(0, 4), real(4)), reference, name),
        Sample(f"{name} kinks", op, KINKS[:2], reference, name, order=1, why="kinks"),
        Sample(f"{name} int", op, (whole(9), whole(9)), reference, name),
        Sample(f"{name} bool", op, (truth(9), truth(9)), reference, name),
        Sample(f"{name} int and real", op, (whole(4), near), reference, name),
    ]


LOW, HIGH = real(4, low=-1.0, high=-0.9), real(3, 1, low=0.8, high=0.9)

SAMPLES = (
    Sample("clamp both", bounds.clamp, (apart(3, 4), LOW, HIGH), limit, "clamp", large=(real(200, 300),) * 3),
    Sample("clamp crossed", bounds.clamp, (apart(3, 4), HIGH, LOW), limit, "clamp"),
    Sample("clamp kinks", bounds.clamp, KINKS, limit, "clamp", order=1, why="kinks"),
    Sample("clamp 0-d", bounds.clamp, (apart(), real(), real()), limit, "clamp"),
    Sample("clamp empty", bounds.clamp, (real(0, 3), real(3), real(1)), limit, "clamp"),
    Sample(
        "clamp min alone",
        lambda x, low: bounds.clamp(x, min=low),
        (apart(3, 4), LOW),
        limit,
        lambda torch, x, low: x.clamp(min=low),
    ),
    Sample(
        "clamp max alone",
        lambda x, high: bounds.clamp(x, max=high),
        (apart(3, 4), HIGH),
        lambda x, high: limit(x, None, high),
        lambda torch, x, high: x.clamp(max=high),
    ),
    Sample(
        "clamp numbers",
        lambda x: bounds.clamp(x, -0.42),
        (apart(3, 4),),
        lambda x: limit(x, -0.42),
        None,
        why="as in rounding",
    ),
    Sample("clamp of ints", bounds.clamp, (whole(5, 4), whole(4), whole(4)), limit, "clamp"),
    Sample("clamp of ints by reals", bounds.clamp, (whole(5, 4), real(4), real(4)), limit, "clamp"),
    Sample("clamp_min", bounds.clamp_min, (apart(3, 4), LOW), np.maximum, "clamp_min"),
    Sample("clamp_max", bounds.clamp_max, (apart(3, 4), HIGH), np.minimum, "clamp_max"),
    Sample("clamp_min kinks", bounds.clamp_min, KINKS[:2], np.maximum, "clamp_min", order=1, why="kinks"),
    Sample("clamp_max kinks", bounds.clamp_max, KINKS[:2], np.minimum, "clamp_max", order=1, why="kinks"),
    Sample(
        "clamp_min number",
        lambda x: bounds.clamp_min(x, 1),
        (whole(9),),
        lambda x: np.maximum(x, 1),
        lambda torch, x: x.clamp_min(1),
    ),
    Sample(
        "clamp_max fraction",
        lambda x: bounds.clamp_max(x, 1.5),
        (whole(9),),
        lambda x: np.minimum(x, 1.5),
        lambda torch, x: x.clamp_max(1.5),
    ),
    Sample(
        "clamp_ by tensors",
        lambda x, low, high: bounds.clamp_(x * 1, low, high),
        (apart(3, 4), LOW, HIGH),
        limit,
        lambda torch, x, low, high: (x * 1).clamp_(low, high),
    ),
    *past_nan("fmax", np.fmax),
    *past_nan("fmin", np.fmin),
)

ERRORS = (
    ErrorSample("clamp shapes", bounds.clamp, (real(3), real(4)), ShapeError, r"clamp: shapes \[3\]"),
    ErrorSample("clamp bools", bounds.clamp, (truth(3), truth(3)), DTypeError, "clamp: takes numbers, got bool"),
    ErrorSample("clamp, one a text", bounds.clamp, (real(3), real(3), "a"), DTypeError, "clamp: takes tensors and"),
    ErrorSample("clamp_min of None", bounds.clamp_min, (real(3), None), ArgumentError, "clamp_min: min must be a"),
    ErrorSample("clamp_ ints", bounds.clamp_, (whole(3), real(3)), InPlaceError, "clamp in place: .* float32"),
    ErrorSample("fmax shapes", bounds.fmax, (real(3), real(4)), ShapeError, r"fmax: shapes \[3\] and \[4\]"),
)
