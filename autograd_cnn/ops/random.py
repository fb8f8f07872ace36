"""Random numbers of a tensor's shape: drawn from probabilities, or written into it.

What is drawn follows from the generator, the default one unless given, see `manual_seed`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.device import CPU
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.in_place import apply_inplace
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.expand import expand
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.random import Generator, default_generator

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

Draw = Callable[[tuple[int, ...]], Any]


class Random(Op):
    """Random numbers, whatever x is: its gradient is 0."""

    inputs = ("x",)
    in_place = True

    def __init__(self, name: str, draw: Draw) -> None:
        self.name = name
        self.draw = draw

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.copy(self.draw(out.shape), out)

    def vjp_x(self, g: Any) -> Any:
        return g.new_zeros(g.array.shape)


def stream(generator: Generator | None) -> np.random.Generator:
    """What numbers are drawn from on the host."""
    if not isinstance(generator, Generator | None):
        raise DTypeError(f"generator must be a Generator, got {type(generator).__name__}")
    return (default_generator if generator is None else generator).numpy


def standard_normal(generator: Generator | None, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Numbers of the standard normal distribution, on the host: of the blocks that any thread can make."""
    stream(generator)
    source = default_generator if generator is None else generator
    k = CPU.kernels
    out = np.empty(shape, dtype)
    k.standard_normal(*source.position(), out)
    source.skip(k.normal_blocks(out.size))
    return out


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with a probability, else 0, for every element: that of input, or `p` for all.

    Raises ArgumentError for what is no probability, DTypeError for input of integers without `p`.

    >>> import autograd_cnn as ag
    >>> bernoulli(ag.tensor([0.0, 1.0, 1.0]))
    tensor([0., 1., 1.])
    """
    if p is None:
        require_floating("bernoulli", input=input)
    return apply(Random("bernoulli", _chances("bernoulli", input if p is None else p, generator)), input)


def bernoulli_(input: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with 1 by probability `p`, a number or a tensor that broadcasts to input, else 0; returns input.

    >>> import autograd_cnn as ag
    >>> bernoulli_(ag.zeros(2), 1.0)
    tensor([1., 1.])
    """
    if isinstance(p, TensorBase):
        require_floating("bernoulli_", p=p)
        p = expand(p, input.array.shape)
    return apply_inplace(Random("bernoulli_", _chances("bernoulli_", p, generator)), input)


def _chances(op: str, p: Any, generator: Generator | None) -> Draw:
    numbers = stream(generator)
    limits = p.device.to_host(p.array) if isinstance(p, TensorBase) else np.array(p, np.float64)
    if not ((limits >= 0) & (limits <= 1)).all():
        raise ArgumentError(f"{op}: a probability lies in [0, 1], got {limits[~((limits >= 0) & (limits <= 1))][0]}")
    return lambda shape: numbers.random(shape, np.float32 if limits.dtype == np.float32 else np.float64) < limits


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices of classes drawn by their weights input, (C,) or (N, C): (num_samples,) or (N, num_samples).

    Weights need not add up to 1.  Without `replacement` no class is drawn twice from one row.  Raises ArgumentError for
    weights that are negative, not finite or all 0, and where fewer classes than num_samples can be drawn.

    >>> import autograd_cnn as ag
    >>> multinomial(ag.tensor([0.0, 2.0, 0.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    require_floating("multinomial", input=input)
    count = index(num_samples)
    weights = input.device.to_host(input.array).astype(np.float64)
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial: input must be (classes,) or (rows, classes), got shape {list(weights.shape)}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ArgumentError("multinomial: weights must be finite and not negative")
    rows = weights.reshape(-1, weights.shape[-1])
    possible = (rows > 0).sum(1)
    if (possible == 0).any():
        raise ArgumentError("multinomial: the weights of a row are all 0")
    most = possible.min(initial=rows.shape[1])
    if count < 1 or (not replacement and most < count):
        raise ArgumentError(
            "multinomial: num_samples must be at least 1 and, without replacement, at most the number of classes that "
            f"can be drawn, {most}; got {count}"
        )
    drawn = (_with_replacement if replacement else _without_replacement)(stream(generator), rows, count)
    return wrap(input.device.from_host(drawn.reshape(*weights.shape[:-1], count)), input.device)


def _with_replacement(numbers: np.random.Generator, rows: Any, count: int) -> Any:
    chances = rows.cumsum(1)
    drawn = numbers.random((len(rows), count)) * chances[:, -1:]
    found = [chance.searchsorted(places, "right") for chance, places in zip(chances, drawn, strict=True)]
    # Rounding may lead past the last class that can be drawn.
    last = rows.shape[1] - 1 - (rows[:, ::-1] > 0).argmax(1)
    return np.minimum(np.array(found, np.int64).reshape(drawn.shape), last[:, None])


def _without_replacement(numbers: np.random.Generator, rows: Any, count: int) -> Any:
    """The classes whose exponential clocks, as fast as their weights, ring first (Efraimidis and Spirakis 2006)."""
    with np.errstate(divide="ignore"):
        times = numbers.standard_exponential(rows.shape) / rows
    return times.argsort(1)[:, :count]


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of Poisson's distribution, whose means are input's elements, in input's dtype.

    >>> import autograd_cnn as ag
    >>> poisson(ag.zeros(2))
    tensor([0., 0.])
    """
    require_floating("poisson", input=input)
    rates = input.device.to_host(input.array)
    if not (rates >= 0).all():
        raise ArgumentError("poisson: the means must not be negative")
    return apply(Random("poisson", lambda shape: stream(generator).poisson(rates)), input)


def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with numbers of the normal distribution; returns input.

    >>> import autograd_cnn as ag
    >>> normal_(ag.zeros(2), 3, 0)
    tensor([3., 3.])
    """
    if not std >= 0:
        raise ArgumentError(f"normal_: std must not be negative, got {std}")
    return _overwritten(
        "normal_",
        input,
        generator,
        lambda numbers, shape, dtype: _scaled(standard_normal(generator, shape, dtype), std, mean),
    )


def log_normal_(input: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with numbers whose logarithms have that mean and standard deviation; returns input.

    >>> import autograd_cnn as ag
    >>> log_normal_(ag.zeros(2), 0, 0)
    tensor([1., 1.])
    """
    if not std >= 0:
        raise ArgumentError(f"log_normal_: std must not be negative, got {std}")
    return _overwritten(
        "log_normal_", input, generator, lambda numbers, shape, dtype: numbers.lognormal(mean, std, shape)
    )


def uniform_(input: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with numbers of [from_, to), all equally likely; returns input.

    >>> import autograd_cnn as ag
    >>> uniform_(ag.zeros(2), 3, 3)
    tensor([3., 3.])
    """
    if not from_ <= to:
        raise ArgumentError(f"uniform_: needs from <= to, got {from_} and {to}")
    return _overwritten(
        "uniform_",
        input,
        generator,
        lambda numbers, shape, dtype: _scaled(numbers.random(shape, dtype), to - from_, from_),
    )


def exponential_(input: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with numbers of the exponential distribution, of mean 1 / lambd; returns input.

    >>> import autograd_cnn as ag
    >>> bool((exponential_(ag.zeros(9)) >= 0).all())
    True
    """
    if not lambd > 0:
        raise ArgumentError(f"exponential_: lambd must be positive, got {lambd}")
    return _overwritten(
        "exponential_", input, generator, lambda numbers, shape, dtype: numbers.exponential(1 / lambd, shape)
    )


def cauchy_(input: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with numbers of Cauchy's distribution; returns input.

    >>> import autograd_cnn as ag
    >>> cauchy_(ag.zeros(2, 3)).shape
    (2, 3)
    """
    if not sigma > 0:
        raise ArgumentError(f"cauchy_: sigma must be positive, got {sigma}")
    return _overwritten(
        "cauchy_", input, generator, lambda numbers, shape, dtype: median + sigma * numbers.standard_cauchy(shape)
    )


def _scaled(numbers: Any, scale: float, shift: float) -> Any:
    """numbers * scale + shift, in their dtype and memory."""
    numbers *= scale
    numbers += shift
    return numbers


def _overwritten(op: str, x: Any, generator: Generator | None, draw: Callable[..., Any]) -> Any:
    require_floating(op, input=x)
    numbers = stream(generator)
    return apply_inplace(Random(op, lambda shape: draw(numbers, shape, x.array.dtype)), x)


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrites input with how many tries it takes until a chance of probability p comes true; returns input.

    >>> import autograd_cnn as ag
    >>> geometric_(ag.zeros(2), 1)
    tensor([1., 1.])
    """
    if not 0 < p <= 1:
        raise ArgumentError(f"geometric_: p must lie in (0, 1], got {p}")
    numbers = stream(generator)
    return apply_inplace(Random("geometric_", lambda shape: numbers.geometric(p, shape)), input)


def random_(
    input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Overwrites x with whole numbers of [from_, to), all equally likely; `random_(x, to)` starts at 0; returns x.

    Without both, they are all from 0 to the largest of an integer dtype, or to where floats no longer hold every
    whole number.  Raises ArgumentError where there is none between them.

    >>> import autograd_cnn as ag
    >>> random_(ag.zeros(2), 3, 4)
    tensor([3., 3.])
    """
    dtype = input.array.dtype
    given = [index(n) for n in (from_, to) if n is not None]
    low, high = (given if len(given) == 2 else [0, *given]) if given else (0, _whole_numbers(dtype))
    if low >= high:
        raise ArgumentError(f"random_: needs from < to, got {low} and {high}")
    if dtype.kind in "iu" and (low < np.iinfo(dtype).min or high - 1 > np.iinfo(dtype).max):
        raise ArgumentError(f"random_: {dtype} cannot hold all of [{low}, {high})")
    numbers = stream(generator)
    return apply_inplace(Random("random_", lambda shape: numbers.integers(low, high, shape)), input)


def _whole_numbers(dtype: np.dtype) -> int:
    if dtype.kind == "f":
        return int(2 ** (np.finfo(dtype).nmant + 1)) + 1
    return 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + (dtype.itemsize < 8)
