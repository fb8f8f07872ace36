"""What is told of a gradient: RMS, L2 norm, largest magnitude, share of zeros, how many are not finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from viz.model import Stat


def measure(array: Any) -> Stat:
    """Statistics of an array: L2 = sqrt(sum x^2), RMS = L2 / sqrt(n), in float64; all 0 for an empty one.

    Non-finite elements are counted, and the norms are then what the arithmetic gives: inf or NaN.

    >>> import numpy as np
    >>> measure(np.array([3.0, 4.0, 0.0, 0.0]))
    Stat(rms=2.5, l2=5.0, absmax=4.0, frac_zero=0.5, nonfinite=0)
    """
    x = np.asarray(array, np.float64)
    n = x.size
    if n == 0:
        return Stat(0.0, 0.0, 0.0, 0.0, 0)
    with np.errstate(all="ignore"):
        magnitude = np.abs(x)
        absmax = float(magnitude.max())
        nonfinite = n - int(np.count_nonzero(np.isfinite(x)))
        # Scaled, so that squares neither overflow nor vanish.
        scale = absmax if math.isfinite(absmax) and absmax > 0 else 1.0
        scaled = magnitude / scale
        l2 = scale * math.sqrt(float(np.sum(scaled * scaled)))
    zeros = n - int(np.count_nonzero(x))
    return Stat(l2 / math.sqrt(n), l2, absmax, zeros / n, nonfinite)


def sum_to(array: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of a broadcast: summed over the dimensions that `shape` does not have or has as 1.

    >>> import numpy as np
    >>> sum_to(np.ones((2, 3)), (1, 3))
    array([[2., 2., 2.]])
    """
    if array.shape == shape:
        return array
    extra = array.ndim - len(shape)
    stretched = tuple(i + extra for i, n in enumerate(shape) if n == 1 and array.shape[i + extra] != 1)
    with np.errstate(all="ignore"):
        return array.sum(axis=(*range(extra), *stretched), keepdims=False).reshape(shape)
