"""What a run measured, kept in `results/<machine>.json`, and the floors that later runs must not fall below.

{"machine", "families": {family: {"threads", "versions", "peaks", "cases": {name: {"group", unit: {side: figure},
"ratio", "noise", "fraction"}}, "means": {group: ratio}}}, "floors": {"family:name": {"ratio", "noise", "threads",
"against"}}}; `against` are the peers that the ratio is the best of.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.case import Case
from benchmarks.machine import slug
from benchmarks.peaks import Peaks
from benchmarks.timing import Measurement

RESULTS = Path(__file__).parent / "results"


class FloorsError(Exception):
    """There are no floors that this run can be compared with."""


@dataclass(frozen=True)
class Setting:
    """What the figures of a run depend on besides the machine."""

    threads: int
    versions: dict[str, str]
    peaks: Peaks


def path_for(machine: str, folder: Path = RESULTS) -> Path:
    return folder / f"{slug(machine)}.json"


def load(path: Path, machine: str) -> dict[str, Any]:
    """The file of this machine, or the beginnings of one."""
    if not path.exists():
        return {"machine": machine, "families": {}, "floors": {}}
    return json.loads(path.read_text())


def save(path: Path, record: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(record, indent=1) + "\n")
    draft.replace(path)


def fraction(case: Case, measurement: Measurement, peaks: Peaks) -> float | None:
    """Our speed next to the machine's: in operations or in bytes a second, by what the case says its work is."""
    seconds = 1e-3 * measurement.ours
    if case.operations:
        return case.operations / seconds / (1e9 * peaks.gflops)
    if case.bytes:
        return case.bytes / seconds / (1e9 * peaks.gbytes)
    return None


def geometric_means(cases: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    """Of the ratios of each group, and of all where there are several groups."""
    pairs = [(group, ratio) for group, ratio in cases if ratio is not None]
    groups = dict.fromkeys(group for group, _ in pairs if group)
    means = {group: statistics.geometric_mean([ratio for g, ratio in pairs if g == group]) for group in groups}
    if pairs and len(groups) != 1:
        means["all"] = statistics.geometric_mean([ratio for _, ratio in pairs])
    return means


def family(setting: Setting, measured: Mapping[Case, Measurement]) -> dict[str, Any]:
    """The entry of a family that was measured whole."""
    cases = {}
    for case, measurement in measured.items():
        cases[case.name] = {
            "group": case.group,
            measurement.unit: {side: _short(figure) for side, figure in measurement.figures.items()},
            "ratio": _short(measurement.ratio),
            "noise": _short(measurement.noise),
            "fraction": _short(fraction(case, measurement, setting.peaks)),
        }
    means = geometric_means((case.group, measurement.ratio) for case, measurement in measured.items())
    return asdict(setting) | {"cases": cases, "means": {group: _short(mean) for group, mean in means.items()}}


def floors(threads: int, measured: Mapping[Case, Measurement]) -> dict[str, dict[str, Any]]:
    """What later runs are held to: the ratios just measured, of those cases that have a peer."""
    return {
        case.key: {
            "ratio": _short(measurement.ratio),
            "noise": _short(measurement.noise),
            "threads": threads,
            "against": sorted({side.split()[0] for side in measurement.figures} - {"ours"}),
        }
        for case, measurement in measured.items()
        if measurement.ratio is not None
    }


def require_floors(record: Mapping[str, Any], cases: Iterable[Case], threads: int, peers: Iterable[str]) -> None:
    """Raises FloorsError where a check of these cases could not mean anything."""
    found = [record["floors"][case.key] for case in cases if case.key in record["floors"]]
    if not found:
        raise FloorsError(
            f"no floors for these cases on {record['machine']}; `python -m benchmarks --record` notes them"
        )
    if others := {floor["threads"] for floor in found} - {threads}:
        raise FloorsError(f"the floors were recorded with {others.pop()} threads, this run has {threads}")
    against = {peer for floor in found for peer in floor["against"]}
    if absent := against - {"numpy", *peers}:
        raise FloorsError(
            f"the floors were recorded against {', '.join(sorted(absent))} too, which this run leaves out"
        )


def below_floor(record: Mapping[str, Any], case: Case, measurement: Measurement) -> str | None:
    """Says by how much a case fell below its floor, beyond the noise of then and of now; None where it did not."""
    floor = record["floors"].get(case.key)
    if floor is None or measurement.ratio is None:
        return None
    noise = max(floor["noise"], measurement.noise)
    if measurement.ratio >= floor["ratio"] * (1 - noise):
        return None
    return f"{case.key}: ratio {measurement.ratio:.2f}, floor {floor['ratio']:.2f}, noise {noise:.0%}"


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
