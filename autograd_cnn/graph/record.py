"""apply: runs an op forward and, where a gradient may be asked for, records it as a node."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from math import prod
from pathlib import Path
from reprlib import repr as shortened
from typing import Any
from weakref import ref

from autograd_cnn.device import Device
from autograd_cnn.errors import DeviceError, DTypeError, GraphError, ShapeError
from autograd_cnn.graph.base import TensorBase, View, alias, wrap
from autograd_cnn.graph.grad_mode import STATE, State
from autograd_cnn.graph.node import Edge, Node
from autograd_cnn.graph.op import INPUT, OUTPUT, SHAPE, Op, Plan, Spec, ViewOp

next_index = count().__next__
_PACKAGE = Path(__file__).parent.parent
# The package's machinery: the first line outside of it is the one to show.  The named networks' lines are shown.
INTERNAL = {str(path) for path in _PACKAGE.rglob("*.py") if path.parent.name != "models"}


def _require_tensors(op: Op, inputs: tuple[Any, ...]) -> None:
    for i, tensor in enumerate(inputs):
        if not isinstance(tensor, TensorBase):
            name = f"tensors[{i}]" if op.variadic else op.inputs[i]
            raise DTypeError(f"{op.name}: {name} must be a tensor, got {type(tensor).__name__}")


def common_device(op: Op, inputs: tuple[TensorBase, ...]) -> Device:
    """The one device of all inputs; DeviceError where they differ."""
    _require_tensors(op, inputs)
    device = inputs[0].device
    for i, tensor in enumerate(inputs):
        if tensor.device is not device:
            names = op.inputs if not op.variadic else [f"tensors[{j}]" for j in range(len(inputs))]
            raise DeviceError(f"{op.name}: {names[0]} is on {device}, {names[i]} on {tensor.device}; move one of them")
    return device


def _too_large(op: Op, shape: tuple[int, ...]) -> ShapeError:
    """What to raise where NumPy does not even try to find memory for a result."""
    settings = ", ".join(f"{name} {shortened(value)}" for name, value in op.fields().items())
    return ShapeError(
        f"{op.name}: a result of shape {list(shape)} is more than memory can hold" + (settings and f"; {settings}")
    )


def apply(op: Op, *inputs: Any) -> Any:
    """Runs `op` on tensors: checks and infers, allocates the output, computes it, and records the node.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.ops.arithmetic import MUL
    >>> apply(MUL, ag.tensor([2.0]), ag.tensor([3.0]))
    tensor([6.])
    """
    if len(inputs) == 2:
        return apply_binary(op, *inputs)
    if len(inputs) == 1:
        return apply_unary(op, *inputs)
    try:
        device = inputs[0].device
        arrays = []
        for tensor in inputs:
            if tensor.device is not device:
                common_device(op, inputs)
            if tensor._view is not None:
                refresh(tensor)
            arrays.append(tensor.array)
    except AttributeError:
        _require_tensors(op, inputs)
        raise
    spec = op.infer(*arrays)
    if spec.__class__ is list:
        return _apply_several(op, inputs, arrays, spec, device)
    try:
        y = wrap(device.empty(*spec), device)
    except ValueError:
        raise _too_large(op, spec[0]) from None
    op.compute(device.kernels, y.array, *arrays)
    state = STATE.get()
    if state.recording:
        record(op, inputs, (y,), spec, state)
    elif state.inference:
        y.version = None
    return y


def apply_unary(op: Op, x: Any) -> Any:
    """`apply` for one input.  Loops and calls unrolled: this is most of what a small op costs."""
    try:
        device = x.device
        if x._view is not None:
            refresh(x)
    except AttributeError:
        _require_tensors(op, (x,))
        raise
    array = x.array
    spec = op.infer(array)
    if spec.__class__ is list:
        return _apply_several(op, (x,), (array,), spec, device)
    shape, dtype = spec
    try:
        out = device.empty(shape, dtype)
    except ValueError:
        raise _too_large(op, shape) from None
    op.compute(device.kernels, out, array)
    y = TensorBase.blank()
    y.array = out
    y.device = device
    y.version = [0, ""]
    y.node = None
    y.slot = 0
    y._requires_grad = False
    y._grad = None
    y._view = None
    state = STATE.get()
    if state.recording:
        if x._requires_grad:
            source = x.node
            plan = op.plans.get(0b11) or op.plan(0b11)
            hang(op, plan, [(x if source is None else source, x.slot)], (x,), (y,), spec, state)
    elif state.inference:
        y.version = None
    return y


def apply_binary(op: Op, x: Any, other: Any) -> Any:
    """`apply` for two inputs, unrolled likewise."""
    try:
        device = x.device
        if other.device is not device:
            common_device(op, (x, other))
        if x._view is not None:
            refresh(x)
        if other._view is not None:
            refresh(other)
    except AttributeError:
        _require_tensors(op, (x, other))
        raise
    left, right = x.array, other.array
    spec = op.infer(left, right)
    if spec.__class__ is list:
        return _apply_several(op, (x, other), (left, right), spec, device)
    shape, dtype = spec
    try:
        out = device.empty(shape, dtype)
    except ValueError:
        raise _too_large(op, shape) from None
    op.compute(device.kernels, out, left, right)
    y = TensorBase.blank()
    y.array = out
    y.device = device
    y.version = [0, ""]
    y.node = None
    y.slot = 0
    y._requires_grad = False
    y._grad = None
    y._view = None
    state = STATE.get()
    if state.recording:
        edges: list[Edge | None] = [None, None]
        key = 0b100
        if x._requires_grad:
            source = x.node
            edges[0] = (x if source is None else source, x.slot)
            key = 0b101
        if other._requires_grad:
            source = other.node
            edges[1] = (other if source is None else source, other.slot)
            key += 0b010
        if key != 0b100:
            plan = op.plans.get(key) or op.plan(key)
            hang(op, plan, edges, (x, other), (y,), spec, state)
    elif state.inference:
        y.version = None
    return y


def _apply_several(
    op: Op, inputs: tuple[Any, ...], arrays: Sequence[Any], specs: list[Spec], device: Device
) -> tuple[Any, ...]:
    """`apply` for an op with several outputs."""
    try:
        out = [device.empty(shape, dtype) for shape, dtype in specs]
    except ValueError:
        raise _too_large(op, max((shape for shape, _ in specs), key=prod)) from None
    op.compute(device.kernels, out, *arrays)
    ys = []
    for array in out:
        y = TensorBase.blank()  # `wrap`, without the call
        y.array = array
        y.device = device
        y.version = [0, ""]
        y.node = None
        y.slot = 0
        y._requires_grad = False
        y._grad = None
        y._view = None
        ys.append(y)
    results = tuple(ys)
    state = STATE.get()
    if state.recording:
        record(op, inputs, results, specs, state)
    elif state.inference:
        for y in ys:
            y.version = None
    return results


def view_of(x: TensorBase, op: ViewOp, array: Any) -> Any:
    """A tensor that shows a part of x's memory, not yet recorded; as such it may be changed in place.

    It shares x's version, and is one of inference mode where x is.
    """
    y = alias(x)
    y.array = array
    y._view = View(x.root, (op,) if x._view is None else (*x._view.chain, op), 0 if x.version is None else x.version[0])
    return y


def apply_view(op: ViewOp, x: TensorBase) -> Any:
    """Runs a view op: the output shares `x`'s memory and version counter."""
    state = STATE.get()
    if x._view is not None:
        refresh(x)
    y = view_of(x, op, op.view(x.array))
    if state.recording and x._requires_grad:
        record(op, (x,), (y,), (y.array.shape, y.array.dtype), state)
    return y


def record(op: Op, inputs: tuple[Any, ...], outputs: tuple[Any, ...], spec: Any, state: State) -> Node | None:
    """Makes the node of an op that has run, and hangs it on the outputs; none where there is no gradient."""
    edges: list[Edge | None] = []
    needs = 0
    bit = 1
    for tensor in inputs:
        if tensor._requires_grad:
            source = tensor.node
            edges.append((tensor if source is None else source, tensor.slot))
            needs += bit
        else:
            edges.append(None)
        bit += bit
    if not needs:
        return None
    plan = op.plans.get(needs + bit) or op.plan(needs + bit)
    return hang(op, plan, edges, inputs, outputs, spec, state)


def hang(
    op: Op,
    plan: Plan,
    edges: list[Edge | None],
    inputs: tuple[Any, ...],
    outputs: tuple[Any, ...],
    spec: Any,
    state: State,
) -> Node | None:
    """Makes the node, with what the plan saves, and hangs it on the outputs."""
    if not plan.vjps:
        return None
    node = Node()
    node.op = op
    node.plan = plan
    node.edges = edges
    node.index = next_index()
    node.specs = spec
    node.state = state
    node.watched = False
    node.kept = ()
    frame = sys._getframe(2)
    while frame.f_code.co_filename in INTERNAL:
        frame = frame.f_back  # type: ignore[assignment]
    node.code = frame.f_code
    node.instruction = frame.f_lasti
    if plan.sources:
        _save(node, inputs, outputs)
    else:
        node.saved = node.versions = ()
    if spec.__class__ is not list:
        node.outputs = 1
        y = outputs[0]
        y.node = node
        y._requires_grad = True
        return node
    node.outputs = len(outputs)
    if len(outputs) == 1:
        node.specs = spec[0]
    principal = op.principal
    if principal is not None:
        y = outputs[principal]
        y.node = node
        y.slot = principal
        y._requires_grad = True
        return node
    for slot, y in enumerate(outputs):
        if op.carries_gradient(slot):
            y.node = node
            y.slot = slot
            y._requires_grad = True
    return node


def _save(node: Node, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """Keeps what the node's plan names, and the versions of the tensors among it."""
    node.saved = saved = []
    node.versions = versions = []
    principal = node.op.principal
    for kind, i in node.plan.sources:
        if kind == INPUT:
            tensor = inputs[i]
            if tensor.version is None:
                raise GraphError(
                    f"{node.op.name}: {node.op.inputs[i]} was made in inference_mode and cannot be saved for backward; "
                    "clone it first"
                )
            saved.append(tensor)
            versions.append(tensor.version[0])
        elif kind == OUTPUT:
            y = outputs[i]
            if principal is not None and i != principal:
                saved.append(y)
                versions.append(y.version[0])
                continue
            # Not the output itself: it refers to this node, and a cycle would outlive its last reference.
            twin = TensorBase.blank()
            twin.array = y.array
            twin.device = y.device
            twin.version = version = y.version
            twin.node = None
            twin.slot = 0
            twin._requires_grad = False
            twin._grad = None
            twin._view = None
            saved.append(twin)
            versions.append(version[0])
        else:
            saved.append(inputs[i].array.shape if kind == SHAPE else None)


def refresh(tensor: TensorBase) -> None:
    """Brings a view's place in the graph up to date after its base was changed in place through another view."""
    view = tensor._view
    if view is None or tensor.version is None or view.seen == tensor.version[0]:
        return
    if not STATE.get().recording:
        return  # it stays out of date, until an op on it is recorded
    view.seen = tensor.version[0]
    base = tensor.root
    if base._requires_grad and not (base.node is None and tensor.node is None):
        current = base
        for op in view.chain:
            current = apply_view(op, current)
        tensor.node, tensor.slot, tensor._requires_grad = current.node, current.slot, True


def detach(input: TensorBase) -> Any:
    """A tensor on the same memory and version counter, cut from the graph."""
    y = alias(input)
    if input.node is not None:
        y.detached_from = ref(input.node)
    return y
