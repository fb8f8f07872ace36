"""Samples: sorted lines, the first of them, and where the elements come from."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError
from autograd_cnn.ops import sort as sorting
from samples.sample import ErrorSample, Input, Sample, apart, given, real, truth, whole

CASES = (
    ((5,), {}),
    ((40,), {"descending": True}),
    ((3, 4), {"dim": 0}),
    ((3, 4), {"dim": 0, "descending": True}),
    ((2, 40, 3), {"dim": 1}),
    ((2, 3, 30), {"dim": -1, "descending": True}),
    ((20, 40), {"dim": 0}),
    ((), {}),
    ((1,), {"dim": 0}),
    ((0, 3), {"dim": 0}),
    ((3, 0), {"dim": 1}),
    ((0, 3), {"dim": 1}),
)
SPECIAL = given([[1.0, np.nan, -0.0, 0.0, np.inf], [-np.inf, 2.0, np.nan, np.nan, 2.0], [-1.0, -1.0, -2.0, 3.0, 3.0]])
WHY = "an index has no gradient"
EQUAL = "equal values: a kink"


def order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """Stable, with nan as the largest, also from the largest down."""
    if not descending:
        return np.argsort(x, dim, kind="stable")
    backwards = np.argsort(np.flip(x, dim), dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def sort(x: np.ndarray, dim: int = -1, descending: bool = False) -> tuple[np.ndarray, np.ndarray]:
    if x.ndim == 0:
        return x, np.array(0)
    places = order(x, dim, descending)
    return np.take_along_axis(x, places, dim), places


def argsort(x: np.ndarray, dim: int = -1, descending: bool = False) -> np.ndarray:
    return sort(x, dim, descending)[1]


def topk(x: np.ndarray, k: int, dim: int = -1, largest: bool = True) -> tuple[np.ndarray, np.ndarray]:
    values, places = sort(x, dim, largest)
    return (values, places) if x.ndim == 0 else (np.take(values, range(k), dim), np.take(places, range(k), dim))


def stable(torch, x, dim: int = -1, descending: bool = False):
    return torch.sort(x, stable=True, dim=dim, descending=descending)


def stable_places(torch, x, dim: int = -1, descending: bool = False):
    return torch.argsort(x, stable=True, dim=dim, descending=descending)


def bytes_of(*values: int) -> Input:
    return given(np.array(values, np.uint8))


def wide_ints() -> Input:
    limits = np.iinfo(np.int64)
    return given(np.array([5, limits.max, -7, limits.min, 5, 0, -1, 2**40, -(2**40)] * 4))


def narrow_ints() -> Input:
    limits = np.iinfo(np.int32)
    return given(np.array([5, limits.max, -7, limits.min, 5, 0, -1, 300, -300] * 4, np.int32))


INTEGERS = (("ints", whole(50)), ("wide ints", wide_ints()), ("int32", narrow_ints()), ("bools", truth(40)))
TOPK = (
    ((7,), {"k": 2}),
    ((40,), {"k": 30, "largest": False}),
    ((40, 3), {"k": 3, "dim": 0}),
    ((2, 300), {"k": 5, "dim": -1}),
    ((600,), {"k": 24}),
    ((3, 4), {"k": 0, "dim": 1}),
    ((3, 4), {"k": 4, "dim": 1}),
    ((), {"k": 1}),
    ((0, 3), {"k": 2}),
)
RISING = given(np.arange(2000.0) / 100)  # the worst that can happen to a search for the largest

SAMPLES = (
    *(
        Sample(f"sort {list(shape)} {kwargs}", sorting.sort, (apart(*shape),), sort, stable, kwargs)
        for shape, kwargs in CASES
    ),
    *(
        Sample(
            f"argsort {list(shape)} {kwargs}", sorting.argsort, (apart(*shape),), argsort, stable_places, kwargs, 0, WHY
        )
        for shape, kwargs in CASES
    ),
    *(
        Sample(f"topk {list(shape)} {kwargs}", sorting.topk, (apart(*shape),), topk, "topk", kwargs)
        for shape, kwargs in TOPK
    ),
    *(
        Sample(f"{name}, special {down}", op, (SPECIAL,), reference, theirs, {"descending": down}, derivatives, EQUAL)
        for name, op, reference, theirs, derivatives in (
            ("sort", sorting.sort, sort, stable, 1),
            ("argsort", sorting.argsort, argsort, stable_places, 0),
        )
        for down in (False, True)
    ),
    *(
        Sample(
            f"topk, special {largest}",
            lambda x, k, largest: sorting.topk(x, k, largest=largest).values,
            (SPECIAL,),
            lambda x, k, largest: topk(x, k, -1, largest)[0],
            lambda torch, x, k, largest: torch.topk(x, k, largest=largest).values,
            {"k": 3, "largest": largest},
            0,
            "which of equal values is taken is open",
        )
        for largest in (False, True)
    ),
    *(
        Sample(f"sort of {kind} {down}", sorting.sort, (source,), sort, stable, {"descending": down})
        for kind, source in (*INTEGERS, ("bytes", bytes_of(*range(250, 2, -7), 0, 255)))
        for down in (False, True)
    ),
    *(
        Sample(
            f"topk of {kind}", lambda x: sorting.topk(x, 3).values, (source,), lambda x: topk(x, 3)[0], None, why=EQUAL
        )
        for kind, source in INTEGERS[:3]
    ),
    Sample("msort", sorting.msort, (apart(4, 3),), lambda x: np.sort(x, 0), "msort"),
    Sample("topk rising", sorting.topk, (RISING,), topk, "topk", {"k": 40}, 1, "many"),
    Sample("topk falling", sorting.topk, (RISING,), topk, "topk", {"k": 40, "largest": False}, 1, "many"),
    *(
        Sample(
            f"{name} large {kwargs}",
            op,
            (apart(3, 4),),
            reference,
            theirs,
            kwargs,
            large=(real(300, 500),),
            order=derivatives,
            why="the small samples have it",
        )
        for name, op, reference, theirs, derivatives, kwargs in (
            ("sort", sorting.sort, sort, stable, 1, {"dim": 0}),
            ("sort", sorting.sort, sort, stable, 1, {"dim": 1, "descending": True}),
            ("topk", sorting.topk, topk, "topk", 1, {"k": 2, "dim": 0}),
            ("topk", sorting.topk, topk, "topk", 1, {"k": 2, "dim": 1}),
        )
    ),
    Sample("sort one large line", sorting.sort, (apart(9),), sort, stable, large=(real(40000),)),
)

ERRORS = (
    ErrorSample(
        "sort, no such dim", sorting.sort, (real(2, 3), 2), IndexOutOfRangeError, "sort: dim 2 is out of range"
    ),
    ErrorSample("argsort of a number", sorting.argsort, (3,), DTypeError, "argsort: takes a tensor, got int"),
    ErrorSample("topk too many", sorting.topk, (real(2, 3), 4), ArgumentError, r"topk: k 4 is out of range \[0, 3\]"),
    ErrorSample("topk negative", sorting.topk, (real(2, 3), -1), ArgumentError, "topk: k -1 is out of range"),
    ErrorSample("topk of bools", sorting.topk, (truth(3), 1), DTypeError, "topk: input must hold numbers, got bool"),
    ErrorSample("topk, k a float", sorting.topk, (real(3), 1.0), DTypeError, "topk: k must be an integer, got float"),
)
