"""record(): collects gradient statistics of every node and edge while a backward pass runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_cnn.errors import GraphError
from autograd_cnn.graph.engine import add_backward_observer
from autograd_cnn.graph.node import Node, edge_spec
from viz.capture import Recorded, build
from viz.measure import measure, sum_to
from viz.model import GraphTrace, Stat


class Recorder:
    """Sees the backward passes of a `with` block; `trace` is the graph of the last one, with its gradients."""

    def __init__(self, model: Any = None, *, max_nodes: int = 1_000_000) -> None:
        self._model = model
        self._max_nodes = max_nodes
        self._seen: dict[Node, Recorded] = {}
        self._running: list[tuple[Node, Stat | None]] = []
        self._last = -1
        self._remove: Callable[[], None] | None = None
        self._trace: GraphTrace | None = None

    def __enter__(self) -> Recorder:
        if self._remove is not None:
            raise GraphError("record: this recorder is in use already; make a second one")
        self._trace = None
        self._seen.clear()
        self._last = -1
        self._remove = add_backward_observer(self)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._remove is not None:
            self._remove()
            self._remove = None
        if self._seen:
            self._trace = self._build()
        self._seen.clear()
        self._running.clear()

    @property
    def trace(self) -> GraphTrace:
        """The last pass; raises GraphError where there was none."""
        if self._trace is None and self._seen:
            return self._build()
        if self._trace is None:
            raise GraphError("record: no backward pass ran inside the with block; call loss.backward() in it")
        return self._trace

    def _build(self) -> GraphTrace:
        used = {edge[0] for node in self._seen for edge in node.edges if edge is not None}
        return build([node for node in self._seen if node not in used], self._seen, self._model)

    # The observer's side

    def before(self, node: Node, grads: Sequence[Any]) -> None:
        if any(node is other for other, _ in self._running):
            self._running.clear()  # left there by a pass that failed
        if not self._running and node.index >= self._last >= 0:
            self._seen.clear()  # nodes run from the last made to the first, so this is a new pass
        self._running.append((node, _together(grads)))

    def after(self, node: Node, grads: Sequence[Any], freed_bytes: int, ns: int) -> None:
        while self._running:
            running, grad = self._running.pop()
            if running is node:
                break
        if self._running:
            return  # an op of a pass within the pass: it is not part of the graph
        if len(self._seen) >= self._max_nodes:
            raise GraphError(f"record: the graph has more than max_nodes={self._max_nodes} nodes; raise max_nodes")
        self._last = node.index
        edges = [
            None if edge is None or g is None else measure(sum_to(np.asarray(g.array), edge_spec(edge)[0]))
            for edge, g in zip(node.edges, grads, strict=True)
        ]
        self._seen[node] = Recorded(grad, edges, ns, freed_bytes, len(self._seen))


def _together(grads: Sequence[Any]) -> Stat | None:
    arrays = [np.ravel(g.array) for g in grads if g is not None]
    return measure(arrays[0] if len(arrays) == 1 else np.concatenate(arrays)) if arrays else None


def record(model: Any = None, *, max_nodes: int = 1_000_000) -> Recorder:
    """A context manager that records the gradients of the backward passes inside; its `trace` is the last one.

    Every node gets statistics of dL/d(output), every edge of the gradient that flows along it, with time and freed
    bytes.  `model` names the parameters.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> with record() as rec:
    ...     (x * x).sum().backward()
    >>> rec.trace.name, rec.trace.edge_grad.l2.tolist()
    (['SumBackward', 'MulBackward', 'leaf'], [1.4142135623730951, 5.0, 5.0])
    """
    return Recorder(model, max_nodes=max_nodes)
