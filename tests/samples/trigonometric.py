"""Samples: inverse and hyperbolic functions, angles in degrees."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops import trigonometric
from samples.sample import ErrorSample, Input, Sample, given, real, truth, whole

SHAPES = ((), (0,), (1,), (3, 4), (2, 0, 3))
PAIRS = (((), ()), ((0,), (1,)), ((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((2, 1, 3), ()))
LARGE = (200, 300)


def unary(
    module: ModuleType,
    name: str,
    reference: Callable,
    domain: Callable[..., Input] = real,
    integers: Input | None = None,
    hazards: bool = True,
) -> list[Sample]:
    """One function over all shapes, many numbers, and integers and bools where they become floats."""
    op = getattr(module, name)
    integers = whole(5, low=1) if integers is None else integers
    return [
        *(Sample(f"{name} {list(shape)}", op, (domain(*shape),), reference, name) for shape in SHAPES),
        Sample(f"{name} large", op, (domain(5),), reference, name, large=(domain(*LARGE),), hazards=hazards),
        Sample(f"{name} int", op, (integers,), reference, name),
        Sample(f"{name} bool", op, (truth(5),), lambda x: reference(x.astype(np.float32)), name),
    ]


def binary(
    module: ModuleType,
    name: str,
    reference: Callable,
    left: Callable[..., Input] = real,
    right: Callable[..., Input] = real,
    hazards: bool = True,
    number: bool = True,
) -> list[Sample]:
    """One function of two over shapes that broadcast, many numbers, integers beside reals, and a number."""
    op = getattr(module, name)

    def sample(what: str, inputs: tuple, **options) -> Sample:
        return Sample(f"{name} {what}", op, inputs, reference, name, **options)

    return [
        *(sample(f"{list(x)} {list(y)}", (left(*x), right(*y))) for x, y in PAIRS),
        sample("large", (left(2, 3), right(3)), large=(left(*LARGE), right(*LARGE)), hazards=hazards),
        sample("large column", (left(2, 3), right(2, 1)), large=(left(*LARGE), right(200, 1))),
        sample("large row", (left(3), right(2, 3)), large=(left(300), right(*LARGE))),
        sample("int and real", (whole(5, low=1), right(5))),
        sample("float32 0-d and float64", (given(np.array(0.5, np.float32)), given(np.array([0.7])))),
        Sample(
            f"{name} number",
            lambda x: op(x, 1.3),
            (left(3, 4),),
            lambda x: reference(x, 1.3),
            lambda torch, x: getattr(torch, name)(x, torch.tensor(1.3, dtype=x.dtype)),
        ),
    ]


def inside(*shape: int) -> Input:
    return real(*shape, low=-0.9, high=0.9)


def above_one(*shape: int) -> Input:
    return real(*shape, low=1.2, high=5.0)


ZERO_ONE = given(np.array([0, 1, 0, 1]))

SAMPLES = (
    *unary(trigonometric, "asin", np.arcsin, inside, ZERO_ONE),
    *unary(trigonometric, "acos", np.arccos, inside, ZERO_ONE),
    *unary(trigonometric, "atan", np.arctan),
    *unary(trigonometric, "sinh", np.sinh),
    *unary(trigonometric, "cosh", np.cosh),
    *unary(trigonometric, "asinh", np.arcsinh),
    *unary(trigonometric, "acosh", np.arccosh, above_one),
    *unary(trigonometric, "atanh", np.arctanh, inside, given(np.array([0, 1, -1]))),
    *unary(trigonometric, "deg2rad", np.deg2rad),
    *unary(trigonometric, "rad2deg", np.rad2deg),
    *binary(trigonometric, "hypot", np.hypot),
    Sample("atan far", trigonometric.atan, (given([-1e30, -3.0, -1.0, 0.4, 2.5, 1e30]),), np.arctan, "atan"),
    Sample("asin of the limits", trigonometric.asin, (given([-1.0, 1.0]),), np.arcsin, "asin", order=1, why="infinite"),
    Sample("sinh far", trigonometric.sinh, (given([-80.0, 50.0, 1e-9]),), np.sinh, "sinh", order=1, why="large"),
    Sample("asinh far", trigonometric.asinh, (given([-1e30, 1e20, 1e-9]),), np.arcsinh, "asinh", order=1, why="flat"),
    Sample(
        "hypot at the origin",
        trigonometric.hypot,
        (given([0.0, 0.0]), given([0.0, 1.0])),
        np.hypot,
        None,
        order=0,
        why="PyTorch's gradient is nan there, here it is 0",
    ),
)

ERRORS = (
    ErrorSample("asin of a number", trigonometric.asin, (0.5,), DTypeError, "asin: takes a tensor, got float"),
    ErrorSample(
        "hypot of ints", trigonometric.hypot, (whole(3), whole(3)), DTypeError, "hypot: input must be a floating"
    ),
    ErrorSample("hypot shapes", trigonometric.hypot, (real(3), real(4)), ShapeError, r"hypot: shapes \[3\] and \[4\]"),
)
