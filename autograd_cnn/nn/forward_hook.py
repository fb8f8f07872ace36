"""The hooks that run before and after a module's forward."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.handle import RemovableHandle, register
from autograd_cnn.nn.backward_hook import Watcher

if TYPE_CHECKING:
    from autograd_cnn.nn.module import Module


class Hook(NamedTuple):
    """A function and how it is called: with keyword arguments too, and also after an error."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


Hooks = OrderedDict[int, Hook]


def add(hooks: OrderedDict[int, Any], hook: Any, prepend: bool) -> RemovableHandle:
    """Adds a hook after all others, or before them."""
    handle = register(hooks, hook)
    hooks.move_to_end(handle.id, last=not prepend)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` between its hooks."""
    result = None
    ran = set()
    try:
        for hook in list(module._forward_pre_hooks.values()):
            args, kwargs = _before(hook, module, args, kwargs)
        watcher = Watcher(module, list(module._backward_hooks.values())) if module._backward_hooks else None
        if watcher is not None:
            args = watcher.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for id, hook in list(module._forward_hooks.items()):
            ran.add(id)
            result = _after(hook, module, args, kwargs, result)
        return result if watcher is None else watcher.watch_outputs(result)
    except Exception:
        for id, hook in list(module._forward_hooks.items()):
            if hook.always_call and id not in ran:
                try:
                    result = _after(hook, module, args, kwargs, result)
                except Exception as error:  # the first error is the one to be seen
                    warnings.warn(f"a forward hook with always_call=True raised, too: {error!r}", stacklevel=3)
        raise


def _before(
    hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments after a pre-hook."""
    if not hook.with_kwargs:
        changed = hook.function(module, args)
        if changed is None:
            return args, kwargs
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook.function(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise ArgumentError(
            f"{type(module).__name__}: a forward pre-hook with_kwargs returns None or (args, kwargs), got {changed!r}"
        )
    return changed


def _after(hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The result after a forward hook."""
    given = (args, kwargs, result) if hook.with_kwargs else (args, result)
    changed = hook.function(module, *given)
    return result if changed is None else changed
