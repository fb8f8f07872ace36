"""Gradients of a whole network, kept within a norm or a range."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_cnn.creation import tensor
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.ops.join import stack
from autograd_cnn.ops.reduce import norm
from autograd_cnn.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all tensors, as if they were one vector: (sum |x|^norm_type)^(1 / norm_type).

    Norms are numbers or inf; `foreach` changes nothing.  Raises ArgumentError where the norm is not finite and
    `error_if_nonfinite` is set.

    >>> import autograd_cnn as ag
    >>> get_total_norm([ag.tensor([3.0]), ag.tensor([[4.0]])])
    tensor(5.)
    """
    found = _listed(tensors)
    norm_type = float(norm_type)
    if not found:
        return tensor(0.0)
    if norm_type == 2:
        squares = sum(k.sum_of_squares(k.ArrayTable([arrays])) for k, arrays, _ in _batches(found))
        dtype = np.result_type(*(x.array.dtype for x in found))
        total: Any = tensor(math.sqrt(squares), dtype=dtype, device=found[0].device)
    else:
        with no_grad():
            total = norm(stack([norm(x, norm_type) for x in found]), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise ArgumentError(
            f"get_total_norm: the norm of order {norm_type:g} is {total.item()}; error_if_nonfinite=False lets it pass"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiplies all gradients by max_norm / total_norm where that is below 1: `clip_grad_norm_` for a known norm.

    >>> import autograd_cnn as ag
    >>> p = ag.zeros(2, requires_grad=True)
    >>> p.grad = ag.tensor([3.0, 4.0])
    >>> clip_grads_with_norm_(p, 1.0, ag.tensor(5.0))
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    factor = float(max_norm) / (float(total_norm) + 1e-6)
    if not factor >= 1:
        _change("clip_grad_norm_", _gradients(parameters), lambda k, table: k.scale_all(table, factor))


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Multiplies all gradients, in place, by max_norm / their common norm where that is below 1; returns the norm.

    The norm is `get_total_norm`'s, of all gradients as one vector.  With a norm that is nan all gradients become nan,
    with one that is inf they become 0, unless `error_if_nonfinite` is set, which raises ArgumentError.

    R. Pascanu, T. Mikolov, Y. Bengio: "On the difficulty of training recurrent neural networks", 2012.

    >>> import autograd_cnn as ag
    >>> p = ag.zeros(2, requires_grad=True)
    >>> p.grad = ag.tensor([3.0, 4.0])
    >>> clip_grad_norm_([p], max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    found = _listed(parameters)
    if not found and isinstance(parameters, types.GeneratorType):
        warnings.warn("clip_grad_norm_: the generator of parameters is empty, nothing is clipped", stacklevel=2)
    grads = _gradients(found)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Another name of `clip_grad_norm_`, out of use; warns."""
    warnings.warn("clip_grad_norm is out of use; call clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Brings every element of all gradients, in place, between -clip_value and clip_value; nan stays.

    >>> import autograd_cnn as ag
    >>> p = ag.zeros(2, requires_grad=True)
    >>> p.grad = ag.tensor([3.0, -0.5])
    >>> clip_grad_value_(p, 1.0)
    >>> p.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    _change("clip_grad_value_", _gradients(parameters), lambda k, table: k.clamp_all(table, -limit, limit))


def _listed(tensors: Tensors) -> list[Any]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for x in found:
        if not isinstance(x, Tensor):
            raise DTypeError(f"expected tensors, got {type(x).__name__}")
    return found


def _gradients(parameters: Tensors) -> list[Any]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def _batches(tensors: list[Any]) -> list[tuple[Any, list[np.ndarray], list[Any]]]:
    """The kernels, contiguous arrays and tensors of each device and float dtype."""
    found: dict[Any, tuple[Any, list[np.ndarray], list[Any]]] = {}
    for x in tensors:
        if x.array.dtype.kind != "f":
            raise DTypeError(f"expected gradients of a floating point dtype, got {x.array.dtype}")
        _, arrays, members = found.setdefault((x.array.dtype, x.device), (x.device.kernels, [], []))
        arrays.append(x.array if x.array.flags.c_contiguous else x.array.copy("C"))
        members.append(x)
    return list(found.values())


def _change(name: str, grads: list[Any], change: Any) -> None:
    """Lets kernels change all gradients."""
    for g in grads:
        require_changeable(name, "a gradient", g)
    for k, arrays, members in _batches(grads):
        change(k, k.ArrayTable([arrays]))
        for array, g in zip(arrays, members, strict=True):
            if array is not g.array:
                g.array[...] = array
            g.mark_changed(name)
