"""Python's operators on tensors."""

from __future__ import annotations

from typing import Any

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import arithmetic, comparison, elementwise, linear
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops.operand import OPERANDS


class Operators(TensorBase):
    """What `x + y`, `x[key]`, `x @ y` and their like call; those that change x are `InPlace`'s."""

    __slots__ = ()

    __getitem__ = indexing.getitem

    __add__ = arithmetic.add

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    __sub__ = arithmetic.sub

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.sub(other, self)

    __mul__ = arithmetic.mul

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.mul(other, self)

    __truediv__ = arithmetic.div

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.div(other, self)

    __pow__ = arithmetic.pow

    def __rpow__(self, other: Any) -> Any:
        return arithmetic.pow(other, self)

    __floordiv__ = arithmetic.floor_divide

    def __rfloordiv__(self, other: Any) -> Any:
        return arithmetic.floor_divide(other, self)

    __mod__ = arithmetic.remainder

    def __rmod__(self, other: Any) -> Any:
        return arithmetic.remainder(other, self)

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

    def __rand__(self, other: Any) -> Any:
        return comparison.bitwise_and(self, other)

    def __ror__(self, other: Any) -> Any:
        return comparison.bitwise_or(self, other)

    def __rxor__(self, other: Any) -> Any:
        return comparison.bitwise_xor(self, other)

    __invert__ = comparison.bitwise_not
    __neg__ = elementwise.neg

    def __pos__(self) -> Any:
        return self

    __abs__ = elementwise.abs
    __matmul__ = linear.matmul
