"""Where the randomness of data comes from: shuffles and augmentation that a resumed run repeats exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_cnn.random import Generator, default_generator

AnyGenerator = Generator | np.random.Generator

_current: ContextVar[np.random.Generator | None] = ContextVar("data_randomness", default=None)


def numpy_generator(generator: AnyGenerator | None) -> np.random.Generator:
    """The stream to draw from: the one given, else the loader's for this batch, else the default one."""
    if isinstance(generator, np.random.Generator):
        return generator
    return generator.numpy if generator is not None else _current.get() or default_generator.numpy


def draw_seed(generator: AnyGenerator | None = None) -> int:
    """A seed of 63 bits."""
    return int(numpy_generator(generator).integers(2**63))


def keyed(*key: int) -> np.random.Generator:
    """A stream that `key` alone decides."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@contextmanager
def drawing_from(*key: int) -> Iterator[None]:
    """Inside, transforms without a generator of their own draw from a stream that `key` alone decides."""
    with _drawing(keyed(*key)):
        yield


@contextmanager
def seeded_by(*key: int) -> Iterator[None]:
    """`drawing_from`, and the default generator begins at what `key` decides, too; afterwards it is as it was.

    So `autograd_cnn.rand` in a data set gives the same numbers whoever makes the batch.  Not for threads beside
    others, which share the default generator.
    """
    before = vars(default_generator).copy()
    # Another seed than the stream's, lest a transform and `rand` draw the same numbers.
    default_generator.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]))
    try:
        with drawing_from(*key):
            yield
    finally:
        vars(default_generator).update(before)


def drawn(items: Iterable[Any], *key: int) -> Iterator[Any]:
    """The items, each taken while drawing from one stream that `key` alone decides."""
    stream = keyed(*key)
    with _drawing(stream):
        source = iter(items)
    while True:
        with _drawing(stream):
            try:
                item = next(source)
            except StopIteration:
                return
        yield item  # outside, since whoever takes it draws from elsewhere


def permutation(n: int, *key: int) -> np.ndarray:
    """The integers 0..n-1 in an order that `key` alone decides, the same with every version of NumPy.

    NumPy promises that of the bits of Philox, but not of what `Generator.permutation` makes of them.
    Two equal keys of 64 bits are as good as impossible, and would only keep their order.

    >>> permutation(5, 1)
    array([2, 0, 1, 4, 3])
    """
    bits = np.random.Philox(np.random.SeedSequence(key)).random_raw(n)
    return np.argsort(bits, kind="stable")


def uniforms(n: int, *key: int) -> np.ndarray:
    """n numbers in [0, 1) that `key` alone decides, the same with every version of NumPy.

    >>> uniforms(2, 1).round(3)
    array([0.067, 0.079])
    """
    bits = np.random.Philox(np.random.SeedSequence(key)).random_raw(n)
    return (bits >> np.uint64(11)) * 2.0**-53


@contextmanager
def _drawing(stream: np.random.Generator) -> Iterator[None]:
    token = _current.set(stream)
    try:
        yield
    finally:
        _current.reset(token)
