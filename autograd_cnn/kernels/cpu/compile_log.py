"""What was compiled in this process and how long it took; one line of notice when it takes long."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from numba.core import event

from autograd_cnn.kernels.cpu.cache import CompileCache, KernelCache

NOTICE_SECONDS = 1.0


@dataclass(frozen=True)
class CompileEvent:
    """The start (`seconds` is None) or the end of the compilation of `kernel`."""

    kernel: str
    seconds: float | None
    total_seconds: float


class CompileLog(event.Listener):
    """Listens to Numba, which tells of every compilation under its one compiler lock."""

    def __init__(self, cache: CompileCache):
        self.seconds: dict[str, float] = {}
        self.callbacks: list[Callable[[CompileEvent], None]] = []
        self._cache = cache
        self._running: list[str] = []
        self._began = 0.0
        self._noticed = False

    @property
    def total_seconds(self) -> float:
        return sum(self.seconds.values()) + (perf_counter() - self._began if self._running else 0.0)

    @property
    def notice(self) -> str:
        """One line for the user who waits."""
        opening = "autograd_cnn: compiling kernels for this machine"
        folder = self._cache.folder
        return f"{opening}; not kept: {self._cache.why}" if folder is None else f"{opening}, once; kept in {folder}"

    def on_start(self, event):
        kernel = _kernel_name(event.data["dispatcher"])
        if kernel is None:
            return
        if not self._running:  # else it is compiled as a part of another kernel, and counted there
            self._began = perf_counter()
            self._tell(kernel, None)
        self._running.append(kernel)
        self._notice_when_long()

    def on_end(self, event):
        if _kernel_name(event.data["dispatcher"]) is None:
            return
        self._notice_when_long()
        kernel = self._running.pop()
        if not self._running:
            seconds = perf_counter() - self._began
            self.seconds[kernel] = self.seconds.get(kernel, 0.0) + seconds
            self._tell(kernel, seconds)

    def _tell(self, kernel, seconds):
        for callback in tuple(self.callbacks):
            callback(CompileEvent(kernel, seconds, self.total_seconds))

    def _notice_when_long(self):
        if self._noticed or self.callbacks or self.total_seconds < NOTICE_SECONDS:
            return
        self._noticed = True
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                print(self.notice, file=sys.stderr, flush=True)


def _kernel_name(dispatcher):
    """Module and name of a kernel of ours; None for what Numba compiles for itself and for others."""
    if not isinstance(dispatcher._cache, KernelCache):
        return None
    return f"{dispatcher.__module__.rpartition('.')[2]}.{dispatcher.__qualname__}"
