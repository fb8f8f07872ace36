"""Freed memory is kept for the next arrays, and given back when asked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograd_cnn.kernels.cpu import heap

# A large array is freed and made again, after the kernels' allocator settings are in force.
PROGRAM = """
import resource
import numpy as np
import autograd_cnn
from autograd_cnn.kernels.cpu import heap

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def fill():
    arrays = [np.empty(1 << 22, np.uint8) for _ in range(24)]
    for array in arrays:
        array[:: resource.getpagesize()] = 1

fill()
before = faults()
fill()
again = faults() - before
held = resident()
autograd_cnn.empty_cache()
print(again, held - resident())
"""

linux = pytest.mark.skipif(heap._library() is None, reason="another system's allocator is left as it is")


def run(**environment: str) -> tuple[int, int]:
    clean = {name: value for name, value in os.environ.items() if name not in heap.SETTINGS}
    command = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True).stdout
    again, released = map(int, printed.split())
    return again, released


@linux
def test_pages_are_fetched_once() -> None:
    again, released = run()
    assert again < 100
    assert released > 50 << 20


@linux
def test_a_tuned_allocator_is_left_alone() -> None:
    again, _ = run(MALLOC_MMAP_THRESHOLD_="65536")
    assert again >= 24
    assert not run_keep_freed({"GLIBC_TUNABLES": "glibc.malloc.check=0"})
    assert not run_keep_freed({"MALLOC_TRIM_THRESHOLD_": "1"})
    assert run_keep_freed({})


def run_keep_freed(environment: dict[str, str]) -> bool:
    clean = {name: value for name, value in os.environ.items() if name not in (*heap.SETTINGS, "GLIBC_TUNABLES")}
    program = "from autograd_cnn.kernels.cpu import heap; print(heap.keep_freed())"
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True).stdout
    return printed.strip() == "True"
