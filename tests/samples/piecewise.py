"""Samples: activation functions of straight pieces."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.ops import piecewise
from samples.activation import each, in_place
from samples.sample import ErrorSample, Input, Sample, apart, given, real, truth, whole

KINKS = given([-3.0, 3.0, -0.5, 0.5, 0.0, -0.0, np.inf, 6.0, -4.0])
NAN = given([np.nan, 1.0])
SHAPES = ((), (0,), (1,), (3, 4))


def hardshrink(x: np.ndarray, lambd: float = 0.5) -> np.ndarray:
    return np.where(np.abs(x) <= lambd, 0.0, x)


def softshrink(x: np.ndarray, lambd: float = 0.5) -> np.ndarray:
    return np.where(np.isnan(x), x, np.sign(x) * np.maximum(np.abs(x) - lambd, 0))


def hardsigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(x + 3, 0, 6) / 6


def hardswish(x: np.ndarray) -> np.ndarray:
    return x * hardsigmoid(x)


def threshold(x: np.ndarray, threshold: float, value: float) -> np.ndarray:
    return np.where(x <= threshold, value, x)


def hard_gate(torch: ModuleType, x: Any, inplace: bool = False) -> Any:
    """PyTorch's hardsigmoid takes 1 / 6 in float32 for its gradient, also of float64."""
    return torch.nn.functional.relu6(x + 3) / 6


def at(what: str, source: Input, order: int, reference: Callable, **kwargs: float) -> Sample:
    name = reference.__name__
    theirs = hard_gate if reference is hardsigmoid else f"nn.functional.{name}"
    why = "kinks; at nan PyTorch's gradients depend on the size of the tensor"
    return Sample(f"{name} {what}", getattr(piecewise, name), (source,), reference, theirs, kwargs, order, why)


LIMIT = {"threshold": 0.3, "value": 7.0}

SAMPLES = (
    *each(hardshrink, {"lambd": 0.1}, {"lambd": 0.0}, {"lambd": -1.0}),
    *each(softshrink, {"lambd": 0.1}, {"lambd": 0.0}),
    *each(hardsigmoid, torch=hard_gate),
    *each(hardswish),
    *(
        Sample(f"{f.__name__} wide", getattr(piecewise, f.__name__), (apart(9, gap=1.7),), f, theirs)
        for f, theirs in ((hardsigmoid, hard_gate), (hardswish, "nn.functional.hardswish"))
    ),
    *(
        Sample(
            f"threshold {list(s)}",
            piecewise.threshold,
            (apart(*s, gap=0.17),),
            threshold,
            "nn.functional.threshold",
            LIMIT,
        )
        for s in SHAPES
    ),
    Sample(
        "threshold large",
        piecewise.threshold,
        (apart(5),),
        threshold,
        "nn.functional.threshold",
        LIMIT,
        large=(real(200, 300),),
    ),
    Sample(
        "threshold of ints",
        piecewise.threshold,
        (whole(9),),
        threshold,
        "nn.functional.threshold",
        {"threshold": 1, "value": 8},
    ),
    Sample(
        "threshold in place",
        lambda x: piecewise.threshold(x * 1.0, 0.3, 7.0, inplace=True),
        (apart(9),),
        lambda x: threshold(x, 0.3, 7.0),
        lambda torch, x: torch.nn.functional.threshold(x * 1.0, 0.3, 7.0, inplace=True),
    ),
    in_place("hardswish", hardswish),
    Sample(
        "hardsigmoid in place",
        lambda x: piecewise.hardsigmoid(x * 1.0, inplace=True),
        (apart(9, gap=1.7),),
        hardsigmoid,
        hard_gate,
    ),
    *(
        at(what, source, order, f)
        for what, source, order in (("kinks", KINKS, 1), ("nan", NAN, 0))
        for f in (hardshrink, softshrink, hardsigmoid, hardswish)
    ),
    at("kinks", KINKS, 1, threshold, threshold=0.5, value=2.0),
    at("nan", NAN, 0, threshold, threshold=0.5, value=2.0),
)

ERRORS = (
    ErrorSample("softshrink", piecewise.softshrink, (real(3), -1.0), ArgumentError, "lambd must be at least 0, got -1"),
    ErrorSample("hardshrink of ints", piecewise.hardshrink, (whole(3),), DTypeError, "hardshrink: input must be a"),
    ErrorSample("hardswish of ints", piecewise.hardswish, (whole(3),), DTypeError, "hardswish: input must be a"),
    ErrorSample("threshold of bools", piecewise.threshold, (truth(3), 1, 2), DTypeError, "threshold: takes numbers"),
)
