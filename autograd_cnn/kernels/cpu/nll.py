"""Labelled elements of lines of scores, and the gradient that is nothing elsewhere."""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

BLOCK = 8192  # elements of x that a task has to do with


def labelled(x, labels, out):
    """out[n, ...] = x[n, labels[n, ...], ...]; x: (N, C, ...), labels and out: (N, ...)."""
    _run(_taken, x.shape, np.ascontiguousarray(x), labels, out)


def put_labelled(values, labels, out):
    """out[n, labels[n, ...], ...] = values[n, ...], and 0 elsewhere; out: (N, C, ...), values: (N, ...)."""
    _run(_put, out.shape, out, labels, values)


def _run(kernel, shape, x, labels, values):
    if not labels.size or not shape[1]:
        return
    classes, inner = shape[1], labels.size // shape[0]
    flat = x.ravel(), np.ascontiguousarray(labels).ravel(), values.ravel()
    if x.size < GRAIN:
        kernel(0, shape[0], classes, inner, *flat)
    else:
        _in_blocks(_address(kernel, x.dtype), shape[0], classes, inner, *flat)


@lru_cache
def _address(kernel, dtype):
    some = np.zeros(1, dtype)
    return address_of(kernel, 0, 0, 1, 1, some, np.zeros(1, np.int64), some)


@serial
def _taken(first, last, classes, inner, x, labels, values):
    for n in range(first, last):
        for k in range(n * inner, (n + 1) * inner):
            values[k] = x[(n * (classes - 1) + labels[k]) * inner + k]


@serial
def _put(first, last, classes, inner, x, labels, values):
    lines = x[first * classes * inner : last * classes * inner]
    for place in range(lines.size):
        lines[place] = 0
    for n in range(first, last):
        for k in range(n * inner, (n + 1) * inner):
            x[(n * (classes - 1) + labels[k]) * inner + k] = values[k]


@parallel
def _in_blocks(kernel, count, classes, inner, x, labels, values):
    together = max(BLOCK // (classes * inner), 1)
    for block in prange((count + together - 1) // together):
        first = np.int64(block) * together
        call(kernel, (first, min(first + together, count), classes, inner, x, labels, values))
