"""Memory that arrays leave behind is kept for the next ones.

A training step allocates what the step before has freed.  GNU's allocator gives large pieces back to the system, and
every page of the next step's arrays then has to be fetched and zeroed anew: `python -m benchmarks.pages` shows what
that costs.  `keep_freed` lets the process keep them, `release` gives them back.  Other allocators, and other systems,
are left as they are.
"""

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
LARGEST_KEPT = 1 << 30  # bytes of an array; larger ones go back to the system when they are freed
OLD_LIMIT = 1 << 25  # the most that older versions of the library take for M_MMAP_THRESHOLD

SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")


def _library():
    """The C library, where it is GNU's."""
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def keep_freed() -> bool:
    """Keeps freed memory in this process, unless the user has tuned the allocator; whether it did."""
    library = _library()
    tuned = any(name in os.environ for name in SETTINGS) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if library is None or tuned:
        return False
    if not library.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT):
        library.mallopt(M_MMAP_THRESHOLD, OLD_LIMIT)
    return bool(library.mallopt(M_TRIM_THRESHOLD, -1))


def release() -> bool:
    """Gives freed memory back to the system; whether there was any."""
    library = _library()
    return library is not None and bool(library.malloc_trim(0))
