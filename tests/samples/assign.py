"""Samples: copy_ and fill_."""

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.ops import assign
from samples.sample import ErrorSample, Sample, given, real, truth, whole


def copied(x, source):
    y = x * 1
    y.copy_(source)
    return y * x


def copied_reference(x, source):
    return np.broadcast_to(source, x.shape).astype(x.dtype) * x


def filled(x, value):
    y = x * 1
    y[1:].fill_(value)
    return y * x


def filled_reference(x, value):
    return np.where(np.arange(len(x))[:, None] == 0, x, value) * x


def zeroed(x):
    y = x * 1
    y.zero_()
    return y + x


SAMPLES = (
    *(
        Sample(
            f"copy_ {list(source.shape)}",
            copied,
            (real(2, 3), source),
            copied_reference,
            lambda torch, x, source: copied(x, source),
        )
        for source in (real(2, 3), real(3), real(2, 1), real())
    ),
    Sample("copy_ ints", copied, (real(2, 3), whole(3)), copied_reference, lambda torch, x, source: copied(x, source)),
    Sample(
        "copy_ bools",
        copied,
        (real(2, 3), truth(2, 3)),
        copied_reference,
        lambda torch, x, source: copied(x, source),
    ),
    Sample(
        "copy_ into ints",
        lambda x, source: assign.copy_(x.clone(), source),
        (whole(3), given([1.7, -1.7, 0.2])),
        lambda x, source: source.astype(np.int64),
        lambda torch, x, source: x.clone().copy_(source),
        order=0,
        why="integers have no gradient",
    ),
    *(
        Sample(
            f"fill_ {value}",
            filled,
            (real(2, 3),),
            filled_reference,
            lambda torch, x, value: filled(x, value),
            {"value": value},
        )
        for value in (2.5, 3, True)
    ),
    Sample("fill_ tensor", filled, (real(2, 3), real()), filled_reference, lambda torch, x, v: filled(x, v)),
    Sample("zero_", zeroed, (real(2, 3),), np.array, lambda torch, x: zeroed(x)),
)

LEAF = np.ones(3)

ERRORS = (
    ErrorSample("copy_ shape", assign.copy_, (real(2, 3), real(2)), ShapeError, r"\[2, 3\] and \[2\]"),
    ErrorSample(
        "copy_ larger", assign.copy_, (real(3), real(2, 3)), ShapeError, r"\[2, 3\] does not broadcast to \[3\]"
    ),
    ErrorSample("copy_ text", assign.copy_, (real(3), "a"), DTypeError, "got str"),
    ErrorSample("fill_ list", assign.fill_, (real(3), [1.0]), DTypeError, "got list"),
    ErrorSample("fill_ tensor", assign.fill_, (real(3), real(3)), ShapeError, r"got a tensor of shape \[3\]"),
    ErrorSample("fill_ nan", assign.fill_, (whole(3), float("nan")), ArgumentError, "nan does not fit int64"),
    ErrorSample("fill_ overflow", assign.fill_, (given(np.zeros(2, np.uint8)), 256), ArgumentError, "uint8"),
    ErrorSample(
        "fill_ leaf",
        lambda: assign.fill_(from_numpy(LEAF).requires_grad_(), 1.0),
        (),
        InPlaceError,
        "leaf tensor that requires grad",
    ),
    ErrorSample(
        "fill_ expanded", lambda x: assign.fill_(x.expand(2, 3), 1.0), (real(3),), InPlaceError, "share memory"
    ),
)
