"""What keeping freed memory brings: a training step with it, and with the allocator left as the system has it.

`python -m benchmarks.pages` prints milliseconds a step, pages fetched a step and the peak of memory, each way in
processes of its own, in turns.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

WAYS = {"kept": {}, "left alone": {"GLIBC_TUNABLES": "glibc.malloc.check=0"}}  # naming it is tuning it
NETWORK = "VGG-like"
BATCHES = (32, 128)
STEPS = 8
ROUNDS = 3


def measure(batch: int) -> None:
    """Prints the median time of a step in milliseconds, the pages it fetches, and the peak of memory in MiB."""
    import autograd_cnn
    from benchmarks.networks import NETWORKS
    from benchmarks.step import data, eager, initial

    network = NETWORKS[NETWORK]
    step = eager(autograd_cnn, network, initial(autograd_cnn, network), *data(network, batch))
    times, faults = [], []
    for _ in range(STEPS):
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    peak = int(re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    print(statistics.median(times[2:]), statistics.median(faults[2:]), peak)


def run(way: str, batch: int) -> tuple[float, float, float]:
    command = [sys.executable, "-c", f"from benchmarks.pages import measure; measure({batch})"]
    printed = subprocess.run(command, env=os.environ | WAYS[way], capture_output=True, text=True, check=True).stdout
    milliseconds, faults, peak = map(float, printed.split())
    return milliseconds, faults, peak


def main() -> None:
    print(f"{NETWORK:10s} {'freed memory':14s} {'ms a step':>10s} {'pages a step':>14s} {'peak, MiB':>10s}")
    for batch in BATCHES:
        found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, runs in found.items():
                runs.append(run(way, batch))
        for way, runs in found.items():
            milliseconds, faults, peak = map(statistics.median, zip(*runs, strict=True))
            print(f"batch {batch:4d} {way:14s} {milliseconds:10.1f} {faults:14.0f} {peak:10.0f}")


if __name__ == "__main__":
    main()
