"""Parameters as one vector, and back; their absolute values as a penalty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_cnn.creation import tensor
from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops.join import cat
from autograd_cnn.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one vector, of its own memory; differentiable.

    >>> import autograd_cnn as ag
    >>> parameters_to_vector([ag.ones(1, 2), ag.zeros(1)])
    tensor([1., 1., 0.])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes parameters, in their order, views of the parts of a vector; what is left of it at the end is not used.

    Raises DTypeError unless `vec` is a tensor, ShapeError where it is too short; no parameter has changed then.

    >>> import autograd_cnn as ag
    >>> weight, bias = ag.zeros(1, 2), ag.zeros(1)
    >>> vector_to_parameters(ag.tensor([1.0, 2.0, 3.0]), [weight, bias])
    >>> weight, bias
    (tensor([[1., 2.]]), tensor([3.]))
    """
    if not isinstance(vec, Tensor):
        raise DTypeError(f"vector_to_parameters: vec must be a tensor, got {type(vec).__name__}")
    targets: list[Any] = list(parameters)
    needed = sum(p.numel() for p in targets)
    if vec.ndim != 1 or vec.numel() < needed:
        raise ShapeError(f"vector_to_parameters: needs a vector of {needed} elements, got shape {list(vec.shape)}")
    end = 0
    for p in targets:
        start, end = end, end + p.numel()
        p.data = vec.detach()[start:end].reshape(p.shape)


def l1_penalty(parameters: Tensor | Iterable[Tensor]) -> Tensor:
    """The sum of the absolute values of all parameters, to be added to a loss; differentiable, with slope 0 at 0.

    Its gradient pulls every element to 0 by the same amount; that of the squares is optimizers' weight_decay.

    R. Tibshirani: "Regression shrinkage and selection via the lasso", 1996.

    >>> import autograd_cnn as ag
    >>> l1_penalty([ag.tensor([1.0, -2.0]), ag.tensor([[0.5]])])
    tensor(3.5000)
    """
    found: list[Any] = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total: Any = tensor(0.0) if not found else found[0].abs().sum()
    for p in found[1:]:
        total = total + p.abs().sum()
    return total
