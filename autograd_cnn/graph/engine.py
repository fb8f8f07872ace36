"""backward() and grad(): what they are asked for is checked, a pass is run, and its gradients handed out.

Leaves get their gradients at the end, so a pass that fails has changed no `.grad`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, ShapeError
from autograd_cnn.graph.backward_pass import OBSERVERS, Observer, key_of, run
from autograd_cnn.graph.base import TensorBase, alias
from autograd_cnn.graph.handle import retains_grad
from autograd_cnn.graph.in_place import apply_inplace as apply_inplace
from autograd_cnn.graph.in_place import repeats
from autograd_cnn.graph.node import Node
from autograd_cnn.graph.record import apply as apply
from autograd_cnn.graph.record import apply_view as apply_view
from autograd_cnn.graph.record import refresh


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
    OBSERVERS.set((*OBSERVERS.get(), observer))

    def remove() -> None:
        OBSERVERS.set(tuple(o for o in OBSERVERS.get() if o is not observer))

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
    roots = _sequence("backward: tensors", tensors)
    targets = None if inputs is None else _sequence("backward: inputs", inputs)
    if targets is not None and not targets:
        raise ArgumentError("backward: inputs is empty; give the tensors whose gradient is wanted, or leave it out")
    seeds = _seeds("backward", roots, grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    _check_targets("backward", targets)
    found = run(roots, seeds, keep, create_graph, targets)
    for (source, slot), (g, fresh) in found.items():
        if source.__class__ is not Node:
            _accumulate(source, g, fresh, create_graph)
            continue
        for target in targets or ():
            if target.node is source and target.slot == slot and not retains_grad(target):
                _accumulate(target, g, False, create_graph)


def grad(
    outputs: Any | Sequence[Any],
    inputs: Any | Sequence[Any],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
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
    if not only_inputs or is_grads_batched:
        raise ArgumentError("grad: only_inputs must be True and is_grads_batched False; accumulate by backward()")
    roots, targets = _sequence("grad: outputs", outputs), _sequence("grad: inputs", inputs)
    if not targets:
        raise ArgumentError("grad: inputs is empty; give the tensors whose gradient is wanted")
    if allow_unused is False and materialize_grads:
        raise ArgumentError("grad: materialize_grads=True needs allow_unused=True, got allow_unused=False")
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    seeds = _seeds("grad", roots, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    _check_targets("grad", targets)
    found = run(roots, seeds, keep, create_graph, targets)
    results = []
    for i, target in enumerate(targets):
        g, _ = found.get(key_of(target), (None, False))
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


def _sequence(what: str, tensors: Any) -> list[Any]:
    """One tensor or several, as a list."""
    found = [tensors] if isinstance(tensors, TensorBase) or not isinstance(tensors, Iterable) else list(tensors)
    for tensor in found:
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{what}: takes tensors, got {type(tensor).__name__}")
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
    elif isinstance(given, TensorBase) or not isinstance(given, Iterable):
        given = [given]
    given = list(given)
    if len(given) != len(roots):
        raise ArgumentError(f"{what}: {len(roots)} tensors but {len(given)} gradients")
    for i, g in enumerate(given):
        if g is not None and not isinstance(g, TensorBase):
            raise DTypeError(f"{what}: gradient {i} must be a tensor or None, got {type(g).__name__}")
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


def _accumulate(tensor: Any, g: Any, owned: bool, create_graph: bool) -> None:
    held = tensor._grad
    if held is None:
        tensor._grad = g if owned or create_graph else g.clone()
    elif create_graph:
        tensor._grad = held + g
    elif not held.array.flags.writeable or repeats(held.array):
        tensor._grad = alias(held) + g
    else:
        held.device.kernels.add_(held.array, g.array)
        held.mark_changed("backward")
