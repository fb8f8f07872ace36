"""Data sets that worker processes import: they misbehave in the ways that data sets do."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.data import Dataset, IterableDataset, get_worker_info

BAD = 13  # the sample that goes wrong


class Faulty(Dataset[Any]):
    """32 samples, of which one goes wrong."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index: int) -> Any:
        return FAULTS[self.fault](index) if index == BAD and get_worker_info() is not None else index


class OddError(Exception):
    """Cannot be made of one message."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)


def _raise(error: BaseException) -> Any:
    raise error


def _signal(number: int) -> Any:
    os.kill(os.getpid(), number)
    time.sleep(0.2)


def _loop() -> Any:
    while True:
        time.sleep(0.01)


def _beyond_memory() -> Any:
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20),) * 2)
    return np.ones(1 << 28)


FAULTS = {
    "raise": lambda index: _raise(ValueError(f"sample {index} is bad")),
    "key": lambda index: {}["missing"],
    "odd": lambda index: _raise(OddError(1, 2)),
    "system exit": lambda index: _raise(SystemExit(0)),
    "kill": lambda index: _signal(signal.SIGKILL),
    "stop": lambda index: _signal(signal.SIGSTOP),
    "exit 0": lambda index: os._exit(0),
    "loop": lambda index: _loop(),
    "memory": lambda index: _beyond_memory(),
    "unpicklable": lambda index: lambda: index,
}


class Noisy(Dataset[Any]):
    """What every kind of generator draws, and a computation by kernels."""

    def __init__(self, generators: bool = False) -> None:
        self.generators = generators
        self.scale = ag.tensor([2.0, 3.0])
        self.layer = nn.Linear(2, 2)

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        drawn = [random.random(), float(np.random.rand())] if self.generators else []
        return [float(index), ag.rand(2) * self.scale, self.layer(ag.rand(2)).detach(), *drawn]


class Stream(IterableDataset[int]):
    """0 to n - 1, of which each worker gives every so manieth."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        yield from range(self.n) if info is None else range(info.id, self.n, info.num_workers)


class Who(Dataset[Any]):
    """Which worker and process made the sample, its seed, and what `worker_init_fn` left."""

    left = 0

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        info = get_worker_info()
        assert info is not None
        assert info.dataset is self
        return info.id, info.num_workers, info.seed % 2**31, os.getpid(), self.left


def leave_a_mark(worker: int) -> None:
    info = get_worker_info()
    assert info is not None
    info.dataset.left = 100 + worker


def fail_to_start(worker: int) -> None:
    raise RuntimeError("no start")


def as_list(samples: list[Any]) -> list[Any]:
    return samples
