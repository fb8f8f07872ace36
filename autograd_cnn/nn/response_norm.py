"""Local response normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class LocalResponseNorm(Module):
    """y = x / (k + alpha * m)^beta, m the mean of the squares of `size` neighbouring channels; input: (N, C, ...).

    A. Krizhevsky, I. Sutskever, G. Hinton: "ImageNet classification with deep convolutional neural networks", 2012.

    >>> import autograd_cnn as ag
    >>> LocalResponseNorm(3)(ag.randn(2, 4, 5, 5)).shape
    (2, 4, 5, 5)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
