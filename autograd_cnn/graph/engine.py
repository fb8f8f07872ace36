"""The backward pass: backward() and grad().

Nodes run from the last made to the first.  A gradient that arrives first is kept by reference, the second allocates,
later ones are added in place; while the pass itself is recorded, all additions are out of place.  Leaves get their
gradients at the end, so a pass that fails has changed no `.grad`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from autograd_cnn.errors import ArgumentError, GraphError, GraphFreedError, InPlaceError, ShapeError
from autograd_cnn.graph.anomaly import AnomalyObserver
from autograd_cnn.graph.base import TensorBase, alias, wrap
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.node import Edge, Node, edge_spec
from autograd_cnn.graph.op import OUTPUT, FusedOp
from autograd_cnn.graph.record import apply as apply
from autograd_cnn.graph.record import apply_inplace as apply_inplace
from autograd_cnn.graph.record import apply_view as apply_view
from autograd_cnn.graph.record import refresh
from autograd_cnn.graph.walk import reachable


class Observer(Protocol):
    """Sees each node run: `before` with the gradients of its outputs, `after` with those of its inputs.

    There is one for each input, None where it needs none; not yet summed to the input's shape where it was broadcast.
    """

    def before(self, node: Node, grads: Sequence[Any]) -> None: ...
    def after(self, node: Node, grads: Sequence[Any], freed_bytes: int, ns: int) -> None: ...


_OBSERVERS: ContextVar[tuple[Observer, ...]] = ContextVar("autograd_cnn_observers", default=())


def add_backward_observer(observer: Observer) -> Callable[[], None]:
    """Lets `observer` see every backward pass of this context; returns a function that removes it again.

    >>> import autograd_cnn as ag
    >>> class Names:
    ...     def before(self, node, grads): print(node.name())
    ...     def after(self, node, grads, freed_bytes, ns): pass
    >>> remove = add_backward_observer(Names())
    >>> (ag.ones(2, requires_grad=True) * 3).sum().backward()
    SumBackward
    MulBackward
    >>> remove()
    """
    _OBSERVERS.set((*_OBSERVERS.get(), observer))

    def remove() -> None:
        _OBSERVERS.set(tuple(o for o in _OBSERVERS.get() if o is not observer))

    return remove


def backward(
    tensors: Any | Sequence[Any],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any | Sequence[Any] | None = None,
) -> None:
    """Adds to each leaf's `.grad` the gradient of `tensors`, weighted by `grad_tensors`.

    dL/dx is accumulated for every leaf x that requires grad, or for `inputs` only.  `retain_graph` keeps what the
    graph saved (default: `create_graph`); `create_graph` records the pass, so that its results can be derived again.

    Raises GraphError where a root does not require grad or is no scalar and has no gradient given, GraphFreedError
    where the graph was run before, InPlaceError where a saved tensor was changed.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> backward([(x * x).sum()])
    >>> x.grad
    tensor([2., 4.])
    """
    roots = _sequence(tensors)
    targets = None if inputs is None else _sequence(inputs)
    if targets is not None and not targets:
        raise ArgumentError("backward: inputs is empty; give the tensors whose gradient is wanted, or leave it out")
    seeds = _seeds("backward", roots, grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    _check_targets("backward", targets)
    found, owned = _run(roots, seeds, keep, create_graph, targets)
    for leaf, g in found.items():
        tensor, slot = leaf
        if tensor.__class__ is not Node:
            _accumulate(tensor, g, tensor in owned, create_graph)
        else:
            for target in targets or ():
                if target.node is tensor and target.slot == slot and not _retained(tensor, target):
                    _accumulate(target, g, False, create_graph)


def grad(
    outputs: Any | Sequence[Any],
    inputs: Any | Sequence[Any],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, returned and not accumulated.

    For y = `outputs` and v = `grad_outputs`: (v^T dy/dx for x in inputs).  Only the part of the graph between them
    runs.  Raises GraphError where an input is not part of the graph, unless `allow_unused`, which gives None for it
    (or zeros with `materialize_grads`).

    >>> import autograd_cnn as ag
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> dy, = grad(x ** 3, x, create_graph=True)
    >>> dy.item(), grad(dy, x)[0].item()
    (27.0, 18.0)
    """
    roots, targets = _sequence(outputs), _sequence(inputs)
    if allow_unused is False and materialize_grads:
        raise ArgumentError("grad: materialize_grads=True needs allow_unused=True, got allow_unused=False")
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    seeds = _seeds("grad", roots, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    _check_targets("grad", targets)
    found, _ = _run(roots, seeds, keep, create_graph, targets)
    results = []
    for i, target in enumerate(targets):
        g = found.get(_key(target))
        if g is None:
            if not allow_unused:
                raise GraphError(
                    f"grad: inputs[{i}], of shape {list(target.array.shape)}, was not used in the graph of outputs; "
                    "set allow_unused=True if that is intended"
                )
            if materialize_grads:
                g = target.new_zeros(target.array.shape)
        results.append(g)
    return tuple(results)


Key = tuple[Any, int]


def _key(tensor: Any) -> Key:
    return (tensor if tensor.node is None else tensor.node, tensor.slot)


def _sequence(tensors: Any) -> list[Any]:
    found = [tensors] if isinstance(tensors, TensorBase) else list(tensors)
    for tensor in found:
        if tensor.base is not None and tensor.seen != tensor.version.count:
            refresh(tensor)
    return found


def _check_targets(what: str, targets: Sequence[Any] | None) -> None:
    for i, target in enumerate(targets or ()):
        if not target._requires_grad:
            raise GraphError(f"{what}: inputs[{i}] does not require grad; set requires_grad=True before using it")


def _seeds(what: str, roots: Sequence[Any], given: Any, create_graph: bool) -> list[Any]:
    """The gradients to start from, checked against the roots."""
    if given is None:
        given = [None] * len(roots)
    elif isinstance(given, TensorBase):
        given = [given]
    given = list(given)
    if len(given) != len(roots):
        raise ArgumentError(f"{what}: {len(roots)} tensors but {len(given)} gradients")
    seeds = []
    for i, (root, g) in enumerate(zip(roots, given, strict=True)):
        if not root._requires_grad:
            raise GraphError(
                f"{what}: element {i} of tensors does not require grad and has no grad_fn; "
                "was it computed under no_grad, detached, or from tensors without requires_grad?"
            )
        shape, dtype = root.array.shape, root.array.dtype
        if g is None:
            if root.array.size != 1:
                raise GraphError(
                    f"{what}: grad can be implicitly created only for scalar outputs, got shape {list(shape)}; "
                    "reduce it, for example by .sum(), or pass gradient="
                )
            if dtype.kind != "f":
                raise GraphError(f"{what}: only floating point tensors have gradients, got {dtype}")
            g = root.new_ones(shape)
        elif g.array.shape != shape:
            raise ShapeError(f"{what}: gradient {i} has shape {list(g.array.shape)}, its tensor has {list(shape)}")
        elif g.array.dtype != dtype:
            g = g.to(dtype)
        seeds.append(g if create_graph else alias(g) if g._requires_grad else g)
    return seeds


def _run(
    roots: Sequence[Any], seeds: Sequence[Any], keep: bool, create_graph: bool, targets: Sequence[Any] | None
) -> tuple[dict[Key, Any], set[Any]]:
    """Runs the graph backwards; returns gradients of the leaves (or targets), and which of them nobody else holds."""
    nodes = reachable({root.node for root in roots if root.node is not None})
    captured: set[Key] = set()
    needed: set[Any] | None = None
    if targets is not None:
        captured = {_key(target) for target in targets}
        needed = {source for source, _ in captured}
        for node in nodes:
            if node not in needed and any(edge is not None and edge[0] in needed for edge in node.edges):
                needed.add(node)
    state = STATE.get()
    observers = _OBSERVERS.get()
    if state.anomaly:
        observers = (*observers, AnomalyObserver())
    aside = create_graph or bool(observers)  # sums go to fresh memory: what observers are shown must stay as it was
    pending: dict[Any, Any] = {}  # node or leaf -> its gradient; a list of them for a node with several outputs
    owned: set[Any] = set()
    found: dict[Key, Any] = {}
    order = 1 + max((node.order for node in nodes), default=state.order)
    outer = STATE.set(state.but(recording=create_graph, scope=None, timestep=None, order=order))
    try:
        for root, seed in zip(roots, seeds, strict=True):
            source, slot = _key(root)
            if needed is None or source in needed:
                _add(pending, owned, source, slot, seed, create_graph)
        for node in reversed(nodes):
            g = pending.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None or node.retained is not None or captured:
                g = _arrived(node, g, captured, found)
            edges = node.edges
            if needed is not None:
                edges = [edge if edge is not None and edge[0] in needed else None for edge in edges]
                if not any(edges):
                    continue
            op = node.op
            if not op.single and op.principal is not None:
                g = g[op.principal]
                if g is None:
                    continue
            saved = node.saved
            if saved is None:
                raise GraphFreedError(
                    f"{node.name()}: a second backward pass through a graph whose saved tensors were freed by the "
                    "first; pass retain_graph=True to the first one"
                )
            for tensor, version in zip(saved, node.versions):  # noqa: B905  (shapes follow the tensors)
                if tensor.version.count != version:
                    raise _changed(node, tensor, version)
            if create_graph:
                saved = _with_graph(node, saved)
            if observers:
                started = _observe_before(observers, node, g)
                seen: list[Any] = [None] * len(edges)
            for position, vjp, arguments in node.plan.vjps:
                if position is None:
                    given = saved if arguments is None else [saved[j] for j in arguments]
                    results = _joint(node, vjp, g, edges, given)
                    for edge, r in zip(edges, results, strict=True):
                        if edge is not None and r is not None:
                            _deliver(pending, owned, edge, r, g, saved, aside)
                    if observers:
                        seen = results
                    continue
                edge = edges[position]
                if edge is None:
                    continue
                r = vjp(op, g, *saved) if arguments is None else vjp(op, g, *[saved[j] for j in arguments])
                if observers:
                    seen[position] = r
                source = edge[0]
                if source.__class__ is Node and source.outputs == 1 and source not in pending:
                    # What _deliver does, for the edge that a chain has.
                    shape, dtype = source.specs
                    array = r.array
                    if array.shape != shape:
                        r = r.sum_to_size(shape)
                    if array.dtype is not dtype and array.dtype != dtype:
                        r = r.to(dtype)
                    pending[source] = r
                else:
                    _deliver(pending, owned, edge, r, g, saved, aside)
            freed = node.saved_bytes() if observers and not keep else 0
            if not keep:
                node.release()
            if observers:
                elapsed = time.perf_counter_ns() - started
                for observer in observers:
                    observer.after(node, seen, freed, elapsed)
    finally:
        STATE.reset(outer)
    for leaf, g in pending.items():
        if leaf.__class__ is not Node:
            for hook in list((leaf.hooks or {}).values()):
                replaced = hook(g)
                if replaced is not None:
                    g = replaced
                    owned.discard(leaf)
            found[leaf, 0] = g
    return found, owned


def _deliver(
    pending: dict[Any, Any], owned: set[Any], edge: Any, r: Any, g: Any, saved: Sequence[Any], create_graph: bool
) -> None:
    """Hands the result of a vjp to where its input came from, in that input's shape and dtype."""
    source, slot = edge
    shape, dtype = edge_spec(edge)
    array = r.array
    if source.__class__ is not Node and source not in pending:
        # A result that nobody else can see may become the leaf's own .grad without a copy.
        if r is not g and r.base is None and not any(r is s for s in saved):
            owned.add(source)
    if array.shape != shape:
        r = r.sum_to_size(shape)
    if array.dtype is not dtype and array.dtype != dtype:
        r = r.to(dtype)
    _add(pending, owned, source, slot, r, create_graph)


def _add(pending: dict[Any, Any], owned: set[Any], source: Any, slot: int, r: Any, create_graph: bool) -> None:
    if source.__class__ is Node and source.outputs > 1:
        grads = pending.get(source)
        if grads is None:
            grads = pending[source] = [None] * source.outputs
        grads[slot] = r if grads[slot] is None else grads[slot] + r
        return
    first = pending.get(source)
    if first is None:
        pending[source] = r
    elif create_graph:
        pending[source] = first + r
    elif source in owned:
        first.device.kernels.add_(first.array, r.array)
    else:
        pending[source] = first + r
        owned.add(source)


def _arrived(node: Node, g: Any, captured: set[Key], found: dict[Key, Any]) -> Any:
    """Runs the hooks of a node's outputs on their complete gradients, and keeps what was asked for."""
    grads = [g] if node.outputs == 1 else g
    for slot, grad_slot in enumerate(grads):
        if grad_slot is None:
            continue
        for hook in list((node.hooks or {}).get(slot, {}).values()):
            replaced = hook(grad_slot)
            if replaced is not None:
                grad_slot = grads[slot] = replaced
        reference = (node.retained or {}).get(slot)
        tensor = reference() if reference is not None else None
        if tensor is not None:
            tensor._grad = grad_slot
        if (node, slot) in captured:
            found[node, slot] = grad_slot
    return grads[0] if node.outputs == 1 else grads


def _retained(node: Node, tensor: Any) -> bool:
    reference = (node.retained or {}).get(tensor.slot)
    return reference is not None and reference() is tensor


def _changed(node: Node, tensor: Any, version: int) -> InPlaceError:
    name = next(n for n, t in zip(node.plan.names, node.saved or (), strict=False) if t is tensor)
    return InPlaceError(
        f"{node.name()}: its saved tensor {name!r}, of shape {list(tensor.array.shape)}, was changed in place by "
        f"{tensor.version.changed_by}: it is at version {tensor.version.count}, saved at version {version} (recorded at {node.source}); "
        "clone it before changing it"
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


def _joint(
    node: Node, vjp: Callable[..., Any], g: Any, edges: Sequence[Edge | None], arguments: Sequence[Any]
) -> list[Any]:
    """Gradients of all inputs at once, from a joint vjp or a fused kernel."""
    op = node.op
    needs = tuple(edge is not None for edge in edges)
    if not isinstance(op, FusedOp):
        return list(vjp(op, g, needs, *arguments))
    if STATE.get().recording:
        return _composite(node, op, g, needs)
    device = g.device
    out = [None if edge is None else device.empty(*edge_spec(edge)) for edge in edges]
    op.gradient(device.kernels, out, g.array, *(a.array if isinstance(a, TensorBase) else a for a in arguments))
    return [None if array is None else wrap(array, device) for array in out]


def _composite(node: Node, op: FusedOp, g: Any, needs: tuple[bool, ...]) -> list[Any]:
    assert node.saved is not None
    inputs = [node.saved[node.plan.names.index(name)] for name in op.inputs[: len(needs)]]
    wanted = [x for x, need in zip(inputs, needs, strict=True) if need]
    y = op.composite(*inputs)
    grads = iter(grad(y, wanted, g, create_graph=True, allow_unused=True))
    return [next(grads) if need else None for need in needs]


def _observe_before(observers: Iterable[Observer], node: Node, g: Any) -> int:
    grads = g if isinstance(g, list) else [g]
    for observer in observers:
        observer.before(node, grads)
    return time.perf_counter_ns()


def _accumulate(tensor: Any, g: Any, owned: bool, create_graph: bool) -> None:
    held = tensor._grad
    if held is None:
        tensor._grad = g if owned or create_graph else g.clone()
    elif create_graph:
        tensor._grad = held + g
    else:
        held.device.kernels.add_(held.array, g.array)
        held.version.count += 1
        held.version.changed_by = "backward"
