"""Samples: softmax and its logarithm."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError
from autograd_cnn.ops import softmax
from samples.sample import ErrorSample, Sample, given, real, whole

CASES = (((5,), 0), ((3, 4), 1), ((3, 4), -2), ((2, 3, 4), 1), ((1, 1), 1), ((0, 3), 1), ((), 0))
FAR = [[1000.0, 999.0, 0.0], [-1000.0, -1000.0, -1001.0]]


def probabilities(x: np.ndarray, dim: int) -> np.ndarray:
    if x.ndim == 0:
        return np.ones(())
    e = np.exp(x - x.max(axis=dim, keepdims=True)) if x.size else x
    return e / e.sum(axis=dim, keepdims=True)


def of_negative(x: np.ndarray, dim: int) -> np.ndarray:
    return probabilities(-x, dim)


def logarithm(x: np.ndarray, dim: int) -> np.ndarray:
    if x.ndim == 0 or not x.size:
        return np.zeros(x.shape)
    x = x - x.max(axis=dim, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=dim, keepdims=True))


def each(name: str, reference) -> list[Sample]:
    op, torch = getattr(softmax, name), f"nn.functional.{name}"
    return [
        *(Sample(f"{name} {list(s)} {d}", op, (real(*s),), reference, torch, {"dim": d}) for s, d in CASES),
        Sample(f"{name} far", op, (given(FAR),), reference, torch, {"dim": 1}),
        *(
            Sample(f"{name} large {d}", op, (real(2, 3),), reference, torch, {"dim": d}, large=(real(300, 200),))
            for d in (0, 1)
        ),
        Sample(
            f"{name} of ints",
            lambda x: op(x, 0, dtype="float32"),
            (whole(4),),
            lambda x: reference(x * 1.0, 0),
            lambda torch, x: getattr(torch.nn.functional, name)(x, 0, dtype=torch.float32),
            order=0,
            why="integers have no gradient",
        ),
    ]


SAMPLES = (
    *each("softmax", probabilities),
    *each("softmin", of_negative),
    *each("log_softmax", logarithm),
    Sample(
        "softmax with -inf",
        softmax.softmax,
        (given([[0.0, -np.inf, 1.0]]),),
        probabilities,
        "softmax",
        {"dim": 1},
        order=1,
        why="differences are inf",
    ),
    Sample(
        "softmax of -inf",
        softmax.softmax,
        (given([[-np.inf, -np.inf]]),),
        lambda x, dim: x * np.nan,
        "softmax",
        {"dim": 1},
        order=1,
        why="nan",
    ),
)

ERRORS = (
    ErrorSample("softmax without dim", softmax.softmax, (real(3), None), ArgumentError, "softmax: give dim"),
    ErrorSample(
        "softmax of ints", softmax.softmax, (whole(3), 0), DTypeError, "softmax: input must be a floating point"
    ),
    ErrorSample(
        "log_softmax, no such dim", softmax.log_softmax, (real(3), 1), IndexOutOfRangeError, "log_softmax: dim 1"
    ),
)
