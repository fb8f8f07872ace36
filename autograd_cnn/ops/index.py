"""Indexing: x[key] and x[key] = value for every key that NumPy takes, index_select, and masks."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import CATEGORY, bool_
from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.assign import copy_, require_kind, require_number
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.key import ALL, Arrays, parse
from autograd_cnn.ops.operand import Scalar, broadcast, constant, first_outside, require_integer
from autograd_cnn.ops.shape import permute, reshape
from autograd_cnn.ops.slice import Slice

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Positions(Op, abstract=True):
    """Dimensions [first, first + count) of x seen as one, which int64 `positions` of any shape index."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.count = count

    def indexed(self, shape: tuple[int, ...], positions: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what `positions` selects of `shape`."""
        return (*shape[: self.first], *positions, *shape[self.first + self.count :])

    def lines(self, x: Any, shape: tuple[int, ...], count: int) -> Any:
        """x as (outer, all positions, inner), where `shape` has `count` dimensions that are indexed."""
        end = self.first + count
        return x.reshape(prod(shape[: self.first]), prod(shape[self.first : end]), prod(shape[end:]))

    def values(self, value: Any, shape: tuple[int, ...], positions: Any) -> Any:
        """`value`, broadcast to what `positions` selects of `shape`, as (outer, positions, inner)."""
        indexed = self.indexed(shape, positions.shape)
        return self.lines(np.broadcast_to(value, indexed), indexed, positions.ndim)

    def require_fit(self, op: str, value: Any, shape: tuple[int, ...], positions: Any) -> None:
        indexed = self.indexed(shape, positions.shape)
        if value.shape != indexed and broadcast(op, indexed, value.shape) != indexed:
            raise ShapeError(f"{op}: value {list(value.shape)} does not broadcast to input[index] {list(indexed)}")


class Take(Positions):
    """What `positions` select."""

    inputs = ("x", "positions")
    nondifferentiable = ("positions",)

    def infer(self, x: Any, positions: Any) -> Any:
        return self.indexed(x.shape, positions.shape), x.dtype

    def compute(self, k: Any, out: Any, x: Any, positions: Any) -> None:
        if self.count == x.ndim:
            k.take(x, positions, out)
        else:
            lines = self.lines(out, out.shape, positions.ndim)
            k.index_select(self.lines(x, x.shape, self.count), 1, positions, lines)

    def vjp_x(self, g: Any, positions: Any, x_shape: Any) -> Any:
        return apply(PutAdd(self.first, self.count, x_shape), g, positions)


class PutAdd(Positions):
    """Zeros of `shape` to which `values` are added at `positions`."""

    inputs = ("values", "positions")
    nondifferentiable = ("positions",)

    def __init__(self, first: int, count: int, shape: tuple[int, ...]) -> None:
        super().__init__(first, count)
        self.shape = shape

    def infer(self, values: Any, positions: Any) -> Any:
        return self.shape, values.dtype

    def compute(self, k: Any, out: Any, values: Any, positions: Any) -> None:
        k.fill(out, 0)
        if self.count == out.ndim:
            k.put_add(out, positions, values)
        else:
            lines = self.lines(values, values.shape, positions.ndim)
            k.index_add(self.lines(out, out.shape, self.count), 1, positions, lines)

    def vjp_values(self, g: Any, positions: Any) -> Any:
        return apply(Take(self.first, self.count), g, positions)


class IndexPut(Positions):
    """x with `value` at `positions`; of values for one place, the last one stays."""

    inputs = ("x", "positions", "value")
    nondifferentiable = ("positions",)

    def infer(self, x: Any, positions: Any, value: Any) -> Any:
        self.require_fit("setitem", value, x.shape, positions)
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, positions: Any, value: Any) -> None:
        k.copy(x, out)
        k.index_copy(self.lines(out, out.shape, self.count), 1, positions, self.values(value, x.shape, positions))

    def vjp_x(self, g: Any, positions: Any) -> Any:
        return apply(self, g, positions, constant("setitem", 0, g.array.dtype, g))

    def vjp_value(self, g: Any, positions: Any) -> Any:
        taken = apply(Take(self.first, self.count), g, positions)
        lost = self.overwritten(g.device.to_host(positions.array), g.array.shape)
        if not lost.any():
            return taken
        shape = (*lost.shape, *(1,) * (taken.array.ndim - self.first - lost.ndim))
        return where(wrap(g.device.from_host(lost.reshape(shape)), g.device), 0.0, taken)

    def overwritten(self, positions: Any, shape: tuple[int, ...]) -> Any:
        """Where a later value went to the same place."""
        order = np.arange(positions.size).reshape(positions.shape)
        last = np.empty(prod(shape[self.first : self.first + self.count]), np.int64)
        last[positions] = order
        return last[positions] != order


class IndexAdd(Positions):
    """x with `value` added at `positions`, as often as a position is there."""

    inputs = ("x", "positions", "value")
    nondifferentiable = ("positions",)

    def infer(self, x: Any, positions: Any, value: Any) -> Any:
        self.require_fit("index_put_", value, x.shape, positions)
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, positions: Any, value: Any) -> None:
        k.copy(x, out)
        k.index_add(self.lines(out, out.shape, self.count), 1, positions, self.values(value, x.shape, positions))

    def vjp_x(self, g: Any) -> Any:
        return g

    def vjp_value(self, g: Any, positions: Any) -> Any:
        return apply(Take(self.first, self.count), g, positions)


class MaskedFill(Op):
    """x with one value where the mask holds."""

    inputs = ("x", "mask", "value")
    nondifferentiable = ("mask",)

    def infer(self, x: Any, mask: Any, value: Any) -> Any:
        return broadcast("masked_fill", x.shape, mask.shape), x.dtype

    def compute(self, k: Any, out: Any, x: Any, mask: Any, value: Any) -> None:
        k.where(mask, value, x, out)

    def vjp_x(self, g: Any, mask: Any) -> Any:
        return where(mask, 0.0, g)

    def vjp_value(self, g: Any, mask: Any) -> Any:
        return where(mask, g, 0.0)


MASKED_FILL = MaskedFill()


def _viewed(x: Any, basic: Any) -> Any:
    """The view of a basic key; x itself where that is all of x."""
    if all(type(part) is slice and part == ALL for part in basic):
        return x
    return apply_view(Slice(basic), x)


def _positions(op: str, x: Any, arrays: Arrays) -> tuple[Any, int, int, Any]:
    """x with its indexed dimensions side by side, the first of them, their number, and one position for all.

    As in PyTorch and NumPy, where other dimensions lie between them they come first.
    """
    dims = sorted(arrays)
    if dims[-1] - dims[0] != len(dims) - 1:
        rest = [dim for dim in range(x.array.ndim) if dim not in arrays]
        x = permute(x, *dims, *rest)
        first = 0
    else:
        first = dims[0]
    broadcast(f"{op}: index arrays", *(arrays[dim].shape for dim in dims))
    positions = arrays[dims[0]]
    for i, dim in enumerate(dims[1:], first + 1):
        positions = positions * x.array.shape[i] + arrays[dim]
    return x, first, len(dims), wrap(x.device.from_host(positions), x.device)


def getitem(input: Tensor, key: Any) -> Tensor:
    """x[key]: a view for ints, slices, None and Ellipsis; a copy where arrays of ints or bools take part.

    Index arrays broadcast with each other, and their shape takes the place of the dimensions they index, or
    comes first where these do not lie side by side.  As in PyTorch, and unlike NumPy, an int beside index
    arrays is taken first and does not count as one of them.  Raises IndexOutOfRangeError for an index out of
    range or too many of them, DTypeError for what is no index, ShapeError for a mask of another shape or
    arrays that do not broadcast, ArgumentError for a slice with a negative step.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[1, 2], [3, 4], [5, 6]])
    >>> x[-1], x[:, 0], x[[0, 2], [1, 0]], x[x > 4]
    (tensor([5, 6]), tensor([1, 3, 5]), tensor([2, 5]), tensor([5, 6]))
    """
    if isinstance(key, TensorBase) and key.array.dtype == bool_ and key.array.shape == input.array.shape:
        mask: Any = key
        input, key = reshape(input, -1), reshape(mask, -1)  # one number says where each is
    basic, arrays = parse("getitem", key, input.array.shape)
    if not arrays:
        return apply_view(Slice(basic), input)
    input, first, count, positions = _positions("getitem", _viewed(input, basic), arrays)
    return apply(Take(first, count), input, positions)


def setitem(x: Any, key: Any, value: Any) -> None:
    """x[key] = value, in place: a number, or a tensor or array that broadcasts to x[key].

    Gradients flow to `value`; of values for one place the last one stays and alone has a gradient.  Raises
    what `getitem` raises, ShapeError where value does not broadcast, DTypeError for floats into integers by
    index arrays.

    >>> import autograd_cnn as ag
    >>> x = ag.zeros(2, 3)
    >>> x[0] = 1
    >>> x[:, [0, 2]] = ag.tensor([5.0, 6.0])
    >>> x
    tensor([[5., 1., 6.],
            [5., 0., 6.]])
    """
    if isinstance(value, np.ndarray | list | tuple):
        value = wrap(x.device.from_host(np.array(value, dtype=x.array.dtype)), x.device)
    single = isinstance(value, Scalar | np.number) or (isinstance(value, TensorBase) and not value.array.ndim)
    if single and isinstance(key, TensorBase) and key.array.dtype == bool_ and key.array.shape == x.array.shape != ():
        apply_inplace(MASKED_FILL, x, key, number_for("setitem", x, value))
        return
    basic, arrays = parse("setitem", key, x.array.shape)
    if not arrays:
        target = apply_view(Slice(basic), x)
        if not _same_memory(target, value):
            copy_(target, value if single else _without_leading_ones(value, target.array.ndim))
        return
    target = _viewed(x, basic)
    value = number_for("setitem", target, value)
    target, first, count, positions = _positions("setitem", target, arrays)
    ndim = target.array.ndim - count + positions.array.ndim
    apply_inplace(IndexPut(first, count), target, positions, _without_leading_ones(value, ndim))


def _same_memory(target: Any, value: Any) -> bool:
    """Whether `value` is what it would be copied to: x[0] += 1 changes x[0], and then assigns it to x[0]."""
    if not isinstance(value, TensorBase) or value.version is not target.version:
        return False
    place, other = ((a.ctypes.data, a.strides, a.shape) for a in (target.array, value.array))
    return place == other


def _without_leading_ones(value: Tensor | Number, ndim: int) -> Tensor | Number:
    """Assignment, unlike arithmetic, drops extra leading dimensions of size 1."""
    if not isinstance(value, TensorBase):
        return value
    shape = value.array.shape
    extra = len(shape) - ndim
    return reshape(value, shape[extra:]) if extra > 0 and prod(shape[:extra]) == 1 else value


def number_for(op: str, x: Any, value: Any) -> Any:
    """`value` as a tensor of x's dtype."""
    dtype = x.array.dtype
    if not isinstance(value, TensorBase):
        require_number(op, value, dtype)
        return constant(op, value, dtype, x)
    if CATEGORY[value.array.dtype] > CATEGORY[dtype]:
        raise DTypeError(f"{op}: value has dtype {value.array.dtype}, input has {dtype}; convert one of them with to()")
    return cast(value, dtype)


def index_put_(input: Tensor, indices: tuple[Tensor, ...], values: Tensor, accumulate: bool = False) -> Tensor:
    """x[indices] = values in place; with `accumulate`, values are added, all that have one place; returns x.

    >>> import autograd_cnn as ag
    >>> index_put_(ag.zeros(3), (ag.tensor([0, 0, 2]),), ag.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([3., 0., 3.])
    """
    if not accumulate:
        setitem(input, tuple(indices), values)
        return input
    basic, arrays = parse("index_put_", tuple(indices), input.array.shape)
    target = _viewed(input, basic)
    value = number_for("index_put_", target, values)
    if not arrays:
        target.add_(value)
        return input
    target, first, count, positions = _positions("index_put_", target, arrays)
    apply_inplace(IndexAdd(first, count), target, positions, value)
    return input


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The positions `index`, (n,), of dimension `dim`: y[:, j] = x[:, index[j]] for dim 1.

    Raises IndexOutOfRangeError for an index below 0 or from input.size(dim), DTypeError for one that holds no
    integers.

    >>> import autograd_cnn as ag
    >>> index_select(ag.tensor([[1, 2], [3, 4]]), 1, ag.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    dim, index = index_along("index_select", input, dim, index)
    if index.array.ndim > 1:
        raise ShapeError(f"index_select: index must have one dimension, got shape {list(index.array.shape)}")
    index = reshape(index, -1)
    return (
        apply(Take(dim, 1), input, index)
        if input.array.ndim
        else reshape(apply(Take(0, 1), reshape(input, 1), index), ())
    )


def index_along(op: str, x: Any, dim: int, index: Any) -> tuple[int, Any]:
    """`dim` counted from 0, and `index` as int64 in the range of that dimension."""
    index = require_integer(op, "index", index)
    shape = x.array.shape
    dim = one_dim(op, dim, len(shape))
    size = shape[dim] if shape else 1
    bad = first_outside(index, size)
    if bad is not None:
        raise IndexOutOfRangeError(f"{op}: index {bad} is out of range for dimension {dim} of size {size}")
    return dim, index


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """input with `value`, a number or zero-dimensional tensor, where `mask` holds; input and mask broadcast.

    Raises DTypeError for a mask that is not bool, and for a value that input's dtype does not take.

    >>> import autograd_cnn as ag
    >>> masked_fill(ag.tensor([1.0, 2.0]), ag.tensor([True, False]), 9)
    tensor([9., 2.])
    """
    return apply(MASKED_FILL, *_masked("masked_fill", input, mask, value))


def masked_fill_(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """`masked_fill` in place; returns input.

    >>> import autograd_cnn as ag
    >>> masked_fill_(ag.tensor([1.0, 2.0]), ag.tensor([True, False]), 9)
    tensor([9., 2.])
    """
    return apply_inplace(MASKED_FILL, *_masked("masked_fill_", input, mask, value))


def _masked(op: str, x: Any, mask: Any, value: Any) -> tuple[Any, Any, Any]:
    require_mask(op, mask)
    if isinstance(value, TensorBase) and value.array.ndim:
        raise ShapeError(f"{op}: value must be a number, got a tensor of shape {list(value.array.shape)}; use where")
    require_kind(op, value, x.array.dtype)
    return x, mask, number_for(op, x, value)


def require_mask(op: str, mask: Any) -> None:
    if not isinstance(mask, TensorBase) or mask.array.dtype != bool_:
        got = mask.array.dtype if isinstance(mask, TensorBase) else type(mask).__name__
        raise DTypeError(f"{op}: mask must be a bool tensor, got {got}")


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of input where `mask` holds, in one dimension; input and mask broadcast.

    >>> import autograd_cnn as ag
    >>> masked_select(ag.tensor([[1, 2], [3, 4]]), ag.tensor([True, False]))
    tensor([1, 3])
    """
    require_mask("masked_select", mask)
    shape = broadcast("masked_select", input.array.shape, mask.array.shape)
    return getitem(reshape(expand(input, shape), -1), reshape(expand(mask, shape), -1))
