"""Sizes as users write them: as varargs or a sequence, with one -1."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError

MOST_ELEMENTS = sys.maxsize // 16  # of 8 bytes, and a temporary array of them


def as_size(op: str, given: tuple[Any, ...], name: str = "size", named: Any = None) -> tuple[int, ...]:
    """Sizes given as numbers or as one sequence, by position or, as one sequence, by name."""
    if named is not None:
        if given:
            raise ArgumentError(f"{op}: {name} is given twice, by position and by name")
        given = (named,)
    if len(given) == 1 and isinstance(given[0], Sequence):
        given = tuple(given[0])
    try:
        return tuple([index(n) for n in given])
    except TypeError:
        raise DTypeError(f"{op}: {name} takes ints, got {given!r}") from None


def addressable(op: str, size: tuple[int, ...]) -> tuple[int, ...]:
    """`size`; ShapeError where its elements, or those of a part of it, could not even be numbered."""
    if prod(max(n, 1) for n in size) > MOST_ELEMENTS:
        raise ShapeError(f"{op}: size {list(size)} is more than memory can hold")
    return size


def new_size(op: str, given: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """The size of a tensor that is to be made; ShapeError where it is negative, or more than memory can hold.

    >>> new_size("zeros", ((2, 3),))
    (2, 3)
    """
    size = as_size(op, given, "size", named)
    if min(size, default=0) < 0:
        raise ShapeError(f"{op}: size {list(size)} must not be negative")
    return addressable(op, size)


def filled(op: str, size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """`size` with its -1 replaced, to hold the elements of `shape`; ShapeError where that cannot be."""
    elements = prod(shape)
    if -1 not in size and min(size, default=0) >= 0:
        if prod(size) != elements:
            raise ShapeError(f"{op}: shape {list(shape)} has {elements} elements, size {list(size)} has {prod(size)}")
        return size
    known = prod(n for n in size if n != -1)
    if size.count(-1) != 1 or min(size) < -1:
        raise ShapeError(f"{op}: size {list(size)} must hold sizes of at least 0 and at most one -1")
    if known == 0:
        raise ShapeError(f"{op}: -1 in size {list(size)} could be anything, as the other sizes multiply to 0")
    if elements % known:
        raise ShapeError(
            f"{op}: shape {list(shape)} has {elements} elements, which size {list(size)} cannot hold: "
            f"{elements} is not a multiple of {known}"
        )
    return tuple(elements // known if n == -1 else n for n in size)
