"""What stands between the brackets of x[...]: parsed into a view and arrays of positions."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops.slice import Key

Arrays = dict[int, np.ndarray]  # dimension of the view -> int64 positions in it, within its range

ALL = slice(None)


def parse(op: str, key: Any, shape: tuple[int, ...]) -> tuple[Key, Arrays]:
    """The basic part of `key`, for a view, and the index arrays for dimensions of that view.

    Raises IndexOutOfRangeError for an index out of range or too many of them, DTypeError for what is no
    index, ShapeError for a mask of another shape, ArgumentError for a slice whose step is not positive.
    """
    items = [
        item if type(item) in (int, slice) or item is None or item is Ellipsis else _item(op, item)
        for item in (key if type(key) is tuple else (key,))
    ]
    taken = sum(_dims(item) for item in items)
    if taken > len(shape):
        raise IndexOutOfRangeError(f"{op}: {taken} indices for {len(shape)} dimensions of shape {list(shape)}")
    ellipses = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(ellipses) > 1:
        raise ArgumentError(f"{op}: an index takes one Ellipsis, got {len(ellipses)}")
    if ellipses:
        items[ellipses[0] : ellipses[0] + 1] = [ALL] * (len(shape) - taken)
    basic: list[Any] = []
    arrays: Arrays = {}
    dim = kept = 0  # dimensions of x that are done, and of the view
    for item in items:
        if item is None:
            basic.append(None)
            kept += 1
        elif isinstance(item, int):
            basic.append(_position(op, item, dim, shape[dim]))
            dim += 1
        elif isinstance(item, slice):
            basic.append(item if item == ALL else _range(op, item, shape[dim]))
            dim += 1
            kept += 1
        elif item.dtype == bool and not item.ndim:
            basic.append(None)
            arrays[kept] = np.zeros(int(item), np.int64)
            kept += 1
        elif item.dtype == bool:
            if item.shape != shape[dim : dim + item.ndim]:
                raise ShapeError(
                    f"{op}: a mask of shape {list(item.shape)} does not fit dimensions {dim} to "
                    f"{dim + item.ndim - 1} of shape {list(shape)}"
                )
            for positions in item.nonzero():
                basic.append(ALL)
                arrays[kept] = positions
                dim += 1
                kept += 1
        else:
            basic.append(ALL)
            arrays[kept] = _within(op, item, dim, shape[dim])
            dim += 1
            kept += 1
    return tuple(basic), arrays


def _item(op: str, item: Any) -> Any:
    """An int, or an array of ints or bools."""
    if isinstance(item, bool | np.bool_):
        return np.asarray(item)
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, TensorBase):
        array = item.device.to_host(item.array)
    elif isinstance(item, np.ndarray | list | tuple | range):
        array = np.asarray(item)
        array = array.astype(np.int64) if not array.size and array.dtype.kind == "f" else array
    else:
        try:
            return index(item)
        except TypeError:
            raise DTypeError(
                f"{op}: an index is an int, slice, None, Ellipsis, bool or an array of ints or bools, "
                f"got {type(item).__name__}"
            ) from None
    if array.dtype.kind not in "bi":
        raise DTypeError(f"{op}: an index array must hold integers (int64, int32) or bools, got {array.dtype}")
    if array.dtype.kind == "i" and not array.ndim:
        return int(array)
    return array


def _dims(item: Any) -> int:
    """How many dimensions of x it takes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype == bool else 1


def _position(op: str, item: int, dim: int, size: int) -> int:
    if not -size <= item < size:
        raise IndexOutOfRangeError(f"{op}: index {item} is out of range for dimension {dim} of size {size}")
    return item % size


def _range(op: str, item: slice, size: int) -> slice:
    try:
        start, stop, step = item.indices(size)
    except (TypeError, ValueError):
        raise ArgumentError(f"{op}: a slice takes integers and a step that is not 0, got {item}") from None
    if step < 0:
        raise ArgumentError(f"{op}: the step of a slice must be positive, got {step}; use flip")
    return slice(start, stop, step)


def _within(op: str, positions: np.ndarray, dim: int, size: int) -> np.ndarray:
    """`positions` as int64 within [0, size), negative ones counted from the end."""
    low, high = (positions.min(), positions.max()) if positions.size else (0, 0)
    if positions.size and (low < -size or high >= size):
        bad = positions[(positions < -size) | (positions >= size)].flat[0]
        raise IndexOutOfRangeError(f"{op}: index {bad} is out of range for dimension {dim} of size {size}")
    positions = positions.astype(np.int64)  # a copy: the user may change theirs before the backward pass
    if low < 0:
        positions[positions < 0] += size
    return positions
