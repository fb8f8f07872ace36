"""Samples: sign, rounding, clamp."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.ops import rounding
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

SHAPES = ((), (0,), (1,), (3, 4), (2, 0, 3))
STEPS = [-2.0, -1.5, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.5, np.inf, -np.inf, np.nan]


def sign(x: np.ndarray) -> np.ndarray:
    return (x > 0) * 1.0 - (x < 0) * 1.0


def step(name: str, reference: Callable) -> list[Sample]:
    op = getattr(rounding, name)
    return [
        *(Sample(f"{name} {list(s)}", op, (apart(*s, gap=0.17),), reference, name) for s in SHAPES),
        Sample(f"{name} large", op, (apart(5),), reference, name, large=(real(200, 300),), hazards=True),
        Sample(f"{name} at steps", op, (given(STEPS),), reference, name, order=1, why="jumps"),
        Sample(f"{name} int", op, (whole(9),), lambda x: reference(x).astype(int), name),
        Sample(f"{name} wide int", op, (given([2**62 + 1, -(2**62) - 1]),), None, name, why="wider than a float"),
    ]


def clamp(x: np.ndarray, min: float | None = None, max: float | None = None) -> np.ndarray:
    if min is not None:
        x = np.where(x < min, min, x)
    return x if max is None else np.where(x > max, max, x)


def limited(name: str, source, order: int = 2, why: str = "", **limits) -> Sample:
    return Sample(f"clamp {name} {limits}", rounding.clamp, (source,), clamp, "clamp", limits, order=order, why=why)


SAMPLES = (
    *step("sign", sign),
    *step("floor", np.floor),
    *step("ceil", np.ceil),
    *step("round", np.round),
    *step("trunc", np.trunc),
    Sample(
        "round to decimals",
        rounding.round,
        (given([0.12, 1.37, -2.44, 31.08]),),
        lambda x, decimals: np.round(x, decimals),
        "round",
        {"decimals": 1},
    ),
    Sample(
        "round to tens",
        rounding.round,
        (given([12.0, -37.0, 244.0]),),
        lambda x, decimals: np.round(x, decimals),
        "round",
        {"decimals": -1},
    ),
    Sample("sgn", rounding.sgn, (apart(3, 4),), np.sign, lambda torch, x: torch.sgn(x) + 0 * x),
    Sample("sign bool", rounding.sign, (truth(5),), np.array, "sign"),
    Sample("sign uint8", rounding.sign, (given(np.array([0, 3, 255], np.uint8)),), np.sign, "sign"),
    *(limited(str(list(s)), apart(*s, gap=0.17), min=-0.5, max=0.4) for s in SHAPES),
    limited("low", apart(3, 4), min=-0.2),
    limited("high", apart(3, 4), max=0.2),
    limited("none left", apart(3, 4), min=1, max=-1),
    limited("at limits", given([-1.0, 1.0, 2.0, np.nan, np.inf, -np.inf]), 1, "kinks", min=-1.0, max=1.0),
    limited("int", whole(9), min=-2, max=3),
    limited("int, fractions", whole(9), min=-1.5, max=3),
    limited("int, one limit", whole(9), max=2),
    limited("bool", truth(5), min=0, max=1),
    Sample(
        "clamp large",
        rounding.clamp,
        (apart(5),),
        clamp,
        "clamp",
        {"min": -0.1, "max": 0.1},
        large=(real(200, 300),),
        hazards=True,
    ),
)

ERRORS = (
    ErrorSample("floor bool", rounding.floor, (truth(3),), DTypeError, "floor: takes numbers, got bool"),
    ErrorSample("round of a number", rounding.round, (1.5,), DTypeError, "round: takes a tensor, got float"),
    ErrorSample("clamp without limits", rounding.clamp, (real(3),), ArgumentError, "clamp: give min, max or both"),
    ErrorSample(
        "clamp text",
        rounding.clamp,
        (real(3), "0"),
        DTypeError,
        "clamp: min must be a number or None, got str",
    ),
    ErrorSample("clamp bools", rounding.clamp, (truth(3), False), DTypeError, "clamp: takes numbers, got bool"),
)
