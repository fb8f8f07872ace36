"""How far our float32 functions are from the exact value, over every float32 there is: all 2^32 bit patterns.

`python -m benchmarks.accuracy`            every function; prints a table and writes results/accuracy-<machine>.json
`python -m benchmarks.accuracy exp gelu`   some of them
`python -m benchmarks.accuracy --check`    fails where an error is above its bound

Exact is what NumPy and SciPy compute in float64, half of whose digits are to spare.  Errors are in ulp: units in the
last place that float32 has where the exact value lies.  Infinity counts as 2^128; NaN has to be NaN in both.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from benchmarks.machine import cores, machine, slug
from benchmarks.record import RESULTS

PATTERNS = 1 << 32
TASK = 1 << 26  # patterns that a process takes at once
PIECE = 1 << 16  # of which so many are in the caches at once
LARGEST = 2.0**128  # the first number that float32 rounds to infinity
SUBNORMAL = 2.0**-149
EXPONENT = np.int64(0x7FF) << 52  # the bits of a float64's power of two

Array = np.ndarray


class Worst(NamedTuple):
    """The largest error, in ulp, and the number it was met at."""

    ulp: float
    at: float


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Array) -> Array:
    from scipy.special import erf

    return erf(x)


def _gelu(x: Array) -> Array:
    from scipy.special import ndtr

    return np.where(x < -50, -0.0, x * ndtr(x))  # -inf times 0 would be NaN


EXACT: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
    "gelu": _gelu,
    "softplus": _softplus,
    "sin": np.sin,
    "cos": np.cos,
}
BOUND = 2.0
BOUNDS = {"tanh": 4.0, "gelu": 4.0}
ARGUMENTS = {"softplus": (1.0, 20.0)}  # beta, and the threshold above which it is x: PyTorch's defaults


def errors(ours: Array, exact: Array) -> Array:
    """|ours - exact| in ulp of float32, `exact` in float64.

    >>> errors(np.float32([1, np.inf, np.nan]), np.array([1 + 2.0**-23, 1e39, 1.0]))
    array([ 1.,  0., inf])
    """
    both_nan = np.isnan(ours) & np.isnan(exact)
    exact = np.clip(exact, -LARGEST, LARGEST)
    found = np.clip(ours.astype(np.float64), -LARGEST, LARGEST)
    power = (exact.view(np.int64) & EXPONENT).view(np.float64)
    error = np.abs(found - exact) / np.maximum(np.minimum(power, LARGEST / 2) * 2.0**-23, SUBNORMAL)
    error[np.isnan(error)] = np.inf
    error[both_nan] = 0
    return error


def scan(name: str, first: int, last: int) -> Worst:
    """The worst of the bit patterns [first, last)."""
    from autograd_cnn.kernels import cpu as kernels

    kernel, arguments, exact = getattr(kernels, name), ARGUMENTS.get(name, ()), EXACT[name]
    worst = Worst(-1.0, 0.0)
    with np.errstate(all="ignore"):
        for start in range(first, last, PIECE):
            x = np.arange(start, min(start + PIECE, last), dtype=np.uint32).view(np.float32)
            ours = np.empty_like(x)
            kernel(x, *arguments, ours)
            error = errors(ours, exact(x.astype(np.float64)))
            place = error.argmax()
            if error[place] > worst.ulp:
                worst = Worst(float(error[place]), float(x[place]))
    return worst


def _alone() -> None:
    import numba

    numba.set_num_threads(1)


def over_all(names: Iterable[str], threads: int) -> Iterable[tuple[str, Worst]]:
    """The worst of each function, as soon as it is known; the patterns are shared out to processes."""
    parts = [(first, first + TASK) for first in range(0, PATTERNS, TASK)]
    with ProcessPoolExecutor(threads, get_context("spawn"), _alone) as pool:
        for name in names:
            yield name, max(pool.map(partial(scan, name), *zip(*parts, strict=True)))


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def accuracy(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(EXACT)}.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = min(2, cores()),
    check: Annotated[bool, typer.Option("--check", help="Record nothing; fail above a bound.")] = False,
    results: Annotated[Path, typer.Option(help="Where the results of each machine are kept.")] = RESULTS,
) -> None:
    """Prints the largest error of each function, and where it is met."""
    unknown = [name for name in names or () if name not in EXACT]
    if unknown:
        raise typer.BadParameter(f"no function {unknown[0]!r}; there are {', '.join(EXACT)}")
    path = results / f"accuracy-{slug(machine())}.json"
    os.environ["OMP_NUM_THREADS"] = "1"  # of each process
    print("| function | largest error, ulp | at | bound |\n|---|---:|---:|---:|", flush=True)
    above = []
    start = time.perf_counter()
    for name, worst in over_all(names or EXACT, threads):
        bound = BOUNDS.get(name, BOUND)
        above += [name] * (not worst.ulp <= bound)
        print(f"| {name} | {worst.ulp:.3f} | {worst.at:.9g} | {bound:g} |", flush=True)
        if not check:
            known = json.loads(path.read_text())["functions"] if path.exists() else {}
            known[name] = {"ulp": round(worst.ulp, 4), "at": worst.at}
            path.write_text(json.dumps({"machine": machine(), "functions": known}, indent=1) + "\n")
    print(f"\n{time.perf_counter() - start:.0f} s")
    if check and above:
        raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.accuracy")
