"""The one place with Numba flags: every kernel of this package is compiled through a decorator of this file.

`inline`    scalar functions that other kernels call
`serial`    a kernel for one thread
`apart`     the same, compiled as `parallel` kernels are: what it writes it reads elsewhere only at the same index
`parallel`  a kernel whose `prange` runs on all threads
`adaptive`  one source, compiled both ways: serial below GRAIN elements of its last argument, else parallel

Nothing is compiled before its first call.  Compiled code is kept on disk (cache.py).  In the environment,
AUTOGRAD_CNN_CHECK_BOUNDS=1 compiles every kernel for one thread, with bounds checks and without the cache, so
that an index out of range raises IndexError.
"""

import os
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from numba import njit
from numba.core import event
from numba.core.dispatcher import Dispatcher

from autograd_cnn.kernels.cpu import threading_layer
from autograd_cnn.kernels.cpu.cache import CompileCache, KernelCache
from autograd_cnn.kernels.cpu.compile_log import CompileEvent, CompileLog
from autograd_cnn.kernels.cpu.fingerprint import settings_digest

GRAIN = 32768
CHECK_BOUNDS = os.environ.get("AUTOGRAD_CNN_CHECK_BOUNDS", "0") not in ("", "0")
# Numba would also make a function for callers in C of each.
FLAGS = {"error_model": "numpy", "no_cfunc_wrapper": True} | ({"boundscheck": True} if CHECK_BOUNDS else {})

_CACHE = CompileCache(enabled=not CHECK_BOUNDS)
_LOG = CompileLog(_CACHE)
event.register("numba:compile", _LOG)


def inline(function):
    # Left to LLVM's judgement, loops over a formula that calls two such functions stay scalar.
    return _compiled(function, forceinline=True)


def serial(function):
    return _compiled(function)


def apart(function):
    # Loops need not test whether arrays overlap, nor have code for when they do.
    return _compiled(function, noalias=True)


def parallel(function):
    if CHECK_BOUNDS:
        return _compiled(function)
    kernel = _compiled(function, parallel=True)
    if isinstance(kernel, Dispatcher):
        threading_layer.guard(kernel)
    return kernel


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


@dataclass(frozen=True)
class CacheInfo:
    """The compile cache of this process: `entries` and `bytes` count the kernels that it could load."""

    folder: Path | None
    why: str
    mode: str | None
    digest: str
    entries: int
    bytes: int
    other_entries: int
    hits: int
    misses: int
    compile_seconds: dict[str, float]


def cache_info() -> CacheInfo:
    """Where compiled kernels are kept, how many there are, and what this process did with them.

    >>> cache_info().hits >= 0
    True
    """
    folder = _CACHE.folder
    paths = _CACHE.entries()
    sizes = [path.stat().st_size for path in paths if path.parent == folder]
    return CacheInfo(
        folder=folder,
        why=_CACHE.why,
        mode=None if _CACHE.root is None else f"{_CACHE.root.stat().st_mode & 0o777:03o}",
        digest=settings_digest(),
        entries=len(sizes),
        bytes=sum(sizes),
        other_entries=len(paths) - len(sizes),
        hits=_CACHE.hits,
        misses=_CACHE.misses,
        compile_seconds=dict(_LOG.seconds),
    )


def clear_cache() -> int:
    """Delete all compiled kernels from the disk, those of other versions too; return how many there were."""
    return _CACHE.clear()


def on_compile(callback: Callable[[CompileEvent], None]) -> Callable[[], None]:
    """Call `callback(CompileEvent)` before and after each compilation; return the function that ends this.

    While anybody listens the notice is not printed: a progress display shows `compile_notice()` its own way.

    >>> stop = on_compile(lambda event: print("compiling", event.kernel))
    >>> stop()
    """
    _LOG.callbacks.append(callback)
    return lambda: _LOG.callbacks.remove(callback)


def compile_notice() -> str:
    """The line that tells a waiting user what is being compiled, and where it is kept.

    >>> compile_notice().startswith("autograd_cnn: compiling kernels for this machine")
    True
    """
    return _LOG.notice


def _compiled(function, noalias=False, **options):
    kernel = njit(**FLAGS, **options)(function)
    if isinstance(kernel, Dispatcher):  # NUMBA_DISABLE_JIT=1 leaves plain functions
        kernel._cache = KernelCache(_CACHE, function, ChainMap(kernel.targetoptions, {"noalias": noalias}))
        if noalias:
            kernel._compiler._customize_flags = _without_aliases
    return kernel


def _without_aliases(flags):
    flags.noalias = True  # for which `njit` has no option
    return flags


def _renamed(function, suffix):
    # A name of its own for each of the two compilations: in profiles, in messages and in the cache.
    name = f"{function.__name__}_{suffix}"
    code = function.__code__.replace(co_name=name)
    twin = FunctionType(code, function.__globals__, name, function.__defaults__)
    twin.__qualname__ = name
    twin.__module__ = function.__module__
    return twin
