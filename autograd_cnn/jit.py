"""TorchScript by PyTorch's names: refused, with what to do instead.  Its decorators change nothing.

>>> import autograd_cnn as ag
>>> ag.jit.is_scripting()
False
>>> ag.jit.script(ag.nn.Linear(2, 2))
Traceback (most recent call last):
NotImplementedError: jit.script: there is no TorchScript; call the module as it is, and save its state_dict
"""

from __future__ import annotations

from typing import Any, NoReturn


def script(obj: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError."""
    _refuse("script")


def trace(func: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError."""
    _refuse("trace")


def load(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError."""
    _refuse("load")


def save(m: Any, f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError."""
    _refuse("save")


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself, or a decorator that changes nothing."""
    return drop if callable(drop) else lambda function: function


def unused(fn: Any) -> Any:
    """The function itself."""
    return fn


def export(fn: Any) -> Any:
    """The function itself."""
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value itself."""
    return the_value


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(f"jit.{name}: there is no TorchScript; call the module as it is, and save its state_dict")
