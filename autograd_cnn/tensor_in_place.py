"""Methods and operators that write their result into their tensor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from autograd_cnn.dtype import CATEGORY
from autograd_cnn.errors import InPlaceError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import is_grad_enabled
from autograd_cnn.graph.in_place import apply_inplace, become_view
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops import (
    activation,
    arithmetic,
    assign,
    blend,
    bounds,
    cast,
    comparison,
    diagonal,
    elementwise,
    exponential,
    index_write,
    linear,
    random,
    rounding,
    scan,
    scatter,
    shape,
    triangle,
    trigonometric,
)
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops.operand import promoted

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


P = ParamSpec("P")


def _in_place(op: Op) -> Callable[[Any], Tensor]:
    """The method that writes an op's result into its tensor."""

    def method(self: Any) -> Tensor:
        return apply_inplace(op, self)

    method.__name__ = f"{op.name}_"
    method.__doc__ = f"`{op.name}` in place."
    return method


def _reshaped(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """The method that makes its tensor the view of it that `function` gives."""

    def method(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        tensor: Any = args[0]
        view: Callable[..., Tensor] = function
        return become_view(tensor, lambda x: view(x, *args[1:], **kwargs), f"{function.__name__}_")

    method.__name__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}` in place: self takes the shape, in the same memory."
    return method


def _change(tensor: Any, op: Any, *others: Any) -> Any:
    """`tensor` becomes op(tensor, *others), by the op itself where promotion leaves the tensor's dtype."""
    x, *operands = promoted(op.name, tensor, *others)
    if x is tensor:
        return apply_inplace(op, tensor, *operands)
    _require_fit(op.name, tensor, x.array.dtype)
    return assign.copy_(tensor, apply(op, x, *operands))


def _become(tensor: Any, result: Any, op: str) -> Any:
    """`tensor` becomes `result`, which has its shape."""
    _require_fit(op, tensor, result.array.dtype)
    return assign.copy_(tensor, result)


def _require_fit(op: str, tensor: Any, dtype: np.dtype) -> None:
    if CATEGORY[dtype] > CATEGORY[tensor.array.dtype]:
        raise InPlaceError(f"{op} in place: a result of dtype {dtype} cannot be cast to the tensor's {tensor.dtype}")


def _by(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """The method that writes a function's result into its tensor."""

    @wraps(function)
    def method(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        tensor: Any = args[0]
        given = (*args, *kwargs.values())
        recorded = is_grad_enabled() and any(isinstance(x, TensorBase) and x._requires_grad for x in given)
        # What backward keeps of the tensor must not be it, whose content is about to be lost.
        source = cast.clone(tensor) if recorded else tensor
        compute: Callable[..., Tensor] = function
        return _become(tensor, compute(source, *args[1:], **kwargs), function.__name__)

    method.__name__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}` in place."
    return method


class InPlace(TensorBase):
    """Methods whose names end in an underscore, assignment, and `x += y` and its like."""

    __slots__ = ()

    def add_(self, other: Tensor | Number, *, alpha: float = 1) -> Tensor:
        """Self becomes self + alpha * other."""
        return _change(self, arithmetic.ADD, other if alpha == 1 else other * alpha)

    def sub_(self, other: Tensor | Number, *, alpha: float = 1) -> Tensor:
        """Self becomes self - alpha * other."""
        return _change(self, arithmetic.SUB, other if alpha == 1 else other * alpha)

    def mul_(self, other: Tensor | Number) -> Tensor:
        """Self becomes self * other."""
        return _change(self, arithmetic.MUL, other)

    def div_(self: Any, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
        """Self becomes self / other, rounded as `div` does where `rounding_mode` is given."""
        if rounding_mode is not None:
            return _become(self, arithmetic.div(cast.clone(self), other, rounding_mode=rounding_mode), "div")
        return _change(self, arithmetic.DIV, other)

    def pow_(self, exponent: Tensor | Number) -> Tensor:
        """Self becomes self ** exponent."""
        return _change(self, arithmetic.POW, exponent)

    def copy_(self, src: Tensor | Number, non_blocking: bool = False) -> Tensor:
        """Self becomes `src`, broadcast and cast; gradients flow to `src`.  `non_blocking` changes nothing on a CPU."""
        return assign.copy_(self, src)

    def zero_(self: Any) -> Tensor:
        """Self becomes zeros."""
        return self.fill_(0)

    fill_ = assign.fill_
    squeeze_ = _reshaped(shape.squeeze)
    unsqueeze_ = _reshaped(shape.unsqueeze)
    transpose_ = swapdims_ = _reshaped(shape.transpose)
    swapaxes_ = _reshaped(shape.swapaxes)
    t_ = _reshaped(shape.t)

    def addmm_(self: Any, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Self becomes beta * self + alpha * (mat1 @ mat2)."""
        return _become(self, linear.addmm(self, mat1, mat2, beta=beta, alpha=alpha), "addmm")

    bernoulli_ = random.bernoulli_
    normal_ = random.normal_
    log_normal_ = random.log_normal_
    uniform_ = random.uniform_
    exponential_ = random.exponential_
    cauchy_ = random.cauchy_
    geometric_ = random.geometric_
    random_ = random.random_
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
    abs_ = absolute_ = _in_place(elementwise.ABS)
    neg_ = negative_ = _in_place(elementwise.NEG)
    sign_ = sgn_ = _in_place(rounding.SIGN)
    square_ = _by(elementwise.square)
    sqrt_ = _in_place(elementwise.SQRT)
    rsqrt_ = _in_place(elementwise.RSQRT)
    reciprocal_ = _in_place(elementwise.RECIPROCAL)
    floor_ = _in_place(rounding.FLOOR)
    ceil_ = _in_place(rounding.CEIL)
    round_ = _by(rounding.round)
    trunc_ = fix_ = _in_place(rounding.TRUNC)
    frac_ = _by(blend.frac)
    exp_ = _in_place(elementwise.EXP)
    exp2_ = _in_place(exponential.EXP2)
    expm1_ = _in_place(elementwise.EXPM1)
    log_ = _in_place(elementwise.LOG)
    log2_ = _in_place(exponential.LOG2)
    log10_ = _in_place(exponential.LOG10)
    log1p_ = _in_place(elementwise.LOG1P)
    logit_ = _by(exponential.logit)
    erf_ = _in_place(elementwise.ERF)
    erfc_ = _in_place(exponential.ERFC)
    sin_ = _in_place(elementwise.SIN)
    cos_ = _in_place(elementwise.COS)
    tan_ = _in_place(elementwise.TAN)
    asin_ = arcsin_ = _in_place(trigonometric.ASIN)
    acos_ = arccos_ = _in_place(trigonometric.ACOS)
    atan_ = arctan_ = _in_place(trigonometric.ATAN)
    sinh_ = _in_place(trigonometric.SINH)
    cosh_ = _in_place(trigonometric.COSH)
    tanh_ = _in_place(elementwise.TANH)
    asinh_ = arcsinh_ = _in_place(trigonometric.ASINH)
    acosh_ = arccosh_ = _in_place(trigonometric.ACOSH)
    atanh_ = arctanh_ = _in_place(trigonometric.ATANH)
    deg2rad_ = _by(trigonometric.deg2rad)
    rad2deg_ = _by(trigonometric.rad2deg)
    sigmoid_ = _in_place(elementwise.SIGMOID)
    relu_ = _in_place(activation.RELU)
    clamp_ = clip_ = bounds.clamp_
    clamp_min_ = _by(bounds.clamp_min)
    clamp_max_ = _by(bounds.clamp_max)
    true_divide_ = _by(blend.true_divide)
    floor_divide_ = _by(arithmetic.floor_divide)
    remainder_ = _by(arithmetic.remainder)
    fmod_ = _by(blend.fmod)
    addcmul_ = _by(blend.addcmul)
    addcdiv_ = _by(blend.addcdiv)
    lerp_ = _by(blend.lerp)
    atan2_ = arctan2_ = _by(arithmetic.atan2)
    hypot_ = _by(trigonometric.hypot)
    xlogy_ = _by(exponential.xlogy)
    eq_ = _by(comparison.eq)
    ne_ = not_equal_ = _by(comparison.ne)
    lt_ = less_ = _by(comparison.lt)
    le_ = less_equal_ = _by(comparison.le)
    gt_ = greater_ = _by(comparison.gt)
    ge_ = greater_equal_ = _by(comparison.ge)
    logical_and_ = _by(comparison.logical_and)
    logical_or_ = _by(comparison.logical_or)
    logical_xor_ = _by(comparison.logical_xor)
    logical_not_ = _by(comparison.logical_not)
    cumsum_ = _by(scan.cumsum)
    cumprod_ = _by(scan.cumprod)

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.setitem(self, key, value)

    subtract_, multiply_, divide_ = sub_, mul_, div_

    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_
    __ipow__ = pow_
    __ifloordiv__ = floor_divide_
    __imod__ = remainder_

    def __iand__(self: Any, other: Tensor | bool) -> Tensor:
        return _become(self, comparison.bitwise_and(self, other), "bitwise_and")

    def __ior__(self: Any, other: Tensor | bool) -> Tensor:
        return _become(self, comparison.bitwise_or(self, other), "bitwise_or")

    def __ixor__(self: Any, other: Tensor | bool) -> Tensor:
        return _become(self, comparison.bitwise_xor(self, other), "bitwise_xor")
