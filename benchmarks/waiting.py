"""What OpenMP's spinning costs: LeNet-5's training step alone, and beside one and two busy processes.

`python -m benchmarks.waiting` prints milliseconds a step for several `GOMP_SPINCOUNT`s, each in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

BUSY = "while True: sum(range(1000))"
SPINS = ("0", "2000", "5000", "10000", "default")
NEIGHBOURS = (0, 1, 2)
ROUNDS = 3


def measure() -> None:
    """Prints the mean and the slowest time of a step, in milliseconds: waiting comes in bursts."""
    import autograd_cnn as ag
    from benchmarks.networks import NETWORKS
    from benchmarks.step import data, eager, initial

    network = NETWORKS["LeNet-5"]
    step = eager(ag, network, initial(ag, network), *data(network, 32))
    times = []
    for _ in range(110):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    print(statistics.mean(times[10:]), max(times[10:]))


def run(spins: str) -> tuple[float, float]:
    """`measure` in a process of its own; "default" is OpenMP's."""
    wait = {"OMP_WAIT_POLICY": ""} if spins == "default" else {"GOMP_SPINCOUNT": spins}
    command = [sys.executable, "-c", "from benchmarks.waiting import measure; measure()"]
    printed = subprocess.run(command, env=os.environ | wait, capture_output=True, text=True, check=True).stdout
    mean, slowest = map(float, printed.split())
    return mean, slowest


def several(spins: str) -> str:
    """The median mean of a few runs, and the slowest step of all."""
    means, slowest = zip(*(run(spins) for _ in range(ROUNDS)), strict=True)
    return f"{statistics.median(means):9.2f} {max(slowest):9.1f}"


def main() -> None:
    heads = "".join(f"{f'beside {count}':>10s} {'slowest':>9s}" for count in NEIGHBOURS)
    print(f"{'GOMP_SPINCOUNT':14s}{heads}   (ms a step)")
    for spins in SPINS:
        print(f"{spins:14s}", end="", flush=True)
        for count in NEIGHBOURS:
            busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
            try:
                print(f" {several(spins)}", end="", flush=True)
            finally:
                for neighbour in busy:
                    neighbour.kill()
                    neighbour.wait()
        print(flush=True)


if __name__ == "__main__":
    main()
