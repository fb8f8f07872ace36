"""BatchedOptimizer: optimizers whose step is one kernel call for all parameters of a group that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import DTypeError, InPlaceError, ShapeError, StateDictError
from autograd_cnn.graph.grad_mode import enable_grad
from autograd_cnn.graph.in_place import repeats
from autograd_cnn.optim.batch import Batch, gradient_within
from autograd_cnn.optim.optimizer import Group, Optimizer, State
from autograd_cnn.optim.settings import VARIANTS, check_variants
from autograd_cnn.tensor import Tensor

Work = tuple[Group, Batch, list[np.ndarray]]  # a batch and its gradients

# Settings that state dicts of earlier versions do not have.
LATER = (*VARIANTS, "maximize", "decoupled_weight_decay")


class BatchedOptimizer(Optimizer):
    """An optimizer whose subclass says in `check_settings` which settings are possible, in `numbers` and `slots` what
    it keeps for a parameter, and in `update` what a step does.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self._batches: dict[int, Batch] = {}  # of the last step, by the group's position
        super().__init__(params, defaults)

    def check(self, group: Mapping[str, Any]) -> None:
        check_variants(self._name, group)
        self.check_settings(group)

    def check_settings(self, group: Mapping[str, Any]) -> None:
        """ArgumentError for settings that are not possible."""
        raise NotImplementedError(f"{self._name}.check_settings")

    def numbers(self, group: Group) -> dict[str, float]:
        """The numbers kept for each parameter, at first; `step` is how many steps there were."""
        return {"step": 0}

    def slots(self, group: Group) -> tuple[str, ...]:
        """The names of the arrays kept for each parameter; they have its shape."""
        raise NotImplementedError(f"{self._name}.slots")

    def first(self, name: str, p: np.ndarray, group: Group) -> Any:
        """What a slot of a parameter holds at first."""
        return 0

    def update(self, k: ModuleType, batch: Batch, grads: list[np.ndarray], group: Group) -> None:
        """One step, in place, of all parameters of `batch.table`, of their slots, and of `batch.numbers`.

        The table has the parameters, then the slots in their order; `batch.new` says whether the first is still new.
        """
        raise NotImplementedError(f"{self._name}.update")

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
        if last is not None and last.serves(names, tensors, grads, self.state):
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
            state = self.state.get(p, {})
            for name, slot in state.items():
                if isinstance(slot, Tensor) and slot.array.shape != array.shape:
                    raise ShapeError(
                        f"{self._name}: a parameter of shape {list(array.shape)} has {name} of shape "
                        f"{list(slot.array.shape)}; it was changed since the step before, make a new optimizer"
                    )
            numbers = {name: state.get(name, value) for name, value in self.numbers(group).items()}
            new = not names or names[0] not in state
            key = (*numbers.values(), new, array.dtype, p.device)
            _, batch, fitted = found.setdefault(key, (group, Batch(names, numbers, new), []))
            batch.add(p)
            fitted.append(np.ascontiguousarray(grad, array.dtype).reshape(grad.shape))
        if len(found) == 1 and not batch.copies:
            self._batches[position] = batch
        return list(found.values())

    def _update(self, group: Group, batch: Batch, grads: list[np.ndarray]) -> None:
        if batch.table is None:
            stateful = batch.numbers or batch.names
            states = [self.state[p] for p in batch.tensors] if stateful else []
            for state in states:  # numbers come first in a state
                state.update(batch.numbers)
            batch.locate(states, lambda name, p: self.first(name, p, group))
        if any(isinstance(value, Tensor) for value in group.values()):  # such as a learning rate
            group = {name: value.item() if isinstance(value, Tensor) else value for name, value in group.items()}
        self.update(batch.tensors[0].device.kernels, batch, grads, group)
        for state in batch.states:
            state.update(batch.numbers)
        batch.new = False
        for array, contiguous in batch.copies:
            array[...] = contiguous
        changed = f"{self._name}.step"
        for p in batch.tensors:
            p.mark_changed(changed)

    def _entries(self, group: Group) -> tuple[str, ...]:
        """What the state of a parameter has once there was a step."""
        return (*self.numbers(group), *self.slots(group))

    def _saved_state(self, state: State, group: Group) -> State:
        names = self._entries(group)
        return {name: value for name, value in state.items() if name in names}

    def _loaded_group(self, saved: Mapping[str, Any], i: int) -> Group:
        later = {name: value for name, value in self.defaults.items() if name in LATER}
        missing = [name for name in self.defaults if name not in saved and name not in later]
        if missing:
            raise StateDictError(f"{self._name}: group {i} of the state dict has no {', '.join(missing)}")
        return super()._loaded_group({**later, **saved}, i)

    def _loaded_state(self, i: Any, p: Tensor, saved: Mapping[str, Any], group: Group) -> State:
        state: State = {}
        present = {name: value for name, value in saved.items() if value is not None}
        numbers, known = self.numbers(group), self._entries(group)
        missing = [name for name in known if name not in present] if present else []
        unexpected = [name for name in present if name not in known]
        if missing or unexpected:
            names, expected = (", ".join(some) or "none" for some in (present, known))
            raise StateDictError(f"{self._name}: the state of parameter {i} has {names}; expected {expected}")
        for name, value in present.items():
            array = value.array if isinstance(value, Tensor) else np.asarray(value)
            shape = () if name in numbers else p.shape
            if array.shape != shape or array.dtype.kind not in "iuf":
                raise StateDictError(
                    f"{self._name}: {name} of parameter {i} must be numbers of shape {list(shape)}, "
                    f"got {array.dtype} of shape {list(array.shape)}"
                )
            if name in numbers:
                state[name] = int(array) if name == "step" else float(array)
            else:
                state[name] = p.new_zeros(p.shape)
                state[name].array[...] = array
        return state

    def _loaded_other(self, key: Any, saved: Any) -> Any:
        raise StateDictError(f"{self._name}: the state dict has state for parameter {key}, which is in no group")
