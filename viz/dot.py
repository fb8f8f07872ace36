"""DOT source of a view, made by the graphviz package; no program is run."""

from __future__ import annotations

from typing import Any

import graphviz  # type: ignore[import-untyped,unused-ignore]

from viz.model import Kind
from viz.palette import LIGHT
from viz.svg import node_tip
from viz.text import legal, number, one_line, shape_text
from viz.view import GraphView

SHAPES = {Kind.OP: "box", Kind.PARAMETER: "cylinder", Kind.INPUT: "parallelogram", Kind.CONSTANT: "box"}
FILLS = {Kind.OP: "card", Kind.PARAMETER: "parameter", Kind.INPUT: "input", Kind.CONSTANT: "constant"}
STYLES = {Kind.OP: "filled,rounded", Kind.CONSTANT: "filled,rounded,dashed"}


def source(view: GraphView, title: str, direction: str) -> str:
    """The DOT text: nodes n0 ..., folds f0 ..., edges e0 ... as in the trace, modules as clusters."""
    trace = view.trace
    graph = graphviz.Digraph(
        "backward",
        graph_attr={
            "rankdir": direction,
            "label": _text(title),
            "labelloc": "t",
            "fontname": "Helvetica",
            "id": "backward",
        },
        node_attr={"fontname": "Helvetica", "fontsize": "11", "color": LIGHT["card-line"]},
        edge_attr={"color": LIGHT["gradient"], "fontname": "Helvetica", "fontsize": "9"},
    )
    inside: dict[int, list[int]] = {}
    for item, of in enumerate(view.call):
        inside.setdefault(of, []).append(item)
    children: dict[int, list[int]] = {}
    for c in view.calls:
        children.setdefault(trace.calls[c].parent, []).append(c)
    # Clusters are built from the innermost out, so that no recursion is needed.
    built: dict[int, graphviz.Digraph] = {}
    for c in reversed(view.calls):
        call = trace.calls[c]
        label = f"{call.path} · {call.module}" if call.path else call.module
        cluster = graphviz.Digraph(
            f"cluster_c{c}",
            graph_attr={
                "label": _text(one_line(label, 44)),
                "id": f"c{c}",
                "style": "rounded,filled",
                "fillcolor": LIGHT["frame0"],
            },
        )
        for item in inside.get(c, []):
            _node(cluster, view, item)
        for child in children.get(c, []):
            cluster.subgraph(built[child])
        built[c] = cluster
    for c in children.get(-1, []):
        graph.subgraph(built[c])
    for item in inside.get(-1, []):
        _node(graph, view, item)
    for tail, head, e, count in view.edges:
        value = not trace.differentiable[e]
        stat = trace.edge_grad[e]
        attributes = {"id": f"e{e}", "tooltip": _text(trace.argument[e])}
        if value:
            attributes |= {"color": LIGHT["value"], "dir": "back"}
        if count > 1:
            attributes["label"] = f"x {count}"
        elif stat is not None:
            attributes["label"] = number(stat.rms)
        graph.edge(name_of(view, tail), name_of(view, head), **attributes)
    return str(graph.source)


def name_of(view: GraphView, item: int) -> str:
    shown = len(view.shown)
    return f"n{view.shown[item]}" if item < shown else f"f{item - shown}"


def _node(graph: graphviz.Digraph, view: GraphView, item: int) -> None:
    trace = view.trace
    if item >= len(view.shown):
        fold = view.folds[item - len(view.shown)]
        label = _text(one_line(fold.label), f"+{fold.ops} ops")
        name = name_of(view, item)
        graph.node(name, label, shape="box3d", style="filled", fillcolor=LIGHT["fold"], id=name)
        return
    i = view.shown[item]
    kind, stat = trace.kind[i], trace.grad[i]
    lines = [one_line(trace.label[i], 40), shape_text(trace.shape[i])]
    if stat is not None:
        lines.append(f"gradient rms {number(stat.rms)}")
    name = trace.id(i)
    graph.node(
        name,
        _text(*lines),
        shape=SHAPES[kind],
        style=STYLES.get(kind, "filled"),
        fillcolor=LIGHT[FILLS[kind]],
        peripheries="2" if i in trace.roots else "1",
        tooltip=_text(node_tip(trace, i)),
        id=name,
    )


def _text(*lines: str) -> Any:
    """As DOT shows it literally: neither escapes nor HTML."""
    return graphviz.nohtml("\\n".join(graphviz.escape(legal(line).replace("\n", "; ")) for line in lines))
