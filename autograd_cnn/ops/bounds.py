"""Limits that are tensors, and the larger and smaller of two numbers past nan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, InPlaceError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.pointwise import pointwise_binary
from autograd_cnn.graph.record import apply
from autograd_cnn.ops import rounding
from autograd_cnn.ops.arithmetic import Binary, where
from autograd_cnn.ops.comparison import ge, gt, isnan, le, logical_and, logical_or, lt
from autograd_cnn.ops.operand import broadcast, constant, pair, promoted, refuse_bools, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Limit(Op):
    """min(max(x, low), high)."""

    inputs = ("x", "low", "high")
    name = "clamp"

    def infer(self, x: Any, low: Any, high: Any) -> Any:
        return broadcast("clamp", x.shape, low.shape, high.shape), x.dtype

    def compute(self, k: Any, out: Any, x: Any, low: Any, high: Any) -> None:
        k.limit(x, low, high, out)

    def vjp_x(self, g: Any, x: Any, low: Any, high: Any) -> Any:
        return where(logical_and(ge(x, low), le(x, high)), g, 0.0)

    def vjp_low(self, g: Any, x: Any, low: Any, high: Any) -> Any:
        return where(logical_and(lt(low, high), lt(x, low)), g, 0.0)

    def vjp_high(self, g: Any, x: Any, low: Any, high: Any) -> Any:
        return where(logical_or(gt(x, high), lt(high, low)), g, 0.0)


class Fmax(Binary):
    kernel = "fmax"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return where(logical_or(ge(x, other), isnan(other)), g, 0.0)

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return where(logical_or(ge(x, other), isnan(other)), 0.0, g)


class Fmin(Binary):
    kernel = "fmin"

    def vjp_x(self, g: Any, x: Any, other: Any) -> Any:
        return where(logical_or(le(x, other), isnan(other)), g, 0.0)

    def vjp_other(self, g: Any, x: Any, other: Any) -> Any:
        return where(logical_or(le(x, other), isnan(other)), 0.0, g)


LIMIT, FMAX, FMIN = Limit(), Fmax(), Fmin()


def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
    """input limited to [min, max], numbers or tensors that broadcast; where min > max it is max.

    The gradient at the limits is 1, and goes to a limit that is a tensor where input is beyond it.  Integers with a
    fractional limit become floats.  Raises ArgumentError where both limits are missing, DTypeError where one is neither
    a number nor a tensor, and for bools.

    >>> import autograd_cnn as ag
    >>> clamp(ag.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    >>> clamp(ag.tensor([-2.0, 0.5, 2.0]), max=ag.tensor([0.0, 0.0, 3.0]))
    tensor([-2.,  0.,  2.])
    """
    if isinstance(min, TensorBase) or isinstance(max, TensorBase):
        return apply(LIMIT, *_limits(input, min, max))
    return rounding.clamp(input, min, max)


def clamp_(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
    """Limits input to [min, max] in place; returns input.

    Raises InPlaceError for integers with a fractional limit, and what `clamp` raises.

    >>> import autograd_cnn as ag
    >>> clamp_(ag.tensor([-2.0, 0.5, 2.0]), -1, ag.tensor([0.0, 0.0, 3.0]))
    tensor([-1.,  0.,  2.])
    """
    if not isinstance(min, TensorBase) and not isinstance(max, TensorBase):
        return rounding.clamp_(input, min, max)
    limited, *limits = _limits(input, min, max)
    if limited is not input:
        raise InPlaceError(
            f"clamp in place: a result of dtype {limited.array.dtype} cannot be cast to the tensor's "
            f"{input.array.dtype}"
        )
    return apply_inplace(LIMIT, input, *limits)


def _limits(x: Any, min: Any, max: Any) -> list[Any]:
    """x and both limits as tensors of one dtype; a limit that is not there is one that nothing is beyond."""
    given = [limit for limit in (min, max) if limit is not None]
    x, *rest = promoted("clamp", require_tensor("clamp", x), *given)
    refuse_bools("clamp", x)
    dtype = x.array.dtype
    if min is None:
        rest.insert(0, constant("clamp", -math.inf if dtype.kind == "f" else np.iinfo(dtype).min, dtype, x))
    if max is None:
        rest.append(constant("clamp", math.inf if dtype.kind == "f" else np.iinfo(dtype).max, dtype, x))
    return [x, *rest]


def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """input, or `min`, a number or tensor, where that is more.

    >>> import autograd_cnn as ag
    >>> clamp_min(ag.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return clamp(input, _limit("clamp_min", "min", min), None)


def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """input, or `max`, a number or tensor, where that is less.

    >>> import autograd_cnn as ag
    >>> clamp_max(ag.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, None, _limit("clamp_max", "max", max))


def _limit(op: str, name: str, limit: Any) -> Any:
    if limit is None:
        raise ArgumentError(f"{op}: {name} must be a number or a tensor, got None")
    return limit


def fmax(input: Tensor, other: Tensor | Number) -> Tensor:
    """The larger of input and other; of a number and nan the number.  The gradient of equal values goes to input.

    >>> import autograd_cnn as ag
    >>> fmax(ag.tensor([1.0, float("nan")]), ag.tensor([4.0, 2.0]))
    tensor([4., 2.])
    """
    return pointwise_binary(FMAX, *pair("fmax", input, other))


def fmin(input: Tensor, other: Tensor | Number) -> Tensor:
    """The smaller of input and other; of a number and nan the number.  The gradient of equal values goes to input.

    >>> import autograd_cnn as ag
    >>> fmin(ag.tensor([1.0, float("nan")]), ag.tensor([4.0, 2.0]))
    tensor([1., 2.])
    """
    return pointwise_binary(FMIN, *pair("fmin", input, other))
