"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.ops.elementwise import rsqrt
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.reduce import mean


def _normalised(x: Any, centre: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Any:
    """(x - centre) / sqrt(variance + eps) * weight + bias, everything but x by channel."""
    shape = (1, -1, *(1,) * (x.array.ndim - 2))
    scale = rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    y = (x - centre.reshape(shape)) * scale.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


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
    shape = x.array.shape
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: x must be (N, C, ...), got shape {list(shape)}")
    channels = shape[1]
    for name, tensor in parameters.items():
        if tensor is not None and tensor.array.shape != (channels,):
            raise ShapeError(
                f"batch_norm: {name} has shape {list(tensor.array.shape)}, x has {channels} channels"
            )
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: evaluation needs running_mean and running_var, got None")
        return _normalised(x, running_mean, running_var, weight, bias, eps)
    count = x.array.size // max(channels, 1)
    if count <= 1 and x.array.size:
        raise ArgumentError(f"batch_norm: training needs 2 values a channel, x has shape {list(shape)}")
    dims = (0, *range(2, len(shape)))
    centre = mean(x, dims)
    centred = x - centre.reshape((1, -1, *(1,) * (len(shape) - 2)))
    variance = mean(centred * centred, dims)
    with no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(centre.detach() * momentum)
        if running_var is not None:
            running_var.mul_(1 - momentum).add_(variance.detach() * (momentum * count / (count - 1)))
    return _normalised(x, centre, variance, weight, bias, eps)
