"""Instance normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.batchnorm import BatchNorm

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class InstanceNorm(BatchNorm):
    """What InstanceNorm1d, 2d and 3d share; `dimensions` are those of an image and of a batch."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        ndim = len(input.shape)
        if ndim not in self.dimensions:
            expected = " or ".join(str(n) for n in self.dimensions)
            raise ShapeError(
                f"{type(self).__name__}: input must have {expected} dimensions, got shape {list(input.shape)}"
            )
        alone = ndim == self.dimensions[0]
        channels = input.shape[0 if alone else 1]
        if channels != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: input has {channels} channels, num_features is {self.num_features}"
            )
        of_image = self.training or not self.track_running_stats
        y = F.instance_norm(
            input.unsqueeze(0) if alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            of_image,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if alone else y


class InstanceNorm1d(InstanceNorm):
    """Normalises each channel of each sequence: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (N, C, L) or (C, L).  By the sequence's own mean and (biased) variance, in evaluation with
    `track_running_stats` by the running ones.  There are no weight and bias unless `affine`.

    D. Ulyanov, A. Vedaldi, V. Lempitsky: "Instance normalization", 2016.

    >>> import autograd_cnn as ag
    >>> InstanceNorm1d(3)(ag.randn(8, 3, 5)).shape
    (8, 3, 5)
    """

    dimensions = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Normalises each channel of each image: input is (N, C, H, W) or (C, H, W); otherwise as InstanceNorm1d.

    >>> import autograd_cnn as ag
    >>> InstanceNorm2d(3)(ag.randn(3, 4, 4)).shape
    (3, 4, 4)
    """

    dimensions = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """Normalises each channel of each volume: input is (N, C, D, H, W) or (C, D, H, W); otherwise as InstanceNorm1d.

    >>> import autograd_cnn as ag
    >>> InstanceNorm3d(3)(ag.randn(2, 3, 2, 4, 4)).shape
    (2, 3, 2, 4, 4)
    """

    dimensions = (4, 5)
