"""The one place with Numba flags: every kernel of this package is compiled through a decorator of this file.

`inline`    scalar functions that other kernels call
`serial`    a kernel for one thread
`parallel`  a kernel whose `prange` runs on all threads
`adaptive`  one source, compiled both ways: serial below GRAIN elements of its last argument, parallel from there on
"""

from types import FunctionType

from numba import njit

GRAIN = 32768
FLAGS = {"error_model": "numpy", "cache": True}


def inline(function):
    return njit(**FLAGS)(function)


def serial(function):
    return njit(**FLAGS)(function)


def parallel(function):
    return njit(parallel=True, **FLAGS)(function)


class adaptive:
    """`kernel(*arrays, out)`: serial where `out` is small, parallel where it is large."""

    __slots__ = ("parallel", "serial")

    def __init__(self, function):
        self.serial = serial(_renamed(function, "serial"))
        self.parallel = parallel(_renamed(function, "parallel"))

    def __call__(self, *args):
        if args[-1].size < GRAIN:
            self.serial(*args)
        else:
            self.parallel(*args)


def _renamed(function, suffix):
    # Numba names a cache file by the function's name and line: two compilations of one source need two names.
    name = f"{function.__name__}_{suffix}"
    twin = FunctionType(function.__code__.replace(co_name=name), function.__globals__, name, function.__defaults__)
    twin.__qualname__ = name
    twin.__module__ = function.__module__
    return twin
