"""The Bernoulli distribution: 1 with a probability, else 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from autograd_cnn.creation import arange
from autograd_cnn.distributions import constraints
from autograd_cnn.distributions.distribution import Distribution, parameters
from autograd_cnn.dtype import promote
from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn.functional import binary_cross_entropy_with_logits
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.bounds import clamp
from autograd_cnn.ops.elementwise import log, log1p, sigmoid
from autograd_cnn.ops.expand import broadcast_tensors
from autograd_cnn.ops.random import bernoulli
from autograd_cnn.tensor import Tensor


class Bernoulli(Distribution):
    """1 with probability `probs`, else 0; `logits` are ln(probs / (1 - probs)).

    Give one of the two, a tensor or a number.  Errors: `ArgumentError` for both or none, for probabilities outside of
    0..1, for values other than 0 and 1.

    >>> import autograd_cnn as ag
    >>> Bernoulli(0.25).log_prob(ag.tensor([0.0, 1.0]))
    tensor([-0.2877, -1.3863])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ArgumentError("Bernoulli: give probs or logits, one of the two")
        name = "logits" if probs is None else "probs"
        (given,) = parameters("Bernoulli", logits if probs is None else probs)
        vars(self)[name] = given
        super().__init__(given.shape, validate_args=validate_args)

    @cached_property
    def probs(self) -> Tensor:
        """The probability of 1."""
        return sigmoid(self.logits)

    @cached_property
    def logits(self) -> Tensor:
        """ln(probs / (1 - probs)), of probabilities that are kept an epsilon away from 0 and 1."""
        eps = float(np.finfo(self.probs.dtype).eps)
        inside = clamp(self.probs, eps, 1 - eps)
        return log(inside) - log1p(-inside)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return self._batch_shape

    @property
    def support(self) -> constraints.Constraint:
        return constraints.boolean

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        likelier = (self.probs >= 0.5).to(self.probs.dtype)
        return where(self.probs == 0.5, math.nan, likelier)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        return self._expanded(batch_shape, "probs", "logits")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._checked(value)
        dtype = promote(self.logits.dtype, value.dtype)
        logits, value = broadcast_tensors(self.logits.to(dtype), value.to(dtype))
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self.probs.dtype)
        values = values.reshape((2,) + (1,) * len(self._batch_shape))
        return values.expand((2, *self._batch_shape)) if expand else values
