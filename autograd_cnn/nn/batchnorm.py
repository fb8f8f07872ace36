"""Batch normalisation layers."""

from __future__ import annotations

import math
from typing import Any

from autograd_cnn.creation import ones, tensor, zeros
from autograd_cnn.errors import ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter


class BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d share."""

    dimensions: tuple[int, ...]  # how many the input may have

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features, dtype=dtype)) if affine else None)
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def forward(self, x: Any) -> Any:
        if x.ndim not in self.dimensions:
            expected = " or ".join(str(n) for n in self.dimensions)
            raise ShapeError(f"{type(self).__name__}: x must have {expected} dimensions, got shape {list(x.shape)}")
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the plain mean over all batches so far
                momentum = 1.0 / self.num_batches_tracked.item()
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return 2 * math.prod(output)


class BatchNorm1d(BatchNorm):
    """Normalises each feature over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    x: (N, C) or (N, C, L).  In training by the batch's own mean and (biased) variance, which also move the running
    ones by `momentum`; in evaluation by the running ones.

    S. Ioffe, C. Szegedy: "Batch normalization", 2015.

    >>> import autograd_cnn as ag
    >>> BatchNorm1d(3)(ag.randn(8, 3)).shape
    (8, 3)
    """

    dimensions = (2, 3)


class BatchNorm2d(BatchNorm):
    """Normalises each channel over batch and space: y = (x - mean) / sqrt(var + eps) * weight + bias.

    x: (N, C, H, W); otherwise as BatchNorm1d.

    >>> import autograd_cnn as ag
    >>> BatchNorm2d(3)(ag.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    dimensions = (4,)
