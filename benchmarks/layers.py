"""Normalisation of groups, embeddings, bags of them, sparse products and bilinear maps: forward, recorded, backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

IMAGES = (32, 64, 56, 56)
ROWS, WIDTH = 4096, 512
COUNT, FEATURES, BAGS, IDS = 20000, 128, 2048, 16
LINKS = 400_000
GRAPHS: dict[int, Any] = {}

Function = Callable[..., Any]


def norm(name: str, *before: Any, **after: Any) -> Function:
    def function(t: Any, x: Any, weight: Any, bias: Any) -> Any:
        return getattr(t.nn.functional, name)(x, *before, weight=weight, bias=bias, **after)

    return function


def rms_norm(t: Any, x: Any, weight: Any) -> Any:
    return t.nn.functional.rms_norm(x, (WIDTH,), weight)


def plain(name: str, *more: Any) -> Function:
    return lambda t, *leaves: getattr(t.nn.functional, name)(*leaves, *more)


def of_ids(name: str, shape: tuple[int, ...], **options: Any) -> Function:
    kept: dict[int, Any] = {}

    def function(t: Any, table: Any) -> Any:
        if id(t) not in kept:
            kept[id(t)] = t.tensor(np.random.default_rng(3).integers(0, COUNT, shape))
        return getattr(t.nn.functional, name)(kept[id(t)], table, **options)

    return function


def of_graph(t: Any, features: Any) -> Any:
    if id(t) not in GRAPHS:
        links = t.tensor(np.random.default_rng(3).integers(0, COUNT, (2, LINKS)))
        GRAPHS[id(t)] = t.sparse_coo_tensor(links, t.ones(LINKS), (COUNT, COUNT), check_invariants=False).coalesce()
    return t.sparse.mm(GRAPHS[id(t)], features)


CASES: dict[str, tuple[Function, tuple[tuple[int, ...], ...]]] = {
    "group norm": (norm("group_norm", 8), (IMAGES, (64,), (64,))),
    "instance norm": (norm("instance_norm"), (IMAGES, (64,), (64,))),
    "rms norm": (rms_norm, ((ROWS, WIDTH), (WIDTH,))),
    "local response norm": (plain("local_response_norm", 5), (IMAGES,)),
    "embedding": (of_ids("embedding", (BAGS, IDS)), ((COUNT, FEATURES),)),
    **{
        f"embedding bag, {mode}": (of_ids("embedding_bag", (BAGS, IDS), mode=mode), ((COUNT, FEATURES),))
        for mode in ("sum", "mean", "max")
    },
    "sparse times dense": (of_graph, ((COUNT, 64),)),
    "bilinear": (plain("bilinear"), ((1024, 64), (1024, 64), (64, 64, 64), (64,))),
}


def family(name: str, function: Function, shapes: tuple[tuple[int, ...], ...]) -> list[Case]:
    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        return [rng.standard_normal(shape, np.float32) for shape in shapes]

    return recorded.cases("layers", name, function, data, prod(shapes[0]), (2, 3))


def cases() -> Iterator[Case]:
    for name, (function, shapes) in CASES.items():
        yield from family(name, function, shapes)
