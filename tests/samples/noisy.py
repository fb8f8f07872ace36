"""Samples: activation functions with random numbers; their distributions are in tests/test_noisy.py."""

from __future__ import annotations

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError
from autograd_cnn.ops import noisy
from samples.sample import ErrorSample, Sample, apart, given, real, whole

RANDOM = "other random numbers"


def rrelu(x: np.ndarray, lower: float = 1 / 8, upper: float = 1 / 3) -> np.ndarray:
    return np.where(x > 0, x, (lower + upper) / 2 * x)


SAMPLES = (
    *(
        Sample(f"rrelu {list(shape)} {kwargs}", noisy.rrelu, (apart(*shape),), rrelu, "nn.functional.rrelu", kwargs)
        for shape, kwargs in (((), {}), ((0,), {}), ((3, 4), {}), ((3, 4), {"lower": 0.5, "upper": 0.5}))
    ),
    Sample(
        "rrelu kinks",
        noisy.rrelu,
        (given([0.0, -0.0, np.inf, np.nan]),),
        rrelu,
        "nn.functional.rrelu",
        order=1,
        why="kinks",
    ),
    *(
        Sample(f"rrelu training {list(s)}", noisy.rrelu, (apart(*s),), None, None, {"training": True}, why=RANDOM)
        for s in ((), (0,), (3, 4))
    ),
    *(
        Sample(
            f"rrelu in place {training}",
            lambda x, training=training: noisy.rrelu(x * 1.0, training=training, inplace=True),
            (apart(3, 4),),
            None,
            None,
            why=RANDOM,
        )
        for training in (False, True)
    ),
    *(
        Sample(f"gumbel_softmax {kwargs}", noisy.gumbel_softmax, (real(3, 4),), None, None, kwargs, why=RANDOM)
        for kwargs in ({}, {"tau": 0.3, "dim": 0})
    ),
    Sample(
        "gumbel_softmax hard",
        noisy.gumbel_softmax,
        (real(3, 4),),
        None,
        None,
        {"hard": True},
        0,
        "a gradient that is not the derivative",
    ),
)

ERRORS = (
    ErrorSample("rrelu limits", noisy.rrelu, (real(3), 0.5, 0.2), ArgumentError, "lower must be at most upper"),
    ErrorSample("rrelu of ints", noisy.rrelu, (whole(3),), DTypeError, "rrelu: input must be a floating point tensor"),
    ErrorSample("gumbel, tau", noisy.gumbel_softmax, (real(3), 0), ArgumentError, "gumbel_softmax: tau must not be 0"),
    ErrorSample(
        "gumbel, no such dim",
        lambda x: noisy.gumbel_softmax(x, dim=1),
        (real(3),),
        IndexOutOfRangeError,
        "dim 1 is out",
    ),
    ErrorSample(
        "gumbel of ints", noisy.gumbel_softmax, (whole(3),), DTypeError, "gumbel_softmax: logits must be a floating"
    ),
)
