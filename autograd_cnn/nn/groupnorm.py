"""Group normalisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import ones, zeros
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class GroupNorm(Module):
    """Normalises groups of channels of each image: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (N, num_channels, ...), weight and bias: (num_channels,); var is the biased variance.  Training and
    evaluation do the same.

    Y. Wu, K. He: "Group normalization", 2018.

    >>> import autograd_cnn as ag
    >>> GroupNorm(2, 4)(ag.randn(3, 4, 5, 5)).shape
    (3, 4, 5, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        require_sizes("GroupNorm", 1, num_groups=num_groups)
        require_sizes("GroupNorm", 0, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: num_channels {num_channels} is not divisible by num_groups {num_groups}")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(num_channels, **where)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_channels, **where)) if affine and bias else None)

    def reset_parameters(self) -> None:
        """Forgets the learned scale and shift."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return 2 * math.prod(output)
