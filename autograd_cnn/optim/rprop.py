"""Rprop: steps from the signs of gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.batch import Batch
from autograd_cnn.optim.batched import BatchedOptimizer
from autograd_cnn.optim.optimizer import Group
from autograd_cnn.optim.settings import check_pair, check_range
from autograd_cnn.tensor import Tensor


class Rprop(BatchedOptimizer):
    """Steps of a size for each element, larger while the gradient keeps its sign and smaller where it changes.

    c = g g_before;  size = size etas[1] where c > 0, size etas[0] where c < 0, kept within step_sizes;
    g = 0 where c < 0;  p = p - size sign(g);  the size is lr at first

    It is meant for gradients over all data, not for batches.

    M. Riedmiller, H. Braun: "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0, -3.0], requires_grad=True)
    >>> optimizer = Rprop([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([ 0.9000, -2.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        check_range(self._name, 0, lr=group["lr"])
        for name in ("etas", "step_sizes"):
            check_pair(self._name, name, group[name])
            check_range(self._name, -float("inf"), **{f"{name}[{i}]": value for i, value in enumerate(group[name])})
        shorter, longer = group["etas"]
        if not 0 < shorter < 1 < longer:
            raise ArgumentError(f"{self._name}: etas must have 0 < etas[0] < 1 < etas[1], got {group['etas']}")

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("prev", "step_size")

    def first(self, name: str, p: np.ndarray, group: Group) -> Any:
        return float(group["lr"]) if name == "step_size" else 0

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.rprop(batch.table, grads, *group["etas"], *group["step_sizes"], group["maximize"])
