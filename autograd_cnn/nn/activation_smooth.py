"""Smooth activations, shrinks and gates as modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.activation import Activation, Softmax

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class InPlaceActivation(Activation):
    """An activation that may write its result into its input; says so in its representation."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class SiLU(InPlaceActivation):
    """y = x * sigmoid(x).

    S. Elfwing, E. Uchibe, K. Doya: "Sigmoid-weighted linear units for neural network function approximation", 2017.

    >>> import autograd_cnn as ag
    >>> SiLU()(ag.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(InPlaceActivation):
    """y = x * tanh(ln(1 + e^x)).

    D. Misra: "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import autograd_cnn as ag
    >>> Mish()(ag.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class SELU(InPlaceActivation):
    """y = scale * x where x > 0, else scale * alpha * (e^x - 1), with constants that keep mean 0 and variance 1.

    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter: "Self-normalizing neural networks", 2017.

    >>> import autograd_cnn as ag
    >>> SELU()(ag.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class CELU(InPlaceActivation):
    """y = x where x > 0, else alpha * (e^(x / alpha) - 1).

    J. Barron: "Continuously differentiable exponential linear units", 2017.

    >>> import autograd_cnn as ag
    >>> CELU(alpha=2.0)(ag.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + ", inplace=True" * self.inplace


class RReLU(InPlaceActivation):
    """y = x where x > 0, else a * input: in training a is uniform in [lower, upper), in evaluation their mean.

    B. Xu, N. Wang, T. Chen, M. Li: "Empirical evaluation of rectified activations in convolutional network", 2015.

    >>> import autograd_cnn as ag
    >>> RReLU(0.1, 0.3).eval()(ag.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not lower <= upper:
            raise ArgumentError(f"RReLU: lower must be at most upper, got {lower} and {upper}")
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + ", inplace=True" * self.inplace


class Threshold(InPlaceActivation):
    """y = x where x > threshold, else value.

    >>> import autograd_cnn as ag
    >>> Threshold(0.5, 9.0)(ag.tensor([-1.0, 2.0]))
    tensor([9., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + ", inplace=True" * self.inplace


class Hardsigmoid(InPlaceActivation):
    """y = min(max(x + 3, 0), 6) / 6.

    >>> import autograd_cnn as ag
    >>> Hardsigmoid()(ag.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(InPlaceActivation):
    """y = x * min(max(x + 3, 0), 6) / 6.

    A. Howard et al.: "Searching for MobileNetV3", 2019.

    >>> import autograd_cnn as ag
    >>> Hardswish()(ag.tensor([1.0, 5.0]))
    tensor([0.6667, 5.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Softsign(Activation):
    """y = x / (1 + |x|).

    >>> import autograd_cnn as ag
    >>> Softsign()(ag.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Activation):
    """y = x - tanh(x).

    >>> import autograd_cnn as ag
    >>> Tanhshrink()(ag.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Hardshrink(Activation):
    """y = x where |x| > lambd, else 0.

    >>> import autograd_cnn as ag
    >>> Hardshrink()(ag.tensor([-1.0, 0.25]))
    tensor([-1.,  0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0.

    >>> import autograd_cnn as ag
    >>> Softshrink()(ag.tensor([-1.0, 0.25]))
    tensor([-0.5000,  0.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class GLU(Activation):
    """y = a * sigmoid(b), a and b the halves of input along `dim`.

    Y. Dauphin, A. Fan, M. Auli, D. Grangier: "Language modeling with gated convolutional networks", 2017.

    >>> import autograd_cnn as ag
    >>> GLU()(ag.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Softmax):
    """y = e^-x / sum(e^-x) along `dim`.

    >>> import autograd_cnn as ag
    >>> Softmin(dim=0)(ag.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class Softmax2d(Activation):
    """Softmax over the channels of images: input is (N, C, H, W) or (C, H, W).

    Raises ShapeError for other ranks.

    >>> import autograd_cnn as ag
    >>> Softmax2d()(ag.zeros(2, 1, 1)).tolist()
    [[[0.5]], [[0.5]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: input must have 3 or 4 dimensions, got shape {list(input.shape)}")
        return F.softmax(input, -3)
