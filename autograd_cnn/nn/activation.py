"""Activations as modules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import full
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Activation(Module):
    """A pointwise function; counts as one operation a number."""

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return math.prod(output)


class ReLU(Activation):
    """y = max(x, 0).

    V. Nair, G. Hinton: "Rectified linear units improve restricted Boltzmann machines", 2010.

    >>> import autograd_cnn as ag
    >>> ReLU()(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Tanh(Activation):
    """y = (e^x - e^-x) / (e^x + e^-x).

    >>> import autograd_cnn as ag
    >>> Tanh()(ag.zeros(1))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class Sigmoid(Activation):
    """y = 1 / (1 + e^-x).

    >>> import autograd_cnn as ag
    >>> Sigmoid()(ag.zeros(1))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class LeakyReLU(Activation):
    """y = x where x > 0, else negative_slope * x.

    >>> import autograd_cnn as ag
    >>> LeakyReLU(0.1)(ag.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + ", inplace=True" * self.inplace


class PReLU(Activation):
    """y = x where x > 0, else a * x with a learned slope a, one or one per channel (dimension 1).

    K. He et al.: "Delving deep into rectifiers", 2015.

    >>> import autograd_cnn as ag
    >>> PReLU()(ag.tensor([[-1.0, 2.0]])).detach()
    tensor([[-0.2500,  2.0000]])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        require_sizes("PReLU", 1, num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Activation):
    """y = x where x > 0, else alpha * (e^x - 1).

    D. Clevert, T. Unterthiner, S. Hochreiter: "Fast and accurate deep network learning by exponential linear units
    (ELUs)", 2015.

    >>> import autograd_cnn as ag
    >>> ELU()(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + ", inplace=True" * self.inplace


class Hardtanh(Activation):
    """y = x kept within [min_val, max_val].

    >>> import autograd_cnn as ag
    >>> Hardtanh()(ag.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ArgumentError(f"Hardtanh: min_val must be less than max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + ", inplace=True" * self.inplace


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6).

    >>> import autograd_cnn as ag
    >>> ReLU6()(ag.tensor([-1.0, 9.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LogSigmoid(Activation):
    """y = log(1 / (1 + e^-x)).

    >>> import autograd_cnn as ag
    >>> LogSigmoid()(ag.zeros(1))
    tensor([-0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class GELU(Activation):
    """y = x * P(X <= x) for standard normal X; `approximate="tanh"` for the faster formula.

    D. Hendrycks, K. Gimpel: "Gaussian error linear units", 2016.

    >>> import autograd_cnn as ag
    >>> GELU()(ag.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Activation):
    """y = log(1 + e^(beta x)) / beta, and x itself where beta x > threshold.

    >>> import autograd_cnn as ag
    >>> Softplus()(ag.zeros(1))
    tensor([0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Activation):
    """y = e^x / sum(e^x) along `dim`; without one, its forward raises ArgumentError.

    >>> import autograd_cnn as ag
    >>> Softmax(dim=0)(ag.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """y = x - log(sum(e^x)) along `dim`.

    >>> import autograd_cnn as ag
    >>> LogSoftmax(dim=0)(ag.zeros(2))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)
