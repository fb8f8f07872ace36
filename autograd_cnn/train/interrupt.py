"""Ctrl-C and SIGTERM that let a step finish: the first asks to stop, the second stops at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any


class InterruptGuard:
    """While entered, `requested` becomes the number of the first SIGINT or SIGTERM; a second one acts as usual.

    notice: a line for the user, written to stderr when the first signal comes.
    Signals that the process was started to ignore, as `nohup` and shells do for background jobs, stay ignored.
    Outside of the main thread, where signals cannot be handled, it does nothing.

    >>> with InterruptGuard() as guard:
    ...     guard.requested
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, notice: str = "") -> None:
        self.requested: int | None = None
        self.notice = notice
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> InterruptGuard:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in self.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._previous = {number: signal.signal(number, self._request) for number in heeded}
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = number
        self._restore()
        if self.notice and sys.stderr is not None:
            # Unbuffered: the signal may have come in the middle of a print.
            with contextlib.suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), f"\n{self.notice}\n".encode())

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def __exit__(self, *exception: object) -> None:
        self._restore()
