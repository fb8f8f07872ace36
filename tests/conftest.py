"""What tests share: a seed, PyTorch where it is installed, numbers of threads, a garbage collector at rest."""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import numba
import numpy as np
import pytest

from autograd_cnn.random import manual_seed


@pytest.fixture(autouse=True)
def seed() -> None:
    manual_seed(0)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch as the oracle; tests that ask for it are skipped without it."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: pip install autograd_cnn[parity]")
    import torch

    torch.set_num_threads(1)
    return torch


@pytest.fixture
def same_bits() -> Iterator[Callable[[Callable[[], Sequence[np.ndarray]]], None]]:
    """A check that the arrays a function computes are the same bits for one thread and for several."""
    several = numba.config.NUMBA_NUM_THREADS
    if several < 2:
        pytest.skip("one processor: nothing runs in parallel")
    before = numba.get_num_threads()

    def check(compute: Callable[[], Sequence[np.ndarray]]) -> None:
        results = []
        for threads in (1, several):
            numba.set_num_threads(threads)
            results.append([array.tobytes() for array in compute()])
        assert results[0] == results[1], f"other bits with {several} threads than with 1"

    yield check
    numba.set_num_threads(before)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """The garbage collector is off: what reference counts do not free stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
