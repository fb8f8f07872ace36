"""Samples: extreme values and their places."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import extreme
from samples.reduce import CASES, LARGE, over
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

TIED = [[1.0, 2.0, 2.0, 0.0], [3.0, 3.0, 3.0, 3.0], [5.0, 4.0, 4.0, 5.0]]
NANS = [[1.0, np.nan, 2.0, np.nan], [0.0, np.inf, -np.inf, 1.0], [np.nan, 1.0, 2.0, 3.0]]


def along(values: Callable, places: Callable) -> Callable:
    """Values and indices, as `max` and `min` give them."""

    def reference(x: np.ndarray, dim: int, keepdim: bool = False) -> tuple[np.ndarray, np.ndarray]:
        if x.ndim == 0:
            return x, np.array(0)
        return values(x, axis=dim, keepdims=keepdim), places(x, axis=dim, keepdims=keepdim)

    return reference


WHOLE = [(6,), (2, 3), ()]


def place(find: Callable) -> Callable:
    def reference(x: np.ndarray, dim: int | None = None, keepdim: bool = False) -> np.ndarray:
        return find(x.reshape(-1), 0) if x.ndim == 0 else find(x, axis=dim, keepdims=keepdim)

    return reference


def both(name: str, fold: Callable, find: Callable) -> list[Sample]:
    """amax, max over everything, max along a dimension, and argmax; or the same for min."""
    reduced, whole_or_along, argument = (getattr(extreme, n) for n in (f"a{name}", name, f"arg{name}"))
    lines = [(shape, kwargs) for shape, kwargs in CASES if isinstance(kwargs.get("dim"), int)]
    pair, index = along(fold, find), place(find)
    samples = [
        Sample(f"a{name} {list(shape)} {kwargs}", reduced, (apart(*shape),), over(fold), f"a{name}", kwargs)
        for shape, kwargs in CASES
    ]
    samples += [
        Sample(f"{name} {list(shape)} {kwargs}", whole_or_along, (apart(*shape),), pair, name, kwargs)
        for shape, kwargs in lines
    ]
    samples += [
        Sample(
            f"arg{name} {list(shape)} {kwargs}",
            argument,
            (apart(*shape),),
            index,
            f"arg{name}",
            kwargs,
            order=0,
            why="an index has no gradient",
        )
        for shape, kwargs in [*lines, ((3, 4), {}), ((3, 4), {"keepdim": True})]
    ]
    samples += [Sample(f"{name} of all {list(shape)}", whole_or_along, (apart(*shape),), fold, name) for shape in WHOLE]
    for kind, values in (("ties", TIED), ("nans", NANS)):
        why = "kinks"
        samples += [
            Sample(f"a{name}, {kind}", reduced, (given(values),), over(fold), f"a{name}", {"dim": 1}, order=1, why=why),
            Sample(f"{name} of all, {kind}", whole_or_along, (given(values),), fold, name, order=1, why=why),
            Sample(f"{name}, {kind}", whole_or_along, (given(values),), pair, name, {"dim": 1}, order=1, why=why),
            Sample(f"arg{name}, {kind}", argument, (given(values),), index, f"arg{name}", {"dim": 1}, order=0, why=why),
        ]
    return [
        *samples,
        Sample(f"a{name} of ints", reduced, (whole(3, 4),), over(fold), f"a{name}", {"dim": 0}),
        Sample(f"a{name} of bools", reduced, (truth(4),), over(fold), f"a{name}"),
        Sample(f"{name} of ints", whole_or_along, (given([4, 1, 9]),), pair, name, {"dim": 0}),
        Sample(f"{name} of two", whole_or_along, (apart(6), real(6, grad=False)), None, name, why="maximum"),
        *(
            Sample(
                f"{part} large {dim}",
                getattr(extreme, part),
                (apart(2, 3),),
                None,
                part,
                {"dim": dim},
                order=2 if part == name else 0,
                why="the small samples have it",
                large=(real(*LARGE),),
            )
            for part in (name, f"arg{name}")
            for dim in (0, 1)
        ),
        Sample(f"a{name} large", reduced, (apart(2, 3),), over(fold), f"a{name}", large=(real(*LARGE),)),
    ]


SAMPLES = (*both("max", np.max, np.argmax), *both("min", np.min, np.argmin))

ERRORS = (
    ErrorSample("amax of nothing", extreme.amax, (real(0),), ShapeError, r"amax: dimension 0 of input is empty.*\[0\]"),
    ErrorSample("amin of nothing", extreme.amin, (real(2, 0), 1), ShapeError, "amin: dimension 1 of input is empty"),
    ErrorSample("max of nothing", extreme.max, (real(2, 0), 1), ShapeError, "max: dimension 1 of input is empty"),
    ErrorSample(
        "argmin of nothing", extreme.argmin, (real(2, 0),), ShapeError, "argmin: dimension 1 of input is empty"
    ),
    ErrorSample("max, no such dim", extreme.max, (real(2, 3), -3), IndexOutOfRangeError, "max: dim -3 is out of range"),
    ErrorSample(
        "argmax, several dims", extreme.argmax, (real(2, 3), (0, 1)), DTypeError, "argmax: dim must be an integer"
    ),
    ErrorSample(
        "argmax of bools", extreme.argmax, (truth(3),), DTypeError, "argmax: input must hold numbers, got bool"
    ),
)
