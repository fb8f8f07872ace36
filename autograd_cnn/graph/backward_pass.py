"""One backward pass: from gradients of the roots to gradients of the leaves.

A heap gives the node that was made last, so every node runs after all that consumed its outputs, and only nodes that
a gradient reaches are looked at.  No recursion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from heapq import heappop, heappush
from typing import Any, Protocol

import numpy as np

from autograd_cnn.dtype import float32
from autograd_cnn.errors import DTypeError, GraphFreedError, InPlaceError, ShapeError
from autograd_cnn.graph.anomaly import AnomalyObserver
from autograd_cnn.graph.base import TensorBase, alias, wrap
from autograd_cnn.graph.grad_mode import STATE, State
from autograd_cnn.graph.node import Edge, Node, edge_spec
from autograd_cnn.graph.op import OUTPUT, FusedOp, Op, Plan
from autograd_cnn.graph.walk import reachable

Key = tuple[Any, int]  # a leaf and 0, or a node and the position of its output
Found = dict[Key, tuple[Any, bool]]  # the gradient, and whether nobody else holds its memory


class Observer(Protocol):
    """Sees each node run: `before` with the gradients of its outputs, `after` with those of its inputs."""

    def before(self, node: Node, grads: Sequence[Any]) -> None: ...
    def after(self, node: Node, grads: Sequence[Any], freed_bytes: int, ns: int) -> None: ...


OBSERVERS: ContextVar[tuple[Observer, ...]] = ContextVar("autograd_cnn_observers", default=())


def key_of(tensor: Any) -> Key:
    return (tensor if tensor.node is None else tensor.node, tensor.slot)


class Arrivals:
    """Gradients on their way: of nodes in the order they run, and of leaves.

    An entry is [node or leaf, gradient, whether its memory is ours to write to].  The first gradient is kept by
    reference, the second allocates, later ones are added in place, unless the pass is recorded or `aside` asks for
    fresh memory each time, since what observers are shown must stay as it was.
    """

    __slots__ = ("aside", "heap", "leaves", "nodes", "recorded")

    def __init__(self, recorded: bool, aside: bool) -> None:
        self.recorded = recorded
        self.aside = aside
        self.heap: list[int] = []
        self.nodes: dict[int, list[Any]] = {}  # by minus the index, as in the heap
        self.leaves: dict[Any, list[Any]] = {}

    def deliver(self, edge: Edge, r: Any, fresh: bool) -> None:
        """Adds the gradient of an input, in the shape and dtype of that; `fresh` where nobody else holds it."""
        shape, dtype = edge_spec(edge)
        array = r.array
        if array.shape != shape:
            r = r.sum_to_size(shape)
        if array.dtype is not dtype and array.dtype != dtype:
            r = r.to(dtype)
        self.add(*edge, r, fresh)

    def add(self, source: Any, slot: int, r: Any, fresh: bool = False) -> None:
        if source.__class__ is not Node:
            entry = self.leaves.get(source)
            if entry is None:
                self.leaves[source] = [source, r, fresh]
                return
        else:
            key = -source.index
            entry = self.nodes.get(key)
            if entry is None:
                grads = r if source.outputs == 1 else [None] * source.outputs
                entry = self.nodes[key] = [source, grads, fresh]
                heappush(self.heap, key)
                if source.outputs == 1:
                    return
            if source.outputs > 1:
                grads = entry[1]
                first = grads[slot]
                grads[slot] = r if first is None else first + r
                entry[2] = fresh or first is not None  # of use where but one output has a gradient
                return
        self.merge(entry, r, r.array.shape, r.array.dtype)

    def merge(self, entry: list[Any], r: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """Adds to a gradient that arrived before."""
        _, first, ours = entry
        if self.recorded:
            entry[1] = first + r
            return
        device = first.device
        if ours and not self.aside:
            device.kernels.add_(first.array, r.array)
            return
        out = device.empty(shape, dtype)
        flat = device.flat_kernels.get(Arrivals) or device.flat_kernel(Arrivals, "add")
        if flat is None:
            device.kernels.add(first.array, r.array, out)
        elif out.size < device.grain:
            (flat.same.single if dtype is float32 else flat.same.double)(first.array, r.array, out)
        else:
            flat.same.parallel(first.array.ravel(), r.array.ravel(), out.ravel())
        total = TensorBase.blank()  # `wrap`, without the call
        total.array = out
        total.device = device
        total.version = [0, ""]
        total.node = None
        total.slot = 0
        total._requires_grad = False
        total._grad = None
        total._view = None
        entry[1], entry[2] = total, True


def run(
    roots: Sequence[Any], seeds: Sequence[Any], keep: bool, create_graph: bool, targets: Sequence[Any] | None
) -> Found:
    """Runs the graph backwards from `seeds`; returns the gradients of the leaves, or of `targets`."""
    captured: set[Key] = set()  # results of nodes whose gradients are wanted; those of leaves arrive anyway
    needed = None
    if targets is not None:
        keys = [key_of(target) for target in targets]
        captured = {key for key in keys if key[0].__class__ is Node}
        needed = _paths(roots, {source for source, _ in keys})
    state = STATE.get()
    observers = OBSERVERS.get()
    if state.anomaly:
        observers = (*observers, AnomalyObserver())
    arrivals = Arrivals(create_graph, aside=bool(observers))
    heap, waiting = arrivals.heap, arrivals.nodes
    found: Found = {}
    order = state.order + 1
    if create_graph:
        order = 1 + max((root.node.order for root in roots if root.node is not None), default=state.order)
    special = create_graph or bool(observers) or targets is not None  # else a pass has no more to do than its vjps
    outer = STATE.set(State(create_graph, state.inference, state.anomaly, order=order))
    try:
        for root, seed in zip(roots, seeds, strict=True):
            source, slot = key_of(root)
            if needed is None or source in needed:
                arrivals.add(source, slot, seed)
        while heap:
            node, g, ours = waiting.pop(heappop(heap))
            edges = node.edges
            if special or node.watched:
                ours = False  # others may keep what they see
                if node.watched or captured:
                    g = _arrived(node, g, captured, found)
                if needed is not None:
                    edges = [edge if edge is not None and edge[0] in needed else None for edge in edges]
                    if not any(edges):
                        continue
            op = node.op
            if node.outputs > 1 and op.principal is not None:
                g = g[op.principal]
                if g is None:
                    continue
            saved = node.saved
            if saved is None:
                saved = _restored(node)
            plan = node.plan
            if plan.tensors == 1:
                if saved[0].version[0] != node.versions[0]:
                    raise _changed(node, saved[0], node.versions[0])
            elif plan.tensors:
                for tensor, version in zip(saved, node.versions):  # noqa: B905  (shapes follow the tensors)
                    if tensor.version[0] != version:
                        raise _changed(node, tensor, version)
            if special:
                if create_graph:
                    saved = _with_graph(node, saved)
                if observers:
                    started = _observe_before(observers, node, g)
                seen: list[Any] = []  # the gradient of each input
            vjps = plan.vjps
            if plan.direct is not None and not create_graph:
                vjps = ()
                seen = _directly(op, plan, g, edges, saved, ours)
                for edge, r in zip(edges, seen):  # noqa: B905  (as many by construction; the check takes its time)
                    if edge is not None and r is not None:
                        arrivals.deliver(edge, r, True)
            elif ours and op.overwrite is not None and g.array.size >= g.device.grain:
                op.overwrite(g.device.kernels, g.array, *(tensor.array for tensor in saved[: plan.tensors]))
                arrivals.deliver(edges[0], g, True)
                vjps = ()
            for position, vjp, arguments in vjps:
                if position is None:
                    given = saved if arguments is None else [saved[j] for j in arguments]
                    results = _joint(node, vjp, g, edges, given)
                    for edge, r in zip(edges, results, strict=True):
                        if edge is not None and r is not None:
                            arrivals.deliver(edge, r, _fresh(op, r, g, saved))
                    if observers:
                        seen = results
                    continue
                edge = edges[position]
                if edge is None:
                    continue
                r = vjp(op, g, *saved) if arguments is None else vjp(op, g, *[saved[j] for j in arguments])
                if observers:
                    seen += [None] * (position - len(seen)) + [r]
                source = edge[0]
                if source.__class__ is Node and source.outputs == 1:
                    # What `deliver` does, without its calls.
                    shape, dtype = source.specs
                    array = r.array
                    if array.shape != shape:
                        r = r.sum_to_size(shape)
                    if array.dtype is not dtype and array.dtype != dtype:
                        r = r.to(dtype)
                    key = -source.index
                    entry = waiting.get(key)
                    if entry is None:
                        waiting[key] = [source, r, False]
                        heappush(heap, key)
                    else:
                        arrivals.merge(entry, r, shape, dtype)
                else:
                    arrivals.deliver(edge, r, _fresh(op, r, g, saved))
            if observers:
                elapsed = time.perf_counter_ns() - started
                freed = 0 if keep else node.saved_bytes()
                seen += [None] * (len(edges) - len(seen))
            if not keep:
                if plan.constants and not node.kept:  # no edge tells their shape: pictures will ask for it
                    node.kept = [(saved[j].array.shape, saved[j].array.dtype) for j in plan.constants]
                node.saved = None
            if observers:
                for observer in observers:
                    observer.after(node, seen, freed, elapsed)
    finally:
        STATE.reset(outer)
    for leaf, g, fresh in arrivals.leaves.values():
        hooks = leaf.hooks
        if hooks:
            fresh = False  # a hook may keep what it sees
            for hook in list(hooks.values()):
                g = _hooked(hook, g)
        found[leaf, 0] = (g, fresh)
    return found


def _restored(node: Node) -> Sequence[Any]:
    """What a node saved, recomputed; GraphFreedError where it was freed for good."""
    while node.saved is None and node.recomputation is not None:  # again where a recomputed part has another in it
        node.recomputation.restore()
    if node.saved is None:
        raise GraphFreedError(
            f"{node.name()}: a second backward pass through a graph whose saved tensors were freed by the "
            "first; pass retain_graph=True to the first one"
        )
    return node.saved


def _fresh(op: Op, r: Any, g: Any, saved: Sequence[Any]) -> bool:
    """Whether a vjp made r itself: it is neither g, nor a view, nor a saved tensor."""
    if not op.fresh or r is g or r._view is not None:
        return False
    return not any(r is tensor for tensor in saved)


def _paths(roots: Sequence[Any], targets: set[Any]) -> set[Any]:
    """The targets and all nodes between them and the roots."""
    needed = set(targets)
    for node in reachable({root.node for root in roots if root.node is not None}):
        for edge in node.edges:
            if edge is not None and edge[0] in needed:
                needed.add(node)
                break
    return needed


def _arrived(node: Node, g: Any, captured: set[Key], found: Found) -> Any:
    """Runs the hooks of a node's outputs on their complete gradients, and keeps what was asked for."""
    grads = [g] if node.outputs == 1 else g
    for slot, grad_slot in enumerate(grads):
        if grad_slot is None:
            continue
        for hook in list((node.hooks or {}).get(slot, {}).values()):
            grad_slot = grads[slot] = _hooked(hook, grad_slot)
        reference = (node.retained or {}).get(slot)
        tensor = reference() if reference is not None else None
        if tensor is not None:
            tensor._grad = grad_slot if tensor._grad is None else tensor._grad + grad_slot
        if (node, slot) in captured:
            found[node, slot] = (grad_slot, False)
    return grads[0] if node.outputs == 1 else grads


def _hooked(hook: Callable[[Any], Any], g: Any) -> Any:
    """The gradient after a hook has seen it."""
    replaced = hook(g)
    if replaced is None:
        return g
    name = getattr(hook, "__qualname__", repr(hook))
    if not isinstance(replaced, TensorBase):
        raise DTypeError(f"hook {name}: must return a tensor or None, got {type(replaced).__name__}")
    if (replaced.array.shape, replaced.array.dtype) != (g.array.shape, g.array.dtype):
        raise ShapeError(
            f"hook {name}: must return a gradient like the one it got, {g.array.dtype}{list(g.array.shape)}, "
            f"returned {replaced.array.dtype}{list(replaced.array.shape)}"
        )
    return replaced


def _changed(node: Node, tensor: Any, version: int) -> InPlaceError:
    count, changed_by = tensor.version or (0, "")
    name = next(n for n, t in zip(node.plan.names, node.saved or (), strict=False) if t is tensor)
    return InPlaceError(
        f"{node.name()}: its saved tensor {name!r}, of shape {list(tensor.array.shape)}, was changed in place by "
        f"{changed_by}: it is at version {count}, saved at version {version} "
        f"(recorded at {node.source}); clone it before changing it"
    )


def _with_graph(node: Node, saved: list[Any]) -> list[Any]:
    """The saved tensors with saved outputs linked to their node, for a pass that is recorded itself."""
    linked = list(saved)
    for j, (kind, i) in enumerate(node.plan.sources[: node.plan.tensors]):
        if kind == OUTPUT and node.op.carries_gradient(i):
            twin = alias(saved[j])
            twin.node, twin.slot, twin._requires_grad = node, i, True
            linked[j] = twin
    return linked


def _directly(op: Op, plan: Plan, g: Any, edges: Sequence[Edge | None], saved: Sequence[Any], ours: bool) -> list[Any]:
    """Gradients of all inputs at once, by kernels alone; None where there is no edge."""
    if g.__class__ is list:
        return _from_several(op, plan, g, edges, saved)
    device, array = g.device, g.array
    dtype, empty = array.dtype, device.empty
    reused = ours and array.size >= device.grain and array.flags.c_contiguous
    place = array if reused and op.gradient_overwrites else None
    out: list[Any] = []
    for edge, j in zip(edges, plan.shapes):  # noqa: B905  (as in `run`)
        if edge is None or j is None:
            out.append(None)
        else:
            out.append(empty(saved[j], dtype) if place is None else place)
        place = None  # the first input's alone
    room = out
    if op.gradient_room:
        room = [*out, array if reused else empty(array.shape, dtype)]
    tensors = plan.tensors
    positions: tuple[int | None, ...] = plan.direct or ()
    arguments = [None if j is None else saved[j].array if j < tensors else saved[j] for j in positions]
    op.gradient(device.kernels, room, array, *arguments)
    return [None if array is None else wrap(array, device) for array in out]


def _from_several(
    op: Op, plan: Plan, grads: Sequence[Any], edges: Sequence[Edge | None], saved: Sequence[Any]
) -> list[Any]:
    """The same for an op with several results: its `gradient` gets a list, None for a result that has no gradient."""
    device, dtype = next((g.device, g.array.dtype) for g in grads if g is not None)
    shapes = [None if edge is None or j is None else saved[j] for edge, j in zip(edges, plan.shapes, strict=True)]
    out = [None if shape is None else device.empty(shape, dtype) for shape in shapes]
    arguments = [None if j is None else saved[j].array if j < plan.tensors else saved[j] for j in plan.direct or ()]
    op.gradient(device.kernels, out, [None if g is None else g.array for g in grads], *arguments)
    return [None if array is None else wrap(array, device) for array in out]


def _joint(
    node: Node, vjp: Callable[..., Any], g: Any, edges: Sequence[Edge | None], arguments: Sequence[Any]
) -> list[Any]:
    """Gradients of all inputs at once, from a joint vjp or, where the pass is recorded, from a composite."""
    op = node.op
    needs = tuple(edge is not None for edge in edges)
    return _composite(node, op, g, needs) if isinstance(op, FusedOp) else list(vjp(op, g, needs, *arguments))


def _composite(node: Node, op: FusedOp, g: Any, needs: tuple[bool, ...]) -> list[Any]:
    assert node.saved is not None
    inputs = [node.saved[node.plan.names.index(name)] for name in op.inputs[: len(needs)]]
    wanted = [x for x, need in zip(inputs, needs, strict=True) if need]
    y = op.composite(*inputs)
    results = zip(y, g, strict=False) if g.__class__ is list else ((y, g),)  # outputs that are only kept come last
    roots, seeds = zip(*(pair for pair in results if pair[1] is not None), strict=True)
    found = run(roots, seeds, True, True, wanted)
    grads = (found.get(key_of(x), (None,))[0] for x in wanted)
    return [next(grads) if need else None for need in needs]


def _observe_before(observers: Sequence[Observer], node: Node, g: Any) -> int:
    grads = g if isinstance(g, list) else [g]
    for observer in observers:
        observer.before(node, grads)
    return time.perf_counter_ns()
