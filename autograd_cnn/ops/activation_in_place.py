"""Activation functions that write their result into their tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_cnn.ops import activation, noisy, piecewise, smooth

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def relu_(input: Tensor) -> Tensor:
    """`relu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> relu_(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return activation.relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> leaky_relu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return activation.leaky_relu(input, negative_slope, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place; returns input.

    >>> import autograd_cnn as ag
    >>> hardtanh_(ag.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    return activation.hardtanh(input, min_val, max_val, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> elu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return activation.elu(input, alpha, inplace=True)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> selu_(ag.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return smooth.selu(input, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> celu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return smooth.celu(input, alpha, inplace=True)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place; returns input.

    >>> import autograd_cnn as ag
    >>> rrelu_(ag.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    return noisy.rrelu(input, lower, upper, training, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place; returns input.

    >>> import autograd_cnn as ag
    >>> threshold_(ag.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    return piecewise.threshold(input, threshold, value, inplace=True)
