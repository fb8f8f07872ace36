"""Runs every sample in float32, forward and backward, each array of each kernel call between forbidden pages.

A program of its own, which a read or write beside an array kills.  Its argument says where arrays touch such a page:
`after` or `before`; with `planted` a parallel kernel reads one element too far instead.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from guarded_memory import LIBC, PAGE
from numba import prange
from numpy.lib.array_utils import byte_bounds
from running import gradients, run, tensors
from samples import SAMPLES
from samples.sample import FLOATS

from autograd_cnn.device import CPU
from autograd_cnn.kernels.cpu import jit


class GuardedKernels:
    """The kernels, each called on copies of its arrays that lie beside forbidden pages, as the arrays lay in memory."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.kernels = CPU.kernels

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self.kernels, name)
        if not callable(kernel):
            return kernel
        return lambda *args: guarded_call(kernel, args, self.side)


def guarded_call(kernel: Callable[..., Any], args: tuple[Any, ...], side: str) -> Any:
    regions = merged(sorted(byte_bounds(array) for array in arrays_of(args)))
    maps = [Region(low, high, side) for low, high in regions]
    result = kernel(*[moved(arg, maps) for arg in args])
    for region in maps:
        region.close()
    return result


def arrays_of(args: Any) -> Iterator[np.ndarray]:
    for arg in args:
        if isinstance(arg, np.ndarray):
            if arg.size:
                yield arg
        elif isinstance(arg, tuple | list):
            yield from arrays_of(arg)


def merged(bounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same bytes as intervals that do not overlap: views of one array stay views of one array."""
    found: list[tuple[int, int]] = []
    for low, high in bounds:
        if found and low < found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


class Region:
    """A copy of the bytes [low, high) that begins or ends at a forbidden page."""

    def __init__(self, low: int, high: int, side: str) -> None:
        self.low, self.high = low, high
        pages = -(-(high - low) // PAGE)
        self.memory = mmap.mmap(-1, (pages + 2) * PAGE)
        holder = ctypes.c_char.from_buffer(self.memory)
        start = ctypes.addressof(holder)
        del holder  # or the memory could not be given back
        for forbidden in (start, start + (pages + 1) * PAGE):
            if LIBC.mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        self.offset = PAGE + (pages * PAGE - (high - low) if side == "after" else 0)
        self.start = start + self.offset
        ctypes.memmove(self.start, low, high - low)
        self.written = False

    def view(self, array: np.ndarray) -> np.ndarray:
        first = array.__array_interface__["data"][0] - self.low
        copy = np.ndarray(array.shape, array.dtype, self.memory, self.offset + first, array.strides)
        copy.flags.writeable = array.flags.writeable
        self.written |= array.flags.writeable
        return copy

    def close(self) -> None:
        if self.written:
            ctypes.memmove(self.low, self.start, self.high - self.low)
        self.memory.close()


def moved(arg: Any, maps: list[Region]) -> Any:
    if isinstance(arg, tuple | list):
        return type(arg)(moved(each, maps) for each in arg) if list(arrays_of(arg)) else arg
    if not isinstance(arg, np.ndarray) or not arg.size:
        return arg
    low, high = byte_bounds(arg)
    return next(region for region in maps if region.low <= low and high <= region.high).view(arg)


def shifted(x, out):
    for i in prange(out.size):
        out[i] = x[i + 1]


def main() -> None:
    faulthandler.enable()
    [side] = sys.argv[1:]
    if side == "planted":
        CPU.kernels.shifted = jit.adaptive(shifted).parallel
        GuardedKernels("after").shifted(np.zeros(PAGE), np.zeros(PAGE))
        return
    CPU.kernels = GuardedKernels(side)  # type: ignore[assignment]
    for name, sample in SAMPLES.items():
        print(name, flush=True)
        for large in (False, True) if sample.large else (False,):
            inputs = tensors(sample, sample.arrays(FLOATS[0], large), sample.derivatives() > 0)
            outputs = run(sample, inputs)
            if sample.derivatives() > 0:
                gradients(outputs, inputs)
    print("finished")


if __name__ == "__main__":
    main()
