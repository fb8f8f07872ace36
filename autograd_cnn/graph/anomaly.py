"""Anomaly mode: stops at the first op whose backward makes a NaN or an inf, and says where it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_cnn.errors import AnomalyError
from autograd_cnn.graph.grad_mode import ImmediateStateManager, StateManager
from autograd_cnn.graph.node import Node


class detect_anomaly(StateManager):
    """Raises AnomalyError where a backward pass inside makes a NaN or an inf.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([0.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
        ...
    autograd_cnn.errors.AnomalyError: SqrtBackward: made nan in the gradient of x, shape [1]...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(anomaly=bool(check_nan))


class set_detect_anomaly(ImmediateStateManager):
    """Turns anomaly mode on or off: at once as a function, for a block as a context manager.

    >>> set_detect_anomaly(False)  # doctest: +ELLIPSIS
    <...set_detect_anomaly object at ...>
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(anomaly=bool(mode))


class AnomalyObserver:
    """Checks every gradient that a node makes."""

    def before(self, node: Node, grads: Sequence[Any]) -> None:
        for slot, g in enumerate(grads):
            if g is not None and not np.isfinite(g.array).all():
                self._raise(node, f"was given {_worst(g.array)} as the gradient of its output {slot}", g)

    def after(self, node: Node, grads: Sequence[Any], freed_bytes: int, ns: int) -> None:
        for name, g in zip(_inputs(node), grads, strict=False):
            if g is not None and not np.isfinite(g.array).all():
                self._raise(node, f"made {_worst(g.array)} in the gradient of {name}", g)

    def _raise(self, node: Node, what: str, g: Any) -> None:
        module = f" in module {node.module_path!r}" if node.module_path else ""
        raise AnomalyError(f"{node.name()}: {what}, shape {list(g.array.shape)}{module}; recorded at {node.source}")


def _inputs(node: Node) -> tuple[str, ...]:
    return tuple(f"tensors[{i}]" for i in range(len(node.edges))) if node.op.variadic else node.op.inputs


def _worst(array: Any) -> str:
    return "nan" if np.isnan(array).any() else "inf"
