"""Tensor: the user's array.  What it is, its place in the graph and its values; the rest are its bases'."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from types import MethodType
from typing import Any

import numpy as np

from autograd_cnn.constructors import constructed
from autograd_cnn.device import CPU
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import get_default_dtype
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, IndexOutOfRangeError
from autograd_cnn.formatting import tensor_repr
from autograd_cnn.graph import engine
from autograd_cnn.graph.base import TensorBase, prepare, wrap
from autograd_cnn.graph.grad_mode import is_inference_mode_enabled
from autograd_cnn.graph.handle import RemovableHandle, add_hook, retain_grad, retains_grad
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.record import detach as detach_from_graph
from autograd_cnn.graph.record import refresh
from autograd_cnn.ops import flip, split
from autograd_cnn.tensor_conversion import Conversion
from autograd_cnn.tensor_in_place import InPlace
from autograd_cnn.tensor_methods import Methods
from autograd_cnn.tensor_operators import Operators
from autograd_cnn.tensor_pointwise import Pointwise


class Tensor(Operators, Pointwise, Methods, InPlace, Conversion):
    """An array of one dtype that remembers how it was computed.

    Make one with `tensor`, `zeros`, `randn` and their like; an op on tensors gives a tensor.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x ** 2).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, *data: Any, device: Any = None) -> None:
        """PyTorch's old constructor: of sizes, or of one sequence or array in the default dtype; see `tensor`.

        >>> import autograd_cnn as ag
        >>> ag.Tensor([1, 2]), ag.Tensor(2, 3).shape
        (tensor([1., 2.]), (2, 3))
        """
        if len(data) == 1 and isinstance(data[0], TensorBase):
            prepare(self, data[0].array, data[0].device)
            self.version = data[0].version
        else:
            place = CPU if device is None else as_device(device)
            prepare(self, constructed("Tensor", get_default_dtype(), data, place), place)

    __array_priority__ = 1000  # NumPy's numbers and arrays leave mixed operators to ours

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the elements, NumPy's."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self.array.ndim

    @property
    def requires_grad(self) -> bool:
        """Whether gradients of self are wanted: asked for, or needed by what self was computed from."""
        if self._view is not None:
            refresh(self)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        """Whether self is not the result of a recorded op."""
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that self is a result of; None for a leaf."""
        if self._view is not None:
            refresh(self)
        return self.node

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` self is."""
        return self.slot

    @property
    def grad(self) -> Any:
        """The accumulated gradient of a leaf (or of any tensor after `retain_grad()`); None before a backward pass."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise DTypeError(f"grad: must be a tensor or None, got {type(value).__name__}")
            if value.shape != self.shape or value.dtype != self.dtype:
                raise ArgumentError(
                    f"grad: must match its tensor, {self.dtype}{list(self.shape)}, got {value.dtype}{list(value.shape)}"
                )
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same memory without graph and without version counting; prefer `detach()`.

        Assigning other memory is not counted as a change either, unless it is laid out differently: what a backward
        pass has saved would then no longer be what its kernels expect.
        """
        return wrap(self.array, self.device)

    @data.setter
    def data(self, value: Tensor) -> None:
        old, new = self.array, value.array
        self.array = new
        if (new.shape, new.dtype, new.strides) != (old.shape, old.dtype, old.strides):
            self.mark_changed("data")

    @property
    def _base(self) -> TensorBase | None:
        return None if self._view is None else self.root

    @property
    def _version(self) -> int:
        return 0 if self.version is None else self.version[0]

    @property
    def is_cuda(self) -> bool:
        """Whether self lies on a GPU."""
        return False

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of dimension `dim`."""
        if dim is None:
            return self.array.shape
        if not -self.array.ndim <= dim < self.array.ndim:
            raise IndexOutOfRangeError(f"size: dim {dim} is out of range for shape {list(self.array.shape)}")
        return self.array.shape[dim]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self.array.ndim

    def numel(self) -> int:
        """How many elements there are."""
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Elements between neighbours in each dimension, or in dimension `dim`."""
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self) -> bool:
        """Whether elements lie in memory in row-major order without gaps."""
        return self.array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether the dtype is float32 or float64."""
        return self.array.dtype.kind == "f"

    def is_inference(self) -> bool:
        """Whether self was made in inference mode, and so can never be saved for backward."""
        return self.version is None

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self.array.__array_interface__["data"][0])

    # Graph

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Adds d self / d leaf, weighted by `gradient`, to each leaf's `.grad`; see `autograd.backward`.

        >>> import autograd_cnn as ag
        >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward(ag.tensor([1.0, 10.0]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        engine.backward(self, gradient, retain_graph, create_graph, inputs)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Asks for gradients, or no longer, of a leaf; returns self.

        Raises GraphError for the result of an op, and for integers and bools.
        """
        if self.node is not None and not requires_grad:
            raise GraphError(
                "requires_grad_: only a leaf can stop requiring grad, this is the result of "
                f"{self.node.op.name}; use detach() for a tensor without the graph"
            )
        if requires_grad and self.version is None and not is_inference_mode_enabled():
            raise GraphError("requires_grad_: the tensor was made in inference_mode; clone it outside of it first")
        if requires_grad and self.array.dtype.kind != "f":
            raise GraphError(f"requires_grad_: only floating point tensors have gradients, got {self.array.dtype}")
        self._requires_grad = bool(requires_grad)
        return self

    def detach(self) -> Tensor:
        """The same memory, outside of the graph."""
        return detach_from_graph(self)

    def detach_(self) -> Tensor:
        """Takes self out of the graph; returns self."""
        self.node, self.slot, self._requires_grad = None, 0, False
        return self

    def retain_grad(self) -> None:
        """Keeps `.grad` of the result of an op, too."""
        retain_grad(self)

    @property
    def retains_grad(self) -> bool:
        """Whether the result of an op keeps its `.grad`, as `retain_grad()` asks."""
        return retains_grad(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls `hook(grad)` whenever the gradient of self is complete; what it returns, if anything, replaces it.

        >>> import autograd_cnn as ag
        >>> x = ag.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        return add_hook(self, hook)

    # Values

    def item(self) -> bool | int | float:
        """The number of a tensor with one element."""
        if self.array.size != 1:
            raise ArgumentError(f"item: needs a tensor with one element, got shape {list(self.shape)}")
        return self.device.to_host(self.array).item()

    def tolist(self) -> Any:
        """The elements as Python numbers, in nested lists; the number itself for zero dimensions."""
        return self.device.to_host(self.array).tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array itself, sharing memory; raises GraphError where self requires grad, unless `force`."""
        if self._requires_grad and not force:
            raise GraphError("numpy: this tensor requires grad; use tensor.detach().numpy()")
        return self.device.to_host(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __len__(self) -> int:
        if not self.array.ndim:
            raise DTypeError("len: a zero-dimensional tensor has no length")
        return self.array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise DTypeError("iteration over a zero-dimensional tensor")
        return iter(split.unbind(self, 0))

    def __reversed__(self) -> Tensor:
        return flip.flip(self, 0) if self.array.ndim else self

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ArgumentError(
                f"bool: the truth of a tensor with {self.array.size} elements is ambiguous; use any() or all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind == "f":
            raise DTypeError(f"index: only integer tensors of one element can be an index, got {self.array.dtype}")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        if not self.array.ndim:
            return format(self.item(), spec)
        if spec:
            raise DTypeError(
                f"format: only zero-dimensional tensors take a format such as {spec!r}, got {self.ndim} dims"
            )
        return repr(self)

    def __repr__(self) -> str:
        suffixes = []
        if self.node is not None:
            suffixes.append(f"grad_fn=<{self.node.name()}>")
        elif self._requires_grad:
            suffixes.append("requires_grad=True")
        return tensor_repr(self.device.to_host(self.array), get_default_dtype(), suffixes)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise GraphError("deepcopy: only leaves can be copied, this is the result of " + self.node.op.name)
        twin = type(self).__new__(type(self))
        prepare(twin, self.array.copy(), self.device)
        twin.__dict__.update({name: value for name, value in self.__dict__.items() if name != "hooks"})
        twin._requires_grad = self._requires_grad
        if self._grad is not None:
            twin._grad = deepcopy(self._grad, memo)
        memo[id(self)] = twin
        return twin


TensorBase.blank = MethodType(object.__new__, Tensor)  # past `__init__`, which only users call
