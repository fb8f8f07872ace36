"""The product of vectors in three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.operand import broadcast, require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Cross(Op):
    """x times other along `dim`; its vjps are products of the same kind."""

    inputs = ("x", "other")

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any, other: Any) -> Any:
        return broadcast("cross", x.shape, other.shape), x.dtype

    def compute(self, k: Any, out: Any, x: Any, other: Any) -> None:
        k.cross(x, other, self.dim, out)

    def vjp_x(self, g: Any, other: Any) -> Any:
        return apply(self, other, g)

    def vjp_other(self, g: Any, x: Any) -> Any:
        return apply(self, g, x)


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vectors that stand on input and other: y = (x1 o2 - x2 o1, x2 o0 - x0 o2, x0 o1 - x1 o0) along `dim`.

    input and other have as many dimensions, and broadcast but for `dim`, whose size is 3; without it, it is the first
    of size 3.  Raises ShapeError where that is not so, DTypeError for two dtypes.

    >>> import autograd_cnn as ag
    >>> cross(ag.tensor([1, 0, 0]), ag.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    shape, others = require_tensor("cross", input).array.shape, require_tensor("cross", other).array.shape
    if input.array.dtype != other.array.dtype:
        raise DTypeError(f"cross: input has dtype {input.array.dtype}, other has {other.array.dtype}")
    if input.array.dtype.kind == "b":
        raise DTypeError("cross: takes numbers, got bool")
    if len(shape) != len(others):
        raise ShapeError(f"cross: input {list(shape)} and other {list(others)} must have as many dimensions")
    if dim is None:
        if 3 not in shape:
            raise ShapeError(f"cross: input {list(shape)} has no dimension of size 3")
        dim = shape.index(3)
    dim = one_dim("cross", dim, len(shape))
    if shape[dim : dim + 1] != (3,) or others[dim : dim + 1] != (3,):
        raise ShapeError(f"cross: dim {dim} of input {list(shape)} and other {list(others)} must have size 3")
    return apply(Cross(dim), input, other)
