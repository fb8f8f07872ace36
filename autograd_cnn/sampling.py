"""Functions that make tensors of random numbers: the default generator's unless given one, see `manual_seed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.creation import float_dtype, like, make
from autograd_cnn.dtype import as_dtype, int64
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.ops.operand import broadcast, require_floating
from autograd_cnn.ops.random import standard_normal, stream
from autograd_cnn.ops.size import new_size
from autograd_cnn.random import Generator
from autograd_cnn.tensor import Tensor

if TYPE_CHECKING:
    from autograd_cnn.typing import DTypeLike, Ints


def _random_float(dtype: Any, op: str) -> np.dtype:
    result = float_dtype(dtype, op)
    if result.kind != "f":
        raise DTypeError(f"{op}: draws floating point numbers, got dtype {result}; randint draws integers")
    return result


def rand(
    *given: Ints,
    size: Ints | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1).

    >>> x = rand(100)
    >>> bool(((x >= 0) & (x < 1)).all())
    True
    """
    dtype = _random_float(dtype, "rand")
    return make(stream(generator).random(new_size("rand", given, size), dtype), device, requires_grad)


def randn(
    *given: Ints,
    size: Ints | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers of the standard normal distribution.

    >>> randn(2, 3).shape
    (2, 3)
    """
    dtype = _random_float(dtype, "randn")
    return make(standard_normal(generator, new_size("randn", given, size), dtype), device, requires_grad)


def randint(
    low: int = 0,
    high: Any = None,
    size: Ints | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [low, high); `randint(high, size)` starts at 0.

    >>> x = randint(0, 10, (100,))
    >>> bool(((x >= 0) & (x < 10)).all())
    True
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if low >= high:
        raise ArgumentError(f"randint: needs low < high, got {low} and {high}")
    numbers = stream(generator).integers(low, high, new_size("randint", (size,)))
    return make(numbers.astype(as_dtype(dtype, "randint")), device, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers from 0 to n - 1 in random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    (n,) = new_size("randperm", (n,))
    return make(stream(generator).permutation(n).astype(as_dtype(dtype, "randperm")), device, requires_grad)


def rand_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, **options: Any) -> Tensor:
    """Uniform random numbers in [0, 1) of input's shape and dtype.

    >>> import autograd_cnn as ag
    >>> rand_like(ag.tensor([1.0, 2.0])).shape
    (2,)
    """
    return rand(input.shape, **like(input, dtype, device), **options)


def randn_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, **options: Any) -> Tensor:
    """Random numbers of the standard normal distribution of input's shape and dtype.

    >>> import autograd_cnn as ag
    >>> randn_like(ag.tensor([1.0, 2.0])).shape
    (2,)
    """
    return randn(input.shape, **like(input, dtype, device), **options)


def randint_like(
    input: Tensor, low: int = 0, high: Any = None, *, dtype: DTypeLike | None = None, device: Any = None, **options: Any
) -> Tensor:
    """Random integers in [low, high) of x's shape and dtype; `randint_like(x, high)` starts at 0.

    >>> import autograd_cnn as ag
    >>> randint_like(ag.tensor([1.0, 2.0]), 5, 6)
    tensor([5., 5.])
    """
    return randint(low, high, input.shape, **like(input, dtype, device), **options)


def normal(
    mean: Any,
    std: Any = 1,
    size: Ints | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers of normal distributions: one for each element of `mean` and `std`, or `size` of one.

    Tensors of means and standard deviations broadcast; for two numbers there must be a size.  Raises ArgumentError for
    a negative standard deviation.

    >>> import autograd_cnn as ag
    >>> normal(ag.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    >>> normal(0.0, 1.0, (2, 3)).shape
    (2, 3)
    """
    tensors = {name: value for name, value in (("mean", mean), ("std", std)) if isinstance(value, Tensor)}
    if tensors:
        require_floating("normal", **tensors)
        first = next(iter(tensors.values()))
        shape, result = broadcast("normal", *[value.shape for value in tensors.values()]), first.dtype
        device = first.device
        mean, std = (value.numpy(force=True) if isinstance(value, Tensor) else value for value in (mean, std))
    elif size is None:
        raise ArgumentError("normal: a mean and a standard deviation that are numbers need a size")
    else:
        shape, result = new_size("normal", (size,)), _random_float(dtype, "normal")
    if not np.all(np.greater_equal(std, 0)):
        raise ArgumentError(f"normal: std must not be negative, got {np.min(std)}")
    numbers = standard_normal(generator, shape, result)
    return make(np.asarray(numbers * std + mean, result), device, requires_grad)
