"""Pointwise functions: transcendental ones on 1.6 million numbers, relu and add on few to many."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Sides
from benchmarks.peers import Peers

LARGE = 64 * 32 * 28 * 28
SIZES = (64, 1000, 16_000, 256_000, 1_600_000, 10_000_000)
CURVES = ("exp", "tanh", "sigmoid", "gelu", "log")


def curve(name: str, t: Any, x: np.ndarray) -> Any:
    function = t.nn.functional.gelu if name == "gelu" else getattr(t, name)
    return partial(function, t.tensor(np.abs(x) if name == "log" else x))


def relu(t: Any, x: np.ndarray) -> Any:
    return partial(t.relu, t.tensor(x))


def add(t: Any, x: np.ndarray) -> Any:
    return partial(t.add, t.tensor(x), t.tensor(x[::-1].copy()))


def prepare(side: Any, size: int, peers: Peers) -> Sides:
    x = np.random.default_rng(0).standard_normal(size, np.float32)
    return peers.both(lambda t: side(t, x))


def cases() -> Iterator[Case]:
    def case(name: str, side: Any, size: int, arrays: int, group: str) -> Case:
        make = partial(prepare, side, size)
        return Case("elementwise", f"{name} of {size:,}", make, bytes=4 * size * arrays, group=group)

    for name in CURVES:
        yield case(name, partial(curve, name), LARGE, 2, "transcendental")
    for size in SIZES:
        yield case("relu", relu, size, 2, "relu")
    for size in SIZES:
        yield case("add", add, size, 3, "add")
