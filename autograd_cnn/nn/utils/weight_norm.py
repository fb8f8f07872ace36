"""Weight norm: a weight as a length times a direction."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.ops.reduce import norm

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Any, dim: int) -> Any:
    """The norms of the slices along `dim`, of a shape that broadcasts with v; of all of v for dim -1."""
    if dim == -1:
        return norm(v)
    others = tuple(d for d in range(v.ndim) if d != dim % v.ndim)
    return norm(v, 2, others, keepdim=True) if others else v.abs()


class WeightNorm:
    """The hook that makes a module's weight from its `_g` and `_v` before each forward pass."""

    def __init__(self, name: str, dim: int) -> None:
        self.name = name
        self.dim = dim

    def compute_weight(self, module: Module) -> Any:
        """g v / |v|"""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / norm_except_dim(v, self.dim))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replaces a parameter by its length and its direction: weight = weight_g weight_v / |weight_v|.

    There is a length for each slice along `dim` (the outputs of most layers), or one for all with None.  The weight is
    made anew before every forward pass.  Warns, as PyTorch does, which has another one now.

    Raises ArgumentError where the parameter has a weight norm, or there is no such parameter.

    T. Salimans, D. Kingma: "Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks", 2016.

    >>> import warnings
    >>> from autograd_cnn import nn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = weight_norm(nn.Linear(3, 2))
    >>> [(name, tuple(p.shape)) for name, p in layer.named_parameters()]
    [('bias', (2,)), ('weight_g', (2, 1)), ('weight_v', (2, 3))]
    """
    warnings.warn("weight_norm is out of use in PyTorch; here it is the one there is", FutureWarning, stacklevel=2)
    if _hook_of(module, name) is not None:
        raise ArgumentError(f"weight_norm: {name} of {type(module).__name__} has a weight norm already")
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight: Any = module._parameters.get(name)
    if weight is None:
        raise ArgumentError(f"weight_norm: {type(module).__name__} has no parameter {name!r}")
    weight = weight.detach()
    length = norm_except_dim(weight, hook.dim)
    delattr(module, name)
    module.register_parameter(name + "_g", Parameter(length))
    module.register_parameter(name + "_v", Parameter(weight))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Makes a parameter of a weight that `weight_norm` made a length and a direction.

    Raises ArgumentError where there is none.

    >>> import warnings
    >>> from autograd_cnn import nn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = remove_weight_norm(weight_norm(nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    key = _hook_of(module, name)
    if key is None:
        raise ArgumentError(f"remove_weight_norm: {name} of {type(module).__name__} has no weight norm")
    hook: Any = module._forward_pre_hooks.pop(key).function
    weight = hook.compute_weight(module).detach()
    for suffix in ("", "_g", "_v"):
        delattr(module, name + suffix)
    setattr(module, name, Parameter(weight))
    return module


def _hook_of(module: Module, name: str) -> int | None:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook.function, WeightNorm) and hook.function.name == name:
            return key
    return None
