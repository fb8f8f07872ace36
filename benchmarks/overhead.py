"""What an op costs beside its arithmetic: chains of 100 pointwise ops on 64 numbers, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Run, Sides
from benchmarks.peers import Peers

LENGTH = 100

OPS: dict[str, Callable[[Any, Any], Any]] = {
    "x + w": lambda x, w: x + w,
    "x * w": lambda x, w: x * w,
    "x + x": lambda x, w: x + x,
    "x * 1.01": lambda x, w: x * 1.01,
    "-x": lambda x, w: -x,
    "tanh": lambda x, w: x.tanh(),
    "relu": lambda x, w: x.relu(),
    "exp of -x": lambda x, w: (-x).exp(),
}


def chain(op: Callable[[Any, Any], Any], t: Any) -> Run:
    numbers = np.random.default_rng(0).uniform(0.5, 1.0, 64).astype(np.float32)
    x, w, g = t.tensor(numbers, requires_grad=True), t.tensor(numbers), t.tensor(numbers)

    def run() -> Any:
        y = x
        for _ in range(LENGTH):
            y = op(y, w)
        x.grad = None
        y.backward(g)
        return x.grad

    return run


def prepare(op: Callable[[Any, Any], Any], peers: Peers) -> Sides:
    return peers.both(partial(chain, op))


def cases() -> Iterator[Case]:
    for name, op in OPS.items():
        yield Case("overhead", f"{LENGTH} times {name}", partial(prepare, op))
