"""How a tensor is printed: PyTorch's layout, numbers formatted by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.dtype import bool_, int64


def tensor_repr(array: np.ndarray, default: np.dtype, suffixes: list[str]) -> str:
    """`tensor(...)` with what is not the default after the numbers.

    >>> tensor_repr(np.array([1.5, 2.0], np.float32), np.dtype(np.float32), [])
    'tensor([1.5000, 2.0000])'
    """
    prefix = "tensor("
    if array.dtype not in (default, int64, bool_):
        suffixes = [*suffixes, f"dtype={array.dtype}"]
    if array.size == 0:
        body = "[]"
        if array.shape != (0,):
            suffixes = [f"size={array.shape}", *suffixes]
    else:
        body = np.array2string(
            array, separator=", ", prefix=prefix, threshold=1000, edgeitems=3, formatter=_formatter(array)
        )
    return ", ".join([prefix + body, *suffixes]) + ")"


def _formatter(array: np.ndarray) -> dict[str, Any]:
    """One format for all numbers of a tensor: integers as `1.`, else four decimals, else scientific."""
    if array.dtype.kind != "f":
        width = max(len(str(v)) for v in (array.min(), array.max())) if array.dtype.kind in "iu" else 5
        width = max((len(str(v)) for v in array.ravel()), default=1) if array.size <= 1000 else width
        return {"int_kind": lambda v: f"{v:>{width}d}", "bool": lambda v: f"{v!s:>{width}}"}
    shown = array if array.size <= 1000 else _corners(array)
    finite = np.abs(shown[np.isfinite(shown)].astype(np.float64))
    nonzero = finite[finite > 0]
    low, high = (nonzero.min(), nonzero.max()) if nonzero.size else (1.0, 1.0)
    if bool((finite == np.floor(finite)).all()) and high < 1e8:
        spec = ".0f"
        text = [_integral(v) for v in shown.ravel()]
        width = max(map(len, text), default=1)
        return {"float_kind": lambda v: f"{_integral(v):>{width}}"}
    spec = ".4e" if high / low > 1000 or high > 1e8 or low < 1e-4 else ".4f"
    width = max(len(f"{v:{spec}}") for v in shown.ravel())
    return {"float_kind": lambda v: f"{v:{width}{spec}}"}


def _integral(value: float) -> str:
    return f"{value:.0f}." if np.isfinite(value) else str(float(value))


def _corners(array: np.ndarray) -> np.ndarray:
    index = tuple(np.r_[0:3, size - 3 : size] if size > 6 else np.arange(size) for size in array.shape)
    return array[np.ix_(*index)] if array.ndim else array
