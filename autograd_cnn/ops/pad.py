"""Padding: more elements at the ends of dimensions, or, where the padding is negative, fewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.assign import require_kind, require_number
from autograd_cnn.ops.cast import clone
from autograd_cnn.ops.index import Take
from autograd_cnn.ops.operand import Scalar
from autograd_cnn.ops.size import as_size


class Pad(Op):
    """x with ends[d] = (before, after) more elements in dimension d; the adjoint pads by the opposite."""

    inputs = ("x",)

    def __init__(self, ends: tuple[tuple[int, int], ...], value: Scalar) -> None:
        self.ends = ends
        self.value = value

    def infer(self, x: Any) -> Any:
        return padded(x.shape, self.ends), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.fill(out, self.value)
        inside = tuple(
            slice(max(before, 0), n - max(after, 0)) for n, (before, after) in zip(out.shape, self.ends, strict=True)
        )
        kept = tuple(
            slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, self.ends, strict=True)
        )
        if out.size and x[kept].size:
            k.copy(x[kept], out[inside])

    def vjp_x(self, g: Any) -> Any:
        return apply(Pad(tuple((-before, -after) for before, after in self.ends), 0), g)


def padded(shape: tuple[int, ...], ends: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """The shape with its ends; ShapeError where nothing, or less, is left of a dimension."""
    size = tuple(n + before + after for n, (before, after) in zip(shape, ends, strict=True))
    for d, n in enumerate(size):
        if n < 0 or shape[d] + min(ends[d][0], 0) + min(ends[d][1], 0) < 0:
            raise ShapeError(f"pad: padding {ends[d]} takes more than dimension {d} of shape {list(shape)} has")
    return size


def _reflected(size: int, before: int, after: int, dim: int) -> Any:
    if max(before, after) >= size:
        raise ArgumentError(
            f"pad: reflect takes less padding than the size of a dimension, got {(before, after)} "
            f"for dimension {dim} of size {size}"
        )
    places = np.abs(np.arange(-before, size + after))
    return np.minimum(places, 2 * (size - 1) - places)


def _replicated(size: int, before: int, after: int, dim: int) -> Any:
    if not size:
        raise ArgumentError(f"pad: replicate needs an element to repeat, dimension {dim} has size 0")
    return np.clip(np.arange(-before, size + after), 0, size - 1)


def _wrapped(size: int, before: int, after: int, dim: int) -> Any:
    if max(before, after) > size:
        raise ArgumentError(
            f"pad: circular takes no more padding than the size of a dimension, got {(before, after)} "
            f"for dimension {dim} of size {size}"
        )
    return np.arange(-before, size + after) % max(size, 1)


MODES = {"reflect": _reflected, "replicate": _replicated, "circular": _wrapped}


def pad(x: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """x with its ends padded: `pad` is (left, right) of the last dimension, then (top, bottom) of the one before, ...

    Negative entries take elements away.  `mode` says what is added: "constant" `value` (0), "reflect" the
    elements from the second on in reverse order, "replicate" the outermost element, "circular" the elements
    of the other end. Raises ArgumentError for an odd number of entries, too many of them, an unknown mode, or
    more padding than a mode has elements for; ShapeError where more is taken away than there is.

    >>> import autograd_cnn as ag
    >>> pad(ag.tensor([1, 2, 3]), (1, 2))
    tensor([0, 1, 2, 3, 0, 0])
    >>> pad(ag.tensor([1, 2, 3]), (2, 1), "reflect")
    tensor([3, 2, 1, 2, 3, 2])
    """
    if not isinstance(x, TensorBase):
        raise DTypeError(f"pad: takes a tensor, got {type(x).__name__}")
    amounts = as_size("pad", (pad,), "pad")
    shape = x.array.shape
    if len(amounts) % 2 or len(amounts) > 2 * len(shape):
        raise ArgumentError(
            f"pad: pad must hold two entries for each of up to {len(shape)} dimensions, got {list(amounts)} "
            f"for shape {list(shape)}"
        )
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    ends = ((0, 0),) * (len(shape) - len(pairs)) + tuple(reversed(pairs))
    if mode == "constant":
        value = 0 if value is None else value
        require_number("pad", value, x.array.dtype)
        require_kind("pad", value, x.array.dtype)
        return apply(Pad(ends, value), x)
    if mode not in MODES:
        raise ArgumentError(f"pad: mode must be constant, {', '.join(MODES)}, got {mode!r}")
    if value:
        raise ArgumentError(f"pad: mode {mode!r} takes no value, got {value!r}")
    padded(shape, ends)
    y = x
    for dim, (before, after) in enumerate(ends):
        if before or after:
            positions = MODES[mode](shape[dim], before, after, dim).astype(np.int64)
            y = apply(Take(dim, 1), y, wrap(x.device.from_host(positions), x.device))
    return clone(x) if y is x else y
