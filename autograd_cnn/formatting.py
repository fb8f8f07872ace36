"""How a tensor is printed, which is as PyTorch's are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_cnn.dtype import bool_, int64
from autograd_cnn.errors import ArgumentError


@dataclass(frozen=True)
class PrintOptions:
    """Decimals; from how many numbers on only `edgeitems` at each end are shown; width of a line; scientific or not."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=float("inf")),
}
_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Says how tensors print: what is None stays, but `sci_mode`, where None lets the numbers decide.

    precision: decimals.  threshold: tensors of more elements show `edgeitems` at each end of a dimension.  linewidth:
    characters in a line.  profile: "default", "short" or "full", from which the others set out.  Raises ArgumentError
    for another profile.

    >>> import autograd_cnn as ag
    >>> set_printoptions(precision=2)
    >>> ag.tensor([1.2345])
    tensor([1.23])
    >>> set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ArgumentError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    start = _options if profile is None else _PROFILES[profile]
    told: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(start, **told, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """What `set_printoptions` was told, or its defaults.

    >>> get_printoptions()["precision"]
    4
    """
    return dict(vars(_options))


def tensor_repr(array: np.ndarray, default: np.dtype, suffixes: list[str]) -> str:
    """`tensor(...)` with what is not the default after the numbers.

    >>> tensor_repr(np.array([1.5, 2.0], np.float32), np.dtype(np.float32), [])
    'tensor([1.5000, 2.0000])'
    """
    prefix = "tensor("
    if array.dtype not in (default, int64, bool_):
        suffixes = [f"dtype={array.dtype}", *suffixes]
    if array.size == 0:
        body = "[]"
        if array.shape != (0,):
            suffixes = [f"size={array.shape}", *suffixes]
    else:
        summarized = array.size > _options.threshold
        shown = _corners(array) if summarized else array
        body = _text(array, len(prefix), summarized, *_format(shown))
    text = prefix + body
    taken = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        fits = taken + len(suffix) + 2 <= _options.linewidth
        text += f", {suffix}" if fits else f",\n{' ' * len(prefix)}{suffix}"
        taken = (taken + 2 if fits else len(prefix)) + len(suffix)
    return text + ")"


def _text(array: np.ndarray, indent: int, summarized: bool, width: int, write: Callable[[Any], str]) -> str:
    """Brackets, numbers, and dots for what is left out where the tensor is `summarized`."""
    if not array.ndim:
        return write(array[()])
    edge = _options.edgeitems
    dots = summarized and len(array) > 2 * edge
    ends = (array[:edge], array[len(array) - edge :]) if dots else (array, array[:0])
    if array.ndim == 1:
        parts = [[write(value) for value in end] for end in ends]
        items = [*parts[0], *([" ..."] if dots else []), *parts[1]]
        count = max(1, (_options.linewidth - indent) // (width + 2))
        lines = [", ".join(items[i : i + count]) for i in range(0, len(items), count)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [[_text(row, indent + 1, summarized, width, write) for row in end] for end in ends]
    rows = [*parts[0], *(["..."] if dots else []), *parts[1]]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(rows) + "]"


def _format(array: np.ndarray) -> tuple[int, Callable[[Any], str]]:
    """The width of numbers, and what writes one: as integers, decimals, or scientific where they differ too much."""
    if array.dtype.kind != "f":
        width = max(len(str(value)) for value in array.ravel())
        return width, lambda value: f"{value!s:>{width}}"
    finite = array[np.isfinite(array) & (array != 0)].astype(np.float64)
    if not finite.size:
        return 1, lambda value: f"{value:.0f}." if np.isfinite(value) else str(value)
    low, high = np.abs(finite).min(), np.abs(finite).max()
    whole = bool((finite == np.ceil(finite)).all())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = bool(high / low > 1000 or high > 1e8 or (low < 1e-4 and not whole))

    def plain(value: Any) -> str:
        if scientific:
            return f"{value:.{_options.precision}e}"
        if not whole:
            return f"{value:.{_options.precision}f}"
        return f"{value:.0f}." if np.isfinite(value) else f"{value:.0f}"

    width = max(len(plain(value)) for value in finite)
    return width, lambda value: f"{plain(value):>{width}}"


def _corners(array: np.ndarray) -> np.ndarray:
    """What is shown of a summarized tensor."""
    edge = _options.edgeitems
    index = tuple(np.r_[0:edge, size - edge : size] if size > 2 * edge else np.arange(size) for size in array.shape)
    return array[np.ix_(*index)] if array.ndim else array
