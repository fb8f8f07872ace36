"""Samples: sums with a product, a quotient, or a share of a difference; what is left of a division."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import blend
from samples.sample import ErrorSample, Input, Sample, apart, given, positive, real, truth, whole

SHAPES = (
    ((3, 4), (3, 4), (3, 4)),
    ((4,), (3, 4), (3, 1)),
    ((), (3,), (2, 1)),
    ((0, 3), (3,), ()),
    ((2, 3), (1, 3), ()),
    ((), (), ()),
)


def addcmul(x, y, z, value=1):
    return x + value * y * z


def addcdiv(x, y, z, value=1):
    return x + value * y / z


def lerp(x, end, weight):
    return x + weight * (end - x)


def rest(x, y):
    return np.fmod(x, y)


def whole_and_fraction(*shape: int) -> Input:
    """Clear of whole numbers."""
    return Input(shape, lambda rng, shape: rng.integers(-4, 4, shape) + rng.uniform(0.1, 0.9, shape))


BIG = (real(200, 300),) * 3

SAMPLES = (
    *(
        Sample(f"{op.__name__} {shapes} {kwargs}", op, tuple(map(domain, shapes)), reference, op.__name__, kwargs)
        for op, reference, domain in (
            (blend.addcmul, addcmul, lambda shape: real(*shape)),
            (blend.addcdiv, addcdiv, lambda shape: positive(*shape)),
        )
        for shapes, kwargs in zip(SHAPES, ({}, {"value": 0.5}, {"value": -2}, {}, {}, {"value": 3}), strict=True)
    ),
    *(Sample(f"lerp {shapes}", blend.lerp, tuple(real(*shape) for shape in shapes), lerp, "lerp") for shapes in SHAPES),
    *(
        Sample(
            f"lerp number {weight}",
            lambda x, end, weight=weight: blend.lerp(x, end, weight),
            (real(3, 4), real(3, 4)),
            lambda x, end, weight=weight: lerp(x, end, weight),
            lambda torch, x, end, weight=weight: torch.lerp(x, end, weight),
            large=(real(200, 300), real(200, 300)),
        )
        for weight in (0.25, 0.75, -3, 2.0)
    ),
    Sample("addcmul large", blend.addcmul, (real(2),) * 3, addcmul, "addcmul", large=BIG),
    Sample("addcdiv large", blend.addcdiv, (positive(2),) * 3, addcdiv, "addcdiv", large=BIG),
    Sample("lerp large", blend.lerp, (real(2),) * 3, lerp, "lerp", large=BIG),
    Sample("addcmul of ints", blend.addcmul, (whole(5), whole(5), whole(5)), addcmul, "addcmul", {"value": 2}),
    Sample("addcmul of ints and reals", blend.addcmul, (whole(5), whole(5), real(5)), addcmul, "addcmul"),
    *(
        Sample(f"fmod {list(x)} {list(y)}", blend.fmod, (apart(*x, gap=0.7), positive(*y)), rest, "fmod")
        for x, y in (((), ()), ((3, 4), (4,)), ((4,), (3, 1)), ((0,), (1,)))
    ),
    Sample(
        "fmod large",
        blend.fmod,
        (apart(5, gap=0.7), positive(5)),
        rest,
        "fmod",
        large=(real(200, 300), positive(200, 300)),
        hazards=True,
    ),
    Sample("fmod of ints", blend.fmod, (given([7, -7, 7, -7, 6]), given([3, 3, -3, -3, -1])), rest, "fmod"),
    Sample(
        "fmod number",
        lambda x: blend.fmod(x, 1.5),
        (real(6),),
        lambda x: rest(x, 1.5),
        lambda torch, x: torch.fmod(x, 1.5),
    ),
    *(
        Sample(f"frac {list(shape)}", blend.frac, (whole_and_fraction(*shape),), lambda x: x - np.trunc(x), "frac")
        for shape in ((), (0,), (3, 4))
    ),
    Sample("rsub", blend.rsub, (real(3), real(2, 3)), lambda x, y, alpha: y - alpha * x, "rsub", {"alpha": 2.5}),
    Sample("rsub number", lambda x: blend.rsub(x, 3), (real(3),), lambda x: 3 - x, lambda torch, x: torch.rsub(x, 3)),
    Sample("true_divide", blend.true_divide, (real(3), positive(2, 3)), np.divide, "true_divide"),
    Sample("true_divide of ints", blend.true_divide, (whole(3), whole(3, low=1)), np.divide, "true_divide"),
    Sample("positive", blend.positive, (real(3),), lambda x: x, "positive"),
)

ERRORS = (
    ErrorSample("addcdiv of ints", blend.addcdiv, (whole(3),) * 3, DTypeError, "addcdiv: takes floating point tensors"),
    ErrorSample("addcmul of bools", blend.addcmul, (truth(3),) * 3, DTypeError, "addcmul: takes numbers, got bool"),
    ErrorSample(
        "addcmul, fractional value",
        blend.addcmul,
        (whole(3),) * 3,
        DTypeError,
        "addcmul: value must be an integer where the tensors are, got 0.5",
        {"value": 0.5},
    ),
    ErrorSample("addcmul of a number", blend.addcmul, (real(3), 2.0, real(3)), DTypeError, "addcmul: takes a tensor"),
    ErrorSample("addcmul shapes", blend.addcmul, (real(3), real(4), real(3)), ShapeError, "addcmul: shapes"),
    ErrorSample(
        "lerp of ints", blend.lerp, (whole(3), whole(3), 0.5), DTypeError, "lerp: input must be a floating point"
    ),
    ErrorSample("lerp dtypes", blend.lerp, (real(3), whole(3), 0.5), DTypeError, "lerp: end must be a floating point"),
    ErrorSample("fmod by 0", blend.fmod, (whole(3), 0), ArgumentError, r"fmod: integers .* are divided by 0"),
    ErrorSample("fmod of bools", blend.fmod, (truth(3), truth(3)), DTypeError, "fmod: takes numbers, got bool"),
    ErrorSample("frac of ints", blend.frac, (whole(3),), DTypeError, "frac: input must be a floating point tensor"),
    ErrorSample("positive of bools", blend.positive, (truth(3),), DTypeError, "positive: takes numbers, got bool"),
)
