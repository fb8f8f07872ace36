"""apply: runs an op forward and, where a gradient may be asked for, records it as a node."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np

from autograd_cnn.device import Device
from autograd_cnn.errors import DeviceError, DTypeError, GraphError, InPlaceError
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
        return _apply_several(op, inputs, spec, device)
    y = wrap(device.empty(*spec), device)
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
        return _apply_several(op, (x,), spec, device)
    shape, dtype = spec
    out = device.empty(shape, dtype)
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
        return _apply_several(op, (x, other), spec, device)
    shape, dtype = spec
    out = device.empty(shape, dtype)
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


def _apply_several(op: Op, inputs: tuple[Any, ...], specs: list[Spec], device: Device) -> Any:
    """`apply` for an op with several outputs: returns a tuple."""
    ys = tuple([wrap(device.empty(shape, dtype), device) for shape, dtype in specs])
    op.compute(device.kernels, tuple([y.array for y in ys]), *[tensor.array for tensor in inputs])
    state = STATE.get()
    if state.recording:
        record(op, inputs, ys, specs, state)
    elif state.inference:
        for y in ys:
            y.version = None
    return ys


def view_of(x: TensorBase, op: ViewOp, array: Any, state: State) -> Any:
    """A tensor that shows a part of x's memory, not yet recorded; as such it may be changed in place."""
    y = alias(x)
    y.array = array
    y._view = View(x.root, (op,) if x._view is None else (*x._view.chain, op), 0 if x.version is None else x.version[0])
    if state.inference:
        y.version = None
    return y


def apply_view(op: ViewOp, x: TensorBase) -> Any:
    """Runs a view op: the output shares `x`'s memory and version counter."""
    state = STATE.get()
    if x._view is not None:
        refresh(x)
    y = view_of(x, op, op.view(x.array), state)
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
    node.specs = spec if node.outputs > 1 else spec[0]
    principal = op.principal
    for slot, y in enumerate(outputs):
        if slot == principal or (principal is None and op.carries_gradient(slot)):
            y.node = node
            y.slot = slot
            y._requires_grad = True
    return node


def _save(node: Node, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """Keeps what the node's plan names, and the versions of the tensors among it."""
    node.saved = saved = []
    node.versions = versions = []
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
            # Not the output itself: it refers to this node, and a cycle would outlive its last reference.
            y = outputs[i]
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


def detach(x: TensorBase) -> Any:
    """A tensor on the same memory and version counter, cut from the graph."""
    y = alias(x)
    if x.node is not None:
        y.detached_from = ref(x.node)
    return y


class AssignView(Op):
    """The new content of a base tensor after `value` was written to the part of it that a chain of views shows."""

    inputs = ("base", "value")

    def __init__(self, chain: tuple[ViewOp, ...]) -> None:
        self.chain = chain

    def infer(self, base: Any, value: Any) -> Any:
        return base.shape, base.dtype

    def compute(self, k: Any, out: Any, base: Any, value: Any) -> None:
        k.copy(base, out)
        part = out
        for op in self.chain:
            part = op.view(part)
        k.copy(value, part)

    def vjp_base(self, g: Any, value_shape: Any) -> Any:
        return apply(self, g, g.new_zeros(value_shape))

    def vjp_value(self, g: Any) -> Any:
        for op in self.chain:
            g = apply_view(op, g)
        return g


def apply_inplace(op: Op, x: Any, *others: Any) -> Any:
    """Runs `op` and writes its result into its first input, `x`; the graph sees `x` as the op's output from now on.

    Raises InPlaceError for a leaf that requires grad while recording is on, and for a view of one.
    """
    state = STATE.get()
    what = f"{op.name} in place"
    root = x.root
    recording = state.recording and (root._requires_grad or any(t._requires_grad for t in (x, *others)))
    if state.recording and root.node is None and root._requires_grad:
        kind = "a leaf" if root is x else "a view of a leaf"
        raise InPlaceError(f"{what}: {kind} tensor that requires grad cannot be changed in place; use no_grad()")
    require_changeable(what, "x", x)
    common_device(op, (x, *others))
    refresh(x)
    arrays = [tensor.array for tensor in (x, *others)]
    shape, dtype = op.infer(*arrays)
    if shape != x.array.shape:
        raise InPlaceError(f"{what}: the result has shape {list(shape)}, x has {list(x.array.shape)}")
    if dtype != x.array.dtype and "buif".index(dtype.kind) > "buif".index(x.array.dtype.kind):
        raise InPlaceError(f"{what}: a result of dtype {dtype} cannot be cast to x's {x.array.dtype}")
    device = x.device
    if op.in_place and not recording and dtype == x.array.dtype and _alone(x, others):
        op.compute(device.kernels, x.array, *arrays)
        x.mark_changed(op.name)
        return x
    out = device.empty(shape, dtype)
    op.compute(device.kernels, out, *arrays)
    if not recording:
        _overwrite(x, out, op)
        return x
    # What backward keeps of x must not be x itself: x will refer to the new node.
    old = alias(x)
    old.node, old.slot, old._requires_grad = x.node, x.slot, x._requires_grad
    y = x if root is x else wrap(out, device)
    inputs = tuple(old if tensor is x else tensor for tensor in (x, *others))
    node = record(op, inputs, (y,), (shape, y.array.dtype), state)
    if node is not None:
        saved: Sequence[Any] = node.saved or ()
        if any(tensor is old for tensor in saved):  # its content is about to be lost
            old.array = device.empty(x.array.shape, x.array.dtype)
            device.kernels.copy(x.array, old.array)
            old.version = [0, ""]
        node.versions = [
            0 if tensor is old else version + 1 if kind == OUTPUT and y is x else version
            for tensor, version, (kind, _) in zip(saved, node.versions, node.plan.sources, strict=False)
        ]
    _overwrite(x, out, op)
    if root is not x:
        assert x._view is not None
        record(AssignView(x._view.chain), (root, y), (root,), (root.array.shape, root.array.dtype), state)
        refresh(x)
    return x


def become_view(x: Any, function: Callable[[Any], Any], by: str) -> Any:
    """Makes `x` the view of it that `function` gives; returns x.  What else shows its memory stays as it is.

    Raises InPlaceError as `apply_inplace` does, and for the result of an op while recording is off.
    """
    state = STATE.get()
    root = x.root
    if state.recording and root.node is None and root._requires_grad:
        raise InPlaceError(f"{by}: a leaf tensor that requires grad cannot be changed in place; use no_grad()")
    if x.node is not None and not state.recording:
        raise InPlaceError(f"{by}: the result of {x.node.op.name} cannot change its shape while recording is off")
    if x.version is None and not state.inference:
        raise InPlaceError(f"{by}: x was made in inference_mode and cannot be changed outside of it; clone it first")
    refresh(x)
    old = alias(x)
    old.node, old.slot, old._requires_grad, old._view = x.node, x.slot, x._requires_grad, x._view
    y = function(old)
    x.mark_changed(by)
    x.array, x._view = y.array, y._view
    if y.node is not None:
        x.node, x.slot = y.node, y.slot
    if x.version is not None:
        x._view.seen = x.version[0]
    return x


def repeats(array: Any) -> bool:
    """Whether elements of the array may share memory, as those of an expanded one do."""
    if array.flags.c_contiguous or not array.size:
        return False
    reach = 0  # how far elements lie apart by the dimensions looked at
    for step, n in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if n > 1:
            if step < reach + array.itemsize:
                return True
            reach += (n - 1) * step
    return False


def require_changeable(what: str, name: str, tensor: TensorBase) -> None:
    """InPlaceError where a tensor's content must stay: read-only memory, elements that share memory, inference mode."""
    if tensor.version is None and not STATE.get().inference:
        raise InPlaceError(
            f"{what}: {name} was made in inference_mode and cannot be changed outside of it; clone it first"
        )
    if not tensor.array.flags.writeable:
        raise InPlaceError(f"{what}: {name} is on read-only memory; clone it first")
    if repeats(tensor.array):
        raise InPlaceError(f"{what}: {name} is expanded, so that several elements share memory; clone it first")


def _alone(x: Any, others: tuple[Any, ...]) -> bool:
    """Whether a kernel may write x's memory while it reads x and the others."""
    array = x.array
    return array.flags.c_contiguous and not any(
        other is not x and np.may_share_memory(array, other.array) for other in others
    )


def _overwrite(x: TensorBase, content: Any, op: Op) -> None:
    x.device.kernels.copy(content, x.array)
    x.mark_changed(op.name)
