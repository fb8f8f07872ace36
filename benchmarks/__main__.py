"""`python -m benchmarks`: ours and each installed peer in turns, in one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.control import Control, ControlType

from benchmarks import peers as libraries
from benchmarks.case import Case, UnknownCaseError, select
from benchmarks.families import all_cases
from benchmarks.machine import cores
from benchmarks.machine import machine as this_machine

CLEAR_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
RETRIES = 2  # of a case below its floor, on data of its own: a busy moment or an unlucky address is no regression

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, emoji=False)
if not console.is_terminal:
    console.width = 140  # rows stay lines in a file
errors = Console(stderr=True, highlight=False, emoji=False)


@app.command()
def benchmark(
    peers: Annotated[str, typer.Option(help="Whom to compare with, with commas between.")] = ",".join(libraries.PEERS),
    only: Annotated[
        list[str] | None, typer.Option(help="A family, `family:part of a name` or part of a name; may be repeated.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each side.")] = 2,
    check: Annotated[bool, typer.Option("--check", help="Fail where a ratio fell below its recorded floor.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Make the ratios of this run the floors.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Name the cases and measure nothing.")] = False,
    results: Annotated[Path | None, typer.Option(help="Where the results of each machine are kept.")] = None,
) -> None:
    """Times ours and each installed peer in turns; prints a table a family and writes results/<machine>.json.

    Ratios are the best peer's time over ours: above 1 we are faster.  "Of peak" is our speed next to the machine's:
    of its multiplications where a case computes, of its memory where it moves data, above 100 % from the caches.
    Families that were measured whole are written, unless they are checked; of parts only the table is printed.
    """
    try:
        chosen = select(all_cases(), only or ())
    except UnknownCaseError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    if listing:
        for case in chosen:
            console.print(case.key, markup=False, soft_wrap=True)
        return
    if check and record:
        raise typer.BadParameter("--check compares with the floors that --record replaces: one at a time")
    if threads > cores():
        raise typer.BadParameter(f"this process may run on {cores()} cores", param_hint="--threads")
    run(chosen, _installed(peers.split(",")), threads, results, check=check, set_floors=record)


def _installed(names: list[str]) -> list[str]:
    unknown = [name for name in names if name and name not in libraries.PEERS]
    if unknown:
        raise typer.BadParameter(
            f"no peer {unknown[0]!r}; there are {', '.join(libraries.PEERS)}", param_hint="--peers"
        )
    reasons = {name: libraries.missing(name) for name in names if name}
    for reason in filter(None, reasons.values()):
        errors.print(reason, markup=False)
    return [name for name, reason in reasons.items() if reason is None]


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Shows what is being measured; without rich's status, whose thread would be measured too."""
    if errors.is_terminal:
        errors.control(CLEAR_LINE)
        errors.print(what, end="", markup=False)
    yield
    if errors.is_terminal:
        errors.control(CLEAR_LINE)


def run(
    chosen: list[Case], names: list[str], threads: int, results: Path | None, *, check: bool, set_floors: bool
) -> None:
    """Measures the chosen cases, family by family; compares with the floors or writes what was measured."""
    machine = this_machine()  # before the process is held to some of its cores
    peers = libraries.load(names, threads)
    # Only now: these load our kernels, which set how OpenMP waits (see peers.load).
    from benchmarks import peaks, timing
    from benchmarks import record as records
    from benchmarks.table import table

    path = records.path_for(machine, results or records.RESULTS)
    known = records.load(path, machine)
    if check:
        try:
            records.require_floors(known, chosen, threads, names)
        except records.FloorsError as error:
            errors.print(str(error), markup=False)
            raise typer.Exit(1) from None

    def measure(case: Case) -> timing.Measurement:
        with _telling(case.key):
            return (case.measure or timing.measure)(case, case.prepare(peers))

    def below_floor(case: Case, measurement: timing.Measurement, more: int = RETRIES) -> str | None:
        said = records.below_floor(known, case, measurement)
        return below_floor(case, measure(case), more - 1) if said and more else said

    with _telling("the machine's peaks"):
        setting = records.Setting(threads, libraries.versions(peers), peaks.measure())
    speed, bandwidth = setting.peaks.gflops, setting.peaks.gbytes
    console.print(f"{machine}, {threads} threads: peaks {speed:.0f} GFLOP/s, {bandwidth:.1f} GB/s", markup=False)
    sizes = Counter(case.family for case in all_cases())
    fallen: list[str] = []
    for family in dict.fromkeys(case.family for case in chosen):
        measured = {case: measure(case) for case in chosen if case.family == family}
        console.print(table(family, measured, setting.peaks))
        whole = len(measured) == sizes[family]
        if check:
            fallen += filter(None, (below_floor(case, measurement) for case, measurement in measured.items()))
            continue
        if whole:
            known["families"][family] = records.family(setting, measured)
        if set_floors:
            known["floors"] |= records.floors(threads, measured)
        if whole or set_floors:
            records.save(path, known)
    for line in fallen:
        errors.print(line, style="red", markup=False)
    if fallen:
        raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
