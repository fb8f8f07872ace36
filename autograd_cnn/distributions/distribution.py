"""Distribution: what all distributions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from autograd_cnn.creation import tensor
from autograd_cnn.distributions.constraints import Constraint
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.ops.elementwise import exp, sqrt
from autograd_cnn.ops.expand import broadcast_tensors
from autograd_cnn.tensor import Tensor


class Distribution:
    """A probability distribution, or a batch of independent ones.

    A sample has shape `sample_shape + batch_shape + event_shape`, a log density `sample_shape + batch_shape`.
    validate_args: whether parameters and values are checked; True unless given or set by `set_default_validate_args`.
    Errors: `ArgumentError` for parameters and values outside of their sets, `ShapeError` for shapes that do not fit.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    _validate_by_default: ClassVar[bool] = True

    def __init__(
        self,
        batch_shape: Sequence[int] = (),
        event_shape: Sequence[int] = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = tuple(batch_shape)
        self._event_shape = tuple(event_shape)
        self._validate_args = Distribution._validate_by_default if validate_args is None else validate_args
        if not self._validate_args:
            return
        for name, constraint in self.arg_constraints.items():
            if name in vars(self):  # not one that is computed from another
                self._require(f"parameter {name}", vars(self)[name], constraint)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions made from now on check their arguments."""
        if value not in (True, False):
            raise ArgumentError(f"set_default_validate_args: takes True or False, got {value!r}")
        Distribution._validate_by_default = value

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one value."""
        return self._event_shape

    @property
    def support(self) -> Constraint:
        """The set of the values that there are."""
        return self._missing("support")

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        return self._missing("mean")

    @property
    def mode(self) -> Tensor:
        """The value of the greatest density."""
        return self._missing("mode")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance from the mean."""
        return self._missing("variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return sqrt(self.variance)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        """The distribution with its parameters broadcast to another batch shape."""
        return self._missing("expand")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Random values, without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Random values as a function of the parameters, with a gradient for these."""
        return self._missing("rsample")

    def sample_n(self, n: int) -> Tensor:
        """The old name of `sample((n,))`."""
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, of a value."""
        return self._missing("log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value at most this large."""
        return self._missing("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The value that `cdf` gives this probability."""
        return self._missing("icdf")

    def entropy(self) -> Tensor:
        """The expected value of -`log_prob`."""
        return self._missing("entropy")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension."""
        return self._missing("enumerate_support")

    def perplexity(self) -> Tensor:
        """e to the power of the entropy."""
        return exp(self.entropy())

    def __repr__(self) -> str:
        shown = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        parts = (f"{name}: {p.item() if p.numel() == 1 else p.shape}" for name, p in shown.items())
        return f"{type(self).__name__}({', '.join(parts)})"

    def _missing(self, name: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no {name}")

    def _extended(self, sample_shape: Sequence[int]) -> tuple[int, ...]:
        return (*sample_shape, *self._batch_shape, *self._event_shape)

    def _expanded(self, batch_shape: Sequence[int], *names: str, rest: tuple[int, ...] = ()) -> Self:
        """A distribution of the same class whose parameters are those of self, broadcast."""
        twin = type(self).__new__(type(self))
        shape = tuple(batch_shape)
        for name in names:
            if name in vars(self):
                setattr(twin, name, vars(self)[name].expand((*shape, *rest)))
        Distribution.__init__(twin, shape, self._event_shape, validate_args=False)
        twin._validate_args = self._validate_args
        return twin

    def _checked(self, value: Any) -> None:
        """Refuses a value that no density is to be computed of."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ArgumentError(f"{type(self).__name__}: the value must be a tensor, got {type(value).__name__}")
        expected = self._batch_shape + self._event_shape
        for given, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if given != wanted and 1 not in (given, wanted):
                raise ShapeError(f"{type(self).__name__}: a value of shape {value.shape} does not fit {expected}")
        event = len(self._event_shape)
        if event and value.shape[value.ndim - event :] != self._event_shape:
            raise ShapeError(f"{type(self).__name__}: a value of shape {value.shape} is no {self._event_shape}")
        self._require("value", value, self.support)

    def _require(self, what: str, values: Tensor, constraint: Constraint) -> None:
        held = np.asarray(constraint.check(values).numpy())
        if not held.all():
            first = tuple(int(i) for i in np.argwhere(~held)[0])
            found = values.detach().numpy()[first].tolist()
            raise ArgumentError(
                f"{self!r}: {what} of shape {values.shape} must satisfy {constraint}; found {found} at {list(first)}"
            )


def parameters(name: str, *given: Any) -> list[Tensor]:
    """Numbers and tensors as tensors of one shape, and numbers of the tensors' dtype."""
    dtypes = [value.dtype for value in given if isinstance(value, Tensor)]
    for value in given:
        if not isinstance(value, Tensor | int | float):
            raise DTypeError(f"{name}: parameters are tensors or numbers, got {type(value).__name__}")
    floating = [dtype for dtype in dtypes if dtype.kind == "f"]
    made = [
        value if isinstance(value, Tensor) else tensor(float(value), dtype=floating[0] if floating else None)
        for value in given
    ]
    # Those of the right shape stay themselves, so that two results can be differentiated one after the other.
    return [was if was.shape == now.shape else now for was, now in zip(made, broadcast_tensors(*made), strict=True)]
