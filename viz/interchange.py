"""Traces for other tools: networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from viz.figure import as_trace

if TYPE_CHECKING:
    import networkx  # type: ignore[import-untyped,unused-ignore]


def to_networkx(x: Any, *, model: Any = None) -> networkx.MultiDiGraph:
    """The graph of a tensor, trace or recorder as a networkx.MultiDiGraph; edges follow the gradient.

    Nodes are "n0", "n1", ... with `kind`, `name`, `shape`, `dtype`, `module`, `timestep`, `rms`, `l2`; edges have the
    keys "e0", "e1", ... with `argument`, `position`, `slot`, `differentiable`, `rms`, `l2`.  None: not
    recorded.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> sorted(to_networkx(x * x).edges(keys=True))
    [('n0', 'n1', 'e0'), ('n0', 'n1', 'e1')]
    """
    import networkx

    trace = as_trace(x, model)
    graph = networkx.MultiDiGraph(**trace.meta)
    for i in range(trace.nodes):
        stat = trace.grad[i]
        graph.add_node(
            trace.id(i),
            kind=trace.kind[i].name.lower(),
            name=trace.name[i],
            shape=trace.shape[i],
            dtype=trace.dtype[i],
            module=trace.path(i),
            timestep=int(trace.timestep[i]) if trace.timestep[i] >= 0 else None,
            rms=stat.rms if stat else None,
            l2=stat.l2 if stat else None,
        )
    for e in range(trace.edges):
        stat = trace.edge_grad[e]
        graph.add_edge(
            trace.id(int(trace.tail[e])),
            trace.id(int(trace.head[e])),
            key=f"e{e}",
            argument=trace.argument[e],
            position=int(trace.position[e]),
            slot=int(trace.slot[e]),
            differentiable=bool(trace.differentiable[e]),
            rms=stat.rms if stat else None,
            l2=stat.l2 if stat else None,
        )
    return graph
