"""Activation functions that write their result into their tensor."""

from __future__ import annotations

from typing import Any

from autograd_cnn.ops import activation, noisy, piecewise, smooth


def relu_(x: Any) -> Any:
    """`relu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> relu_(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return activation.relu(x, inplace=True)


def leaky_relu_(x: Any, negative_slope: float = 0.01) -> Any:
    """`leaky_relu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> leaky_relu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return activation.leaky_relu(x, negative_slope, inplace=True)


def hardtanh_(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """`hardtanh` in place; returns x.

    >>> import autograd_cnn as ag
    >>> hardtanh_(ag.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    return activation.hardtanh(x, min_val, max_val, inplace=True)


def elu_(x: Any, alpha: float = 1.0) -> Any:
    """`elu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> elu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return activation.elu(x, alpha, inplace=True)


def selu_(x: Any) -> Any:
    """`selu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> selu_(ag.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return smooth.selu(x, inplace=True)


def celu_(x: Any, alpha: float = 1.0) -> Any:
    """`celu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> celu_(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return smooth.celu(x, alpha, inplace=True)


def rrelu_(x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Any:
    """`rrelu` in place; returns x.

    >>> import autograd_cnn as ag
    >>> rrelu_(ag.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    return noisy.rrelu(x, lower, upper, training, inplace=True)


def threshold_(x: Any, threshold: float, value: float) -> Any:
    """`threshold` in place; returns x.

    >>> import autograd_cnn as ag
    >>> threshold_(ag.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    return piecewise.threshold(x, threshold, value, inplace=True)
