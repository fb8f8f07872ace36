"""What a worker process of a loader does: it makes the batches it is asked for, and says what went wrong."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from autograd_cnn.data.collate import default_collate, default_convert
from autograd_cnn.data.dataset import samples, take_batch
from autograd_cnn.data.order import drawn, seeded_by
from autograd_cnn.data.transfer import Parts, packed, receive, send, unpacked

READY, BATCH, EXHAUSTED, FAILED = range(4)  # what a worker can have to say


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: `id` of `num_workers`, the `seed` of its own, and its copy of the `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a `DataLoader`, which one it is; None elsewhere.

    An `IterableDataset` that each worker should give another part of asks for it.

    >>> get_worker_info() is None
    True
    """
    return _info


class Task(NamedTuple):
    """A batch to be made: number `number` of epoch `epoch`, of these samples; None takes the next of a stream.

    `turn` is the iteration it is for: a worker that outlives one may still answer for it in the next.
    """

    turn: int
    epoch: int
    number: int
    indices: Any


class Maker(NamedTuple):
    """How batches are made, in a worker or in the loader's own process."""

    dataset: Any
    seed: int
    batch_size: int | None
    batched: bool  # else a sample is handed out as it is
    drop_last: bool
    collate_fn: Callable[[Any], Any] | None
    iterable: bool

    def batch(self, indices: Any) -> Any:
        """The batch of the samples at these indices; the one sample where there is no batch size."""
        try:
            if not self.batched:
                return self._converted(self.dataset[indices])
            if self.collate_fn is None:
                return take_batch(self.dataset, indices)
            return self.collate_fn(samples(self.dataset, indices))
        except Exception as error:
            error.add_note(f"DataLoader: while making the batch of {named(indices)}")
            raise

    def stream(self, epoch: int, worker: int) -> Iterator[Any]:
        """The batches of an iterable data set in an epoch, as one worker gives them."""
        items = drawn(self.dataset, self.seed, epoch, 0, worker + 1)
        if self.batch_size is None:
            yield from map(self._converted, items)
            return
        while batch := list(islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield (self.collate_fn or default_collate)(batch)

    def _converted(self, sample: Any) -> Any:
        return (self.collate_fn or default_convert)(sample)


def named(indices: Any) -> str:
    """The samples of a batch in the words of a message."""
    if indices is None:
        return "the next samples"
    listed = np.asarray(indices).tolist()
    return f"samples {listed}" if isinstance(listed, list) else f"sample {listed}"


def seed_of(*key: int) -> int:
    """A seed of 63 bits that `key` alone decides."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))


def work(connection: Connection, id: int, num_workers: int) -> None:
    """The whole life of a worker: its first message says what to do, each later one is a list of tasks.

    Nothing keeps it alive beyond its parent, and Ctrl-C is the parent's to answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _one_thread()
    with suppress(EOFError, OSError):  # the loader is gone
        _serve(connection, id, num_workers)


def _serve(connection: Connection, id: int, num_workers: int) -> None:
    global _info
    try:
        maker, init = unpacked(receive(connection))
        seed = seed_of(maker.seed, id)
        _info = WorkerInfo(id, num_workers, seed, maker.dataset)
        _seed_everything(seed)
        with seeded_by(seed):
            if init is not None:
                init(id)
    except BaseException as error:
        send(connection, _failure(None, error))
        return
    send(connection, packed((READY, None, None)))
    streams: dict[int, Iterator[Any]] = {}  # of the present turn
    while (task := unpacked(receive(connection))) is not None:
        send(connection, _answer(maker, task, streams, id))


def _answer(maker: Maker, task: Task, streams: dict[int, Iterator[Any]], id: int) -> Parts:
    """The message with the batch of a task, or with the reason why there is none."""
    try:
        if not maker.iterable:
            indices, task = task.indices, task._replace(indices=None)  # they need not travel back
            _seed_everything(seed_of(maker.seed, task.epoch, task.number))
            with seeded_by(maker.seed, task.epoch, task.number + 1):
                return packed((BATCH, task, maker.batch(indices)))
        if task.turn not in streams:
            streams.clear()
            _seed_everything(seed_of(maker.seed, task.epoch, id))
            streams[task.turn] = maker.stream(task.epoch, id)
        for batch in streams[task.turn]:
            return packed((BATCH, task, batch))
        return packed((EXHAUSTED, task, None))
    except BaseException as error:  # also SystemExit: whatever ends a worker is told
        return _failure(task, error)


def _failure(task: Task | None, error: BaseException) -> Parts:
    report = "".join(traceback.format_exception(error))
    for kind in type(error).__mro__:
        with suppress(Exception):  # a class that is not at the top of a module
            return packed((FAILED, task, (kind, report)))
    raise AssertionError("object can be sent")


def _seed_everything(seed: int) -> None:
    """Python's generator and NumPy's old one, for data sets that draw from them."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _one_thread() -> None:
    """Workers share the processors with the loader's process: kernels here run in one thread."""
    os.environ["NUMBA_NUM_THREADS"] = "1"
    if "numba" in sys.modules:
        sys.modules["numba"].set_num_threads(1)


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
