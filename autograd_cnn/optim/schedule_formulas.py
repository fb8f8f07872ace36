"""Schedules by a formula of the epoch."""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.optim.optimizer import Optimizer
from autograd_cnn.optim.schedule import LRScheduler, Rate, cosine, require_counts, state_of_function
from autograd_cnn.optim.settings import check_range

Factor = Callable[[int], float]


class _ByFunctions(LRScheduler):
    """Schedules by a function of the epoch for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        count = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 0
        given = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        if isinstance(optimizer, Optimizer) and len(given) != count:
            raise ArgumentError(f"{self._name}: got {len(given)} functions for {count} parameter groups")
        for function in given:
            if not callable(function):
                raise DTypeError(f"{self._name}: lr_lambda must be a function, got {type(function).__name__}")
        self.lr_lambdas = given
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        others = {name: value for name, value in vars(self).items() if name not in ("optimizer", "lr_lambdas")}
        return copy.deepcopy({**others, "lr_lambdas": [state_of_function(f) for f in self.lr_lambdas]})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        self.lr_lambdas = functions
        for function, state in zip(functions, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                vars(function).update(copy.deepcopy(state))


class LambdaLR(_ByFunctions):
    """lr = initial_lr * lr_lambda(epoch); one function, or a list with one for each group.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Rate]:
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_ByFunctions):
    """lr = lr * lr_lambda(epoch) at each epoch; one function, or a list with one for each group.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Rate]:
        if self._is_initial:
            return self._rates()
        return [lr * f(self.last_epoch) for lr, f in zip(self._rates(), self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """lr = initial_lr * gamma ** floor(epoch / step_size).

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        require_counts("StepLR", step_size=step_size)
        check_range("StepLR", -math.inf, gamma=gamma)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._rates()
        return [lr * self.gamma for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr = initial_lr * gamma ** (number of milestones up to the epoch).

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = MultiStepLR(optimizer, milestones=[1, 4])
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_range("MultiStepLR", -math.inf, gamma=gamma)
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self.last_epoch not in self.milestones:
            return self._rates()
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        past = bisect_right(sorted(Counter(self.milestones).elements()), self.last_epoch)
        return [base * self.gamma**past for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """lr = initial_lr * factor for the first total_iters epochs, then initial_lr.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> scheduler = ConstantLR(SGD([ag.zeros(1, requires_grad=True)], lr=1.0), factor=0.5)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        check_range("ConstantLR", 0, factor=factor)
        if factor > 1:
            raise ArgumentError(f"ConstantLR: factor must be at most 1, got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._rates()]
        if self.last_epoch != self.total_iters:
            return self._rates()
        return [lr * (1.0 / self.factor) for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        factor = 1 if self.last_epoch >= self.total_iters else self.factor
        return [base * factor for base in self.base_lrs]


class LinearLR(LRScheduler):
    """lr = initial_lr times a factor that goes from start_factor to end_factor in total_iters epochs, evenly.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_range("LinearLR", 0, start_factor=start_factor, end_factor=end_factor)
        if not 0 < start_factor <= 1 or end_factor > 1:
            raise ArgumentError(
                f"LinearLR: factors must be above 0 at the start and at most 1, got {start_factor} and {end_factor}"
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._rates()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / before) for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * share
        return [base * factor for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """lr = initial_lr * gamma ** epoch.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_range("ExponentialLR", -math.inf, gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        return self._rates() if self._is_initial else [lr * self.gamma for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """lr = initial_lr * (1 - epoch / total_iters) ** power, and 0 after total_iters epochs.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = PolynomialLR(optimizer, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        require_counts("PolynomialLR", total_iters=total_iters)
        check_range("PolynomialLR", -math.inf, power=power)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        now, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return [lr * (now / before) ** self.power for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * left**self.power for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2.

    I. Loshchilov, F. Hutter: "SGDR: stochastic gradient descent with warm restarts", 2016 (without the restarts).

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 4)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        require_counts("CosineAnnealingLR", T_max=T_max)
        check_range("CosineAnnealingLR", -math.inf, eta_min=eta_min)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self._is_initial:
            return self._rates()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # The lowest point, where the factor below would divide by zero.
            rise = 1 - cosine(1 / self.T_max)
            return [lr + (base - self.eta_min) * rise for base, lr in zip(self.base_lrs, self._rates(), strict=True)]
        now, before = (cosine(epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1))
        return [now / before * (lr - self.eta_min) + self.eta_min for lr in self._rates()]

    def _get_closed_form_lr(self) -> list[Rate]:
        height = cosine(self.last_epoch / self.T_max)
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosines one after the other: the first of T_0 epochs, each T_mult times as long as the one before.

    lr = eta_min + (initial_lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, T_cur epochs after the start of one of T_i;
    `step(epoch)` takes parts of an epoch.

    I. Loshchilov, F. Hutter: "SGDR: stochastic gradient descent with warm restarts", 2016.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 4)
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        require_counts("CosineAnnealingWarmRestarts", T_0=T_0, T_mult=T_mult)
        check_range("CosineAnnealingWarmRestarts", -math.inf, eta_min=eta_min)
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        height = cosine(self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes on by one epoch, or to `epoch`, which may lie between two."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            if epoch < 0:
                raise ArgumentError(f"CosineAnnealingWarmRestarts: epoch must be at least 0, got {epoch}")
            self.T_cur, self.T_i = self._place(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _place(self, epoch: float) -> tuple[float, int]:
        """How far into a cosine an epoch is, and how long that is."""
        first, times = self.T_0, self.T_mult
        if epoch < first:
            return epoch, first
        if times == 1:
            return epoch % first, self.T_i
        n = int(math.log(epoch / first * (times - 1) + 1, times))
        return epoch - first * (times**n - 1) / (times - 1), first * times**n
