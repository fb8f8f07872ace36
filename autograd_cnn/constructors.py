"""PyTorch's old constructors: `Tensor(2, 3)`, `FloatTensor([1, 2])`, `LongTensor(data)` and their like."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autograd_cnn.device import CPU
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import bool_, float32, float64, int32, int64, uint8
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.record import detach
from autograd_cnn.ops.size import new_size


def unwrapped(data: Any) -> Any:
    """Nested sequences with arrays in place of tensors."""
    return [
        unwrapped(item)
        if isinstance(item, list | tuple)
        else detach(item).numpy()
        if isinstance(item, TensorBase)
        else item
        for item in data
    ]


def constructed(name: str, dtype: np.dtype, given: tuple[Any, ...], device: Any) -> np.ndarray:
    """The array of a tensor that was made from sizes, whose memory holds anything, or from one sequence or array."""
    place = CPU if device is None else as_device(device)
    if len(given) == 1 and (isinstance(given[0], bool) or not isinstance(given[0], int | np.integer)):
        (data,) = given
        if not isinstance(data, list | tuple | np.ndarray | range):
            raise DTypeError(f"{name}: takes sizes or one sequence or array, got {type(data).__name__}")
        try:
            array = np.array(unwrapped(data) if isinstance(data, list | tuple) else data)
        except ValueError as error:
            raise ShapeError(f"{name}: the nested sequences differ in length: {error}") from None
        if array.size and array.dtype.kind not in "biuf":
            raise DTypeError(f"{name}: cannot make a tensor of {array.dtype}; needs numbers or bools")
        return place.from_host(np.ascontiguousarray(array.astype(dtype)).reshape(array.shape))
    return place.empty(new_size(name, given) if given else (0,), dtype)


class OldConstructor(type):
    """The class of `FloatTensor` and its like: calling one makes a tensor, and tensors of its dtype are instances."""

    dtype: np.dtype

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        if len(data) == 1 and isinstance(data[0], TensorBase):
            (x,) = data
            if x.array.dtype != cls.dtype:
                raise DTypeError(f"{cls.__name__}: the tensor has dtype {x.array.dtype}, not {cls.dtype}; use to()")
            return detach(x)
        return wrap(constructed(cls.__name__, cls.dtype, data, device))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase) and instance.array.dtype == cls.dtype


class FloatTensor(metaclass=OldConstructor):
    """A float32 tensor of the given size, or of the given numbers.

    >>> FloatTensor([1, 2])
    tensor([1., 2.])
    >>> isinstance(FloatTensor(2), FloatTensor), FloatTensor(2, 3).shape
    (True, (2, 3))
    """

    dtype: ClassVar[np.dtype] = float32


class DoubleTensor(metaclass=OldConstructor):
    """A float64 tensor of the given size, or of the given numbers."""

    dtype: ClassVar[np.dtype] = float64


class LongTensor(metaclass=OldConstructor):
    """An int64 tensor of the given size, or of the given numbers, whose fractions are cut off.

    >>> LongTensor([1.5, 2])
    tensor([1, 2])
    """

    dtype: ClassVar[np.dtype] = int64


class IntTensor(metaclass=OldConstructor):
    """An int32 tensor of the given size, or of the given numbers."""

    dtype: ClassVar[np.dtype] = int32


class ByteTensor(metaclass=OldConstructor):
    """A uint8 tensor of the given size, or of the given numbers."""

    dtype: ClassVar[np.dtype] = uint8


class BoolTensor(metaclass=OldConstructor):
    """A bool tensor of the given size, or of the given truths."""

    dtype: ClassVar[np.dtype] = bool_


OLD_NAMES = {
    kind.dtype: f"torch.{kind.__name__}"
    for kind in (FloatTensor, DoubleTensor, LongTensor, IntTensor, ByteTensor, BoolTensor)
}
