"""Padding: more elements at the ends of dimensions, or, where the padding is negative, fewer."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.assign import require_kind, require_number
from autograd_cnn.ops.operand import Scalar
from autograd_cnn.ops.size import as_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor

Ends = tuple[tuple[int, int], ...]


class Lines(NamedTuple):
    """How padding sees an array: as `planes` of (height, width).

    Dimensions before the first that is padded are planes, those after the last one that is padded are columns.  `rows`
    and `ends` say of which rows and columns the result is made, as the kernels have it.
    """

    planes: int
    height: int
    width: int
    rows: np.ndarray
    ends: tuple[np.ndarray, int, int, np.ndarray]


@lru_cache(maxsize=128)
def lines(shape: tuple[int, ...], ends: Ends, mode: str) -> Lines:
    """The lines of an array of that shape, where ends[d] = (before, after) are added to dimension d."""
    padded_dims = [d for d, end in enumerate(ends) if end != (0, 0)] or [len(shape)]
    first, last = padded_dims[0], padded_dims[-1]
    of_rows = min(last + (last < len(shape) - 1), len(shape))  # the first dimension of columns
    rows = np.zeros(1, np.int64)
    for d in range(first, of_rows):
        lead, start, count, tail = _parts(shape[d], *ends[d], mode)
        places = np.concatenate([lead, np.arange(start, start + count), tail])
        rows = np.where((rows[:, None] < 0) | (places < 0), -1, rows[:, None] * shape[d] + places).ravel()
    width = prod(shape[of_rows:])
    nothing = np.empty(0, np.int64)
    parts = _parts(width, *ends[-1], mode) if of_rows == last else (nothing, 0, width, nothing)
    return Lines(prod(shape[:first]), prod(shape[first:of_rows]), width, rows, parts)


def _parts(size: int, before: int, after: int, mode: str) -> tuple[np.ndarray, int, int, np.ndarray]:
    """Where in a dimension the first elements of the padded one are, those in the middle, and the last."""
    lead, tail = np.arange(-before, 0), np.arange(size, size + after)
    start, end = max(-before, 0), size - max(-after, 0)
    place = MODES[mode]
    return place(lead, size, start, end), start, end - start, place(tail, size, start, end)


class Pad(Op):
    """x with ends[d] = (before, after) more elements in dimension d; where they hold `value`, the adjoint crops."""

    inputs = ("x",)

    def __init__(self, ends: Ends, value: Scalar, mode: str = "constant") -> None:
        self.ends = ends
        self.value = value
        self.mode = mode

    def infer(self, x: Any) -> Any:
        return padded(x.shape, self.ends), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        planes, height, width, rows, ends = lines(x.shape, self.ends, self.mode)
        k.pad_lines(x.reshape(planes, height, width), rows, ends, self.value, out)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        if self.mode == "constant":
            return apply(Pad(tuple((-before, -after) for before, after in self.ends), 0), g)
        return apply(Unpad(self.ends, self.mode, x_shape), g)


class Unpad(Op):
    """The adjoint of padding x of `shape` with elements of its own: they are added up."""

    inputs = ("g",)
    outputs = ("gx",)

    def __init__(self, ends: Ends, mode: str, shape: tuple[int, ...]) -> None:
        self.ends = ends
        self.mode = mode
        self.shape = shape

    def infer(self, g: Any) -> Any:
        return self.shape, g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        planes, height, width, rows, ends = lines(self.shape, self.ends, self.mode)
        k.unpad_lines(g, rows, ends, out.reshape(planes, height, width))

    def vjp_g(self, gg: Any) -> Any:
        return apply(Pad(self.ends, 0, self.mode), gg)


def padded(shape: tuple[int, ...], ends: Ends) -> tuple[int, ...]:
    """The shape with its ends; ShapeError where nothing, or less, is left of a dimension."""
    size = tuple(n + before + after for n, (before, after) in zip(shape, ends, strict=True))
    for d, n in enumerate(size):
        if n < 0 or shape[d] + min(ends[d][0], 0) + min(ends[d][1], 0) < 0:
            raise ShapeError(f"pad: padding {ends[d]} takes more than dimension {d} of shape {list(shape)} has")
    return size


def _outside(at: Any, size: int, start: int, end: int) -> Any:
    return np.full_like(at, -1)


def _reflected(at: Any, size: int, start: int, end: int) -> Any:
    return np.minimum(np.abs(at), 2 * (size - 1) - np.abs(at))


def _replicated(at: Any, size: int, start: int, end: int) -> Any:
    return np.clip(at, 0, size - 1)


def _wrapped(at: Any, size: int, start: int, end: int) -> Any:
    return start + (at - start) % max(end - start, 1)  # of what is left


MODES = {"constant": _outside, "reflect": _reflected, "replicate": _replicated, "circular": _wrapped}


def _require_elements(mode: str, size: int, ends: tuple[int, int], dim: int) -> None:
    """ArgumentError where a dimension has less than is to be added to it."""
    if mode == "reflect" and max(ends) >= size:
        raise ArgumentError(
            f"pad: reflect takes less padding than the size of a dimension, got {ends} for dimension {dim} of "
            f"size {size}"
        )
    if mode == "replicate" and not size:
        raise ArgumentError(f"pad: replicate needs an element to repeat, dimension {dim} has size 0")
    if mode == "circular" and max(ends) > size + min(*ends, 0):
        raise ArgumentError(
            f"pad: circular takes no more padding than the size of a dimension, got {ends} for dimension {dim} of "
            f"size {size}"
        )


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """input with padded ends: `pad` is (left, right) of the last dimension, then (top, bottom) of the one before, ...

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
    if not isinstance(input, TensorBase):
        raise DTypeError(f"pad: takes a tensor, got {type(input).__name__}")
    amounts = as_size("pad", (pad,), "pad")
    shape = input.array.shape
    if len(amounts) % 2 or len(amounts) > 2 * len(shape):
        raise ArgumentError(
            f"pad: pad must hold two entries for each of up to {len(shape)} dimensions, got {list(amounts)} "
            f"for shape {list(shape)}"
        )
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    ends = ((0, 0),) * (len(shape) - len(pairs)) + tuple(reversed(pairs))
    if mode == "constant":
        value = 0 if value is None else value
        require_number("pad", value, input.array.dtype)
        require_kind("pad", value, input.array.dtype)
        return apply(Pad(ends, value), input)
    if mode not in MODES:
        raise ArgumentError(f"pad: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if value:
        raise ArgumentError(f"pad: mode {mode!r} takes no value, got {value!r}")
    padded(shape, ends)
    for dim, sides in enumerate(ends):
        if sides != (0, 0):
            _require_elements(mode, shape[dim], sides, dim)
    return apply(Pad(ends, 0, mode), input)
