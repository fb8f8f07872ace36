"""Sets of values that parameters and samples must lie in."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.tensor import Tensor


class Constraint:
    """A set of values; subclasses define `holds` on arrays.

    >>> import autograd_cnn as ag
    >>> positive.check(ag.tensor([-1.0, 2.0]))
    tensor([False,  True])
    """

    is_discrete = False
    event_dim = 0  # how many trailing dimensions make one value

    def holds(self, values: np.ndarray) -> Any:
        """Where the values lie in the set."""
        raise NotImplementedError(f"{type(self).__name__} does not define holds")

    def check(self, value: Tensor) -> Tensor:
        """A bool for each value: whether it lies in the set."""
        return from_numpy(np.asarray(self.holds(value.detach().numpy())))

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"{type(self).__name__}({bounds})"


class Real(Constraint):
    """Every number but nan."""

    def holds(self, values: np.ndarray) -> Any:
        return values == values


class RealVector(Constraint):
    """Vectors of numbers, none of them nan."""

    event_dim = 1

    def holds(self, values: np.ndarray) -> Any:
        return (values == values).all(-1)


class Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def holds(self, values: np.ndarray) -> Any:
        return (values == 0) | (values == 1)


class IntegerInterval(Constraint):
    """The whole numbers from a lower to an upper bound."""

    is_discrete = True

    def __init__(self, lower_bound: int, upper_bound: int) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def holds(self, values: np.ndarray) -> Any:
        return (values % 1 == 0) & (values >= self.lower_bound) & (values <= self.upper_bound)


class Interval(Constraint):
    """The numbers from a lower to an upper bound, which may be tensors."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def holds(self, values: np.ndarray) -> Any:
        return (values >= _array(self.lower_bound)) & (values <= _array(self.upper_bound))


class GreaterThan(Constraint):
    """The numbers above a bound."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def holds(self, values: np.ndarray) -> Any:
        return values > _array(self.lower_bound)


class Simplex(Constraint):
    """Vectors of probabilities: none is negative, and their sum is 1."""

    event_dim = 1

    def holds(self, values: np.ndarray) -> Any:
        return (values >= 0).all(-1) & (abs(values.sum(-1) - 1) < 1e-6)


def _array(bound: Any) -> Any:
    return bound.detach().numpy() if isinstance(bound, Tensor) else bound


real = Real()
real_vector = RealVector()
boolean = Boolean()
positive = GreaterThan(0.0)
unit_interval = Interval(0.0, 1.0)
simplex = Simplex()
integer_interval = IntegerInterval
interval = Interval
greater_than = GreaterThan
