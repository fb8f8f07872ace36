"""Which nodes a tensor depends on; used by the engine and by pictures.  No recursion."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from autograd_cnn.graph.node import Node

by_index = attrgetter("index")


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Every node that `roots` depend on, themselves included, from the first made to the last.

    >>> import autograd_cnn as ag
    >>> x = ag.ones(2, requires_grad=True)
    >>> y = (x * x).sum()
    >>> reachable([y.grad_fn])
    [<MulBackward>, <SumBackward>]
    """
    found = set(roots)
    stack = list(found)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                source = edge[0]
                if source.__class__ is Node and source not in found:
                    found.add(source)
                    stack.append(source)
    return sorted(found, key=by_index)
