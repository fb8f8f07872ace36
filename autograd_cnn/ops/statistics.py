"""Reductions made of others: means beside deviations, sums past nan, counts, both extremes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_cnn.dtype import as_dtype
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.arithmetic import div, where
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.comparison import isnan, logical_not, ne
from autograd_cnn.ops.dim import Dims, many_dims, one_dim
from autograd_cnn.ops.extreme import amax, amin
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.reduce import Reduction, mean, std, sum, var

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import DTypeLike


class Extremes(NamedTuple):
    """What `aminmax` returns."""

    min: Tensor
    max: Tensor


def std_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `dim`, or over everything; see `std`.

    >>> import autograd_cnn as ag
    >>> std_mean(ag.tensor([1.0, 2.0, 4.0, 5.0]))
    (tensor(1.8257), tensor(3.))
    """
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(input, None if isinstance(dim, bool) else dim, keepdim)


def var_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `dim`, or over everything; see `var`.

    >>> import autograd_cnn as ag
    >>> var_mean(ag.tensor([1.0, 2.0, 4.0, 5.0]))
    (tensor(3.3333), tensor(3.))
    """
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, mean(input, None if isinstance(dim, bool) else dim, keepdim)


class Nansum(Reduction):
    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.nansum(x, self.dims(x.ndim), out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return where(isnan(x), 0.0, self.unfold(g, x.shape))


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum over `dim`, or over everything, in which nan counts as 0.

    >>> import autograd_cnn as ag
    >>> nansum(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "nansum"))
    if require_tensor("nansum", input).array.dtype.kind == "f":
        return apply(Nansum(many_dims("nansum", dim, input.array.ndim), keepdim), input)
    return sum(input, dim, keepdim)


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The mean over `dim`, or over everything, of what is not nan; nan where there is nothing else.

    Raises DTypeError for integers and bools.

    >>> import autograd_cnn as ag
    >>> nanmean(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype, "nanmean"))
    require_floating("nanmean", input=input)
    return div(nansum(input, dim, keepdim), sum(logical_not(isnan(input)), dim, keepdim))


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many values over `dim`, or over everything, are not zero: int64.

    >>> import autograd_cnn as ag
    >>> count_nonzero(ag.tensor([[0, 1], [2, 3]])), count_nonzero(ag.tensor([[0, 1], [2, 3]]), dim=0)
    (tensor(3), tensor([1, 2]))
    """
    return sum(ne(require_tensor("count_nonzero", input), 0), dim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Extremes:
    """(min, max): the smallest and the largest value along `dim`, or of everything; nan where there is one.

    Equal values share the gradient evenly.  Raises ShapeError where nothing is left to choose from.

    >>> import autograd_cnn as ag
    >>> aminmax(ag.tensor([3.0, 1.0, 2.0]))
    Extremes(min=tensor(1.), max=tensor(3.))
    """
    if dim is not None:
        dim = one_dim("aminmax", dim, require_tensor("aminmax", input).array.ndim)
    return Extremes(amin(input, dim, keepdim), amax(input, dim, keepdim))
