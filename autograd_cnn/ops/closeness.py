"""Whether tensors are equal or close, and signs and infinities: no gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_, int64
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.comparison import Test, eq, lt
from autograd_cnn.ops.operand import broadcast, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class IsClose(Op):
    """Where |x - other| <= atol + rtol * |other|, or both are equal."""

    name = "isclose"
    inputs = ("x", "other")
    nondifferentiable = ("x", "other")

    def __init__(self, rtol: float, atol: float, equal_nan: bool) -> None:
        self.rtol = rtol
        self.atol = atol
        self.equal_nan = equal_nan

    def infer(self, x: Any, other: Any) -> Any:
        return broadcast(self.name, x.shape, other.shape), bool_

    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.isclose(x, other, self.rtol, self.atol, self.equal_nan, out)


class Signbit(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.signbit(x, out)


SIGNBIT = Signbit()


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both tensors have the same shape and the same elements; nan is equal to nothing.

    >>> import autograd_cnn as ag
    >>> equal(ag.tensor([1, 2]), ag.tensor([1, 2])), equal(ag.tensor([1, 2]), ag.tensor([1]))
    (True, False)
    """
    require_tensor("equal", input)
    require_tensor("equal", other)
    return input.array.shape == other.array.shape and bool((input == other).all().item())


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |x - other| <= atol + rtol * |other|, or both are equal; with `equal_nan`, or both nan.

    Raises DTypeError where the dtypes differ, ArgumentError for a negative tolerance.

    >>> import autograd_cnn as ag
    >>> isclose(ag.tensor([1.0, 2.0]), ag.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    return _close("isclose", input, other, rtol, atol, equal_nan)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close, see `isclose`.

    >>> import autograd_cnn as ag
    >>> allclose(ag.tensor([1.0, 2.0]), ag.tensor([1.0 + 1e-6, 2.0]))
    True
    """
    return bool(_close("allclose", input, other, rtol, atol, equal_nan).all().item())


def _close(op: str, x: Any, other: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    require_tensor(op, x)
    require_tensor(op, other)
    if x.array.dtype != other.array.dtype:
        raise DTypeError(f"{op}: other has dtype {other.array.dtype}, input has {x.array.dtype}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise ArgumentError(f"{op}: {name} must be at least 0, got {tolerance}")
    if x.array.dtype == bool_:
        x, other = cast(x, int64), cast(other, int64)
    return apply(IsClose(float(rtol), float(atol), equal_nan), x, other)


def isposinf(input: Tensor) -> Tensor:
    """Where input is inf.

    >>> import autograd_cnn as ag
    >>> isposinf(ag.tensor([1.0, float("inf"), float("-inf")]))
    tensor([False,  True, False])
    """
    return eq(require_tensor("isposinf", input), math.inf)


def isneginf(input: Tensor) -> Tensor:
    """Where input is -inf.

    >>> import autograd_cnn as ag
    >>> isneginf(ag.tensor([1.0, float("inf"), float("-inf")]))
    tensor([False, False,  True])
    """
    return eq(require_tensor("isneginf", input), -math.inf)


def signbit(input: Tensor) -> Tensor:
    """Where the sign of input is -, also that of -0.0 and of nan.

    >>> import autograd_cnn as ag
    >>> signbit(ag.tensor([1.0, -0.0, -2.0]))
    tensor([False,  True,  True])
    """
    if require_tensor("signbit", input).array.dtype.kind == "f":
        return apply(SIGNBIT, input)
    return lt(input, 0)
