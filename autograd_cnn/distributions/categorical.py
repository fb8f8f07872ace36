"""The categorical distribution: one of several classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from autograd_cnn.creation import arange, full
from autograd_cnn.distributions import constraints
from autograd_cnn.distributions.distribution import Distribution
from autograd_cnn.dtype import int64
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.ops.bounds import clamp
from autograd_cnn.ops.elementwise import log
from autograd_cnn.ops.expand import broadcast_tensors
from autograd_cnn.ops.extreme import argmax
from autograd_cnn.ops.gather import gather
from autograd_cnn.ops.random import multinomial
from autograd_cnn.ops.reduce import logsumexp
from autograd_cnn.ops.softmax import softmax
from autograd_cnn.tensor import Tensor


class Categorical(Distribution):
    """Class i with probability `probs`_i, of any positive weights; `logits` are their logarithms.

    Give one of the two, a tensor whose last dimension is that of the classes.
    Errors: `ArgumentError` for both or none, for weights that are negative or all 0, for values that are no class;
    `ShapeError` for a single number.

    >>> import autograd_cnn as ag
    >>> Categorical(ag.tensor([1.0, 3.0])).log_prob(ag.tensor([0, 1]))
    tensor([-1.3863, -0.2877])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ArgumentError("Categorical: give probs or logits, one of the two")
        name, given = ("probs", probs) if probs is not None else ("logits", logits)
        if not isinstance(given, Tensor) or given.ndim < 1:
            raise ShapeError(f"Categorical: {name} must be a tensor with a dimension of classes, got {given!r}")
        if name == "probs":
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = given - logsumexp(given, -1, keepdim=True)
        self._events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @cached_property
    def probs(self) -> Tensor:
        """The probability of each class."""
        return softmax(self.logits, -1)

    @cached_property
    def logits(self) -> Tensor:
        """The logarithm of each probability, which is kept an epsilon away from 0 and 1."""
        eps = float(np.finfo(self.probs.dtype).eps)
        return log(clamp(self.probs, eps, 1 - eps))

    @property
    def _param(self) -> Tensor:
        return vars(self)["probs" if "probs" in vars(self) else "logits"]

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return self._param.shape

    @property
    def support(self) -> constraints.Constraint:
        return constraints.IntegerInterval(0, self._events - 1)

    @property
    def mean(self) -> Tensor:
        return full(self._batch_shape, math.nan, dtype=self._param.dtype)  # classes have no distances

    @property
    def mode(self) -> Tensor:
        return argmax(self.probs, -1)

    @property
    def variance(self) -> Tensor:
        return full(self._batch_shape, math.nan, dtype=self._param.dtype)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        twin = self._expanded(batch_shape, "probs", "logits", rest=(self._events,))
        twin._events = self._events
        return twin

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            count = math.prod(sample_shape)
            rows = self.probs.detach().reshape(-1, self._events)
            if not count or not rows.shape[0]:
                return full(self._extended(sample_shape), 0, dtype=int64)
            drawn = multinomial(rows, count, replacement=True)
            return drawn.t().reshape(self._extended(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._checked(value)
        value, logits = broadcast_tensors(value.to(int64).unsqueeze(-1), self.logits)
        return gather(logits, -1, value.narrow(-1, 0, 1)).squeeze(-1)

    def entropy(self) -> Tensor:
        least = float(np.finfo(self.logits.dtype).min)  # lest 0 times -inf is nan
        return -(clamp(self.logits, least) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._events).reshape((self._events,) + (1,) * len(self._batch_shape))
        return values.expand((self._events, *self._batch_shape)) if expand else values
