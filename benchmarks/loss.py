"""Softmax cross entropy of logits with labels: forward, recorded, and backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

SHAPES = [(128, 10), (128, 1000), (512, 100), (1024, 1000), (2048, 10), (2048, 1000)]


def family(rows: int, classes: int) -> list[Case]:
    labels = np.random.default_rng(2).integers(0, classes, rows)

    def function(t: Any, logits: Any) -> Any:
        return t.nn.functional.cross_entropy(logits, targets(t))

    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        return [rng.standard_normal((rows, classes), np.float32)]

    kept: dict[int, Any] = {}

    def targets(t: Any) -> Any:
        if id(t) not in kept:
            kept[id(t)] = t.tensor(labels)
        return kept[id(t)]

    return recorded.cases("loss", f"cross entropy {rows}x{classes}", function, data, rows * classes, (1, 2))


def cases() -> Iterator[Case]:
    for rows, classes in SHAPES:
        yield from family(rows, classes)
