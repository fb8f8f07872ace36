"""DataLoader: batches in an order that is shuffled by a seed and can be taken up again anywhere."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd_cnn.data.crew import Crew, worker_context
from autograd_cnn.data.dataset import IterableDataset
from autograd_cnn.data.order import AnyGenerator, draw_seed, drawing_from, drawn, permutation, seeded_by
from autograd_cnn.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from autograd_cnn.data.worker import Maker
from autograd_cnn.errors import ArgumentError, StateDictError

_POSITION = ("seed", "epoch", "batch")
_SETTINGS = ("samples", "batch_size", "shuffle", "drop_last")
_PREFETCH_FACTOR = 2


class DataLoader:
    """Goes through a data set in batches, once an iteration.

    The order of an epoch, and what is drawn at random for a batch, depend on the loader's seed, the number of the
    epoch and the number of the batch alone.  So `load_state_dict` continues in mid-epoch bit for bit, and any number
    of workers gives the same batches in the same order.

    dataset: a `Dataset`, an `IterableDataset`, or anything with `__len__` and `__getitem__`.
    batch_size: None gives single samples.
    sampler, batch_sampler: what gives the indices, or lists of them, instead of `shuffle`.
    num_workers: processes that make batches, by `multiprocessing_context`: "forkserver" (the default where there is
        one) or "spawn".  They have the data set as it is when an iteration begins, and draw the same numbers from
        this package's generators as this process would; Python's and NumPy's global ones are seeded for each batch.
        A script that uses them must have its main part under `if __name__ == "__main__":`.
    collate_fn: makes a batch of a list of samples; `default_collate` unless given.
    pin_memory, pin_memory_device: accepted, and without effect: there is no device to copy to.
    timeout: seconds after which a batch that does not come from the workers is an error; 0 waits for ever.
    worker_init_fn: called with the worker's number when it has started.
    generator: where the seed is drawn from at the first iteration; the default generator unless given.
    prefetch_factor: how many batches each worker is ahead; 2 unless given.
    persistent_workers: they stay for the next iteration.
    in_order: False hands out batches of workers as they are ready.
    seed: the seed itself; give one of generator and seed.
    prefetch: without workers, how many batches a thread prepares ahead; they are the same batches.  Functions of your
        own run in that thread, and should work on arrays, not compute with tensors.
    Errors: `ArgumentError` for options that exclude each other or are out of range; what a worker raises, with its
        traceback in the message; `WorkerError` for a worker that was killed, has stopped, or is too late.

    >>> from autograd_cnn.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch.tolist() for batch, in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: AnyGenerator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        seed: int | None = None,
        prefetch: int = 0,
    ) -> None:
        if not isinstance(num_workers, int) or num_workers < 0:
            raise ArgumentError(f"DataLoader: num_workers is {num_workers!r}; an integer of at least 0")
        if not num_workers:
            given = {
                "timeout": timeout,
                "prefetch_factor": prefetch_factor is not None,
                "persistent_workers": persistent_workers,
                "multiprocessing_context": multiprocessing_context is not None,
            }
            for name in (name for name, value in given.items() if value):
                raise ArgumentError(f"DataLoader: {name} is an option of worker processes; num_workers is 0")
        if timeout < 0:
            raise ArgumentError(f"DataLoader: timeout is {timeout}; at least 0")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ArgumentError(f"DataLoader: prefetch_factor is {prefetch_factor}; at least 1")
        if prefetch < 0:
            raise ArgumentError(f"DataLoader: prefetch is {prefetch}; at least 0")
        if prefetch and num_workers:
            raise ArgumentError("DataLoader: prefetch is of a thread, prefetch_factor of workers; give one of the two")
        if generator is not None and seed is not None:
            raise ArgumentError("DataLoader: takes generator or seed, not both")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = bool(shuffle)
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = worker_context(multiprocessing_context) if num_workers else None
        self.prefetch_factor = (prefetch_factor or _PREFETCH_FACTOR) if num_workers else None
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.prefetch = prefetch
        self._iterable = isinstance(dataset, IterableDataset)
        self._sample_by(sampler, batch_sampler)
        self._seed = seed
        self._epoch = 0
        self._batch = 0  # batches of this epoch that were handed out
        self._resumed = False
        self._turn = 0  # the latest iteration is the one whose position counts
        self._crew: Crew | None = None

    def _sample_by(self, sampler: Any, batch_sampler: Any) -> None:
        """Checks what says which samples a batch has, and fills in what was not given."""
        given = sampler is not None or batch_sampler is not None
        if self._iterable and (given or self.shuffle):
            raise ArgumentError("DataLoader: an IterableDataset gives its own order; no shuffle, no sampler")
        if sampler is not None and self.shuffle:
            raise ArgumentError("DataLoader: takes sampler or shuffle, not both")
        if batch_sampler is not None:
            if self.batch_size != 1 or self.shuffle or sampler is not None or self.drop_last:
                raise ArgumentError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
            self.batch_size = None
        elif self.batch_size is None and self.drop_last:
            raise ArgumentError("DataLoader: batch_size=None gives single samples; there is no last batch to drop")
        elif self.batch_size is not None and (not isinstance(self.batch_size, int | np.integer) or self.batch_size < 1):
            raise ArgumentError(f"DataLoader: batch_size is {self.batch_size!r}; an integer of at least 1")
        self._own_order = not given
        if sampler is None and not self._iterable:
            sampler = RandomSampler(self.dataset, generator=self.generator) if self.shuffle else None
            sampler = sampler or SequentialSampler(self.dataset)
        self.sampler = sampler
        self._batched = batch_sampler is not None or self.batch_size is not None
        if batch_sampler is None and self.batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, self.batch_size, bool(self.drop_last))
        self.batch_sampler = batch_sampler

    def __len__(self) -> int:
        if not self._iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        if self.batch_size is None:
            return len(self.dataset)
        count = len(self.dataset) / self.batch_size
        return math.floor(count) if self.drop_last else math.ceil(count)

    def __iter__(self) -> Iterator[Any]:
        if self._batch and not self._resumed:  # the last epoch was broken off; this is the next
            self._epoch, self._batch = self._epoch + 1, 0
        self._resumed = False
        self._turn += 1
        turn = self._turn
        for number, batch in enumerate(self._batches(self._epoch, self._batch), self._batch):
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

        A sampler with a generator of its own draws on from there; one without repeats the order that it had.
        Errors: `StateDictError` for a state of other data or other settings; nothing is changed then.
        """
        if state.keys() != {*_POSITION, *_SETTINGS}:
            raise StateDictError(f"DataLoader: the state has {sorted(state)}, not {[*_POSITION, *_SETTINGS]}")
        for name, value in self._settings().items():
            if state[name] != value:
                raise StateDictError(f"DataLoader: {name} was {state[name]} when saved, is {value} now")
        total = _length(self)
        if state["batch"] < 0 or state["epoch"] < 0 or (total is not None and state["batch"] > total):
            raise StateDictError(f"DataLoader: batch {state['batch']} of {total}, epoch {state['epoch']}")
        self._seed, self._epoch, self._batch = (state[name] for name in _POSITION)
        self._resumed = True
        self._turn += 1

    def _settings(self) -> dict[str, Any]:
        values = (_length(self.dataset), self.batch_size, self.shuffle, bool(self.drop_last))
        return dict(zip(_SETTINGS, values, strict=True))

    def _base_seed(self) -> int:
        if self._seed is None:
            self._seed = draw_seed(self.generator)
        return self._seed

    def _batches(self, epoch: int, first: int) -> Iterator[Any]:
        """The batches of an epoch from the first one on."""
        maker = Maker(self.dataset, self._base_seed(), self.batch_size, self._batched, bool(self.drop_last),
                      self.collate_fn, self._iterable)  # fmt: skip
        if self.num_workers:
            return self._by_workers(maker, epoch, first)
        if self._iterable:
            return itertools.islice(maker.stream(epoch, 0), first, None)
        tasks = itertools.islice(self._tasks(epoch), first, None)
        seeded = drawing_from if self.prefetch else seeded_by

        def make(task: tuple[int, Any]) -> Any:
            number, indices = task
            with seeded(maker.seed, epoch, number + 1):
                return maker.batch(indices)

        return _ahead(make, tasks, self.prefetch) if self.prefetch else map(make, tasks)

    def _tasks(self, epoch: int) -> Iterator[tuple[int, Any]]:
        """The numbers of an epoch's batches and the indices of the samples in each."""
        seed = self._base_seed()
        if not self._own_order:
            source = self.sampler if self.batch_sampler is None else self.batch_sampler
            chosen = drawn(source, seed, epoch, 0)
            return enumerate(map(np.asarray, chosen) if self._batched else chosen)
        total = len(self.dataset)
        order = permutation(total, seed, epoch) if self.shuffle else np.arange(total)
        if self.batch_size is None:
            return enumerate(order.tolist())
        size = self.batch_size
        return ((number, order[number * size : (number + 1) * size]) for number in range(len(self)))

    def _by_workers(self, maker: Maker, epoch: int, first: int) -> Iterator[Any]:
        crew = self._crew or Crew(
            maker,
            self.num_workers,
            self.multiprocessing_context,
            self.worker_init_fn,
            self.timeout,
            self.prefetch_factor or _PREFETCH_FACTOR,
        )
        self._crew = crew if self.persistent_workers else None
        keep = False
        try:
            if self._iterable:  # what came before must be drawn again
                tasks: Iterator[tuple[int, Any]] = ((number, None) for number in itertools.count())
                yield from itertools.islice(crew.run(epoch, tasks, self.in_order), first, None)
            else:
                tasks = itertools.islice(self._tasks(epoch), first, None)
                yield from crew.run(epoch, tasks, self.in_order)
            keep = True
        except GeneratorExit:
            keep = True
            raise
        finally:
            if not (keep and self.persistent_workers):
                self._crew = None
                crew.end()


def _length(sized: Any) -> int | None:
    try:
        return len(sized)
    except (TypeError, NotImplementedError):
        return None


def _ahead(make: Callable[[Any], Any], tasks: Iterator[Any], ahead: int) -> Iterator[Any]:
    """`map(make, tasks)`, worked off by a thread that is up to `ahead` results ahead."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="DataLoader")
    try:
        waiting = deque(pool.submit(make, task) for task in itertools.islice(tasks, ahead))
        for task in tasks:
            result = waiting.popleft().result()
            waiting.append(pool.submit(make, task))
            yield result
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
