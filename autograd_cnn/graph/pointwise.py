"""Pointwise ops on floats of one shape and dtype, or on a tensor and a number: what `apply` does, in one function.

On small tensors an op costs what its Python costs.  Here nothing has to be inferred, the kernel is called on flat
arrays without a look at them, and every call between the steps is saved.  Whatever is not as simple, a view, a
broadcast, an integer, goes through `apply_unary` or `apply_binary`.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from autograd_cnn.dtype import float32, float64
from autograd_cnn.errors import DTypeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.grad_mode import STATE
from autograd_cnn.graph.node import Edge, Node
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import INTERNAL, apply_binary, apply_unary, hang, next_index

current_state = STATE.get


class PointwiseOp(Op, abstract=True):
    """An op that is one pointwise kernel, named `kernel`: floats of one shape and dtype give the same again."""

    kernel: ClassVar[str]
    in_place = True

    def compute(self, k: Any, out: Any, *arrays: Any) -> None:
        getattr(k, self.kernel)(*arrays, out)

    def promote(self, *tensors: Any) -> Any:
        """Tensors that are not floats of one dtype, in the dtype that they are computed in."""
        return tensors


def pointwise_unary(op: PointwiseOp, x: Any) -> Any:
    """`apply` for a pointwise op on one tensor."""
    if not isinstance(x, TensorBase):
        raise DTypeError(f"{op.name}: takes a tensor, got {type(x).__name__}")
    device = x.device
    try:
        kernel = device.flat_kernels[op]
    except KeyError:
        kernel = device.flat_kernel(op, op.kernel)
    array = x.array
    shape, dtype = array.shape, array.dtype
    if kernel is None or (dtype is not float32 and dtype is not float64) or x._view is not None or x.version is None:
        return apply_unary(op, *op.promote(x))
    out = device.empty(shape, dtype)
    if out.size < device.grain:
        (kernel.single if dtype is float32 else kernel.double)(array, out)
    else:
        kernel.parallel(array.ravel(), out.ravel())
    y = TensorBase.blank()
    y.array = out
    y.device = device
    y.version = [0, ""]
    y.node = None
    y.slot = 0
    y._requires_grad = False
    y._grad = None
    y._view = None
    state = current_state()
    if state.recording:
        if x._requires_grad:
            source = x.node
            edges: list[Edge | None] = [(x if source is None else source, x.slot)]
            try:
                plan = op.plans[0b11]
            except KeyError:
                plan = op.plan(0b11)
            if not plan.simple:
                hang(op, plan, edges, (x,), (y,), (shape, dtype), state)
                return y
            node = Node()
            node.op = op
            node.plan = plan
            node.edges = edges
            node.index = next_index()
            node.specs = (shape, dtype)
            node.outputs = 1
            node.state = state
            node.watched = False
            node.kept = ()
            frame = sys._getframe(2)
            while frame.f_code.co_filename in INTERNAL:
                frame = frame.f_back  # type: ignore[assignment]
            node.code = frame.f_code
            node.instruction = frame.f_lasti
            y.node = node
            y._requires_grad = True
            if not plan.tensors:
                node.saved = node.versions = ()
                return y
            node.saved = saved = []
            node.versions = versions = []
            if plan.first:
                saved.append(x)
                versions.append(x.version[0])
            if plan.output:
                twin = TensorBase.blank()  # `alias(y)`: y itself would be a cycle
                twin.array = out
                twin.device = device
                twin.version = y.version
                twin.node = None
                twin.slot = 0
                twin._requires_grad = False
                twin._grad = None
                twin._view = None
                saved.append(twin)
                versions.append(0)
    elif state.inference:
        y.version = None
    return y


def pointwise_binary(op: PointwiseOp, x: Any, other: Any) -> Any:
    """`apply` for a pointwise op on two tensors."""
    device = x.device
    try:
        kernels = device.flat_kernels[op]
    except KeyError:
        kernels = device.flat_kernel(op, op.kernel)
    left, right = x.array, other.array
    shape, dtype = left.shape, left.dtype
    kernel = None
    if (
        kernels is not None
        and dtype is right.dtype
        and (dtype is float32 or dtype is float64)
        and x._view is None
        and other._view is None
        and x.version is not None
        and other.version is not None
        and other.device is device
    ):
        other_shape = right.shape
        if shape == other_shape:
            kernel = kernels.same
        elif other_shape == ():
            kernel = kernels.right
    if kernel is None:
        return apply_binary(op, *op.promote(x, other))
    out = device.empty(shape, dtype)
    if out.size < device.grain:
        (kernel.single if dtype is float32 else kernel.double)(left, right, out)
    else:
        kernel.parallel(left.ravel(), right.ravel(), out.ravel())
    y = TensorBase.blank()
    y.array = out
    y.device = device
    y.version = [0, ""]
    y.node = None
    y.slot = 0
    y._requires_grad = False
    y._grad = None
    y._view = None
    state = current_state()
    if state.recording:
        key = 0b100
        left_edge: Edge | None = None
        right_edge: Edge | None = None
        if x._requires_grad:
            source = x.node
            left_edge = (x if source is None else source, x.slot)
            key = 0b101
        if other._requires_grad:
            source = other.node
            right_edge = (other if source is None else source, other.slot)
            key += 0b010
        if key != 0b100:
            try:
                plan = op.plans[key]
            except KeyError:
                plan = op.plan(key)
            if not plan.simple:
                hang(op, plan, [left_edge, right_edge], (x, other), (y,), (shape, dtype), state)
                return y
            node = Node()
            node.op = op
            node.plan = plan
            node.edges = [left_edge, right_edge]
            node.index = next_index()
            node.specs = (shape, dtype)
            node.outputs = 1
            node.state = state
            node.watched = False
            node.kept = ()
            frame = sys._getframe(2)
            while frame.f_code.co_filename in INTERNAL:
                frame = frame.f_back  # type: ignore[assignment]
            node.code = frame.f_code
            node.instruction = frame.f_lasti
            y.node = node
            y._requires_grad = True
            if not plan.tensors:
                node.saved = node.versions = ()
                return y
            node.saved = saved = []
            node.versions = versions = []
            if plan.first:
                saved.append(x)
                versions.append(x.version[0])
            if plan.second:
                saved.append(other)
                versions.append(other.version[0])
            if plan.constants:
                node.kept = ((shape, dtype),) if plan.first and not x._requires_grad else ((other_shape, dtype),)
            if plan.output:
                twin = TensorBase.blank()  # `alias(y)`: y itself would be a cycle
                twin.array = out
                twin.device = device
                twin.version = y.version
                twin.node = None
                twin.slot = 0
                twin._requires_grad = False
                twin._grad = None
                twin._view = None
                saved.append(twin)
                versions.append(0)
    elif state.inference:
        y.version = None
    return y
