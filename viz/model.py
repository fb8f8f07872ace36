"""GraphTrace: a recorded graph as plain arrays - what every picture, export and check is made from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_cnn.errors import ArgumentError, DataError

FORMAT = "autograd_cnn.graph"
VERSION = 1

# What JSON must be told of the fields: those of `Stats` that hold floats, those of `GraphTrace` that are arrays.
COLUMNS = ("rms", "l2", "absmax", "frac_zero")
INTEGERS = (
    "call", "timestep", "order", "seq", "saved_bytes", "ns", "freed_bytes", "tail", "head", "position", "slot",
)  # fmt: skip
BOOLS = ("freed", "view", "differentiable")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Kind(IntEnum):
    """What a node of the picture is."""

    OP = 0
    PARAMETER = 1
    INPUT = 2  # a leaf that requires grad and is no parameter
    CONSTANT = 3  # a tensor outside of the graph; values leave it, no gradient reaches it


@dataclass(frozen=True)
class Stat:
    """What is known of one gradient.  RMS = L2 / sqrt(numel), so that different sizes compare."""

    rms: float
    l2: float
    absmax: float
    frac_zero: float
    nonfinite: int


@dataclass
class Stats:
    """`Stat` for each of n things; `nonfinite` is -1 where nothing was recorded, and the rest NaN."""

    rms: Floats
    l2: Floats
    absmax: Floats
    frac_zero: Floats
    nonfinite: Ints

    @classmethod
    def unknown(cls, n: int) -> Stats:
        rms, l2, absmax, zero = (np.full(n, np.nan) for _ in range(4))
        return cls(rms, l2, absmax, zero, np.full(n, -1, np.int64))

    def set(self, i: int, stat: Stat) -> None:
        self.rms[i], self.l2[i], self.absmax[i] = stat.rms, stat.l2, stat.absmax
        self.frac_zero[i], self.nonfinite[i] = stat.frac_zero, stat.nonfinite

    def __getitem__(self, i: int) -> Stat | None:
        if self.nonfinite[i] < 0:
            return None
        return Stat(
            float(self.rms[i]),
            float(self.l2[i]),
            float(self.absmax[i]),
            float(self.frac_zero[i]),
            int(self.nonfinite[i]),
        )


@dataclass(frozen=True)
class Call:
    """One call of a module, inside the call of its parent (-1: none)."""

    path: str
    module: str
    parent: int


@dataclass
class GraphTrace:
    """Nodes n0, n1, ... in the order of the backward pass, loss first, then the leaves; edges follow the gradient.

    Edge e runs from node `tail[e]`, into whose argument number `position[e]` the value of `head[e]` went (its output
    number `slot[e]`).  Parallel edges are kept: `x * x` has two.
    """

    kind: list[Kind]
    name: list[str]  # "ConvBackward", or a parameter's dotted path
    label: list[str]  # as drawn: "Conv"
    fields: list[dict[str, str]]  # an op's static parameters
    shape: list[tuple[int, ...] | None]  # None: the tensor was not kept
    dtype: list[str | None]
    call: Ints  # the innermost module call, -1 outside of any
    timestep: Ints  # -1: none
    order: Ints  # 1 forward pass, 2 what its backward pass recorded, ...
    seq: Ints  # the engine's number of the node, -1 for leaves
    saved_bytes: Ints  # what backward keeps, also after it was freed
    freed: npt.NDArray[np.bool_]
    view: npt.NDArray[np.bool_]
    source: list[str]  # file:line
    ns: Ints  # time of the backward op, -1 where not recorded
    freed_bytes: Ints  # -1 where not recorded
    grad: Stats
    tail: Ints
    head: Ints
    position: Ints
    slot: Ints
    argument: list[str]
    differentiable: npt.NDArray[np.bool_]  # False: a value only, from a constant
    edge_grad: Stats
    calls: list[Call]
    roots: list[int]
    steps: list[int]  # nodes in the order in which the recorded pass ran them; empty where none was recorded
    meta: dict[str, str] = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        return len(self.kind)

    @property
    def edges(self) -> int:
        return len(self.tail)

    def id(self, i: int) -> str:
        return f"n{i}"

    def numel(self, i: int) -> int | None:
        shape = self.shape[i]
        return None if shape is None else math.prod(shape)

    def path(self, i: int) -> str | None:
        """The dotted path of the module that node i was recorded in."""
        call = int(self.call[i])
        return self.calls[call].path if call >= 0 else None

    def count(self, kind: Kind) -> int:
        return sum(k == kind for k in self.kind)

    def save(self, path: str | Path) -> None:
        """Writes the trace as JSON; `load` reads it back."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """The trace as JSON text (schema version 1); NaN and infinities as strings, what is unknown as null."""
        content = {name: _plain(getattr(self, name)) for name in GraphTrace.__dataclass_fields__}
        return json.dumps({"format": FORMAT, "version": VERSION, **content}, allow_nan=False, indent=None)

    @classmethod
    def load(cls, path: str | Path) -> GraphTrace:
        """Reads a trace that `save` wrote; raises DataError where the file is not one."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"), str(path))

    @classmethod
    def from_json(cls, text: str, what: str = "text") -> GraphTrace:
        """Reads a trace from JSON text."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT or data["version"] != VERSION:
                raise DataError(
                    f"{what}: holds {data['format']!r} version {data['version']}, not {FORMAT!r} version {VERSION}"
                )
            return cls(**{name: _restore(name, data[name]) for name in cls.__dataclass_fields__})
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{what}: is not a graph trace ({type(error).__name__}: {error})") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Stats):
        known = value.nonfinite >= 0
        columns = {
            name: [_float(x) if k else None for x, k in zip(getattr(value, name), known, strict=True)]
            for name in COLUMNS
        }
        return {**columns, "nonfinite": value.nonfinite.tolist()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list) and value and isinstance(value[0], Call):
        return [[call.path, call.module, call.parent] for call in value]
    return value


def _float(x: float) -> float | str:
    return float(x) if math.isfinite(x) else str(float(x))


def _restore(name: str, value: Any) -> Any:
    if name in ("grad", "edge_grad"):
        columns = [[math.nan if x is None else float(x) for x in value[c]] for c in COLUMNS]
        rms, l2, absmax, zero = (np.array(c, np.float64) for c in columns)
        return Stats(rms, l2, absmax, zero, np.array(value["nonfinite"], np.int64))
    if name == "kind":
        return [Kind(k) for k in value]
    if name == "calls":
        return [Call(*call) for call in value]
    if name == "shape":
        return [None if s is None else tuple(s) for s in value]
    if name in BOOLS:
        return np.array(value, np.bool_)
    if name in INTEGERS:
        return np.array(value, np.int64)
    return value


def check_option(what: str, name: str, value: Any, allowed: Sequence[Any]) -> None:
    """Raises ArgumentError that lists the valid values where `value` is none of them."""
    if value not in allowed:
        raise ArgumentError(f"{what}: {name} must be one of {', '.join(map(repr, allowed))}; got {value!r}")
