"""Layers that apply their ReLU while the result is in the cache, and `fuse`, which puts them into a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from autograd_cnn.errors import DTypeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.activation import ReLU
from autograd_cnn.nn.batchnorm import BatchNorm1d, BatchNorm2d
from autograd_cnn.nn.containers import Sequential
from autograd_cnn.nn.conv import Conv1d, Conv2d, Conv3d
from autograd_cnn.nn.linear import Identity, Linear
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

M = TypeVar("M", bound=Module)


class ConvReLU1d(Conv1d):
    """max(Conv1d, 0) in one op; otherwise as Conv1d, with the same entries in its state dict.

    >>> import autograd_cnn as ag
    >>> ConvReLU1d(1, 2, 3)(ag.zeros(1, 1, 5)).shape
    (1, 2, 3)
    """

    function = staticmethod(F.conv1d_relu)


class ConvReLU2d(Conv2d):
    """max(Conv2d, 0) in one op; otherwise as Conv2d, with the same entries in its state dict.

    >>> import autograd_cnn as ag
    >>> y = ConvReLU2d(1, 2, 3)(ag.randn(1, 1, 5, 5))
    >>> y.shape, y.min().item() >= 0
    ((1, 2, 3, 3), True)
    """

    function = staticmethod(F.conv2d_relu)


class ConvReLU3d(Conv3d):
    """max(Conv3d, 0) in one op; otherwise as Conv3d, with the same entries in its state dict.

    >>> import autograd_cnn as ag
    >>> ConvReLU3d(1, 2, 3)(ag.zeros(1, 1, 5, 5, 5)).shape
    (1, 2, 3, 3, 3)
    """

    function = staticmethod(F.conv3d_relu)


class LinearReLU(Linear):
    """max(Linear, 0) in one op; otherwise as Linear, with the same entries in its state dict.

    >>> import autograd_cnn as ag
    >>> LinearReLU(2, 3)(ag.zeros(4, 2)).shape
    (4, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.linear_relu(input, self.weight, self.bias)


RECTIFIED: dict[type[Module], type[Module]] = {
    Conv1d: ConvReLU1d,
    Conv2d: ConvReLU2d,
    Conv3d: ConvReLU3d,
    Linear: LinearReLU,
}
FOLDED: dict[tuple[type[Module], type[Module]], Callable[[Any, Any], Module]] = {
    (Conv1d, BatchNorm1d): fuse_conv_bn_eval,
    (Conv2d, BatchNorm2d): fuse_conv_bn_eval,
    (Linear, BatchNorm1d): fuse_linear_bn_eval,
}


def fuse(model: M) -> M:
    """Joins layers that follow each other in the Sequentials of `model`, in place; returns `model`.

    A convolution or linear layer and the ReLU behind it become one op.  In evaluation mode the batch norm behind one
    is folded into its weight and bias first.  What was joined to its predecessor becomes an Identity, so that
    positions and names stay.  Layers with hooks or a forward of their own stay as they are, and so do the layers of a
    Sequential whose class has one.  What a `forward` does is not seen: call `F.conv2d_relu` and `F.linear_relu` there,
    and do not fuse a model that also calls single layers of its Sequentials.

    The numbers are those of the separate layers up to rounding, the parameters the same objects (but for those that a
    batch norm was folded into, which are copies).  A picture of the graph shows one node for both layers, which is why
    this is never done unasked.

    >>> from autograd_cnn import nn
    >>> fuse(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    Sequential(
      (0): LinearReLU(in_features=2, out_features=3, bias=True)
      (1): Identity()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    if not isinstance(model, Module):
        raise DTypeError(f"fuse: model must be a Module, got {type(model).__name__}")
    for module in list(model.modules()):
        if isinstance(module, Sequential) and type(module).forward is Sequential.forward:
            _fuse_neighbours(module)
    return model


def _fuse_neighbours(layers: Sequential) -> None:
    kept = 0  # the position that the next layer may be joined to
    for i in range(1, len(layers)):
        first, second = layers[kept], layers[i]
        joined = None if _changed(first) or _changed(second) else _joined(first, second)
        if joined is None:
            kept = i
        else:
            layers[kept], layers[i] = joined, Identity()


def _joined(first: Module, second: Module) -> Module | None:
    """One layer for two, or None where there is none."""
    if type(second) is ReLU and type(first) in RECTIFIED:
        return _turned_into(RECTIFIED[type(first)], first)
    fold = FOLDED.get((type(first), type(second)))
    if fold is None or first.training or second.training or second.running_mean is None:
        return None
    return fold(first, second)


def _turned_into(kind: type[M], layer: Module) -> M:
    """A layer of another class with the same attributes: parameters, buffers and settings."""
    other = kind.__new__(kind)
    vars(other).update(vars(layer))
    return other


def _changed(module: Module) -> bool:
    """Whether it does more than its class says."""
    hooked = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    return bool(hooked) or "forward" in vars(module)
