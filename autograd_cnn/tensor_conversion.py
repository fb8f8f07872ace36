"""Tensors from a tensor: in another dtype, on another device, or new ones of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import as_dtype, bool_, float32, float64, int32, int64, uint8
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops import cast
from autograd_cnn.ops.size import as_size, new_size


def conversion(target: tuple[Any, ...], dtype: Any, device: Any) -> tuple[Any, Any]:
    """The dtype and the device that `to(*target)` asks for: by a tensor that has them, or by themselves."""
    for t in target:
        if isinstance(t, TensorBase):
            dtype, device = t.array.dtype, t.device
        elif isinstance(t, Device | str):
            device = t
        else:
            dtype = t
    return dtype, device


class Conversion(TensorBase):
    """Methods named after dtypes and devices, and `new_*`."""

    __slots__ = ()

    def to(self, *target: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Any:
        """Self in another dtype or on another device; self where nothing changes, unless `copy`."""
        dtype, device = conversion(target, dtype, device)
        if device is not None:
            as_device(device)
        result = self if dtype is None else cast.cast(self, as_dtype(dtype, "to"))
        return cast.clone(result) if copy and result is self else result

    def type(self, dtype: Any = None) -> Any:
        """The name of the dtype, or self in another one."""
        return str(self.array.dtype) if dtype is None else self.to(as_dtype(dtype, "type"))

    def type_as(self, other: Any) -> Any:
        """Self in the dtype of `other`."""
        return self.to(other.array.dtype)

    def float(self) -> Any:
        """Self in float32."""
        return cast.cast(self, float32)

    def double(self) -> Any:
        """Self in float64."""
        return cast.cast(self, float64)

    def long(self) -> Any:
        """Self in int64."""
        return cast.cast(self, int64)

    def int(self) -> Any:
        """Self in int32."""
        return cast.cast(self, int32)

    def bool(self) -> Any:
        """Where self is not 0."""
        return cast.cast(self, bool_)

    def byte(self) -> Any:
        """Self in uint8."""
        return cast.cast(self, uint8)

    def cpu(self) -> Any:
        """Self on the CPU."""
        return self.to(CPU)

    clone = cast.clone

    def contiguous(self) -> Any:
        """Self, or a copy in row-major order where self is laid out in another way."""
        return self if self.array.flags.c_contiguous else cast.clone(self)

    def new_zeros(self, *size: Any, dtype: Any = None) -> Any:
        """Zeros of that size, in self's dtype and on its device unless told."""
        return self.new_full(as_size("new_zeros", size), 0, dtype=dtype)

    def new_ones(self, *size: Any, dtype: Any = None) -> Any:
        """Ones of that size, in self's dtype and on its device unless told."""
        return self.new_full(as_size("new_ones", size), 1, dtype=dtype)

    def new_full(self, size: Sequence[Any], fill_value: Any, *, dtype: Any = None) -> Any:
        """`fill_value` in that size, in self's dtype and on its device unless told."""
        array = self.device.empty(
            new_size("new_full", (size,)), self.array.dtype if dtype is None else as_dtype(dtype, "new_full")
        )
        self.device.kernels.fill(array, fill_value)
        return wrap(array, self.device)

    def new_tensor(self, data: Any, *, dtype: Any = None) -> Any:
        """A tensor with a copy of `data`, in self's dtype and on its device unless told."""
        return wrap(
            np.array(data, dtype=self.array.dtype if dtype is None else as_dtype(dtype, "new_tensor")), self.device
        )
