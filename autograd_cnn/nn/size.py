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


def pair(layer: str, name: str, value: Any, least: int) -> tuple[int, int]:
    """An integer, or one for each of two dimensions, as a pair.

    >>> pair("Conv2d", "stride", 2, 1)
    (2, 2)
    """
    given = value if isinstance(value, tuple | list) else (value, value)
    if len(given) != 2:
        raise ArgumentError(f"{layer}: {name} must be an integer or a pair, got {value!r}")
    require_sizes(layer, least, **{name: given[0]})
    require_sizes(layer, least, **{name: given[1]})
    return operator.index(given[0]), operator.index(given[1])
