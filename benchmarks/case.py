"""What is measured: a case has a name, a way to make its two or more sides, and how much work one run of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.peers import Peers

if TYPE_CHECKING:
    from benchmarks.timing import Measurement

Run = Callable[[], Any]
Sides = dict[str, Run]  # "ours" and the peers that are there, by name; each run returns what it computed


class UnknownCaseError(Exception):
    """A selection that no case fits."""


@dataclass(frozen=True)
class Case:
    """One line of a table.

    `prepare` makes the data and the sides, so that a case that is only named costs nothing, and the data of one that
    was measured is free before the next.  `operations` or `bytes` is the work of one run: what is computed, or what
    has to be read and written once.  Cases of one `group` share a geometric mean.
    """

    family: str
    name: str
    prepare: Callable[[Peers], Sides]
    operations: float = 0
    bytes: float = 0
    group: str = ""
    seconds: float = 0.8  # of measuring
    checked_runs: int = 1  # whose results have to agree before anything is timed
    tolerance: float = 1e-3  # of that agreement, next to the largest number
    measure: Callable[[Case, Sides], Measurement] | None = None  # where not the time of a run counts

    @property
    def key(self) -> str:
        return f"{self.family}:{self.name}"


def select(cases: Iterable[Case], wanted: Iterable[str]) -> list[Case]:
    """The cases that fit one of `wanted`: a family, `family:part of a name`, or part of a name; all where it is empty.

    A part that is a whole name, such as "MLP, batch 1", does not stand for "MLP, batch 128" as well.
    Raises UnknownCaseError for one that fits nothing.
    """
    cases, wanted = list(cases), list(wanted)
    families = {case.family for case in cases}
    whole = {case.key for case in cases} | {case.name for case in cases}

    def fits(case: Case, selector: str) -> bool:
        if selector in families:
            return case.family == selector
        if selector in whole:
            return selector in (case.key, case.name)
        family, colon, part = selector.partition(":")
        return case.family == family and part in case.name if colon else selector in case.name

    for selector in wanted:
        if not any(fits(case, selector) for case in cases):
            listed = ", ".join(sorted(families))
            raise UnknownCaseError(
                f"no case fits {selector!r}; there are the families {listed}; --list names the cases"
            )
    return [case for case in cases if not wanted or any(fits(case, selector) for selector in wanted)]
