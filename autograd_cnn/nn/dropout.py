"""Dropout layers."""

from __future__ import annotations

from typing import Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module


class Dropout(Module):
    """Sets each number to zero with probability p and scales the others by 1 / (1 - p); does nothing in evaluation.

    N. Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> import autograd_cnn as ag
    >>> Dropout(0.5).eval()(ag.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(f"Dropout: p must lie in [0, 1], got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        return F.dropout(x, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
