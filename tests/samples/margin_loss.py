"""Samples: losses that ask for a margin."""

import numpy as np

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as F
from samples.loss import reduced
from samples.sample import ErrorSample, Sample, apart, given, real

REDUCTIONS = ("mean", "sum", "none")


def hinge_embedding_loss(x: np.ndarray, target: np.ndarray, margin=1.0, reduction="mean") -> np.ndarray:
    losses = np.where(target != 1, np.maximum(margin - x, 0), 0) + np.where(target != -1, x, 0)
    return reduced(losses, reduction)


def margin_ranking_loss(
    x: np.ndarray, other: np.ndarray, target: np.ndarray, margin=0.0, reduction="mean"
) -> np.ndarray:
    return reduced(np.maximum(-target * (x - other) + margin, 0), reduction)


def multi_margin_loss(x: np.ndarray, target: np.ndarray, weight=None, p=1, margin=1.0, reduction="mean") -> np.ndarray:
    lines, labels = np.atleast_2d(x), np.atleast_1d(target)
    losses = np.zeros(len(lines))
    for i, (line, t) in enumerate(zip(lines, labels, strict=True)):
        for c in range(line.size):
            if c != t:
                losses[i] += max(0.0, margin - line[t] + line[c]) ** p * (1 if weight is None else weight[t])
    return reduced((losses / lines.shape[1]).reshape(x.shape[:-1]), reduction)


def multilabel_margin_loss(x: np.ndarray, target: np.ndarray, reduction="mean") -> np.ndarray:
    lines, labels = np.atleast_2d(x), np.atleast_2d(target)
    losses = np.zeros(len(lines))
    for i, (line, given_labels) in enumerate(zip(lines, labels, strict=True)):
        found = [*map(int, given_labels), -1]
        found = found[: found.index(-1)]
        losses[i] = sum(max(0.0, 1 - line[t] + line[c]) for t in found for c in range(line.size) if c not in found)
    return reduced((losses / lines.shape[1]).reshape(x.shape[:-1]), reduction)


def signs(*shape: int):
    return given(np.random.default_rng(3).choice([-1.0, 1.0], shape), grad=False)


WEIGHT = given([0.5, 2.0, 1.0, 3.0], grad=False)
LABELS = given([3, 0, 2])
SETS = given([[3, 0, -1, 1], [-1, 0, 1, 2], [1, 2, 3, 0], [2, 2, -1, -1]])


def of_labels(name: str, x, target, more=(), **kwargs) -> Sample:
    keyed = {"weight": 0} if more else {}
    op = getattr(F, name)

    def call(function):
        return lambda x, t, *w: function(x, t, **dict(zip(keyed, w, strict=True)), **kwargs)

    return Sample(
        f"{name} {list(x.shape)} {list(keyed)} {kwargs}",
        call(op),
        (x, target, *more),
        call(globals()[name]),
        lambda torch, *given: call(getattr(torch.nn.functional, name))(*given),
    )


SAMPLES = (
    *(
        Sample(
            f"hinge_embedding_loss {list(shape)} {kwargs}",
            F.hinge_embedding_loss,
            (apart(*shape, gap=0.37), signs(*shape)),
            hinge_embedding_loss,
            "nn.functional.hinge_embedding_loss",
            kwargs,
        )
        for shape, kwargs in (
            *(((3, 4), {"reduction": reduction}) for reduction in REDUCTIONS),
            ((5,), {"margin": 0.3}),
            ((), {}),
        )
    ),
    Sample(
        "hinge_embedding_loss, integers and neither",
        F.hinge_embedding_loss,
        (apart(3, gap=0.37), given([1, -1, 0])),
        hinge_embedding_loss,
        "nn.functional.hinge_embedding_loss",
        {"reduction": "none"},
    ),
    *(
        Sample(
            f"margin_ranking_loss {[list(one) for one in shapes]} {kwargs}",
            F.margin_ranking_loss,
            (*(apart(*shape, gap=0.37 + 0.1 * i) for i, shape in enumerate(shapes[:2])), signs(*shapes[2])),
            margin_ranking_loss,
            "nn.functional.margin_ranking_loss",
            kwargs,
        )
        for shapes, kwargs in (
            *((((5,), (5,), (5,)), {"reduction": reduction, "margin": 0.15}) for reduction in REDUCTIONS),
            (((2, 3), (2, 1), (1, 3)), {"margin": 0.05}),
            (((), (), ()), {"margin": 0.05}),
        )
    ),
    *(
        of_labels("multi_margin_loss", apart(3, 4, gap=0.37), LABELS, more, **kwargs)
        for more in ((), (WEIGHT,))
        for kwargs in ({"p": 1}, {"p": 2, "margin": 0.6}, {"reduction": "sum"}, {"reduction": "none"})
    ),
    of_labels("multi_margin_loss", apart(4, gap=0.37), given(2)),
    of_labels("multi_margin_loss", apart(4, gap=0.37), given(1), (WEIGHT,), reduction="none"),
    *(
        of_labels("multilabel_margin_loss", apart(4, 4, gap=0.37), SETS, reduction=reduction)
        for reduction in REDUCTIONS
    ),
    of_labels("multilabel_margin_loss", apart(4, gap=0.37), given([2, 1, -1, 0])),
    of_labels("multilabel_margin_loss", apart(1, 3, gap=0.37), given([[-1, 0, 0]])),
)

ERRORS = (
    *(
        ErrorSample(
            f"{name}, reduction",
            getattr(F, name),
            inputs,
            ArgumentError,
            f"{name}: reduction must be .*'average'",
            {"reduction": "average"},
        )
        for name, inputs in (
            ("hinge_embedding_loss", (real(3), signs(3))),
            ("margin_ranking_loss", (real(3), real(3), signs(3))),
            ("multi_margin_loss", (real(3, 4), LABELS)),
            ("multilabel_margin_loss", (real(4, 4), SETS)),
        )
    ),
    ErrorSample(
        "hinge_embedding_loss, shapes",
        F.hinge_embedding_loss,
        (real(3), signs(2)),
        ShapeError,
        r"hinge_embedding_loss: shapes \[3\] and \[2\] do not broadcast",
    ),
    ErrorSample(
        "margin_ranking_loss, dimensions",
        F.margin_ranking_loss,
        (real(3), real(3, 1), signs(3)),
        ShapeError,
        r"as many dimensions, got shapes \[3\], \[3, 1\], \[3\]",
    ),
    ErrorSample(
        "multi_margin_loss, p",
        F.multi_margin_loss,
        (real(3, 4), LABELS),
        ArgumentError,
        "multi_margin_loss: p must be 1 or 2, got 3",
        {"p": 3},
    ),
    ErrorSample(
        "multi_margin_loss, label",
        F.multi_margin_loss,
        (real(2, 4), given([1, 4])),
        IndexOutOfRangeError,
        "multi_margin_loss: target 4 is out of range for 4 classes",
    ),
    ErrorSample(
        "multi_margin_loss, target",
        F.multi_margin_loss,
        (real(3, 4), given([1, 2])),
        ShapeError,
        r"multi_margin_loss: target must have shape \[3\] for input of shape \[3, 4\], got \[2\]",
    ),
    ErrorSample(
        "multi_margin_loss, x",
        F.multi_margin_loss,
        (real(3, 4, 2), LABELS),
        ShapeError,
        r"multi_margin_loss: input must be \(N, C\) or \(C,\).* got shape \[3, 4, 2\]",
    ),
    ErrorSample(
        "multi_margin_loss, weight",
        lambda x, t, w: F.multi_margin_loss(x, t, weight=w),
        (real(3, 4), LABELS, real(3)),
        ShapeError,
        r"multi_margin_loss: weight must have shape \[4\], got \[3\]",
    ),
    ErrorSample(
        "multilabel_margin_loss, label",
        F.multilabel_margin_loss,
        (real(4), given([1, 4, -1, 0])),
        IndexOutOfRangeError,
        "multilabel_margin_loss: target 4 is out of range for 4 classes",
    ),
    ErrorSample(
        "multilabel_margin_loss, target",
        F.multilabel_margin_loss,
        (real(3, 4), given([1, 2, 0, 0])),
        ShapeError,
        r"multilabel_margin_loss: target must have shape \[3, 4\]",
    ),
)
