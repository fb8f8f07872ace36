"""Python's operators on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import arithmetic, comparison, elementwise, linear
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops.operand import OPERANDS

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Operators(TensorBase):
    """What `x + y`, `x[key]`, `x @ y` and their like call; those that change x are `InPlace`'s."""

    __slots__ = ()

    __getitem__ = indexing.getitem

    __add__ = arithmetic.add

    def __radd__(self: Any, other: Number) -> Tensor:
        return arithmetic.add(other, self)

    __sub__ = arithmetic.sub

    def __rsub__(self: Any, other: Number) -> Tensor:
        return arithmetic.sub(other, self)

    __mul__ = arithmetic.mul

    def __rmul__(self: Any, other: Number) -> Tensor:
        return arithmetic.mul(other, self)

    __truediv__ = arithmetic.div

    def __rtruediv__(self: Any, other: Number) -> Tensor:
        return arithmetic.div(other, self)

    __pow__ = arithmetic.pow

    def __rpow__(self: Any, other: Number) -> Tensor:
        return arithmetic.pow(other, self)

    __floordiv__ = arithmetic.floor_divide

    def __rfloordiv__(self: Any, other: Number) -> Tensor:
        return arithmetic.floor_divide(other, self)

    __mod__ = arithmetic.remainder

    def __rmod__(self: Any, other: Number) -> Tensor:
        return arithmetic.remainder(other, self)

    def __eq__(self: Any, other: Any) -> Tensor:  # type: ignore[override]
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return comparison.eq(self, cast(Any, other))

    def __ne__(self: Any, other: Any) -> Tensor:  # type: ignore[override]
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return comparison.ne(self, cast(Any, other))

    __lt__ = comparison.lt
    __le__ = comparison.le
    __gt__ = comparison.gt
    __ge__ = comparison.ge
    __hash__ = TensorBase.__hash__

    __and__ = comparison.bitwise_and
    __or__ = comparison.bitwise_or
    __xor__ = comparison.bitwise_xor

    def __rand__(self: Any, other: Any) -> Tensor:
        return comparison.bitwise_and(self, other)

    def __ror__(self: Any, other: Any) -> Tensor:
        return comparison.bitwise_or(self, other)

    def __rxor__(self: Any, other: Any) -> Tensor:
        return comparison.bitwise_xor(self, other)

    __invert__ = comparison.bitwise_not
    __neg__ = elementwise.neg

    def __pos__(self: Any) -> Tensor:
        return self

    __abs__ = elementwise.abs
    __matmul__ = linear.matmul
