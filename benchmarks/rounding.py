"""How far results in float32 are from those in float64, next to how far PyTorch's are.

`python -m benchmarks.rounding [family, `family:part of a name` or part of a name ...]` runs the cases of the benchmarks
that sum many numbers once each, ours and PyTorch's in float32, and PyTorch's once more in float64.  It prints, for each
array that a case results in, the root mean square of our error over that of PyTorch's: at most 1 where we are as
accurate.  The noise is the standard error of that ratio.  Errors of one channel, image, row or column are not
independent, so it is that of the means over each, along the axis where it is largest; of one number there is none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import peers as libraries
from benchmarks.case import Case, UnknownCaseError, select

FAMILIES = ("matmul", "conv", "depthwise", "pool", "norm", "loss")
CLEAR = 3  # times its noise that a ratio is beyond 1 where that is no chance


class Wide:
    """A namespace like PyTorch's, whose tensors are made in float64 of float32 arrays."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def tensor(self, data: np.ndarray, **options: Any) -> Any:
        return self._torch.tensor(data.astype(np.float64) if data.dtype == np.float32 else data, **options)

    def from_numpy(self, data: np.ndarray) -> Any:
        return self.tensor(data)


@dataclass(frozen=True)
class Rounding:
    """Errors of one array, as root mean squares next to that of the exact numbers."""

    name: str
    ours: float
    theirs: float
    noise: float

    @property
    def ratio(self) -> float:
        """1 where both are exact."""
        return self.ours / self.theirs if self.theirs else 1.0 if not self.ours else math.inf

    @property
    def worse(self) -> bool:
        return self.ratio > 1 + CLEAR * self.noise


def measure(case: Case, torch: Any, ours: Any, threads: int) -> Iterator[Rounding]:
    exact = results(case, libraries.Peers((), Wide(torch), None, threads))["ours"]
    rounded = results(case, libraries.Peers(("torch",), ours, torch, threads))
    for i, (right, mine, other) in enumerate(zip(exact, rounded["ours"], rounded["torch"], strict=True)):
        ours_squared, theirs_squared = (np.square(array.astype(np.float64) - right) for array in (mine, other))
        size = math.sqrt(np.square(right).mean()) or 1.0
        name = case.name + (f", result {i + 1}" if len(exact) > 1 else "")
        errors = (math.sqrt(squared.mean()) / size for squared in (ours_squared, theirs_squared))
        yield Rounding(name, *errors, noise(ours_squared, theirs_squared))


def noise(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The standard error of the ratio of two root mean squares, from the squares."""
    if ours.size < 2:
        return math.inf
    if not ours.any() or not theirs.any():
        return 0.0
    difference = ours / ours.mean() - theirs / theirs.mean()  # of mean 0
    axes = range(difference.ndim)
    means = (difference.mean(tuple(set(axes) - {axis})) for axis in axes if difference.shape[axis] > 1)
    return max(float(each.std(ddof=1)) / math.sqrt(each.size) / 2 for each in means)


def results(case: Case, peers: libraries.Peers) -> dict[str, list[np.ndarray]]:
    """What the sides of a case compute, in arrays of their own."""
    found = {}
    for name, run in case.prepare(peers).items():
        if name in ("ours", "torch"):
            y = run()
            found[name] = [each.detach().numpy().copy() for each in (y if isinstance(y, tuple | list) else [y])]
    return found


def table(family: str, measured: list[Rounding]) -> Table:
    result = Table("case", title=family, title_justify="left")
    for column in ("ours", "PyTorch", "ratio", "noise"):
        result.add_column(column, justify="right")
    for one in measured:
        ratio = f"[red]{one.ratio:.3f}[/red]" if one.worse else f"{one.ratio:.3f}"
        result.add_row(one.name, f"{one.ours:.2e}", f"{one.theirs:.2e}", ratio, f"{one.noise:.3f}")
    result.add_section()
    worse = [one for one in measured if one.worse]
    compared = [one.ratio for one in measured if one.ours and one.theirs]
    mean = f"{statistics.geometric_mean(compared):.3f}" if compared else ""
    result.add_row(f"geometric mean; {len(worse)} of {len(measured)} clearly above 1", "", "", mean, "")
    return result


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def rounding(
    only: Annotated[list[str] | None, typer.Argument(help="As `--only` of benchmarks.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each side.")] = 2,
) -> None:
    """Prints our error against float64, PyTorch's, and their ratio."""
    from benchmarks.families import FAMILIES as MAKERS

    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 140
    reason = libraries.missing("torch")
    if reason is not None:
        raise SystemExit(reason)
    try:
        chosen = select((case for family in FAMILIES for case in MAKERS[family]()), only or [])
    except UnknownCaseError as error:
        raise SystemExit(str(error)) from None
    peers = libraries.load(["torch"], threads)
    for family in dict.fromkeys(case.family for case in chosen):
        cases = (case for case in chosen if case.family == family)
        measured = [one for case in cases for one in measure(case, peers.torch, peers.ours, threads)]
        console.print(table(family, measured))


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.rounding")
