"""Steps of optimizers, and clipping, over LeNet-5's parameters and over 10 million; PyTorch's variants of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count
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


def prepare_lbfgs(shapes: Any, peers: Peers) -> Sides:
    """Steps of at most four iterations down a bowl whose gradients take one pass over the parameters."""
    shapes = shapes(peers) if callable(shapes) else shapes
    return {name: _lbfgs(shapes, t) for name, t in (("ours", peers.ours), *_torch(peers))}


def _lbfgs(shapes: Shapes, t: Any) -> Run:
    rng = np.random.default_rng(0)
    starts = [t.tensor(rng.standard_normal(shape, np.float32)) for shape in shapes]
    widths = [t.tensor(rng.uniform(0.5, 2, shape).astype(np.float32)) for shape in shapes]
    params = [start.clone().requires_grad_() for start in starts]

    losses = count()

    def closure() -> Any:
        for p, width in zip(params, widths, strict=True):
            p.grad = p.detach() * width
        return -float(next(losses))  # less each time, or the step would end

    def step() -> Any:
        with t.no_grad():
            for p, start in zip(params, starts, strict=True):
                p.copy_(start)
        optimizer = t.optim.LBFGS(params, lr=0.5, max_iter=4, history_size=4)
        optimizer.step(closure)
        return params

    return step


def prepare_clip(name: str, limit: float, shapes: Any, peers: Peers) -> Sides:
    """Clipping to a limit that is met, or to one above all gradients, which leaves them."""
    shapes = shapes(peers) if callable(shapes) else shapes
    return {side: _clip(name, limit, shapes, t) for side, t in (("ours", peers.ours), *_torch(peers))}


def _clip(name: str, limit: float, shapes: Shapes, t: Any) -> Run:
    rng = np.random.default_rng(0)
    params = [t.zeros(shape, requires_grad=True) for shape in shapes]
    for p in params:
        p.grad = t.tensor(rng.standard_normal(tuple(p.shape), np.float32))
    clip = getattr(t.nn.utils, name)

    def run() -> Any:
        clip(params, limit)
        return [p.grad for p in params]

    return run


def _torch(peers: Peers) -> list[tuple[str, Any]]:
    return [("torch", peers.torch)] if "torch" in peers else []


def lenet5_shapes(peers: Peers) -> Shapes:
    return [tuple(p.shape) for p in lenet5(peers.ours.nn).parameters()]


def cases() -> Iterator[Case]:
    for size, shapes, elements in (("LeNet-5", lenet5_shapes, 61_706), ("10 million", MILLIONS, 10_010_000)):
        for name in OPTIMIZERS:
            make = partial(prepare, name, shapes)
            traffic = 4 * TRAFFIC.get(name, 7) * elements
            yield Case("optim", f"{name}, {size}", make, bytes=traffic, group=size, checked_runs=3)
        yield Case("optim", f"LBFGS, {size}", partial(prepare_lbfgs, shapes), group=size)
        for name, limit, passes in (("clip_grad_norm_", 1e-6, 3), ("clip_grad_value_", 0.1, 2)):
            make = partial(prepare_clip, name, limit, shapes)
            yield Case("optim", f"{name}, {size}", make, bytes=4 * passes * elements, group=size)
