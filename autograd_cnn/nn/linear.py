"""Dense layers and what changes shapes between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import empty
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def reset_weight_and_bias(weight: Parameter, bias: Parameter | None) -> None:
    """PyTorch's default: both uniform in [-1/sqrt(fan_in), 1/sqrt(fan_in)]."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        fan_in, _ = init.fans(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(bias, -bound, bound)


class Linear(Module):
    """A dense layer: y = x W^T + b.

    input: (..., in_features), weight: (out_features, in_features), bias: (out_features,), y: (..., out_features)

    >>> import autograd_cnn as ag
    >>> Linear(4, 2)(ag.zeros(3, 4)).shape
    (3, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        require_sizes("Linear", 0, in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return math.prod(output) * (2 * self.in_features + (self.bias is not None))


class Bilinear(Module):
    """A layer that is linear in both inputs: y_o = sum_(i, j) x1_i W_(o, i, j) x2_j + b_o.

    x1: (..., in1_features), x2: (..., in2_features), weight: (out_features, in1_features, in2_features), bias:
    (out_features,), y: (..., out_features)

    >>> import autograd_cnn as ag
    >>> Bilinear(4, 3, 2)(ag.zeros(5, 4), ag.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = {"in1_features": in1_features, "in2_features": in2_features, "out_features": out_features}
        require_sizes("Bilinear", 1, in1_features=in1_features)
        require_sizes("Bilinear", 0, **sizes)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = Parameter(empty(out_features, in1_features, in2_features, **where))
        self.register_parameter("bias", Parameter(empty(out_features, **where)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values, uniform in [-1/sqrt(in1_features), 1/sqrt(in1_features)]."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """Hands its input on; takes and ignores any arguments.

    >>> import autograd_cnn as ag
    >>> Identity()(ag.ones(1))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """Makes one dimension of those from `start_dim` to `end_dim`: (N, C, H, W) becomes (N, C*H*W).

    >>> import autograd_cnn as ag
    >>> Flatten()(ag.zeros(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one dimension into several: the inverse of Flatten.

    >>> import autograd_cnn as ag
    >>> Unflatten(1, (3, 4))(ag.zeros(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
