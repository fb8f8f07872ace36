"""Samples: comparisons, logic, questions about numbers."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import comparison
from samples.sample import ErrorSample, Sample, given, real, truth, whole

WHY = "bools have no gradient"
SHAPES = (
    ((), ()),
    ((0,), (1,)),
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((2, 1, 3), ()),
    ((0, 3), (3,)),
)
SPECIAL = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan]
TIES = (given([[1.0, 2.0], [3.0, np.nan]]), given([1.0, np.nan]))


def compared(name: str, reference: Callable) -> list[Sample]:
    op = getattr(comparison, name)

    def sample(what: str, inputs: tuple, **options) -> Sample:
        return Sample(f"{name} {what}", op, inputs, reference, name, order=0, why=WHY, **options)

    return [
        *(sample(f"{list(x)} {list(y)}", (real(*x), real(*y))) for x, y in SHAPES),
        sample("ties", TIES, large=(real(200, 300), real(200, 300)), hazards=True),
        sample("int", (whole(5, 5), whole(5))),
        sample("int and real", (whole(5), real(5))),
        sample("bool and int", (truth(9), whole(9, low=0, high=2))),
        sample("bool", (truth(9), truth(9))),
    ]


def with_number(name: str, number: float, reference: Callable, *sources) -> list[Sample]:
    op = getattr(comparison, name)
    return [
        Sample(
            f"{name} {number} {i}",
            lambda x: op(x, number),
            (source,),
            lambda x: reference(x, number),
            lambda torch, x: getattr(torch, name)(x, number),
            order=0,
            why=WHY,
        )
        for i, source in enumerate(sources)
    ]


def asked(name: str, reference: Callable) -> list[Sample]:
    op = getattr(comparison, name)
    return [
        Sample(f"{name} {list(s)}", op, (real(*s),), reference, name, order=0, why=WHY)
        for s in ((), (0,), (1,), (3, 4))
    ] + [
        Sample(
            f"{name} special",
            op,
            (given(SPECIAL),),
            reference,
            name,
            order=0,
            why=WHY,
            hazards=True,
            large=(real(200, 300),),
        ),
        Sample(f"{name} int", op, (whole(9),), reference, name),
        Sample(f"{name} bool", op, (truth(9),), reference, name),
        Sample(f"{name} uint8", op, (given(np.array([0, 3, 255], np.uint8)),), reference, name),
    ]


SAMPLES = (
    *compared("eq", np.equal),
    *compared("ne", np.not_equal),
    *compared("lt", np.less),
    *compared("le", np.less_equal),
    *compared("gt", np.greater),
    *compared("ge", np.greater_equal),
    *compared("logical_and", np.logical_and),
    *compared("logical_or", np.logical_or),
    *compared("logical_xor", np.logical_xor),
    *with_number("eq", 1.5, np.equal, real(5), whole(5), truth(5), given([1.5, 1.0])),
    *with_number("lt", 2, np.less, real(5), whole(5), truth(5)),
    *with_number("ge", True, np.greater_equal, real(5), whole(5), truth(5)),
    *asked("isnan", np.isnan),
    *asked("isinf", np.isinf),
    *asked("isfinite", np.isfinite),
    *asked("logical_not", np.logical_not),
    Sample("bitwise_and", comparison.bitwise_and, (truth(9), truth(9)), np.logical_and, "bitwise_and"),
    Sample("bitwise_or", comparison.bitwise_or, (truth(9), truth(9)), np.logical_or, "bitwise_or"),
    Sample("bitwise_xor", comparison.bitwise_xor, (truth(9), truth(9)), np.logical_xor, "bitwise_xor"),
    Sample("bitwise_not", comparison.bitwise_not, (truth(9),), np.logical_not, "bitwise_not"),
)

ERRORS = (
    ErrorSample("eq shapes", comparison.eq, (real(3), real(4)), ShapeError, r"eq: shapes \[3\] and \[4\] do not"),
    ErrorSample("lt text", comparison.lt, (real(3), "1"), DTypeError, "lt: takes tensors and numbers, got str"),
    ErrorSample("& of ints", comparison.bitwise_and, (whole(3), whole(3)), DTypeError, "takes bools, got int64"),
    ErrorSample("~ of reals", comparison.bitwise_not, (real(3),), DTypeError, "bitwise_not: takes bools, got float32"),
    ErrorSample(
        "eq out of range",
        comparison.eq,
        (given(np.array([1], np.uint8)), 300),
        ArgumentError,
        "eq: uint8 cannot hold 300",
    ),
)
