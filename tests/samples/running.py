"""Samples: largest and smallest values so far, and differences of neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import running
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

SHAPES = (((5,), 0), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((), 0), ((1,), 0), ((0, 3), 0), ((3, 0), 1))
SPECIAL = given([[1.0, 3.0, 3.0, np.nan, 9.0, np.nan], [-0.0, 0.0, -1.0, np.inf, -np.inf, 2.0]])


def along(better: Callable) -> Callable:
    """The best value so far and the last place that had it, number by number."""

    def of_line(line: np.ndarray) -> tuple[list[float], list[int]]:
        best, place = line[0], 0
        values, places = [], []
        for i, value in enumerate(line):
            if np.isnan(value) or better(value, best):
                best, place = value, i
            values.append(best)
            places.append(place)
        return values, places

    def reference(x: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray]:
        values, places = np.empty_like(x), np.zeros(x.shape, int)
        if x.ndim == 0:
            return x, places
        lines, filled, found = (np.moveaxis(a, dim, -1) for a in (x, values, places))
        for i in np.ndindex(lines.shape[:-1]) if x.size else ():
            filled[i], found[i] = of_line(lines[i])
        return values, places

    return reference


def both(name: str, better: Callable) -> list[Sample]:
    op, reference = getattr(running, name), along(better)
    return [
        *(Sample(f"{name} {list(s)} {d}", op, (apart(*s),), reference, name, {"dim": d}) for s, d in SHAPES),
        Sample(f"{name} special", op, (SPECIAL,), reference, name, {"dim": 1}, order=1, why="nan and ties"),
        Sample(f"{name} of ints", op, (whole(20),), reference, name, {"dim": 0}),
        Sample(f"{name} of bools", op, (truth(20),), reference, name, {"dim": 0}),
        *(
            Sample(f"{name} large {d}", op, (apart(3, 4),), reference, name, {"dim": d}, large=(real(300, 200),))
            for d in (0, 1)
        ),
    ]


def diff(x: np.ndarray, n: int = 1, dim: int = -1) -> np.ndarray:
    return np.diff(x, n, dim)


SAMPLES = (
    *both("cummax", np.greater_equal),
    *both("cummin", np.less_equal),
    *(
        Sample(f"diff {list(shape)} {kwargs}", running.diff, (real(*shape),), diff, "diff", kwargs)
        for shape, kwargs in (
            ((5,), {}),
            ((5,), {"n": 2}),
            ((3, 4), {"dim": 0}),
            ((3, 4), {"n": 3, "dim": 1}),
            ((2,), {"n": 3}),
            ((3,), {"n": 0}),
            ((0, 3), {"dim": 0}),
            ((2, 0, 3), {"dim": 2}),
        )
    ),
    Sample(
        "diff between",
        lambda x, before, after: running.diff(x, 1, 1, before, after),
        (real(3, 4), real(3, 1), real(3, 2)),
        lambda x, before, after: np.diff(x, 1, 1, before, after),
        lambda torch, x, before, after: torch.diff(x, 1, 1, before, after),
    ),
    Sample("diff of ints", running.diff, (whole(9),), diff, "diff"),
    Sample("diff of bools", running.diff, (truth(9),), diff, "diff"),
)

ERRORS = (
    ErrorSample("cummax, no such dim", running.cummax, (real(3), 1), IndexOutOfRangeError, "cummax: dim 1 is out of"),
    ErrorSample("cummin of a number", running.cummin, (3.0, 0), DTypeError, "cummin: takes a tensor, got float"),
    ErrorSample("diff of 0-d", running.diff, (real(),), ShapeError, "diff: input must have at least one dimension"),
    ErrorSample("diff backwards", running.diff, (real(3), -1), ArgumentError, "diff: n must be at least 0, got -1"),
    ErrorSample("diff, n a float", running.diff, (real(3), 1.0), DTypeError, "diff: n must be an integer, got float"),
)
