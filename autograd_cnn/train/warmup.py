"""Compiling ahead: the kernels that a run of `autograd-cnn train` will call, or all, found without calling any."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.device import CPU
from autograd_cnn.errors import ShapeError
from autograd_cnn.kernels.cpu import jit
from autograd_cnn.random import get_rng_state, set_rng_state
from autograd_cnn.train import repertoire
from autograd_cnn.train.job import SAMPLE, build_model, build_optimizer, evaluation_batch, settings_for
from autograd_cnn.train.sources import SOURCES
from autograd_cnn.train.trainer import Trainer

Target = tuple[str, str]  # a model and a data set


PLAIN = {"blocks_for", "normal_blocks"}  # of the kernels' namespace, but arithmetic
# Of the garbage collector: what a compilation makes, of which there is much, lives until its end.
COMPILING = (100_000, 50, 100)


class _Notes:
    """Stands in for a device's kernels: takes down every kind of call, once, and computes nothing."""

    def __init__(self, kernels: Any) -> None:
        self.kernels = kernels
        self.calls: dict[str, dict[Any, tuple[Any, ...]]] = {}

    def __getattr__(self, kernel: str) -> Any:
        value = getattr(self.kernels, kernel)
        if not callable(value) or isinstance(value, type) or kernel in PLAIN:
            return value
        calls = self.calls.setdefault(kernel, {})

        def note(*args: Any) -> int:
            calls.setdefault(tuple(map(_kind, args)), args)
            return 0 if kernel == "sum_of_squares" else -1  # what says which index is out of range: none

        return note


def _kind(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return tuple(map(_kind, arg))
    return (arg.shape, arg.strides, arg.dtype, arg.flags.writeable) if isinstance(arg, np.ndarray) else arg


def _harmless(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Ones, which a loss may divide by; zeros for integers, which may be indices."""
    return (np.ones if dtype.kind == "f" else np.zeros)(shape, dtype)


@contextmanager
def _rehearsing() -> Iterator[_Notes]:
    """Inside, ops run as they would, but their kernels are noted, not called; afterwards nothing has been drawn."""
    kernels, empty, drawn = CPU.kernels, CPU.empty, get_rng_state()
    notes = _Notes(kernels)
    CPU.kernels, CPU.empty = notes, _harmless  # type: ignore[assignment]
    try:
        yield notes
    finally:
        CPU.kernels, CPU.empty = kernels, empty
        set_rng_state(drawn)


def fitting(model_names: Sequence[str]) -> list[Target]:
    """Each model with every data set whose inputs it takes."""
    return [(model, name) for model in model_names for name in SOURCES if _fits(model, name)]


def _fits(model: str, data_name: str) -> bool:
    try:
        build_model(model, data_name)
    except ShapeError:
        return False
    return True


@cache
def _calls(targets: tuple[Target, ...], everything: bool) -> dict[str, dict[Any, tuple[Any, ...]]]:
    """The calls that default runs make, by kernel, in the order in which the first of each comes."""
    with _rehearsing() as notes:
        if everything:
            repertoire.perform()
        for model_name, data_name in targets:
            settings = settings_for(model_name, data_name)
            model, shape = build_model(model_name, data_name)
            model.load_state_dict(model.state_dict())
            trainer = Trainer(model, build_optimizer(settings, model), model.criterion())
            length, held_out = SOURCES[data_name].lengths
            held_out_batches = _batches(held_out, evaluation_batch(settings), shape)
            trainer.fit(_batches(length, settings.batch_size, shape), held_out_batches, epochs=1)
            [(x, target)] = _batches(min(SAMPLE, held_out), SAMPLE, shape)
            model.criterion()(model(x), target).backward()
    return notes.calls


def _batches(length: int, size: int, shape: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """A batch of each size that occurs in going through `length` samples; zeros."""
    sizes = {min(size, length), length % size} - {0}
    return [
        (from_numpy(np.zeros((n, *shape), np.float32)), from_numpy(np.zeros(n, np.int64)))
        for n in sorted(sizes, reverse=True)
    ]


def kernels_of(targets: Sequence[Target], everything: bool = False) -> list[str]:
    """The kernels that default runs of these models on these data sets call, or those and all others.

    >>> "conv_forward" in kernels_of([("lenet5", "digits")])
    True
    """
    return list(_calls(tuple(targets), everything))


def _compile(targets: tuple[Target, ...], everything: bool, kernel: str) -> None:
    for args in _calls(targets, everything)[kernel].values():
        getattr(CPU.kernels, kernel)(*args)


def _no_notice(event: Any) -> None:
    """Hears of compilations and keeps quiet."""


def _begin() -> None:
    """Prepares a process that does nothing but compile."""
    jit.on_compile(_no_notice)  # the parent says what is going on, so that each child need not
    gc.set_threshold(*COMPILING)


def compile_kernels(targets: Sequence[Target], processes: int = 1, everything: bool = False) -> Iterator[str]:
    """Calls every kernel of these runs once with each kind of arguments, which compiles it; yields those done.

    everything: all other kernels too, in the default dtype.
    processes: how many work side by side; they share the folder of compiled kernels.
    """
    chosen = tuple(targets)
    kernels = kernels_of(chosen, everything)
    if processes == 1:
        for kernel in kernels:
            _compile(chosen, everything, kernel)
            yield kernel
        return
    context = multiprocessing.get_context("spawn")  # a fork would take the threads of kernels along
    with ProcessPoolExecutor(min(processes, len(kernels)), context, _begin) as pool:
        try:
            for kernel, done in [(kernel, pool.submit(_compile, chosen, everything, kernel)) for kernel in kernels]:
                done.result()
                yield kernel
        finally:
            pool.shutdown(cancel_futures=True)  # on Ctrl-C, what has not begun is not waited for
