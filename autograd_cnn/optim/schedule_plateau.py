"""ReduceLROnPlateau: a schedule by what is measured."""

from __future__ import annotations

import math
import warnings
from typing import Literal, SupportsFloat

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.optimizer import Optimizer
from autograd_cnn.optim.schedule import LRScheduler, checked_optimizer, for_each_group, require_choice, set_rate
from autograd_cnn.optim.settings import check_range


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by `factor` when a figure has not become better for more than `patience` epochs.

    `step(metrics)` is given the figure.  mode: whether less ("min") or more ("max") is better.  Better is what beats
    the best so far by `threshold`, a share of it ("rel") or a difference ("abs").  After a reduction `cooldown` epochs
    do not count.  The rate does not go below `min_lr`, and a change below `eps` is not made.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> scheduler = ReduceLROnPlateau(SGD([ag.zeros(1, requires_grad=True)], lr=1.0), patience=1)
    >>> for loss in (3.0, 3.0, 3.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        check_range("ReduceLROnPlateau", -math.inf, 1, factor=factor)
        require_choice("ReduceLROnPlateau", "mode", mode, ("min", "max"))
        require_choice("ReduceLROnPlateau", "threshold_mode", threshold_mode, ("rel", "abs"))
        self.optimizer = checked_optimizer("ReduceLROnPlateau", optimizer)
        self.factor = factor
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = for_each_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.last_epoch = 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Goes on by one epoch, in which `metrics` was measured."""
        current = float(metrics)
        if epoch is not None:
            warnings.warn(f"{self._name}.step(metrics, epoch) is out of use; call step(metrics)", stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs do not count now."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        bound = best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return sign * value > sign * bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ArgumentError(
                    f"{self._name}: min_lrs has {len(self.min_lrs)} values for {len(groups)} parameter groups"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            rate = float(group["lr"])
            lower = max(rate * self.factor, lowest)
            if rate - lower > self.eps:
                set_rate(group, lower)
