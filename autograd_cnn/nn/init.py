"""Initial values of parameters, written in place; nothing here is recorded.

InPlaceError for a tensor on read-only memory, and for an expanded one.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.random import Generator, default_generator
from autograd_cnn.tensor import Tensor

P = ParamSpec("P")


def _require_floating(name: str, tensor: Tensor) -> None:
    """What is to be said against random numbers in a tensor is said before they are drawn."""
    if not tensor.is_floating_point():
        raise DTypeError(f"{name}: tensor must be floating point, got {tensor.dtype}")
    require_changeable("init", "tensor", tensor)


def _fill(tensor: Tensor, values: Any) -> Tensor:
    require_changeable("init", "tensor", tensor)
    tensor.array[...] = values
    tensor.mark_changed("init")
    return tensor


def _numpy(generator: Generator | None) -> np.random.Generator:
    return (default_generator if generator is None else generator).numpy


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a nonlinearity shrinks standard deviations, to be made up for by the weights.

    1 for linear, conv and sigmoid; 5/3 for tanh; sqrt(2) for relu; sqrt(2 / (1 + slope^2)) for leaky_relu;
    3/4 for selu.

    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ArgumentError(f"calculate_gain: the slope of leaky_relu must be a number, got {slope!r}")
        return math.sqrt(2 / (1 + slope**2))
    linear = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
    gains = dict.fromkeys((*linear, "sigmoid"), 1.0) | {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    if nonlinearity not in gains:
        raise ArgumentError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}; there is {', '.join(gains)}, leaky_relu"
        )
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs feed one output of a weight, and how many outputs one input feeds.

    >>> import autograd_cnn as ag
    >>> fans(ag.zeros(16, 3, 5, 5))
    (75, 400)
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"init: fan in and fan out need a weight of at least 2 dimensions, got shape {list(tensor.shape)}"
        )
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers in [a, b).

    >>> import autograd_cnn as ag
    >>> bool((uniform_(ag.empty(100), -1, 1).abs() <= 1).all())
    True
    """
    _require_floating("uniform_", tensor)
    if not a <= b:
        raise ArgumentError(f"uniform_: needs a <= b, got {a} and {b}")
    return _fill(tensor, _numpy(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers of that mean and standard deviation.

    >>> import autograd_cnn as ag
    >>> normal_(ag.empty(2, 3)).shape
    (2, 3)
    """
    _require_floating("normal_", tensor)
    if not std >= 0:
        raise ArgumentError(f"normal_: std must be at least 0, got {std}")
    return _fill(tensor, _numpy(generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, drawn again while outside of [a, b].

    >>> import autograd_cnn as ag
    >>> bool((trunc_normal_(ag.empty(1000)).abs() <= 2).all())
    True
    """
    _require_floating("trunc_normal_", tensor)
    if not a < b:
        raise ArgumentError(f"trunc_normal_: needs a < b, got {a} and {b}")
    if not std >= 0:
        raise ArgumentError(f"trunc_normal_: std must be at least 0, got {std}")
    numpy = _numpy(generator)
    values = numpy.normal(mean, std, tensor.shape)
    outside = (values < a) | (values > b)
    for _ in range(1000):
        if not outside.any():
            return _fill(tensor, values)
        values[outside] = numpy.normal(mean, std, int(outside.sum()))
        outside = (values < a) | (values > b)
    raise ArgumentError(f"trunc_normal_: [{a}, {b}] is too far from mean {mean} with std {std}")


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere.

    >>> import autograd_cnn as ag
    >>> constant_(ag.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros; units of a layer that start equal stay equal, so only biases start like this.

    >>> import autograd_cnn as ag
    >>> zeros_(ag.empty(2))
    tensor([0., 0.])
    """
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    >>> import autograd_cnn as ag
    >>> ones_(ag.empty(2))
    tensor([1., 1.])
    """
    return _fill(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix.

    >>> import autograd_cnn as ag
    >>> eye_(ag.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: needs 2 dimensions, got shape {list(tensor.shape)}")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [-a, a], a = gain * sqrt(6 / (fan_in + fan_out)): keeps variances in both directions.

    X. Glorot, Y. Bengio: "Understanding the difficulty of training deep feedforward neural networks", 2010.

    >>> import autograd_cnn as ag
    >>> bool((xavier_uniform_(ag.empty(3, 3)).abs() <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal of standard deviation gain * sqrt(2 / (fan_in + fan_out)); Glorot and Bengio 2010.

    >>> import autograd_cnn as ag
    >>> xavier_normal_(ag.empty(3, 3)).shape
    (3, 3)
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"kaiming: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in [-b, b], b = gain * sqrt(3 / fan): keeps variances through rectifiers; `a` is the leaky slope.

    K. He, X. Zhang, S. Ren, J. Sun: "Delving deep into rectifiers", 2015.

    >>> import autograd_cnn as ag
    >>> bool((kaiming_uniform_(ag.empty(3, 6)).abs() <= 1).all())
    True
    """
    if tensor.numel() == 0:
        return tensor
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal of standard deviation gain / sqrt(fan); He et al. 2015.

    >>> import autograd_cnn as ag
    >>> kaiming_normal_(ag.empty(3, 3)).shape
    (3, 3)
    """
    if tensor.numel() == 0:
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A random matrix with orthonormal rows or columns (the weight seen as (O, rest)), times gain.

    A. Saxe, J. McClelland, S. Ganguli: "Exact solutions to the nonlinear dynamics of learning", 2013.

    >>> import autograd_cnn as ag
    >>> q = orthogonal_(ag.empty(3, 3, dtype=ag.float64))
    >>> bool(((q @ q.T - ag.eye(3, dtype=ag.float64)).abs() < 1e-9).all())
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: needs at least 2 dimensions, got shape {list(tensor.shape)}")
    _require_floating("orthogonal_", tensor)
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    values = _numpy(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(values)
    q *= np.sign(np.diag(r))  # makes the distribution uniform
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """In each column of a matrix a part of the elements is 0, the rest normal with standard deviation `std`.

    sparsity: the part, rounded up to whole elements.  Raises ShapeError for what is no matrix, ArgumentError for a
    part outside of 0..1.
    Source: J. Martens, Deep learning via Hessian-free optimization, ICML 2010.

    >>> import autograd_cnn as ag
    >>> (sparse_(ag.empty(10, 3), 0.5) == 0).sum(0)
    tensor([5, 5, 5])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: takes a matrix, got shape {tensor.shape}")
    if not 0 <= sparsity <= 1:
        raise ArgumentError(f"sparse_: sparsity is {sparsity}; a part is in 0..1")
    _require_floating("sparse_", tensor)
    rows, columns = tensor.shape
    numbers = _numpy(generator)
    values = numbers.standard_normal((rows, columns)) * std
    order = numbers.random((rows, columns)).argsort(0)
    np.put_along_axis(values, order[: math.ceil(sparsity * rows)], 0, 0)
    return _fill(tensor, values)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution weight that passes its input channels through unchanged.

    >>> import autograd_cnn as ag
    >>> dirac_(ag.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: needs 3 to 5 dimensions, got shape {list(tensor.shape)}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError(f"dirac_: {tensor.shape[0]} output channels cannot be divided into {groups} groups")
    values = np.zeros(tensor.shape)
    per_group = tensor.shape[0] // groups
    center = tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + channel, channel, *center)] = 1
    return _fill(tensor, values)


def _deprecated(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """An initialisation by the name that PyTorch gave it first, without the underscore."""
    new = function.__name__
    old = new[:-1]

    @functools.wraps(function)
    def renamed(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        warnings.warn(f"nn.init.{old} is now called nn.init.{new}", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = old
    renamed.__doc__ = f"The old name of `{new}`."
    return renamed


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
