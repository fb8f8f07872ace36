"""Variable: what tensors with gradients were once called."""

from __future__ import annotations

from typing import Any

from autograd_cnn.errors import DTypeError
from autograd_cnn.tensor import Tensor


class _Kind(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_Kind):
    """`Variable(data, requires_grad)` is a tensor on the memory of `data`; every tensor is a Variable.

    >>> import autograd_cnn as ag
    >>> Variable(ag.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    >>> isinstance(ag.ones(2), Variable)
    True
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise DTypeError(f"Variable: data must be a tensor, got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
