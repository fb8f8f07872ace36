"""Layer normalisation, by mean and variance or by the mean square alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import ones, zeros
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class LayerNorm(Module):
    """Normalises each sample over its last dimensions: y = (x - mean) / sqrt(var + eps) * weight + bias.

    input: (..., *normalized_shape), weight and bias: normalized_shape; var is the biased variance.  Training and
    evaluation do the same.

    Raises ShapeError where input does not end in `normalized_shape`.

    J. L. Ba, J. R. Kiros, G. E. Hinton: "Layer normalization", 2016.

    >>> import autograd_cnn as ag
    >>> LayerNorm(3)(ag.randn(8, 3)).shape
    (8, 3)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        require_sizes("LayerNorm", 0, **{f"normalized_shape[{i}]": size for i, size in enumerate(shape)})
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(*shape, **where)) if elementwise_affine else None)
        self.register_parameter("bias", Parameter(zeros(*shape, **where)) if elementwise_affine and bias else None)

    def reset_parameters(self) -> None:
        """Forgets the learned scale and shift."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return 2 * math.prod(output)


class RMSNorm(Module):
    """Divides each sample by the root of its mean square: y = x / sqrt(mean(x^2) + eps) * weight.

    input: (..., *normalized_shape), weight: normalized_shape; eps is the spacing of the dtype's numbers at 1 unless
    given.

    B. Zhang, R. Sennrich: "Root mean square layer normalization", 2019.

    >>> import autograd_cnn as ag
    >>> RMSNorm(3)(ag.randn(8, 3)).shape
    (8, 3)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        require_sizes("RMSNorm", 0, **{f"normalized_shape[{i}]": size for i, size in enumerate(shape)})
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(*shape, **where)) if elementwise_affine else None)

    def reset_parameters(self) -> None:
        """Forgets the learned scale."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return 2 * math.prod(output)
