"""Hooks: functions called with a gradient, and the handles that remove them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import ref

from autograd_cnn.errors import GraphError

_next_id = count().__next__


class RemovableHandle:
    """Returned by every `register_*hook`; `remove()` takes the hook off again.  Also a context manager."""

    def __init__(self, hooks: dict[int, Any], id: int) -> None:
        self._hooks = hooks
        self.id = id

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register(hooks: dict[int, Any], hook: Any) -> RemovableHandle:
    """Adds `hook` to a dictionary of hooks, which run in the order they were added."""
    id = _next_id()
    hooks[id] = hook
    return RemovableHandle(hooks, id)


def add_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """A hook on the gradient of a tensor: kept by its node, or by itself where it is a leaf."""
    if not tensor._requires_grad:
        raise GraphError("register_hook: the tensor does not require grad, so it never has a gradient")
    node = tensor.grad_fn
    if node is None:
        if tensor.hooks is None:
            tensor.hooks = {}
        return register(tensor.hooks, hook)
    if node.hooks is None:
        node.hooks = {}
    node.watched = True
    return register(node.hooks.setdefault(tensor.slot, {}), hook)


def retain_grad(tensor: Any) -> None:
    """Asks that the gradient of the result of an op is kept in its `.grad`."""
    if not tensor._requires_grad:
        raise GraphError("retain_grad: the tensor does not require grad, so it never has a gradient")
    node = tensor.grad_fn
    if node is not None:
        if node.retained is None:
            node.retained = {}
        node.watched = True
        node.retained[tensor.slot] = ref(tensor)


def retains_grad(tensor: Any) -> bool:
    node = tensor.node
    reference = None if node is None or node.retained is None else node.retained.get(tensor.slot)
    return reference is not None and reference() is tensor
