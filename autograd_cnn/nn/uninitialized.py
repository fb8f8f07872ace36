"""Parameters and buffers whose shape is not yet known: what lazy layers have until their first input."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autograd_cnn.creation import empty
from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.nn.parameter import Buffer, Parameter
from autograd_cnn.tensor import Tensor

_ARRAY: Any = vars(TensorBase)["array"]  # where the array really is


class Uninitialized:
    """What both share: a dtype and a device, but no array, until `materialize` makes them what they stand for."""

    cls_to_become: ClassVar[type[Tensor]]

    @property
    def array(self) -> np.ndarray:
        """None yet.  Raises ArgumentError."""
        raise ArgumentError(
            f"{type(self).__name__}: has no values yet; call its lazy module once, or load a state dict into it"
        )

    @array.setter
    def array(self, array: np.ndarray) -> None:
        _ARRAY.__set__(self, array)

    def convert(self, dtype: Any, device: Any) -> None:
        """Changes the dtype and the device that it will have."""
        held = _ARRAY.__get__(self)
        made = empty(0, dtype=held.dtype if dtype is None else dtype, device=device or self.device)  # type: ignore[has-type]
        self.array, self.device = made.array, made.device

    def materialize(self, shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> None:
        """Makes it a parameter, or buffer, of that shape, whose values are anything."""
        self.convert(dtype, device)
        made = empty(*shape, dtype=_ARRAY.__get__(self).dtype, device=self.device)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.array = made.array

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Says whether it will have a gradient; returns self."""
        self._requires_grad = requires_grad
        return self

    def detach(self) -> Any:
        """Itself: there is nothing to share yet."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):  # type: ignore[misc]
    """A parameter whose shape is not yet known; any use but `materialize` raises ArgumentError.

    It becomes a plain Parameter, the same object, so that an optimizer goes on with it.

    >>> parameter = UninitializedParameter()
    >>> parameter
    <UninitializedParameter>
    >>> parameter.materialize((2, 3))
    >>> type(parameter).__name__, parameter.shape
    ('Parameter', (2, 3))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        made: Any = super().__new__(cls, empty(0, device=device, dtype=dtype), False)
        made._requires_grad = requires_grad
        return made

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        pass


class UninitializedBuffer(Uninitialized, Buffer):  # type: ignore[misc]
    """A buffer whose shape is not yet known; any use but `materialize` raises ArgumentError.

    >>> UninitializedBuffer()
    <UninitializedBuffer>
    """

    cls_to_become = Buffer

    def __new__(cls, device: Any = None, dtype: Any = None, *, persistent: bool = True) -> UninitializedBuffer:
        made = empty(0, device=device, dtype=dtype)
        return super().__new__(cls, made, persistent=persistent)  # type: ignore[return-value]

    def __init__(self, device: Any = None, dtype: Any = None, *, persistent: bool = True) -> None:
        pass
