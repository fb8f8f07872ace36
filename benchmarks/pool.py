"""Pooling of images, forward (as in training: recorded) and backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

SHAPES = [(64, 32, 26, 26), (32, 64, 32, 32), (32, 64, 56, 56)]
WINDOWS = [(2, 2, 0), (3, 2, 1)]  # (size, stride, padding)


def family(kind: str, shape: tuple[int, ...], window: tuple[int, int, int]) -> list[Case]:
    size, stride, padding = window

    def function(t: Any, x: Any) -> Any:
        return getattr(t.nn.functional, f"{kind}_pool2d")(x, size, stride, padding)

    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        return [rng.standard_normal(shape, np.float32)]

    name = f"{kind} {size}x{size} s{stride} {'x'.join(map(str, shape))}"
    return recorded.cases("pool", name, function, data, int(np.prod(shape)), (1, 1))


def cases() -> Iterator[Case]:
    for kind in ("max", "avg"):
        for window in WINDOWS:
            for shape in SHAPES:
                yield from family(kind, shape, window)
