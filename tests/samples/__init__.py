"""The samples of every family of ops; sample.py has the format."""

from importlib import import_module
from pkgutil import iter_modules

FAMILIES = {
    module.name: import_module(f"{__name__}.{module.name}")
    for module in iter_modules(__path__)
    if module.name != "sample"
}
SAMPLES = {f"{name}: {sample.name}": sample for name, family in FAMILIES.items() for sample in family.SAMPLES}
ERRORS = {f"{name}: {sample.name}": sample for name, family in FAMILIES.items() for sample in family.ERRORS}
COUNT = sum(len(family.SAMPLES) + len(family.ERRORS) for family in FAMILIES.values())
if len(SAMPLES) + len(ERRORS) != COUNT:
    raise ValueError("two samples of one family have the same name")
