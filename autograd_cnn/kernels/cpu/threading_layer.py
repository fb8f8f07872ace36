"""Numba's threading layers and their limits, which parallel kernels are kept out of.

`tbb`        any Python threads, any forks
`omp`        any Python threads; after a parallel kernel, a forked child is killed at its own first one
`workqueue`  the process is aborted when two Python threads run parallel kernels at once

GNU's OpenMP also lets waiting threads spin for long before they sleep.  Where other processes want the cores too,
they then hold up the very thread that they wait for.  `calm_waiting` lets them sleep sooner; what that gains and
costs is in docs/performance.md.

So after a fork under `omp` the child compiles its kernels for one thread, and under `workqueue` one parallel
kernel runs at a time.  Results are the same bits in each case.
"""

import os
import threading
import weakref
from dataclasses import dataclass

import numba
from numba.core.registry import CPUDispatcher

_ONE_AT_A_TIME = threading.RLock()
_PARALLEL = weakref.WeakSet()


def calm_waiting() -> None:
    """Lets OpenMP's threads spin but shortly before they sleep, unless the user has said how they should wait.

    OpenMP reads its environment when it is loaded, which Numba does at the first parallel kernel.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


calm_waiting()


@dataclass(frozen=True)
class ThreadingLayerInfo:
    """The layer in use, its number of threads, and whether the process was forked away from them."""

    layer: str
    threads: int
    serial_after_fork: bool


class _FirstCalls(CPUDispatcher):
    """A parallel kernel while nobody knows the layer, and for good where the layer is `workqueue`.

    The layer is chosen when Numba compiles or loads its first parallel kernel.  Once it is known to be safe,
    the kernel goes back to the plain class, whose calls cost nothing more.
    """

    def __call__(self, *args, **kwargs):
        with _ONE_AT_A_TIME:
            # Not `super()`: another thread may have changed the class meanwhile.
            result = CPUDispatcher.__call__(self, *args, **kwargs)
        if _layer() in ("omp", "tbb"):
            self.__class__ = CPUDispatcher
        return result


def guard(kernel: CPUDispatcher) -> None:
    """Keep a parallel kernel within the limits of the threading layer."""
    kernel.__class__ = _FirstCalls
    _PARALLEL.add(kernel)


def threading_layer_info() -> ThreadingLayerInfo:
    """The threading layer of this process, which is started if need be.

    >>> threading_layer_info().layer in ("tbb", "omp", "workqueue")
    True
    """
    threads = numba.get_num_threads()
    return ThreadingLayerInfo(_layer(), threads, _FORK.serial)


def _layer():
    try:
        return numba.threading_layer()
    except ValueError:  # not started
        return None


class _Fork:
    """Notes in a forked child that the threads stayed behind."""

    serial = False

    def in_child(self):
        if _layer() == "omp":
            self.serial = True
            for kernel in _PARALLEL:
                kernel.targetoptions["parallel"] = False
                kernel._reset_overloads()


_FORK = _Fork()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_FORK.in_child)
