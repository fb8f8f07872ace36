"""The one place with Numba flags: every kernel of this package is compiled through a decorator of this file.

`inline`    scalar functions that other kernels call
`serial`    a kernel for one thread
`parallel`  a kernel whose `prange` runs on all threads
`adaptive`  one source, compiled both ways: serial below GRAIN elements of its last argument, else parallel

Compiled code is kept on disk (cache.py).  AUTOGRAD_CNN_CHECK_BOUNDS=1 compiles every kernel for one thread,
with bounds checks and without the cache, so that an index out of range raises IndexError.
"""

import os
from types import FunctionType

from numba import njit
from numba.core.dispatcher import Dispatcher

from autograd_cnn.kernels.cpu.cache import CompileCache, KernelCache

GRAIN = 32768
FLAGS = {"error_model": "numpy"}
CHECK_BOUNDS = os.environ.get("AUTOGRAD_CNN_CHECK_BOUNDS", "0") not in ("", "0")
CACHE = CompileCache()

if CHECK_BOUNDS:
    FLAGS["boundscheck"] = True
    CACHE.enabled = False


def inline(function):
    return _compiled(function)


def serial(function):
    return _compiled(function)


def parallel(function):
    return _compiled(function, parallel=not CHECK_BOUNDS)


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


def _compiled(function, **options):
    kernel = njit(**FLAGS, **options)(function)
    if isinstance(kernel, Dispatcher):  # NUMBA_DISABLE_JIT=1 leaves plain functions
        kernel._cache = KernelCache(CACHE, function, kernel.targetoptions)
    return kernel


def _renamed(function, suffix):
    # A name of its own for each of the two compilations: in profiles, in messages and in the cache.
    name = f"{function.__name__}_{suffix}"
    twin = FunctionType(
        function.__code__.replace(co_name=name), function.__globals__, name, function.__defaults__
    )
    twin.__qualname__ = name
    twin.__module__ = function.__module__
    return twin
