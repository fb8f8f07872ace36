"""A function that is recorded for a backward pass, as two sides of a case: forward, and backward alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Run, Sides
from benchmarks.peers import Peers

Function = Callable[..., Any]  # (namespace, *leaves) -> tensor


def forward(t: Any, function: Function, arrays: Sequence[np.ndarray]) -> Run:
    """As in training: its inputs need gradients."""
    return partial(function, t, *_leaves(t, arrays))


def backward(t: Any, function: Function, arrays: Sequence[np.ndarray]) -> Run:
    """The gradients for all inputs of a result that was computed before, for an output's gradient of no pattern."""
    leaves = _leaves(t, arrays)
    y = function(t, *leaves)
    g = t.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(np.float32))
    return lambda: t.autograd.grad(y, leaves, g, retain_graph=True)


def _leaves(t: Any, arrays: Sequence[np.ndarray]) -> list[Any]:
    return [t.tensor(array, requires_grad=True) for array in arrays]


DIRECTIONS = {"forward": forward, "backward": backward}


def cases(
    family: str,
    name: str,
    function: Function,
    data: Callable[[np.random.Generator], Sequence[np.ndarray]],
    size: int,
    traffic: tuple[int, int],
) -> list[Case]:
    """Forward and backward of `function`; `traffic`: how many float32 arrays of `size` numbers each has to move."""

    def prepare(side: Any, peers: Peers) -> Sides:
        arrays = data(np.random.default_rng(0))
        return peers.both(lambda t: side(t, function, arrays))

    return [
        Case(family, f"{name} {direction}", partial(prepare, side), bytes=4 * size * arrays, group=direction)
        for (direction, side), arrays in zip(DIRECTIONS.items(), traffic, strict=True)
    ]
