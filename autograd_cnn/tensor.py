"""Tensor: the user's array.  Operators and methods, each a call into `ops`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import CATEGORY, as_dtype, bool_, float32, float64, get_default_dtype, int32, int64, uint8
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, InPlaceError
from autograd_cnn.formatting import tensor_repr
from autograd_cnn.graph import engine
from autograd_cnn.graph.base import TensorBase, prepare, wrap
from autograd_cnn.graph.handle import RemovableHandle, add_hook, retain_grad, retains_grad
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.record import apply, apply_inplace, refresh
from autograd_cnn.graph.record import detach as detach_from_graph
from autograd_cnn.ops import (
    activation,
    arithmetic,
    assign,
    cast,
    comparison,
    elementwise,
    extreme,
    join,
    linear,
    reduce,
    rounding,
    scan,
    shape,
    softmax,
)
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops.operand import promoted


class Tensor(TensorBase):
    """An array of one dtype that remembers how it was computed.

    Make one with `tensor`, `zeros`, `randn` and their like; an op on tensors gives a tensor.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x ** 2).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __array_priority__ = 1000  # NumPy's numbers and arrays leave mixed operators to ours

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def requires_grad(self) -> bool:
        if self._view is not None:
            refresh(self)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        if self._view is not None:
            refresh(self)
        return self.node

    @property
    def output_nr(self) -> int:
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
        """The same memory without graph and without version counting; prefer `detach()`."""
        return wrap(self.array, self.device)  # type: ignore[return-value]

    @data.setter
    def data(self, value: Tensor) -> None:
        self.array = value.array

    @property
    def _base(self) -> TensorBase | None:
        return None if self._view is None else self._view.base

    @property
    def _version(self) -> int:
        return 0 if self.version is None else self.version[0]

    @property
    def is_cuda(self) -> bool:
        return False

    def size(self, dim: int | None = None) -> Any:
        return self.array.shape if dim is None else self.array.shape[dim]

    def dim(self) -> int:
        return self.array.ndim

    def numel(self) -> int:
        return self.array.size

    def nelement(self) -> int:
        return self.array.size

    def element_size(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self) -> bool:
        return self.array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def is_inference(self) -> bool:
        return self.version is None

    def data_ptr(self) -> int:
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
        if requires_grad and self.array.dtype.kind != "f":
            raise GraphError(f"requires_grad_: only floating point tensors have gradients, got {self.array.dtype}")
        self._requires_grad = bool(requires_grad)
        return self

    def detach(self) -> Tensor:
        """The same memory, outside of the graph."""
        return detach_from_graph(self)

    def detach_(self) -> Tensor:
        self.node, self.slot, self._requires_grad = None, 0, False
        return self

    def retain_grad(self) -> None:
        """Keeps `.grad` of the result of an op, too."""
        retain_grad(self)

    @property
    def retains_grad(self) -> bool:
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
        return iter(join.unbind(self, 0))

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
        return format(self.item(), spec) if spec and self.array.ndim == 0 else format(repr(self), spec)

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
            twin._grad = self._grad.__deepcopy__(memo)
        memo[id(self)] = twin
        return twin

    # Conversion

    def to(self, *target: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Tensor:
        """Self in another dtype or on another device; self where nothing changes, unless `copy`."""
        for t in target:
            if isinstance(t, Tensor):
                dtype, device = t.dtype, t.device
            elif isinstance(t, Device | str):
                device = t
            else:
                dtype = t
        if device is not None:
            as_device(device)
        result = self if dtype is None else cast.cast(self, as_dtype(dtype, "to"))
        return cast.clone(result) if copy and result is self else result

    def type(self, dtype: Any = None) -> Any:
        return str(self.dtype) if dtype is None else self.to(as_dtype(dtype, "type"))

    def type_as(self, other: Tensor) -> Tensor:
        return self.to(other.dtype)

    def float(self) -> Tensor:
        return cast.cast(self, float32)

    def double(self) -> Tensor:
        return cast.cast(self, float64)

    def long(self) -> Tensor:
        return cast.cast(self, int64)

    def int(self) -> Tensor:
        return cast.cast(self, int32)

    def bool(self) -> Tensor:
        return cast.cast(self, bool_)

    def byte(self) -> Tensor:
        return cast.cast(self, uint8)

    def cpu(self) -> Tensor:
        return self.to(CPU)

    def clone(self) -> Tensor:
        return cast.clone(self)

    def contiguous(self) -> Tensor:
        return self if self.array.flags.c_contiguous else cast.clone(self)

    def new_zeros(self, *size: Any, dtype: Any = None) -> Any:
        return self.new_full(_size(size), 0, dtype=dtype)

    def new_ones(self, *size: Any, dtype: Any = None) -> Any:
        return self.new_full(_size(size), 1, dtype=dtype)

    def new_full(self, size: Sequence[Any], fill_value: Any, *, dtype: Any = None) -> Any:
        array = self.device.empty(tuple(size), self.dtype if dtype is None else as_dtype(dtype, "new_full"))
        self.device.kernels.fill(array, fill_value)
        return wrap(array, self.device)

    def new_tensor(self, data: Any, *, dtype: Any = None) -> Any:
        return wrap(np.array(data, dtype=self.dtype if dtype is None else as_dtype(dtype, "new_tensor")), self.device)

    # Change in place

    def _change(self, op: Any, *others: Any) -> Tensor:
        x, *others = promoted(op.name, self, *others)
        if x is self:
            return apply_inplace(op, self, *others)
        if CATEGORY[x.dtype] > CATEGORY[self.dtype]:
            raise InPlaceError(f"{op.name} in place: a result of dtype {x.dtype} cannot be cast to x's {self.dtype}")
        return assign.copy_(self, apply(op, x, *others))

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        return self._change(arithmetic.ADD, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        return self._change(arithmetic.SUB, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Tensor:
        return self._change(arithmetic.MUL, other)

    def div_(self, other: Any) -> Tensor:
        return self._change(arithmetic.DIV, other)

    def pow_(self, other: Any) -> Tensor:
        return self._change(arithmetic.POW, other)

    def copy_(self, source: Any) -> Tensor:
        """Self becomes `source`, broadcast and cast; gradients flow to `source`."""
        return assign.copy_(self, source)

    def zero_(self) -> Tensor:
        return self.fill_(0)

    def fill_(self, value: Any) -> Tensor:
        return assign.fill_(self, value)

    def masked_fill_(self, mask: Tensor, value: Any) -> Tensor:
        return indexing.masked_fill_(self, mask, value)

    def scatter_add_(self, dim: Any, index: Tensor, src: Tensor) -> Tensor:
        return gathering.scatter_add_(self, dim, index, src)

    def exp_(self) -> Tensor:
        return apply_inplace(elementwise.EXP, self)

    def log_(self) -> Tensor:
        return apply_inplace(elementwise.LOG, self)

    def sqrt_(self) -> Tensor:
        return apply_inplace(elementwise.SQRT, self)

    def tanh_(self) -> Tensor:
        return apply_inplace(elementwise.TANH, self)

    def sigmoid_(self) -> Tensor:
        return apply_inplace(elementwise.SIGMOID, self)

    def neg_(self) -> Tensor:
        return apply_inplace(elementwise.NEG, self)

    def abs_(self) -> Tensor:
        return apply_inplace(elementwise.ABS, self)

    def floor_(self) -> Tensor:
        return apply_inplace(rounding.FLOOR, self)

    def ceil_(self) -> Tensor:
        return apply_inplace(rounding.CEIL, self)

    def round_(self) -> Tensor:
        return apply_inplace(rounding.ROUND, self)

    def trunc_(self) -> Tensor:
        return apply_inplace(rounding.TRUNC, self)

    def relu_(self) -> Tensor:
        return apply_inplace(activation.RELU, self)

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        return rounding.clamp_(self, min, max)

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.setitem(self, key, value)

    def __getitem__(self, key: Any) -> Tensor:
        return indexing.getitem(self, key)

    # Operators

    def __add__(self, other: Any) -> Tensor:
        return arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return arithmetic.sub(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return arithmetic.sub(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return arithmetic.mul(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return arithmetic.mul(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return arithmetic.div(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return arithmetic.div(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return arithmetic.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return arithmetic.pow(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(other, self)

    def __iadd__(self, other: Any) -> Tensor:
        return self.add_(other)

    def __isub__(self, other: Any) -> Tensor:
        return self.sub_(other)

    def __imul__(self, other: Any) -> Tensor:
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self.div_(other)

    def __ipow__(self, other: Any) -> Tensor:
        return self.pow_(other)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return comparison.eq(self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return comparison.ne(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return comparison.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return comparison.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return comparison.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return comparison.ge(self, other)

    __hash__ = TensorBase.__hash__

    def __and__(self, other: Any) -> Tensor:
        return comparison.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return comparison.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return comparison.bitwise_xor(self, other)

    def __invert__(self) -> Tensor:
        return comparison.bitwise_not(self)

    def __neg__(self) -> Tensor:
        return elementwise.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return elementwise.abs(self)

    def __matmul__(self, other: Any) -> Tensor:
        return linear.matmul(self, other)

    # Functions as methods

    def add(self, other: Any, **options: Any) -> Tensor:
        return arithmetic.add(self, other, **options)

    def sub(self, other: Any, **options: Any) -> Tensor:
        return arithmetic.sub(self, other, **options)

    def mul(self, other: Any) -> Tensor:
        return arithmetic.mul(self, other)

    def div(self, other: Any, **options: Any) -> Tensor:
        return arithmetic.div(self, other, **options)

    def pow(self, other: Any) -> Tensor:
        return arithmetic.pow(self, other)

    def maximum(self, other: Any) -> Tensor:
        return arithmetic.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        return arithmetic.minimum(self, other)

    def remainder(self, other: Any) -> Tensor:
        return arithmetic.remainder(self, other)

    def floor_divide(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(self, other)

    def eq(self, other: Any) -> Tensor:
        return comparison.eq(self, other)

    def ne(self, other: Any) -> Tensor:
        return comparison.ne(self, other)

    def lt(self, other: Any) -> Tensor:
        return comparison.lt(self, other)

    def le(self, other: Any) -> Tensor:
        return comparison.le(self, other)

    def gt(self, other: Any) -> Tensor:
        return comparison.gt(self, other)

    def ge(self, other: Any) -> Tensor:
        return comparison.ge(self, other)

    def logical_and(self, other: Any) -> Tensor:
        return comparison.logical_and(self, other)

    def logical_or(self, other: Any) -> Tensor:
        return comparison.logical_or(self, other)

    def logical_xor(self, other: Any) -> Tensor:
        return comparison.logical_xor(self, other)

    def where(self, condition: Tensor, other: Any) -> Tensor:
        return arithmetic.where(condition, self, other)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        return rounding.clamp(self, min, max)

    clip = clamp

    def exp(self) -> Tensor:
        return elementwise.exp(self)

    def expm1(self) -> Tensor:
        return elementwise.expm1(self)

    def log(self) -> Tensor:
        return elementwise.log(self)

    def log1p(self) -> Tensor:
        return elementwise.log1p(self)

    def sqrt(self) -> Tensor:
        return elementwise.sqrt(self)

    def rsqrt(self) -> Tensor:
        return elementwise.rsqrt(self)

    def reciprocal(self) -> Tensor:
        return elementwise.reciprocal(self)

    def sin(self) -> Tensor:
        return elementwise.sin(self)

    def cos(self) -> Tensor:
        return elementwise.cos(self)

    def tan(self) -> Tensor:
        return elementwise.tan(self)

    def tanh(self) -> Tensor:
        return elementwise.tanh(self)

    def sigmoid(self) -> Tensor:
        return elementwise.sigmoid(self)

    def erf(self) -> Tensor:
        return elementwise.erf(self)

    def neg(self) -> Tensor:
        return elementwise.neg(self)

    def abs(self) -> Tensor:
        return elementwise.abs(self)

    def sign(self) -> Tensor:
        return rounding.sign(self)

    def square(self) -> Tensor:
        return elementwise.square(self)

    def floor(self) -> Tensor:
        return rounding.floor(self)

    def ceil(self) -> Tensor:
        return rounding.ceil(self)

    def round(self) -> Tensor:
        return rounding.round(self)

    def trunc(self) -> Tensor:
        return rounding.trunc(self)

    def isnan(self) -> Tensor:
        return comparison.isnan(self)

    def isinf(self) -> Tensor:
        return comparison.isinf(self)

    def isfinite(self) -> Tensor:
        return comparison.isfinite(self)

    def logical_not(self) -> Tensor:
        return comparison.logical_not(self)

    def relu(self) -> Tensor:
        return activation.relu(self)

    def softmax(self, dim: Any, dtype: Any = None) -> Tensor:
        return softmax.softmax(self, dim, dtype)

    def log_softmax(self, dim: Any, dtype: Any = None) -> Tensor:
        return softmax.log_softmax(self, dim, dtype)

    def sum(self, dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return reduce.sum(self, dim, keepdim, dtype=dtype)

    def mean(self, dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return reduce.mean(self, dim, keepdim, dtype=dtype)

    def prod(self, dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return reduce.prod(self, dim, keepdim, dtype=dtype)

    def amax(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return extreme.amax(self, dim, keepdim)

    def amin(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return extreme.amin(self, dim, keepdim)

    def argmax(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return extreme.argmax(self, dim, keepdim)

    def argmin(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return extreme.argmin(self, dim, keepdim)

    def all(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return reduce.all(self, dim, keepdim)

    def any(self, dim: Any = None, keepdim: Any = False) -> Tensor:
        return reduce.any(self, dim, keepdim)

    def max(self, dim: Any = None, keepdim: Any = False) -> Any:
        return extreme.max(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: Any = False) -> Any:
        return extreme.min(self, dim, keepdim)

    def norm(self, p: Any = "fro", dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return reduce.norm(self, p, dim, keepdim, dtype=dtype)

    def var(self, *args: Any, **options: Any) -> Tensor:
        return reduce.var(self, *args, **options)

    def std(self, *args: Any, **options: Any) -> Tensor:
        return reduce.std(self, *args, **options)

    def logsumexp(self, dim: Any, keepdim: Any = False) -> Tensor:
        return reduce.logsumexp(self, dim, keepdim)

    def cumsum(self, dim: Any, *, dtype: Any = None) -> Tensor:
        return scan.cumsum(self, dim, dtype=dtype)

    def cumprod(self, dim: Any, *, dtype: Any = None) -> Tensor:
        return scan.cumprod(self, dim, dtype=dtype)

    def sum_to_size(self, *size: Any) -> Tensor:
        return reduce.sum_to_size(self, *size)

    def reshape(self, *size: Any) -> Tensor:
        return shape.reshape(self, *size)

    def view(self, *size: Any) -> Tensor:
        return shape.view(self, *size)

    def view_as(self, other: Tensor) -> Tensor:
        return shape.view(self, other.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        return shape.reshape(self, other.shape)

    def flatten(self, start_dim: Any = 0, end_dim: Any = -1) -> Tensor:
        return shape.flatten(self, start_dim, end_dim)

    def ravel(self) -> Tensor:
        return shape.reshape(self, -1)

    def unflatten(self, dim: Any, sizes: Sequence[Any]) -> Tensor:
        return shape.unflatten(self, dim, sizes)

    def permute(self, *dims: Any) -> Tensor:
        return shape.permute(self, *dims)

    def transpose(self, dim0: Any, dim1: Any) -> Tensor:
        return shape.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        return shape.t(self)

    @property
    def T(self) -> Tensor:
        return shape.permute(self, *range(self.ndim - 1, -1, -1))

    @property
    def mT(self) -> Tensor:
        return shape.transpose(self, -2, -1)

    def expand(self, *size: Any) -> Tensor:
        return shape.expand(self, *size)

    def expand_as(self, other: Tensor) -> Tensor:
        return shape.expand(self, other.shape)

    def broadcast_to(self, size: Any) -> Tensor:
        return shape.expand(self, size)

    def squeeze(self, dim: Any = None) -> Tensor:
        return shape.squeeze(self, dim)

    def unsqueeze(self, dim: Any) -> Tensor:
        return shape.unsqueeze(self, dim)

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        return join.split(self, split_size, dim)

    def chunk(self, chunks: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        return join.chunk(self, chunks, dim)

    def unbind(self, dim: Any = 0) -> tuple[Tensor, ...]:
        return join.unbind(self, dim)

    def narrow(self, dim: Any, start: Any, length: Any) -> Tensor:
        return shape.narrow(self, dim, start, length)

    def select(self, dim: Any, index: Any) -> Tensor:
        return shape.select(self, dim, index)

    def flip(self, *dims: Any) -> Tensor:
        return shape.flip(self, *dims)

    def movedim(self, source: Any, destination: Any) -> Tensor:
        return shape.movedim(self, source, destination)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        return join.roll(self, shifts, dims)

    def tile(self, *dims: Any) -> Tensor:
        return shape.tile(self, *dims)

    def take_along_dim(self, indices: Tensor, dim: Any = None) -> Tensor:
        return gathering.take_along_dim(self, indices, dim)

    def index_put_(self, indices: tuple[Any, ...], values: Any, accumulate: Any = False) -> Tensor:
        return indexing.index_put_(self, indices, values, accumulate)

    def repeat(self, *sizes: Any) -> Tensor:
        return shape.repeat(self, *sizes)

    def gather(self, dim: Any, index: Tensor) -> Tensor:
        return gathering.gather(self, dim, index)

    def scatter_add(self, dim: Any, index: Tensor, src: Tensor) -> Tensor:
        return gathering.scatter_add(self, dim, index, src)

    def index_select(self, dim: Any, index: Tensor) -> Tensor:
        return indexing.index_select(self, dim, index)

    def masked_fill(self, mask: Tensor, value: Any) -> Tensor:
        return indexing.masked_fill(self, mask, value)

    def masked_select(self, mask: Tensor) -> Tensor:
        return indexing.masked_select(self, mask)

    def matmul(self, other: Tensor) -> Tensor:
        return linear.matmul(self, other)

    def mm(self, mat2: Tensor) -> Tensor:
        return linear.mm(self, mat2)

    def bmm(self, mat2: Tensor) -> Tensor:
        return linear.bmm(self, mat2)

    def mv(self, vec: Tensor) -> Tensor:
        return linear.mv(self, vec)

    def outer(self, vec2: Tensor) -> Tensor:
        return linear.outer(self, vec2)

    def addmm(self, mat1: Tensor, mat2: Tensor, **options: Any) -> Tensor:
        return linear.addmm(self, mat1, mat2, **options)

    def dot(self, other: Tensor) -> Tensor:
        return linear.dot(self, other)


def _size(size: tuple[Any, ...]) -> tuple[int, ...]:
    """A size given as numbers or as one sequence."""
    if len(size) == 1 and not isinstance(size[0], int | np.integer):
        size = tuple(size[0])
    return tuple(int(n) for n in size)


TensorBase.result_class = Tensor
