"""Tensor: the user's array.  Operators and methods, each a call into `ops`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_cnn.device import CPU, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import CATEGORY, as_dtype, bool_, float32, float64, get_default_dtype, int32, int64, uint8
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, IndexOutOfRangeError, InPlaceError
from autograd_cnn.formatting import tensor_repr
from autograd_cnn.graph import engine
from autograd_cnn.graph.base import TensorBase, prepare, wrap
from autograd_cnn.graph.grad_mode import is_inference_mode_enabled
from autograd_cnn.graph.handle import RemovableHandle, add_hook, retain_grad, retains_grad
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.op import Op
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
)
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops import shape as shaping
from autograd_cnn.ops import softmax as softmaxes
from autograd_cnn.ops.operand import OPERANDS, promoted
from autograd_cnn.ops.size import as_size, new_size


def _in_place(op: Op) -> Callable[[Any], Any]:
    """The method that writes an op's result into its tensor."""

    def method(self: Any) -> Any:
        return apply_inplace(op, self)

    method.__name__ = f"{op.name}_"
    method.__doc__ = f"`{op.name}` in place."
    return method


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
        return iter(join.unbind(self, 0))

    def __reversed__(self) -> Tensor:
        return shaping.flip(self, 0) if self.array.ndim else self

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
            twin._grad = self._grad.__deepcopy__(memo)
        memo[id(self)] = twin
        return twin

    # Conversion

    def to(self, *target: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Tensor:
        """Self in another dtype or on another device; self where nothing changes, unless `copy`."""
        dtype, device = conversion(target, dtype, device)
        if device is not None:
            as_device(device)
        result = self if dtype is None else cast.cast(self, as_dtype(dtype, "to"))
        return cast.clone(result) if copy and result is self else result

    def type(self, dtype: Any = None) -> Any:
        """The name of the dtype, or self in another one."""
        return str(self.dtype) if dtype is None else self.to(as_dtype(dtype, "type"))

    def type_as(self, other: Tensor) -> Tensor:
        """Self in the dtype of `other`."""
        return self.to(other.dtype)

    def float(self) -> Tensor:
        """Self in float32."""
        return cast.cast(self, float32)

    def double(self) -> Tensor:
        """Self in float64."""
        return cast.cast(self, float64)

    def long(self) -> Tensor:
        """Self in int64."""
        return cast.cast(self, int64)

    def int(self) -> Tensor:
        """Self in int32."""
        return cast.cast(self, int32)

    def bool(self) -> Tensor:
        """Where self is not 0."""
        return cast.cast(self, bool_)

    def byte(self) -> Tensor:
        """Self in uint8."""
        return cast.cast(self, uint8)

    def cpu(self) -> Tensor:
        """Self on the CPU."""
        return self.to(CPU)

    clone = cast.clone

    def contiguous(self) -> Tensor:
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
            new_size("new_full", (size,)), self.dtype if dtype is None else as_dtype(dtype, "new_full")
        )
        self.device.kernels.fill(array, fill_value)
        return wrap(array, self.device)

    def new_tensor(self, data: Any, *, dtype: Any = None) -> Any:
        """A tensor with a copy of `data`, in self's dtype and on its device unless told."""
        return wrap(np.array(data, dtype=self.dtype if dtype is None else as_dtype(dtype, "new_tensor")), self.device)

    # Change in place

    def _change(self, op: Any, *others: Any) -> Tensor:
        x, *others = promoted(op.name, self, *others)
        if x is self:
            return apply_inplace(op, self, *others)
        self._fits(op.name, x.dtype)
        return assign.copy_(self, apply(op, x, *others))

    def _become(self, result: Tensor, op: str) -> Tensor:
        self._fits(op, result.dtype)
        return assign.copy_(self, result)

    def _fits(self, op: str, dtype: np.dtype) -> None:
        if CATEGORY[dtype] > CATEGORY[self.dtype]:
            raise InPlaceError(f"{op} in place: a result of dtype {dtype} cannot be cast to x's {self.dtype}")

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Self becomes self + alpha * other."""
        return self._change(arithmetic.ADD, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Self becomes self - alpha * other."""
        return self._change(arithmetic.SUB, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Tensor:
        """Self becomes self * other."""
        return self._change(arithmetic.MUL, other)

    def div_(self, other: Any) -> Tensor:
        """Self becomes self / other."""
        return self._change(arithmetic.DIV, other)

    def pow_(self, other: Any) -> Tensor:
        """Self becomes self ** other."""
        return self._change(arithmetic.POW, other)

    def copy_(self, source: Any) -> Tensor:
        """Self becomes `source`, broadcast and cast; gradients flow to `source`."""
        return assign.copy_(self, source)

    def zero_(self) -> Tensor:
        """Self becomes zeros."""
        return self.fill_(0)

    fill_ = assign.fill_
    masked_fill_ = indexing.masked_fill_
    scatter_add_ = gathering.scatter_add_
    exp_ = _in_place(elementwise.EXP)
    log_ = _in_place(elementwise.LOG)
    sqrt_ = _in_place(elementwise.SQRT)
    tanh_ = _in_place(elementwise.TANH)
    sigmoid_ = _in_place(elementwise.SIGMOID)
    neg_ = _in_place(elementwise.NEG)
    abs_ = _in_place(elementwise.ABS)
    floor_ = _in_place(rounding.FLOOR)
    ceil_ = _in_place(rounding.CEIL)
    round_ = _in_place(rounding.ROUND)
    trunc_ = _in_place(rounding.TRUNC)
    relu_ = _in_place(activation.RELU)
    clamp_ = rounding.clamp_

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.setitem(self, key, value)

    __getitem__ = indexing.getitem

    # Operators

    __add__ = arithmetic.add

    def __radd__(self, other: Any) -> Tensor:
        return arithmetic.add(other, self)

    __sub__ = arithmetic.sub

    def __rsub__(self, other: Any) -> Tensor:
        return arithmetic.sub(other, self)

    __mul__ = arithmetic.mul

    def __rmul__(self, other: Any) -> Tensor:
        return arithmetic.mul(other, self)

    __truediv__ = arithmetic.div

    def __rtruediv__(self, other: Any) -> Tensor:
        return arithmetic.div(other, self)

    __pow__ = arithmetic.pow

    def __rpow__(self, other: Any) -> Tensor:
        return arithmetic.pow(other, self)

    __floordiv__ = arithmetic.floor_divide

    def __rfloordiv__(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(other, self)

    __mod__ = arithmetic.remainder

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

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._become(arithmetic.floor_divide(self, other), "floor_divide")

    def __imod__(self, other: Any) -> Tensor:
        return self._become(arithmetic.remainder(self, other), "remainder")

    def __iand__(self, other: Any) -> Tensor:
        return self._become(comparison.bitwise_and(self, other), "bitwise_and")

    def __ior__(self, other: Any) -> Tensor:
        return self._become(comparison.bitwise_or(self, other), "bitwise_or")

    def __ixor__(self, other: Any) -> Tensor:
        return self._become(comparison.bitwise_xor(self, other), "bitwise_xor")

    def __eq__(self, other: Any) -> Any:
        return comparison.eq(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return comparison.ne(self, other) if isinstance(other, OPERANDS) else NotImplemented

    __lt__ = comparison.lt
    __le__ = comparison.le
    __gt__ = comparison.gt
    __ge__ = comparison.ge
    __hash__ = TensorBase.__hash__

    __and__ = comparison.bitwise_and
    __or__ = comparison.bitwise_or
    __xor__ = comparison.bitwise_xor

    def __rand__(self, other: Any) -> Tensor:
        return comparison.bitwise_and(self, other)

    def __ror__(self, other: Any) -> Tensor:
        return comparison.bitwise_or(self, other)

    def __rxor__(self, other: Any) -> Tensor:
        return comparison.bitwise_xor(self, other)

    __invert__ = comparison.bitwise_not
    __neg__ = elementwise.neg

    def __pos__(self) -> Tensor:
        return self

    __abs__ = elementwise.abs
    __matmul__ = linear.matmul

    # Functions as methods

    add = arithmetic.add
    sub = arithmetic.sub
    mul = arithmetic.mul
    div = arithmetic.div
    pow = arithmetic.pow
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    remainder = arithmetic.remainder
    floor_divide = arithmetic.floor_divide
    eq = comparison.eq
    ne = comparison.ne
    lt = comparison.lt
    le = comparison.le
    gt = comparison.gt
    ge = comparison.ge
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """Self where `condition` holds, else `other`."""
        return arithmetic.where(condition, self, other)

    clamp = rounding.clamp
    clip = clamp

    exp = elementwise.exp
    expm1 = elementwise.expm1
    log = elementwise.log
    log1p = elementwise.log1p
    sqrt = elementwise.sqrt
    rsqrt = elementwise.rsqrt
    reciprocal = elementwise.reciprocal
    sin = elementwise.sin
    cos = elementwise.cos
    tan = elementwise.tan
    tanh = elementwise.tanh
    sigmoid = elementwise.sigmoid
    erf = elementwise.erf
    neg = elementwise.neg
    abs = elementwise.abs
    sign = rounding.sign
    square = elementwise.square
    floor = rounding.floor
    ceil = rounding.ceil
    round = rounding.round
    trunc = rounding.trunc
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    logical_not = comparison.logical_not

    def relu(self) -> Tensor:
        """max(self, 0)."""
        return activation.relu(self)

    softmax = softmaxes.softmax
    log_softmax = softmaxes.log_softmax
    sum = reduce.sum
    mean = reduce.mean
    prod = reduce.prod
    amax = extreme.amax
    amin = extreme.amin
    argmax = extreme.argmax
    argmin = extreme.argmin
    all = reduce.all
    any = reduce.any
    max = extreme.max
    min = extreme.min
    norm = reduce.norm
    var = reduce.var
    std = reduce.std
    logsumexp = reduce.logsumexp
    cumsum = scan.cumsum
    cumprod = scan.cumprod
    sum_to_size = reduce.sum_to_size
    reshape = shaping.reshape
    view = shaping.view

    def view_as(self, other: Tensor) -> Tensor:
        """The elements of self in the shape of `other`, in the same memory."""
        return shaping.view(self, other.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        """The elements of self in the shape of `other`, a view where possible."""
        return shaping.reshape(self, other.shape)

    flatten = shaping.flatten

    def ravel(self) -> Tensor:
        """The elements of self in one dimension, a view where possible."""
        return shaping.reshape(self, -1)

    unflatten = shaping.unflatten
    permute = shaping.permute
    transpose = shaping.transpose
    t = shaping.t

    @property
    def T(self) -> Tensor:
        """A view with all dimensions in reverse order."""
        return shaping.permute(self, *range(self.ndim - 1, -1, -1))

    @property
    def mT(self) -> Tensor:
        """A view with the last two dimensions swapped."""
        return shaping.transpose(self, -2, -1)

    expand = shaping.expand

    def expand_as(self, other: Tensor) -> Tensor:
        """A view of self repeated to the shape of `other`."""
        return shaping.expand(self, other.shape)

    def broadcast_to(self, size: Any) -> Tensor:
        """A view of self repeated to `size`."""
        return shaping.expand(self, size)

    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        """Views of parts of `dim`, see `split`."""
        return join.split(self, split_size, dim)

    chunk = join.chunk
    unbind = join.unbind
    narrow = shaping.narrow
    select = shaping.select
    flip = shaping.flip
    movedim = shaping.movedim
    roll = join.roll
    tile = shaping.tile
    take_along_dim = gathering.take_along_dim
    index_put_ = indexing.index_put_
    repeat = shaping.repeat
    gather = gathering.gather
    scatter_add = gathering.scatter_add
    index_select = indexing.index_select
    masked_fill = indexing.masked_fill
    masked_select = indexing.masked_select
    matmul = linear.matmul
    mm = linear.mm
    bmm = linear.bmm
    mv = linear.mv
    outer = linear.outer
    addmm = linear.addmm
    dot = linear.dot


def conversion(target: tuple[Any, ...], dtype: Any, device: Any) -> tuple[Any, Any]:
    """The dtype and the device that `to(*target)` asks for: by a tensor that has them, or by themselves."""
    for t in target:
        if isinstance(t, Tensor):
            dtype, device = t.dtype, t.device
        elif isinstance(t, Device | str):
            device = t
        else:
            dtype = t
    return dtype, device


TensorBase.result_class = Tensor
