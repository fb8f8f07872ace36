"""The families of cases, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import (
    attention,
    conv,
    depthwise,
    elementwise,
    functions,
    fused,
    layers,
    loss,
    losses,
    matmul,
    memory,
    norm,
    optim,
    overhead,
    pool,
    recurrent,
    step,
    vision,
)
from benchmarks.case import Case

FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {
    "matmul": matmul.cases,
    "conv": conv.cases,
    "depthwise": depthwise.cases,
    "pool": pool.cases,
    "vision": vision.cases,
    "norm": norm.cases,
    "elementwise": elementwise.cases,
    "functions": functions.cases,
    "loss": loss.cases,
    "losses": losses.cases,
    "layers": layers.cases,
    "attention": attention.cases,
    "recurrent": recurrent.cases,
    "optim": optim.cases,
    "overhead": overhead.cases,
    "step": step.cases,
    "fused": fused.cases,
    "memory": memory.cases,
}


def all_cases() -> Iterator[Case]:
    for cases in FAMILIES.values():
        yield from cases()
