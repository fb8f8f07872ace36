"""FTRL-Proximal: follow the regularized leader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.batch import Batch
from autograd_cnn.optim.batched import BatchedOptimizer
from autograd_cnn.optim.optimizer import Group
from autograd_cnn.optim.settings import check_range
from autograd_cnn.tensor import Tensor


class FTRL(BatchedOptimizer):
    """Gradient descent with a rate for each element whose L1 term makes parameters exactly zero.

    g = grad + weight_decay p;  z = z + g - (sqrt(n + g^2) - sqrt(n)) / lr p;  n = n + g^2;
    p = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2)

    n is initial_accumulator_value at first.  z is at first what makes p the parameter's own value, 0 for p = 0; so
    training starts from where the parameter is, and what has no gradient stays.

    H. B. McMahan and others: "Ad click prediction: a view from the trenches", 2013.

    >>> import autograd_cnn as ag
    >>> p = ag.zeros(2, requires_grad=True)
    >>> optimizer = FTRL([p], lr=0.5, l1=1.0)
    >>> (p * ag.tensor([0.5, -3.0])).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.0000, 0.2500], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        initial_accumulator_value: float = 0.0,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "beta": beta,
            "l1": l1,
            "l2": l2,
            "initial_accumulator_value": initial_accumulator_value,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        names = ("lr", "beta", "l1", "l2", "initial_accumulator_value", "weight_decay")
        check_range(self._name, 0, **{name: group[name] for name in names})
        if float(group["lr"]) == 0:
            raise ArgumentError(f"{self._name}: lr must be above 0")
        if group["beta"] == group["initial_accumulator_value"] == 0:
            raise ArgumentError(f"{self._name}: beta and initial_accumulator_value cannot both be 0: 0 / 0 at g = 0")

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("accumulator", "linear")

    def first(self, name: str, p: np.ndarray, group: Group) -> Any:
        squares = group["initial_accumulator_value"]
        if name == "accumulator":
            return squares
        return -p * ((group["beta"] + squares**0.5) / float(group["lr"]) + group["l2"]) - np.sign(p) * group["l1"]

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        names = ("lr", "beta", "l1", "l2", "weight_decay", "maximize")
        k.ftrl(batch.table, grads, *(group[name] for name in names))
