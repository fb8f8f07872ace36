"""docs/coverage.md: for each name of PyTorch's that is promised, its arguments and how it is tested.

Run from the repository root: python tests/coverage_table.py > docs/coverage.md
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

from public_names import GROUPS  # noqa: E402
from samples import ERRORS, SAMPLES  # noqa: E402

import autograd_cnn as ag  # noqa: E402

# What no function here has, for the reasons that docs/differences.md gives.
LEFT_OUT = {
    "out", "layout", "pin_memory", "memory_format", "self", "device", "dtype", "non_blocking", "copy", "kwargs", "args",
    "foreach", "fused", "capturable", "differentiable", "size_average", "check_invariants", "_stacklevel",
}  # fmt: skip
KINDS = {"N": "reference", "T": "torch"}
HEAD = """# Coverage

Made by `python tests/coverage_table.py`; a test fails when it is out of date. For each name of PyTorch's that this
package promises:

- arguments: `=` where every argument of PyTorch's, by name and in this order, is one here; else those that are missing;
  `?` where PyTorch does not tell its own. `out`, `layout` and their like are nowhere ([differences](differences.md)).
- values: samples in `tests/samples` are compared with a NumPy reference in float64 (N) and with PyTorch (T), in float32
  and float64, contiguous and not.
- gradients: of these samples, first (1) and second order (2), against PyTorch and finite differences.
- errors: wrong input is refused with the op's own message.
- tests: whether a test names it; modules, optimizers and data sets have tests of their own instead of samples.
"""


def found(path: str, root: Any) -> Any:
    """What a dotted name means below `root`; None where it is missing."""
    try:
        return reduce(getattr, [part for part in path.split(".") if part], root)
    except AttributeError:
        return None


def parameters(name: str, value: Any) -> list[tuple[str, bool]] | None:
    """A function's arguments, and whether each has a position; PyTorch's own as their description begins."""
    try:
        found = inspect.signature(value).parameters.values()
        return [(p.name, p.kind is not p.KEYWORD_ONLY) for p in found]
    except (ValueError, TypeError):
        pass
    match = re.search(rf"\b{name}\((.*?)\)\s*->", getattr(value, "__doc__", None) or "", re.DOTALL)
    if match is None:
        return None
    plain = re.sub(r"\([^()]*\)", "", re.sub(r"\[[^\[\]]*\]", "", match.group(1)))
    positional, named = True, []
    for part in plain.split(","):
        positional = positional and part.strip() != "*"
        argument = re.split(r"[:=]", part)[0].strip().lstrip("*").split(" ")[-1]
        if argument.isidentifier():
            named.append((argument, positional))
    return named


def arguments(name: str, ours: Any, theirs: Any, method: bool) -> str:
    """`=`, `?`, or the arguments of PyTorch's that are missing."""
    own, wanted = parameters(name, ours), parameters(name, theirs)
    if own is None or wanted is None:
        return "?"
    if own and own[0][0] in ("x", "input", "self"):  # hardly ever named
        own = own[1:]
        wanted = wanted[1:] if wanted and (not method or wanted[0][0] in ("self", "input")) else wanted
    have = [argument for argument, _ in own]
    missing = [argument for argument, _ in wanted if argument not in LEFT_OUT and argument not in have]
    if missing:
        return "without " + ", ".join(f"`{argument}`" for argument in missing)
    order = [have.index(argument) for argument, positional in wanted if positional and argument in have]
    return "=" if order == sorted(order) else "in another order"


def by_name(rows: dict[str, Any]) -> dict[str, list[Any]]:
    """Samples by the names of what they call."""
    table = defaultdict(list)
    for row in rows.values():
        torch_name = getattr(row, "torch", None)
        names = {row.name.split()[0], getattr(row.op, "__name__", "")}
        if isinstance(torch_name, str):
            names.add(torch_name.rpartition(".")[2])
        for name in names:
            table[name].append(row)
    return table


def all_words() -> set[str]:
    """The words of all test files."""
    files = [*TESTS.glob("test_*.py"), *TESTS.glob("*_cases.py"), *TESTS.glob("samples/*.py")]
    return {word for file in files for word in re.findall(r"\w+", file.read_text())}


def lines(torch: Any) -> Iterator[str]:
    """The page."""
    samples, errors, words = by_name(SAMPLES), by_name(ERRORS), all_words()
    yield HEAD
    for title, (place, their_place, names) in GROUPS.items():
        yield f"## {title}\n"
        yield "| name | arguments | values | gradients | errors | tests |\n|---|---|---|---|---|---|"
        for name in names:
            last = name.rpartition(".")[2]
            ours = found(f"{place}.{name}", ag)
            theirs = found(f"{their_place}.{name}", torch)
            if ours is None:
                yield f"| `{name}` | missing | | | | |"
                continue
            rows = samples.get(last, [])
            values = ("N" if any(row.reference for row in rows) else "") + (
                "T" if any(row.torch for row in rows) else ""
            )
            orders = max((row.order for row in rows if any(one.grad for one in row.inputs)), default=0)
            yield (
                f"| `{name}` | {arguments(last, ours, theirs, place == 'Tensor')} | {values or '-'} | "
                f"{'12'[:orders] or '-'} | {'yes' if last in errors else '-'} | {'yes' if last in words else '-'} |"
            )
        yield ""


def page(torch: Any) -> str:
    """docs/coverage.md."""
    return "\n".join(lines(torch)).rstrip() + "\n"


if __name__ == "__main__":
    import torch

    sys.stdout.write(page(torch))
