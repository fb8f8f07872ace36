"""Schedules of schedules: one after the other, or all at once."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.optim.optimizer import Optimizer
from autograd_cnn.optim.schedule import LRScheduler, set_rate
from autograd_cnn.optim.schedule_plateau import ReduceLROnPlateau


class _OfSchedulers(LRScheduler):
    """Schedules that let others set the rates."""

    _schedulers: list[Any]

    def _take(self, optimizer: Optimizer | None, schedulers: Sequence[Any]) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ArgumentError(f"{name}: needs at least one scheduler")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise DTypeError(f"{name}: scheduler {i} is a {type(scheduler).__name__}, which has no optimizer")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(f"{name}: scheduler {i} is a ReduceLROnPlateau, whose step needs a figure")
            if scheduler.optimizer is not (optimizer or schedulers[0].optimizer):
                raise ArgumentError(f"{name}: scheduler {i}, {type(scheduler).__name__}, is of another optimizer")
        self._schedulers = list(schedulers)
        self.optimizer = schedulers[0].optimizer

    def state_dict(self) -> dict[str, Any]:
        others = {name: value for name, value in vars(self).items() if name not in ("optimizer", "_schedulers")}
        return {**copy.deepcopy(others), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        saved, schedulers = state_dict.get("_schedulers", []), self._schedulers
        if len(saved) != len(schedulers):
            raise StateDictError(f"{self._name}: the state dict is of {len(saved)} schedulers, not {len(schedulers)}")
        before = [scheduler.state_dict() for scheduler in schedulers]
        try:
            for scheduler, state in zip(schedulers, saved, strict=True):
                scheduler.load_state_dict(state)
            super().load_state_dict({name: value for name, value in state_dict.items() if name != "_schedulers"})
        except StateDictError:
            for scheduler, state in zip(schedulers, before, strict=True):
                scheduler.load_state_dict(state)
            raise


class SequentialLR(_OfSchedulers):
    """Schedules one after the other: the next one begins, at its epoch 0, at each of the milestones.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> from autograd_cnn.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> warmup, decay = ConstantLR(optimizer, factor=0.1), ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[2])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [0.1, 0.1, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._take(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones, "
                f"got {len(milestones)}"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            set_rate(group, group["initial_lr"])
        _undo(self)  # the first step of each, when it was made
        first = self._schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Goes on by one epoch."""
        self.last_epoch += 1
        place = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[place]
        if place > 0 and self._milestones[place - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        place = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[place]
        scheduler._update_lr(self.last_epoch - (self._milestones[place - 1] if place else 0))
        self._last_lr = scheduler.get_last_lr()


def _undo(scheduler: LRScheduler) -> None:
    if isinstance(scheduler, _OfSchedulers):
        for inner in scheduler._schedulers:
            _undo(inner)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(_OfSchedulers):
    """Schedules all at once: each changes the rates that the one before it left.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> from autograd_cnn.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ChainedScheduler([ConstantLR(optimizer, factor=0.5), ExponentialLR(optimizer, gamma=0.5)])
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(optimizer, schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Goes on by one epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()

    def _update_lr(self, epoch: int | None = None) -> None:
        for scheduler in self._schedulers:
            scheduler._update_lr(epoch)
        self._last_lr = self._rates()
