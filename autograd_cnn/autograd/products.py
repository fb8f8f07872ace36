"""Products with Jacobians, of tensors that were computed and what they were computed from.

For outputs y and inputs x: v^T dy/dx is one backward pass; dy/dx u is a backward pass through that one, since v^T dy/dx
is linear in v and its derivative for v is dy/dx.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from autograd_cnn.graph.engine import grad
from autograd_cnn.graph.grad_mode import enable_grad


def vector_jacobian(
    outputs: Sequence[Any], inputs: Sequence[Any], v: Sequence[Any], create_graph: bool, retain_graph: bool = True
) -> tuple[Any, ...]:
    """v^T dy/dx for each input x; None for one that no output depends on."""
    pairs = [(y, vi) for y, vi in zip(outputs, v, strict=True) if y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    roots, seeds = zip(*pairs, strict=True)
    keep = create_graph or retain_graph
    return grad(roots, inputs, seeds, retain_graph=keep, create_graph=create_graph, allow_unused=True)


def jacobian_vector(
    outputs: Sequence[Any], inputs: Sequence[Any], u: Sequence[Any], create_graph: bool
) -> tuple[Any, ...]:
    """dy/dx u, summed over the inputs, for each output y; None for one that depends on no input."""
    with enable_grad():
        v = [y.detach().new_zeros(y.shape).requires_grad_() for y in outputs]
        pulled = vector_jacobian(outputs, inputs, v, create_graph=True)
    pairs = [(g, ui) for g, ui in zip(pulled, u, strict=True) if g is not None and g.requires_grad]
    if not pairs:
        return (None,) * len(outputs)
    roots, seeds = zip(*pairs, strict=True)
    return grad(roots, v, seeds, retain_graph=True, create_graph=create_graph, allow_unused=True)


def jacobian_columns(outputs: Sequence[Any], inputs: Sequence[Any], create_graph: bool) -> Iterator[tuple[Any, ...]]:
    """For each element of each input, in their order, how the outputs change with it; see `jacobian_vector`."""
    with enable_grad():
        v = [y.detach().new_zeros(y.shape).requires_grad_() for y in outputs]
        pulled = vector_jacobian(outputs, inputs, v, create_graph=True)
    for g, x in zip(pulled, inputs, strict=True):
        for k in range(x.numel()):
            if g is None or not g.requires_grad:
                yield (None,) * len(outputs)
                continue
            u = x.detach().new_zeros(x.numel())
            u[k] = 1
            seed = u.reshape(x.shape)
            yield grad(g, v, seed, retain_graph=True, create_graph=create_graph, allow_unused=True)


def jacobian_rows(output: Any, inputs: Sequence[Any], create_graph: bool) -> Iterator[tuple[Any, ...]]:
    """For each element of one output, in their order, its gradients for the inputs."""
    for i in range(output.numel()):
        v = output.detach().new_zeros(output.numel())
        v[i] = 1
        yield vector_jacobian([output], inputs, [v.reshape(output.shape)], create_graph)
