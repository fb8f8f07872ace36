"""Data sets: what has a length and gives a sample by its index."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.data.collate import default_collate
from autograd_cnn.data.order import AnyGenerator, draw_seed, permutation
from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.tensor import Tensor

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """A map from the indices 0..len-1 to samples; subclasses define `__getitem__` and `__len__`.

    A subclass that can take many samples at once, without a Python step for each, also defines `take_batch`.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> Squares().take_batch(np.array([2, 1]))
    tensor([4, 1])
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A subclass that gives other samples must not inherit the short cut to the old ones.
        if "__getitem__" in vars(cls) and "take_batch" not in vars(cls):
            cls.take_batch = Dataset.take_batch  # type: ignore[method-assign]

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")

    def take_batch(self, indices: np.ndarray) -> Any:
        """The samples at `indices`, collated."""
        return default_collate(samples(self, indices))

    def __add__(self, other: Any) -> Dataset[Any]:
        return ConcatDataset([self, other])


def samples(dataset: Any, indices: np.ndarray) -> list[Any]:
    """The samples one by one, or by the data set's own `__getitems__`, as PyTorch calls it."""
    if hasattr(dataset, "__getitems__"):
        return list(dataset.__getitems__(indices.tolist()))
    return [dataset[index] for index in indices.tolist()]


def take_batch(dataset: Any, indices: np.ndarray) -> Any:
    """The collated samples of any data set, also of one that is no `Dataset`."""
    if isinstance(dataset, Dataset):
        return dataset.take_batch(indices)
    return default_collate(samples(dataset, indices))


class TensorDataset(Dataset[Any]):
    """Samples that are the rows of tensors (or arrays) of the same length.

    >>> pairs = TensorDataset(np.eye(3, dtype=np.float32), np.arange(3))
    >>> pairs[1]
    (tensor([0., 1., 0.]), tensor(1))
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(as_tensor(tensor) for tensor in tensors)
        lengths = [len(tensor) for tensor in self.tensors]
        if len(set(lengths)) != 1:
            raise ShapeError(f"TensorDataset: needs tensors of one length, got lengths {lengths}")
        if any(tensor.requires_grad for tensor in self.tensors):
            raise ArgumentError("TensorDataset: a tensor requires grad, which batches do not carry; detach it")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(from_numpy(np.asarray(tensor.numpy()[index])) for tensor in self.tensors)

    def take_batch(self, indices: np.ndarray) -> list[Tensor]:
        return [from_numpy(tensor.numpy()[indices]) for tensor in self.tensors]


class Subset(Dataset[Any]):
    """The samples of a data set at given indices.

    >>> [int(x) for x, in Subset(TensorDataset(np.arange(10)), [7, 3])]
    [7, 3]
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, dtype=np.int64)
        outside = self.indices[(self.indices < -len(dataset)) | (self.indices >= len(dataset))]
        if outside.size:
            raise IndexOutOfRangeError(f"Subset: index {outside[0]} in a data set of {len(dataset)} samples")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def take_batch(self, indices: np.ndarray) -> Any:
        return take_batch(self.dataset, self.indices[indices])


class ConcatDataset(Dataset[Any]):
    """Data sets one after the other.

    >>> len(TensorDataset(np.arange(2)) + TensorDataset(np.arange(3)))
    5
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise ArgumentError("ConcatDataset: an IterableDataset has no indices; chain it by ChainDataset")
        self.ends = np.cumsum([len(dataset) for dataset in self.datasets])

    @property
    def cumulative_sizes(self) -> list[int]:
        """Where each data set ends."""
        return [int(end) for end in self.ends]

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.datasets else 0

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexOutOfRangeError(f"ConcatDataset: index {index} in {len(self)} samples")
        index %= len(self)
        part = int(np.searchsorted(self.ends, index, side="right"))
        return self.datasets[part][index - int(self.ends[part]) + len(self.datasets[part])]


class StackDataset(Dataset[Any]):
    """Data sets side by side: a sample has one of each, as a tuple, or as a dict where they were given by name.

    Errors: `ShapeError` for data sets of different lengths, `ArgumentError` for none, or for both ways at once.

    >>> StackDataset(image=[10, 11], label=[0, 1])[1]
    {'image': 11, 'label': 1}
    >>> StackDataset([10, 11], [0, 1])[1]
    (11, 1)
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError("StackDataset: takes data sets, by position or by name; at least one")
        self.datasets = kwargs or args
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) != 1:
            raise ShapeError(f"StackDataset: needs data sets of one length, got lengths {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class IterableDataset(Dataset[T]):
    """Samples that come one after the other, as from a stream; subclasses define `__iter__`.

    Each worker process of a loader has a copy of its own; `get_worker_info()` tells it which share is its own.

    >>> class Words(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(["a", "b"])
    >>> list(Words() + Words())
    ['a', 'b', 'a', 'b']
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} does not define __len__")  # as of an object without a length

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} is an IterableDataset: it has no indices")

    def __add__(self, other: Any) -> Dataset[Any]:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset[Any]):
    """Iterable data sets one after the other.

    Errors: `ArgumentError` when it comes to one that is no `IterableDataset`.

    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(ChainDataset([Count(), Count()]))
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            self._require_iterable(dataset)
            yield from dataset

    def __len__(self) -> int:
        total = 0
        for dataset in self.datasets:
            self._require_iterable(dataset)
            total += len(dataset)
        return total

    def _require_iterable(self, dataset: Any) -> None:
        if not isinstance(dataset, IterableDataset):
            raise ArgumentError(f"ChainDataset: takes IterableDatasets, got {type(dataset).__name__}")


def random_split(dataset: Any, lengths: Sequence[int | float], generator: AnyGenerator | None = None) -> list[Subset]:
    """Parts of a data set, disjoint and at random.

    lengths: numbers of samples that add up to the whole, or fractions that add up to 1.
    Errors: `ArgumentError` if they do not.

    >>> [len(part) for part in random_split(TensorDataset(np.arange(11)), [0.8, 0.2])]
    [9, 2]
    """
    order = permutation(len(dataset), draw_seed(generator))
    return _cut(dataset, order, _part_lengths(len(dataset), lengths, "random_split"))


def stratified_split(
    dataset: Any,
    lengths: Sequence[int | float],
    generator: AnyGenerator | None = None,
    *,
    targets: Any = None,
) -> list[Subset]:
    """As `random_split`, but each part has the classes in the proportion of the whole, to about one sample.

    targets: (N,) the class of each sample; `dataset.targets` unless given.

    >>> data = TensorDataset(np.arange(10))
    >>> train, test = stratified_split(data, [0.8, 0.2], targets=[0] * 5 + [1] * 5)
    >>> sorted(int(i) // 5 for i in test.indices)
    [0, 1]
    """
    classes = np.asarray(dataset.targets if targets is None else targets)
    if classes.shape != (len(dataset),):
        raise ShapeError(f"stratified_split: targets of shape {classes.shape} for {len(dataset)} samples")
    order = stratified_order(classes, draw_seed(generator))
    return _cut(dataset, order, _part_lengths(len(dataset), lengths, "stratified_split"))


def stratified_order(classes: np.ndarray, seed: int) -> np.ndarray:
    """A random order in which every stretch has the classes in the proportion of the whole."""
    shuffled = permutation(len(classes), seed)
    _, codes, counts = np.unique(classes[shuffled], return_inverse=True, return_counts=True)
    by_class = np.argsort(codes, kind="stable")
    rank = np.empty(len(classes))
    rank[by_class] = np.concatenate([np.empty(0), *(np.arange(count) + 0.5 for count in counts)])
    return shuffled[np.argsort(rank / counts[codes], kind="stable")]


def _part_lengths(total: int, lengths: Sequence[int | float], function: str) -> list[int]:
    if all(isinstance(length, int | np.integer) and length >= 0 for length in lengths) and sum(lengths) == total:
        return [int(length) for length in lengths]
    if not all(0 <= length <= 1 for length in lengths) or not math.isclose(sum(lengths), 1):
        raise ArgumentError(f"{function}: lengths {list(lengths)} add up to neither 1 nor {total} samples")
    parts = [math.floor(total * length) for length in lengths]
    for i in range(total - sum(parts)):  # what rounding left over, one to each, as PyTorch does
        parts[i % len(parts)] += 1
    return parts


def _cut(dataset: Any, order: np.ndarray, lengths: list[int]) -> list[Subset]:
    ends = np.cumsum(lengths)
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
