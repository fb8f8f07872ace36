"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd_cnn.optim.optimizer import Group, Optimizer, check_range


class RMSprop(Optimizer):
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

    counts_steps = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, settings)

    def check(self, group: Mapping[str, Any]) -> None:
        names = ("lr", "alpha", "eps", "weight_decay", "momentum")
        check_range("RMSprop", 0, **{name: group[name] for name in names})

    def slots(self, group: Group) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def update(self, k: Any, table: Any, grads: list[Any], group: Group, step: int) -> None:
        k.rmsprop(
            table,
            grads,
            group["lr"],
            group["alpha"],
            group["eps"],
            group["weight_decay"],
            group["momentum"],
            group["centered"],
            group["maximize"],
        )
