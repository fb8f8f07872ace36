"""Samples: what is found or counted."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import find
from samples.sample import ErrorSample, Input, Sample, given, real, truth, whole

WHY = "places and counts have no gradient"


def holes(*shape: int) -> Input:
    """Zeros among other numbers."""
    return Input(shape, lambda rng, shape: rng.integers(-1, 2, shape) * 0.5, False)


def bytes_of(*shape: int) -> Input:
    return Input(shape, lambda rng, shape: rng.integers(0, 4, shape).astype(np.uint8), False)


def argwhere(x: np.ndarray) -> np.ndarray:
    return np.argwhere(x) if x.ndim else np.zeros((int(x != 0), 0), int)


def counts(n: int) -> Input:
    return whole(n, low=0, high=9)


SOURCES = (
    *(("reals", holes(*shape)) for shape in ((), (7,), (3, 4), (2, 3, 4), (0, 3), (3, 0))),
    ("zeros", given(np.zeros((2, 3)), grad=False)),
    ("special", given([np.nan, -0.0, np.inf, 0.0], grad=False)),
    ("ints", whole(20, low=-1, high=2)),
    ("bools", truth(4, 5)),
    ("bytes", bytes_of(9)),
)

SAMPLES = (
    *(
        Sample(
            f"{name} of {kind} {list(source.shape)}", getattr(find, name), (source,), argwhere, name, order=0, why=WHY
        )
        for name in ("nonzero", "argwhere")
        for kind, source in SOURCES
    ),
    *(
        Sample(
            f"where alone of {kind} {list(source.shape)}",
            find.where,
            (source,),
            lambda x: np.nonzero(np.atleast_1d(x)),
            "where",
            order=0,
            why=WHY,
        )
        for kind, source in SOURCES
    ),
    Sample("nonzero large", find.nonzero, (truth(3, 4),), argwhere, "nonzero", large=(truth(400, 500),)),
    Sample("where of three", find.where, (truth(3), real(3), real(3)), np.where, "where"),
    *(
        Sample(
            f"bincount {n} {kwargs}",
            find.bincount,
            (counts(n),),
            lambda x, minlength=0: np.bincount(x, None, minlength),
            "bincount",
            kwargs,
        )
        for n, kwargs in ((0, {}), (0, {"minlength": 3}), (20, {}), (20, {"minlength": 30}))
    ),
    Sample("bincount of bytes", find.bincount, (bytes_of(20),), np.bincount, "bincount"),
    *(
        Sample(f"bincount weights {i}", find.bincount, (counts(20), weights), np.bincount, "bincount", order=0, why=WHY)
        for i, weights in enumerate((real(20, grad=False), whole(20)))
    ),
    *(
        Sample(f"isin {list(x.shape)} {list(y.shape)} {kwargs}", find.isin, (x, y), np.isin, "isin", kwargs)
        for x, y, kwargs in (
            (whole(3, 4), whole(5), {}),
            (whole(3, 4), whole(5), {"invert": True}),
            (whole(), whole(40), {}),
            (whole(0), whole(4), {}),
            (whole(4), whole(0), {}),
            (whole(4), given(np.array([1.0, 2.0]), grad=False), {}),
        )
    ),
    Sample(
        "isin of nan",
        find.isin,
        (given([np.nan, 1.0], False), given([np.nan, 1.0], False)),
        np.isin,
        "isin",
        {},
        0,
        WHY,
    ),
    Sample(
        "isin, a number",
        lambda x: find.isin(x, 2),
        (whole(9),),
        lambda x: np.isin(x, 2),
        lambda torch, x: torch.isin(x, 2),
    ),
    Sample(
        "number isin",
        lambda x: find.isin(2, x),
        (whole(9),),
        lambda x: np.isin(2, x),
        lambda torch, x: torch.isin(2, x),
    ),
)

ERRORS = (
    ErrorSample("nonzero of a number", find.nonzero, (3,), DTypeError, "nonzero: takes a tensor, got int"),
    ErrorSample("where, one of two", find.where, (truth(3), real(3)), ArgumentError, "where: .* got only input"),
    ErrorSample("bincount of reals", find.bincount, (real(3),), DTypeError, "bincount: input must hold integers"),
    ErrorSample(
        "bincount of a matrix", find.bincount, (whole(3, 3),), ShapeError, r"one dimension, got shape \[3, 3\]"
    ),
    ErrorSample("bincount below 0", find.bincount, (given([1, -2]),), ArgumentError, "no negative numbers, got -2"),
    ErrorSample(
        "bincount minlength", find.bincount, (counts(3), None, -1), ArgumentError, "minlength must be at least 0"
    ),
    ErrorSample(
        "bincount weights", find.bincount, (counts(3), real(2)), ShapeError, r"weights has shape \[2\], input has"
    ),
    ErrorSample("isin of numbers", find.isin, (1, 2), DTypeError, "isin: needs at least one tensor, got int, int"),
)
