"""Steps of optimizers over LeNet-5's parameters and over 10 million; PyTorch's fused and foreach variants."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Run, Sides
from benchmarks.networks import lenet5
from benchmarks.peers import Peers

Shapes = list[tuple[int, ...]]
MILLIONS: Shapes = [(1000, 1000), (1000,)] * 10
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.9},
    "Adam": {"lr": 1e-3},
    "AdamW": {"lr": 1e-3},
    "NAdam": {},
    "RAdam": {},
    "Adamax": {},
    "Adagrad": {},
    "Adadelta": {},
    "RMSprop": {},
    "Rprop": {},
    "ASGD": {},
}
TRAFFIC = {"SGD": 5, "Adagrad": 5, "RMSprop": 5, "ASGD": 5}  # arrays that a step has to read or to write; else 7
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")  # PyTorch has a kernel of its own for them


def side(name: str, shapes: Shapes, t: Any, **variant: bool) -> Run:
    rng = np.random.default_rng(0)
    params = [t.tensor(rng.standard_normal(shape, np.float32), requires_grad=True) for shape in shapes]
    for p in params:
        p.grad = t.tensor(rng.standard_normal(tuple(p.shape), np.float32))
    optimizer = getattr(t.optim, name)(params, **OPTIMIZERS[name], **variant)

    def step() -> Any:
        optimizer.step()
        return params

    return step


def prepare(name: str, shapes: Any, peers: Peers) -> Sides:
    shapes = shapes(peers) if callable(shapes) else shapes
    sides = {"ours": side(name, shapes, peers.ours)}
    if "torch" in peers:
        for variant in (*(("fused",) if name in FUSED else ()), "foreach"):
            sides[f"torch {variant}"] = side(name, shapes, peers.torch, **{variant: True})
    return sides


def lenet5_shapes(peers: Peers) -> Shapes:
    return [tuple(p.shape) for p in lenet5(peers.ours.nn).parameters()]


def cases() -> Iterator[Case]:
    for size, shapes, count in (("LeNet-5", lenet5_shapes, 61_706), ("10 million", MILLIONS, 10_010_000)):
        for name in OPTIMIZERS:
            make = partial(prepare, name, shapes)
            traffic = 4 * TRAFFIC.get(name, 7) * count
            yield Case("optim", f"{name}, {size}", make, bytes=traffic, group=size, checked_runs=3)
