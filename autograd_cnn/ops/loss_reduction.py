"""How the losses of a batch become one number: `reduction`, and the older `size_average` and `reduce`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError
from autograd_cnn.ops.reduce import mean, sum

REDUCTIONS: dict[str, Callable[[Any], Any]] = {"mean": mean, "sum": sum, "none": lambda losses: losses}


def reduction_named(op: str, reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction that the arguments ask for; ArgumentError for an unknown one.

    `size_average` and `reduce` are what PyTorch had before: together they say "mean", "sum" or "none", and warn.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        text = f"{op}: size_average and reduce are deprecated, please use reduction={reduction!r} instead"
        warnings.warn(text, DeprecationWarning, stacklevel=4)
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{op}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    return reduction


def reduction_of(
    op: str, reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> Callable[[Any], Any]:
    """The function that the arguments ask for, as in `reduction_named`."""
    return REDUCTIONS[reduction_named(op, reduction, size_average, reduce)]


def losses_for(out: Any, shape: tuple[int, ...], reduction: str) -> Any:
    """An array for the losses of an op that reduces them to `out`: `out` itself where there is nothing to reduce."""
    return out if reduction == "none" else np.empty(shape, out.dtype)


def reduce_losses(k: Any, losses: Any, reduction: str, out: Any) -> None:
    """`out` from an array of `losses_for` that is filled."""
    if reduction == "none":
        return
    k.sum(losses, tuple(range(losses.ndim)), out)
    if reduction == "mean":
        k.div(out, np.asarray(losses.size, out.dtype), out)


def share_of_each(reduction: str, size: int) -> float:
    """What each of `size` losses contributes to the reduced one."""
    return 1 / max(size, 1) if reduction == "mean" else 1.0
