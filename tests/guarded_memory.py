"""Arrays that end, or begin, at a page that must not be touched: reading one element outside kills the process."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

PAGE = mmap.PAGESIZE
MARGIN = 64
CANARY = 12345
LIBC = ctypes.CDLL(None, use_errno=True)
_MAPPINGS = []  # a mapping must live as long as the arrays in it: as long as the process


def guarded(array: np.ndarray, side: str) -> np.ndarray:
    """A contiguous copy of `array` whose end ("after") or beginning ("before") touches a forbidden page."""
    pages = -(-array.nbytes // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for forbidden in (start, start + (pages + 1) * PAGE):
        if LIBC.mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(PAGE), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    _MAPPINGS.append(memory)
    offset = PAGE + (pages * PAGE - array.nbytes if side == "after" else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy


class Canaries:
    """An output array between margins that a kernel must leave alone."""

    def __init__(self, shape: tuple[int, ...], dtype: type) -> None:
        size = int(np.prod(shape))
        self.whole = np.full(size + 2 * MARGIN, CANARY, dtype)
        self.out = self.whole[MARGIN : MARGIN + size].reshape(shape)
        self.out[...] = np.nan if self.out.dtype.kind == "f" else -1

    def alive(self) -> bool:
        margins = np.concatenate([self.whole[:MARGIN], self.whole[self.whole.size - MARGIN :]])
        return bool((margins == CANARY).all())


def run_alone(module: str, function: str, check_bounds: bool) -> subprocess.CompletedProcess[str]:
    """Call a function of a test file in a process of its own, which may die."""
    here = Path(__file__).parent
    environment = os.environ | {
        "PYTHONPATH": str(here),
        "AUTOGRAD_CNN_CHECK_BOUNDS": "1" if check_bounds else "0",
    }
    command = [sys.executable, "-c", f"import {module}; {module}.{function}(); print('finished')"]
    return subprocess.run(command, cwd=here.parent, env=environment, capture_output=True, text=True, check=False)
