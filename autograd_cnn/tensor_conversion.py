"""Tensors from a tensor: in another dtype, on another device, or new ones of its kind."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.constructors import OLD_NAMES, unwrapped
from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import as_dtype, bool_, float32, float64, int32, int64, uint8
from autograd_cnn.errors import DTypeError, NoCudaError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.ops import cast
from autograd_cnn.ops.assign import require_number
from autograd_cnn.ops.size import new_size

if TYPE_CHECKING:
    import builtins

    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import DTypeLike, Ints, Number

bool_class = bool  # within the class, `bool` is a method


def conversion(target: tuple[Any, ...], dtype: Any, device: Any) -> tuple[Any, Any]:
    """The dtype and the device that `to(*target)` asks for: by a tensor that has them, or by themselves."""
    for t in target:
        if isinstance(t, TensorBase):
            dtype, device = t.array.dtype, t.device
        elif isinstance(t, Device | str):
            device = t
        elif t is not None and t.__class__ is not bool_class:  # `non_blocking` and `copy`
            dtype = t
    return dtype, device


class Conversion(TensorBase):
    """Methods named after dtypes and devices, and `new_*`.  Annotations cannot name dtypes: here they are methods."""

    __slots__ = ()

    def to(
        self: Any,
        *target: Any,
        dtype: DTypeLike | None = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """Self in another dtype or on another device; self where nothing changes, unless `copy`.

        `to(dtype)`, `to(device)`, `to(device, dtype)` and `to(other)`, each also with `non_blocking`, which changes
        nothing on a CPU, and `copy` by position.
        """
        flags = [flag for flag in target if flag.__class__ is bool_class]
        dtype, device = conversion(target, dtype, device)
        if device is not None:
            as_device(device)
        result = self if dtype is None else cast.cast(self, as_dtype(dtype, "to"))
        return cast.clone(result) if (copy or flags[1:] == [True]) and result is self else result

    def type(self, dtype: Any = None) -> Any:
        """The old name of the dtype, such as `"torch.FloatTensor"`; or self in another one, old names included."""
        if dtype is None:
            return OLD_NAMES[self.array.dtype]
        named = {name: old for old, name in OLD_NAMES.items()}
        return self.to(named.get(dtype) if isinstance(dtype, str) and dtype in named else as_dtype(dtype, "type"))

    def type_as(self: Any, other: Tensor) -> Tensor:
        """Self in the dtype of `other`."""
        return self.to(other.array.dtype)

    def float(self: Any) -> Tensor:
        """Self in float32."""
        return cast.cast(self, float32)

    def double(self: Any) -> Tensor:
        """Self in float64."""
        return cast.cast(self, float64)

    def long(self: Any) -> Tensor:
        """Self in int64."""
        return cast.cast(self, int64)

    def int(self: Any) -> Tensor:
        """Self in int32."""
        return cast.cast(self, int32)

    def bool(self: Any) -> Tensor:
        """Where self is not 0."""
        return cast.cast(self, bool_)

    def byte(self: Any) -> Tensor:
        """Self in uint8."""
        return cast.cast(self, uint8)

    def cpu(self: Any) -> Tensor:
        """Self on the CPU."""
        return self.to(CPU)

    def cuda(self, device: Any = None, non_blocking: builtins.bool = False) -> Tensor:
        """Raises NoCudaError: there is no GPU to move to."""
        raise NoCudaError("cuda: there is no CUDA device; kernels run on the CPU")

    def to_sparse(self: Any) -> Any:
        """The elements that are not 0 and their positions, see `sparse.SparseTensor`."""
        return import_module("autograd_cnn.sparse").to_sparse(self)

    def to_dense(self: Any) -> Tensor:
        """Self, which is dense."""
        return self

    clone = cast.clone

    def contiguous(self: Any) -> Tensor:
        """Self, or a copy in row-major order where self is laid out in another way."""
        return self if self.array.flags.c_contiguous else cast.clone(self)

    def new_empty(
        self,
        *given: Ints,
        size: Ints | None = None,
        dtype: DTypeLike | None = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """Uninitialised memory of that size, in self's dtype and on its device unless told."""
        return self._new("new_empty", new_size("new_empty", given, size), dtype, device, requires_grad)

    def new_zeros(
        self,
        *given: Ints,
        size: Ints | None = None,
        dtype: DTypeLike | None = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """Zeros of that size, in self's dtype and on its device unless told."""
        return self._new("new_zeros", new_size("new_zeros", given, size), dtype, device, requires_grad, 0)

    def new_ones(
        self,
        *given: Ints,
        size: Ints | None = None,
        dtype: DTypeLike | None = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """Ones of that size, in self's dtype and on its device unless told."""
        return self._new("new_ones", new_size("new_ones", given, size), dtype, device, requires_grad, 1)

    def new_full(
        self,
        size: Ints,
        fill_value: Tensor | Number,
        *,
        dtype: DTypeLike | None = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """`fill_value` in that size, in self's dtype and on its device unless told."""
        value: Any = fill_value
        if isinstance(fill_value, TensorBase):
            value = fill_value.array.item()
        require_number("new_full", value, self.array.dtype if dtype is None else as_dtype(dtype, "new_full"))
        return self._new("new_full", new_size("new_full", (size,)), dtype, device, requires_grad, value)

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: DTypeLike | None = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """A tensor with a copy of `data`, in self's dtype and on its device unless told."""
        if isinstance(data, TensorBase):
            array = data.device.to_host(data.array)
        else:
            array = np.array(unwrapped(data) if isinstance(data, list | tuple) else data)
            if array.size and array.dtype.kind not in "biuf":
                raise DTypeError(f"new_tensor: cannot make a tensor of {array.dtype}; needs numbers or bools")
        result = self._new("new_tensor", array.shape, dtype, device, requires_grad)
        result.array[...] = array
        return result

    def _new(self, op: Any, size: Any, dtype: Any, device: Any, requires_grad: Any, fill_value: Any = None) -> Any:
        place = self.device if device is None else as_device(device)
        array = place.empty(size, self.array.dtype if dtype is None else as_dtype(dtype, op))
        if fill_value is not None:
            place.kernels.fill(array, fill_value)
        result: Any = wrap(array, place)
        return result.requires_grad_() if requires_grad else result
