"""Comparisons, logic and questions about numbers: bool results, no gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply_binary, apply_unary
from autograd_cnn.ops.operand import broadcast, pair, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Comparison(Op, abstract=True):
    """Two operands of one dtype; the output is bool."""

    inputs = ("x", "other")
    nondifferentiable = ("x", "other")

    def infer(self, x: Any, other: Any) -> Any:
        return broadcast(self.name, x.shape, other.shape), bool_


class Eq(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.eq(x, other, out)


class Ne(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.ne(x, other, out)


class Lt(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.lt(x, other, out)


class Le(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.le(x, other, out)


class Gt(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.gt(x, other, out)


class Ge(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.ge(x, other, out)


class LogicalAnd(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_and(x, other, out)


class LogicalOr(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_or(x, other, out)


class LogicalXor(Comparison):
    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.logical_xor(x, other, out)


class Test(Op, abstract=True):
    """A question about each number."""

    inputs = ("x",)
    nondifferentiable = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, bool_


class IsNan(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isnan(x, out)


class IsInf(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isinf(x, out)


class IsFinite(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.isfinite(x, out)


class LogicalNot(Test):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.logical_not(x, out)


EQ, NE, LT, LE, GT, GE = Eq(), Ne(), Lt(), Le(), Gt(), Ge()
LOGICAL_AND, LOGICAL_OR, LOGICAL_XOR = LogicalAnd(), LogicalOr(), LogicalXor()
IS_NAN, IS_INF, IS_FINITE, LOGICAL_NOT = IsNan(), IsInf(), IsFinite(), LogicalNot()


def eq(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where x == other.

    >>> import autograd_cnn as ag
    >>> eq(ag.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    input, other = pair("eq", input, other)
    return apply_binary(EQ, input, other)


def ne(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input != other.

    >>> import autograd_cnn as ag
    >>> ne(ag.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    input, other = pair("ne", input, other)
    return apply_binary(NE, input, other)


def lt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where x < other.

    >>> import autograd_cnn as ag
    >>> lt(ag.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    input, other = pair("lt", input, other)
    return apply_binary(LT, input, other)


def le(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where x <= other.

    >>> import autograd_cnn as ag
    >>> le(ag.tensor([1, 2]), 2)
    tensor([True, True])
    """
    input, other = pair("le", input, other)
    return apply_binary(LE, input, other)


def gt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where x > other.

    >>> import autograd_cnn as ag
    >>> gt(ag.tensor([1, 2]), 1)
    tensor([False,  True])
    """
    input, other = pair("gt", input, other)
    return apply_binary(GT, input, other)


def ge(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where x >= other.

    >>> import autograd_cnn as ag
    >>> ge(ag.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    input, other = pair("ge", input, other)
    return apply_binary(GE, input, other)


def logical_and(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where both are non-zero.

    >>> import autograd_cnn as ag
    >>> logical_and(ag.tensor([True, True]), ag.tensor([True, False]))
    tensor([ True, False])
    """
    input, other = pair("logical_and", input, other)
    return apply_binary(LOGICAL_AND, input, other)


def logical_or(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where either is non-zero.

    >>> import autograd_cnn as ag
    >>> logical_or(ag.tensor([True, False]), ag.tensor([False, False]))
    tensor([ True, False])
    """
    input, other = pair("logical_or", input, other)
    return apply_binary(LOGICAL_OR, input, other)


def logical_xor(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where exactly one is non-zero.

    >>> import autograd_cnn as ag
    >>> logical_xor(ag.tensor([True, True]), ag.tensor([True, False]))
    tensor([False,  True])
    """
    input, other = pair("logical_xor", input, other)
    return apply_binary(LOGICAL_XOR, input, other)


def isnan(input: Tensor) -> Tensor:
    """Where input is nan.

    >>> import autograd_cnn as ag
    >>> isnan(ag.tensor([1.0, float('nan')]))
    tensor([False,  True])
    """
    return apply_unary(IS_NAN, require_tensor("isnan", input))


def isinf(input: Tensor) -> Tensor:
    """Where input is inf or -inf.

    >>> import autograd_cnn as ag
    >>> isinf(ag.tensor([1.0, float('inf')]))
    tensor([False,  True])
    """
    return apply_unary(IS_INF, require_tensor("isinf", input))


def isfinite(input: Tensor) -> Tensor:
    """Where input is neither inf nor nan.

    >>> import autograd_cnn as ag
    >>> isfinite(ag.tensor([1.0, float('inf')]))
    tensor([ True, False])
    """
    return apply_unary(IS_FINITE, require_tensor("isfinite", input))


def logical_not(input: Tensor) -> Tensor:
    """Where input is 0.

    >>> import autograd_cnn as ag
    >>> logical_not(ag.tensor([True, False]))
    tensor([False,  True])
    """
    return apply_unary(LOGICAL_NOT, require_tensor("logical_not", input))


def bitwise_and(input: Tensor, other: Tensor | Number) -> Tensor:
    """input & other of bools; raises DTypeError for numbers.

    >>> import autograd_cnn as ag
    >>> ag.tensor([True, True]) & ag.tensor([True, False])
    tensor([ True, False])
    """
    return logical_and(*_bools("bitwise_and", input, other))


def bitwise_or(input: Tensor, other: Tensor | Number) -> Tensor:
    """input | other of bools; raises DTypeError for numbers.

    >>> import autograd_cnn as ag
    >>> ag.tensor([True, False]) | False
    tensor([ True, False])
    """
    return logical_or(*_bools("bitwise_or", input, other))


def bitwise_xor(input: Tensor, other: Tensor | Number) -> Tensor:
    """x ^ other of bools; raises DTypeError for numbers.

    >>> import autograd_cnn as ag
    >>> ag.tensor([True, False]) ^ True
    tensor([False,  True])
    """
    return logical_xor(*_bools("bitwise_xor", input, other))


def bitwise_not(input: Tensor) -> Tensor:
    """~x of bools; raises DTypeError for numbers.

    >>> import autograd_cnn as ag
    >>> ~ag.tensor([True, False])
    tensor([False,  True])
    """
    return logical_not(*_bools("bitwise_not", input))


def _bools(op: str, *operands: Any) -> tuple[Any, ...]:
    for operand in operands:
        dtype = operand.array.dtype if isinstance(operand, TensorBase) else type(operand).__name__
        if dtype not in (bool_, "bool"):
            raise DTypeError(f"{op}: takes bools, got {dtype}; logical_and and its like take numbers")
    return operands
