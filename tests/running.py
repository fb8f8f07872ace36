"""How a sample is run, and which ops it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import walk_packages
from typing import Any
from unittest.mock import patch

import numpy as np
from samples.sample import Sample

import autograd_cnn.ops
from autograd_cnn.creation import from_numpy
from autograd_cnn.device import CPU
from autograd_cnn.graph.engine import grad
from autograd_cnn.graph.op import FusedOp, Op, ViewOp
from autograd_cnn.random import manual_seed
from autograd_cnn.tensor import Tensor


def tensors(sample: Sample, arrays: list[np.ndarray], asked: bool = True) -> list[Tensor]:
    return [
        from_numpy(array).requires_grad_(asked and one.grad and array.dtype.kind == "f")
        for one, array in zip(sample.inputs, arrays, strict=True)
    ]


def run(sample: Sample, inputs: list[Tensor]) -> list[Tensor]:
    manual_seed(0)
    outputs = sample.op(*inputs, **sample.kwargs)
    return [outputs] if isinstance(outputs, Tensor) else list(outputs)


def cotangents(outputs: list[Any]) -> list[np.ndarray]:
    """A fixed random array of each output's shape: its gradient is all different numbers."""
    rng = np.random.default_rng(1)
    return [np.asarray(rng.uniform(0.5, 1.5, tuple(y.shape))) for y in outputs]


def like(y: Any, v: np.ndarray) -> Tensor:
    return from_numpy(v.astype(y.dtype))


def gradients(outputs: list[Tensor], inputs: list[Tensor], **options: Any) -> list[Any]:
    """v^T dy/dx for the inputs that require grad."""
    roots = [y for y in outputs if y.requires_grad]
    seeds = [like(y, v) for y, v in zip(roots, cotangents(roots), strict=True)]
    wanted = [x for x in inputs if x.requires_grad]
    return list(grad(roots, wanted, seeds, allow_unused=True, **options)) if roots else []


def second_order(outputs: list[Any], inputs: list[Any], grad: Any = grad, wrapped: Any = from_numpy) -> list[Any]:
    """The gradient of sum(w * (v^T dy/dx)^2) for x and v: every second derivative takes part."""
    outputs = [y for y in outputs if y.requires_grad]
    wanted = [x for x in inputs if x.requires_grad]
    seeds = [wrapped(v).requires_grad_() for v in cotangents(outputs)]
    first = grad(outputs, wanted, seeds, create_graph=True, allow_unused=True)
    first = [g for g in first if g is not None and g.requires_grad]
    if not first:
        return [None] * len(wanted + seeds)
    weights = [wrapped(v) for v in cotangents(first)]
    return list(grad([g * g for g in first], wanted + seeds, weights, allow_unused=True))


def every_op() -> set[type[Op]]:
    """The concrete ops that the package's families define."""
    for module in walk_packages(autograd_cnn.ops.__path__, "autograd_cnn.ops."):
        import_module(module.name)
    found: set[type[Op]] = set()
    pending = [Op]
    while pending:
        for cls in pending.pop().__subclasses__():
            pending.append(cls)
            if cls.__module__.startswith("autograd_cnn.ops.") and "joint" in vars(cls):
                found.add(cls)
    return found


Reached = set[tuple[type[Op], str]]


def methods(ops: set[type[Op]]) -> Reached:
    """What of each op the samples must reach."""
    found = {(op, "view" if issubclass(op, ViewOp) else "compute") for op in ops}
    return found | {(op, "composite") for op in ops if issubclass(op, FusedOp)}


@contextmanager
def watched(ops: set[type[Op]]) -> Iterator[Reached]:
    """Collects the methods of these ops that are called inside."""
    reached: Reached = set()

    def spy(method: str, original: Any) -> Any:
        def call(self: Op, *arguments: Any) -> Any:
            reached.add((type(self), method))
            return original(self, *arguments)

        return call

    classes = {base for op in ops for base in op.__mro__ if issubclass(base, Op)}
    patches = [
        patch.object(cls, method, spy(method, vars(cls)[method]))
        for cls in classes
        for method in ("view", "compute", "composite")
        if method in vars(cls)
    ]
    # Pointwise ops call their flat kernels past `compute`, unless the device has none.
    patches += [patch.object(CPU, "flat_kernels", {}), patch.object(CPU, "flat_kernel", lambda asker, name: None)]
    for one in patches:
        one.start()
    try:
        yield reached
    finally:
        for one in patches:
            one.stop()


def with_derivatives(sample: Sample) -> None:
    """Runs a sample forward, backward, and backward through that."""
    inputs = tensors(sample, sample.arrays(), sample.derivatives() > 0)
    outputs = run(sample, inputs)
    if sample.derivatives() > 0:
        gradients(outputs, inputs, retain_graph=True)
        second_order(outputs, inputs)
