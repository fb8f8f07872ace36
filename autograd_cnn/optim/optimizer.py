"""Optimizer: what all optimizers share - parameter groups, steps, state, its saving and loading."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError, StateDictError
from autograd_cnn.graph.grad_mode import enable_grad
from autograd_cnn.graph.in_place import repeats, require_changeable
from autograd_cnn.optim.batch import Batch, State, gradient_within
from autograd_cnn.tensor import Tensor

Group = dict[str, Any]  # the parameters under "params", and the settings


def check_range(optimizer: str, low: float, high: float = float("inf"), **settings: Any) -> None:
    """ArgumentError unless low <= value < high for each setting, DTypeError for what is no number."""
    for name, value in settings.items():
        if not isinstance(value, int | float | np.number):
            raise DTypeError(f"{optimizer}: {name} must be a number, got {value!r}")
        if not low <= value < high:
            bound = f"at least {low}" if high == float("inf") else f"in [{low}, {high})"
            raise ArgumentError(f"{optimizer}: {name} must be {bound}, got {value}")


Work = tuple[Group, Batch, list[np.ndarray]]  # a batch and its gradients


class Optimizer:
    """Updates parameters from their gradients.

    `params` are tensors, or groups: dictionaries with `params` and settings of their own.  A subclass says in `check`
    which settings are possible, in `slots` what it keeps for a parameter, and in `update` what a step does.
    """

    counts_steps = False  # whether the state of a parameter has `step`, how many there were

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, State] = {}
        self._batches: dict[int, Batch] = {}  # of the last step, by the group's position
        self.check(defaults)
        if isinstance(params, Tensor):
            raise DTypeError(f"{self._name}: params must be an iterable of tensors, got one tensor; put it in a list")
        if not isinstance(params, Iterable):
            raise DTypeError(f"{self._name}: params must be an iterable of tensors, got {type(params).__name__}")
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

    def check(self, group: Mapping[str, Any]) -> None:
        """ArgumentError for settings that are not possible."""
        raise NotImplementedError(f"{self._name}.check")

    def slots(self, group: Group) -> tuple[str, ...]:
        """The names of the arrays kept for each parameter; they have its shape and start as zeros."""
        raise NotImplementedError(f"{self._name}.slots")

    def update(self, k: ModuleType, table: Any, grads: list[np.ndarray], group: Group, step: int) -> None:
        """One step, in place, of all parameters of `table`, an ArrayTable of theirs and of the slots in their order.

        step: the number of this step for these parameters; unless the optimizer counts them, 1 where the first slot is
        new and 2 where not.
        """
        raise NotImplementedError(f"{self._name}.update")

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Adds parameters with settings of their own; what is not set is the optimizer's default.

        Raises ArgumentError for impossible settings, for the result of an op, and for a parameter that is in a group
        already; DTypeError for what is no tensor.
        """
        if not isinstance(group, Mapping):
            raise DTypeError(f"{self._name}: a parameter group must be a dict, got {type(group).__name__}")
        if "params" not in group:
            raise ArgumentError(f"{self._name}: a parameter group needs 'params', got {', '.join(group) or 'nothing'}")
        params = group["params"]
        if isinstance(params, set):
            raise DTypeError(f"{self._name}: params must have an order, got a set")
        params = [params] if isinstance(params, Tensor) else list(params)
        known = set(self._params())
        for p in params:
            if not isinstance(p, Tensor):
                raise DTypeError(f"{self._name}: can only optimize tensors, got {type(p).__name__}")
            if not p.is_leaf:
                raise ArgumentError(f"{self._name}: can only optimize leaves, got the result of {p.grad_fn}")
            if p in known:
                raise ArgumentError(f"{self._name}: a parameter of shape {list(p.shape)} is in a group more than once")
            known.add(p)
        complete = {**self.defaults, **group, "params": params}
        self.check(complete)
        self.param_groups.append(complete)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero; InPlaceError where one cannot be, and none has been then."""
        params: list[Any] = self._params()
        if not set_to_none:
            for p in params:
                if p._grad is not None:
                    require_changeable(f"{self._name}.zero_grad", "a gradient", p._grad)
        for p in params:
            if set_to_none:
                p._grad = None
            elif p._grad is not None:
                p._grad = p._grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient; a `closure` computes the loss first, and is returned.

        Raises ShapeError where a gradient does not fit its parameter, InPlaceError where that is read-only or
        expanded, and where a gradient shares memory with what changes; nothing has changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        work = [item for i, group in enumerate(self.param_groups) for item in self._work(i, group)]
        shared = gradient_within([(batch, grads) for _, batch, grads in work], self.state)
        if shared is not None:
            raise InPlaceError(
                f"{self._name}: the gradient of a parameter of shape {list(shared.array.shape)} shares memory with a "
                "parameter or its state, which the step changes; clone it first"
            )
        for group, batch, grads in work:
            self._update(group, batch, grads)
        return loss

    def _work(self, position: int, group: Group) -> list[Work]:
        """The batches of a group's parameters that have a gradient, with their gradients; changes nothing."""
        names = self.slots(group)
        tensors = [p for p in group["params"] if p._grad is not None]
        grads = [p._grad.array for p in tensors]
        last = self._batches.get(position)
        if last is not None and last.serves(names, tensors, grads, self.state, self.counts_steps):
            return [(group, last, grads)]
        found: dict[Any, Work] = {}
        for p, grad in zip(tensors, grads, strict=True):
            array = p.array
            if grad.shape != array.shape:
                raise ShapeError(f"{self._name}: a gradient of shape {list(grad.shape)} for {list(array.shape)}")
            if array.dtype.kind != "f":
                raise DTypeError(f"{self._name}: can only optimize floating point tensors, got {array.dtype}")
            if not array.flags.writeable or repeats(array):
                raise InPlaceError(
                    f"{self._name}: a parameter of shape {list(array.shape)} is on read-only memory, or expanded "
                    "so that its elements share memory; clone it first"
                )
            for name, slot in self.state.get(p, {}).items():
                if isinstance(slot, Tensor) and slot.array.shape != array.shape:
                    raise ShapeError(
                        f"{self._name}: a parameter of shape {list(array.shape)} has {name} of shape "
                        f"{list(slot.array.shape)}; it was changed since the step before, make a new optimizer"
                    )
            step = self._steps(p, names) + 1
            _, batch, fitted = found.setdefault((step, array.dtype, p.device), (group, Batch(names, step), []))
            batch.add(p)
            fitted.append(np.ascontiguousarray(grad, array.dtype).reshape(grad.shape))
        if len(found) == 1 and not batch.copies:
            self._batches[position] = batch
        return list(found.values())

    def _steps(self, p: Tensor, names: tuple[str, ...]) -> int:
        """How many steps of p the state knows of."""
        state = self.state.get(p, {})
        if self.counts_steps:
            return int(state.get("step", 0))
        return int(bool(names) and names[0] in state)

    def _update(self, group: Group, batch: Batch, grads: list[np.ndarray]) -> None:
        if batch.table is None:
            stateful = self.counts_steps or batch.names
            states = [self.state.setdefault(p, {}) for p in batch.tensors] if stateful else []
            if self.counts_steps:  # it comes first in a state
                for state in states:
                    state["step"] = batch.step
            batch.locate(states)
        elif self.counts_steps:
            for state in batch.states:
                state["step"] = batch.step
        self.update(batch.tensors[0].device.kernels, batch.table, grads, group, batch.step)
        batch.step += 1
        for array, contiguous in batch.copies:
            array[...] = contiguous
        changed = f"{self._name}.step"
        for p in batch.tensors:
            p.mark_changed(changed)

    # State

    def state_dict(self) -> dict[str, Any]:
        """The state with parameters replaced by their position, and the settings of every group.

        >>> import autograd_cnn as ag
        >>> from autograd_cnn.optim import SGD
        >>> SGD([ag.zeros(1, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["lr"]
        0.1
        """
        position = {p: i for i, p in enumerate(self._params())}
        states, groups = {}, []
        for group in self.param_groups:
            groups.append({**group, "params": [position[p] for p in group["params"]]})
            names = self._entries(group)
            for p in group["params"]:
                state = {name: value for name, value in self.state.get(p, {}).items() if name in names}
                if state:
                    states[position[p]] = state
        return {"state": states, "param_groups": groups}

    def _entries(self, group: Group) -> tuple[str, ...]:
        """What the state of a parameter has once there was a step."""
        return (*(("step",) if self.counts_steps else ()), *self.slots(group))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over a state of `state_dict`, copied; PyTorch's is one, its tensors given as arrays.

        Raises StateDictError where groups, parameters, names or shapes differ, ArgumentError for impossible settings;
        nothing has changed then.
        """
        try:
            saved, state = list(state_dict["param_groups"]), dict(state_dict["state"])
            sizes, own = ([len(group["params"]) for group in groups] for groups in (saved, self.param_groups))
        except (KeyError, TypeError, ValueError):
            raise StateDictError(
                f"{self._name}: a state dict has 'state', by parameter, and 'param_groups', each with 'params'"
            ) from None
        if sizes != own:
            raise StateDictError(
                f"{self._name}: the state dict has groups of {sizes} parameters, the optimizer of {own}"
            )
        groups = [self._loaded_group(group, i) for i, group in enumerate(saved)]
        targets = {
            i: (p, group)
            for old, group in zip(saved, groups, strict=True)
            for i, p in zip(old["params"], group["params"], strict=True)
        }
        loaded: dict[Tensor, dict[str, Any]] = {}
        for i, slots in state.items():
            if i not in targets:
                raise StateDictError(f"{self._name}: the state dict has state for parameter {i}, which is in no group")
            p, group = targets[i]
            loaded[p] = self._loaded_state(i, p, slots, group)
        self.state = loaded
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(settings)

    def _loaded_group(self, saved: Mapping[str, Any], i: int) -> Group:
        missing = [name for name in self.defaults if name not in saved]
        if missing:
            raise StateDictError(f"{self._name}: group {i} of the state dict has no {', '.join(missing)}")
        settings = {name: _number(value) for name, value in saved.items() if name != "params"}
        self.check(settings)
        return {**copy.deepcopy(settings), "params": self.param_groups[i]["params"]}

    def _loaded_state(self, i: Any, p: Tensor, saved: Mapping[str, Any], group: Group) -> dict[str, Any]:
        state: dict[str, Any] = {}
        present = {name: value for name, value in saved.items() if value is not None}
        known = self._entries(group)
        missing = [name for name in known if name not in present] if present else []
        unexpected = [name for name in present if name not in known]
        if missing or unexpected:
            names, expected = (", ".join(some) or "none" for some in (present, known))
            raise StateDictError(f"{self._name}: the state of parameter {i} has {names}; expected {expected}")
        for name, value in present.items():
            array = value.array if isinstance(value, Tensor) else np.asarray(value)
            shape = () if name == "step" else p.shape
            if array.shape != shape or array.dtype.kind not in "iuf":
                raise StateDictError(
                    f"{self._name}: {name} of parameter {i} must be numbers of shape {list(shape)}, "
                    f"got {array.dtype} of shape {list(array.shape)}"
                )
            if name == "step":
                state[name] = int(array)
            else:
                state[name] = p.new_zeros(p.shape)
                state[name].array[...] = array
        return state

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _number(value: Any) -> Any:
    """The number in a tensor or array of one; anything else as it is, lists as tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(_number, value))
    return value.item() if isinstance(value, Tensor | np.ndarray) and value.ndim == 0 else value
