"""docs/coverage.md says what is so."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import coverage_table
from public_names import GROUPS

PAGE = Path(__file__).parent.parent / "docs/coverage.md"


def test_the_table_is_up_to_date(torch: ModuleType) -> None:
    assert PAGE.read_text() == coverage_table.page(torch), "run python tests/coverage_table.py > docs/coverage.md"


def test_what_is_promised_is_pytorchs(torch: ModuleType) -> None:
    for _, place, names in GROUPS.values():
        assert len(set(names)) == len(names)
        unknown = [name for name in names if coverage_table.found(f"{place}.{name}", torch) is None]
        assert unknown in ([], ["pdist"]), place
