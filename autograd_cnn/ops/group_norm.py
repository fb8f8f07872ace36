"""Normalisation of groups of channels of single images: group norm, instance norm, local response norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import float64
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.avg_pool import avg_pool2d
from autograd_cnn.ops.norm import by_channel_affine, check_channels, evaluate, move_running, parameters_of, standardised
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.pad import pad

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class GroupNorm(FusedOp):
    """Each of the groups of channels of each image of x (N, C, ...) by its own mean and variance.

    statistics (3, N groups) float64: mean, 1 / sqrt(var + eps) and var.
    """

    inputs = ("x", "weight", "bias")
    outputs = ("y", "statistics")
    auxiliary = ("statistics",)

    def __init__(self, groups: int, eps: float) -> None:
        self.groups = groups
        self.eps = eps

    def infer(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        return [(x.shape, x.dtype), ((3, x.shape[0] * self.groups), float64)]

    def compute(self, k: Any, out: Any, x: Any, weight: Any = None, bias: Any = None) -> None:
        k.group_norm(x, self.groups, weight, bias, self.eps, *out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, statistics: Any) -> None:
        k.group_norm_grad(g, x, self.groups, weight, statistics, *(*out, None, None)[:3])

    def composite(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        shape = x.array.shape
        grouped = x.reshape(shape[0], self.groups, math.prod(shape[1:]) // self.groups)
        return by_channel_affine(standardised(grouped, (2,), self.eps).reshape(shape), weight, bias)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of each image with mean 0 and variance 1, then scaled and shifted (Wu and He 2018).

    y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance over a group, weight and bias by
    channel.  input: (N, C, ...), weight and bias: (C,) or None.

    Raises ShapeError where sizes do not fit, ArgumentError where the groups do not divide the channels
    and for a single image with groups of one value.

    >>> import autograd_cnn as ag
    >>> group_norm(ag.tensor([[0.0, 2.0, 5.0, 7.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    channels = check_channels("group_norm", input, None, None, weight, bias)
    if num_groups < 1 or channels % num_groups:
        raise ArgumentError(f"group_norm: num_groups must divide the {channels} channels of input, got {num_groups}")
    if input.array.size == num_groups:
        raise ArgumentError(f"group_norm: needs 2 values a group, input has shape {list(input.array.shape)}")
    return _normalised(input, num_groups, weight, bias, eps)[0]


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each image with mean 0 and variance 1, then scaled and shifted (Ulyanov et al. 2016).

    y = (x - mean) / sqrt(var + eps) * weight + bias.  With `use_input_stats` mean and (biased) variance are the
    image's own, and the running ones, where given, change in place towards the mean over the batch, as batch norm's
    do; else the running ones are used.

    input: (N, C, ...), the others: (C,) or None.

    Raises ShapeError where sizes do not fit, ArgumentError without statistics and for channels of one value.

    >>> import autograd_cnn as ag
    >>> instance_norm(ag.tensor([[[0.0, 2.0], [5.0, 9.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    channels = check_channels("instance_norm", input, running_mean, running_var, weight, bias)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "instance_norm: without use_input_stats it needs running_mean and running_var, got None"
            )
        return evaluate(input, running_mean, running_var, weight, bias, eps)
    shape = input.array.shape
    count = math.prod(shape[2:])
    if count == 1:
        raise ArgumentError(f"instance_norm: needs 2 values a channel, input has shape {list(shape)}")
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is not None:
            require_changeable("instance_norm", name, running)
    y, statistics = _normalised(input, channels, weight, bias, eps)
    if input.array.size and (running_mean is not None or running_var is not None):
        of_batch = statistics.array.reshape(3, shape[0], channels).mean(1)
        move_running(running_mean, running_var, of_batch, count / (count - 1), float(momentum))
    return y


def _normalised(x: Any, groups: int, weight: Any, bias: Any, eps: float) -> Any:
    return apply(GroupNorm(groups, float(eps)), x.contiguous(), *parameters_of(weight, bias))


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each value divided by (k + alpha * mean)^beta, the mean of squares of `size` neighbouring channels.

    The window reaches size // 2 channels back; channels that are not there count as 0 (Krizhevsky et al. 2012).

    input: (N, C, ...).  Raises ShapeError for fewer than 3 dimensions, ArgumentError for a size below 1.

    >>> import autograd_cnn as ag
    >>> local_response_norm(ag.tensor([[[1.0], [2.0], [3.0]]]), 3, alpha=3.0, beta=1.0, k=0.0)
    tensor([[[0.2000],
             [0.1429],
             [0.2308]]])
    """
    require_floating("local_response_norm", input=input)
    shape = input.array.shape
    if len(shape) < 3:
        raise ShapeError(f"local_response_norm: input must be (N, C, ...) with 3 dimensions or more, got {list(shape)}")
    if size < 1:
        raise ArgumentError(f"local_response_norm: size must be at least 1, got {size}")
    if not input.array.size:
        return input
    squares = (input * input).reshape(shape[0], 1, shape[1], math.prod(shape[2:]))
    squares = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    return input / (avg_pool2d(squares, (size, 1), 1).reshape(shape) * alpha + k) ** beta
