"""What is found or counted, with results whose sizes depend on the values: no gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from autograd_cnn.dtype import bool_, float32, float64, int64
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops import arithmetic
from autograd_cnn.ops.comparison import logical_not
from autograd_cnn.ops.operand import promoted, require_integer, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Nonzero(Op):
    """The indices of the `count` elements that are not zero."""

    inputs = ("x",)
    nondifferentiable = ("x",)

    def __init__(self, count: int) -> None:
        self.count = count

    def infer(self, x: Any) -> Any:
        return (self.count, x.ndim), int64

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.nonzero(x, out)


class Bincount(Op):
    """How often each number below `size` is in x, or the sum of its weights."""

    inputs = ("x", "weights")
    nondifferentiable = ("x", "weights")

    def __init__(self, size: int) -> None:
        self.size = size

    def infer(self, x: Any, weights: Any = None) -> Any:
        dtype = int64 if weights is None else float32 if weights.dtype == float32 else float64
        return (self.size,), dtype

    def compute(self, k: Any, out: Any, x: Any, weights: Any = None) -> None:
        k.bincount(x, weights, out)


class IsIn(Op):
    name = "isin"
    inputs = ("x", "values")
    nondifferentiable = ("x", "values")

    def infer(self, x: Any, values: Any) -> Any:
        return x.shape, bool_

    def compute(self, k: Any, out: Any, x: Any, values: Any) -> None:
        k.isin(x, values, out)


IS_IN = IsIn()


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero: (count, input.ndim), in row-major order.

    With `as_tuple` an index for each dimension, so that x[nonzero(x, as_tuple=True)] are these elements.

    >>> import autograd_cnn as ag
    >>> nonzero(ag.tensor([[0, 5], [7, 0]]))
    tensor([[0, 1],
            [1, 0]])
    >>> nonzero(ag.tensor([0, 5, 7]), as_tuple=True)
    (tensor([1, 2]),)
    """
    if as_tuple and not require_tensor("nonzero", input).array.ndim:
        input = input.reshape(1)
    count = int(np.count_nonzero(require_tensor("nonzero", input).device.to_host(input.array)))
    indices = apply(Nonzero(count), input)
    return tuple(index.contiguous() for index in indices.unbind(1)) if as_tuple else indices


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero: (count, input.ndim), in row-major order.

    >>> import autograd_cnn as ag
    >>> argwhere(ag.tensor([0.0, 2.0, 3.0]))
    tensor([[1],
            [2]])
    """
    return nonzero(require_tensor("argwhere", input))


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number) -> Tensor: ...
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where `condition`, else other; all three broadcast.  Of the condition alone, where it is not zero: a tuple.

    Raises DTypeError where `condition` is no bool tensor, ArgumentError where only one of input and other is given.

    >>> import autograd_cnn as ag
    >>> where(ag.tensor([True, False]), 1.0, 2.0)
    tensor([1., 2.])
    >>> where(ag.tensor([True, False, True]))
    (tensor([0, 2]),)
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise ArgumentError(
            f"where: give both input and other or none, got only {'other' if input is None else 'input'}"
        )
    return arithmetic.where(condition, input, other)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 to the largest is in input: y[i] = count of x == i; or the sum of their `weights`.

    input, weights: (n,).  The result has at least `minlength` elements.  Raises ArgumentError for negative numbers,
    ShapeError unless input has one dimension and weights its shape, DTypeError for floats and bools.

    >>> import autograd_cnn as ag
    >>> bincount(ag.tensor([1, 1, 3])), bincount(ag.tensor([1, 1, 3]), ag.tensor([0.5, 1.0, 2.0]))
    (tensor([0, 2, 0, 1]), tensor([0.0000, 1.5000, 0.0000, 2.0000]))
    """
    input = require_integer("bincount", "input", input)
    shape = input.array.shape
    if len(shape) != 1:
        raise ShapeError(f"bincount: input must have one dimension, got shape {list(shape)}")
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength must be at least 0, got {minlength}")
    if weights is not None and require_tensor("bincount", weights).array.shape != shape:
        raise ShapeError(f"bincount: weights has shape {list(weights.array.shape)}, input has {list(shape)}")
    size = minlength
    if shape[0]:
        least, largest = int(input.amin().item()), int(input.amax().item())
        if least < 0:
            raise ArgumentError(f"bincount: input must hold no negative numbers, got {least}")
        size = max(minlength, largest + 1)
    return apply(Bincount(size), *((input,) if weights is None else (input, weights)))


def isin(
    elements: Tensor | Number, test_elements: Tensor | Number, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element is one of `test_elements`; with `invert`, whether it is none.  One of both may be a number.

    >>> import autograd_cnn as ag
    >>> isin(ag.tensor([[1, 2], [3, 4]]), ag.tensor([2, 3]))
    tensor([[False,  True],
            [ True, False]])
    """
    x, values = promoted("isin", elements, test_elements)
    found = apply(IS_IN, x, values)
    return logical_not(found) if invert else found
