"""Matrix products in float32: squares, the long and the flat, batches, transposed operands, vectors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Sides
from benchmarks.peers import Peers

# (rows, depth, columns)
PLAIN = [
    *((size, size, size) for size in (128, 256, 512, 1024, 2048)),
    (2048, 256, 64),
    (64, 4096, 1024),
    (64, 400, 120),  # the layers of LeNet-5 and of the MLP
    (64, 84, 10),
    (128, 784, 256),
]
TRANSPOSED = [(256, 256, 256), (1024, 1024, 1024), (256, 2048, 64), (64, 4096, 1024)]
VECTORS = [(256, 256), (1024, 1024), (4096, 1024)]
BATCHED = [(64, 64, 64, 64), (512, 16, 64, 16)]  # (products, rows, depth, columns)


def plain(a: Any, b: Any) -> Any:
    return a @ b


def left(a: Any, b: Any) -> Any:
    return a.T @ b


def right(a: Any, b: Any) -> Any:
    return a @ b.T


def prepare(product: Any, a_shape: tuple[int, ...], b_shape: tuple[int, ...], peers: Peers) -> Sides:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a_shape, np.float32), rng.standard_normal(b_shape, np.float32)
    sides = peers.both(lambda t: partial(product, t.from_numpy(a), t.from_numpy(b)))
    return sides | {"numpy": partial(product, a, b)}


def cases() -> Iterator[Case]:
    def case(name: str, product: Any, a: tuple[int, ...], b: tuple[int, ...], operations: float, group: str) -> Case:
        return Case("matmul", name, partial(prepare, product, a, b), operations=operations, group=group, seconds=2.5)

    for m, k, n in PLAIN:
        yield case(f"{m}x{k} @ {k}x{n}", plain, (m, k), (k, n), 2 * m * k * n, "a @ b")
    for count, m, k, n in BATCHED:
        name = f"{count} x ({m}x{k} @ {k}x{n})"
        yield case(name, plain, (count, m, k), (count, k, n), 2 * count * m * k * n, "a @ b")
    for m, k, n in TRANSPOSED:
        yield case(f"({k}x{m}).T @ {k}x{n}", left, (k, m), (k, n), 2 * m * k * n, "a.T @ b")
        yield case(f"{m}x{k} @ ({n}x{k}).T", right, (m, k), (n, k), 2 * m * k * n, "a @ b.T")
    for m, k in VECTORS:
        yield case(f"{m}x{k} @ {k}", plain, (m, k), (k,), 2 * m * k, "matrix-vector")
