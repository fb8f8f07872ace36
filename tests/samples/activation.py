"""Samples: activation functions."""

from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.nn import functional
from autograd_cnn.ops import activation
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

SHAPES = ((), (0,), (1,), (3, 4))
KINKS = [0.0, -0.0, 6.0, 1.0, -1.0, np.inf, -np.inf, np.nan]


def relu(x: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x, np.where(x > 0, x, 0.0))


def hardtanh(x: np.ndarray, min_val: float = -1.0, max_val: float = 1.0) -> np.ndarray:
    return np.where(x < min_val, min_val, np.where(x > max_val, max_val, x))


def leaky_relu(x: np.ndarray, negative_slope: float = 0.01) -> np.ndarray:
    return np.where(x > 0, x, negative_slope * x)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + np.vectorize(erf, otypes=[float])(x / np.sqrt(2)))


def softplus(x: np.ndarray, beta: float = 1.0, threshold: float = 20.0) -> np.ndarray:
    return np.where(beta * x > threshold, x, np.log1p(np.exp(np.minimum(beta * x, threshold))) / beta)


def logsigmoid(x: np.ndarray) -> np.ndarray:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def prelu(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    if weight.size > 1:
        weight = weight.reshape(-1, *[1] * (x.ndim - 2))
    elif x.ndim == 0:
        weight = weight.reshape(())
    return np.where(x > 0, x, weight * x)


def each(reference: Callable, *options: dict, large: bool = True, torch: Any = None) -> list[Sample]:
    name = reference.__name__
    op, torch = getattr(functional, name), torch or f"nn.functional.{name}"
    samples = [Sample(f"{name} {list(s)}", op, (apart(*s, gap=0.17),), reference, torch) for s in SHAPES]
    samples += [Sample(f"{name} {o}", op, (apart(3, 4, gap=0.37),), reference, torch, o) for o in options]
    if large:
        samples.append(Sample(f"{name} large", op, (apart(5),), reference, torch, large=(real(200, 300),)))
    return samples


def in_place(name: str, reference: Callable) -> Sample:
    op = getattr(functional, name)
    return Sample(
        f"{name} in place",
        lambda x: op(x * 1.0, inplace=True),
        (apart(9, gap=1.7),),
        reference,
        lambda torch, x: getattr(torch.nn.functional, name)(x * 1.0, inplace=True),
    )


def kinks(reference: Callable) -> Sample:
    name = reference.__name__
    op = getattr(functional, name)
    # At nan PyTorch's gradients of relu6, hardtanh and elu depend on the dtype and the length of the tensor.
    values = KINKS if name in ("relu", "leaky_relu") else KINKS[:-1]
    return Sample(f"{name} kinks", op, (given(values),), reference, f"nn.functional.{name}", order=1, why="kinks")


def relu6(x: np.ndarray) -> np.ndarray:
    return hardtanh(x, 0.0, 6.0)


SAMPLES = (
    Sample("relu of ints", activation.relu, (whole(9),), lambda x: np.maximum(x, 0), "nn.functional.relu"),
    *each(relu),
    *each(relu6),
    *each(hardtanh, {"min_val": -0.4, "max_val": 2}),
    *each(leaky_relu, {"negative_slope": 0.3}, {"negative_slope": 0}, {"negative_slope": -0.5}),
    *each(elu, {"alpha": 0.4}),
    *each(gelu, {"approximate": "tanh"}, {"approximate": "none"}),
    *each(softplus, {"beta": 3}, {"beta": 2, "threshold": 1.5}),
    *each(logsigmoid),
    *(kinks(f) for f in (relu, relu6, hardtanh, leaky_relu, elu)),
    *(in_place(f.__name__, f) for f in (relu, relu6, hardtanh, leaky_relu, elu)),
    Sample(
        "logsigmoid far",
        activation.logsigmoid,
        (given([-1000.0, 1000.0, 50.0, -50.0]),),
        logsigmoid,
        "nn.functional.logsigmoid",
        order=1,
        why="second derivatives below 1e-17 count as 0",
    ),
    Sample("prelu, one weight", activation.prelu, (apart(3, 4), given([0.3])), prelu, "nn.functional.prelu"),
    Sample(
        "prelu, a weight a channel",
        activation.prelu,
        (apart(2, 3, 2), given([0.3, -0.2, 0.0])),
        prelu,
        "nn.functional.prelu",
    ),
    Sample(
        "prelu, two dimensions", activation.prelu, (apart(4, 3), given([0.3, -0.2, 1.5])), prelu, "nn.functional.prelu"
    ),
    Sample("prelu, one dimension", activation.prelu, (apart(4), given([0.3])), prelu, "nn.functional.prelu"),
    Sample("prelu, a number", activation.prelu, (apart(), given([0.3])), prelu, "nn.functional.prelu"),
)

ERRORS = (
    ErrorSample("relu of bools", activation.relu, (truth(3),), DTypeError, "relu: takes numbers, got bool"),
    ErrorSample("relu6 of ints", activation.relu6, (whole(3),), DTypeError, "hardtanh: input must be a floating"),
    ErrorSample(
        "prelu, weights", activation.prelu, (real(2, 3), real(2)), ShapeError, "prelu: weight has 2 .* 3 channels"
    ),
    ErrorSample(
        "prelu, weight of rank 2", activation.prelu, (real(2, 3), real(1, 3)), ShapeError, r"prelu: weight .*\[1, 3\]"
    ),
    ErrorSample("gelu, approximate", activation.gelu, (real(3), "exact"), ArgumentError, "gelu: approximate .*'exact'"),
    ErrorSample(
        "hardtanh, limits", activation.hardtanh, (real(3), 1, 1), ArgumentError, "hardtanh: min_val .* 1 and 1"
    ),
    ErrorSample(
        "elu of ints", activation.elu, (whole(3),), DTypeError, "elu: input must be a floating point tensor, got int64"
    ),
    ErrorSample(
        "leaky_relu in place",
        activation.leaky_relu,
        (real(3), -1, True),
        ArgumentError,
        "negative_slope must be at least 0, got -1",
    ),
)
