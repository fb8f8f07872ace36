"""docs/coverage.md says what is so."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import coverage_table
from public_names import FUNCTIONS, GROUPS

import autograd_cnn as ag
from autograd_cnn import nn

PAGE = Path(__file__).parent.parent / "docs/coverage.md"


def test_the_table_is_up_to_date(torch: ModuleType) -> None:
    assert PAGE.read_text() == coverage_table.page(torch), "run python tests/coverage_table.py > docs/coverage.md"


def test_what_is_promised_is_pytorchs(torch: ModuleType) -> None:
    for _, place, names in GROUPS.values():
        assert len(set(names)) == len(names)
        unknown = [name for name in names if coverage_table.found(f"{place}.{name}", torch) is None]
        assert unknown in ([], ["pdist"]), place


def test_they_are_where_pytorch_has_them(torch: ModuleType) -> None:
    """As functions, in nn.functional, as methods, and as those that change their tensor."""
    lower = [name for name in FUNCTIONS if name.islower()]
    for theirs, ours in ((torch, ag), (torch.nn.functional, nn.functional), (torch.Tensor, ag.Tensor)):
        assert not [name for name in lower if hasattr(theirs, name) and not hasattr(ours, name)]
    in_place = [name + "_" for name in FUNCTIONS]
    assert not [name for name in in_place if hasattr(torch.Tensor, name) and not hasattr(ag.Tensor, name)]


def test_all_are_there() -> None:
    for place, _, names in GROUPS.values():
        assert not [name for name in names if coverage_table.found(f"{place}.{name}", ag) is None]
