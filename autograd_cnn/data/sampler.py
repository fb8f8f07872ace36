"""Samplers: in which order a loader goes through a data set, and how it cuts that order into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from autograd_cnn.data.order import AnyGenerator, draw_seed, permutation, uniforms
from autograd_cnn.errors import ArgumentError
from autograd_cnn.tensor import Tensor

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """What gives the indices of an epoch, one by one; subclasses define `__iter__`, and `__len__` where it is known.

    Inside a `DataLoader` a sampler without a generator of its own draws from the loader's stream for the epoch, so
    that a resumed run repeats its order.

    >>> class Backwards(Sampler[int]):
    ...     def __init__(self, data_source):
    ...         self.data_source = data_source
    ...     def __iter__(self):
    ...         return iter(range(len(self.data_source) - 1, -1, -1))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, ... len - 1.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or with replacement any of them each time.

    num_samples: how many an epoch has; the data set's length unless given.  Without replacement, as many orders are
    strung together as it takes.
    Errors: `ArgumentError` for a `replacement` that is no bool, or less than one sample.

    >>> sorted(RandomSampler("abcd"))
    [0, 1, 2, 3]
    >>> len(list(RandomSampler("ab", replacement=True, num_samples=5)))
    5
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: AnyGenerator | None = None,
    ) -> None:
        _require_bool("RandomSampler", "replacement", replacement)
        if num_samples is not None:
            _require_positive("RandomSampler", "num_samples", num_samples)
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """The number of indices in an epoch."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count = len(self.data_source), self.num_samples
        if not n and count:
            raise ArgumentError(f"RandomSampler: cannot draw {count} samples from an empty data set")
        if self.replacement:
            yield from (uniforms(count, draw_seed(self.generator)) * n).astype(np.int64).tolist()
            return
        for start in range(0, count, n or 1):
            yield from permutation(n, draw_seed(self.generator))[: count - start].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order.

    >>> sorted(SubsetRandomSampler([3, 5, 8]))
    [3, 5, 8]
    """

    def __init__(self, indices: Sequence[int], generator: AnyGenerator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in permutation(len(self.indices), draw_seed(self.generator)).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` of 0, 1, ... len(weights) - 1, each drawn with a probability proportional to its weight.

    Without replacement, an index that was drawn is not drawn again; the others keep their proportions.
    Errors: `ArgumentError` for weights that are negative, not finite, or not in one dimension, for less than one
    sample, and without replacement for more samples than there are weights above 0.

    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    >>> sorted(WeightedRandomSampler([0.5, 1.0, 2.0], 3, replacement=False))
    [0, 1, 2]
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: AnyGenerator | None = None,
    ) -> None:
        _require_positive("WeightedRandomSampler", "num_samples", num_samples)
        _require_bool("WeightedRandomSampler", "replacement", replacement)
        values = np.asarray(weights.detach().numpy() if isinstance(weights, Tensor) else weights, np.float64)
        if values.ndim != 1:
            raise ArgumentError(f"WeightedRandomSampler: weights are in one dimension, got shape {values.shape}")
        if not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
            raise ArgumentError("WeightedRandomSampler: weights are finite, at least 0, and one is above 0")
        positive = int(np.count_nonzero(values))
        if not replacement and num_samples > positive:
            raise ArgumentError(
                f"WeightedRandomSampler: {num_samples} samples without replacement, but {positive} weights above 0"
            )
        self.weights = values
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        seed = draw_seed(self.generator)
        if self.replacement:
            ends = np.cumsum(self.weights)
            places = uniforms(self.num_samples, seed) * ends[-1]
            last = int(np.flatnonzero(self.weights)[-1])  # where rounding leads beyond the end
            return iter(np.minimum(np.searchsorted(ends, places, side="right"), last).tolist())
        # The smallest of exponential waiting times with these rates: Efraimidis and Spirakis, 2006.
        with np.errstate(divide="ignore"):
            waiting = -np.log1p(-uniforms(len(self.weights), seed)) / self.weights
        waiting[self.weights == 0] = np.inf
        return iter(np.argsort(waiting, kind="stable")[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`; the last may be shorter, or is dropped.

    Errors: `ArgumentError` for a batch size below 1, or a `drop_last` that is no bool.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _require_positive("BatchSampler", "batch_size", batch_size)
        _require_bool("BatchSampler", "drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + bool(rest and not self.drop_last)


def _require_bool(sampler: str, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ArgumentError(f"{sampler}: {name} is {value!r}; True or False")


def _require_positive(sampler: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(f"{sampler}: {name} is {value!r}; an integer of at least 1")
