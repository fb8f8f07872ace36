"""Batch norm, in training, and layer norm: forward, recorded, and backward for input, weight and bias."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

BATCH_NORM = [(32, 64, 56, 56), (64, 64, 32, 32), (64, 256, 8, 8), (32, 512, 4, 4), (128, 256)]
LAYER_NORM = [(2048, 256), (1024, 768), (128, 64)]


def batch_norm(t: Any, x: Any, weight: Any, bias: Any) -> Any:
    return t.nn.functional.batch_norm(x, None, None, weight, bias, training=True)


def layer_norm(t: Any, x: Any, weight: Any, bias: Any) -> Any:
    return t.nn.functional.layer_norm(x, tuple(weight.shape), weight, bias)


def family(name: str, function: recorded.Function, shape: tuple[int, ...], parameters: int) -> list[Case]:
    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        return [rng.standard_normal(size).astype(np.float32) for size in (shape, parameters, parameters)]

    # The statistics need one pass over x before the first result.
    title = f"{name} {'x'.join(map(str, shape))}"
    return recorded.cases("norm", title, function, data, int(np.prod(shape)), (3, 5))


def cases() -> Iterator[Case]:
    for shape in BATCH_NORM:
        yield from family("batch norm", batch_norm, shape, shape[1])
    for shape in LAYER_NORM:
        yield from family("layer norm", layer_norm, shape, shape[1])
