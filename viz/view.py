"""GraphView: which nodes and edges of a trace are drawn.  What is too much is folded, and counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viz.model import GraphTrace, Ints, Kind


@dataclass(frozen=True)
class Fold:
    """Nodes drawn as one box: those of a module call, or (call -1) of a stretch of the graph."""

    label: str
    call: int
    ops: int
    nodes: int


@dataclass
class GraphView:
    """A quotient of a trace: `of[i]` is the item that node i is drawn as.

    Items 0 ... len(shown)-1 are the nodes `shown`, those after them the `folds`.  `edges` are (tail item, head item,
    edge of the trace, how many edges it stands for); between two nodes that are shown each edge is drawn.
    """

    trace: GraphTrace
    shown: list[int]
    folds: list[Fold]
    of: Ints
    call: list[int]  # of each item
    calls: list[int]  # those that are drawn as frames
    edges: list[tuple[int, int, int, int]]

    @property
    def items(self) -> int:
        return len(self.shown) + len(self.folds)

    @property
    def hidden(self) -> int:
        return sum(fold.nodes for fold in self.folds)


def view(trace: GraphTrace, max_visible: int, depth: int | None = None) -> GraphView:
    """Everything where it fits; else module calls folded, the deepest first; else the middle of the graph as well.

    >>> import autograd_cnn as ag
    >>> from viz.capture import trace
    >>> x = y = ag.ones(2, requires_grad=True)
    >>> for _ in range(50): y = y + 1
    >>> v = view(trace(y), max_visible=11)
    >>> v.items, len(v.shown), v.hidden, v.folds[0].label
    (10, 9, 92, '+46 ops')
    """
    groups = np.full(trace.nodes, -1, np.int64)  # the call or stretch that a node is folded into
    levels = _levels(trace)
    deepest = max(levels, default=-1) + 1
    limit = deepest if depth is None else min(depth, deepest)
    while True:
        folded = _folded_calls(trace, levels, limit)
        groups = np.array([folded[c] if c >= 0 else -1 for c in trace.call], np.int64)
        if len(groups) - np.count_nonzero(groups >= 0) + len(set(groups[groups >= 0].tolist())) <= max_visible:
            break
        if limit == 0:
            groups = _fold_middle(trace, groups, max_visible)
            break
        limit -= 1
    return _quotient(trace, groups)


def _levels(trace: GraphTrace) -> list[int]:
    levels: list[int] = []
    for call in trace.calls:
        levels.append(0 if call.parent < 0 else levels[call.parent] + 1)
    return levels


def _folded_calls(trace: GraphTrace, levels: list[int], limit: int) -> list[int]:
    """For each call the outermost one round it at level `limit`, which is folded; -1 where it stays open."""
    folded: list[int] = []
    for c, call in enumerate(trace.calls):
        if levels[c] < limit:
            folded.append(-1)
        else:
            folded.append(c if levels[c] == limit else folded[call.parent])
    return folded


def _fold_middle(trace: GraphTrace, groups: Ints, max_visible: int) -> Ints:
    """Keeps the ends of the backward pass; the stretch between, with the leaves that only it uses, is one more fold."""
    stretch = len(trace.calls)
    ops = trace.count(Kind.OP)
    uses: list[list[int]] = [[] for _ in range(trace.nodes)]
    for t, h in zip(trace.tail.tolist(), trace.head.tolist(), strict=True):
        if h >= ops:
            uses[h].append(t)
    keep = max_visible // 2
    while True:
        result = groups.copy()
        result[keep : max(keep, ops - keep)] = stretch
        for leaf in range(ops, trace.nodes):
            if all(result[op] == stretch for op in uses[leaf]):
                result[leaf] = stretch
        # A call that the stretch cuts is folded with it, so that the folds stay runs of the pass.
        inside = set(groups[result == stretch].tolist()) - {-1}
        result[np.isin(groups, list(inside))] = stretch
        visible = int(np.count_nonzero(result < 0)) + len(set(result[result >= 0].tolist()))
        if visible <= max_visible or keep == 0:
            return result
        keep = keep * 3 // 4


def _quotient(trace: GraphTrace, groups: Ints) -> GraphView:
    shown = np.flatnonzero(groups < 0).tolist()
    of = np.empty(trace.nodes, np.int64)
    of[shown] = np.arange(len(shown))
    members: dict[int, list[int]] = {}
    for i in np.flatnonzero(groups >= 0).tolist():
        members.setdefault(int(groups[i]), []).append(i)
    folds: list[Fold] = []
    call = [int(trace.call[i]) for i in shown]
    for group, nodes in members.items():
        of[nodes] = len(shown) + len(folds)
        ops = sum(trace.kind[i] == Kind.OP for i in nodes)
        if group < len(trace.calls):
            own = trace.calls[group]
            folds.append(Fold(own.path or own.module, group, ops, len(nodes)))
            call.append(own.parent)
        else:
            folds.append(Fold(f"+{ops:,} ops", -1, ops, len(nodes)))
            call.append(-1)
    edges: list[tuple[int, int, int, int]] = []
    merged: dict[tuple[int, int], int] = {}
    for e, (t, h) in enumerate(zip(of[trace.tail].tolist(), of[trace.head].tolist(), strict=True)):
        if t == h:
            continue
        if t < len(shown) and h < len(shown):
            edges.append((t, h, e, 1))
        elif (t, h) in merged:
            tail, head, first, count = edges[merged[t, h]]
            edges[merged[t, h]] = (tail, head, first, count + 1)
        else:
            merged[t, h] = len(edges)
            edges.append((t, h, e, 1))
    frames: set[int] = set()
    for c in call:
        while c >= 0 and c not in frames:
            frames.add(c)
            c = trace.calls[c].parent
    return GraphView(trace, shown, folds, of, call, sorted(frames), edges)
