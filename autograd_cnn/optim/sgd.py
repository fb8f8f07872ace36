"""Stochastic gradient descent, and its averaged form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.batch import Batch
from autograd_cnn.optim.batched import BatchedOptimizer
from autograd_cnn.optim.optimizer import Group
from autograd_cnn.optim.settings import check_range
from autograd_cnn.tensor import Tensor


class SGD(BatchedOptimizer):
    """Stochastic gradient descent with momentum.

    g = grad + weight_decay p;  b = momentum b + (1 - dampening) g (at first b = g);
    p = p - lr (g + momentum b if nesterov else b)

    I. Sutskever, J. Martens, G. Dahl, G. Hinton: "On the importance of initialization and momentum in deep
    learning", 2013.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        momentum, dampening = group["momentum"], group["dampening"]
        check_range(self._name, 0, lr=group["lr"], momentum=momentum, weight_decay=group["weight_decay"])
        check_range(self._name, -float("inf"), dampening=dampening)
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ArgumentError(
                f"{self._name}: nesterov=True needs momentum > 0 and dampening = 0, got {momentum} and {dampening}"
            )

    def numbers(self, group: Group) -> dict[str, float]:
        return {}

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        k.sgd(
            batch.table,
            grads,
            group["lr"],
            group["momentum"],
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
            batch.new,
        )


class ASGD(BatchedOptimizer):
    """Stochastic gradient descent that also averages the parameters; the average a of p is `state[p]["ax"]`.

    g = grad + weight_decay p;  p = (1 - lambd eta) p - eta g;  a = a + mu (p - a);
    after step t: eta = lr / (1 + lambd lr t)^alpha;  mu = 1 / max(1, t - t0)

    B. Polyak, A. Juditsky: "Acceleration of stochastic approximation by averaging", 1992.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = ASGD([p], lr=0.1, lambd=0.0)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        check_range(self._name, 0, lr=group["lr"], weight_decay=group["weight_decay"])
        check_range(self._name, -float("inf"), **{name: group[name] for name in ("lambd", "alpha", "t0")})

    def numbers(self, group: Group) -> dict[str, float]:
        return {"step": 0, "eta": float(group["lr"]), "mu": 1.0}

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("ax",)

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        numbers, lr, lambd = batch.numbers, group["lr"], group["lambd"]
        k.asgd(batch.table, grads, numbers["eta"], lambd, numbers["mu"], group["weight_decay"], group["maximize"])
        numbers["step"] += 1
        numbers["eta"] = lr / (1 + lambd * lr * numbers["step"]) ** group["alpha"]
        numbers["mu"] = 1 / max(1, numbers["step"] - group["t0"])
