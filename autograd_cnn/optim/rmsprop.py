"""Steps divided by a root of past squares of the gradient: RMSprop, Adagrad, Adadelta."""

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


class RMSprop(BatchedOptimizer):
    """Steps divided by a running root mean square of the gradient.

    g = grad + weight_decay p;  s = alpha s + (1 - alpha) g^2;  b = momentum b + g / (sqrt(s) + eps);  p = p - lr b;
    `centered` subtracts the square of the running mean from s

    T. Tieleman, G. Hinton: lecture 6.5 of "Neural networks for machine learning", 2012; centered: A. Graves, 2013.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = RMSprop([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 4)
    0.0
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        names = ("lr", "alpha", "eps", "weight_decay", "momentum")
        check_range(self._name, 0, **{name: group[name] for name in names})

    def slots(self, group: Group) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.rmsprop(
            batch.table,
            grads,
            group["lr"],
            group["alpha"],
            group["eps"],
            group["weight_decay"],
            group["momentum"],
            group["centered"],
            group["maximize"],
        )


class Adagrad(BatchedOptimizer):
    """Steps divided by the root of the sum of all squares of the gradient.

    g = grad + weight_decay p;  s = s + g^2, at first initial_accumulator_value;
    p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    J. Duchi, E. Hazan, Y. Singer: "Adaptive subgradient methods for online learning and stochastic optimization",
    2011.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = Adagrad([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, settings)
        for group in self.param_groups:
            for p in group["params"]:
                start = float(group["initial_accumulator_value"])
                self.state[p].update(step=0, sum=p.new_full(p.shape, start))

    def check_settings(self, group: Mapping[str, Any]) -> None:
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_range(self._name, 0, **{name: group[name] for name in names})

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("sum",)

    def first(self, name: str, p: np.ndarray, group: Group) -> Any:
        return group["initial_accumulator_value"]

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        rate = group["lr"] / (1 + batch.numbers["step"] * group["lr_decay"])
        batch.numbers["step"] += 1
        k.adagrad(batch.table, grads, rate, group["eps"], group["weight_decay"], group["maximize"])


class Adadelta(BatchedOptimizer):
    """Steps as large as the root mean square of past steps, over that of the gradient.

    g = grad + weight_decay p;  s = rho s + (1 - rho) g^2;  c = sqrt(d + eps) / sqrt(s + eps) g;
    d = rho d + (1 - rho) c^2;  p = p - lr c

    M. Zeiler: "ADADELTA: an adaptive learning rate method", 2012.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = Adadelta([p])
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 4)
    0.9968
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        check_range(self._name, 0, lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        check_range(self._name, 0, rho=group["rho"])
        if group["rho"] > 1:
            raise ArgumentError(f"{self._name}: rho must be at most 1, got {group['rho']}")

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.adadelta(
            batch.table,
            grads,
            group["lr"],
            group["rho"],
            group["eps"],
            group["weight_decay"],
            group["maximize"],
        )
