"""Recomputing: a part of the graph forgets what its backward pass needs, and runs again when that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from weakref import ref

from autograd_cnn import random
from autograd_cnn.errors import GraphError, InPlaceError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.record import next_index
from autograd_cnn.graph.walk import reachable


class Recomputation:
    """The nodes that one call of a function made, and how to make what they had saved once more.

    A node that backward finds empty asks for `restore`, which fills all of them.
    """

    def __init__(
        self,
        function: Callable[[], Any],
        within: Callable[[], AbstractContextManager[Any]],
        preserve_rng_state: bool,
        check: bool,
    ) -> None:
        self.function = function
        self.within = within  # where it runs again
        self.check = check
        self.state = STATE.get()
        self.rng_state = random.get_rng_state() if preserve_rng_state else None
        self.nodes: list[ref[Node]] = []  # weak, since they refer to this
        self.sources: list[tuple[TensorBase, int]] = []  # leaves, and their versions

    def forget(self, outputs: Any, start: int) -> None:
        """Drops what the nodes behind `outputs` saved, of those made from number `start` on."""
        nodes = _made_since(start, outputs)
        self.nodes = [ref(node) for node in nodes]
        leaves: dict[int, TensorBase] = {}
        for node in nodes:
            for edge in node.edges:
                if edge is not None and not isinstance(edge[0], Node):
                    leaves[id(edge[0])] = edge[0]
            if node.saved:
                if node.plan.constants and not node.kept:
                    node.kept = [(node.saved[j].array.shape, node.saved[j].array.dtype) for j in node.plan.constants]
                node.saved = None
            if node.saved is None:
                node.recomputation = self
        self.sources = [(leaf, _version(leaf)) for leaf in leaves.values()]

    def restore(self) -> None:
        """Runs the function again, and gives the nodes what its nodes saved."""
        for leaf, version in self.sources:
            if _version(leaf) != version:
                raise InPlaceError(
                    f"checkpoint: a tensor of shape {list(leaf.array.shape)} was changed in place after the forward "
                    "pass, which cannot be run again as it was; call backward before changing it"
                )
        start = next_index()
        outer = STATE.set(self.state)
        rng_state = random.get_rng_state() if self.rng_state is not None else None
        try:
            if self.rng_state is not None:
                random.set_rng_state(self.rng_state)
            with self.within():
                outputs = self.function()
        finally:
            STATE.reset(outer)
            if rng_state is not None:
                random.set_rng_state(rng_state)
        nodes, again = [weak() for weak in self.nodes], _made_since(start, outputs)
        if len(again) != len(nodes) or (self.check and not all(map(_alike, nodes, again))):
            raise GraphError(
                f"checkpoint: the function did other things when it ran again: {len(again)} ops, "
                f"{len(nodes)} before; it must do the same each time"
            )
        for node, new in zip(nodes, again, strict=True):
            if node is None:  # behind a result that nobody has any more
                continue
            node.recomputation = None
            if node.saved is not None:
                continue
            node.saved, node.versions = new.saved, new.versions
            inner = new.recomputation
            if inner is not None:  # a checkpoint within this one: it fills the nodes that are run backwards
                inner.nodes[inner.nodes.index(ref(new))] = ref(node)
                node.recomputation = inner


def recorded(outputs: Any) -> bool:
    """Whether any tensor among the outputs has a graph."""
    return any(tensor.node is not None for tensor in _tensors(outputs))


def _made_since(start: int, outputs: Any) -> list[Node]:
    roots = {tensor.node for tensor in _tensors(outputs) if tensor.node is not None}
    return [node for node in reachable(roots) if node.index >= start]


def _tensors(outputs: Any) -> Iterable[Any]:
    if isinstance(outputs, TensorBase):
        yield outputs
    elif isinstance(outputs, dict):
        for item in outputs.values():
            yield from _tensors(item)
    elif isinstance(outputs, list | tuple):
        for item in outputs:
            yield from _tensors(item)


def _alike(node: Node | None, other: Node) -> bool:
    if node is None:
        return True
    return node.op.title == other.op.title and node.specs == other.specs and node.plan.sources == other.plan.sources


def _version(tensor: TensorBase) -> int:
    return 0 if tensor.version is None else int(tensor.version[0])
