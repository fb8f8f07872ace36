"""The tables that a run prints."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from benchmarks import record
from benchmarks.case import Case
from benchmarks.peaks import Peaks
from benchmarks.timing import Measurement


def table(family: str, measured: Mapping[Case, Measurement], peaks: Peaks) -> Table:
    """One line a case: each side's figure, the ratio to the best peer, its noise, our fraction of the peak."""
    first = next(iter(measured.values()))
    peers = list(dict.fromkeys(side for m in measured.values() for side in m.figures if side != "ours"))
    result = Table("case", title=family, title_justify="left")
    columns = (f"ours, {first.unit}", *peers, "ratio", "noise", "of peak")
    for column in columns:
        result.add_column(column, justify="right")
    for case, measurement in measured.items():
        figures = (measurement.figures.get(side) for side in ("ours", *peers))
        cells = (*map(figure, figures), _ratio(measurement.ratio), percent(measurement.noise))
        result.add_row(case.name, *cells, percent(record.fraction(case, measurement, peaks)))
    result.add_section()
    means = record.geometric_means((case.group, measurement.ratio) for case, measurement in measured.items())
    for group, mean in means.items():
        result.add_row(f"geometric mean: {group}", *[""] * (1 + len(peers)), _ratio(mean), "", "")
    return result


def figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if value < 1 else f"{value:.2f}"


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"[red]{value:.2f}[/red]" if value < 1 else f"{value:.2f}"
