"""The normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.distributions import constraints
from autograd_cnn.distributions.distribution import Distribution, parameters
from autograd_cnn.graph.function import Function
from autograd_cnn.ops.elementwise import erf, exp, log
from autograd_cnn.ops.exponential import erfc
from autograd_cnn.sampling import randn
from autograd_cnn.tensor import Tensor

_STEPS = 3  # Halley's, each of which triples the digits


class Normal(Distribution):
    """The normal distribution: density exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi)).

    loc, scale: mean and standard deviation, tensors or numbers, of shapes that broadcast.
    Errors: `ArgumentError` for a scale that is not above 0.

    >>> import autograd_cnn as ag
    >>> standard = Normal(0.0, 1.0)
    >>> standard.log_prob(ag.tensor([0.0, 1.0]))
    tensor([-0.9189, -1.4189])
    >>> standard.icdf(standard.cdf(ag.tensor(0.5)))
    tensor(0.5000)
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = parameters("Normal", loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        return self._expanded(batch_shape, "loc", "scale")

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + randn(self._extended(sample_shape), dtype=self.loc.dtype) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._checked(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - log(self.scale) - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        self._checked(value)
        return 0.5 * (1 + erf((value - self.loc) / (self.scale * math.sqrt(2))))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * math.sqrt(2) * _Erfinv.apply(2 * value - 1)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale)


class _Erfinv(Function):
    """The inverse of erf, and its gradient sqrt(pi)/2 exp(y^2)."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = from_numpy(_erfinv(x.detach().numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * (math.sqrt(math.pi) / 2) * exp(y * y)


def _erfinv(x: np.ndarray) -> np.ndarray:
    """By S. Winitzki's approximation (2008) and Halley's method, in double precision."""
    given = np.abs(x, dtype=np.float64)
    inside = np.where(given < 1, given, 0.0)
    rest = 1 - inside  # exact from 0.5 on
    with np.errstate(all="ignore"):
        logarithm = np.log(rest * (1 + inside))
        half = 2 / (math.pi * 0.147) + logarithm / 2
        y = np.sqrt(np.sqrt(half * half - logarithm / 0.147) - half)
    for _ in range(_STEPS):
        at = from_numpy(np.atleast_1d(y))
        missing = np.where(inside < 0.5, inside - erf(at).numpy(), erfc(at).numpy() - rest)
        step = missing * (math.sqrt(math.pi) / 2) * np.exp(y * y)
        y = (y + step / (1 - step * y)).reshape(x.shape)
    y = np.where(given < 1, y, np.where(given == 1, np.inf, np.nan))
    return np.asarray(np.copysign(y, x), x.dtype)
