"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.nn.module import Module
from autograd_cnn.ops.join import stack
from autograd_cnn.tensor import Tensor


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with other parameters and buffers, by their dotted names; the module stays as it is.

    args: a tuple of arguments, or one.  What is not given is the module's own.  Parameters that are shared within the
    module are replaced together, unless tie_weights=False.  `strict` raises StateDictError for names that are missing
    or unknown.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> layer = nn.Linear(2, 1)
    >>> functional_call(layer, {"weight": ag.ones(1, 2), "bias": ag.zeros(1)}, ag.tensor([[3.0, 4.0]]))
    tensor([[7.]])
    """
    given = (
        [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, Mapping) else parameter_and_buffer_dicts
    )
    tensors: dict[str, Any] = {}
    for some in given:
        repeated = sorted(tensors.keys() & some.keys())
        if repeated:
            raise ArgumentError(f"functional_call: {', '.join(repeated)} are in more than one dictionary")
        tensors.update(some)
    arguments = args if isinstance(args, tuple) else () if args is None else (args,)
    with _replaced(module, _complete(module, tensors, tie_weights, strict)):
        return module(*arguments, **(kwargs or {}))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one kind, stacked along a new first dimension.

    Raises ArgumentError where there is no module, or they are of several kinds.

    >>> from autograd_cnn import nn
    >>> parameters, buffers = stack_module_state([nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    (3, 1, 2)
    """
    found = list(models)
    if not found:
        raise ArgumentError("stack_module_state: needs at least one module")
    if len({type(model) for model in found}) != 1 or len({model.training for model in found}) != 1:
        raise ArgumentError("stack_module_state: modules must be of one class, all in training or all in evaluation")

    def stacked(kind: str) -> dict[str, Any]:
        all_of = [dict(getattr(model, kind)()) for model in found]
        result = {}
        for name, first in all_of[0].items():
            together = stack([each[name].detach() for each in all_of])
            result[name] = together.requires_grad_(first.requires_grad)
        return result

    return stacked("named_parameters"), stacked("named_buffers")


def _complete(module: Module, tensors: dict[str, Any], tie_weights: bool, strict: bool) -> dict[str, Any]:
    """The tensors that replace others, by name, with those for names that share a parameter."""
    own: dict[str, Any] = dict(module.named_parameters(remove_duplicate=False))
    own.update(module.named_buffers(remove_duplicate=False))
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise DTypeError(f"functional_call: {name} must be a tensor, got {type(tensor).__name__}")
    if strict:
        missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
        if missing or unknown:
            raise StateDictError(f"functional_call: missing {missing}, unknown {unknown}")
    result = {name: tensor for name, tensor in tensors.items() if name in own}
    if tie_weights:
        by_tensor: dict[int, Any] = {}
        for name, tensor in result.items():
            if by_tensor.setdefault(id(own[name]), tensor) is not tensor:
                raise ArgumentError(f"functional_call: {name} is given twice, under names that share a parameter")
        result = {name: by_tensor[id(tensor)] for name, tensor in own.items() if id(tensor) in by_tensor}
    return result


@contextmanager
def _replaced(module: Module, tensors: dict[str, Any]) -> Iterator[None]:
    """The module with other tensors under their names."""
    before: list[tuple[dict[str, Any], dict[str, Any], str, Any]] = []
    try:
        for name, tensor in tensors.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            registry: dict[str, Any] = owner._parameters if last in owner._parameters else owner._buffers
            before.append((registry, vars(owner), last, registry[last]))
            registry[last] = vars(owner)[last] = tensor
        yield
    finally:
        for registry, members, last, tensor in reversed(before):
            registry[last] = members[last] = tensor
