"""Adam and its relatives: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd_cnn.optim.batch import Batch
from autograd_cnn.optim.batched import BatchedOptimizer
from autograd_cnn.optim.optimizer import Group
from autograd_cnn.optim.settings import check_betas, check_range
from autograd_cnn.tensor import Tensor


class _Moments(BatchedOptimizer):
    """Optimizers that keep running means of the gradient and of its square."""

    def check_settings(self, group: Mapping[str, Any]) -> None:
        check_range(self._name, 0, lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        check_betas(self._name, group["betas"])

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")


class Adam(_Moments):
    """Steps scaled by running means of the gradient and of its square.

    g = grad + weight_decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps);  amsgrad uses the largest v so far;
    decoupled_weight_decay shrinks p by lr weight_decay p instead of adding to the gradient

    D. Kingma, J. Ba: "Adam: a method for stochastic optimization", 2014.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, settings)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.adam(
            batch.table,
            grads,
            batch.numbers["step"],
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


class NAdam(_Moments):
    """Adam with Nesterov's momentum, whose coefficient mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) grows.

    m and v as Adam's;  M_t = mu_1 mu_2 ... mu_t;
    p = p - lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)

    T. Dozat: "Incorporating Nesterov momentum into Adam", 2016.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = NAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 4)
    0.8944
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, settings)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        super().check_settings(group)
        check_range(self._name, 0, momentum_decay=group["momentum_decay"])

    def numbers(self, group: Group) -> dict[str, float]:
        return {"step": 0, "mu_product": 1.0}

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        numbers = batch.numbers
        numbers["step"] += 1
        step, beta1, decay = numbers["step"], group["betas"][0], group["momentum_decay"]
        mu, following = (beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1))
        numbers["mu_product"] *= mu
        k.nadam(
            batch.table,
            grads,
            step,
            group["lr"],
            (1 - mu) / (1 - numbers["mu_product"]),
            following / (1 - numbers["mu_product"] * following),
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )


class RAdam(_Moments):
    """Adam whose first steps, while the variance of v is not yet bounded, are plain momentum.

    m and v as Adam's;  n = 2 / (1 - beta2) - 1;  q = n - 2 t beta2^t / (1 - beta2^t);
    q > 5: p = p - lr r m / (1 - beta1^t) sqrt(1 - beta2^t) / (sqrt(v) + eps),
    r^2 = (q - 4) (q - 2) n / ((n - 4) (n - 2) q);  else p = p - lr m / (1 - beta1^t)

    L. Liu and others: "On the variance of the adaptive learning rate and beyond", 2019.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = RAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> round(p.item(), 4)
    0.8
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, settings)

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.radam(
            batch.table,
            grads,
            batch.numbers["step"],
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )


class Adamax(_Moments):
    """Adam by the largest gradient in place of the mean square.

    g = grad + weight_decay p;  m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + eps);
    p = p - lr / (1 - beta1^t) m / u

    D. Kingma, J. Ba: "Adam: a method for stochastic optimization", 2014, section 7.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = Adamax([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, settings)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def update(self, k: Any, batch: Batch, grads: list[Any], group: Group) -> None:
        batch.numbers["step"] += 1
        k.adamax(
            batch.table,
            grads,
            batch.numbers["step"],
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["maximize"],
        )
