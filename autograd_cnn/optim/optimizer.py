"""Optimizer: what all optimizers share - parameter groups, state, its saving and loading."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.graph.grad_mode import enable_grad
from autograd_cnn.tensor import Tensor


def check_range(optimizer: str, low: float, high: float = float("inf"), **settings: Any) -> None:
    """ArgumentError unless low <= value < high for each setting."""
    for name, value in settings.items():
        if not low <= value < high:
            bound = f"at least {low}" if high == float("inf") else f"in [{low}, {high})"
            raise ArgumentError(f"{optimizer}: {name} must be {bound}, got {value}")


class Optimizer:
    """Updates parameters from their gradients.

    `params` are tensors, or groups: dictionaries with `params` and settings of their own.  A subclass says in
    `new_state` what it keeps for a parameter, and in `update` what a step does to flat arrays.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        if isinstance(params, Tensor):
            raise DTypeError(f"{self._name}: params must be an iterable of tensors, got one tensor; put it in a list")
        groups = list(params)
        if not groups:
            raise ArgumentError(f"{self._name}: got an empty list of parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Adds parameters with settings of their own; what is not set is the optimizer's default.

        Raises GraphError for the result of an op, ArgumentError for a parameter that is in a group already.
        """
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        known = {p for g in self.param_groups for p in g["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise DTypeError(f"{self._name}: can only optimize tensors, got {type(p).__name__}")
            if not p.is_leaf:
                raise ArgumentError(f"{self._name}: can only optimize leaves, got the result of {p.grad_fn}")
            if p in known:
                raise ArgumentError(f"{self._name}: a parameter of shape {list(p.shape)} is in more than one group")
            known.add(p)
        self.param_groups.append({**self.defaults, **group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient; a `closure` computes the loss first, and is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update_one(p, group)
        return loss

    def _update_one(self, p: Tensor, group: dict[str, Any]) -> None:
        state = self.state.get(p)
        if state is None:
            state = self.state[p] = self.new_state(p, group)
        grad = p.grad.array
        flat = p.array.ravel()
        slots = {name: s.array.ravel() if isinstance(s, Tensor) else s for name, s in state.items()}
        self.update(p.device.kernels, flat, grad.ravel(), slots, group)
        for name in list(state):
            if name not in slots:
                del state[name]
            elif not isinstance(state[name], Tensor):
                state[name] = slots[name]
        if not p.array.flags.c_contiguous:  # then ravel was a copy
            p.array[...] = flat.reshape(p.array.shape)
        p.mark_changed(f"{self._name}.step")

    def new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """What is kept for a parameter: tensors of its shape (contiguous), and numbers."""
        raise NotImplementedError(f"{self._name}.new_state")

    def update(
        self, k: ModuleType, param: np.ndarray, grad: np.ndarray, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """One step on flat arrays, in place; numbers in `state` may be replaced, and entries removed."""
        raise NotImplementedError(f"{self._name}.update")

    # State

    def state_dict(self) -> dict[str, Any]:
        """The state with parameters replaced by their position, and the settings of every group.

        >>> import autograd_cnn as ag
        >>> from autograd_cnn.optim import SGD
        >>> SGD([ag.zeros(1, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["lr"]
        0.1
        """
        position = {p: i for i, p in enumerate(self._params())}
        groups = []
        for group in self.param_groups:
            settings = {name: value for name, value in group.items() if name != "params"}
            groups.append({**settings, "params": [position[p] for p in group["params"]]})
        return {"state": {position[p]: dict(state) for p, state in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over a state of `state_dict`, copied.

        Raises StateDictError where groups, parameters or shapes differ; nothing has changed then.
        """
        try:
            saved, state = state_dict["param_groups"], state_dict["state"]
        except (KeyError, TypeError):
            raise StateDictError(f"{self._name}: a state dict has 'state' and 'param_groups'") from None
        sizes, own = [len(g["params"]) for g in saved], [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise StateDictError(f"{self._name}: the state dict has groups of {sizes} parameters, the optimizer of {own}")
        params = dict(zip((i for g in saved for i in g["params"]), self._params(), strict=True))
        loaded: dict[Tensor, dict[str, Any]] = {}
        for i, slots in state.items():
            if i not in params:
                raise StateDictError(f"{self._name}: the state dict has state for parameter {i}, which is in no group")
            loaded[params[i]] = {name: self._loaded(params[i], name, value) for name, value in slots.items()}
        self.state = loaded
        for group, settings in zip(self.param_groups, saved, strict=True):
            group.update(copy.deepcopy({name: value for name, value in settings.items() if name != "params"}))

    def _loaded(self, p: Tensor, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        array = value.array if isinstance(value, Tensor) else np.asarray(value)
        if array.shape == () and p.shape != ():
            return array.item()
        if array.shape != p.shape:
            raise StateDictError(f"{self._name}: {name} has shape {list(array.shape)}, its parameter {list(p.shape)}")
        copied = p.new_zeros(p.shape)
        copied.array[...] = array
        return copied

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])
