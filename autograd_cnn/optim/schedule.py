"""LRScheduler: what all learning-rate schedules share - the rates at first, steps, state."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.optim.optimizer import Group, Optimizer
from autograd_cnn.tensor import Tensor

Rate = float | Tensor


class LRScheduler:
    """Sets each group's `lr` when made and after every `step()`, which belongs after the optimizer's.

    A subclass says in `get_lr` which rates follow.  One that changes the rates which it finds can be used together
    with others.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked_optimizer(self._name, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise ArgumentError(f"{self._name}: group {i} needs an initial_lr to resume at epoch {last_epoch}")
        self.base_lrs: list[Rate] = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def step(self, epoch: int | None = None) -> None:
        """Goes on by one epoch.

        To `epoch`, as in programs of old, it still goes, by `_get_closed_form_lr` where there is one; that warns.
        """
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                f"{self._name}.step() before the optimizer's first step(): the first rate of the schedule is skipped; "
                "call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(f"{self._name}.step(epoch) is out of use; call step() once an epoch", stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = getattr(self, "_get_closed_form_lr", self.get_lr)()
        self._set(rates)

    def _set(self, rates: Iterable[Rate]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, lr)
        self._last_lr = self._rates()

    def get_lr(self) -> list[Rate]:
        """The rates for `last_epoch`, from those before it."""
        raise NotImplementedError(f"{self._name}.get_lr")

    def get_last_lr(self) -> list[Rate]:
        """The rates as this schedule set them last."""
        return list(self._last_lr)

    def _rates(self) -> list[Rate]:
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, copied; of functions only what callable objects have in their `__dict__`."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "optimizer"})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continues from a state of `state_dict`, also one of PyTorch's.

        Raises StateDictError where it is another schedule's or for other groups; nothing has changed then.
        """
        own = vars(self)
        public, saved = (sorted(name for name in names if name[0] != "_") for names in (own, state_dict))
        public.remove("optimizer")
        if saved != public or "_last_lr" not in state_dict:
            raise StateDictError(f"{self._name}: the state dict has {saved}, the schedule has {public}")
        count = len(state_dict["_last_lr"])
        if count != len(self.optimizer.param_groups):
            raise StateDictError(
                f"{self._name}: the state dict is for {count} parameter groups, "
                f"the optimizer has {len(self.optimizer.param_groups)}"
            )
        own.update(copy.deepcopy({name: value for name, value in state_dict.items() if name in own}))


def checked_optimizer(schedule: str, optimizer: Any) -> Optimizer:
    """The optimizer; DTypeError where it is none."""
    if not isinstance(optimizer, Optimizer):
        raise DTypeError(f"{schedule}: optimizer must be an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def copied(rate: Rate) -> Rate:
    """A rate that does not change with the one given."""
    return rate.detach().clone() if isinstance(rate, Tensor) else rate


def set_rate(group: Group, rate: Rate) -> None:
    """Sets a group's rate: in its place where that is a tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(rate))
    else:
        group["lr"] = rate


def for_each_group(schedule: str, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A setting's value for each parameter group; ArgumentError unless a list has one for each."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ArgumentError(f"{schedule}: {name} has {len(value)} values for {count} parameter groups")
    return list(value)


def require_counts(schedule: str, low: int = 1, **counts: Any) -> None:
    """DTypeError unless each count is an integer, ArgumentError unless it is at least `low`."""
    for name, count in counts.items():
        if not isinstance(count, int) and not (isinstance(count, float) and count.is_integer()):
            raise DTypeError(f"{schedule}: {name} must be an integer, got {count!r}")
        if count < low:
            raise ArgumentError(f"{schedule}: {name} must be at least {low}, got {count}")


def require_choice(schedule: str, name: str, value: Any, choices: tuple[str, ...]) -> None:
    """ArgumentError unless a setting is one of its choices."""
    if value not in choices:
        raise ArgumentError(f"{schedule}: {name} must be one of {', '.join(choices)}, got {value!r}")


def state_of_function(function: Any) -> dict[str, Any] | None:
    """What a callable object keeps; None for a function."""
    return None if isinstance(function, FunctionType) else dict(getattr(function, "__dict__", {}))


def cosine(share: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * share)) / 2
