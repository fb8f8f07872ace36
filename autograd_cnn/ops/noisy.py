"""Activation functions with random numbers, the default generator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.ops.activation import leaky_relu
from autograd_cnn.ops.arithmetic import MUL, add, mul
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.softmax import softmax
from autograd_cnn.random import default_generator

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """x where x > 0, else a * x (Xu et al. 2015): a is uniform in [lower, upper), for each number anew.

    In evaluation (`training=False`) a is (lower + upper) / 2.  Random numbers are the default generator's, see
    `manual_seed`.  Raises ArgumentError where lower is above upper.

    >>> import autograd_cnn as ag
    >>> rrelu(ag.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    require_floating("rrelu", input=input)
    if not lower <= upper:
        raise ArgumentError(f"rrelu: lower must be at most upper, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    array = input.device.to_host(input.array)
    numbers = default_generator.numpy.random(array.shape, array.dtype)
    drawn = np.where(array > 0, array.dtype.type(1), lower + (upper - lower) * numbers).astype(array.dtype)
    slopes = wrap(input.device.from_host(drawn), input.device)
    return apply_inplace(MUL, input, slopes) if inplace else mul(input, slopes)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A random choice along `dim` that has a gradient: softmax((logits + noise) / tau), noise of Gumbel's distribution.

    The largest element is i with probability softmax(logits)_i; the smaller tau, the nearer the result is to one hot.
    With `hard` it is one hot, and has the gradient of what it would have been (Jang et al. 2017; Maddison et al. 2017).
    `eps` changes nothing.  Raises IndexOutOfRangeError for a dimension that is not there, ArgumentError for tau 0.

    >>> import autograd_cnn as ag
    >>> y = gumbel_softmax(ag.zeros(4, 3), tau=0.5, hard=True)
    >>> y.sum(-1)
    tensor([1., 1., 1., 1.])
    """
    require_floating("gumbel_softmax", logits=logits)
    if tau == 0:
        raise ArgumentError("gumbel_softmax: tau must not be 0")
    dim = one_dim("gumbel_softmax", dim, logits.array.ndim)
    array = logits.array
    noise = -np.log(default_generator.numpy.standard_exponential(array.shape, array.dtype))
    soft = softmax(add(logits, wrap(logits.device.from_host(noise), logits.device)) / tau, dim)
    if not hard:
        return soft
    chosen = soft.detach()
    index = chosen.argmax(dim, keepdim=True)
    one_hot = chosen.new_zeros(array.shape).scatter_add(dim, index, chosen.new_ones(index.array.shape))
    return one_hot - chosen + soft
