"""Methods and operators that write their result into their tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_cnn.dtype import CATEGORY
from autograd_cnn.errors import InPlaceError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, apply_inplace, become_view
from autograd_cnn.ops import (
    activation,
    arithmetic,
    assign,
    comparison,
    diagonal,
    elementwise,
    index_write,
    linear,
    rounding,
    scatter,
    shape,
    triangle,
)
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops.operand import promoted


def _in_place(op: Op) -> Callable[[Any], Any]:
    """The method that writes an op's result into its tensor."""

    def method(self: Any) -> Any:
        return apply_inplace(op, self)

    method.__name__ = f"{op.name}_"
    method.__doc__ = f"`{op.name}` in place."
    return method


def _reshaped(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that makes its tensor the view of it that `function` gives."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return become_view(self, lambda x: function(x, *args, **kwargs), f"{function.__name__}_")

    method.__name__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}` in place: self takes the shape, in the same memory."
    return method


def _change(tensor: Any, op: Any, *others: Any) -> Any:
    """`tensor` becomes op(tensor, *others), by the op itself where promotion leaves the tensor's dtype."""
    x, *others = promoted(op.name, tensor, *others)
    if x is tensor:
        return apply_inplace(op, tensor, *others)
    _require_fit(op.name, tensor, x.array.dtype)
    return assign.copy_(tensor, apply(op, x, *others))


def _become(tensor: Any, result: Any, op: str) -> Any:
    """`tensor` becomes `result`, which has its shape."""
    _require_fit(op, tensor, result.array.dtype)
    return assign.copy_(tensor, result)


def _require_fit(op: str, tensor: Any, dtype: np.dtype) -> None:
    if CATEGORY[dtype] > CATEGORY[tensor.array.dtype]:
        raise InPlaceError(f"{op} in place: a result of dtype {dtype} cannot be cast to x's {tensor.array.dtype}")


class InPlace(TensorBase):
    """Methods whose names end in an underscore, assignment, and `x += y` and its like."""

    __slots__ = ()

    def add_(self, other: Any, *, alpha: Any = 1) -> Any:
        """Self becomes self + alpha * other."""
        return _change(self, arithmetic.ADD, other if alpha == 1 else other * alpha)

    def sub_(self, other: Any, *, alpha: Any = 1) -> Any:
        """Self becomes self - alpha * other."""
        return _change(self, arithmetic.SUB, other if alpha == 1 else other * alpha)

    def mul_(self, other: Any) -> Any:
        """Self becomes self * other."""
        return _change(self, arithmetic.MUL, other)

    def div_(self, other: Any) -> Any:
        """Self becomes self / other."""
        return _change(self, arithmetic.DIV, other)

    def pow_(self, other: Any) -> Any:
        """Self becomes self ** other."""
        return _change(self, arithmetic.POW, other)

    def copy_(self, source: Any) -> Any:
        """Self becomes `source`, broadcast and cast; gradients flow to `source`."""
        return assign.copy_(self, source)

    def zero_(self) -> Any:
        """Self becomes zeros."""
        return self.fill_(0)

    fill_ = assign.fill_
    squeeze_ = _reshaped(shape.squeeze)
    unsqueeze_ = _reshaped(shape.unsqueeze)
    transpose_ = swapaxes_ = swapdims_ = _reshaped(shape.transpose)
    t_ = _reshaped(shape.t)

    def addmm_(self, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        """Self becomes beta * self + alpha * (mat1 @ mat2)."""
        return _become(self, linear.addmm(self, mat1, mat2, beta=beta, alpha=alpha), "addmm")

    fill_diagonal_ = diagonal.fill_diagonal_
    tril_ = triangle.tril_
    triu_ = triangle.triu_
    masked_fill_ = indexing.masked_fill_
    masked_scatter_ = index_write.masked_scatter_
    index_put_ = indexing.index_put_
    index_add_ = index_write.index_add_
    index_copy_ = index_write.index_copy_
    index_fill_ = index_write.index_fill_
    scatter_ = scatter.scatter_
    scatter_add_ = gathering.scatter_add_
    scatter_reduce_ = scatter.scatter_reduce_
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

    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_
    __ipow__ = pow_

    def __ifloordiv__(self, other: Any) -> Any:
        return _become(self, arithmetic.floor_divide(self, other), "floor_divide")

    def __imod__(self, other: Any) -> Any:
        return _become(self, arithmetic.remainder(self, other), "remainder")

    def __iand__(self, other: Any) -> Any:
        return _become(self, comparison.bitwise_and(self, other), "bitwise_and")

    def __ior__(self, other: Any) -> Any:
        return _become(self, comparison.bitwise_or(self, other), "bitwise_or")

    def __ixor__(self, other: Any) -> Any:
        return _become(self, comparison.bitwise_xor(self, other), "bitwise_xor")
