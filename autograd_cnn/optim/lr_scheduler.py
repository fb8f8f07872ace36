"""Learning-rate schedules: change the rate of each parameter group from epoch to epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.optim.optimizer import Optimizer
from autograd_cnn.optim.settings import check_range


class LRScheduler:
    """Sets each group's `lr` when made and after every `step()`, which belongs after the optimizer's.

    A schedule changes the rate that it finds, so several of them compose.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise DTypeError(f"{type(self).__name__}: optimizer must be an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: group {i} needs an initial_lr to resume at epoch {last_epoch}"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._is_initial = True
        self.step()
        self._is_initial = False

    def step(self) -> None:
        """Goes on by one epoch."""
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._rates()

    def get_lr(self) -> list[float]:
        """The rates for `last_epoch`, from those before it."""
        raise NotImplementedError(f"{type(self).__name__}.get_lr")

    def get_last_lr(self) -> list[float]:
        """The rates as this schedule set them last."""
        return list(self._last_lr)

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, copied."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "optimizer"})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continues from a state of `state_dict`, also one of PyTorch's.

        Raises StateDictError where it is another schedule's or for other groups; nothing has changed then.
        """
        own = vars(self)
        public, saved = (sorted(name for name in names if name[0] != "_") for names in (own, state_dict))
        public.remove("optimizer")
        if saved != public or "_last_lr" not in state_dict:
            raise StateDictError(f"{type(self).__name__}: the state dict has {saved}, the schedule has {public}")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise StateDictError(
                f"{type(self).__name__}: the state dict is for {len(state_dict['base_lrs'])} parameter groups, "
                f"the optimizer has {len(self.base_lrs)}"
            )
        own.update(copy.deepcopy({name: value for name, value in state_dict.items() if name in own}))


def _require_epochs(schedule: str, **counts: Any) -> None:
    for name, count in counts.items():
        if not isinstance(count, int):
            raise DTypeError(f"{schedule}: {name} must be an integer, got {count!r}")
        if count < 1:
            raise ArgumentError(f"{schedule}: {name} must be at least 1, got {count}")


class StepLR(LRScheduler):
    """lr = initial_lr * gamma ** floor(epoch / step_size).

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2)
    >>> for _ in range(2): scheduler.step()
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        _require_epochs("StepLR", step_size=step_size)
        check_range("StepLR", -math.inf, gamma=gamma)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._rates()
        return [lr * self.gamma for lr in self._rates()]


class ExponentialLR(LRScheduler):
    """lr = initial_lr * gamma ** epoch.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> scheduler = ExponentialLR(SGD([ag.zeros(1, requires_grad=True)], lr=1.0), gamma=0.5)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_range("ExponentialLR", -math.inf, gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        return [lr * self.gamma for lr in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2.

    I. Loshchilov, F. Hutter: "SGDR: stochastic gradient descent with warm restarts", 2016 (without the restarts).

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> scheduler = CosineAnnealingLR(SGD([ag.zeros(1, requires_grad=True)], lr=1.0), T_max=2)
    >>> scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 4)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _require_epochs("CosineAnnealingLR", T_max=T_max)
        check_range("CosineAnnealingLR", -math.inf, eta_min=eta_min)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # The lowest point, where the factor below would divide by zero.
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - self.eta_min) * rise for base, lr in zip(self.base_lrs, self._rates(), strict=True)]
        now, before = (1 + math.cos(math.pi * e / self.T_max) for e in (self.last_epoch, self.last_epoch - 1))
        return [now / before * (lr - self.eta_min) + self.eta_min for lr in self._rates()]
