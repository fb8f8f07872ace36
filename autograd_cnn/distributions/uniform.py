"""The uniform distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from autograd_cnn.distributions import constraints
from autograd_cnn.distributions.distribution import Distribution, parameters
from autograd_cnn.errors import ArgumentError
from autograd_cnn.ops.bounds import clamp
from autograd_cnn.ops.elementwise import log
from autograd_cnn.sampling import rand
from autograd_cnn.tensor import Tensor


class Uniform(Distribution):
    """The uniform distribution: density 1 / (high - low) from low to high.

    low, high: tensors or numbers, of shapes that broadcast.
    Errors: `ArgumentError` where low is not below high.

    >>> import autograd_cnn as ag
    >>> Uniform(0.0, 4.0).log_prob(ag.tensor(1.0))
    tensor(-1.3863)
    >>> Uniform(0.0, 4.0).icdf(ag.tensor(0.25))
    tensor(1.)
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "low": constraints.real,
        "high": constraints.real,
    }
    has_rsample = True

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None) -> None:
        self.low, self.high = parameters("Uniform", low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self._validate_args and not bool((self.low < self.high).all()):
            raise ArgumentError(f"{self!r}: low must be below high")

    @property
    def support(self) -> constraints.Constraint:
        return constraints.Interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return self.high * float("nan")  # every value is as dense

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        return self._expanded(batch_shape, "low", "high")

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.low + rand(self._extended(sample_shape), dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._checked(value)
        inside = (self.low <= value).to(self.low.dtype) * (value < self.high).to(self.low.dtype)
        return log(inside) - log(self.high - self.low)

    def cdf(self, value: Tensor) -> Tensor:
        self._checked(value)
        return clamp((value - self.low) / (self.high - self.low), 0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return log(self.high - self.low)
