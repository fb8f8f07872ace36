"""Normalisation: by channel over a batch, and by sample over its features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import float64, int64
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.elementwise import rsqrt
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.reduce import mean

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

ONE = np.ones((), int64)


class BatchNorm(FusedOp):
    """Training: every channel of x (N, C, ...) by its own mean and variance.

    statistics (3, C) float64: mean, 1 / sqrt(var + eps) and var.
    """

    inputs = ("x", "weight", "bias")
    outputs = ("y", "statistics")
    auxiliary = ("statistics",)
    gradient_overwrites = True

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def infer(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        return [(x.shape, x.dtype), ((3, x.shape[1]), float64)]

    def compute(self, k: Any, out: Any, x: Any, weight: Any = None, bias: Any = None) -> None:
        k.batch_norm_train(x, weight, bias, self.eps, *out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, statistics: Any) -> None:
        gx, gw, gb = (*out, None, None)[:3]
        k.batch_norm_grad(g, x, weight, statistics, True, gx, gw, gb)

    def composite(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = standardised(x, (0, *range(2, x.ndim)), self.eps)
        return by_channel_affine(y, weight, bias)


class BatchNormEval(FusedOp):
    """Evaluation: every channel of x (N, C, ...) by statistics that are given."""

    inputs = ("x", "mean", "var", "weight", "bias")
    nondifferentiable = ("mean", "var")

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def infer(self, x: Any, *parameters: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None) -> None:
        k.batch_norm_eval(x, mean, var, weight, bias, self.eps, out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, mean: Any, var: Any, weight: Any) -> None:
        gx, _, _, gw, gb = (*out, None, None)[:5]
        with np.errstate(all="ignore"):
            statistics = np.stack([mean, 1 / np.sqrt(var.astype(float64) + self.eps)])
        k.batch_norm_grad(g, x, weight, statistics, False, gx, gw, gb)

    def composite(self, x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None) -> Any:
        shape = (-1, *(1,) * (x.ndim - 2))
        y = (x - mean.reshape(shape)) * rsqrt(var + self.eps).reshape(shape)
        return by_channel_affine(y, weight, bias)


class LayerNorm(FusedOp):
    """Every sample of x (..., *size) by its own mean and variance over the last dimensions.

    statistics (2, samples) float64: mean and 1 / sqrt(var + eps).
    """

    inputs = ("x", "weight", "bias")
    outputs = ("y", "statistics")
    auxiliary = ("statistics",)

    def __init__(self, size: tuple[int, ...], eps: float) -> None:
        self.size = size
        self.eps = eps

    def infer(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        shape = x.shape
        return [(shape, x.dtype), ((2, math.prod(shape[: -len(self.size)])), float64)]

    def compute(self, k: Any, out: Any, x: Any, weight: Any = None, bias: Any = None) -> None:
        k.layer_norm(x, weight, bias, self.eps, *out)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any, statistics: Any) -> None:
        k.layer_norm_grad(g, x, weight, statistics, *(*out, None, None)[:3])

    def composite(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = standardised(x, tuple(range(x.ndim - len(self.size), x.ndim)), self.eps)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias


def standardised(x: Any, dims: tuple[int, ...], eps: float) -> Any:
    """x with mean 0 and, but for eps, variance 1 over `dims`."""
    centred = x - mean(x, dims, keepdim=True)
    return centred * rsqrt(mean(centred * centred, dims, keepdim=True) + eps)


def by_channel_affine(y: Any, weight: Any, bias: Any) -> Any:
    """y times weight plus bias, both by channel."""
    shape = (-1, *(1,) * (y.ndim - 2))
    if weight is not None:
        y = y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel with mean 0 and variance 1, then scaled and shifted (Ioffe and Szegedy 2015).

    y = (x - mean) / sqrt(var + eps) * weight + bias, by channel.  In training mean and (biased) variance are
    the batch's own, and the running ones, where given, change in place: running = (1 - momentum) running +
    momentum * batch's, with the unbiased variance.  In evaluation the running ones are used.

    input: (N, C, ...), the others: (C,) or None.

    Raises ShapeError where sizes do not fit, ArgumentError in evaluation without running statistics and in
    training with one value a channel, DTypeError for mixed dtypes, InPlaceError for running statistics that cannot
    change.

    >>> import autograd_cnn as ag
    >>> batch_norm(ag.tensor([[0.0, 1.0], [2.0, 5.0]]), training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """
    channels = check_channels("batch_norm", input, running_mean, running_var, weight, bias)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: evaluation needs running_mean and running_var, got None")
        return evaluate(input, running_mean, running_var, weight, bias, eps)
    count = input.array.size // max(channels, 1)
    if count <= 1:
        raise ArgumentError(f"batch_norm: training needs 2 values a channel, input has shape {list(input.array.shape)}")
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is not None:
            require_changeable("batch_norm", name, running)
    y, statistics = apply(BatchNorm(float(eps)), input, *parameters_of(weight, bias))
    move_running(running_mean, running_var, statistics.array, count / (count - 1), float(momentum))
    return y


def evaluate(x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Each channel by running statistics, which have no gradient."""
    statistics = _constant(running_mean), _constant(running_var)
    return apply(BatchNormEval(float(eps)), x, *statistics, *parameters_of(weight, bias))


def parameters_of(weight: Any, bias: Any) -> tuple[Any, ...]:
    """Weight and bias as far as there are any; a bias alone has a weight of ones."""
    if weight is None and bias is not None:
        weight = bias.new_ones(bias.array.shape)
    return (weight, bias)[: (weight is not None) + (bias is not None)]


def check_channels(op: str, x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any) -> int:
    """How many channels x has; raises where one of the others does not fit."""
    parameters = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    require_floating(op, input=x, **parameters)
    shape: tuple[int, ...] = require_tensor(op, x).array.shape
    if len(shape) < 2:
        raise ShapeError(f"{op}: input must be (N, C, ...), got shape {list(shape)}")
    channels = shape[1]
    wanted = (channels,)
    for name, tensor in parameters.items():
        if tensor is not None and tensor.array.shape != wanted:
            raise ShapeError(f"{op}: {name} has shape {list(tensor.array.shape)}, input has {channels} channels")
    return channels


def _constant(statistic: Any) -> Any:
    """Running statistics, which have no gradient."""
    return statistic.detach() if statistic._requires_grad else statistic


def move_running(running_mean: Any, running_var: Any, statistics: Any, unbiased: float, momentum: float) -> None:
    """running = (1 - momentum) running + momentum batch's, in place and not recorded; None is left out."""
    tensors = [tensor for tensor in (running_mean, running_var) if tensor is not None]
    if False not in [_ours_to_change(tensor) for tensor in tensors]:
        if tensors:
            none = tensors[0].array[:0]
            arrays = [none if tensor is None else tensor.array for tensor in (running_mean, running_var)]
            tensors[0].device.kernels.running_averages(*arrays, statistics, unbiased, momentum)
        for tensor in tensors:
            tensor.mark_changed("batch_norm")
        return
    with no_grad():
        for tensor, row, factor in ((running_mean, 0, 1.0), (running_var, 2, unbiased)):
            if tensor is not None:
                moved: Any = wrap((statistics[row] * (factor * momentum)).astype(tensor.array.dtype), tensor.device)
                tensor.mul_(1 - momentum).add_(moved)


def count_batch(count: Any) -> None:
    """count += 1, in place and not recorded."""
    if _ours_to_change(count) and count.array.dtype == int64:
        count.device.kernels.add_(count.array, ONE)
        count.mark_changed("batch_norm")
    else:
        count.add_(1)


def _ours_to_change(tensor: Any) -> bool:
    """Whether nothing is to be said against writing straight into a tensor's memory."""
    flags = tensor.array.flags
    return flags.c_contiguous and flags.writeable and tensor.version is not None and not tensor._requires_grad


def layer_norm(
    input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each sample with mean 0 and variance 1 over its last dimensions, scaled and shifted (Ba et al. 2016).

    y = (x - mean) / sqrt(var + eps) * weight + bias, var being the biased variance.
    input: (..., *normalized_shape), weight and bias: normalized_shape or None.

    Raises ShapeError where input does not end in `normalized_shape`, or weight or bias do not have it.

    >>> import autograd_cnn as ag
    >>> layer_norm(ag.tensor([[1.0, 3.0], [0.0, 4.0]]), 2)
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    size = normalized_shape if normalized_shape.__class__ is tuple else _as_tuple(normalized_shape)
    require_floating("layer_norm", input=input, weight=weight, bias=bias)
    shape = input.array.shape
    if not size or shape[-len(size) :] != size:
        raise ShapeError(f"layer_norm: input, {list(shape)}, does not end in normalized_shape {list(size)}")
    if weight is not None and weight.array.shape != size:
        raise _misfit("weight", weight, size)
    if bias is not None and bias.array.shape != size:
        raise _misfit("bias", bias, size)
    return apply(_layer_norm(size, float(eps)), input, *parameters_of(weight, bias))[0]


@lru_cache(maxsize=64)
def _layer_norm(size: tuple[int, ...], eps: float) -> LayerNorm:
    return LayerNorm(size, eps)


def rms_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Each sample divided by the root of its mean square over its last dimensions (Zhang and Sennrich 2019).

    y = x / sqrt(mean(x^2) + eps) * weight; eps is the spacing of the dtype's numbers at 1 unless given.
    input: (..., *normalized_shape), weight: normalized_shape or None.

    Raises ShapeError where input does not end in `normalized_shape`, or weight does not have it.

    >>> import autograd_cnn as ag
    >>> rms_norm(ag.tensor([[3.0, 4.0, 0.0, 0.0]]), (4,))
    tensor([[1.2000, 1.6000, 0.0000, 0.0000]])
    """
    size = _as_tuple(normalized_shape)
    require_floating("rms_norm", input=input, weight=weight)
    shape = input.array.shape
    if not size or shape[-len(size) :] != size:
        raise ShapeError(f"rms_norm: input, {list(shape)}, does not end in normalized_shape {list(size)}")
    if weight is not None and weight.array.shape != size:
        raise ShapeError(f"rms_norm: weight has shape {list(weight.array.shape)}, normalized_shape is {list(size)}")
    if eps is None:
        eps = float(np.finfo(input.array.dtype).eps)
    y = input * rsqrt(mean(input * input, tuple(range(-len(size), 0)), keepdim=True) + eps)
    return y if weight is None else y * weight


def _as_tuple(size: Any) -> tuple[Any, ...]:
    return tuple(size) if isinstance(size, tuple | list) else (size,)


def _misfit(name: str, tensor: Any, size: tuple[int, ...]) -> ShapeError:
    return ShapeError(f"layer_norm: {name} has shape {list(tensor.array.shape)}, normalized_shape is {list(size)}")
