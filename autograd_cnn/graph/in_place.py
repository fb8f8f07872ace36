"""Changes in place: of a tensor's memory, seen by the graph as the result of an op, and of what a view shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_cnn.errors import InPlaceError
from autograd_cnn.graph.base import TensorBase, alias, wrap
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.op import OUTPUT, Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view, common_device, record, refresh


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
        raise InPlaceError(f"{what}: the result has shape {list(shape)}, the tensor has {list(x.array.shape)}")
    if dtype != x.array.dtype and "buif".index(dtype.kind) > "buif".index(x.array.dtype.kind):
        raise InPlaceError(f"{what}: a result of dtype {dtype} cannot be cast to the tensor's {x.array.dtype}")
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
    # Of an array that is not aligned a kernel may get a copy, too.
    return array.flags.carray and not any(
        other is not x and np.may_share_memory(array, other.array) for other in others
    )


def _overwrite(x: TensorBase, content: Any, op: Op) -> None:
    x.device.kernels.copy(content, x.array)
    x.mark_changed(op.name)
