"""Dimension arguments: negative ones count from the end, and each lies inside the tensor."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError

Dims = int | tuple[int, ...] | list[int] | None


def one_dim(op: str, dim: Any, ndim: int, name: str = "dim") -> int:
    """`dim` counted from the front; a zero-dimensional tensor has dimensions 0 and -1.

    >>> one_dim("sum", -1, 3)
    2
    """
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise DTypeError(f"{op}: {name} must be an integer, got {type(dim).__name__}")
    limit = max(ndim, 1)
    if not -limit <= dim < limit:
        raise IndexOutOfRangeError(
            f"{op}: {name} {dim} is out of range [{-limit}, {limit - 1}] for a tensor of {ndim} dimensions"
        )
    return int(dim) % limit


def many_dims(op: str, dim: Dims, ndim: int, name: str = "dim") -> tuple[int, ...]:
    """`dim`, one or several, counted from the front and sorted; all of them for None and ().

    Raises IndexOutOfRangeError for a dimension that is not there, ArgumentError for one given twice.

    >>> many_dims("sum", (-1, 0), 3)
    (0, 2)
    >>> many_dims("sum", None, 2)
    (0, 1)
    """
    if isinstance(dim, tuple | list):
        if not dim:
            return tuple(range(ndim))
        dims = sorted(one_dim(op, d, ndim, name) for d in dim)
        for first, second in pairwise(dims):
            if first == second:
                raise ArgumentError(f"{op}: {name} {tuple(dim)} names dimension {first} twice")
    elif dim is None:
        return tuple(range(ndim))
    else:
        dims = [one_dim(op, dim, ndim, name)]
    return tuple(dims) if ndim else ()


def distinct(op: str, dims: Any, ndim: int, name: str = "dim") -> tuple[int, ...]:
    """`dims`, one or several, counted from the front, in their order; ArgumentError where one is there twice.

    >>> distinct("flip", (-1, 0), 3)
    (2, 0)
    """
    given = dims if isinstance(dims, tuple | list) else (dims,)
    result = tuple([one_dim(op, dim, ndim, name) for dim in given])
    if len(set(result)) != len(result):
        raise ArgumentError(f"{op}: {name} {tuple(given)} names a dimension twice")
    return result
