"""Extreme values over dimensions, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, overload

from autograd_cnn.dtype import bool_, int64
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import maximum, minimum
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import Dims, many_dims, one_dim
from autograd_cnn.ops.gather import Scatter
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.reduce import Reduction, Shape

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Extreme(Reduction, abstract=True):
    """Largest or smallest values; equal ones share the gradient evenly."""

    def chosen(self, x: Any, y: Any) -> Any:
        return x == y

    def vjp_x(self, g: Any, x: Any, y: Any) -> Any:
        chosen = cast(self.chosen(x, self.unfold(y, x.shape)), g.dtype)
        return self.unfold(g, x.shape) * chosen / chosen.sum(self.dim, keepdim=True)


class Amax(Extreme):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.amax(x, self.dims(x.ndim), out)


class Amin(Extreme):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.amin(x, self.dims(x.ndim), out)


class OfAll(Extreme, abstract=True):
    """Where it is nan, the nans share the gradient; PyTorch has it so of `max` and `min`, and not of `amax`."""

    def chosen(self, x: Any, y: Any) -> Any:
        return (x == y) | (x != x)  # where there is a nan, y is one


class MaxOfAll(OfAll, Amax):
    pass


class MinOfAll(OfAll, Amin):
    pass


class Position(Op, abstract=True):
    """The index of the first extreme value along `dim`, or in the flattened tensor for None."""

    inputs = ("x",)
    nondifferentiable = ("x",)

    def __init__(self, dim: int | None, keepdim: bool) -> None:
        self.dim = dim
        self.keepdim = keepdim

    def infer(self, x: Any) -> Any:
        return _without(x.shape, self.dim, self.keepdim), int64


class Argmax(Position):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.argmax(x, self.dim, out)


class Argmin(Position):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.argmin(x, self.dim, out)


class ExtremeAlong(Op, abstract=True):
    """Extreme values along one dimension, and their indices."""

    inputs = ("x",)
    outputs = ("values", "indices")
    auxiliary = ("indices",)

    def __init__(self, dim: int, keepdim: bool) -> None:
        self.dim = dim
        self.keepdim = keepdim

    def infer(self, x: Any) -> Any:
        shape = _without(x.shape, self.dim, self.keepdim)
        return [(shape, x.dtype), (shape, int64)]

    def vjp_x(self, g: Any, indices: Any, x_shape: Shape) -> Any:
        if not x_shape:
            return g
        if not self.keepdim:
            g, indices = g.unsqueeze(self.dim), indices.unsqueeze(self.dim)
        return apply(Scatter(self.dim, x_shape), g, indices)


class Max(ExtremeAlong):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        values, indices = out
        k.amax(x, (self.dim,) if x.ndim else (), values)
        k.argmax(x, self.dim, indices)


class Min(ExtremeAlong):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        values, indices = out
        k.amin(x, (self.dim,) if x.ndim else (), values)
        k.argmin(x, self.dim, indices)


class Extremes(NamedTuple):
    """What `max` and `min` along a dimension return."""

    values: Tensor
    indices: Tensor


def _without(shape: Shape, dim: int | None, keepdim: bool) -> Shape:
    if dim is None or not shape:
        return (1,) * len(shape) if keepdim else ()
    return (*shape[:dim], *((1,) if keepdim else ()), *shape[dim + 1 :])


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest value over `dim`, or over everything; nan where there is one.

    Equal values share the gradient evenly.  Raises ShapeError where nothing is left to choose from.

    >>> import autograd_cnn as ag
    >>> amax(ag.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([5, 7])
    """
    return apply(Amax(_filled_dims("amax", input, dim), keepdim), input)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest value over `dim`, or over everything; nan where there is one.

    Equal values share the gradient evenly.  Raises ShapeError where nothing is left to choose from.

    >>> import autograd_cnn as ag
    >>> amin(ag.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([1, 2])
    """
    return apply(Amin(_filled_dims("amin", input, dim), keepdim), input)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest value along `dim`, or in the flattened tensor; the first of equal ones.

    >>> import autograd_cnn as ag
    >>> argmax(ag.tensor([[1, 5], [7, 2]])), argmax(ag.tensor([[1, 5], [7, 2]]), dim=1)
    (tensor(2), tensor([1, 0]))
    """
    return apply(Argmax(_filled_dim_of_numbers("argmax", input, dim), keepdim), input)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest value along `dim`, or in the flattened tensor; the first of equal ones.

    >>> import autograd_cnn as ag
    >>> argmin(ag.tensor([[1, 5], [7, 2]])), argmin(ag.tensor([[1, 5], [7, 2]]), dim=1)
    (tensor(0), tensor([0, 1]))
    """
    return apply(Argmin(_filled_dim_of_numbers("argmin", input, dim), keepdim), input)


@overload
def max(input: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@overload
def max(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest value; with `dim`, (values, indices) along it; with a tensor, `maximum` of both.

    >>> import autograd_cnn as ag
    >>> max(ag.tensor([1.0, 3.0, 2.0]))
    tensor(3.)
    >>> max(ag.tensor([[1, 5], [7, 2]]), 1).indices
    tensor([1, 0])
    """
    if isinstance(dim, TensorBase):
        other = dim
    if other is not None:
        return maximum(input, other)
    if dim is None:
        return apply(MaxOfAll(_filled_dims("max", input, None), keepdim), input)
    return Extremes(*apply(Max(_filled_dim("max", input, dim), keepdim), input))


@overload
def min(input: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest value; with `dim`, (values, indices) along it; with a tensor, `minimum` of both.

    >>> import autograd_cnn as ag
    >>> min(ag.tensor([1.0, 3.0, 2.0]))
    tensor(1.)
    >>> min(ag.tensor([[1, 5], [7, 2]]), 1).indices
    tensor([0, 1])
    """
    if isinstance(dim, TensorBase):
        other = dim
    if other is not None:
        return minimum(input, other)
    if dim is None:
        return apply(MinOfAll(_filled_dims("min", input, None), keepdim), input)
    return Extremes(*apply(Min(_filled_dim("min", input, dim), keepdim), input))


def _filled_dims(op: str, x: Any, dim: Dims) -> Shape:
    """`dim` as a tuple; ShapeError where there is nothing to choose from."""
    dims = many_dims(op, dim, require_tensor(op, x).array.ndim)
    for d in dims:
        if x.array.shape[d] == 0:
            raise ShapeError(
                f"{op}: dimension {d} of input is empty, there is no extreme value: shape {list(x.array.shape)}"
            )
    return dims


def _filled_dim(op: str, x: Any, dim: int) -> int:
    """`dim` counted from 0; ShapeError where there is nothing to choose from along it."""
    dim = one_dim(op, dim, x.array.ndim)
    _filled_dims(op, x, dim)
    return dim


def _filled_dim_of_numbers(op: str, x: Any, dim: int | None) -> int | None:
    """`_filled_dim`, or all of x for None; DTypeError for bools."""
    if require_tensor(op, x).array.dtype == bool_:
        raise DTypeError(f"{op}: input must hold numbers, got {bool_}")
    if dim is not None:
        return _filled_dim(op, x, dim)
    _filled_dims(op, x, None)
    return None
