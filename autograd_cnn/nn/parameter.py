"""Parameter: a leaf tensor that a module trains."""

from __future__ import annotations

from typing import Any

from autograd_cnn.creation import empty
from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.base import prepare
from autograd_cnn.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a Module finds among its attributes and an optimizer updates.

    It shares the memory of `data` and requires grad unless told otherwise.

    >>> import autograd_cnn as ag
    >>> Parameter(ag.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        parameter: Parameter = _on_memory_of(cls, data)
        if requires_grad:
            parameter.requires_grad_()
        return parameter

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        pass

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that is part of a module's state but is not trained; assign it to register it.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> class Shift(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.shift = Buffer(ag.ones(1))
    >>> list(Shift().state_dict())
    ['shift']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        buffer: Buffer = _on_memory_of(cls, data)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        pass


def _on_memory_of(cls: type[Tensor], data: Tensor | None) -> Any:
    """A tensor of class `cls` that shares memory and version counter with `data`; an empty one for None."""
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise DTypeError(f"{cls.__name__}: data must be a tensor, got {type(data).__name__}")
    tensor = Tensor.__new__(cls)
    prepare(tensor, data.array, data.device)
    tensor.version = data.version
    return tensor
