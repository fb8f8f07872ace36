"""apply: runs an op forward and, where a gradient may be asked for, records it as a node."""

from __future__ import annotations

import os
import sys
from functools import cache
from itertools import count
from typing import Any
from weakref import ref

from autograd_cnn.device import CPU, Device
from autograd_cnn.errors import DeviceError, GraphError, InPlaceError
from autograd_cnn.graph.base import TensorBase, Version, alias, wrap
from autograd_cnn.graph.grad_mode import STATE, State
from autograd_cnn.graph.node import Edge, Node
from autograd_cnn.graph.op import INPUT, OUTPUT, SHAPE, Op, ViewOp

_next_index = count().__next__
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MODELS = os.path.join(_PACKAGE, "models", "")  # the lines of the named networks are what a user wants to see


def common_device(op: Op, inputs: tuple[TensorBase, ...]) -> Device:
    """The one device of all inputs; DeviceError where they differ."""
    device = inputs[0].device
    for i, tensor in enumerate(inputs):
        if tensor.device is not device:
            names = op.inputs if not op.variadic else [f"tensors[{j}]" for j in range(len(inputs))]
            raise DeviceError(f"{op.name}: {names[0]} is on {device}, {names[i]} is on {tensor.device}; move one of them")
    return device


def apply(op: Op, *inputs: Any) -> Any:
    """Runs `op` on tensors: checks and infers, allocates the output, computes it, and records the node.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.ops.arithmetic import MUL
    >>> apply(MUL, ag.tensor([2.0]), ag.tensor([3.0]))
    tensor([6.])
    """
    device = inputs[0].device
    arrays = []
    needed = False
    for tensor in inputs:
        if tensor.device is not device:
            common_device(op, inputs)
        if tensor.base is not None and tensor.seen != tensor.version.count:
            refresh(tensor)
        if tensor._requires_grad:
            needed = True
        arrays.append(tensor.array)
    if not op.single:
        return _apply_several(op, inputs, arrays, needed, device)
    spec = op.infer(*arrays)
    out = device.empty(*spec)
    op.compute(device.kernels, out, *arrays)
    y = TensorBase.result_class()
    y.array = out
    y.version = Version()
    if device is not CPU:
        y.device = device
    state = STATE.get()
    if state.recording:
        if needed and op.differentiable:
            record(op, inputs, (y,), spec, state)
    elif state.inference:
        y.inference = True
    return y


def _apply_several(op: Op, inputs: tuple[Any, ...], arrays: list[Any], needed: bool, device: Device) -> Any:
    """`apply` for an op with several outputs: returns a tuple."""
    specs = op.infer(*arrays)
    outs = tuple(device.empty(*spec) for spec in specs)
    op.compute(device.kernels, outs, *arrays)
    ys = tuple(wrap(out, device) for out in outs)
    state = STATE.get()
    if state.recording and needed and op.differentiable:
        record(op, inputs, ys, specs, state)
    elif state.inference:
        for y in ys:
            y.inference = True
    return ys


def apply_view(op: ViewOp, x: TensorBase) -> Any:
    """Runs a view op: the output shares `x`'s memory and version counter."""
    state = STATE.get()
    y = TensorBase.result_class()
    y.array = array = op.view(x.array)
    y.version = version = x.version
    y.base = x if x.base is None else x.base
    y.chain = (*x.chain, op)
    if x.device is not CPU:
        y.device = x.device
    if x.base is not None and x.seen != version.count:
        refresh(x)
    y.seen = version.count
    if state.recording and x._requires_grad:
        record(op, (x,), (y,), (array.shape, array.dtype), state)
    elif state.inference:
        y.inference = True
    return y


def record(op: Op, inputs: tuple[Any, ...], outputs: tuple[Any, ...], spec: Any, state: State) -> Node:
    """Makes the node of an op that has run, and hangs it on the outputs."""
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
    plan = op.plans.get(needs + bit) or op.plan(needs + bit)
    node = Node()
    node.op = op
    node.plan = plan
    node.edges = edges
    node.index = _next_index()
    node.specs = spec
    node.state = state
    frame = sys._getframe(2)
    while _internal(frame.f_code.co_filename):
        frame = frame.f_back  # type: ignore[assignment]
    node.code = frame.f_code
    node.instruction = frame.f_lasti
    saved = []
    versions = []
    for kind, i in plan.sources:
        if kind == INPUT:
            tensor = inputs[i]
            if tensor.inference:
                raise GraphError(
                    f"{op.name}: {op.inputs[i]} was made in inference_mode and cannot be saved for backward; clone it first"
                )
            saved.append(tensor)
            versions.append(tensor.version.count)
        elif kind == OUTPUT:
            # Not the output itself: it refers to this node, and a cycle would outlive its last reference.
            twin = TensorBase.result_class()
            twin.array = outputs[i].array
            twin.version = version = outputs[i].version
            saved.append(twin)
            versions.append(version.count)
        else:
            saved.append(inputs[i].array.shape if kind == SHAPE else None)
    node.saved = saved
    node.versions = versions
    if op.single:
        y = outputs[0]
        y.node = node
        y._requires_grad = True
        return node
    node.outputs = len(outputs)
    for slot, y in enumerate(outputs):
        if op.carries_gradient(slot):
            y.node = node
            y.slot = slot
            y._requires_grad = True
    return node


@cache
def _internal(filename: str) -> bool:
    """Whether a file is the package's machinery, so that its caller is the line to show."""
    return filename.startswith(_PACKAGE) and not filename.startswith(_MODELS)


def refresh(view: TensorBase) -> None:
    """Brings a view's place in the graph up to date after its base was changed in place through another view."""
    base = view.base
    assert base is not None
    if not STATE.get().recording:
        return  # it stays out of date, until an op on it is recorded
    view.seen = view.version.count
    if base._requires_grad and not (base.node is None and view.node is None):
        current = base
        for op in view.chain:
            current = apply_view(op, current)
        view.node, view.slot, view._requires_grad = current.node, current.slot, True


def detach(x: TensorBase) -> Any:
    """A tensor on the same memory and version counter, cut from the graph."""
    y = alias(x)
    y.inference = x.inference
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
    root = x if x.base is None else x.base
    recording = state.recording and (root._requires_grad or any(t._requires_grad for t in (x, *others)))
    if state.recording and root.node is None and root._requires_grad:
        kind = "a view of a leaf" if x.base is not None else "a leaf"
        raise InPlaceError(f"{what}: {kind} tensor that requires grad cannot be changed in place; use no_grad()")
    if x.inference and not state.inference:
        raise InPlaceError(f"{what}: x was made in inference_mode and cannot be changed outside of it; clone it first")
    common_device(op, (x, *others))
    if x.base is not None and x.seen != x.version.count:
        refresh(x)
    arrays = [tensor.array for tensor in (x, *others)]
    shape, dtype = op.infer(*arrays)
    if shape != x.array.shape:
        raise InPlaceError(f"{what}: the result has shape {list(shape)}, x has {list(x.array.shape)}")
    if dtype != x.array.dtype and "buif".index(dtype.kind) > "buif".index(x.array.dtype.kind):
        raise InPlaceError(f"{what}: a result of dtype {dtype} cannot be cast to x's {x.array.dtype}")
    device = x.device
    out = device.empty(shape, dtype)
    op.compute(device.kernels, out, *arrays)
    if not x.array.flags.writeable or _repeats(x.array):
        raise InPlaceError(f"{what}: x is an expanded or read-only view, several elements share memory; clone it first")
    if not recording:
        _overwrite(x, out, op)
        return x
    # What backward keeps of x must not be x itself: x will refer to the new node.
    old = alias(x)
    old.node, old.slot, old._requires_grad, old.inference = x.node, x.slot, x._requires_grad, x.inference
    base = x.base
    y = x if base is None else wrap(out, device)
    inputs = tuple(old if tensor is x else tensor for tensor in (x, *others))
    node = record(op, inputs, (y,), (shape, y.array.dtype), state)
    assert node.saved is not None
    if any(tensor is old for tensor in node.saved):  # its content is about to be lost
        old.array = device.empty(x.array.shape, x.array.dtype)
        device.kernels.copy(x.array, old.array)
        old.version = Version()
    _overwrite(x, out, op)
    node.versions = [
        0 if tensor is old else version + 1 if kind == OUTPUT and y is x else version
        for tensor, version, (kind, _) in zip(node.saved, node.versions, node.plan.sources, strict=False)
    ]
    if base is not None:
        record(AssignView(x.chain), (base, y), (base,), (base.array.shape, base.array.dtype), state)
        refresh(x)
    return x


def _repeats(array: Any) -> bool:
    return 0 in array.strides and any(n > 1 and not step for n, step in zip(array.shape, array.strides, strict=True))


def _overwrite(x: TensorBase, content: Any, op: Op) -> None:
    x.device.kernels.copy(content, x.array)
    x.version.count += 1
    x.version.changed_by = op.name
    if x.base is None:
        x.seen = x.version.count
