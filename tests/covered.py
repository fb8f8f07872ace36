"""What the tests cover of the names that the package shares with PyTorch; `python tests/covered.py` writes it down.

For a function the samples whose call reaches it are counted, by watching which functions run; of each the tests
compare values, gradients, layouts and dtypes with PyTorch, NumPy and finite differences (tests/test_ops.py).  For
modules, and for functions that no sample calls, it is the test files that call them and PyTorch.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import names
from running import run, tensors
from samples import SAMPLES
from samples.sample import Sample

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.tensor import Tensor

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "coverage.md"
FUNCTIONS = {
    "Pointwise": names.POINTWISE,
    "Reductions and scans": names.REDUCTIONS,
    "Shape and indexing": names.SHAPES,
    "Other names of these": names.ALIASES,
    "In place": names.IN_PLACE,
    "Linear algebra": names.LINEAR,
    "Creation and types": names.CREATION,
    "Activations": names.ACTIVATIONS,
    "Losses": names.LOSSES,
    "Layers as functions": names.LAYERS,
}
PLACES = {"function": ag, "functional": nn.functional, "method": Tensor}
INTRODUCTION = """# What is tested

Made by `python tests/covered.py` and checked by tests/test_coverage.py: the names that we share with PyTorch, and what
of each is compared with it. **Where**: `function` is `autograd_cnn.NAME`, `functional` `nn.functional.NAME`, `method`
`Tensor.NAME`, `_` the method that changes its tensor. **Samples** are calls whose values are compared with NumPy in
double precision and with PyTorch, in float32 and float64, also for strided inputs; **1st** and **2nd** how many of them
have their gradients, and the gradients of those, compared with PyTorch's and with finite differences. **Among them**
says which odd inputs there are, or, where no sample calls it, which tests do.
"""


@dataclass
class Cover:
    samples: list[Sample] = field(default_factory=list)

    def orders(self, least: int) -> int:
        return sum(sample.derivatives() >= least for sample in self.samples)

    def odd(self) -> str:
        shapes = [[one.shape for one in sample.inputs] for sample in self.samples]
        found = {
            "0-d": any(() in each for each in shapes),
            "empty": any(0 in shape for each in shapes for shape in each),
            "size 1": any(1 in shape for each in shapes for shape in each),
            "broadcast": any(len(set(each)) > 1 for each in shapes),
            "large": any(sample.large for sample in self.samples),
            "inf, nan": any(sample.hazards for sample in self.samples),
        }
        return ", ".join(name for name, there in found.items() if there)


def code_of(place: Any, name: str) -> CodeType | None:
    """The code of a function or a property."""
    found = getattr(place, name, None)
    found = getattr(found, "fget", found)
    return getattr(getattr(found, "__wrapped__", found), "__code__", None)


def entered(call: Callable[[], Any]) -> set[CodeType]:
    """The code of the Python functions that run."""
    found: set[CodeType] = set()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            found.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return found


@cache
def covered() -> dict[str, Cover]:
    """What covers each function."""
    covers: dict[CodeType, Cover] = {}
    for functions in FUNCTIONS.values():
        for name in functions:
            codes = {code_of(place, name) for place in PLACES.values()} - {None}
            shared = next((covers[code] for code in codes if code in covers), Cover())
            covers |= dict.fromkeys(codes, shared)
    for sample in SAMPLES.values():
        inputs = tensors(sample, sample.arrays())
        codes = entered(partial(run, sample, inputs)) & covers.keys()
        reached = {id(covers[code]): covers[code] for code in codes}
        for cover in reached.values():
            cover.samples.append(sample)
    return {
        name: next((covers[code] for place in PLACES.values() if (code := code_of(place, name)) in covers), Cover())
        for functions in FUNCTIONS.values()
        for name in functions
    }


@cache
def parity_tests() -> dict[str, str]:
    """The text of the tests that compare with PyTorch."""
    files = sorted(TESTS.glob("test_*.py"))
    return {file.name: text for file in files if "torch" in (text := file.read_text())}


def compared_in(name: str) -> list[str]:
    """The tests that call a function, a method or a module of that name."""
    called = re.compile(rf"\.{name}\b|\"{name}\"|\b{name} ")
    return [file for file, text in parity_tests().items() if called.search(text)]


def where(name: str) -> str:
    there = [place for place, holder in PLACES.items() if hasattr(holder, name)]
    return ", ".join([*there, *(["`_`"] if hasattr(Tensor, name + "_") else [])])


def tests_of(name: str) -> str:
    return ", ".join(file.removeprefix("test_").removesuffix(".py") for file in compared_in(name))


def row(*cells: Any) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def lines() -> Iterator[str]:
    covers = covered()
    for subject, functions in FUNCTIONS.items():
        yield f"\n## {subject}\n"
        yield row("name", "where", "samples", "1st", "2nd", "among them")
        yield "|---|---|---:|---:|---:|---|"
        for name in functions:
            cover = covers[name]
            counts = len(cover.samples), cover.orders(1), cover.orders(2)
            among = cover.odd() if cover.samples else f"in tests of {tests_of(name)}"
            yield row(f"`{name}`", where(name), *counts, among)
    yield "\n## Modules\n"
    yield row("name", "tests")
    yield "|---|---|"
    for name in names.MODULES:
        yield row(f"`nn.{name}`", tests_of(name))


def page() -> str:
    return INTRODUCTION + "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
