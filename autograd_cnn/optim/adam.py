"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.optimizer import Group, Optimizer, check_range


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    g = grad + weight_decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps);  amsgrad uses the largest v so far

    D. Kingma, J. Ba: "Adam: a method for stochastic optimization", 2014.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    counts_steps = True
    decoupled = False  # whether weight decay acts on the parameter itself, not through the gradient

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, settings)

    def check(self, group: Mapping[str, Any]) -> None:
        name, betas = type(self).__name__, group["betas"]
        check_range(name, 0, lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ArgumentError(f"{name}: betas must be a pair of numbers, got {betas!r}")
        check_range(name, 0, 1, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))

    def update(self, k: Any, table: Any, grads: list[Any], group: Group, step: int) -> None:
        k.adam(
            table,
            grads,
            step,
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            self.decoupled,
            group["amsgrad"],
            group["maximize"],
        )


class AdamW(Adam):
    """Adam with weight decay on the parameter itself: p = p - lr weight_decay p, then Adam's step.

    I. Loshchilov, F. Hutter: "Decoupled weight decay regularization", 2017.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([p], lr=0.1, weight_decay=0.5)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.8500], requires_grad=True)
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
