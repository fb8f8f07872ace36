"""Samples: losses of class scores against labels."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as family
from samples.loss import chance
from samples.sample import ErrorSample, Input, Sample, given, real, whole

WEIGHT = [0.5, 2.0, 1.0, 0.3]


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Over the channels, dimension 1."""
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def nll_loss(
    logp: np.ndarray, target: np.ndarray, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
) -> np.ndarray:
    if logp.ndim == 1:
        logp, losses = logp[None], np.zeros(1)
        target = np.reshape(target, 1)
        single = True
    else:
        losses, single = np.zeros(target.shape), False
    weight = np.ones(logp.shape[1]) if weight is None else weight
    total = 0.0
    for place in np.ndindex(target.shape):
        label = target[place]
        if label == ignore_index:
            continue
        line = logp[(place[0], slice(None), *place[1:])]
        spread = -np.sum(weight * line) / len(line)
        losses[place] = -(1 - label_smoothing) * weight[label] * line[label] + label_smoothing * spread
        total += weight[label]
    if reduction == "mean":
        return losses.sum() / total if total else np.array(np.nan)
    return losses.sum() if reduction == "sum" else losses[0] if single else losses


def cross_entropy(x: np.ndarray, target: np.ndarray, weight=None, **options) -> np.ndarray:
    if target.dtype.kind == "f":
        return of_probabilities(x, target, weight, **options)
    return nll_loss(log_softmax(x[None])[0] if x.ndim == 1 else log_softmax(x), target, weight, **options)


def of_probabilities(x: np.ndarray, target: np.ndarray, weight=None, reduction="mean", label_smoothing=0.0):
    single = x.ndim == 1
    x, target = (x[None], target[None]) if single else (x, target)
    weight = np.ones(x.shape[1]) if weight is None else weight
    weight = weight.reshape(-1, *[1] * (x.ndim - 2))
    target = target * (1 - label_smoothing) + label_smoothing / x.shape[1]
    losses = -(weight * target * log_softmax(x)).sum(axis=1)
    if reduction == "none":
        return losses[0] if single else losses
    return losses.sum() if reduction == "sum" else losses.sum() / losses.size


def labels(*shape: int) -> Input:
    return whole(*shape, low=0, high=4)


def case(name: str, inputs: tuple[Input, ...], what: str = "cross_entropy", **kwargs) -> Sample:
    reference = {"cross_entropy": cross_entropy, "nll_loss": nll_loss}[what]
    described = f"{what} {name} {kwargs}"
    return Sample(described, getattr(family, what), inputs, reference, f"nn.functional.{what}", kwargs)


WEIGHTS = given(WEIGHT, grad=False)
IGNORED = given([[0, 3, 2], [2, 2, 1]])

SAMPLES = (
    *(
        case(name, inputs, what, **{"reduction": reduction, **options})
        for what, more in (("cross_entropy", ({}, {"label_smoothing": 0.1})), ("nll_loss", ({},)))
        for options in more
        for reduction in ("mean", "sum", "none")
        for name, inputs in (
            ("[3, 4]", (real(3, 4), labels(3))),
            ("[4]", (real(4), labels())),
            ("[2, 4, 3]", (real(2, 4, 3), labels(2, 3))),
            ("[2, 4, 2, 3]", (real(2, 4, 2, 3), labels(2, 2, 3))),
            ("with weight", (real(3, 4), labels(3), WEIGHTS)),
            ("[2, 4, 3] with weight", (real(2, 4, 3), labels(2, 3), WEIGHTS)),
            ("label -100", (real(3, 4), given([1, -100, 3]))),
        )
    ),
    *(
        case("ignoring 2", (real(2, 4, 3), IGNORED, WEIGHTS), what, ignore_index=2, reduction=reduction)
        for what in ("cross_entropy", "nll_loss")
        for reduction in ("mean", "none")
    ),
    case("ignoring all", (real(2, 4), given([1, 1])), "nll_loss", ignore_index=1, reduction="sum"),
    Sample(
        "nll_loss large",
        family.nll_loss,
        (real(3, 4), labels(3)),
        nll_loss,
        "nn.functional.nll_loss",
        large=(real(40, 4, 900), labels(40, 900)),
    ),
    Sample(
        "nll_loss, the mean of nothing",
        lambda x, t: family.nll_loss(x, t, ignore_index=1),
        (real(2, 4), given([1, 1])),
        lambda x, t: np.array(np.nan),
        lambda torch, x, t: torch.nn.functional.nll_loss(x, t, ignore_index=1),
        order=1,
        why="nan has no differences",
    ),
    *(
        case(f"probabilities {name}", inputs, **{"reduction": reduction, **options})
        for options in ({}, {"label_smoothing": 0.2})
        for reduction in ("mean", "sum", "none")
        for name, inputs in (
            ("[3, 4]", (real(3, 4), chance(3, 4))),
            ("[4]", (real(4), chance(4))),
            ("[2, 4, 3] with weight", (real(2, 4, 3), chance(2, 4, 3), WEIGHTS)),
        )
    ),
    Sample(
        "cross_entropy of far scores",
        family.cross_entropy,
        (given([[1000.0, 0.0], [-1000.0, 0.0], [0.0, 1000.0]]), given([0, 0, 1])),
        cross_entropy,
        "nn.functional.cross_entropy",
        order=1,
        why="finite differences need a curve",
    ),
    Sample(
        "cross_entropy large",
        family.cross_entropy,
        (real(3, 4), labels(3)),
        cross_entropy,
        "nn.functional.cross_entropy",
        {"reduction": "none"},
        large=(real(40, 4, 900), labels(40, 900)),
    ),
    Sample(
        "cross_entropy, int32 labels",
        family.cross_entropy,
        (real(3, 4), given(np.array([1, 0, 3], np.int32))),
        cross_entropy,
        None,
        why="PyTorch takes int64 alone",
    ),
)

ERRORS = (
    *(
        ErrorSample(f"{what}, {name}", getattr(family, what), inputs, error, f"{what}: {match}", kwargs)
        for what in ("cross_entropy", "nll_loss")
        for name, inputs, error, match, kwargs in (
            (
                "label too large",
                (real(3, 4), given([1, 4, 0])),
                IndexOutOfRangeError,
                r"target\[1\] is 4, input has 4 classes",
                {},
            ),
            (
                "label negative",
                (real(2, 4, 2), given([[0, 1], [2, -1]])),
                IndexOutOfRangeError,
                r"target\[1, 1\] is -1, input has 4 classes",
                {},
            ),
            ("single label", (real(4), given(7)), IndexOutOfRangeError, "target is 7, input has 4 classes", {}),
            (
                "labels' shape",
                (real(3, 4), labels(2)),
                ShapeError,
                r"target .*\[3\] for input of shape \[3, 4\], got \[2\]",
                {},
            ),
            ("bool labels", (real(2, 4), given([True, False])), DTypeError, "target must hold integers.*bool", {}),
            ("weight", (real(2, 4), labels(2), real(3)), ShapeError, r"weight must have shape \[4\], got \[3\]", {}),
            ("scores of ints", (whole(2, 4), labels(2)), DTypeError, "input must be a floating point tensor", {}),
            ("number", (real(), given(0)), ShapeError, r"input must be \(C,\) or \(N, C, ...\)", {}),
            ("reduction", (real(2, 4), labels(2)), ArgumentError, "reduction must be .*'avg'", {"reduction": "avg"}),
        )
    ),
    ErrorSample(
        "cross_entropy, float labels",
        family.cross_entropy,
        (real(3, 4), real(3)),
        DTypeError,
        "cross_entropy: labels must be integers, target has float32",
    ),
    ErrorSample(
        "cross_entropy, probabilities' shape",
        family.cross_entropy,
        (real(3, 4), real(3, 3)),
        ShapeError,
        r"probabilities must have input's shape \[3, 4\], target has \[3, 3\]",
    ),
    ErrorSample(
        "cross_entropy, probabilities to ignore",
        family.cross_entropy,
        (real(3, 4), real(3, 4)),
        ArgumentError,
        "ignore_index 1 is for labels",
        {"ignore_index": 1},
    ),
    ErrorSample(
        "cross_entropy, smoothing",
        family.cross_entropy,
        (real(3, 4), labels(3)),
        ArgumentError,
        "label_smoothing must be 0 to 1, got 1.5",
        {"label_smoothing": 1.5},
    ),
)
