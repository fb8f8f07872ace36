"""The samples of every family of ops; sample.py has the format."""

from collections import Counter
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def _collected(table: str) -> dict[str, Any]:
    """All rows of that name, by "family: name"."""
    families = [module.name for module in iter_modules(__path__) if module.name != "sample"]
    rows = [
        (f"{family}: {row.name}", row)
        for family in families
        for row in getattr(import_module(f"{__name__}.{family}"), table)
    ]
    twice = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    if twice:
        raise ValueError(f"several samples have the name {', '.join(twice)}")
    return dict(rows)


SAMPLES = _collected("SAMPLES")
ERRORS = _collected("ERRORS")
