"""Node: one recorded application of an op.  Plain data; references run from a node to its inputs only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import INPUT, OUTPUT

if TYPE_CHECKING:
    from autograd_cnn.graph.grad_mode import State
    from autograd_cnn.graph.op import Op, Plan
    from autograd_cnn.graph.recompute import Recomputation

Edge = tuple["Node | TensorBase", int]  # where an input came from: a node's output, or a leaf


class SavedMeta:
    """What is known of a saved tensor, also after it was freed."""

    __slots__ = ("dtype", "freed", "name", "nbytes", "shape")

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype, nbytes: int, freed: bool) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.nbytes = nbytes
        self.freed = freed

    def __repr__(self) -> str:
        state = ", freed" if self.freed else ""
        return f"{self.name}: {self.dtype}{list(self.shape)}, {self.nbytes} B{state}"


class Node:
    """One op in the graph.

    `index` grows with every node made; in a define-by-run graph that is a topological order.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "code",
        "edges",
        "index",
        "instruction",
        "kept",
        "op",
        "outputs",
        "plan",
        "saved",
        "specs",
        "state",
        "versions",
        "watched",
    )

    op: Op
    plan: Plan
    edges: list[Edge | None]
    saved: Sequence[Any] | None
    versions: Sequence[int]  # of the saved tensors, when they were saved
    index: int
    kept: Sequence[tuple[tuple[int, ...], np.dtype]]  # of saved constants, once they are dropped or earlier
    specs: Any  # (shape, dtype), or a list of them where there are several outputs
    state: State  # where it was recorded: module scope, time step, order of derivative
    code: CodeType
    instruction: int
    outputs: int
    watched: bool  # has hooks, or a tensor that retains its gradient

    # Rarely set, so not in slots.
    hooks: dict[int, dict[int, Callable[[Any], Any]]] | None = None
    retained: dict[int, ref[TensorBase]] | None = None
    recomputation: Recomputation | None = None  # what makes `saved` once more

    def name(self) -> str:
        """The op's class with `Backward`, as PyTorch prints it."""
        return f"{self.op.title}Backward"

    @property
    def seq_nr(self) -> int:
        return self.index

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """For each input, the node that made it and which output of that node it is."""
        return tuple(
            (None, 0) if edge is None else (edge[0] if isinstance(edge[0], Node) else AccumulateGrad(edge[0]), edge[1])
            for edge in self.edges
        )

    def spec(self, slot: int = 0) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of an output."""
        spec: tuple[tuple[int, ...], np.dtype] = self.specs if self.outputs == 1 else self.specs[slot]
        return spec

    def saved_meta(self) -> tuple[SavedMeta, ...]:
        """Name, shape, dtype and size of what backward needs; still there after it was freed."""
        kept = iter(self.kept)
        meta = []
        for j, (kind, i) in enumerate(self.plan.sources[: self.plan.tensors]):
            edge = self.edges[i] if kind == INPUT else None
            if self.saved is not None:
                array = self.saved[j].array
                shape, dtype = array.shape, array.dtype
            elif kind == OUTPUT:
                shape, dtype = self.spec(i)
            elif edge is None:
                shape, dtype = next(kept)
            else:
                shape, dtype = edge_spec(edge)
            nbytes = math.prod(shape) * dtype.itemsize
            meta.append(SavedMeta(self.plan.names[j], shape, dtype, nbytes, self.freed))
        return tuple(meta)

    @property
    def freed(self) -> bool:
        return self.saved is None

    @property
    def module_path(self) -> str | None:
        """The dotted path of the module whose call recorded this; None outside of any module."""
        return self.state.scope.path if self.state.scope is not None else None

    @property
    def timestep(self) -> int | None:
        """The time step of the loop that recorded this; None outside of `timestep` blocks."""
        return self.state.timestep

    @property
    def order(self) -> int:
        """1 for a forward pass, 2 for what the first backward pass recorded, and so on."""
        return self.state.order

    @property
    def source(self) -> str:
        """`file:line` of the user's code that recorded this."""
        line = next(
            (line for start, end, line in self.code.co_lines() if start <= self.instruction < end and line), None
        )
        return f"{self.code.co_filename}:{line or self.code.co_firstlineno}"

    def attrs(self) -> dict[str, Any]:
        """The op's static parameters."""
        return self.op.fields()

    def saved_bytes(self) -> int:
        """Bytes of the arrays that are still held for backward."""
        return 0 if self.saved is None else sum(t.array.nbytes for t in self.saved[: self.plan.tensors])

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def edge_spec(edge: Edge) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of what an edge comes from."""
    source, slot = edge
    if source.__class__ is Node:
        spec: tuple[tuple[int, ...], np.dtype] = source.specs if source.outputs == 1 else source.specs[slot]
        return spec
    array = source.array  # type: ignore[union-attr]
    return array.shape, array.dtype


class AccumulateGrad:
    """Stands for a leaf in `next_functions`; `variable` is the leaf."""

    __slots__ = ("variable",)

    next_functions: tuple[()] = ()

    def __init__(self, variable: TensorBase) -> None:
        self.variable = variable

    def name(self) -> str:
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return hash(self.variable)

    def __repr__(self) -> str:
        return "<AccumulateGrad>"
