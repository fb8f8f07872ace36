"""Normalisation: by channel over a batch, and by sample over its features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_cnn.dtype import float64
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.op import FusedOp, Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.elementwise import rsqrt
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.reduce import mean


class BatchNorm(FusedOp):
    """Training: every channel of x (N, C, ...) by its own mean and variance, which are outputs too."""

    inputs = ("x", "weight", "bias")
    outputs = ("y", "mean", "invstd", "var")
    auxiliary = ("mean", "invstd", "var")

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def infer(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        by_channel = (x.shape[1:2], float64)
        return [(x.shape, x.dtype), by_channel, by_channel, by_channel]

    def compute(self, k: Any, out: Any, x: Any, weight: Any = None, bias: Any = None) -> None:
        y, *statistics = out
        k.batch_norm_train(_lines(x), weight, bias, self.eps, _lines(y), *statistics)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, mean: Any, invstd: Any) -> None:
        channels = x.shape[1:2]
        # The kernel makes all three in one go; what nobody wants goes into memory that is dropped.
        gx, gw, gb = (
            np.empty(shape, x.dtype) if array is None else array
            for array, shape in zip((*out, None, None)[:3], (x.shape, channels, channels), strict=True)
        )
        k.batch_norm_grad(_lines(g), _lines(x), weight, mean, invstd, _lines(gx), gw, gb)

    def composite(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        dims = (0, *range(2, x.ndim))
        y = _standardised(x, dims, self.eps)
        shape = (-1, *(1,) * (x.ndim - 2))
        if weight is not None:
            y = y * weight.reshape(shape)
        return y if bias is None else y + bias.reshape(shape)


class ChannelAffine(Op):
    """x * scale + shift, scale and shift by channel."""

    inputs = ("x", "scale", "shift")

    def infer(self, x: Any, scale: Any, shift: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, scale: Any, shift: Any) -> None:
        k.batch_norm_apply(_lines(x), scale, shift, _lines(out))

    def vjp_x(self, g: Any, scale: Any) -> Any:
        return g * scale.reshape(-1, *(1,) * (g.ndim - 2))

    def vjp_scale(self, g: Any, x: Any) -> Any:
        return (g * x).sum((0, *range(2, g.ndim)))

    def vjp_shift(self, g: Any) -> Any:
        return g.sum((0, *range(2, g.ndim)))


CHANNEL_AFFINE = ChannelAffine()


def _standardised(x: Any, dims: tuple[int, ...], eps: float) -> Any:
    """x with mean 0 and, but for eps, variance 1 over `dims`."""
    centred = x - mean(x, dims, keepdim=True)
    return centred * rsqrt(mean(centred * centred, dims, keepdim=True) + eps)


def _lines(x: Any) -> Any:
    """(N, C, ...) as (N, C, S)."""
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel with mean 0 and variance 1, then scaled and shifted (Ioffe and Szegedy 2015).

    y = (x - mean) / sqrt(var + eps) * weight + bias, by channel.  In training mean and (biased) variance are
    the batch's own, and the running ones, where given, change in place: running = (1 - momentum) running +
    momentum * batch's, with the unbiased variance.  In evaluation the running ones are used.

    x: (N, C, ...), the others: (C,) or None.

    Raises ShapeError where sizes do not fit, ArgumentError in evaluation without running statistics and in
    training with one value a channel, DTypeError for mixed dtypes.

    >>> import autograd_cnn as ag
    >>> batch_norm(ag.tensor([[0.0, 1.0], [2.0, 5.0]]), training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """
    parameters = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    require_floating("batch_norm", x=x, **parameters)
    shape = require_tensor("batch_norm", x).array.shape
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: x must be (N, C, ...), got shape {list(shape)}")
    channels = shape[1]
    for name, tensor in parameters.items():
        if tensor is not None and tensor.array.shape != (channels,):
            raise ShapeError(f"batch_norm: {name} has shape {list(tensor.array.shape)}, x has {channels} channels")
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: evaluation needs running_mean and running_var, got None")
        scale = rsqrt(running_var + eps)
        scale = scale if weight is None else scale * weight
        shift = -running_mean * scale if bias is None else bias - running_mean * scale
        return apply(CHANNEL_AFFINE, x, scale, shift)
    count = x.array.size // max(channels, 1)
    if count <= 1:
        raise ArgumentError(f"batch_norm: training needs 2 values a channel, x has shape {list(shape)}")
    if weight is None and bias is not None:
        weight = bias.new_ones(channels)
    y, centre, _, variance = apply(BatchNorm(float(eps)), *(t for t in (x, weight, bias) if t is not None))
    with no_grad():
        _move(running_mean, centre, momentum)
        _move(running_var, variance * (count / max(count - 1, 1)), momentum)
    return y


def _move(running: Any, current: Any, momentum: float) -> None:
    if running is not None:
        running.mul_(1 - momentum).add_(cast(current, running.array.dtype) * momentum)


def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each sample with mean 0 and variance 1 over its last dimensions, scaled and shifted (Ba et al. 2016).

    y = (x - mean) / sqrt(var + eps) * weight + bias, var being the biased variance.
    x: (..., *normalized_shape), weight and bias: normalized_shape or None.

    Raises ShapeError where x does not end in `normalized_shape`, or weight or bias do not have it.

    >>> import autograd_cnn as ag
    >>> layer_norm(ag.tensor([[1.0, 3.0], [0.0, 4.0]]), 2)
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    require_floating("layer_norm", x=x, weight=weight, bias=bias)
    size = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    shape = require_tensor("layer_norm", x).array.shape
    if not size or shape[len(shape) - len(size) :] != size or len(size) > len(shape):
        raise ShapeError(f"layer_norm: x, {list(shape)}, does not end in normalized_shape {list(size)}")
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.array.shape != size:
            raise ShapeError(
                f"layer_norm: {name} has shape {list(tensor.array.shape)}, normalized_shape is {list(size)}"
            )
    dims = tuple(range(len(shape) - len(size), len(shape)))
    y = _standardised(x, dims, eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
