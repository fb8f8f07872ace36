"""Random programs with shared parts, views, broadcasting and changes in place: PyTorch's values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_cnn as ag


@dataclass(frozen=True)
class Step:
    """One statement: `function(lib, *operands)`, and `name` for the report of a failure."""

    name: str
    function: Callable[..., Any]
    operands: tuple[int, ...]

    def __repr__(self) -> str:
        return f"{self.name}{self.operands}"


# Bounded functions, so that long programs stay within what float64 can compare.
UNARY: dict[str, Callable[[ModuleType, Any], Any]] = {
    "sin": lambda lib, x: x.sin(),
    "tanh": lambda lib, x: x.tanh(),
    "sigmoid": lambda lib, x: x.sigmoid(),
    "bell": lambda lib, x: (-x * x).exp(),
    "log": lambda lib, x: (x * x + 1).log(),
    "sum": lambda lib, x: x.sum(0, keepdim=True) / x.shape[0],
    "mean": lambda lib, x: x.mean(),
    "transposed": lambda lib, x: x.t() if x.ndim == 2 else x,
    "flat": lambda lib, x: x.reshape(-1),
    "head": lambda lib, x: x[: (x.shape[0] + 1) // 2],
    "last": lambda lib, x: x[-1],
    "strided": lambda lib, x: x[::2],
    "column": lambda lib, x: x[..., None],
    "softmax": lambda lib, x: x.softmax(-1),
    "detached": lambda lib, x: x.detach() * x,
    "clone": lambda lib, x: x.clone(),
    "norm": lambda lib, x: (x.square().sum() + 1).sqrt(),
}
BINARY: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "add": lambda lib, x, y: (x + y) / 2,
    "sub": lambda lib, x, y: (x - y) / 2,
    "mul": lambda lib, x, y: x.tanh() * y,
    "div": lambda lib, x, y: x / (y * y + 1),
    "maximum": lambda lib, x, y: lib.maximum(x, y),
    "where": lambda lib, x, y: lib.where(x > 0.1, x, y),
}


def changed(lib: ModuleType, x: Any) -> Any:
    """A copy, changed in place through a view."""
    y = x * 1
    part = y[:1] if y.ndim else y
    part.mul_(x[:1].cos() if y.ndim else x.cos())
    part.add_(0.5)
    return y


def fits(x: tuple[int, ...], y: tuple[int, ...]) -> bool:
    try:
        return np.prod(np.broadcast_shapes(x, y)) <= 64
    except ValueError:
        return False


def applicable(name: str, shape: tuple[int, ...]) -> bool:
    need = {"sum", "head", "last", "strided", "softmax"}
    return (not shape or shape[0] > 0) and (bool(shape) or name not in need) and len(shape) <= 3


@st.composite
def programs(draw: st.DrawFn) -> tuple[int, list[Step]]:
    """The seed of the leaves, and statements that use any result before them."""
    seed = draw(st.integers(0, 1000))
    values = leaves(ag, seed)
    steps: list[Step] = []
    for _ in range(draw(st.integers(2, 12))):
        i, j = (draw(st.integers(0, len(values) - 1)) for _ in range(2))
        shape = values[i].shape
        unary = [name for name in UNARY if applicable(name, shape)]
        binary = list(BINARY) if fits(shape, values[j].shape) else []
        name = draw(st.sampled_from([*unary, *binary, "changed"]))
        if name in BINARY:
            step = Step(name, BINARY[name], (i, j))
        else:
            step = Step(name, UNARY.get(name, changed), (i,))
        steps.append(step)
        values.append(step.function(ag, *(values[k] for k in step.operands)))
    return seed, steps


def leaves(lib: ModuleType, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    shapes = ((3, 4), (4,), (), (3, 1))
    return [lib.tensor(rng.standard_normal(s), dtype=lib.float64, requires_grad=True) for s in shapes]


def outcome(lib: ModuleType, grad: Any, seed: int, steps: list[Step]) -> list[np.ndarray | None]:
    values = leaves(lib, seed)
    wanted = values[:4]
    for step in steps:
        values.append(step.function(lib, *(values[i] for i in step.operands)))
    loss = sum((value * value).mean() for value in values)
    first = grad(loss, wanted, create_graph=True)
    second = grad(sum((g * g).sum() for g in first), wanted, allow_unused=True)
    return [None if t is None else t.detach().numpy() for t in (loss, *first, *second)]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(program=programs())
def test_random_programs(program: tuple[int, list[Step]], torch: ModuleType) -> None:
    ours = outcome(ag, ag.autograd.grad, *program)
    theirs = outcome(torch, torch.autograd.grad, *program)
    for found, expected in zip(ours, theirs, strict=True):
        assert (found is None) == (expected is None)
        if found is not None:
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
