"""From a tensor to a GraphTrace: a walk without recursion, before or after backward()."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_cnn.errors import ArgumentError, GraphError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.op import INPUT, ViewOp
from autograd_cnn.graph.walk import reachable
from autograd_cnn.version import __version__
from viz.measure import measure
from viz.model import Call, GraphTrace, Kind, Stat, Stats

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40


class Recorded(NamedTuple):
    """What a recorder saw of one node's backward."""

    grad: Stat | None  # of the outputs that got a gradient, taken together
    edges: list[Stat | None]  # one for each input
    ns: int
    freed_bytes: int
    step: int


def trace(outputs: Any, *, model: Any = None, names: Mapping[str, Any] | None = None) -> GraphTrace:
    """The recorded graph of one tensor or several, as plain data; it keeps no tensor alive.

    Parameters are named after `model`'s, by default those of the modules whose calls made the graph; `names` gives
    names to other tensors.  No backward pass is needed: without one no gradients are known.  Raises GraphError for a
    tensor without a graph.

    >>> import autograd_cnn as ag
    >>> x = ag.ones(2, requires_grad=True)
    >>> t = trace((x * x).sum(), names={"x": x})
    >>> t.name, t.tail.tolist(), t.head.tolist()
    (['SumBackward', 'MulBackward', 'x'], [0, 1, 1], [1, 2, 2])
    """
    tensors = [outputs] if isinstance(outputs, TensorBase) else list(_sequence(outputs))
    roots = []
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, TensorBase):
            raise ArgumentError(f"trace: outputs[{i}] must be a tensor, got {type(tensor).__name__}")
        if tensor.node is None:
            why = "it is a leaf" if tensor._requires_grad else "it does not require grad"
            raise GraphError(
                f"trace: outputs[{i}], of shape {list(tensor.array.shape)}, has no graph: {why}; "
                "was it computed under no_grad, detached, or from tensors without requires_grad?"
            )
        roots.append(tensor.node)
    if not roots:
        raise ArgumentError("trace: outputs is empty; give the tensor whose graph is wanted")
    return build(roots, {}, model, names)


def _sequence(outputs: Any) -> Sequence[Any]:
    if isinstance(outputs, (list, tuple)):
        return outputs
    raise ArgumentError(f"trace: takes a tensor or a sequence of tensors, got {type(outputs).__name__}")


def build(
    roots: Sequence[Node], seen: Mapping[Node, Recorded], model: Any = None, names: Mapping[str, Any] | None = None
) -> GraphTrace:
    """The trace of what `roots` depend on, with what a recorder saw."""
    ops = reachable(roots)[::-1]
    calls, call_of = _calls(ops)
    leaves, tail, head, position, slot, argument, constants = _edges(ops)
    known = _leaf_names(ops, model, names)
    n = len(ops) + len(leaves) + len(constants)

    kind = [Kind.OP] * len(ops)
    name = [node.name() for node in ops]
    label = [node.op.title for node in ops]
    fields = [_fields(node) for node in ops]
    specs: list[tuple[tuple[int, ...], Any] | None] = [node.spec(_main_output(node)) for node in ops]
    grad, edge_grad = Stats.unknown(n), Stats.unknown(len(tail))
    for leaf in leaves:
        parameter = type(leaf).__name__ == "Parameter"
        kind.append(Kind.PARAMETER if parameter else Kind.INPUT)
        name.append(known.get(id(leaf)) or leaf.name or ("parameter" if parameter else "leaf"))
        specs.append((leaf.array.shape, leaf.array.dtype))
        if leaf._grad is not None:
            grad.set(len(kind) - 1, measure(leaf._grad.array))
    for owner, i in constants:
        kind.append(Kind.CONSTANT)
        constant, spec = _constant(ops[owner], i)
        name.append(known.get(id(constant)) or getattr(constant, "name", None) or _argument(ops[owner], i))
        specs.append(spec)
    label += name[len(ops) :]
    fields += [{} for _ in range(n - len(ops))]

    ns, freed_bytes = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    order_of_run: list[tuple[int, int]] = []
    first = np.zeros(len(ops) + 1, np.int64)
    np.cumsum([len(node.edges) for node in ops], out=first[1:])
    for i, node in enumerate(ops):
        record = seen.get(node)
        if record is None:
            kept = _retained(node)
            if kept is not None:
                grad.set(i, kept)
            continue
        ns[i], freed_bytes[i] = record.ns, record.freed_bytes
        order_of_run.append((record.step, i))
        if record.grad is not None:
            grad.set(i, record.grad)
        for j, stat in enumerate(record.edges):
            if stat is not None:
                edge_grad.set(int(first[i]) + j, stat)

    def of_ops(values: Iterable[Any], rest: Any, dtype: Any = np.int64) -> Any:
        return np.array([*values, *[rest] * (n - len(ops))], dtype)

    place = {node: i for i, node in enumerate(ops)}
    return GraphTrace(
        kind=kind,
        name=name,
        label=label,
        fields=fields,
        shape=[None if spec is None else tuple(spec[0]) for spec in specs],
        dtype=[None if spec is None else str(spec[1]) for spec in specs],
        call=np.array(_leaf_calls(call_of, calls, tail, head, n), np.int64),
        timestep=of_ops((-1 if node.timestep is None else node.timestep for node in ops), -1),
        order=of_ops((node.order for node in ops), 1),
        seq=of_ops((node.seq_nr for node in ops), -1),
        saved_bytes=of_ops((sum(meta.nbytes for meta in node.saved_meta()) for node in ops), 0),
        freed=of_ops((node.freed for node in ops), False, np.bool_),
        view=of_ops((isinstance(node.op, ViewOp) for node in ops), False, np.bool_),
        source=[*(node.source for node in ops), *[""] * (n - len(ops))],
        ns=ns,
        freed_bytes=freed_bytes,
        grad=grad,
        tail=np.array(tail, np.int64),
        head=np.array(head, np.int64),
        position=np.array(position, np.int64),
        slot=np.array(slot, np.int64),
        argument=argument,
        differentiable=np.array([kind[h] != Kind.CONSTANT for h in head], np.bool_),
        edge_grad=edge_grad,
        calls=calls,
        roots=list(dict.fromkeys(place[root] for root in roots)),
        steps=[i for _, i in sorted(order_of_run)],
        meta={"autograd_cnn": __version__},
    )


def _edges(ops: Sequence[Node]) -> Any:
    """Leaves in the order in which backward meets them, constants as (op, argument), and the edges."""
    place = {node: i for i, node in enumerate(ops)}
    leaves: dict[TensorBase, int] = {}
    for node in ops:
        for edge in node.edges:
            if edge is not None and not isinstance(edge[0], Node):
                leaves.setdefault(edge[0], len(leaves))
    tail, head, position, slot = [], [], [], []
    argument = []
    constants: list[tuple[int, int]] = []
    for i, node in enumerate(ops):
        for j, edge in enumerate(node.edges):
            tail.append(i)
            position.append(j)
            argument.append(_argument(node, j))
            if edge is None:
                # One box for each use: which uses share a tensor is no longer known once the graph is freed.
                head.append(len(ops) + len(leaves) + len(constants))
                slot.append(0)
                constants.append((i, j))
            else:
                source = edge[0]
                head.append(place[source] if isinstance(source, Node) else len(ops) + leaves[source])
                slot.append(edge[1])
    return list(leaves), tail, head, position, slot, argument, constants


def _argument(node: Node, i: int) -> str:
    names = node.op.inputs
    return names[i] if i < len(names) and not node.op.variadic else f"[{i}]"


def _main_output(node: Node) -> int:
    return node.op.principal or 0 if node.outputs > 1 else 0


def _constant(node: Node, i: int) -> tuple[Any, tuple[tuple[int, ...], Any] | None]:
    """The tensor that a constant argument was, where it was saved and is there, and its shape and dtype."""
    for j, source in enumerate(node.plan.sources[: node.plan.tensors]):
        if source == (INPUT, i):
            meta = node.saved_meta()[j]
            tensor = node.saved[j] if node.saved is not None else None
            return tensor, (meta.shape, meta.dtype)
    return None, None


def _fields(node: Node) -> dict[str, str]:
    return {str(key): _text(value) for key, value in node.attrs().items() if not key.startswith("_")}


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{list(value.shape)}"
    try:
        return _short.repr(value)
    except Exception as error:  # a user's op may hold anything; its picture is still wanted
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _retained(node: Node) -> Stat | None:
    for reference in (node.retained or {}).values():
        tensor = reference()
        if tensor is not None and tensor._grad is not None:
            return measure(tensor._grad.array)
    return None


def _calls(ops: Sequence[Node]) -> tuple[list[Call], list[int]]:
    """The module calls that made the ops, outer before inner, and the innermost one of each op.

    A call is a run of consecutive ops, so two calls of one module are two, and the calls form an acyclic graph.
    """
    calls: list[Call] = []
    call_of = [-1] * len(ops)
    stack: list[tuple[Any, int]] = []
    for i in range(len(ops) - 1, -1, -1):
        chain = []
        scope = ops[i].state.scope
        while scope is not None:
            chain.append(scope)
            scope = scope.parent
        chain.reverse()
        shared = 0
        while shared < min(len(chain), len(stack)) and stack[shared][0] is chain[shared]:
            shared += 1
        del stack[shared:]
        for inner in chain[shared:]:
            calls.append(Call(inner.path, type(inner.module).__name__, stack[-1][1] if stack else -1))
            stack.append((inner, len(calls) - 1))
        call_of[i] = stack[-1][1] if stack else -1
    return calls, call_of


def _leaf_calls(
    call_of: Sequence[int], calls: Sequence[Call], tail: Sequence[int], head: Sequence[int], n: int
) -> list[int]:
    """A leaf lies in the innermost call that holds all its uses."""
    depth: list[int] = []
    for call in calls:
        depth.append(0 if call.parent < 0 else depth[call.parent] + 1)
    result: list[int | None] = [*call_of, *[None] * (n - len(call_of))]
    for t, h in zip(tail, head, strict=True):
        if h < len(call_of):
            continue
        a, b = call_of[t], result[h]
        if b is None:
            result[h] = a
            continue
        while a != b:
            if b < 0 or (a >= 0 and depth[a] >= depth[b]):
                a = calls[a].parent
            else:
                b = calls[b].parent
        result[h] = a
    return [-1 if c is None else c for c in result]


def _leaf_names(ops: Sequence[Node], model: Any, names: Mapping[str, Any] | None) -> dict[int, str]:
    """Names by identity: those given, then the model's, or else those of the outermost modules that were called."""
    known: dict[int, str] = {}
    for name, tensor in (names or {}).items():
        known.setdefault(id(tensor), str(name))
    if model is not None:
        modules = [model]
    else:
        outermost: dict[int, Any] = {}
        for node in reversed(ops):
            scope = node.state.scope
            while scope is not None and scope.parent is not None:
                scope = scope.parent
            if scope is not None:
                outermost.setdefault(id(scope.module), scope.module)
        modules = list(outermost.values())
    for module in modules:
        if not hasattr(module, "named_parameters"):
            raise ArgumentError(f"trace: model must have named_parameters(), got {type(module).__name__}")
        prefix = f"{type(module).__name__}." if len(modules) > 1 else ""
        buffers = module.named_buffers() if hasattr(module, "named_buffers") else ()
        for name, tensor in (*module.named_parameters(), *buffers):
            known.setdefault(id(tensor), prefix + name)
    return known
