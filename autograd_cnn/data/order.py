"""Where the randomness of data comes from: shuffles and augmentation that a resumed run repeats exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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


@contextmanager
def drawing_from(*key: int) -> Iterator[None]:
    """Inside, transforms without a generator of their own draw from a stream that `key` alone decides."""
    token = _current.set(np.random.Generator(np.random.Philox(np.random.SeedSequence(key))))
    try:
        yield
    finally:
        _current.reset(token)


def permutation(n: int, *key: int) -> np.ndarray:
    """The integers 0..n-1 in an order that `key` alone decides, the same with every version of NumPy.

    NumPy promises that of the bits of Philox, but not of what `Generator.permutation` makes of them.
    Two equal keys of 64 bits are as good as impossible, and would only keep their order.

    >>> permutation(5, 1)
    array([2, 0, 1, 4, 3])
    """
    bits = np.random.Philox(np.random.SeedSequence(key)).random_raw(n)
    return np.argsort(bits, kind="stable")
