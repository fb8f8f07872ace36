"""Checks of the sizes that layers are made with."""

from __future__ import annotations

import operator
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError


def require_sizes(layer: str, least: int, **sizes: Any) -> None:
    """DTypeError unless each size is an integer, ArgumentError where it is below `least`.

    >>> require_sizes("Linear", 0, in_features=3)
    """
    for name, value in sizes.items():
        try:
            size = operator.index(value)
        except TypeError:
            raise DTypeError(f"{layer}: {name} must be an integer, got {value!r}") from None
        if size < least:
            raise ArgumentError(f"{layer}: {name} must be at least {least}, got {size}")
