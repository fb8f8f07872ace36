"""Batch normalisation layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import ones, tensor, zeros
from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.ops.norm import count_batch

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


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
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        require_sizes(type(self).__name__, 0, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(num_features, **where)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features, **where)) if affine and bias else None)
        self.register_buffer("running_mean", zeros(num_features, **where) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features, **where) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0, device=device) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forgets the batches seen so far."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forgets the batches seen so far and the learned scale and shift."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if len(input.shape) not in self.dimensions:
            expected = " or ".join(str(n) for n in self.dimensions)
            raise ShapeError(
                f"{type(self).__name__}: input must have {expected} dimensions, got shape {list(input.shape)}"
            )
        # Each of the registered tensors is looked up once: there are three registries to search.
        training, mean, var = self.training, self.running_mean, self.running_var
        alone = training or (mean is None and var is None)
        if training and not self.track_running_stats:
            mean = var = None
        seen = self.num_batches_tracked if training and mean is not None else None
        momentum = self.momentum
        if momentum is None:  # the plain mean over all batches so far
            momentum = 0.0 if seen is None else 1.0 / (seen.item() + 1)
        if seen is not None:
            require_changeable("batch_norm", "num_batches_tracked", seen)
        y = F.batch_norm(input, mean, var, self.weight, self.bias, alone, momentum, self.eps)
        if seen is not None:
            count_batch(seen)
        return y

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return 2 * math.prod(output)


class BatchNorm1d(BatchNorm):
    """Normalises each feature over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (N, C) or (N, C, L).  In training by the batch's own mean and (biased) variance, which also move the running
    ones by `momentum`; in evaluation by the running ones.

    S. Ioffe, C. Szegedy: "Batch normalization", 2015.

    >>> import autograd_cnn as ag
    >>> BatchNorm1d(3)(ag.randn(8, 3)).shape
    (8, 3)
    """

    dimensions = (2, 3)


class BatchNorm2d(BatchNorm):
    """Normalises each channel over batch and space: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (N, C, H, W); otherwise as BatchNorm1d.

    >>> import autograd_cnn as ag
    >>> BatchNorm2d(3)(ag.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    dimensions = (4,)


class BatchNorm3d(BatchNorm):
    """Normalises each channel over batch and space: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (N, C, D, H, W); otherwise as BatchNorm1d.

    >>> import autograd_cnn as ag
    >>> BatchNorm3d(3)(ag.randn(2, 3, 2, 4, 4)).shape
    (2, 3, 2, 4, 4)
    """

    dimensions = (5,)
