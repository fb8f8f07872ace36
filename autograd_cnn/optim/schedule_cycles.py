"""Schedules that go up and down within one run, the momentum against the rate."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from autograd_cnn.errors import ArgumentError
from autograd_cnn.optim.optimizer import Group, Optimizer
from autograd_cnn.optim.schedule import (
    LRScheduler,
    Rate,
    checked_optimizer,
    cosine,
    for_each_group,
    require_choice,
    require_counts,
    set_rate,
    state_of_function,
)
from autograd_cnn.optim.settings import check_range


class _Cycle(LRScheduler):
    """Schedules that may cycle the momentum, or the first beta, too."""

    cycle_momentum: bool
    use_beta1: bool

    def _find_momentum(self) -> None:
        settings = self.optimizer.defaults
        if "momentum" not in settings and "betas" not in settings:
            raise ArgumentError(
                f"{self._name}: {type(self.optimizer).__name__} has neither momentum nor betas; "
                "use cycle_momentum=False"
            )
        self.use_beta1 = "betas" in settings

    def _set_momentum(self, group: Group, momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class OneCycleLR(_Cycle):
    """One rise of the rate from max_lr / div_factor to max_lr, and one fall to 1 / final_div_factor of where it began.

    The rise takes pct_start of total_steps (or epochs * steps_per_epoch), one `step()` for each batch.  With
    `three_phase` the fall goes back to where the rise began in as many steps, and from there on in the rest.  The
    momentum, or the first beta, goes from max_momentum to base_momentum and back.

    L. Smith, N. Topin: "Super-convergence: very fast training of neural networks using large learning rates", 2017.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr(), optimizer.param_groups[0]["momentum"]
    ([1.0], 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked_optimizer("OneCycleLR", optimizer)
        if total_steps is not None:
            require_counts("OneCycleLR", total_steps=total_steps)
            self.total_steps = total_steps
        elif epochs is not None and steps_per_epoch is not None:
            require_counts("OneCycleLR", epochs=epochs, steps_per_epoch=steps_per_epoch)
            self.total_steps = epochs * steps_per_epoch
        else:
            raise ArgumentError("OneCycleLR: needs total_steps, or epochs and steps_per_epoch")
        check_range("OneCycleLR", 0, pct_start=pct_start)
        if pct_start > 1:
            raise ArgumentError(f"OneCycleLR: pct_start must be at most 1, got {pct_start}")
        require_choice("OneCycleLR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self._schedule_phases = _phases(float(pct_start * self.total_steps), self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        peaks = for_each_group("OneCycleLR", "max_lr", max_lr, optimizer)
        highest, lowest = (
            for_each_group("OneCycleLR", name, value, optimizer)
            for name, value in (("max_momentum", max_momentum), ("base_momentum", base_momentum))
        )
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
        if last_epoch == -1:
            for group, peak, high, low in zip(optimizer.param_groups, peaks, highest, lowest, strict=True):
                start = peak / div_factor
                group.update(initial_lr=start, max_lr=peak, min_lr=start / final_div_factor)
                if cycle_momentum:
                    self._set_momentum(group, high)
                    group.update(max_momentum=high, base_momentum=low)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        if self.last_epoch > self.total_steps:
            raise ArgumentError(f"OneCycleLR: step {self.last_epoch} of a cycle of {self.total_steps} steps")
        start, phase = 0.0, self._schedule_phases[0]
        for phase in self._schedule_phases:
            if self.last_epoch <= phase["end_step"]:
                break
            if phase is not self._schedule_phases[-1]:
                start = phase["end_step"]
        share = (self.last_epoch - start) / (phase["end_step"] - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(
                    group, self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], share)
                )
        return [
            self._between(group[phase["start_lr"]], group[phase["end_lr"]], share)
            for group in self.optimizer.param_groups
        ]

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) * cosine(share)


def _phases(rise: float, steps: int, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which settings of a group it goes."""
    ends = [rise - 1, 2 * rise - 2, steps - 1] if three else [rise - 1, steps - 1]
    rates = ["initial_lr", "max_lr", *(["initial_lr"] if three else []), "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
    return [
        {
            "end_step": end,
            "start_lr": rates[i],
            "end_lr": rates[i + 1],
            "start_momentum": momenta[i],
            "end_momentum": momenta[i + 1],
        }
        for i, end in enumerate(ends)
    ]


class CyclicLR(_Cycle):
    """The rate goes from base_lr to max_lr in step_size_up steps, back in step_size_down, and so on.

    The height of cycle c (from 1 on) is, by `mode`, always the same (triangular), 1 / 2^(c - 1) of it (triangular2),
    or gamma^step (exp_range); or what `scale_fn` says of the cycle, or with scale_mode "iterations" of the step.  The
    momentum, or the first beta, goes against the rate.

    L. Smith: "Cyclical learning rates for training neural networks", 2015.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.optim import SGD
    >>> optimizer = SGD([ag.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked_optimizer("CyclicLR", optimizer)
        if scale_fn is None:
            require_choice("CyclicLR", "mode", mode, ("triangular", "triangular2", "exp_range"))
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        lowest_rates = for_each_group("CyclicLR", "base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group("CyclicLR", "max_lr", max_lr, optimizer)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        check_range("CyclicLR", math.ulp(0.0), step_size_up=up, step_size_down=down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            self.base_momentums = for_each_group("CyclicLR", "base_momentum", base_momentum, optimizer)
            self.max_momentums = for_each_group("CyclicLR", "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                set_rate(group, lowest_rates[i])
                if cycle_momentum:
                    high, low = self.max_momentums[i], self.base_momentums[i]
                    self._set_momentum(group, high)
                    group.update(max_momentum=high, base_momentum=low)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest_rates

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, or of a step, as a share of the whole."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return float(0.5 ** (x - 1) if self.mode == "triangular2" else self.gamma**x)

    def get_lr(self) -> list[Rate]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        others = {name: value for name, value in vars(self).items() if name not in ("optimizer", "_scale_fn_custom")}
        function = self._scale_fn_custom
        state = None if function is None else state_of_function(function)
        return copy.deepcopy({**others, "_scale_fn_custom": state})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        function, state = self._scale_fn_custom, state_dict.get("_scale_fn_custom")
        super().load_state_dict(state_dict)
        self._scale_fn_custom = function
        if function is not None and state is not None:
            vars(function).update(copy.deepcopy(state))
