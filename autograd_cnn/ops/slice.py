"""Slices: the view that ints, slices and None select, and its adjoint."""

from __future__ import annotations

from typing import Any

from autograd_cnn.graph.op import Op, ViewOp
from autograd_cnn.graph.record import apply, apply_view

Key = tuple[int | slice | None, ...]


class Slice(ViewOp):
    """x[key] for a key that has been checked."""

    def __init__(self, key: Key) -> None:
        self.key = key

    def view(self, x: Any) -> Any:
        return x[(*self.key, ...)]  # the Ellipsis makes a view also of a single element

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return apply(PutSlice(self.key, x_shape), g)


class PutSlice(Op):
    """Zeros of `shape` with x in the place that `key` selects."""

    inputs = ("x",)

    def __init__(self, key: Key, shape: tuple[int, ...]) -> None:
        self.key = key
        self.shape = shape

    def infer(self, x: Any) -> Any:
        return self.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.fill(out, 0)
        k.copy(x, out[(*self.key, ...)])

    def vjp_x(self, g: Any) -> Any:
        return apply_view(Slice(self.key), g)


def along(dim: int, part: int | slice) -> Slice:
    """The view of `part` of dimension `dim`."""
    return Slice((*(slice(None),) * dim, part))
