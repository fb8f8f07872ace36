"""How far one distribution is from another: the Kullback-Leibler divergence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from autograd_cnn.distributions.bernoulli import Bernoulli
from autograd_cnn.distributions.categorical import Categorical
from autograd_cnn.distributions.distribution import Distribution
from autograd_cnn.distributions.normal import Normal
from autograd_cnn.distributions.uniform import Uniform
from autograd_cnn.errors import DTypeError
from autograd_cnn.nn.functional import softplus
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.elementwise import log
from autograd_cnn.tensor import Tensor

F = TypeVar("F", bound=Callable[[Any, Any], Tensor])

_formulas: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type[Distribution], type_q: type[Distribution]) -> Callable[[F], F]:
    """A decorator: the function is `kl_divergence` of distributions of these classes and their subclasses.

    >>> class Constant(Distribution):
    ...     pass
    >>> @register_kl(Constant, Constant)
    ... def formula(p, q):
    ...     return 0
    >>> kl_divergence(Constant(), Constant())
    0
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise DTypeError(f"register_kl: takes subclasses of Distribution, got {kind!r}")

    def register(formula: F) -> F:
        _formulas[type_p, type_q] = formula
        return formula

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q), the expected value under p of ln(p(x) / q(x)), for each distribution of the batch.

    Raises NotImplementedError for a pair without a formula.

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    for kind_p in type(p).__mro__:
        for kind_q in type(q).__mro__:
            if (kind_p, kind_q) in _formulas:
                return _formulas[kind_p, kind_q](p, q)
    raise NotImplementedError(f"kl_divergence: no formula for {type(p).__name__} and {type(q).__name__}")


@register_kl(Normal, Normal)
def _(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - log(ratio))


@register_kl(Bernoulli, Bernoulli)
def _(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = where(p.probs == 0, 0.0, where(q.probs == 0, math.inf, one))
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return one + where(p.probs == 1, 0.0, where(q.probs == 1, math.inf, zero))


@register_kl(Categorical, Categorical)
def _(p: Categorical, q: Categorical) -> Tensor:
    parts = p.probs * (p.logits - q.logits)
    return where(p.probs == 0, 0.0, where(q.probs == 0, math.inf, parts)).sum(-1)


@register_kl(Uniform, Uniform)
def _(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.low <= p.low) & (p.high <= q.high)
    return where(inside, log((q.high - q.low) / (p.high - p.low)), math.inf)


@register_kl(Uniform, Normal)
def _(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    off = ((p.high + p.low - 2 * q.loc) / 2) ** 2
    return log(math.sqrt(2 * math.pi) * q.scale / width) + (width**2 / 12 + off) / (2 * q.scale**2)


@register_kl(Normal, Uniform)
def _(p: Normal, q: Uniform) -> Tensor:
    return (p.loc - q.low) * 0 + math.inf
