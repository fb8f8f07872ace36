"""Spectral norm: a weight divided by its largest singular value."""

from __future__ import annotations

from typing import Any, TypeVar

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.ops.distance import normalize
from autograd_cnn.ops.linear import dot, mv

M = TypeVar("M", bound=Module)
INPUTS_FIRST = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)


def as_matrix(weight: Any, dim: int) -> Any:
    """A weight with a row for each slice along `dim`."""
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.reshape(weight.shape[0], -1)


class SpectralNorm:
    """The hook that makes a module's weight from its `_orig` before each forward pass."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ArgumentError(f"spectral_norm: n_power_iterations must be at least 1, got {n_power_iterations}")
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """weight_orig / (u . weight_orig v), after steps of the power method for u and v."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(normalize(mv(matrix, v), dim=0, eps=self.eps))
            u, v = u.clone(), v.clone()  # a second forward pass changes them before the first one's backward
        return weight / dot(u, mv(matrix, v))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divides a weight by an estimate of its largest singular value, so that the layer does not stretch more than 1.

    The weight, seen as a matrix with a row for each slice along `dim` (0; 1 for transposed convolutions), is divided by
    u . W v; in training each forward pass first improves the buffers u and v by n_power_iterations of
    v = W^T u / |W^T u|, u = W v / |W v|.  The parameter becomes `weight_orig`.

    Raises ArgumentError where the parameter has a spectral norm, or there is no such parameter.

    T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: "Spectral normalization for generative adversarial networks", 2018.

    >>> from autograd_cnn import nn
    >>> layer = spectral_norm(nn.Linear(3, 2))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if dim is None:
        dim = 1 if isinstance(module, INPUTS_FIRST) else 0
    if _hook_of(module, name) is not None:
        raise ArgumentError(f"spectral_norm: {name} of {type(module).__name__} has a spectral norm already")
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight: Any = module._parameters.get(name)
    if weight is None:
        raise ArgumentError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    with no_grad():
        rows, columns = as_matrix(weight, dim).shape
        u, v = (normalize(weight.new_empty(size).normal_(), dim=0, eps=eps) for size in (rows, columns))
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Makes a parameter of a weight as `spectral_norm` divided it.

    Raises ArgumentError where there is none.

    >>> from autograd_cnn import nn
    >>> list(remove_spectral_norm(spectral_norm(nn.Linear(3, 2))).state_dict())
    ['bias', 'weight']
    """
    key = _hook_of(module, name)
    if key is None:
        raise ArgumentError(f"remove_spectral_norm: {name} of {type(module).__name__} has no spectral norm")
    hook: Any = module._forward_pre_hooks.pop(key).function
    with no_grad():
        weight = hook.compute_weight(module, False)
    for suffix in ("", "_u", "_v", "_orig"):
        delattr(module, name + suffix)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


def _hook_of(module: Module, name: str) -> int | None:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook.function, SpectralNorm) and hook.function.name == name:
            return key
    return None
