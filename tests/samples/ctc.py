"""Samples: connectionist temporal classification."""

import itertools

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as F
from samples.loss import reduced
from samples.sample import ErrorSample, Sample, given, real, whole


def spelled(path: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != blank]


def ctc_loss(scores: np.ndarray, targets: np.ndarray, times, lengths, blank=0, reduction="mean", zero_infinity=False):
    """By adding up all paths."""
    log_probs = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    losses = []
    for n, (steps, length) in enumerate(zip(times, lengths, strict=True)):
        first = sum(lengths[:n])
        target = list(targets[n][:length] if targets.ndim == 2 else targets[first : first + length])
        paths = itertools.product(range(scores.shape[2]), repeat=steps)
        total = sum(
            np.exp(sum(log_probs[t, n, label] for t, label in enumerate(path)))
            for path in paths
            if spelled(path, blank) == target
        )
        losses.append(-np.log(total) if total else 0.0 if zero_infinity else np.inf)
    losses = np.array(losses)
    return reduced(losses / np.maximum(lengths, 1) if reduction == "mean" else losses, reduction)


def case(name: str, scores, targets, times, lengths, large: tuple = (), **kwargs) -> Sample:
    def call(function):
        return lambda x, t: function(x.log_softmax(-1), t, times, lengths, **kwargs)

    return Sample(
        f"ctc_loss {name} {kwargs}",
        call(F.ctc_loss),
        (scores, targets),
        lambda x, t: ctc_loss(x, t, times, lengths, **kwargs),
        lambda torch, x, t: call(torch.nn.functional.ctc_loss)(x, t),
        large=large,
    )


PADDED = given([[1, 2], [3, 9], [2, 2]])
ROW = given([1, 2, 3, 2, 2])
TIMES, LENGTHS = (4, 2, 3), (2, 1, 2)

SAMPLES = (
    *(
        case(name, real(4, 3, 4), targets, TIMES, LENGTHS, **kwargs)
        for name, targets in (("padded", PADDED), ("in a row", ROW))
        for kwargs in ({}, {"reduction": "sum"}, {"reduction": "none"})
    ),
    case("another blank", real(4, 3, 4), given([[1, 0], [3, 9], [0, 0]]), TIMES, LENGTHS, blank=2),
    case("nothing to say", real(3, 2, 3), given([[1, 2], [1, 2]]), (3, 2), (0, 1)),
    case("only blanks", real(3, 2, 3), given(np.zeros((2, 0), np.int64)), (3, 1), (0, 0), reduction="none"),
    case("too long", real(3, 2, 3), given([[1, 1], [1, 2]]), (2, 3), (2, 2), zero_infinity=True),
    Sample(
        "ctc_loss, infinite",
        lambda x, t: F.ctc_loss(x.log_softmax(-1), t, (2, 3), (2, 2), reduction="none"),
        (real(3, 2, 3, grad=False), given([[1, 1], [1, 2]])),
        lambda x, t: ctc_loss(x, t, (2, 3), (2, 2), reduction="none"),
        lambda torch, x, t: torch.nn.functional.ctc_loss(x.log_softmax(-1), t, (2, 3), (2, 2), reduction="none"),
        order=0,
        why="infinity has no gradient",
    ),
    Sample(
        "ctc_loss large",
        lambda x, t: F.ctc_loss(x.log_softmax(-1), t, [len(x)] * x.shape[1], [t.shape[1]] * x.shape[1]),
        (real(3, 2, 3), whole(2, 1, low=1, high=3)),
        None,
        lambda torch, x, t: torch.nn.functional.ctc_loss(
            x.log_softmax(-1), t, [len(x)] * x.shape[1], [t.shape[1]] * x.shape[1]
        ),
        why="too many paths",
        large=(real(60, 8, 90), whole(8, 20, low=1, high=90)),
    ),
)


def error(name: str, kind: type[Exception], match: str, *inputs, **kwargs) -> ErrorSample:
    return ErrorSample(f"ctc_loss, {name}", F.ctc_loss, inputs, kind, f"ctc_loss: {match}", kwargs)


X, TARGETS = real(4, 2, 3), given([[1, 2], [2, 1]])
ERRORS = (
    error("reduction", ArgumentError, "reduction must be", X, TARGETS, (4, 4), (2, 2), reduction="max"),
    error("dimensions", ShapeError, r"log_probs must be \(T, N, C\)", real(4), TARGETS, (4,), (2,)),
    error("no steps", ShapeError, "log_probs has no steps", real(0, 2, 3), TARGETS, (0, 0), (2, 2)),
    error("blank", IndexOutOfRangeError, "blank 3 is out of range for 3", X, TARGETS, (4, 4), (2, 2), blank=3),
    error("label", IndexOutOfRangeError, "target 5 is out of range", X, given([[1, 5], [1, 2]]), (4, 4), (2, 2)),
    error("times", ArgumentError, "input_lengths must be 0 to 4, .* got 5", X, TARGETS, (4, 5), (2, 2)),
    error("negative", ArgumentError, "target_lengths must be at least 0, got -1", X, TARGETS, (4, 4), (2, -1)),
    error("lengths", ArgumentError, "target_lengths must be 0 to 2, .* got 3", X, TARGETS, (4, 4), (2, 3)),
    error("number of lengths", ShapeError, "input_lengths must have 2 elements", X, TARGETS, (4,), (2, 2)),
    error("row", ArgumentError, "target_lengths add up to 3, targets has 4", X, given([1, 2, 1, 2]), (4, 4), (1, 2)),
    error("rows", ShapeError, r"targets must be \(2, S\)", X, given([[1, 2]]), (4, 4), (2, 2)),
    error("real lengths", DTypeError, "input_lengths must hold integers", X, TARGETS, (4.5, 4), (2, 2)),
    error("real targets", DTypeError, "targets must hold integers", X, real(2, 2), (4, 4), (2, 2)),
)
