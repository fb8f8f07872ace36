"""Sums, products, means and norms over dimensions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import as_dtype, bool_, int64, uint8
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import Dims, many_dims
from autograd_cnn.ops.elementwise import exp
from autograd_cnn.ops.operand import floating, require_floating, require_tensor
from autograd_cnn.ops.scan import product_of_others
from autograd_cnn.ops.size import as_size

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import DTypeLike, Ints

Shape = tuple[int, ...]


class Reduction(Op, abstract=True):
    """Folds the dimensions `dim` (counted from the front; None for all) into one value each."""

    inputs = ("x",)

    def __init__(self, dim: Shape | None, keepdim: bool) -> None:
        self.dim = dim
        self.keepdim = keepdim

    def dims(self, ndim: int) -> Shape:
        return tuple(range(ndim)) if self.dim is None else self.dim

    def kept(self, shape: Shape) -> Shape:
        """The shape with size 1 where a dimension was folded."""
        if self.dim is None:
            return (1,) * len(shape)
        return tuple(1 if d in self.dim else n for d, n in enumerate(shape))

    def count(self, shape: Shape) -> int:
        """How many values are folded into one."""
        return math.prod(shape if self.dim is None else [shape[d] for d in self.dim])

    def reduced(self, shape: Shape) -> Shape:
        if self.keepdim:
            return self.kept(shape)
        return () if self.dim is None else tuple(n for d, n in enumerate(shape) if d not in self.dim)

    def unfold(self, g: Any, shape: Shape) -> Any:
        """A value of the result's shape, with the folded dimensions back as size 1 so that it broadcasts."""
        return g if self.keepdim or self.dim is None else g.reshape(self.kept(shape))

    def infer(self, x: Any) -> Any:
        return self.reduced(x.shape), x.dtype


class Sum(Reduction):
    def infer(self, x: Any) -> Any:
        return self.reduced(x.shape), x.dtype if x.dtype.kind == "f" else int64

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sum(x, self.dims(x.ndim), out)

    def vjp_x(self, g: Any, x_shape: Shape) -> Any:
        return self.unfold(g, x_shape).expand(x_shape)


class SumOfSquares(Reduction):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sum_squares(x, self.dims(x.ndim), out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return self.unfold(2 * g, x.shape) * x


class SumToSize(Op):
    """Sums over the dimensions along which `size` would be broadcast to x's shape: the adjoint of expand."""

    inputs = ("x",)

    def __init__(self, size: Shape) -> None:
        self.size = size

    def infer(self, x: Any) -> Any:
        lead = x.ndim - len(self.size)
        fits = [n in (1, m) for n, m in zip(self.size, x.shape[lead:], strict=False)]
        if lead < 0 or False in fits:
            raise ShapeError(f"sum_to_size: size {list(self.size)} does not broadcast to input's shape {list(x.shape)}")
        return self.size, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        lead = x.ndim - len(self.size)
        dims = [d for d in range(x.ndim) if d < lead or self.size[d - lead] == 1 != x.shape[d]]
        k.sum(x, tuple(dims), out)

    def vjp_x(self, g: Any, x_shape: Shape) -> Any:
        return g.expand(x_shape)


class Mean(Reduction):
    def infer(self, x: Any) -> Any:
        if x.dtype.kind != "f":
            raise DTypeError(f"mean: input must be a floating point tensor, got {x.dtype}; give dtype=")
        return self.reduced(x.shape), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sum(x, self.dims(x.ndim), out)
        k.div(out, np.asarray(self.count(x.shape), x.dtype), out)

    def vjp_x(self, g: Any, x_shape: Shape) -> Any:
        return self.unfold(g / self.count(x_shape), x_shape).expand(x_shape)


class Prod(Reduction):
    def infer(self, x: Any) -> Any:
        return self.reduced(x.shape), x.dtype if x.dtype.kind == "f" else int64

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.prod(x, self.dims(x.ndim), out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        """The product of all others for each: nothing is divided by, so that zeros need no care."""
        dims = self.dims(x.ndim)
        order = [d for d in range(x.ndim) if d not in dims] + list(dims)
        lines = x.permute(order)
        shape = lines.shape
        lines = lines.reshape(*shape[: len(shape) - len(dims)], self.count(x.shape))
        others = product_of_others(lines).reshape(shape).permute([order.index(d) for d in range(x.ndim)])
        return self.unfold(g, x.shape) * others


class Var(Reduction):
    """sum((x - mean)^2) / (n - correction)."""

    def __init__(self, dim: Shape | None, keepdim: bool, correction: float) -> None:
        super().__init__(dim, keepdim)
        self.correction = correction

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.var(x, self.dims(x.ndim), self.correction, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        freedom = self.count(x.shape) - self.correction
        scale = 2 / freedom if freedom > 0 else math.nan
        return self.unfold(g * scale, x.shape) * (x - mean(x, self.dim, keepdim=True))


class Root(Op):
    """The square root, with the gradient 0 at 0, where norms and deviations have their minimum."""

    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.sqrt(x, out)

    def vjp_x(self, g: Any, y: Any) -> Any:
        return where(y == 0, 0.0, g / (2 * where(y == 0, 1.0, y)))


class Logsumexp(Reduction):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.logsumexp(x, self.dims(x.ndim), out)

    def vjp_x(self, g: Any, x: Any, y: Any) -> Any:
        return self.unfold(g, x.shape) * exp(x - self.unfold(y, x.shape))


class Question(Reduction, abstract=True):
    nondifferentiable = ("x",)

    def infer(self, x: Any) -> Any:
        return self.reduced(x.shape), uint8 if x.dtype == uint8 else bool_


class Any_(Question):
    name = "any"

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.any(x, self.dims(x.ndim), out)


class All(Question):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.all(x, self.dims(x.ndim), out)


SUM, MEAN, ROOT = Sum(None, False), Mean(None, False), Root()


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum over `dim`, or over everything; integers and bools are added up as int64.

    Raises IndexOutOfRangeError for a dimension that is not there, ArgumentError for one given twice.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> sum(x), sum(x, dim=0)
    (tensor(10.), tensor([4., 6.]))
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "sum"))
    if dim is None and not keepdim:
        return apply(SUM, input)
    return apply(Sum(many_dims("sum", dim, input.array.ndim), keepdim), input)


def sum_to_size(input: Tensor, *given: Ints, size: Ints | None = None) -> Tensor:
    """The sum over the dimensions that broadcasting `size` to input's shape would repeat.

    Raises ShapeError where `size` does not broadcast to input's shape.

    >>> import autograd_cnn as ag
    >>> sum_to_size(ag.ones(2, 3), 1, 3)
    tensor([[2., 2., 2.]])
    >>> sum_to_size(ag.ones(2, 3), 3)
    tensor([2., 2., 2.])
    """
    shape = as_size("sum_to_size", given, "size", size)
    return input if shape == input.array.shape else apply(SumToSize(shape), input)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The mean over `dim`, or over everything: sum(x) / n; nan where n is 0.

    Raises DTypeError for integers and bools.

    >>> import autograd_cnn as ag
    >>> mean(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "mean"))
    if dim is None and not keepdim:
        return apply(MEAN, input)
    return apply(Mean(many_dims("mean", dim, input.array.ndim), keepdim), input)


def prod(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The product over `dim`, or over everything; 1 of nothing.

    >>> import autograd_cnn as ag
    >>> prod(ag.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "prod"))
    return apply(Prod(many_dims("prod", dim, require_tensor("prod", input).array.ndim), keepdim), input)


def var(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over `dim`, or over everything: sum((x - mean)^2) / (n - correction).

    It is nan where n <= correction, which is 1 unless given; `unbiased` is the older way to say 1 or 0.

    Raises DTypeError for integers and bools, ArgumentError where both `unbiased` and `correction` are given.

    >>> import autograd_cnn as ag
    >>> var(ag.tensor([1.0, 2.0, 4.0])), var(ag.tensor([1.0, 2.0, 4.0]), correction=0)
    (tensor(2.3333), tensor(1.5556))
    """
    return _var("var", input, dim, unbiased, keepdim, correction)


def std(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over `dim`, or over everything: the root of `var`; its gradient at 0 is 0.

    Raises DTypeError for integers and bools, ArgumentError where both `unbiased` and `correction` are given.

    >>> import autograd_cnn as ag
    >>> std(ag.tensor([1.0, 2.0, 4.0]))
    tensor(1.5275)
    """
    return apply(ROOT, _var("std", input, dim, unbiased, keepdim, correction))


def _var(op: str, x: Any, dim: Any, unbiased: Any, keepdim: bool, correction: float | None) -> Any:
    require_floating(op, input=x)
    if isinstance(dim, bool):  # var(False): unbiased came first once
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ArgumentError(f"{op}: give unbiased or correction, got {unbiased} and {correction}")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return apply(Var(many_dims(op, dim, require_tensor(op, x).array.ndim), keepdim, correction), x)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) over `dim`, without its overflow; integers become floats.

    >>> import autograd_cnn as ag
    >>> logsumexp(ag.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    input = floating("logsumexp", input)
    return apply(Logsumexp(many_dims("logsumexp", dim, input.array.ndim), keepdim), input)


def norm(
    input: Tensor, p: float | str = "fro", dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The p-norm over `dim`, or over everything: sum(|x|^p)^(1/p).

    "fro" is 2, inf and -inf the largest and smallest |x|, 0 the count of what is not 0, without a gradient.
    The gradient of the norm of zeros is 0.

    Raises DTypeError for integers and bools, ArgumentError for an unknown p, ShapeError for inf of nothing.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([3.0, -4.0])
    >>> norm(x), norm(x, 1), norm(x, float("inf"))
    (tensor(5.), tensor(7.), tensor(4.))
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "norm"))
    require_floating("norm", input=input)
    if p is None or p == "fro":
        p = 2
    if isinstance(p, bool) or not isinstance(p, int | float):
        raise ArgumentError(f"norm: p must be a number, inf, -inf or 'fro', got {p!r}")
    if p == 2:
        return apply(ROOT, apply(SumOfSquares(many_dims("norm", dim, input.array.ndim), keepdim), input))
    if p == 0:
        return sum(cast(input != 0, input.array.dtype), dim, keepdim)
    size = input.abs()
    if math.isinf(p):
        return size.amax(dim, keepdim) if p > 0 else size.amin(dim, keepdim)
    if p == 1:
        return sum(size, dim, keepdim)
    if p < 0:
        return sum(size**p, dim, keepdim) ** (1 / p)
    powers = _power(size, p) if p < 1 else size**p
    return _power(sum(powers, dim, keepdim), 1 / p)


def _power(x: Any, p: float) -> Any:
    """x ** p for x >= 0, with the gradient 0 at 0."""
    return where(x == 0, 0.0, where(x == 0, 1.0, x) ** p)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether a value over `dim` is not zero.

    >>> import autograd_cnn as ag
    >>> any(ag.tensor([[False, True], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return apply(Any_(many_dims("any", dim, require_tensor("any", input).array.ndim), keepdim), input)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether no value over `dim` is zero.

    >>> import autograd_cnn as ag
    >>> all(ag.tensor([[False, True], [True, True]]), dim=1)
    tensor([False,  True])
    """
    return apply(All(many_dims("all", dim, require_tensor("all", input).array.ndim), keepdim), input)
