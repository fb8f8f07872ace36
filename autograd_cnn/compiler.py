"""`compile` by PyTorch's name: kernels are compiled ahead of it, so a model is handed back as it is.

>>> import autograd_cnn as ag
>>> ag.compiler.is_compiling()
False
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:
    """The model or function itself; without one, a decorator that changes nothing.

    There is no tracing compiler: kernels are compiled by Numba, and what gains from being joined is joined by
    `nn.fuse`.  Options are accepted, and have no effect.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> model = nn.Linear(2, 2)
    >>> ag.compile(model, mode="max-autotune") is model
    True
    """
    return (lambda function: function) if model is None else model


def is_compiling() -> bool:
    """False."""
    return False


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself; without one, a decorator that changes nothing."""
    return (lambda function: function) if fn is None else fn


def reset() -> None:
    """There is nothing compiled to forget."""
