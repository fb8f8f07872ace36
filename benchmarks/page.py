"""docs/benchmarks.md: the recorded figures of one machine as a page.

`python -m benchmarks.page results/<machine>.json > docs/benchmarks.md`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import figure, percent

HEAD = """# Benchmarks

Made by `python -m benchmarks --record` and `python -m benchmarks.page`.  Times are medians, the ratio is the best
peer's time over ours (above 1 we are faster), noise is the distance between the quartiles of the ratio over the rounds,
`of peak` our share of the machine's measured multiply-add or memory rate.  [performance.md](performance.md) explains
them.
"""


def page(record: dict[str, Any]) -> Iterator[str]:
    yield HEAD
    yield f"Machine: {record['machine']}."
    for name, family in record["families"].items():
        yield from _family(name, family)


def _family(name: str, family: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{package} {version}" for package, version in family["versions"].items())
    peaks = family["peaks"]
    yield f"\n## {name}\n"
    yield f"{family['threads']} threads; {peaks['gflops']:.0f} GFLOP/s, {peaks['gbytes']:.0f} GB/s; {versions}.\n"
    cases = family["cases"]
    unit = next(key for key, value in next(iter(cases.values())).items() if isinstance(value, dict))
    peers = list(dict.fromkeys(side for case in cases.values() for side in case[unit] if side != "ours"))
    yield f"| case | ours, {unit} | {' | '.join(peers)} | ratio | noise | of peak |"
    yield f"|---|{'---:|' * (len(peers) + 4)}"
    for case_name, case in cases.items():
        figures = [figure(case[unit].get(side)) for side in ("ours", *peers)]
        cells = (*figures, _ratio(case["ratio"]), percent(case["noise"]), percent(case["fraction"]))
        yield f"| {case_name} | {' | '.join(cells)} |"
    for group, mean in family["means"].items():
        yield f"| **geometric mean: {group}** | {'| ' * len(peers)}| **{mean:.2f}** | | |"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    print("\n".join(page(json.loads(Path(sys.argv[1]).read_text()))))
