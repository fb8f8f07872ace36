"""Reductions made of others: means beside deviations, sums past nan, counts, both extremes."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd_cnn.dtype import as_dtype
from autograd_cnn.ops.arithmetic import div, where
from autograd_cnn.ops.cast import cast
from autograd_cnn.ops.comparison import isnan, logical_not, ne
from autograd_cnn.ops.dim import Dims, one_dim
from autograd_cnn.ops.extreme import amax, amin
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.reduce import mean, std, sum, var


class Extremes(NamedTuple):
    """What `aminmax` returns."""

    min: Any
    max: Any


def std_mean(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Any, Any]:
    """The standard deviation and the mean over `dim`, or over everything; see `std`.

    >>> import autograd_cnn as ag
    >>> std_mean(ag.tensor([1.0, 2.0, 4.0, 5.0]))
    (tensor(1.8257), tensor(3.))
    """
    deviation = std(x, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(x, None if isinstance(dim, bool) else dim, keepdim)


def var_mean(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Any, Any]:
    """The variance and the mean over `dim`, or over everything; see `var`.

    >>> import autograd_cnn as ag
    >>> var_mean(ag.tensor([1.0, 2.0, 4.0, 5.0]))
    (tensor(3.3333), tensor(3.))
    """
    variance = var(x, dim, unbiased, keepdim, correction=correction)
    return variance, mean(x, None if isinstance(dim, bool) else dim, keepdim)


def nansum(x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim`, or over everything, in which nan counts as 0.

    >>> import autograd_cnn as ag
    >>> nansum(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if dtype is not None:
        x = cast(x, as_dtype(dtype, "nansum"))
    if require_tensor("nansum", x).array.dtype.kind == "f":
        x = where(isnan(x), 0.0, x)
    return sum(x, dim, keepdim)


def nanmean(x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim`, or over everything, of what is not nan; nan where there is nothing else.

    Raises DTypeError for integers and bools.

    >>> import autograd_cnn as ag
    >>> nanmean(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    if dtype is not None:
        x = cast(x, as_dtype(dtype, "nanmean"))
    require_floating("nanmean", x=x)
    return div(nansum(x, dim, keepdim), sum(logical_not(isnan(x)), dim, keepdim))


def count_nonzero(x: Any, dim: Dims = None) -> Any:
    """How many values over `dim`, or over everything, are not zero: int64.

    >>> import autograd_cnn as ag
    >>> count_nonzero(ag.tensor([[0, 1], [2, 3]])), count_nonzero(ag.tensor([[0, 1], [2, 3]]), dim=0)
    (tensor(3), tensor([1, 2]))
    """
    return sum(ne(require_tensor("count_nonzero", x), 0), dim)


def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(min, max): the smallest and the largest value along `dim`, or of everything; nan where there is one.

    Equal values share the gradient evenly.  Raises ShapeError where nothing is left to choose from.

    >>> import autograd_cnn as ag
    >>> aminmax(ag.tensor([3.0, 1.0, 2.0]))
    Extremes(min=tensor(1.), max=tensor(3.))
    """
    if dim is not None:
        dim = one_dim("aminmax", dim, require_tensor("aminmax", x).array.ndim)
    return Extremes(amin(x, dim, keepdim), amax(x, dim, keepdim))
