"""Samples: exponentials and logarithms to other bases, and of sums."""

from __future__ import annotations

from math import erfc

import numpy as np

from autograd_cnn.errors import DTypeError
from autograd_cnn.ops import exponential
from samples.sample import ErrorSample, Input, Sample, given, positive, real, truth, whole
from samples.trigonometric import binary, unary

FAR = [-np.inf, -1000.0, 0.0, 1000.0, np.inf]


def fraction(*shape: int) -> Input:
    return real(*shape, low=0.1, high=0.9)


def logit(x: np.ndarray, eps: float | None = None) -> np.ndarray:
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.where((x > 0.25) & (x < 0.75), np.log1p((2 * x - 1) / (1 - x)), np.log(x / (1 - x)))


def xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log(y))


def at_far(name: str, reference) -> list[Sample]:
    x, y = (grid.ravel() for grid in np.meshgrid(FAR, FAR))
    why = "infinite values"
    op = getattr(exponential, name)
    return [Sample(f"{name} far", op, (given(x), given(y)), reference, name, order=1, why=why)]


ZEROS = given([0.0, 0.0, 0.0, 0.0, 2.0]), given([0.0, -1.0, np.nan, np.inf, 0.0])

SAMPLES = (
    *unary(exponential, "exp2", np.exp2),
    *unary(exponential, "log2", np.log2, positive),
    *unary(exponential, "log10", np.log10, positive),
    *unary(exponential, "erfc", np.vectorize(erfc, otypes=[float])),
    *unary(exponential, "logit", logit, fraction, given(np.array([0, 1]))),
    *(
        Sample(f"logit eps {eps}", exponential.logit, (source,), logit, "logit", {"eps": eps})
        for eps, source in ((0.2, given([0.05, 0.5, 0.95, -1.0, 3.0])), (1e-6, fraction(3, 4)))
    ),
    Sample(
        "logit outside",
        exponential.logit,
        (given([-0.5, 0.0, 1.0, 1.5]),),
        logit,
        "logit",
        order=1,
        why="nan and infinite",
    ),
    *binary(exponential, "logaddexp", np.logaddexp),
    *binary(exponential, "logaddexp2", np.logaddexp2),
    *binary(exponential, "xlogy", xlogy, right=positive),
    *at_far("logaddexp", np.logaddexp),
    *at_far("logaddexp2", np.logaddexp2),
    Sample("xlogy of zeros", exponential.xlogy, ZEROS, xlogy, "xlogy", order=1, why="infinite"),
    Sample("xlogy of ints", exponential.xlogy, (whole(5), whole(5, low=1)), xlogy, "xlogy"),
    Sample("xlogy of bools", exponential.xlogy, (truth(5), truth(5)), None, "xlogy", why="NumPy's log of bool is half"),
    Sample(
        "xlogy, a number on the left",
        lambda y: exponential.xlogy(2, y),
        (positive(3),),
        lambda y: 2 * np.log(y),
        lambda torch, y: torch.xlogy(2, y),
    ),
    Sample(
        "log10 of powers",
        exponential.log10,
        (given(10.0 ** np.arange(-20, 21)),),
        np.log10,
        "log10",
        order=1,
        why="steep",
    ),
)

ERRORS = (
    ErrorSample(
        "logaddexp of ints", exponential.logaddexp, (whole(3), whole(3)), DTypeError, "logaddexp: input must be a float"
    ),
    ErrorSample("logit eps", exponential.logit, (real(3), "a"), DTypeError, "logit: eps must be a number or None"),
    ErrorSample("xlogy text", exponential.xlogy, (real(3), "a"), DTypeError, "xlogy: takes tensors and numbers"),
)
