"""Samples: smooth activation functions."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import smooth
from samples.activation import each, elu, in_place
from samples.sample import ErrorSample, Sample, given, real, whole

FAR = given([-1000.0, -80.0, -30.0, 0.0, 25.0, 80.0, 1000.0])


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def mish(x: np.ndarray) -> np.ndarray:
    return x * np.tanh(np.logaddexp(0, x))


def softsign(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.abs(x))


def tanhshrink(x: np.ndarray) -> np.ndarray:
    return x - np.tanh(x)


def selu(x: np.ndarray) -> np.ndarray:
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def celu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha))


def glu(x: np.ndarray, dim: int = -1) -> np.ndarray:
    a, b = np.split(x, 2, dim)
    return a / (1 + np.exp(-b))


def far(reference) -> Sample:
    name = reference.__name__
    why = "flat, and float32 overflows in between"
    return Sample(f"{name} far", getattr(smooth, name), (FAR,), reference, f"nn.functional.{name}", order=1, why=why)


SAMPLES = (
    *each(silu),
    *each(mish),
    *each(softsign),
    *each(tanhshrink),
    *each(selu),
    *each(celu, {"alpha": 0.5}, {"alpha": 4}, {"alpha": -2.0}),
    *(in_place(f.__name__, f) for f in (silu, mish, selu, celu)),
    *(far(f) for f in (silu, mish, softsign, selu, celu)),
    *(
        Sample(f"glu {list(shape)} {dim}", smooth.glu, (real(*shape),), glu, "nn.functional.glu", {"dim": dim})
        for shape, dim in (((4,), -1), ((4, 3), 0), ((3, 6), 1), ((2, 4, 3), 1), ((0, 4), 1), ((2, 0), 1))
    ),
    Sample("glu large", smooth.glu, (real(2, 4),), glu, "nn.functional.glu", large=(real(200, 400),)),
)

ERRORS = (
    ErrorSample("glu odd", smooth.glu, (real(2, 3),), ShapeError, r"dimension 1 must be even, got shape \[2, 3\]"),
    ErrorSample("glu of a number", smooth.glu, (real(),), ShapeError, "glu: the size of dimension 0 must be even"),
    ErrorSample("glu, no such dim", smooth.glu, (real(4), 1), IndexOutOfRangeError, "glu: dim 1 is out of range"),
    ErrorSample("celu, alpha 0", smooth.celu, (real(3), 0), ArgumentError, "celu: alpha must not be 0"),
    ErrorSample("silu of ints", smooth.silu, (whole(3),), DTypeError, "silu: input must be a floating point tensor"),
    ErrorSample("mish of ints", smooth.mish, (whole(3),), DTypeError, "mish: input must be a floating point tensor"),
    ErrorSample(
        "tanhshrink of ints", smooth.tanhshrink, (whole(3),), DTypeError, "tanhshrink: input must be a floating"
    ),
)
