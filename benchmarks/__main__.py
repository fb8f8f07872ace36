"""`python -m benchmarks`: ours and each installed peer in turns, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import peers as libraries
from benchmarks.case import Case, UnknownCaseError, select
from benchmarks.families import all_cases
from benchmarks.machine import machine as this_machine

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

    Ratios are the best peer's time over ours: above 1 we are faster.  Families that were measured whole are
    written; of parts of a family only the table is printed.
    """
    try:
        chosen = select(all_cases(), only or ())
    except UnknownCaseError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    if listing:
        for case in chosen:
            console.print(case.key, markup=False, soft_wrap=True)
        return
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


def run(
    chosen: list[Case], names: list[str], threads: int, results: Path | None, *, check: bool, set_floors: bool
) -> None:
    """Measures the chosen cases, family by family."""
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
    with errors.status("measuring the machine's peaks"):
        setting = records.Setting(threads, libraries.versions(peers), peaks.measure())
    peak = setting.peaks
    console.print(
        f"{machine}, {threads} threads: peaks {peak.gflops:.0f} GFLOP/s, {peak.gbytes:.1f} GB/s", markup=False
    )

    def measure(case: Case) -> timing.Measurement:
        with errors.status(case.key):
            return (case.measure or timing.measure)(case, case.prepare(peers))

    fallen: list[str] = []
    sizes: dict[str, int] = {}
    for case in all_cases():
        sizes[case.family] = sizes.get(case.family, 0) + 1
    for family in dict.fromkeys(case.family for case in chosen):
        measured = {case: measure(case) for case in chosen if case.family == family}
        console.print(table(family, measured, peak))
        if check:
            # Once more where one is below: a busy moment is not a regression.
            low = [case for case in measured if records.below_floor(known, case, measured[case])]
            fallen += filter(None, (records.below_floor(known, case, measure(case)) for case in low))
        if len(measured) == sizes[family]:
            known["families"][family] = records.family(setting, measured)
        if set_floors:
            known["floors"] |= records.floors(threads, measured)
        records.save(path, known)
    for line in fallen:
        errors.print(line, style="red", markup=False)
    if fallen:
        raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
