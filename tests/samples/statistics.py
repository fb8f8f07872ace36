"""Samples: reductions made of others."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import statistics
from samples.reduce import CASES, EMPTY, deviation, over, variance
from samples.sample import ErrorSample, Input, Sample, apart, given, real, truth, whole

HOLES = given([[1.0, np.nan, 2.0], [np.nan, -4.0, np.nan], [0.5, -1.0, 3.0]])
NOTHING = given([[1.0, 2.0], [np.nan, np.nan]])
WITH_DIMS = [case for case in CASES if case[0] not in ((), (1,), (2, 1, 4))]


def with_mean(fold) -> object:
    spread, centre = over(fold), over(np.mean)

    def reference(x, dim=None, keepdim=False, correction=1):
        return spread(x, dim, keepdim, correction=correction), centre(x, dim, keepdim)

    return reference


def aminmax(x, dim=None, keepdim=False):
    return over(np.min)(x, dim, keepdim), over(np.max)(x, dim, keepdim)


def count(x, axis, keepdims=False):
    return np.count_nonzero(x, axis=axis) if x.ndim else np.array(int(x != 0))


def zeros_and_ones(*shape: int) -> Input:
    return Input(shape, lambda rng, shape: rng.integers(0, 2, shape) * 1.5, False)


SAMPLES = (
    *(
        Sample(
            f"{name} {list(shape)} {kwargs}", getattr(statistics, name), (real(*shape),), with_mean(fold), name, kwargs
        )
        for name, fold in (("std_mean", deviation), ("var_mean", variance))
        for shape, kwargs in [*WITH_DIMS, ((3, 4), {"dim": 0, "correction": 0})]
    ),
    *(
        Sample(f"{name} {list(shape)} {kwargs}", getattr(statistics, name), (real(*shape),), over(fold), name, kwargs)
        for name, fold in (("nansum", np.nansum), ("nanmean", np.nanmean))
        for shape, kwargs in CASES
    ),
    *(
        Sample(f"nansum {list(shape)} {kwargs}", statistics.nansum, (real(*shape),), over(np.nansum), "nansum", kwargs)
        for shape, kwargs in EMPTY
    ),
    *(
        Sample(f"{name} of holes {kwargs}", getattr(statistics, name), (HOLES,), None, name, kwargs, 1, "nan is in it")
        for name in ("nansum", "nanmean")
        for kwargs in ({}, {"dim": 1}, {"dim": (0, 1), "keepdim": True})
    ),
    Sample("nansum of ints", statistics.nansum, (whole(5),), np.sum, "nansum"),
    Sample(
        "nanmean of ints as floats",
        lambda x: statistics.nanmean(x, dtype="float64"),
        (whole(5),),
        np.mean,
        lambda torch, x: x.double().nanmean(),
    ),
    Sample(
        "nanmean of nothing", statistics.nanmean, (NOTHING,), None, "nanmean", {"dim": 1}, 0, "PyTorch's slope is nan"
    ),
    *(
        Sample(
            f"count_nonzero {list(shape)} {dim}",
            statistics.count_nonzero,
            (source(*shape),),
            over(count),
            "count_nonzero",
            {"dim": dim} if dim is not None else {},
            0,
            "a count has no gradient",
        )
        for source in (zeros_and_ones,)
        for shape, dim in (((3, 4), None), ((3, 4), 1), ((2, 3, 4), (0, -1)), ((), None), ((0, 3), 0))
    ),
    Sample(
        "count_nonzero of bools", statistics.count_nonzero, (truth(3, 4),), over(count), "count_nonzero", {"dim": 0}
    ),
    Sample("count_nonzero of nan", statistics.count_nonzero, (HOLES,), over(count), "count_nonzero", {}, 0, "a count"),
    *(
        Sample(f"aminmax {list(shape)} {kwargs}", statistics.aminmax, (apart(*shape),), aminmax, "aminmax", kwargs)
        for shape, kwargs in CASES
        if not isinstance(kwargs.get("dim"), tuple)
    ),
    Sample("aminmax of ints", statistics.aminmax, (whole(9),), aminmax, "aminmax"),
)

ERRORS = (
    ErrorSample(
        "std_mean of ints", statistics.std_mean, (whole(3),), DTypeError, "std: input must be a floating point"
    ),
    ErrorSample(
        "nanmean of ints", statistics.nanmean, (whole(3),), DTypeError, "nanmean: input must be a floating point"
    ),
    ErrorSample("nansum, no such dim", statistics.nansum, (real(3), 1), IndexOutOfRangeError, "dim 1 is out of range"),
    ErrorSample(
        "aminmax of nothing", statistics.aminmax, (real(0),), ShapeError, "amin: dimension 0 of input is empty"
    ),
    ErrorSample(
        "aminmax, several dims",
        lambda x: statistics.aminmax(x, dim=(0, 1)),
        (real(2, 3),),
        DTypeError,
        "aminmax: dim must be an integer",
    ),
)
