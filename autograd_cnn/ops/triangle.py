"""Triangles of matrices: tril and triu."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Triangle(Op):
    """Matrices with zeros above (`lower`) or below a diagonal."""

    inputs = ("x",)
    in_place = True

    def __init__(self, diagonal: int, lower: bool) -> None:
        self.diagonal = diagonal
        self.lower = lower

    def infer(self, x: Any) -> Any:
        if x.ndim < 2:
            op = "tril" if self.lower else "triu"
            raise ShapeError(f"{op}: takes at least 2 dimensions, input has shape {list(x.shape)}")
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.triangle(x, self.diagonal, self.lower, out)

    def vjp_x(self, g: Any) -> Any:
        return apply(self, g)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the matrices x (..., M, N): y[..., i, j] = x[..., i, j] where j - i <= diagonal, else 0.

    >>> import autograd_cnn as ag
    >>> tril(ag.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return apply(Triangle(index(diagonal), True), require_tensor("tril", input))


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the matrices x (..., M, N): y[..., i, j] = x[..., i, j] where j - i >= diagonal, else 0.

    >>> import autograd_cnn as ag
    >>> triu(ag.ones(2, 3), 1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return apply(Triangle(index(diagonal), False), require_tensor("triu", input))


def tril_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`tril` in place; returns input.

    >>> import autograd_cnn as ag
    >>> tril_(ag.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return apply_inplace(Triangle(index(diagonal), True), require_tensor("tril_", input))


def triu_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`triu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> triu_(ag.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return apply_inplace(Triangle(index(diagonal), False), require_tensor("triu_", input))
