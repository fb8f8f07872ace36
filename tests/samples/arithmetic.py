"""Samples: arithmetic on two operands, where."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.ops import arithmetic
from samples.sample import ErrorSample, Input, Sample, apart, given, positive, real, truth, whole

SHAPES = (
    ((), ()),
    ((0,), (1,)),
    ((1,), (1,)),
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((4,), (3, 4)),
    ((3, 1), (1, 4)),
    ((2, 1, 3), ()),
    ((0, 3), (3,)),
    ((2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2)),
)
LARGE = (((200, 300), (200, 300)), ((200, 300), (300,)), ((200, 300), ()), ((200, 1), (300,)))


def binary(
    name: str,
    reference: Callable,
    left: Callable[..., Input] = real,
    right: Callable[..., Input] = real,
    order: int = 2,
    why: str = "",
    hazards: bool = True,
) -> list[Sample]:
    """One function over shapes that broadcast, with numbers on either side, and over integers."""
    op = getattr(arithmetic, name)
    large = LARGE if name in ("add", "div") else LARGE[:1]

    def sample(what: str, inputs: tuple, **options) -> Sample:
        return Sample(f"{name} {what}", op, inputs, reference, name, order=order, why=why, **options)

    def number(what: str, ours: Callable, numpys: Callable, torchs: Callable, source: Input) -> Sample:
        return Sample(f"{name} {what}", ours, (source,), numpys, torchs, order=order, why=why)

    return [
        *(sample(f"{list(x)} {list(y)}", (left(*x), right(*y))) for x, y in SHAPES),
        *(sample(f"large {list(x)} {list(y)}", (left(2, 3), right(3)), large=(left(*x), right(*y))) for x, y in large),
        sample("hazards", (left(5), right(5)), hazards=hazards),
        sample("int", (whole(5, 5, low=1), whole(5, low=1))),
        sample("int and real", (whole(5, low=1), right(5))),
        sample("float32 and float64", (given(np.array([0.5, 1.5], np.float32)), given(np.array(0.7))))
        if order == 0
        else sample("wide 0-d and int", (given(np.array(0.7)), whole(5, low=1))),
        number(
            "number on the right",
            lambda x: op(x, 1.3),
            lambda x: reference(x, 1.3),
            lambda torch, x: getattr(torch, name)(x, torch.tensor(1.3, dtype=x.dtype)),
            left(3, 4),
        ),
        number(
            "number on the left",
            lambda y: op(2.5, y),
            lambda y: reference(2.5, y),
            lambda torch, y: getattr(torch, name)(torch.tensor(2.5, dtype=y.dtype), y),
            right(3, 4),
        ),
    ]


def power(x: np.ndarray, y: np.ndarray | float) -> np.ndarray:
    """NumPy's, but -inf for (-0) ** -0.5, like PyTorch, whose way is the square root."""
    return 1 / np.sqrt(x) if np.ndim(y) == 0 and y == -0.5 else np.power(x, y)


def to_the(exponent: float, what: str, source: Input, order: int = 2, why: str = "") -> Sample:
    return Sample(
        f"pow {exponent} of {what}",
        lambda x: arithmetic.pow(x, exponent),
        (source,),
        lambda x: power(x, exponent),
        lambda torch, x: torch.pow(x, exponent),
        order=order,
        why=why,
        hazards=not why,
    )


def scaled(name: str, alpha: float, *sources: Input) -> Sample:
    sign = 1 if name == "add" else -1
    return Sample(
        f"{name} alpha {alpha} {[source.shape for source in sources]}",
        getattr(arithmetic, name),
        sources,
        lambda x, y, alpha: x + sign * alpha * y,
        name,
        {"alpha": alpha},
    )


def rounded(mode: str, what: str, x: Input, y: Input) -> Sample:
    reference = np.floor if mode == "floor" else np.trunc

    def quotient(a: np.ndarray, b: np.ndarray, rounding_mode: str) -> np.ndarray:
        result = reference(a / b)
        return result.astype(int) if a.dtype.kind == b.dtype.kind == "i" else result

    why = "a step function"
    return Sample(f"div {mode} {what}", arithmetic.div, (x, y), quotient, "div", {"rounding_mode": mode}, 0, why)


def choice(what: str, *sources: Input, order: int = 2, why: str = "", large: tuple = ()) -> Sample:
    return Sample(f"where {what}", arithmetic.where, sources, np.where, "where", order=order, why=why, large=large)


def choose_numbers(a: float, b: float) -> Sample:
    return Sample(
        f"where {a} {b}",
        lambda c: arithmetic.where(c, a, b),
        (truth(3, 4),),
        lambda c: np.where(c, a, b),
        lambda torch, c: torch.where(c, a, b),
    )


TIES = given([1.0, 2.0, 3.0, np.nan, 1.0, np.inf]), given([1.0, 3.0, 2.0, 1.0, np.nan, np.inf])
NEGATIVE_INTS = given([7, -7, 7, -7, 6]), given([3, 3, -3, -3, -3])

SAMPLES = (
    *binary("add", np.add),
    *binary("sub", np.subtract),
    *binary("mul", np.multiply),
    *binary("div", lambda x, y: np.true_divide(x, y), right=positive),
    *binary("pow", power, left=positive, hazards=False),
    *binary("maximum", np.maximum, apart, lambda *shape: real(*shape, low=0.01, high=0.04)),
    *binary("minimum", np.minimum, apart, lambda *shape: real(*shape, low=0.01, high=0.04)),
    *binary("atan2", np.arctan2, positive, positive),
    *binary(
        "remainder",
        np.remainder,
        lambda *shape: real(*shape, low=2.1, high=2.9),
        lambda *shape: real(*shape, low=0.95, high=1.0),
        hazards=False,
    ),
    *binary("floor_divide", np.floor_divide, right=positive, order=0, why="a step function", hazards=False),
    *(
        Sample(f"{name} real and bool", getattr(arithmetic, name), (positive(5), truth(5)), reference, name)
        for name, reference in (
            ("add", np.add),
            ("mul", np.multiply),
            ("maximum", np.maximum),
        )
    ),
    Sample("add bool", arithmetic.add, (truth(9), truth(9)), np.logical_or, "add"),
    Sample("mul bool", arithmetic.mul, (truth(9), truth(9)), np.logical_and, "mul"),
    Sample("maximum bool", arithmetic.maximum, (truth(9), truth(9)), np.maximum, "maximum"),
    Sample("minimum bool", arithmetic.minimum, (truth(9), truth(9)), np.minimum, "minimum"),
    Sample("div bool", arithmetic.div, (truth(9), given(np.array([True] * 9))), np.true_divide, "div"),
    Sample("maximum ties", arithmetic.maximum, TIES, np.maximum, "maximum", order=1, why="kinks"),
    Sample("minimum ties", arithmetic.minimum, TIES, np.minimum, "minimum", order=1, why="kinks"),
    Sample("remainder negative int", arithmetic.remainder, NEGATIVE_INTS, np.remainder, "remainder"),
    Sample("floor_divide negative int", arithmetic.floor_divide, NEGATIVE_INTS, np.floor_divide, "floor_divide"),
    Sample(
        "remainder signs",
        arithmetic.remainder,
        (given([5.0, -5.0, 5.0, -5.0, 0.0, -1.0]), given([3.0, 3.0, -3.0, -3.0, 3.0, np.inf])),
        np.remainder,
        "remainder",
        order=1,
        why="a step function",
    ),
    Sample(
        "atan2 quadrants",
        arithmetic.atan2,
        (given([1.0, 1.0, -1.0, -1.0]), given([1.0, -1.0, 1.0, -1.0])),
        np.arctan2,
        "atan2",
    ),
    Sample(
        "atan2 origin",
        arithmetic.atan2,
        (given([0.0, 0.0, -0.0, 1.0]), given([0.0, -1.0, -1.0, 0.0])),
        np.arctan2,
        "atan2",
        order=1,
        why="no slope at the origin",
    ),
    *(rounded(mode, "real", real(9), real(9)) for mode in ("floor", "trunc")),
    *(rounded(mode, "int", *NEGATIVE_INTS) for mode in ("floor", "trunc")),
    *(rounded(mode, "int and real", whole(9), positive(9)) for mode in ("floor", "trunc")),
    *(scaled(name, 2, real(3, 4), real(4)) for name in ("add", "sub")),
    *(scaled(name, -0.5, real(3, 4), whole(4)) for name in ("add", "sub")),
    *(scaled(name, 3, whole(3, 4), whole(4)) for name in ("add", "sub")),
    *(to_the(exponent, "positive", positive(3, 4)) for exponent in (0, 1, 2, 3, 4, 0.5, -0.5, -1, -2, 1.7, -1.7)),
    *(to_the(exponent, "any sign", apart(3, 4)) for exponent in (0, 1, 2, 3, 4, -1, -2)),
    to_the(2, "0", given([0.0, -0.0, 3.0])),
    *(to_the(exponent, "edges", given([0.0, -0.0, 1.0, np.inf]), 1, "edges") for exponent in (0, 1, 3, 0.5, -1, 1.5)),
    Sample(
        "pow at 0",
        arithmetic.pow,
        (given([0.0, 0.0, 0.0, 2.0, 1.0]), given([0.0, 1.0, 2.0, 0.0, 0.0])),
        power,
        "pow",
        order=1,
        why="edges",
    ),
    Sample("pow negative base", arithmetic.pow, (real(5, low=-2, high=-1), whole(5)), power, "pow"),
    Sample("pow any int", arithmetic.pow, (whole(9), whole(9, low=0)), power, "pow"),
    choice("same", truth(3, 4), real(3, 4), real(3, 4), large=(truth(200, 300), real(200, 300), real(200, 300))),
    choice("broadcast", truth(3, 1), real(4), real(2, 1, 1)),
    choice("0-d", truth(), real(), real()),
    choice("empty", truth(0, 3), real(3), real(1)),
    choice("int", truth(3, 4), whole(4), whole(3, 4)),
    choice("bool", truth(3, 4), truth(4), truth(3, 4)),
    choice("int and real", truth(3, 4), whole(4), real(3, 4)),
    choice(
        "hides nan",
        given(np.array([True, False])),
        given([1.0, np.nan]),
        given([np.inf, 2.0]),
        order=1,
        why="nan",
    ),
    choose_numbers(1.0, 2.0),
    choose_numbers(1, 2.5),
    choose_numbers(1, 2),
    choose_numbers(True, False),
)

ERRORS = (
    ErrorSample("add shapes", arithmetic.add, (real(3), real(4)), ShapeError, r"add: shapes \[3\] and \[4\] do not"),
    ErrorSample(
        "mul shapes",
        arithmetic.mul,
        (real(2, 3), real(2, 4)),
        ShapeError,
        r"mul: shapes \[2, 3\] and \[2, 4\] do not broadcast: sizes 3 and 4 at dimension 1, neither is 1",
    ),
    ErrorSample("add text", arithmetic.add, (real(3), "1"), DTypeError, "add: takes tensors and numbers, got str"),
    ErrorSample(
        "add complex array", arithmetic.add, (real(3), np.ones(3, complex)), DTypeError, "add: dtype complex128"
    ),
    ErrorSample("add None", arithmetic.add, (real(3), None), DTypeError, "add: takes .*, got NoneType"),
    ErrorSample("mul numbers", arithmetic.mul, (2, 3), DTypeError, "mul: needs at least one tensor, got int, int"),
    ErrorSample("sub bools", arithmetic.sub, (truth(3), truth(3)), DTypeError, "sub: takes numbers, got bool; use"),
    ErrorSample("sub bool 1", arithmetic.sub, (truth(3), 1), DTypeError, "sub: takes numbers, got bool"),
    ErrorSample("1 sub bool", arithmetic.sub, (1.5, truth(3)), DTypeError, "sub: takes numbers, got bool"),
    ErrorSample("sub int True", arithmetic.sub, (whole(3), True), DTypeError, "sub: takes numbers, got bool"),
    ErrorSample(
        "add alpha",
        arithmetic.add,
        (whole(3), whole(3)),
        ArgumentError,
        "add: alpha .* got 0.5",
        {"alpha": 0.5},
    ),
    ErrorSample("pow bools", arithmetic.pow, (truth(3), truth(3)), DTypeError, "pow: takes numbers, got bool"),
    ErrorSample("pow -1", arithmetic.pow, (whole(3), -1), ArgumentError, "pow: integers .* the exponent is -1"),
    ErrorSample("floor_divide bools", arithmetic.floor_divide, (truth(3), truth(3)), DTypeError, "got bool"),
    ErrorSample("floor_divide 0", arithmetic.floor_divide, (whole(3), 0), ArgumentError, r"\[3\] are divided by 0"),
    ErrorSample("remainder 0", arithmetic.remainder, (whole(3), 0), ArgumentError, "remainder: integers of"),
    ErrorSample(
        "div mode",
        arithmetic.div,
        (real(3), 2),
        ArgumentError,
        "div: rounding_mode .* got 'up'",
        {"rounding_mode": "up"},
    ),
    ErrorSample(
        "where int",
        arithmetic.where,
        (whole(3), 1, 2),
        DTypeError,
        "condition must be a bool tensor, got int64",
    ),
    ErrorSample(
        "where list",
        arithmetic.where,
        ([True], 1, 2),
        DTypeError,
        "condition must be a bool tensor, got list",
    ),
    ErrorSample("where shapes", arithmetic.where, (truth(3), real(4), real(1)), ShapeError, "where: shapes"),
    ErrorSample("where None", arithmetic.where, (truth(3), None, 1.0), DTypeError, "where: takes .*, got NoneType"),
    ErrorSample("int overflow", arithmetic.add, (whole(3), 10**30), ArgumentError, "add: int64 cannot hold 1000"),
    ErrorSample("div_ int", lambda x: x.div_(2), (whole(3),), InPlaceError, "div in place: a result of dtype float32"),
)
