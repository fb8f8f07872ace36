"""Folding a batch norm in evaluation mode into the weight and bias of the layer before it."""

from __future__ import annotations

import copy
from typing import Any, TypeVar, cast

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.ops.elementwise import rsqrt

M = TypeVar("M", bound=Module)


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """The weight and bias of one convolution that does what a convolution and a batch norm behind it do.

    With s = bn_w / sqrt(bn_rv + bn_eps), by output channel:  w = conv_w * s,  b = (conv_b - bn_rm) * s + bn_b.
    conv_b may be None for 0, bn_w for 1 and bn_b for 0.

    >>> import autograd_cnn as ag
    >>> one, four = ag.ones(1), ag.full((1,), 4.0)
    >>> w, b = fuse_conv_bn_weights(ag.ones(1, 1, 1, 1), None, one, four, 0.0, None, None)
    >>> w.item(), b.item()
    (0.5, -0.5)
    """
    with no_grad():
        scale = rsqrt(bn_rv + bn_eps)
        scale = scale if bn_w is None else scale * bn_w
        weight = conv_w * scale.reshape(-1, *(1,) * (conv_w.ndim - 1))
        bias = -bn_rm * scale if conv_b is None else (conv_b - bn_rm) * scale
        bias = bias if bn_b is None else bias + bn_b
    given = conv_w if conv_b is None else conv_b
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, given.requires_grad)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """`fuse_conv_bn_weights` for the weight (O, I) and bias of a linear layer.

    >>> import autograd_cnn as ag
    >>> one = ag.ones(1)
    >>> fuse_linear_bn_weights(ag.ones(1, 1), one, one, one, 0.0, one, one)[1].item()
    1.0
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_conv_bn_eval(conv: M, bn: Any) -> M:
    """A copy of `conv` that does what it and the batch norm `bn` behind it do, both in evaluation mode.

    Raises ArgumentError where one of them is in training mode, or `bn` has no running statistics.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> conv, bn, x = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval(), ag.ones(1, 1, 4, 4)
    >>> ag.abs(fuse_conv_bn_eval(conv, bn)(x) - bn(conv(x))).max().item() < 1e-5
    True
    """
    return _fused("fuse_conv_bn_eval", conv, bn)


def fuse_linear_bn_eval(linear: M, bn: Any) -> M:
    """A copy of `linear` that does what it and the batch norm `bn` behind it do; otherwise as `fuse_conv_bn_eval`.

    >>> from autograd_cnn import nn
    >>> fuse_linear_bn_eval(nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval())
    Linear(in_features=2, out_features=3, bias=True)
    """
    return _fused("fuse_linear_bn_eval", linear, bn)


def _fused(what: str, layer: M, bn: Any) -> M:
    for name, module in (("the layer", layer), ("the batch norm", bn)):
        if module.training:
            raise ArgumentError(f"{what}: {name} is in training mode; call eval() on both")
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"{what}: the batch norm has no running statistics (track_running_stats=False)")
    fused: Any = copy.deepcopy(layer)
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    fused.weight, fused.bias = fuse_conv_bn_weights(fused.weight, fused.bias, *statistics)
    return cast(M, fused)
