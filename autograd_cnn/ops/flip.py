"""The same elements in another order: flip and roll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.dim import distinct, one_dim
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.size import as_size

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class Flip(Op):
    inputs = ("x",)

    def __init__(self, dims: tuple[int, ...]) -> None:
        self.dims = dims

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.copy(np.flip(x, self.dims), out)

    def vjp_x(self, g: Any) -> Any:
        return apply(self, g)


class Roll(Op):
    """Elements moved by `shift` along `dim`, those that leave at one end entering at the other."""

    inputs = ("x",)

    def __init__(self, shift: int, dim: int) -> None:
        self.shift = shift
        self.dim = dim

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        if not x.size:
            return
        shift = self.shift % x.shape[self.dim]
        before = (slice(None),) * self.dim
        if shift:
            k.copy(x[(*before, slice(-shift, None))], out[(*before, slice(shift))])
        k.copy(x[(*before, slice(x.shape[self.dim] - shift))], out[(*before, slice(shift, None))])

    def vjp_x(self, g: Any) -> Any:
        return apply(Roll(-self.shift, self.dim), g)


def flip(input: Tensor, *given: Ints, dims: Ints | None = None) -> Tensor:
    """A copy with the order of elements reversed along `dims`.

    >>> import autograd_cnn as ag
    >>> flip(ag.tensor([[1, 2], [3, 4]]), 1)
    tensor([[2, 1],
            [4, 3]])
    """
    dims = as_size("flip", given, "dims", dims)
    return apply(
        Flip(distinct("flip", dims, input.array.ndim, "dims") if require_tensor("flip", input).array.ndim else ()),
        input,
    )


def fliplr(input: Tensor) -> Tensor:
    """A copy with the columns, dimension 1, in reverse order; raises ShapeError for fewer than two dimensions.

    >>> import autograd_cnn as ag
    >>> fliplr(ag.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    return flip(_of("fliplr", input, 2), 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with the rows, dimension 0, in reverse order; raises ShapeError for a number.

    >>> import autograd_cnn as ag
    >>> flipud(ag.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    return flip(_of("flipud", input, 1), 0)


def _of(op: str, x: Any, dims: int) -> Any:
    shape = require_tensor(op, x).array.shape
    if len(shape) < dims:
        raise ShapeError(f"{op}: takes at least {dims} dimension{'s' * (dims > 1)}, input has shape {list(shape)}")
    return x


def roll(input: Tensor, shifts: Ints, dims: Ints | None = None) -> Tensor:
    """A copy with elements moved by `shifts` along `dims`, those that leave at one end entering at the other.

    Without `dims`, input is rolled as if flat.  Raises ArgumentError where shifts and dims differ in number.

    >>> import autograd_cnn as ag
    >>> roll(ag.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    """
    if dims is None:
        return roll(require_tensor("roll", input).reshape(-1), shifts, 0).reshape(input.array.shape)
    shape = require_tensor("roll", input).array.shape
    if not shape:
        raise IndexOutOfRangeError(f"roll: dims {dims} are given, but input has no dimensions")
    dims = dims if isinstance(dims, list | tuple) else (dims,)
    shifts = as_size("roll", (shifts,), "shifts")
    if len(shifts) != len(dims):
        raise ArgumentError(f"roll: {len(shifts)} shifts but {len(dims)} dims")
    y = input
    for shift, dim in zip(shifts, [one_dim("roll", dim, len(shape)) for dim in dims], strict=True):
        y = apply(Roll(shift, dim), y)
    return y
