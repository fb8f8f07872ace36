"""Assignment: copy_ and fill_, which overwrite a tensor in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import CATEGORY, of_scalar
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.ops.operand import Scalar, broadcast

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Copy(Op):
    """`source`, broadcast and cast to x, which loses its content."""

    inputs = ("x", "source")
    in_place = True

    def infer(self, x: Any, source: Any) -> Any:
        if source.shape != x.shape and broadcast("copy_", x.shape, source.shape) != x.shape:
            raise ShapeError(f"copy_: source {list(source.shape)} does not broadcast to {list(x.shape)}")
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, source: Any) -> None:
        k.copy(source, out)

    def vjp_x(self, g: Any) -> Any:
        return g.new_zeros(g.array.shape)

    def vjp_source(self, g: Any) -> Any:
        return g


class Fill(Op):
    """One number everywhere."""

    inputs = ("x",)
    in_place = True

    def __init__(self, value: Scalar) -> None:
        self.value = value

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.fill(out, self.value)

    def vjp_x(self, g: Any) -> Any:
        return g.new_zeros(g.array.shape)


COPY = Copy()


def require_number(op: str, value: Any, dtype: np.dtype) -> None:
    """DTypeError unless `value` is a number, ArgumentError unless `dtype` can hold it."""
    if not isinstance(value, Scalar | np.number | np.bool_):
        raise DTypeError(f"{op}: value must be a number or a tensor, got {type(value).__name__}")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise ArgumentError(f"{op}: value {value} does not fit {dtype}, [{limits.min}, {limits.max}]")


def require_kind(op: str, value: Any, dtype: np.dtype) -> None:
    """DTypeError for a number that `dtype` would change the kind of, such as a float among integers."""
    if isinstance(value, Scalar | np.number | np.bool_) and CATEGORY[of_scalar(value)] > CATEGORY[dtype]:
        raise DTypeError(f"{op}: value {value!r} cannot be put into a tensor of dtype {dtype}")


def copy_(x: Any, source: Any) -> Any:
    """Overwrites x with `source`, a tensor or number, broadcast and cast to x; returns x.

    Gradients flow to `source`.  Raises ShapeError where it does not broadcast to x.

    >>> import autograd_cnn as ag
    >>> copy_(ag.zeros(2, 2), ag.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    if isinstance(source, TensorBase):
        return apply_inplace(COPY, x, source)
    require_number("copy_", source, x.array.dtype)
    return apply_inplace(Fill(source), x)


def fill_(input: Tensor, value: Tensor | Number) -> Tensor:
    """Overwrites input with one number, or a zero-dimensional tensor; returns input.

    >>> import autograd_cnn as ag
    >>> fill_(ag.zeros(2), 3)
    tensor([3., 3.])
    """
    if isinstance(value, TensorBase):
        if value.array.ndim:
            raise ShapeError(f"fill_: value must be a number, got a tensor of shape {list(value.array.shape)}")
        return apply_inplace(COPY, input, value)
    require_number("fill_", value, input.array.dtype)
    return apply_inplace(Fill(value), input)
