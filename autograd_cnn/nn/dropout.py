"""Dropout layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Dropout(Module):
    """Sets each number to zero with probability p and scales the others by 1 / (1 - p); does nothing in evaluation.

    N. Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> import autograd_cnn as ag
    >>> Dropout(0.5).eval()(ag.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not isinstance(p, int | float) or not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: p must lie in [0, 1], got {p!r}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Dropout of whole channels: input is (N, C, L) or (C, L).

    >>> import autograd_cnn as ag
    >>> y = Dropout1d(0.5)(ag.ones(1, 8, 2))
    >>> {channel.sum().item() for channel in y[0]} <= {0.0, 4.0}
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Dropout of whole channels: input is (N, C, H, W) or (C, H, W).

    J. Tompson et al.: "Efficient object localization using convolutional networks", 2015.

    >>> import autograd_cnn as ag
    >>> y = Dropout2d(0.5)(ag.ones(1, 8, 2, 2))
    >>> {channel.sum().item() for channel in y[0]} <= {0.0, 8.0}
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """Dropout of whole channels: input is (N, C, D, H, W) or (C, D, H, W).

    >>> import autograd_cnn as ag
    >>> y = Dropout3d(0.5)(ag.ones(1, 8, 1, 1, 2))
    >>> {channel.sum().item() for channel in y[0]} <= {0.0, 4.0}
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """Sets each number to the value that SELU saturates at with probability p, and keeps mean 0 and variance 1.

    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter: "Self-normalizing neural networks", 2017.

    >>> import autograd_cnn as ag
    >>> AlphaDropout(0.5).eval()(ag.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(Dropout):
    """AlphaDropout of whole channels: input is (N, C, ...).

    >>> import autograd_cnn as ag
    >>> FeatureAlphaDropout(0.5).eval()(ag.ones(1, 2))
    tensor([[1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
