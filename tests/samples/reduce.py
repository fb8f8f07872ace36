"""Samples: sums, means, products, variances and norms."""

import math
from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import reduce
from samples.sample import ErrorSample, Input, Sample, apart, given, real, truth, whole

CASES = (
    ((3, 4), {}),
    ((3, 4), {"dim": 1}),
    ((3, 4), {"dim": -2, "keepdim": True}),
    ((2, 3, 4), {"dim": (0, -1)}),
    ((2, 3, 4), {"dim": (2, 0), "keepdim": True}),
    ((2, 1, 4), {"dim": 1}),
    ((), {}),
    ((), {"dim": -1}),
    ((1,), {"dim": 0}),
)
EMPTY = (((0, 3), {"dim": 0}), ((2, 0), {"dim": 0}), ((0,), {}))
LARGE = (300, 500)


def over(fold: Callable) -> Callable:
    """A NumPy reduction with PyTorch's arguments."""

    def reference(x: np.ndarray, dim=None, keepdim: bool = False, **options) -> np.ndarray:
        axis = tuple(range(x.ndim)) if dim is None else dim
        return fold(x, axis=() if x.ndim == 0 else axis, keepdims=keepdim, **options)

    return reference


def each(name: str, fold: Callable, cases=CASES, domain: Callable[..., Input] = real, **more) -> list[Sample]:
    op = getattr(reduce, name)
    return [
        Sample(
            f"{name} {list(shape)} {kwargs}",
            op,
            (domain(*shape),),
            over(fold),
            **{"torch": name, "kwargs": kwargs, **more},
        )
        for shape, kwargs in cases
    ]


def large(name: str, fold: Callable, **kwargs) -> Sample:
    op = getattr(reduce, name)
    return Sample(
        f"{name} large {kwargs}",
        op,
        (real(2, 3),),
        over(fold),
        name,
        kwargs,
        large=(real(*LARGE),),
    )


def logsumexp(x: np.ndarray, axis, keepdims: bool) -> np.ndarray:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def variance(x: np.ndarray, axis, keepdims: bool, correction: float = 1) -> np.ndarray:
    n = math.prod(np.atleast_1d(np.array(x.shape, int)[list(np.atleast_1d(axis))]))
    return np.sum((x - x.mean(axis=axis, keepdims=True)) ** 2, axis=axis, keepdims=keepdims) / (n - correction)


def deviation(x: np.ndarray, **options) -> np.ndarray:
    return np.sqrt(variance(x, **options))


def p_norm(x: np.ndarray, axis, keepdims: bool, p="fro") -> np.ndarray:
    size = np.abs(x)
    if p == math.inf:
        return size.max(axis=axis, keepdims=keepdims)
    if p == -math.inf:
        return size.min(axis=axis, keepdims=keepdims)
    if p == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(float)
    p = 2 if p == "fro" else p
    return np.sum(size**p, axis=axis, keepdims=keepdims) ** (1 / p)


def norm(p, domain: Input, order: int = 2, why: str = "", **kwargs) -> Sample:
    return Sample(
        f"norm p={p} {list(domain.shape)} {kwargs}{why and ', at a kink'}",
        reduce.norm,
        (domain,),
        over(p_norm),
        "norm",
        {"p": p, **kwargs},
        order=order,
        why=why,
    )


def sum_to(size: tuple[int, ...], shape: tuple[int, ...]) -> Sample:
    def reference(x: np.ndarray) -> np.ndarray:
        y = np.zeros(size)
        expanded = np.broadcast_to(np.arange(y.size).reshape(size), shape)
        np.add.at(y.reshape(-1), expanded.reshape(-1), x.reshape(-1))
        return y

    return Sample(
        f"sum_to_size {list(shape)} to {list(size)}",
        lambda x: reduce.sum_to_size(x, size),
        (real(*shape),),
        reference,
        lambda torch, x: x.sum_to_size(size),
    )


TIED = given([[0.0, 2.0, 0.0], [3.0, 0.0, 4.0]])

SAMPLES = (
    *each("sum", np.sum, CASES + EMPTY),
    *each("mean", np.mean),
    *each(
        "prod",
        np.prod,
        [case for case in CASES + EMPTY if not isinstance(case[1].get("dim"), tuple) and case[0] != (2, 1, 4)],
    ),
    *each(
        "prod",
        np.prod,
        [case for case in CASES if isinstance(case[1].get("dim"), tuple)],
        torch=None,
        why="PyTorch takes one dim",
    ),
    Sample("prod, one zero", reduce.prod, (given([2.0, 0.0, 3.0]),), over(np.prod), "prod"),
    Sample(
        "prod, two zeros", reduce.prod, (given([[0.0, 0.0, 3.0], [1.0, 2.0, 0.0]]),), over(np.prod), "prod", {"dim": 1}
    ),
    *each("logsumexp", logsumexp, [(shape, kwargs) for shape, kwargs in CASES if "dim" in kwargs]),
    Sample(
        "logsumexp far",
        reduce.logsumexp,
        (given([1000.0, 999.0, -1000.0]),),
        lambda x, dim: 999 + np.log1p(np.e),
        "logsumexp",
        {"dim": 0},
    ),
    Sample(
        "logsumexp of -inf",
        reduce.logsumexp,
        (given([-np.inf, -np.inf]),),
        lambda x, dim: -np.inf,
        "logsumexp",
        {"dim": 0},
        order=1,
        why="no number has a finite slope there",
    ),
    Sample("logsumexp int", reduce.logsumexp, (whole(4),), over(logsumexp), "logsumexp", {"dim": 0}),
    *each(
        "var",
        variance,
        [(shape, {**kwargs, "correction": c}) for shape, kwargs in CASES[:6] if shape != (2, 1, 4) for c in (0, 1)],
    ),
    *each(
        "std",
        deviation,
        [(shape, {**kwargs, "correction": c}) for shape, kwargs in CASES[:6] if shape != (2, 1, 4) for c in (0, 2.5)],
    ),
    Sample("var unbiased", lambda x: reduce.var(x, False), (real(5),), np.var, lambda torch, x: x.var(False)),
    Sample(
        "var by dim unbiased",
        lambda x: reduce.var(x, 0, False),
        (real(5, 2),),
        lambda x: x.var(0),
        lambda torch, x: x.var(0, False),
    ),
    Sample("var of one", reduce.var, (real(1),), lambda x: np.nan, "var", order=1, why="nan everywhere"),
    Sample("std of equals", reduce.std, (given([3.0, 3.0, 3.0]),), lambda x: 0.0, "std", order=1, why="a kink"),
    *(
        sample
        for name, fold in (("sum", np.sum), ("mean", np.mean), ("prod", np.prod))
        for sample in (large(name, fold), large(name, fold, dim=0), large(name, fold, dim=1))
    ),
    large("var", variance, dim=0),
    large("logsumexp", logsumexp, dim=1),
    *(
        Sample(f"{name} of {kind}", getattr(reduce, name), (source,), getattr(np, name), name)
        for name in ("sum", "prod")
        for kind, source in (
            ("ints", whole(2, 3)),
            ("bools", truth(4)),
            ("bytes", given(np.array([3, 250, 7], np.uint8))),
        )
    ),
    Sample(
        "sum, ints as floats",
        lambda x: reduce.sum(x, 0, dtype="float32"),
        (whole(4),),
        lambda x: x.sum(0),
        lambda torch, x: x.sum(0, dtype=torch.float32),
    ),
    Sample(
        "sum, floats in float64",
        lambda x: reduce.sum(x, dtype="float64"),
        (real(4),),
        np.sum,
        lambda torch, x: x.sum(dtype=torch.float64),
    ),
    Sample(
        "mean, ints as floats",
        lambda x: reduce.mean(x, dtype="float64"),
        (whole(4),),
        np.mean,
        lambda torch, x: x.mean(dtype=torch.float64),
    ),
    Sample("mean of nothing", reduce.mean, (real(0),), lambda x: np.nan, "mean", order=1, why="divides by 0"),
    sum_to((1, 4), (3, 4)),
    sum_to((3, 1), (3, 4)),
    sum_to((4,), (2, 3, 4)),
    sum_to((3, 1), (2, 3, 4)),
    sum_to((), (2, 3)),
    sum_to((2, 3), (2, 3)),
    *(norm(p, apart(3, 4), dim=1) for p in ("fro", 2, 3, 1.5, 0.5, -1)),
    *(norm(p, apart(3, 4), keepdim=True) for p in (1, 2)),
    *(norm(p, real(3, 4), keepdim=True) for p in (math.inf, -math.inf)),
    norm(0, TIED, 0, "a count has no gradient"),
    *(norm(p, given(np.zeros((2, 3))), 1, "not smooth", dim=1) for p in (2, 1, 3, math.inf)),
    *(norm(p, TIED, 1, "not smooth") for p in (2, 1, 3, math.inf, -math.inf)),
    *(
        Sample(
            f"{name} {list(shape)} {kwargs}",
            getattr(reduce, name),
            (truth(*shape),),
            over(getattr(np, name)),
            name,
            kwargs,
        )
        for name in ("any", "all")
        for shape, kwargs in CASES + EMPTY
    ),
    *(
        Sample(
            f"{name} of numbers",
            getattr(reduce, name),
            (given([[0.0, np.nan], [0.0, 0.0], [1.0, -2.0]]),),
            over(getattr(np, name)),
            name,
            {"dim": 1},
            order=0,
            why="an answer has no gradient",
            large=(whole(*LARGE),),
        )
        for name in ("any", "all")
    ),
    *(
        Sample(f"{name} of bytes", getattr(reduce, name), (given(np.array([3, 0], np.uint8)),), getattr(np, name), name)
        for name in ("any", "all")
    ),
)

ERRORS = (
    ErrorSample("sum, no such dim", reduce.sum, (real(2, 3), 2), IndexOutOfRangeError, r"sum: dim 2 is out of range"),
    ErrorSample("sum, dim twice", reduce.sum, (real(2, 3), (0, -2)), ArgumentError, r"sum: dim \(0, -2\) names"),
    ErrorSample(
        "sum, dim a float", reduce.sum, (real(2, 3), 1.0), DTypeError, "sum: dim must be an integer, got float"
    ),
    ErrorSample(
        "sum, unknown dtype", reduce.sum, (real(2),), DTypeError, "sum: dtype complex64", {"dtype": "complex64"}
    ),
    ErrorSample("mean of ints", reduce.mean, (whole(3),), DTypeError, "mean: input must be .*int64"),
    ErrorSample(
        "var of ints", reduce.var, (whole(3),), DTypeError, "var: input must be a floating point tensor, got int64"
    ),
    ErrorSample(
        "var, both",
        reduce.var,
        (real(3),),
        ArgumentError,
        "var: give unbiased or correction",
        {"unbiased": True, "correction": 2},
    ),
    ErrorSample("std of bools", reduce.std, (truth(3),), DTypeError, "std: input must be"),
    ErrorSample("norm of ints", reduce.norm, (whole(3),), DTypeError, "norm: input must be a floating point tensor"),
    ErrorSample(
        "norm, unknown p", reduce.norm, (real(3), "nuclear"), ArgumentError, "norm: p must be a number.*'nuclear'"
    ),
    ErrorSample(
        "norm, inf of nothing", reduce.norm, (real(0), math.inf), ShapeError, "amax: dimension 0 of input is empty"
    ),
    ErrorSample(
        "sum_to_size, too large", reduce.sum_to_size, (real(2, 3), 3, 1), ShapeError, r"size \[3, 1\].*\[2, 3\]"
    ),
    ErrorSample("sum_to_size, too long", reduce.sum_to_size, (real(3), 1, 3), ShapeError, r"size \[1, 3\].*\[3\]"),
)
