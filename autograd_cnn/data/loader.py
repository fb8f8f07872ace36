"""DataLoader: batches in an order that is shuffled by a seed and can be taken up again anywhere."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd_cnn.data.dataset import samples, take_batch
from autograd_cnn.data.order import AnyGenerator, draw_seed, drawing_from, permutation
from autograd_cnn.errors import ArgumentError, StateDictError

_POSITION = ("seed", "epoch", "batch")
_SETTINGS = ("samples", "batch_size", "shuffle", "drop_last")


class DataLoader:
    """Goes through a data set in batches, once an iteration.

    The order of an epoch, and what transforms draw at random for a batch, depend on the loader's seed, the
    number of the epoch and the number of the batch alone.  So `load_state_dict` continues in mid-epoch bit
    for bit, with or without prefetching.

    dataset: a `Dataset`, or anything with `__len__` and `__getitem__`.
    generator: where the seed is drawn from at the first iteration; the default generator unless given.
    seed: the seed itself; give one of the two.
    collate_fn: makes a batch of a list of samples; `default_collate` unless given.
    prefetch: how many batches a thread prepares ahead; they are the same batches.  Functions of your own run
        in that thread, and should work on arrays, not compute with tensors.
    Errors: `ArgumentError` for a batch size below 1, for worker processes, for generator together with seed.

    >>> from autograd_cnn.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch.tolist() for batch, in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: AnyGenerator | None = None,
        seed: int | None = None,
        prefetch: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ArgumentError(f"DataLoader: batch_size is {batch_size}; at least 1")
        if num_workers != 0:
            raise ArgumentError(
                f"DataLoader: num_workers is {num_workers}, but there are no worker processes; "
                "prefetch=2 prepares batches ahead in a thread"
            )
        if prefetch < 0:
            raise ArgumentError(f"DataLoader: prefetch is {prefetch}; at least 0")
        if generator is not None and seed is not None:
            raise ArgumentError("DataLoader: takes generator or seed, not both")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator
        self.prefetch = prefetch
        self._seed = seed
        self._epoch = 0
        self._batch = 0  # batches of this epoch that were handed out
        self._resumed = False
        self._turn = 0  # the latest iteration is the one whose position counts

    def __len__(self) -> int:
        count = len(self.dataset) / self.batch_size
        return math.floor(count) if self.drop_last else math.ceil(count)

    def __iter__(self) -> Iterator[Any]:
        if self._batch and not self._resumed:  # the last epoch was broken off; this is the next
            self._epoch, self._batch = self._epoch + 1, 0
        self._resumed = False
        self._turn += 1
        turn = self._turn
        for number, batch in self._batches(self._epoch, self._batch):
            if turn == self._turn:
                self._batch = number + 1
            yield batch
        if turn == self._turn:
            self._epoch, self._batch = self._epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """The seed, the number of the epoch and the batches of it handed out so far; plain numbers."""
        return {"seed": self._base_seed(), "epoch": self._epoch, "batch": self._batch} | self._settings()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Makes the next iteration continue where `state_dict` was called.

        Errors: `StateDictError` for a state of other data or other settings; nothing is changed then.
        """
        if state.keys() != {*_POSITION, *_SETTINGS}:
            raise StateDictError(f"DataLoader: the state has {sorted(state)}, not {[*_POSITION, *_SETTINGS]}")
        for name, value in self._settings().items():
            if state[name] != value:
                raise StateDictError(f"DataLoader: {name} was {state[name]} when saved, is {value} now")
        if not 0 <= state["batch"] <= len(self) or state["epoch"] < 0:
            raise StateDictError(f"DataLoader: batch {state['batch']} of {len(self)}, epoch {state['epoch']}")
        self._seed, self._epoch, self._batch = (state[name] for name in _POSITION)
        self._resumed = True
        self._turn += 1

    def _settings(self) -> dict[str, Any]:
        values = (len(self.dataset), self.batch_size, bool(self.shuffle), bool(self.drop_last))
        return dict(zip(_SETTINGS, values, strict=True))

    def _base_seed(self) -> int:
        if self._seed is None:
            self._seed = draw_seed(self.generator)
        return self._seed

    def _batches(self, epoch: int, first: int) -> Iterator[tuple[int, Any]]:
        """The numbered batches of an epoch from the first one on."""
        seed, total = self._base_seed(), len(self.dataset)
        order = permutation(total, seed, epoch) if self.shuffle else np.arange(total)

        def make(number: int) -> tuple[int, Any]:
            indices = order[number * self.batch_size : (number + 1) * self.batch_size]
            with drawing_from(seed, epoch, number + 1):
                return number, self._make(indices)

        numbers = range(first, len(self))
        return _ahead(make, numbers, self.prefetch) if self.prefetch else map(make, numbers)

    def _make(self, indices: np.ndarray) -> Any:
        try:
            if self.collate_fn is None:
                return take_batch(self.dataset, indices)
            return self.collate_fn(samples(self.dataset, indices))
        except Exception as error:
            error.add_note(f"DataLoader: while making the batch of samples {indices.tolist()}")
            raise


def _ahead(make: Callable[[int], Any], numbers: range, ahead: int) -> Iterator[Any]:
    """`map(make, numbers)`, worked off by a thread that is up to `ahead` results ahead."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="DataLoader")
    try:
        waiting = deque(pool.submit(make, number) for number in numbers[:ahead])
        for number in numbers[ahead:]:
            result = waiting.popleft().result()
            waiting.append(pool.submit(make, number))
            yield result
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
