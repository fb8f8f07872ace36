"""What interpolation along one axis is: for each element of the result the places it is made of, and their weights.

A table (begins, places, weights): element i is the sum of weights[t] * x[places[t]] for t from begins[i] to
begins[i + 1] - 1.  Coordinates are rounded as PyTorch rounds them, in the dtype of the data, so that the same elements
are chosen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

Table = tuple[np.ndarray, np.ndarray, np.ndarray]

CUBIC = -0.75  # the parameter of the cubic convolution kernel (Keys 1981)
CUBIC_ANTIALIAS = -0.5


class Axis(NamedTuple):
    """How an axis of `size` elements becomes one of `windows`.

    `mode` is "nearest", "nearest-exact", "linear" or "cubic"; `factor` the factor between the sizes as the user gave
    it, None where the sizes say it.
    """

    mode: str
    size: int
    windows: int
    factor: float | None = None
    align_corners: bool = False
    antialias: bool = False


@lru_cache(maxsize=512)
def table(axis: Axis, dtype: str, transposed: bool) -> Table:
    """The table of an axis for data of that dtype, or that of the adjoint, which takes `windows` back to `size`."""
    if axis.antialias and axis.size != axis.windows:
        forward = _antialiased(axis, np.dtype(dtype).type)
    else:
        rule = _same if axis.antialias else _MODES[axis.mode]
        places, weights = rule(axis, np.dtype(dtype).type)
        begins = np.arange(axis.windows + 1) * places.shape[1]
        forward = begins, places.astype(np.int64).ravel(), weights.astype(dtype).ravel()
    return _transposed(forward, axis.size) if transposed else forward


def _transposed(forward: Table, size: int) -> Table:
    begins, places, weights = forward
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=size)
    rows = np.repeat(np.arange(begins.size - 1), np.diff(begins))
    return np.concatenate([[0], np.cumsum(counts)]), rows[order], weights[order]


def _scale(axis: Axis, real: Any) -> Any:
    """How far apart in x the elements of the result are."""
    if axis.align_corners:
        return real(axis.size - 1) / real(axis.windows - 1) if axis.windows > 1 else real(0)
    return real(axis.size) / real(axis.windows) if axis.factor is None else real(1 / axis.factor)


def _coordinates(axis: Axis, real: Any) -> Any:
    """Where in x each element of the result lies."""
    i = np.arange(axis.windows).astype(real)
    half = real(0.5)
    return i * _scale(axis, real) if axis.align_corners else _scale(axis, real) * (i + half) - half


def _nearest(axis: Axis, real: Any) -> tuple[Any, Any]:
    places = np.floor((np.arange(axis.windows).astype(real) * _scale(axis, real)).astype(np.float32))
    return _one(axis, places)


def _nearest_exact(axis: Axis, real: Any) -> tuple[Any, Any]:
    x = np.maximum(_coordinates(axis, real), real(0))
    return _one(axis, np.floor((x + 0.5).astype(np.float32)))


def _same(axis: Axis, real: Any) -> tuple[Any, Any]:
    return _one(axis, np.arange(axis.size))


def _one(axis: Axis, places: Any) -> tuple[Any, Any]:
    places = np.minimum(places.astype(np.int64), axis.size - 1)[:, None]
    return places, np.ones(places.shape)


def _linear(axis: Axis, real: Any) -> tuple[Any, Any]:
    if axis.size == axis.windows:
        return _same(axis, real)
    x = np.maximum(_coordinates(axis, real), real(0))
    near = np.minimum(x.astype(np.int64), axis.size - 1)
    t = np.clip(x - near.astype(real), real(0), real(1))
    return np.stack([near, np.minimum(near + 1, axis.size - 1)], 1), np.stack([real(1) - t, t], 1)


def _cubic(axis: Axis, real: Any) -> tuple[Any, Any]:
    x = _coordinates(axis, real)
    near = np.minimum(np.floor(x), axis.size - 1)
    t = np.clip(x - near.astype(real), real(0), real(1))
    places = np.clip(near.astype(np.int64)[:, None] + np.arange(-1, 3), 0, axis.size - 1)
    distances = np.stack([t + real(1), t, real(1) - t, real(2) - t], 1)
    return places, _keys(distances, real(CUBIC))


def _keys(x: Any, a: Any) -> Any:
    """The cubic convolution kernel at distances x >= 0."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _antialiased(axis: Axis, real: Any) -> Table:
    """The kernel, widened to the distance of the results where that is more than 1, and normalised."""
    scale = _scale(axis, real)
    reach = 2 if axis.mode == "cubic" else 1
    stretch = max(scale, real(1))
    support = real(reach) * stretch
    half = real(0.5)
    centres = scale * (np.arange(axis.windows).astype(real) + half)
    low = np.maximum((centres - support + half).astype(np.int64), 0)
    high = np.minimum((centres + support + half).astype(np.int64), axis.size)
    high = np.minimum(high, low + int(np.ceil(support)) * 2 + 1)
    places, weights = [], []
    for centre, first, last in zip(centres, low, high, strict=True):
        at = np.arange(first, max(last, first))
        distances = np.abs((at - centre + half) / stretch)
        w = _keys(distances, CUBIC_ANTIALIAS) if axis.mode == "cubic" else np.maximum(1 - distances, 0)
        places.append(at)
        weights.append(w / w.sum() if w.sum() else w)
    begins = np.concatenate([[0], np.cumsum([part.size for part in places])]).astype(np.int64)
    return begins, np.concatenate([*places, np.empty(0, np.int64)]), np.concatenate(weights or [[]]).astype(real)


_MODES = {"nearest": _nearest, "nearest-exact": _nearest_exact, "linear": _linear, "cubic": _cubic}
