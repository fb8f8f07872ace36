"""Batch: parameters that one kernel call updates, and where their arrays are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autograd_cnn.tensor import Tensor

State = dict[str, Any]  # of a parameter: its numbers, and its slots, which are tensors


class Batch:
    """Parameters of a group that share device, dtype and numbers, and each of whose gradients fits.

    It outlives the step: where the same arrays come again, the table of their addresses is not made anew.
    """

    __slots__ = ("arrays", "copies", "names", "new", "numbers", "shapes", "states", "table", "tensors")

    def __init__(self, names: tuple[str, ...], numbers: dict[str, float], new: bool) -> None:
        self.names = names  # of the slots
        self.numbers = numbers  # that the states have in common: how many steps there were
        self.new = new  # whether there are no slots yet
        self.tensors: list[Tensor] = []
        self.states: list[State] = []
        self.arrays: list[np.ndarray] = []  # of the parameters, then those of each slot
        self.shapes: list[tuple[int, ...]] = []
        self.copies: list[tuple[np.ndarray, np.ndarray]] = []  # of parameters that are not contiguous
        self.table: Any = None

    def add(self, p: Tensor) -> None:
        array = p.array
        if not array.flags.c_contiguous:
            array = array.copy("C")
            self.copies.append((p.array, array))
        self.tensors.append(p)
        self.arrays.append(array)
        self.shapes.append(array.shape)

    def locate(self, states: list[State], first: Callable[[str, np.ndarray], Any]) -> None:
        """Makes the table, and the slots that are missing or, after the parameter was converted, do not fit.

        `first(name, parameter)` is what a slot holds at first.
        """
        count = len(self.tensors)
        self.states = states
        for name in self.names:
            for p, state in zip(self.tensors, states, strict=True):
                slot = state.get(name)
                if slot is None or not _same_layout(slot.array, p.array):
                    fitted = p.new_zeros(p.shape)
                    fitted.array[...] = first(name, p.array) if slot is None else slot.array
                    state[name] = slot = fitted
                self.arrays.append(slot.array)
        columns = [self.arrays[i : i + count] for i in range(0, len(self.arrays), count)]
        self.table = self.tensors[0].device.kernels.ArrayTable(columns)

    def serves(
        self,
        names: tuple[str, ...],
        tensors: list[Tensor],
        grads: list[np.ndarray],
        known: dict[Any, State],
    ) -> bool:
        """Whether these are the tensors that the table was made for, their arrays where they were."""
        if self.table is None:  # an error came before it was made
            return False
        states, arrays = self.states, self.arrays
        count = len(tensors)
        if count != len(self.tensors) or names != self.names or not all(map(is_, tensors, self.tensors)):
            return False
        present = [p.array for p in tensors]
        if states:
            if not all(map(is_, map(known.get, tensors), states)):
                return False
            try:
                for name in names:
                    present += [state[name].array for state in states]
                for name, value in self.numbers.items():
                    if [state[name] for state in states].count(value) != count:
                        return False
            except KeyError:
                return False
        return (
            all(map(is_, present, arrays))
            and [grad.shape for grad in grads] == self.shapes
            and [grad.dtype for grad in grads].count(arrays[0].dtype) == count
            and [grad.flags.c_contiguous for grad in grads].count(True) == count
            and [array.flags.writeable for array in arrays[:count]].count(True) == count
        )


def gradient_within(batches: Sequence[tuple[Batch, list[np.ndarray]]], state: dict[Any, State]) -> Tensor | None:
    """A parameter whose gradient shares memory with what a step over these batches and their gradients changes."""
    if all(batch.table is not None for batch, _ in batches):
        for batch, _ in batches:
            for other, grads in batches:
                found: int = batch.table.within(other.table, grads)
                if found >= 0:
                    return other.tensors[found]
        return None
    tensors = [p for batch, _ in batches for p in batch.tensors]
    slots = [slot.array for p in tensors for slot in state.get(p, {}).values() if isinstance(slot, Tensor)]
    changed = [array for array in (*(p.array for p in tensors), *slots) if array.size]
    bounds = np.array([byte_bounds(array) for array in changed]).reshape(-1, 2)
    for p in tensors:
        grad: Any = p._grad
        low, high = byte_bounds(grad.array)
        near = np.flatnonzero((bounds[:, 0] < high) & (low < bounds[:, 1]))
        if grad.array.size and any(np.shares_memory(grad.array, changed[i]) for i in near):
            return p
    return None


def _same_layout(slot: np.ndarray, param: np.ndarray) -> bool:
    return slot.dtype == param.dtype and slot.shape == param.shape and slot.flags.c_contiguous
