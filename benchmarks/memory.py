"""The peak memory of whole training steps, ours and PyTorch's eager ones, each in a process of its own.

A step's peak is what the process holds at most while it trains, beyond what it holds once all code is loaded and
warm: parameters, the optimizer's state, data and all that a step keeps.  Linux tells it (VmHWM).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.case import Case, Sides
from benchmarks.networks import BATCHES, NETWORKS, Network
from benchmarks.peers import Peers
from benchmarks.step import data, eager, initial
from benchmarks.timing import Measurement, summary

ROUNDS = 2
STEPS = 3  # from the second on, Adam has its state while a step runs
LIBRARIES = {"ours": "autograd_cnn", "torch": "torch"}
CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"


def cases() -> Iterator[Case]:
    if not CLEAR_REFS.exists():
        return
    for name in NETWORKS:
        children: dict[tuple[str, int], dict[str, float]] = {}  # a process measures all batches of a network
        for batch in BATCHES:
            make = partial(prepare, name, batch, children)
            yield Case("memory", f"{name}, batch {batch}", make, group=name, measure=measure)


def prepare(name: str, batch: int, children: dict[tuple[str, int], dict[str, float]], peers: Peers) -> Sides:
    def peak(side: str, attempt: int) -> float:
        if (side, attempt) not in children:
            children[side, attempt] = run_child(side, name, peers.threads)
        return children[side, attempt][str(batch)]

    return {side: partial(peak, side) for side in LIBRARIES if side == "ours" or side in peers}


def measure(case: Case, sides: Sides) -> Measurement:
    return summary([{side: run(attempt) for side, run in sides.items()} for attempt in range(ROUNDS)], "MB")


def run_child(side: str, network: str, threads: int) -> dict[str, float]:
    """Megabytes for each batch size, of `side`'s steps of a network."""
    command = [sys.executable, "-m", "benchmarks.memory", side, network, str(threads)]
    root = Path(__file__).parents[1]
    return json.loads(subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout)


def child(side: str, network: str, threads: int) -> None:
    t = importlib.import_module(LIBRARIES[side])
    if side == "torch":
        t.set_num_threads(threads)
    else:
        importlib.import_module("numba").set_num_threads(threads)
    settings = {"fused": True} if side == "torch" else {}
    print(json.dumps({batch: peak(t, NETWORKS[network], batch, settings) for batch in BATCHES}))


def peak(t: Any, network: Network, batch: int, settings: dict[str, bool]) -> float:
    """Megabytes that steps of one batch size take at most."""
    train(t, network, batch, settings, steps=1)  # compiles, loads and warms up
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed is the system's again, whatever the allocator would keep
    before = memory("VmRSS")
    CLEAR_REFS.write_text(RESET_PEAK)
    train(t, network, batch, settings, steps=STEPS)
    return round(memory("VmHWM") - before, 3)


def train(t: Any, network: Network, batch: int, settings: dict[str, bool], steps: int) -> None:
    step = eager(t, network, initial(t, network), *data(network, batch), **settings)
    for _ in range(steps):
        step()


def memory(what: str) -> float:
    """A figure of /proc/self/status, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) * 1024 / 1e6


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
