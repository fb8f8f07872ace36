"""Running sums and products along a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import as_dtype, int64
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.dim import one_dim
from autograd_cnn.ops.flip import roll
from autograd_cnn.ops.join import cat
from autograd_cnn.ops.operand import require_tensor

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import DTypeLike


class Scan(Op, abstract=True):
    """Every element is made of those up to it along `dim`."""

    inputs = ("x",)

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype if x.dtype.kind == "f" else int64


class Cumsum(Scan):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cumsum(x, self.dim, out)

    def vjp_x(self, g: Any) -> Any:
        return _backwards(lambda h: apply(self, h), g, self.dim)


class Cumprod(Scan):
    """Its vjp divides by nothing, so that zeros need no care."""

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cumprod(x, self.dim, out)

    def vjp_x(self, g: Any, x: Any, y: Any) -> Any:
        if not g.ndim:
            return g
        return _after(y, 1.0, self.dim) * _reversed_recurrence(x, g, self.dim)


class LinearRecurrence(Op):
    """y[i] = a[i] y[i - 1] + x[i] along `dim`; a[0] plays no part."""

    inputs = ("a", "x")

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def infer(self, a: Any, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, a: Any, x: Any) -> None:
        k.linear_recurrence(a, x, self.dim, out)

    def vjp_a(self, g: Any, a: Any, y: Any) -> Any:
        return _reversed_recurrence(a, g, self.dim) * _after(y, 0.0, self.dim)

    def vjp_x(self, g: Any, a: Any) -> Any:
        return _reversed_recurrence(a, g, self.dim)


def _backwards(scan: Any, x: Any, dim: int) -> Any:
    """A scan that starts at the end."""
    return scan(x.flip(dim)).flip(dim) if x.ndim else scan(x)


def _after(y: Any, first: float, dim: int) -> Any:
    """y moved by one place along `dim`, `first` in the place that is left."""
    n = y.shape[dim]
    if n == 0:
        return y
    start = y.new_full((*y.shape[:dim], 1, *y.shape[dim + 1 :]), first)
    return cat((start, y.narrow(dim, 0, n - 1)), dim)


def _reversed_recurrence(a: Any, x: Any, dim: int) -> Any:
    """s[i] = x[i] + a[i + 1] s[i + 1]."""
    return apply(LinearRecurrence(dim), roll(a.flip(dim), 1, dim), x.flip(dim)).flip(dim)


def product_of_others(x: Any) -> Any:
    """For each element of x the product of all others of its line, the last dimension."""
    dim = x.ndim - 1
    before = _after(cumprod(x, dim), 1.0, dim)
    return before * _backwards(lambda h: _after(cumprod(h, dim), 1.0, dim), x, dim)


def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running sum along `dim`: y_i = x_1 + ... + x_i; integers and bools are added up as int64.

    Raises IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> cumsum(ag.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "cumsum"))
    return apply(Cumsum(one_dim("cumsum", dim, require_tensor("cumsum", input).array.ndim)), input)


def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running product along `dim`: y_i = x_1 * ... * x_i; integers and bools are multiplied as int64.

    Raises IndexOutOfRangeError for a dimension that is not there.

    >>> import autograd_cnn as ag
    >>> cumprod(ag.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "cumprod"))
    return apply(Cumprod(one_dim("cumprod", dim, require_tensor("cumprod", input).array.ndim)), input)
