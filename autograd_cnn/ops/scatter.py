"""One index for every element that is written: scatter and scatter_reduce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply, apply_view
from autograd_cnn.ops.arithmetic import div, floor_divide, maximum, where
from autograd_cnn.ops.assign import copy_, require_kind, require_number
from autograd_cnn.ops.cast import cast, clone
from autograd_cnn.ops.comparison import eq
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.gather import Gather, ScatterAdd, require_shape
from autograd_cnn.ops.index import index_along
from autograd_cnn.ops.operand import constant, require_tensor
from autograd_cnn.ops.slice import Slice

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Scattered(Op, abstract=True):
    """x, index and src of one shape: elements of src go to places along `dim` of x."""

    inputs = ("x", "index", "src")
    nondifferentiable = ("index",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any, index: Any, src: Any) -> Any:
        return x.shape, x.dtype

    def taken(self, x: Any, index: Any) -> Any:
        return apply(Gather(self.dim), x, index)


class ScatterPut(Scattered):
    """x with src at the places of index; of those for one place, the last one stays."""

    def compute(self, k: Any, out: Any, x: Any, index: Any, src: Any) -> None:
        k.copy(x, out)
        k.scatter_put(out, self.dim, index, src)

    def vjp_x(self, g: Any, index: Any) -> Any:
        return apply(self, g, index, _full(g, index, 0))

    def vjp_src(self, g: Any, index: Any) -> Any:
        shape = index.array.shape
        order = wrap(g.device.from_host(np.arange(index.array.size).reshape(shape)), g.device)
        last = apply(self, wrap(g.device.empty(g.array.shape, order.array.dtype), g.device), index, order)
        return where(eq(self.taken(last, index), order), self.taken(g, index), 0.0)


class ScatterProd(Scattered):
    """x times all that src has for its places."""

    def compute(self, k: Any, out: Any, x: Any, index: Any, src: Any) -> None:
        k.copy(x, out)
        k.scatter_mul(out, self.dim, index, src)

    def vjp_x(self, g: Any, x: Any, index: Any, src: Any) -> Any:
        return g * apply(self, _full(x, x, 1), index, src)

    def vjp_src(self, g: Any, x: Any, index: Any, src: Any) -> Any:
        # The product of the others is that of all, by src.  Where there are zeros, they are left out of it, and their
        # factor is 1 for none among the others, that zero for one, and 0 for more, up to the second derivative.
        zero = eq(src, 0)
        if not zero.array.any():
            return self.taken(g, index) * self.taken(apply(self, x, index, src), index) / src
        rest = self.taken(apply(self, x, index, where(zero, 1.0, src)), index) / where(zero, 1.0, src)
        none, own, counted = _full(x, x, 0), where(zero, src, 0.0), cast(zero, src.array.dtype)
        among_others = self.taken(apply(ScatterAdd(self.dim), none, index, counted), index) - counted
        other = self.taken(apply(ScatterAdd(self.dim), none, index, own), index) - own
        others = rest * where(eq(among_others, 0), 1.0, where(eq(among_others, 1), other, 0.0))
        return self.taken(g, index) * others


class ScatterExtreme(Scattered, abstract=True):
    """The largest, or smallest, of x and what src has for its places, which share the gradient if there are several."""

    def vjp(self, g: Any, needs: Any, x: Any, index: Any, src: Any, y: Any) -> Any:
        dtype = g.array.dtype
        ours, theirs = cast(eq(x, y), dtype), cast(eq(src, self.taken(y, index)), dtype)
        share = g / maximum(apply(ScatterAdd(self.dim), ours, index, theirs), 1)
        return (
            ours * share if needs[0] else None,
            None,
            theirs * self.taken(share, index) if needs[2] else None,
        )


class ScatterAmax(ScatterExtreme):
    def compute(self, k: Any, out: Any, x: Any, index: Any, src: Any) -> None:
        k.copy(x, out)
        k.scatter_max(out, self.dim, index, src)


class ScatterAmin(ScatterExtreme):
    def compute(self, k: Any, out: Any, x: Any, index: Any, src: Any) -> None:
        k.copy(x, out)
        k.scatter_min(out, self.dim, index, src)


def _full(like: Any, shaped: Any, value: Any) -> Any:
    """`value` in the dtype of one tensor and the shape of another."""
    return expand(constant("scatter", value, like.array.dtype, like), shaped.array.shape)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | None = None,
    *,
    value: Tensor | Number | None = None,
    reduce: str | None = None,
) -> Tensor:
    """input with elements of `src`, or one number, written along `dim`: y[i, index[i, j]] = src[i, j] for dim 1.

    index: as many dimensions as input and src, nowhere larger than src, nor than input but along `dim`.  Of elements
    for one place the last one stays, and alone has a gradient.  With `reduce`, "add" or "multiply", all are added to
    what is there, or multiplied with it.  Raises ShapeError where index is larger, IndexOutOfRangeError for an index
    below 0 or from input.size(dim), DTypeError unless index holds integers and src is of input's dtype.

    >>> import autograd_cnn as ag
    >>> scatter(ag.zeros(2, 3), 1, ag.tensor([[0], [2]]), 1)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    dim, index, src = _prepared("scatter", input, dim, index, value if src is None else src)
    if not index.array.size:
        return clone(input)
    return apply(_how(reduce)(dim), input, index, src)


def scatter_(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | None = None,
    *,
    value: Tensor | Number | None = None,
    reduce: str | None = None,
) -> Tensor:
    """`scatter` in place; returns input.

    >>> import autograd_cnn as ag
    >>> scatter_(ag.zeros(3), 0, ag.tensor([2]), 5)
    tensor([0., 0., 5.])
    """
    dim, index, src = _prepared("scatter_", input, dim, index, value if src is None else src)
    return apply_inplace(_how(reduce)(dim), input, index, src) if index.array.size else input


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """x with all elements of `src` for one place reduced: y[i, p] = reduce(x[i, p], src[i, j] where index[i, j] is p).

    `reduce` is "sum", "prod", "mean", "amax" or "amin".  Without `include_self`, x[i, p] counts only where there is
    nothing else.  Means of integers are rounded down; several largest share the gradient.  index as in `scatter`.
    Raises what `scatter` raises.

    >>> import autograd_cnn as ag
    >>> scatter_reduce(ag.zeros(3), 0, ag.tensor([0, 0, 2]), ag.tensor([1.0, 3.0, 5.0]), "mean", include_self=False)
    tensor([2., 0., 5.])
    """
    if reduce not in _NEUTRAL:
        raise ArgumentError(f"scatter_reduce: reduce must be one of {', '.join(_NEUTRAL)}, got {reduce!r}")
    dim, index, src = _prepared("scatter_reduce", input, dim, index, src)
    if not index.array.size:
        return clone(input)
    start = (
        input
        if include_self
        else apply(ScatterPut(dim), input, index, _full(input, index, _neutral(reduce, input.array.dtype)))
    )
    if reduce != "mean":
        return apply(_REDUCTIONS[reduce](dim), start, index, src)
    total = apply(ScatterAdd(dim), start, index, src)
    count = apply(ScatterAdd(dim), _full(input, input, int(include_self)), index, _full(input, src, 1))
    return (div if input.array.dtype.kind == "f" else floor_divide)(total, maximum(count, 1))


def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce` in place; returns input.

    >>> import autograd_cnn as ag
    >>> scatter_reduce_(ag.ones(2), 0, ag.tensor([1, 1]), ag.tensor([2.0, 3.0]), "prod")
    tensor([1., 6.])
    """
    return copy_(input, scatter_reduce(input, dim, index, src, reduce, include_self=include_self))


_REDUCTIONS: dict[str, Any] = {"sum": ScatterAdd, "prod": ScatterProd, "amax": ScatterAmax, "amin": ScatterAmin}
_NEUTRAL = {"sum": 0, "prod": 1, "mean": 0, "amax": -np.inf, "amin": np.inf}


def _neutral(reduce: str, dtype: np.dtype) -> Any:
    """What changes nothing."""
    value = _NEUTRAL[reduce]
    if dtype.kind == "b" and reduce[0] == "a":
        return reduce == "amin"
    if np.isinf(value) and dtype.kind != "f":
        limits = np.iinfo(dtype)
        return limits.min if value < 0 else limits.max
    return value


def _how(reduce: str | None) -> Any:
    kinds: dict[str | None, Any] = {None: ScatterPut, "add": ScatterAdd, "multiply": ScatterProd}
    if reduce not in kinds:
        raise ArgumentError(f"scatter: reduce must be 'add' or 'multiply', got {reduce!r}")
    return kinds[reduce]


def _prepared(op: str, x: Any, dim: int, index: Any, src: Any) -> tuple[int, Any, Any]:
    """`dim` counted from 0, index as int64 in range, and what of src it takes."""
    dim, index = index_along(op, require_tensor(op, x), dim, index)
    shape, dtype = index.array.shape, x.array.dtype
    if not index.array.size:
        return dim, index, src
    require_shape(op, "input", x.array.shape, shape, dim)
    if not isinstance(src, TensorBase):
        require_number(op, src, dtype)
        require_kind(op, src, dtype)
        return dim, index, expand(constant(op, src, dtype, x), shape)
    require_shape(op, "src", src.array.shape, shape, None)
    if src.array.dtype != dtype:
        raise DTypeError(f"{op}: src has dtype {src.array.dtype}, input has {dtype}")
    if src.array.shape != shape:
        src = apply_view(Slice(tuple(slice(n) for n in shape)), src)
    return dim, index, src
