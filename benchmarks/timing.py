"""Times the sides of a case in turns, so that a busy moment of the machine meets all of them."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.case import Case, Run, Sides

BURST = 0.01  # seconds that a side is timed for before it is another's turn
ROUNDS = (5, 25)  # at least and at most
QUIET = 0.01  # seconds of sleep in which no thread of this process may run; systems account for 4 ms or so at a time
PATIENCE = 30  # such sleeps


class DisagreementError(Exception):
    """Two sides of a case do not compute the same."""


@dataclass(frozen=True)
class Measurement:
    """What became of a case: a median for each side (in `unit`s), and how its ratio to the best peer scattered.

    `ratio` is the best peer's figure over ours, above 1 where we are better; `noise` is the distance between the
    quartiles of that ratio over the rounds, next to it.  Both are None without a peer.
    """

    figures: dict[str, float]
    ratio: float | None
    noise: float | None
    unit: str = "ms"

    @property
    def ours(self) -> float:
        return self.figures["ours"]


def measure(case: Case, sides: Sides) -> Measurement:
    """Checks that the sides agree, then times them in turns for about `case.seconds`."""
    check(case, sides)
    calls = {name: max(1, round(BURST / _once(run))) for name, run in sides.items()}
    gc.collect()
    gc.freeze()  # or a collection would walk all that the peers have imported, in whoever's turn it fell
    rounds: list[dict[str, float]] = []
    order = list(sides)
    start = time.perf_counter()
    while len(rounds) < ROUNDS[0] or (len(rounds) < ROUNDS[1] and time.perf_counter() - start < case.seconds):
        rounds.append({name: 1e3 * _burst(sides[name], calls[name]) for name in order})
        order.reverse()
    gc.unfreeze()
    return summary(rounds)


def summary(rounds: list[dict[str, float]], unit: str = "ms") -> Measurement:
    """The medians of the rounds' figures, and the ratio of the best peer's to ours with its scatter."""
    figures = {name: statistics.median(figures[name] for figures in rounds) for name in sorted(rounds[0], key=_rank)}
    peers = {name: figure for name, figure in figures.items() if name != "ours"}
    if not peers:
        return Measurement(figures, None, None, unit)
    best = min(peers, key=peers.__getitem__)
    ratio = peers[best] / figures["ours"]
    low, high = np.quantile([figures[best] / figures["ours"] for figures in rounds], (0.25, 0.75))
    return Measurement(figures, ratio, float(high - low) / ratio, unit)


def check(case: Case, sides: Sides) -> None:
    """Raises DisagreementError unless all sides compute what ours does; compiles and warms up on the way."""
    results = {name: [_arrays(run()) for _ in range(case.checked_runs)] for name, run in sides.items()}
    ours = results.pop("ours")
    for name, theirs in results.items():
        for mine, other in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
            error = float(np.max([_difference(x, y) for x, y in zip(mine, other, strict=True)]))  # or nan
            if not error <= case.tolerance * max(float(np.max(np.abs(y), initial=0)) for y in other):
                raise DisagreementError(f"{case.key}: our result and that of {name} differ by {error:.3g}")


def _difference(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.max(np.abs(x - y), initial=0)) if x.shape == y.shape else float("inf")


def _arrays(result: Any) -> list[np.ndarray]:
    results = result if isinstance(result, tuple | list) else [result]
    # Copies, since a step may change in place what it returned before.
    return [np.array(x.detach().numpy() if hasattr(x, "detach") else x) * 1 for x in results]  # bools as numbers


def _once(run: Run) -> float:
    """Seconds of one call, at best: the first ones still wake threads and fill caches."""
    _settle()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _burst(run: Run, calls: int) -> float:
    """Seconds a call, of several in a row.

    The side before has left its threads spinning, for some milliseconds (OpenMP) or a hundred (OpenBLAS), on the cores
    that this side needs.  So wait until they sleep; and since now our own threads sleep as well and the caches hold
    the other side's data, one call goes first that is not timed.
    """
    _settle()
    run()
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _settle() -> None:
    """Waits until the threads of this process sleep: until it uses less than a tenth of a core."""
    for _ in range(PATIENCE):
        used = time.process_time()
        time.sleep(QUIET)
        if time.process_time() - used < 0.1 * QUIET:
            return


def _rank(name: str) -> tuple[bool, str]:
    return name != "ours", name
