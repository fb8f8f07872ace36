"""What an op costs beside its arithmetic: chains of 100 elementwise ops on 64 numbers, forward and backward.

`python -m benchmarks.overhead` prints microseconds an op, ours and PyTorch's in turns, and how often theirs ours is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_cnn as ag
from benchmarks import peer

LENGTH = 100
ROUNDS = 200

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


def chain(op: Callable[[Any, Any], Any], x: Any, w: Any, g: Any) -> float:
    """Seconds for one chain, forward and backward."""
    start = time.perf_counter()
    y = x
    for _ in range(LENGTH):
        y = op(y, w)
    y.backward(g)
    return time.perf_counter() - start


def main() -> None:
    torch = peer()
    if torch is not None:
        torch.set_num_threads(2)
    numbers = np.random.default_rng(0).uniform(0.5, 1.0, 64).astype(np.float32)
    print(f"{'op':12s} {'ours':>9s} {'torch':>9s}   torch / ours   (us an op, forward and backward, medians)")
    for name, op in OPS.items():
        sides = [(ag.tensor(numbers, requires_grad=True), ag.tensor(numbers), ag.tensor(numbers))]
        if torch is not None:
            leaf = torch.tensor(numbers, requires_grad=True)
            sides.append((leaf, torch.tensor(numbers), torch.tensor(numbers)))
        times: list[list[float]] = [[] for _ in sides]
        for _ in range(ROUNDS):
            for side, record in zip(sides, times, strict=True):
                record.append(chain(op, *side) / LENGTH * 1e6)
        ours, *theirs = (statistics.median(record) for record in times)
        peers = f"{theirs[0]:9.2f}   {theirs[0] / ours:12.2f}" if theirs else ""
        print(f"{name:12s} {ours:9.2f} {peers}", flush=True)


if __name__ == "__main__":
    main()
