"""Losses and distances other than cross entropy on large inputs: forward, recorded, and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

ROWS, COLUMNS = 2048, 512
STEPS, BATCH, SYMBOLS, LABELS = 150, 32, 60, 30

Make = Callable[[np.random.Generator], np.ndarray]


def normal(*shape: int) -> Make:
    return lambda rng: rng.standard_normal(shape, np.float32)


def chances(*shape: int) -> Make:
    return lambda rng: rng.uniform(0.05, 0.95, shape).astype(np.float32)


def signs(*shape: int) -> Make:
    return lambda rng: rng.choice(np.array([-1, 1], np.float32), shape)


def labels(classes: int, *shape: int, first: int = 0) -> Make:
    return lambda rng: rng.integers(first, classes, shape)


def few_labels(rows: int, classes: int, count: int) -> Make:
    """`count` different labels for each row, then -1."""

    def make(rng: np.random.Generator) -> np.ndarray:
        lines = rng.permuted(np.tile(np.arange(classes), (rows, 1)), axis=1)
        lines[:, count:] = -1
        return lines

    return make


def named(name: str, *constants: Make, **options: Any) -> Any:
    """`F.name(*leaves, *constants, **options)`, the constants as tensors of the library that asks."""
    kept: dict[int, list[Any]] = {}

    def function(t: Any, *leaves: Any) -> Any:
        if id(t) not in kept:
            rng = np.random.default_rng(3)
            kept[id(t)] = [t.tensor(make(rng)) for make in constants]
        return getattr(t.nn.functional, name)(*leaves, *kept[id(t)], **options)

    return function


def ctc(t: Any, scores: Any) -> Any:
    targets = t.tensor(labels(SYMBOLS, BATCH, LABELS, first=1)(np.random.default_rng(3)))
    return t.nn.functional.ctc_loss(scores.log_softmax(2), targets, (STEPS,) * BATCH, (LABELS,) * BATCH)


def cdist(p: float) -> Any:
    return lambda t, x, y: t.cdist(x, y, p)


FULL, LINE = (ROWS, COLUMNS), (ROWS * COLUMNS,)
CASES: dict[str, tuple[Any, tuple[Make, ...]]] = {
    **{name: (named(f"{name}_loss", normal(*FULL)), (normal(*FULL),)) for name in ("mse", "l1", "smooth_l1", "huber")},
    "mse, both": (named("mse_loss"), (normal(*FULL), normal(*FULL))),
    "binary cross entropy": (named("binary_cross_entropy", chances(*FULL)), (chances(*FULL),)),
    "binary cross entropy of logits": (
        named("binary_cross_entropy_with_logits", chances(*FULL)),
        (normal(*FULL),),
    ),
    "kl div": (named("kl_div", chances(*FULL), reduction="batchmean"), (normal(*FULL),)),
    "kl div of logarithms": (named("kl_div", normal(*FULL), reduction="sum", log_target=True), (normal(*FULL),)),
    "poisson nll": (named("poisson_nll_loss", chances(*FULL)), (normal(*FULL),)),
    "gaussian nll": (
        lambda t, x, var: t.nn.functional.gaussian_nll_loss(x, t.zeros(*FULL), var),
        (normal(*FULL), chances(*FULL)),
    ),
    "nll": (named("nll_loss", labels(16, 1 << 17)), (normal(1 << 17, 16),)),
    "soft margin": (named("soft_margin_loss", signs(*FULL)), (normal(*FULL),)),
    "hinge embedding": (named("hinge_embedding_loss", signs(*LINE)), (normal(*LINE),)),
    "margin ranking": (named("margin_ranking_loss", signs(*LINE), margin=0.5), (normal(*LINE), normal(*LINE))),
    "multi margin": (named("multi_margin_loss", labels(COLUMNS, ROWS)), (normal(*FULL),)),
    "multilabel margin": (named("multilabel_margin_loss", few_labels(ROWS, COLUMNS, 4)), (normal(*FULL),)),
    "multilabel soft margin": (named("multilabel_soft_margin_loss", chances(*FULL)), (normal(*FULL),)),
    "cosine embedding": (named("cosine_embedding_loss", signs(ROWS)), (normal(*FULL), normal(*FULL))),
    "triplet margin": (named("triplet_margin_loss"), (normal(*FULL), normal(*FULL), normal(*FULL))),
    "ctc": (ctc, (normal(STEPS, BATCH, SYMBOLS),)),
    "cosine similarity": (named("cosine_similarity"), (normal(*FULL), normal(*FULL))),
    "pairwise distance": (named("pairwise_distance"), (normal(*FULL), normal(*FULL))),
    "normalize": (named("normalize"), (normal(*FULL),)),
    "cdist": (cdist(2.0), (normal(1024, 64), normal(1024, 64))),
    "cdist by 1-norm": (cdist(1.0), (normal(1024, 64), normal(1024, 64))),
    "pdist": (named("pdist"), (normal(1024, 64),)),
}


def family(name: str, function: recorded.Function, makes: tuple[Make, ...]) -> list[Case]:
    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        return [make(rng) for make in makes]

    return recorded.cases("losses", name, function, data, ROWS * COLUMNS, (2, 3))


def cases() -> Iterator[Case]:
    for name, (function, makes) in CASES.items():
        yield from family(name, function, makes)
