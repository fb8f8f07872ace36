"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.optimizer import Group, Optimizer, check_range


class SGD(Optimizer):
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
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, settings)

    def check(self, group: Mapping[str, Any]) -> None:
        momentum, dampening = group["momentum"], group["dampening"]
        check_range("SGD", 0, lr=group["lr"], momentum=momentum, weight_decay=group["weight_decay"])
        check_range("SGD", -float("inf"), dampening=dampening)
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ArgumentError(
                f"SGD: nesterov=True needs momentum > 0 and dampening = 0, got {momentum} and {dampening}"
            )

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(self, k: Any, table: Any, grads: list[Any], group: Group, step: int) -> None:
        k.sgd(
            table,
            grads,
            group["lr"],
            group["momentum"],
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
            step == 1,
        )
