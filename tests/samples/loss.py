"""Samples: losses against targets of the same shape."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.nn import functional as loss
from samples.sample import ErrorSample, Input, Sample, apart, given, real, whole

SHAPES = ((3, 4), (5,), (), (2, 1, 3))


def reduced(losses: np.ndarray, reduction: str = "mean") -> np.ndarray:
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def weighted_mean(losses: np.ndarray, weight: np.ndarray | None, reduction: str) -> np.ndarray:
    if weight is None:
        return reduced(losses, reduction)
    total = reduced(losses * weight, "none" if reduction == "none" else "sum")
    return total / weight.sum() if reduction == "mean" else total


def mse_loss(x: np.ndarray, target: np.ndarray, weight=None, reduction: str = "mean") -> np.ndarray:
    return weighted_mean((x - target) ** 2, weight, reduction)


def l1_loss(x: np.ndarray, target: np.ndarray, weight=None, reduction: str = "mean") -> np.ndarray:
    return weighted_mean(np.abs(x - target), weight, reduction)


def smooth_l1_loss(x: np.ndarray, target: np.ndarray, reduction: str = "mean", beta: float = 1.0) -> np.ndarray:
    far = np.abs(x - target)
    return reduced(np.where(far < beta, far**2 / 2 / (beta or 1), far - beta / 2), reduction)


def huber_loss(
    x: np.ndarray, target: np.ndarray, weight=None, reduction: str = "mean", delta: float = 1.0
) -> np.ndarray:
    far = np.abs(x - target)
    losses = np.where(far < delta, far**2 / 2, delta * (far - delta / 2))
    return reduced(losses if weight is None else losses * weight, reduction)


def soft_margin_loss(x: np.ndarray, target: np.ndarray, reduction: str = "mean") -> np.ndarray:
    return reduced(np.log1p(np.exp(-target * x)), reduction)


def multilabel_soft_margin_loss(x: np.ndarray, target: np.ndarray, weight=None, reduction: str = "mean") -> np.ndarray:
    losses = binary_cross_entropy_with_logits(x, target, weight, reduction="none")
    return reduced(losses.mean(-1), reduction)


def binary_cross_entropy(x: np.ndarray, target: np.ndarray, weight=None, reduction: str = "mean") -> np.ndarray:
    losses = -(target * np.maximum(np.log(x), -100) + (1 - target) * np.maximum(np.log(1 - x), -100))
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    x: np.ndarray, target: np.ndarray, weight=None, pos_weight=None, reduction: str = "mean"
) -> np.ndarray:
    positive, negative = np.log1p(np.exp(-x)), np.log1p(np.exp(x))
    losses = target * positive * (1 if pos_weight is None else pos_weight) + (1 - target) * negative
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(x: np.ndarray, target: np.ndarray, reduction: str = "mean", log_target: bool = False) -> np.ndarray:
    q = np.exp(target) if log_target else target
    losses = q * (np.log(np.where(q == 0, 1, q)) - x)
    return losses.sum() / len(x) if reduction == "batchmean" else reduced(losses, reduction)


def chance(*shape: int, grad: bool = True) -> Input:
    return real(*shape, low=0.1, high=0.9, grad=grad)


def labels(*shape: int) -> Input:
    return real(*shape, grad=False)


def each(reference: Callable, *options: dict, target: Callable[..., Input] = real) -> list[Sample]:
    name = reference.__name__
    op, torch = getattr(loss, name), f"nn.functional.{name}"
    cases = [(shape, {}) for shape in SHAPES]
    cases += [((3, 4), {"reduction": reduction, **o}) for reduction in ("none", "sum") for o in ({}, *options)]
    cases += [((3, 4), o) for o in options]
    return [
        Sample(
            f"{name} {list(shape)} {kwargs}", op, (apart(*shape, gap=0.37), target(*shape)), reference, torch, kwargs
        )
        for shape, kwargs in cases
    ]


def weighted(
    reference: Callable, x: Callable[..., Input], key: str, shape: tuple[int, ...], reduction: str = "mean"
) -> Sample:
    name = reference.__name__
    op = getattr(loss, name)
    return Sample(
        f"{name} {key} {list(shape)} {reduction}",
        lambda x, t, w: op(x, t, reduction=reduction, **{key: w}),
        (x(3, 4), chance(3, 4, grad=False), chance(*shape, grad=False)),
        lambda x, t, w: reference(x, t, reduction=reduction, **{key: w}),
        lambda torch, x, t, w: getattr(torch.nn.functional, name)(x, t, reduction=reduction, **{key: w}),
    )


def of_the_ends(name: str, x: Input, target: Input) -> Sample:
    """Where the curves of `huber` meet, and beyond all numbers."""
    return Sample(
        f"{name} at the ends",
        getattr(loss, name),
        (x, target),
        globals()[name],
        f"nn.functional.{name}",
        {"reduction": "none"},
        order=1,
        why="a kink, and inf",
    )


ENDS = (given([0.0, 1.0, 0.0, 1.0]), given([0.0, 1.0, 1.0, 0.0], grad=False))
FAR = (given([-1000.0, 1000.0, 1000.0, -1000.0]), given([0.0, 1.0, 0.0, 1.0]))

SAMPLES = (
    *each(mse_loss),
    *(
        Sample(f"{name}, target of ints", getattr(loss, name), (real(3), whole(3)), reference, f"nn.functional.{name}")
        for name, reference in (("mse_loss", mse_loss), ("l1_loss", l1_loss), ("smooth_l1_loss", smooth_l1_loss))
    ),
    *each(l1_loss),
    *each(smooth_l1_loss, {"beta": 0.5}, {"beta": 0.0}),
    *each(huber_loss, {"delta": 0.5}),
    *each(binary_cross_entropy_with_logits, target=chance),
    *each(kl_div, {"log_target": True}, target=chance),
    Sample(
        "kl_div, batchmean",
        loss.kl_div,
        (real(3, 4), chance(3, 4)),
        kl_div,
        "nn.functional.kl_div",
        {"reduction": "batchmean"},
    ),
    Sample(
        "kl_div, target 0",
        loss.kl_div,
        (real(3), given([0.0, 1.0, 0.0], grad=False)),
        kl_div,
        "nn.functional.kl_div",
    ),
    *(
        Sample(
            f"binary_cross_entropy {list(shape)} {reduction}",
            loss.binary_cross_entropy,
            (chance(*shape), chance(*shape, grad=False)),
            binary_cross_entropy,
            "nn.functional.binary_cross_entropy",
            {"reduction": reduction},
        )
        for shape in SHAPES
        for reduction in ("mean", "sum", "none")
    ),
    Sample(
        "binary_cross_entropy for the target",
        loss.binary_cross_entropy,
        (chance(3, grad=False), chance(3)),
        binary_cross_entropy,
        "nn.functional.binary_cross_entropy",
    ),
    Sample(
        "binary_cross_entropy at the ends",
        lambda x, t: loss.binary_cross_entropy(x, t, reduction="none"),
        ENDS,
        lambda x, t: np.array([0.0, 0.0, 100.0, 100.0]),
        lambda torch, x, t: torch.nn.functional.binary_cross_entropy(x, t, reduction="none"),
        order=0,
        why="PyTorch rounds the limit of the slope, 1e12, to float32",
    ),
    Sample(
        "binary_cross_entropy_with_logits far",
        lambda x, t: loss.binary_cross_entropy_with_logits(x, t, reduction="none"),
        FAR,
        lambda x, t: np.array([0.0, 0.0, 1000.0, 1000.0]),
        lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none"),
    ),
    *(
        weighted(reference, real, "weight", (3, 4), reduction)
        for reference in (mse_loss, l1_loss, huber_loss)
        for reduction in ("mean", "sum", "none")
    ),
    *each(soft_margin_loss, target=labels),
    *(
        Sample(
            f"multilabel_soft_margin_loss {list(shape)} {kwargs}",
            loss.multilabel_soft_margin_loss,
            (real(*shape), chance(*shape)),
            multilabel_soft_margin_loss,
            "nn.functional.multilabel_soft_margin_loss",
            kwargs,
        )
        for shape, kwargs in (((3, 4), {}), ((4,), {"reduction": "none"}), ((2, 1, 3), {"reduction": "sum"}))
    ),
    weighted(multilabel_soft_margin_loss, real, "weight", (4,)),
    *(
        of_the_ends(name, given([1.0, -1.0, 0.0, np.inf, -np.inf, 2.0]), given([0.0, 0.0, 0.0, 1.0, 1.0, 0.5]))
        for name in ("mse_loss", "smooth_l1_loss", "huber_loss")
    ),
    *(
        Sample(
            f"{name} large",
            getattr(loss, name),
            (chance(3), chance(3, grad=False)),
            globals()[name],
            f"nn.functional.{name}",
            large=(chance(200, 300), chance(200, 300, grad=False)),
        )
        for name in ("mse_loss", "huber_loss", "binary_cross_entropy_with_logits")
    ),
    weighted(binary_cross_entropy, chance, "weight", (3, 4)),
    weighted(binary_cross_entropy, chance, "weight", (4,)),
    weighted(binary_cross_entropy_with_logits, real, "weight", (3, 1)),
    weighted(binary_cross_entropy_with_logits, real, "pos_weight", (4,)),
    Sample(
        "binary_cross_entropy large",
        loss.binary_cross_entropy,
        (chance(3), chance(3, grad=False)),
        binary_cross_entropy,
        "nn.functional.binary_cross_entropy",
        large=(chance(200, 300), chance(200, 300)),
    ),
)

PAIRWISE = (
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "soft_margin_loss",
    "multilabel_soft_margin_loss",
)

ERRORS = (
    *(
        ErrorSample(
            f"{name}, shapes",
            getattr(loss, name),
            (chance(3, 1), chance(3)),
            ShapeError,
            rf"{name}: input and target must have one shape, got \[3, 1\] and \[3\]",
        )
        for name in PAIRWISE
    ),
    *(
        ErrorSample(
            f"{name}, reduction",
            getattr(loss, name),
            (chance(3), chance(3)),
            ArgumentError,
            f"{name}: reduction must be .*'average'",
            {"reduction": "average"},
        )
        for name in PAIRWISE
    ),
    ErrorSample(
        "mse_loss of ints",
        loss.mse_loss,
        (whole(3), whole(3)),
        DTypeError,
        "mse_loss: input must be a floating point tensor, got int64",
    ),
    ErrorSample(
        "smooth_l1_loss, beta",
        loss.smooth_l1_loss,
        (real(3), real(3)),
        ArgumentError,
        "beta must be at least 0, got -1",
        {"beta": -1},
    ),
    ErrorSample(
        "huber_loss, delta",
        loss.huber_loss,
        (real(3), real(3)),
        ArgumentError,
        "delta must be above 0, got 0",
        {"delta": 0},
    ),
    *(
        ErrorSample(
            f"{name}, weight",
            lambda x, t, w, name=name: getattr(loss, name)(x, t, weight=w),
            (real(3), real(3), real(1)),
            ShapeError,
            rf"{name}: weight must have input's shape \[3\], got \[1\]",
        )
        for name in ("mse_loss", "l1_loss", "huber_loss")
    ),
    ErrorSample(
        "binary_cross_entropy, no probability",
        loss.binary_cross_entropy,
        (given([0.5, 1.5]), chance(2)),
        ArgumentError,
        "binary_cross_entropy: input must be probabilities, 0 to 1, got 1.5",
    ),
    ErrorSample(
        "binary_cross_entropy, nan",
        loss.binary_cross_entropy,
        (given([0.5, np.nan]), chance(2)),
        ArgumentError,
        "got nan",
    ),
    ErrorSample(
        "binary_cross_entropy, weight",
        loss.binary_cross_entropy,
        (chance(2), chance(2), chance(3, 2)),
        ShapeError,
        r"weight of shape \[3, 2\] does not broadcast to input's shape \[2\]",
    ),
    ErrorSample(
        "binary_cross_entropy_with_logits, pos_weight",
        loss.binary_cross_entropy_with_logits,
        (real(2, 3), chance(2, 3)),
        DTypeError,
        "weight must be a tensor, got float",
        {"pos_weight": 2.0},
    ),
)
