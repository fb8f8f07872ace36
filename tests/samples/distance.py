"""Samples: distances and similarities of vectors, and the losses made of them."""

import numpy as np

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.ops import cdist as distance
from samples.loss import reduced
from samples.margin_loss import REDUCTIONS, signs
from samples.sample import ErrorSample, Sample, apart, given, real


def norm(x: np.ndarray, p: float, axis: int = -1, keepdims: bool = False) -> np.ndarray:
    return np.linalg.norm(x, p, axis, keepdims)


def cosine_similarity(x: np.ndarray, y: np.ndarray, dim: int = 1, eps: float = 1e-8) -> np.ndarray:
    x, y = np.broadcast_arrays(x, y)
    return (x * y).sum(dim) / (np.maximum(norm(x, 2, dim), eps) * np.maximum(norm(y, 2, dim), eps))


def pairwise_distance(x: np.ndarray, y: np.ndarray, p=2.0, eps=1e-6, keepdim=False) -> np.ndarray:
    return norm(x - y + eps, p, -1, keepdim)


def pdist(x: np.ndarray, p: float = 2.0) -> np.ndarray:
    return np.array([norm(x[i] - x[j], p) for i in range(len(x)) for j in range(i + 1, len(x))])


def cdist(x: np.ndarray, y: np.ndarray, p: float = 2.0, compute_mode: str = "") -> np.ndarray:
    return norm(x[..., :, None, :] - y[..., None, :, :], p)


def normalize(x: np.ndarray, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> np.ndarray:
    return x / np.maximum(norm(x, p, dim, True), eps)


def cosine_embedding_loss(x: np.ndarray, y: np.ndarray, target: np.ndarray, margin=0.0, reduction="mean") -> np.ndarray:
    cosine = cosine_similarity(x, y, -1)
    losses = np.where(target == 1, 1 - cosine, np.where(target == -1, np.maximum(cosine - margin, 0), 0))
    return reduced(losses, reduction)


def triplet_margin_loss(
    a: np.ndarray, p: np.ndarray, n: np.ndarray, margin=1.0, power=2, eps=1e-6, swap=False, reduction="mean"
) -> np.ndarray:
    far = pairwise_distance(a, n, power, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(p, n, power, eps))
    return reduced(np.maximum(margin + pairwise_distance(a, p, power, eps) - far, 0), reduction)


def triplet(name: str, shape: tuple[int, ...], p: float | None = None, **kwargs) -> Sample:
    ours = kwargs if p is None else {**kwargs, "p": p}
    return Sample(
        f"triplet_margin_loss {name}",
        lambda *given: F.triplet_margin_loss(*given, **ours),
        (real(*shape), real(*shape), real(*shape)),
        lambda *given: triplet_margin_loss(*given, power=2 if p is None else p, **kwargs),
        lambda torch, *given: torch.nn.functional.triplet_margin_loss(*given, **ours),
    )


def manhattan(x, y):
    return (x - y).abs().sum(-1)


POINTS = apart(3, 4, gap=0.37)
OTHERS = apart(5, 4, gap=0.29)

SAMPLES = (
    *(
        Sample(
            f"cosine_similarity {list(x)} {list(y)} {kwargs}",
            F.cosine_similarity,
            (real(*x), real(*y)),
            cosine_similarity,
            "nn.functional.cosine_similarity",
            kwargs,
        )
        for x, y, kwargs in (
            ((3, 4), (3, 4), {}),
            ((3, 4), (3, 4), {"dim": 0}),
            ((2, 3, 4), (3, 1), {"dim": -2}),
            ((4,), (2, 4), {"dim": -1, "eps": 0.1}),
        )
    ),
    *(
        Sample(
            f"{name} large",
            getattr(F, name),
            inputs,
            globals()[name],
            f"nn.functional.{name}",
            large=tuple(real(300, 150) for _ in inputs),
        )
        for name, inputs in (
            ("cosine_similarity", (real(2, 3), real(2, 3))),
            ("pairwise_distance", (real(2, 3), real(2, 3))),
            ("normalize", (real(2, 3),)),
        )
    ),
    Sample(
        "cosine_similarity with zeros",
        F.cosine_similarity,
        (given([[0.0, 0.0], [0.0, 0.0], [3e-9, 0.0]]), given([[1.0, 2.0], [0.0, 0.0], [1.0, 1.0]])),
        cosine_similarity,
        "nn.functional.cosine_similarity",
        order=1,
        why="the limit does not stop the gradient",
    ),
    *(
        Sample(
            f"pairwise_distance {list(x)} {list(y)} {kwargs}",
            F.pairwise_distance,
            (apart(*x, gap=0.37), apart(*y, gap=0.29)),
            pairwise_distance,
            "nn.functional.pairwise_distance",
            kwargs,
        )
        for x, y, kwargs in (
            ((3, 4), (3, 4), {}),
            ((3, 4), (3, 4), {"p": 1.0, "keepdim": True}),
            ((3, 4), (4,), {"p": 3.0, "eps": 0.01}),
            ((2, 3, 4), (3, 4), {"p": float("inf")}),
            ((4,), (4,), {"eps": 0.0}),
        )
    ),
    *(
        Sample(f"pdist {p}", F.pdist, (POINTS,), pdist, "nn.functional.pdist", {"p": p})
        for p in (2.0, 1.0, 3.0, float("inf"))
    ),
    Sample("pdist large", F.pdist, (real(4, 3),), pdist, "nn.functional.pdist", large=(real(120, 40),)),
    Sample(
        "cdist large",
        lambda x, y: distance.cdist(x, y, 1.0),
        (real(2, 3), real(4, 3)),
        lambda x, y: cdist(x, y, 1.0),
        lambda torch, x, y: torch.cdist(x, y, 1.0),
        large=(real(200, 30), real(190, 30)),
    ),
    Sample("pdist of one", F.pdist, (real(1, 3),), pdist, "nn.functional.pdist", order=1, why="there are no pairs"),
    Sample(
        "pdist of equal points",
        F.pdist,
        (given([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]]),),
        pdist,
        "nn.functional.pdist",
        order=1,
        why="a kink",
    ),
    *(
        Sample(
            f"cdist {p} {mode}",
            distance.cdist,
            (POINTS, OTHERS),
            cdist,
            "cdist",
            {"p": p, "compute_mode": mode},
            **more,
        )
        for p, mode, more in (
            *((p, distance.MODES[0], {}) for p in (2.0, 1.0, 3.0, float("inf"))),
            (2.0, distance.MODES[1], {}),
            (2.0, distance.MODES[2], {}),
            (0.0, distance.MODES[0], {"order": 0, "why": "it is a count"}),
        )
    ),
    Sample("cdist of many", distance.cdist, (real(26, 3), real(3, 3)), cdist, "cdist"),
    Sample("cdist in batches", distance.cdist, (real(2, 1, 3, 2), real(4, 2, 2)), cdist, "cdist"),
    *(
        Sample(
            f"normalize {kwargs}", F.normalize, (apart(3, 4, gap=0.37),), normalize, "nn.functional.normalize", kwargs
        )
        for kwargs in ({}, {"dim": 0}, {"p": 1.0, "dim": -1}, {"p": 3.0}, {"eps": 10.0})
    ),
    Sample("normalize inf", F.normalize, (real(3, 4),), normalize, "nn.functional.normalize", {"p": float("inf")}),
    Sample(
        "normalize zeros",
        F.normalize,
        (given([[0.0, 0.0], [1.0, 1.0]]),),
        normalize,
        "nn.functional.normalize",
        order=1,
        why="a kink",
    ),
    *(
        Sample(
            f"cosine_embedding_loss {kwargs}",
            F.cosine_embedding_loss,
            (real(6, 3), real(6, 3), signs(6)),
            cosine_embedding_loss,
            "nn.functional.cosine_embedding_loss",
            kwargs,
        )
        for kwargs in (*({"reduction": reduction} for reduction in REDUCTIONS), {"margin": 0.2})
    ),
    Sample(
        "cosine_embedding_loss of one",
        F.cosine_embedding_loss,
        (real(3), real(3), given(-1)),
        cosine_embedding_loss,
        "nn.functional.cosine_embedding_loss",
        {"margin": -0.9},
    ),
    triplet("plain", (4, 3)),
    triplet("of vectors", (3,), margin=0.5),
    triplet("swapped", (5, 3), swap=True, reduction="none"),
    triplet("p 1", (4, 3), p=1, reduction="sum"),
    triplet("p 3", (2, 2, 3), p=3, eps=0.01),
    *(
        Sample(
            f"triplet_margin_with_distance_loss {kwargs}",
            lambda *points, kwargs=kwargs, given=given: F.triplet_margin_with_distance_loss(*points, **given, **kwargs),
            (apart(4, 3, gap=0.37), apart(4, 3, gap=0.29), apart(4, 3, gap=0.23)),
            lambda *points, kwargs=kwargs, power=power, eps=eps: triplet_margin_loss(
                *points, power=power, eps=eps, **kwargs
            ),
            lambda torch, *points, kwargs=kwargs, given=given: torch.nn.functional.triplet_margin_with_distance_loss(
                *points, **given, **kwargs
            ),
        )
        for kwargs, given, power, eps in (
            ({"margin": 0.7}, {}, 2, 1e-6),
            ({"swap": True, "reduction": "none"}, {"distance_function": manhattan}, 1, 0),
            ({"reduction": "sum"}, {"distance_function": manhattan}, 1, 0),
        )
    ),
)

ERRORS = (
    ErrorSample(
        "cosine_similarity, shapes",
        F.cosine_similarity,
        (real(3, 4), real(2, 4)),
        ShapeError,
        r"cosine_similarity: shapes \[3, 4\] and \[2, 4\] do not broadcast",
    ),
    ErrorSample(
        "cosine_similarity, dim",
        F.cosine_similarity,
        (real(3), real(3)),
        IndexOutOfRangeError,
        "cosine_similarity",
    ),
    ErrorSample(
        "pairwise_distance, shapes",
        F.pairwise_distance,
        (real(3, 4), real(3, 3)),
        ShapeError,
        r"pairwise_distance: shapes \[3, 4\] and \[3, 3\] do not broadcast",
    ),
    ErrorSample("pdist, shape", F.pdist, (real(3),), ShapeError, r"pdist: input must be \(N, D\), got shape \[3\]"),
    ErrorSample("pdist, p", F.pdist, (real(3, 2), -1.0), ArgumentError, "pdist: p must be at least 0, got -1"),
    ErrorSample(
        "cdist, p", distance.cdist, (real(3, 2), real(3, 2), -1.0), ArgumentError, "cdist: p must be at least 0"
    ),
    ErrorSample(
        "cdist, mode",
        distance.cdist,
        (real(3, 2), real(3, 2), 2.0, "fast"),
        ArgumentError,
        "cdist: compute_mode must be one of .* got 'fast'",
    ),
    ErrorSample(
        "cdist, sizes",
        distance.cdist,
        (real(3, 2), real(3, 4)),
        ShapeError,
        "cdist: points of x1 have 2 numbers, those of x2 4",
    ),
    ErrorSample("cdist, points", distance.cdist, (real(3), real(3, 4)), ShapeError, r"x1 must be \(..., points, D\)"),
    ErrorSample(
        "cosine_embedding_loss, shapes",
        F.cosine_embedding_loss,
        (real(3, 4), real(3, 4), real(3, 1)),
        ShapeError,
        r"cosine_embedding_loss: inputs must be \(N, D\) with a target \(N,\)",
    ),
    ErrorSample(
        "triplet_margin_loss, margin",
        F.triplet_margin_loss,
        (real(3, 4), real(3, 4), real(3, 4), 0.0),
        ArgumentError,
        "triplet_margin_loss: margin must be above 0, got 0",
    ),
    ErrorSample(
        "triplet_margin_loss, dimensions",
        F.triplet_margin_loss,
        (real(3, 4), real(3, 4), real(4)),
        ShapeError,
        r"as many dimensions, got shapes \[3, 4\], \[3, 4\], \[4\]",
    ),
)
