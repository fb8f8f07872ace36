"""Samples: pointwise functions."""

from collections.abc import Callable
from math import erf

import numpy as np

from autograd_cnn.errors import DTypeError
from autograd_cnn.ops import elementwise
from samples.sample import ErrorSample, Input, Sample, apart, given, positive, real, truth, whole

SHAPES = ((), (0,), (1,), (3, 4), (2, 0, 3))
LARGE = (200, 300)


def unary(name: str, reference: Callable, domain: Callable[..., Input] = real, hazards: bool = True) -> list[Sample]:
    """One function over all shapes, and over integers where they become floats."""
    op = getattr(elementwise, name)
    shapes = [Sample(f"{name} {list(shape)}", op, (domain(*shape),), reference, name) for shape in SHAPES]
    return [
        *shapes,
        Sample(f"{name} large", op, (domain(5),), reference, name, large=(domain(*LARGE),), hazards=hazards),
        Sample(f"{name} int", op, (whole(5, low=1),), reference, name),
    ]


def inside(*shape: int) -> Input:
    """Clear of the poles of tan."""
    return real(*shape, low=-1.2, high=1.2)


def above_minus_one(*shape: int) -> Input:
    return real(*shape, low=-0.7, high=3.0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def at(name: str, values: list[float], reference: Callable, why: str, order: int = 1) -> Sample:
    """A function at exactly these places."""
    op = getattr(elementwise, name)
    return Sample(f"{name} at {values}", op, (given(values),), reference, name, order=order, why=why)


SAMPLES = (
    *unary("exp", np.exp),
    *unary("expm1", np.expm1),
    *unary("log", np.log, positive),
    *unary("log1p", np.log1p, above_minus_one),
    *unary("sqrt", np.sqrt, positive),
    *unary("rsqrt", lambda x: 1 / np.sqrt(x), positive),
    *unary("reciprocal", lambda x: 1 / x, positive),
    *unary("sin", np.sin),
    *unary("cos", np.cos),
    *unary("tan", np.tan, inside),
    *unary("tanh", np.tanh),
    *unary("sigmoid", sigmoid),
    *unary("erf", np.vectorize(erf, otypes=[float])),
    *unary("neg", np.negative),
    *unary("abs", np.abs, apart),
    *unary("square", np.square),
    Sample("neg uint8", elementwise.neg, (given(np.array([0, 3, 255], np.uint8)),), np.negative, "neg"),
    Sample("abs uint8", elementwise.abs, (given(np.array([0, 3, 255], np.uint8)),), np.abs, "abs"),
    Sample("abs negative int", elementwise.abs, (whole(9, low=-9, high=0),), np.abs, "abs"),
    Sample("square bool", elementwise.square, (truth(5),), lambda x: x.astype(int), "square"),
    Sample("exp bool", elementwise.exp, (truth(5),), lambda x: np.exp(x.astype(float)), "exp"),
    at("abs", [0.0, -0.0, np.nan, np.inf, -np.inf], np.abs, "a kink"),
    at("sqrt", [0.0, 4.0, np.inf], np.sqrt, "the slope at 0 is infinite"),
    at("log", [0.0, 1e-300, np.inf], np.log, "a pole"),
    at("log1p", [-1.0, 1e-12, np.inf], np.log1p, "a pole"),
    at("rsqrt", [0.0, -0.0, np.inf], lambda x: 1 / np.sqrt(x), "a pole"),
    at("reciprocal", [0.0, -0.0, np.inf, -np.inf], lambda x: 1 / x, "a pole"),
    at("expm1", [0.0, 1e-12, -1e-12, -800.0], np.expm1, "differences cannot resolve 1e-12"),
    at("tanh", [0.0, 1e-12, 400.0, -400.0, np.inf, -np.inf], np.tanh, "infinity has no neighbours"),
    at("sigmoid", [0.0, 40.0, -40.0, 800.0, -800.0, np.inf, -np.inf], sigmoid, "infinity has no neighbours"),
)

ERRORS = (
    ErrorSample("neg bool", elementwise.neg, (truth(3),), DTypeError, "neg: takes numbers, got bool; use ~"),
    ErrorSample("abs bool", elementwise.abs, (truth(3),), DTypeError, "abs: takes numbers, got bool"),
    ErrorSample("exp of a number", elementwise.exp, (1.5,), DTypeError, "exp: takes a tensor, got float"),
    ErrorSample("neg of a list", elementwise.neg, ([1.0],), DTypeError, "neg: takes a tensor, got list"),
    ErrorSample("square of None", elementwise.square, (None,), DTypeError, "square: takes a tensor, got None"),
    ErrorSample(
        "exp in place on int",
        lambda x: x.exp_(),
        (whole(3),),
        Exception,
        "exp in place: a result of dtype float32",
    ),
)
