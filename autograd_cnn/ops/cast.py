"""Copies: to another dtype, or into fresh memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, detach

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class To(Op):
    """Conversion to another dtype; the engine casts the gradient back."""

    inputs = ("x",)

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def infer(self, x: Any) -> Any:
        return x.shape, self.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.copy(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g


class Clone(Op):
    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.copy(x, out)

    def vjp_x(self, g: Any) -> Any:
        return g


CLONE = Clone()


def cast(x: Any, dtype: np.dtype) -> Any:
    """`x` in `dtype`; `x` itself where it has that dtype already."""
    if x.array.dtype is dtype or x.array.dtype == dtype:
        return x
    # Integers and bools have no gradient: they are out of the graph.
    return apply(To(dtype), x if dtype.kind == "f" else detach(x))


def clone(input: Tensor) -> Tensor:
    """A copy in fresh contiguous memory: y = x.

    >>> import autograd_cnn as ag
    >>> x = ag.ones(2)
    >>> y = clone(x)
    >>> y.add_(1), x
    (tensor([2., 2.]), tensor([1., 1.]))
    """
    return apply(CLONE, input)
