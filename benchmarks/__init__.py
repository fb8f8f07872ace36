"""Speed next to PyTorch's, measured in turns in one run.

`python -m benchmarks.step`, `.overhead`, `.matmul`, `.conv`, `.compiling`, `.waiting`.  Above 1 we are faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType

REPEATS = 15
SECONDS = 0.02  # of one measurement


def peer() -> ModuleType | None:
    """PyTorch, or None with a message where it is not installed."""
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed (pip install autograd_cnn[parity]): only our own times follow")
        return None
    return torch


def _seconds(run: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def fastest(*runs: Callable[[], object] | None) -> list[float | None]:
    """The least time of each run in milliseconds, measured in turns: a busy moment meets all of them."""
    present = [run for run in runs if run is not None]
    calls = {}
    for run in present:
        run()
        calls[run] = max(1, round(SECONDS / _seconds(run, 1)))
    best = dict.fromkeys(present, float("inf"))
    for _ in range(REPEATS):
        for run in present:
            best[run] = min(best[run], _seconds(run, calls[run]))
    return [None if run is None else 1e3 * best[run] for run in runs]


def report(name: str, ours: float, theirs: float | None, operations: float) -> None:
    """One line: times in milliseconds, their ratio, and our speed in GFLOP/s."""
    peers = "" if theirs is None else f"   torch {theirs:9.3f} ms   torch / ours {theirs / ours:5.2f}"
    print(f"{name:44s} ours {ours:9.3f} ms{peers}   {operations / ours * 1e-6:7.1f} GFLOP/s", flush=True)
