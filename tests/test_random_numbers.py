"""Random numbers: their distributions, generators, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, AutogradCnnError, DTypeError, InPlaceError, ShapeError

N = 20_000

# What is drawn, its mean and its standard deviation.
DISTRIBUTIONS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "rand": (lambda g: ag.rand(N, generator=g), 0.5, 12**-0.5),
    "randn": (lambda g: ag.randn(N, generator=g), 0.0, 1.0),
    "rand_like": (lambda g: ag.rand_like(ag.zeros(N), generator=g), 0.5, 12**-0.5),
    "randn_like": (lambda g: ag.randn_like(ag.zeros(N), generator=g), 0.0, 1.0),
    "randint": (lambda g: ag.randint(2, 7, (N,), generator=g), 4.0, 2**0.5),
    "randint_like": (lambda g: ag.randint_like(ag.zeros(N), 2, 7, generator=g), 4.0, 2**0.5),
    "normal": (lambda g: ag.normal(3.0, 2.0, (N,), generator=g), 3.0, 2.0),
    "normal of tensors": (lambda g: ag.normal(ag.full((N // 2, 1), 3.0), ag.full((2,), 2.0), generator=g), 3.0, 2.0),
    "bernoulli": (lambda g: ag.bernoulli(ag.full((N,), 0.2), generator=g), 0.2, 0.4),
    "bernoulli of p": (lambda g: ag.bernoulli(ag.zeros(N), 0.2, generator=g), 0.2, 0.4),
    "poisson": (lambda g: ag.poisson(ag.full((N,), 4.0), generator=g), 4.0, 2.0),
    "bernoulli_": (lambda g: ag.zeros(N).bernoulli_(0.2, generator=g), 0.2, 0.4),
    "bernoulli_ of a tensor": (lambda g: ag.zeros(N // 2, 2).bernoulli_(ag.tensor([0.2, 0.2]), generator=g), 0.2, 0.4),
    "bernoulli_ of integers": (lambda g: ag.zeros(N, dtype=ag.int64).bernoulli_(0.2, generator=g), 0.2, 0.4),
    "normal_": (lambda g: ag.zeros(N).normal_(3, 2, generator=g), 3.0, 2.0),
    "uniform_": (lambda g: ag.zeros(N).uniform_(-1, 3, generator=g), 1.0, 4 / 12**0.5),
    "exponential_": (lambda g: ag.zeros(N).exponential_(2, generator=g), 0.5, 0.5),
    "geometric_": (lambda g: ag.zeros(N).geometric_(0.25, generator=g), 4.0, 12**0.5),
    "log_normal_": (lambda g: ag.zeros(N).log_normal_(0, 0.5, generator=g).log_(), 0.0, 0.5),
    "random_": (lambda g: ag.zeros(N).random_(2, 7, generator=g), 4.0, 2**0.5),
    "random_ to": (lambda g: ag.zeros(N, dtype=ag.int32).random_(5, generator=g), 2.0, 2**0.5),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_mean_and_deviation(name: str) -> None:
    draw, mean, deviation = DISTRIBUTIONS[name]
    drawn = draw(ag.Generator().manual_seed(0)).numpy().astype(np.float64)
    assert drawn.size == N
    assert abs(drawn.mean() - mean) < 5 * deviation / N**0.5
    assert abs(drawn.std() / deviation - 1) < 0.05


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_generators_are_apart_and_repeat(name: str) -> None:
    draw = DISTRIBUTIONS[name][0]
    first = draw(ag.Generator().manual_seed(3))
    ag.manual_seed(7)
    before = ag.get_rng_state()
    assert (draw(ag.Generator().manual_seed(3)) == first).all()
    assert ag.get_rng_state() == before
    assert not (draw(None) == first).all()
    assert ag.get_rng_state() != before


def test_cauchy() -> None:
    drawn = ag.zeros(N).cauchy_(1, 2).numpy()
    assert abs(np.median(drawn) - 1) < 0.1
    assert abs(np.percentile(drawn, 75) - 3) < 0.3


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_by_weight(replacement: bool) -> None:
    weights = ag.tensor([1.0, 0.0, 3.0, 4.0]).expand(N, 4)
    drawn = ag.multinomial(weights, 2, replacement)
    assert (drawn.shape, drawn.dtype) == ((N, 2), ag.int64)
    counts = np.bincount(drawn[:, 0].numpy(), minlength=4) / N
    np.testing.assert_allclose(counts, [1 / 8, 0, 3 / 8, 4 / 8], atol=0.02)
    same = (drawn[:, 0] == drawn[:, 1]).double().mean().item()
    assert abs(same - (1 + 9 + 16) / 64) < 0.02 if replacement else same == 0


def test_multinomial_of_one_row() -> None:
    assert sorted(ag.multinomial(ag.ones(4), 4).tolist()) == [0, 1, 2, 3]
    assert ag.tensor([0.0, 1.0]).multinomial(3, replacement=True).tolist() == [1, 1, 1]
    assert ag.multinomial(ag.ones(0, 3), 2).shape == (0, 2)


def test_random_fills_the_range_of_a_dtype() -> None:
    assert ag.zeros(N, dtype=ag.uint8).random_().numpy().max() == 255
    assert ag.zeros(N, dtype=ag.int32).random_().numpy().min() >= 0
    assert ag.zeros(N, dtype=ag.int64).random_().numpy().max() > 2**60
    assert ag.zeros(N).random_().numpy().max() <= 2**24
    assert set(ag.zeros(N, dtype=ag.bool).random_().tolist()) == {True, False}


def test_what_is_overwritten_has_no_gradient() -> None:
    x = ag.ones(3, requires_grad=True)
    y = x * 2
    y.normal_()
    (y * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    p = ag.full((3,), 0.5, requires_grad=True)
    (ag.bernoulli(p) * 3).sum().backward()
    np.testing.assert_array_equal(p.grad.numpy(), np.zeros(3))


@pytest.mark.parametrize(
    ("draw", "error", "match"),
    [
        (lambda: ag.bernoulli(ag.tensor([0.5, 1.5])), ArgumentError, r"a probability lies in \[0, 1\], got 1.5"),
        (lambda: ag.bernoulli(ag.tensor([1])), DTypeError, "input must be a floating point tensor"),
        (lambda: ag.zeros(2).bernoulli_(-1), ArgumentError, "got -1"),
        (lambda: ag.zeros(2).bernoulli_(float("nan")), ArgumentError, "got nan"),
        (lambda: ag.zeros(2).bernoulli_(ag.ones(3)), ShapeError, "3 to 2"),
        (lambda: ag.zeros(2).bernoulli_(generator=7), DTypeError, "must be a Generator, got int"),
        (lambda: ag.multinomial(ag.ones(2, 2, 2), 1), ShapeError, r"\[2, 2, 2\]"),
        (lambda: ag.multinomial(ag.tensor([1.0, -1.0]), 1), ArgumentError, "not negative"),
        (lambda: ag.multinomial(ag.tensor([1.0, float("inf")]), 1), ArgumentError, "finite"),
        (lambda: ag.multinomial(ag.tensor([[1.0], [0.0]]), 1), ArgumentError, "all 0"),
        (lambda: ag.multinomial(ag.tensor([1.0, 0.0]), 2), ArgumentError, "drawn, 1; got 2"),
        (lambda: ag.multinomial(ag.ones(2), 0), ArgumentError, "got 0"),
        (lambda: ag.multinomial(ag.tensor([1, 2]), 1), DTypeError, "floating point"),
        (lambda: ag.normal(0.0, 1.0), ArgumentError, "need a size"),
        (lambda: ag.normal(0.0, -1.0, (2,)), ArgumentError, "must not be negative, got -1"),
        (lambda: ag.normal(ag.zeros(2), ag.tensor([1.0, -2.0])), ArgumentError, "got -2"),
        (lambda: ag.normal(ag.tensor([1]), 1.0), DTypeError, "mean must be a floating point tensor"),
        (lambda: ag.normal(ag.zeros(2), ag.ones(3)), ShapeError, "do not broadcast"),
        (lambda: ag.poisson(ag.tensor([-1.0])), ArgumentError, "must not be negative"),
        (lambda: ag.zeros(2).normal_(0, -1), ArgumentError, "std must not be negative"),
        (lambda: ag.zeros(2, dtype=ag.int64).normal_(), DTypeError, "floating point"),
        (lambda: ag.zeros(2).uniform_(2, 1), ArgumentError, "got 2 and 1"),
        (lambda: ag.zeros(2).exponential_(0), ArgumentError, "lambd must be positive"),
        (lambda: ag.zeros(2).cauchy_(0, 0), ArgumentError, "sigma must be positive"),
        (lambda: ag.zeros(2).geometric_(0), ArgumentError, r"p must lie in \(0, 1\]"),
        (lambda: ag.zeros(2).log_normal_(0, -1), ArgumentError, "std must not be negative"),
        (lambda: ag.zeros(2).random_(3, 3), ArgumentError, "from < to, got 3 and 3"),
        (lambda: ag.zeros(2, dtype=ag.uint8).random_(0, 300), ArgumentError, "uint8 cannot hold"),
        (lambda: ag.randint(3, 3, (2,)), ArgumentError, "low < high"),
        (lambda: ag.rand(2, generator="g"), DTypeError, "must be a Generator, got str"),
        (lambda: ag.ones(2, requires_grad=True).normal_(), InPlaceError, "normal_ in place: a leaf"),
        (lambda: ag.ones(1).expand(3).uniform_(), InPlaceError, "share memory"),
    ],
)
def test_refused_before_anything_is_drawn(draw: Callable[[], Any], error: type[AutogradCnnError], match: str) -> None:
    before = ag.get_rng_state()
    with pytest.raises(error, match=match):
        draw()
    assert ag.get_rng_state() == before


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
def test_normal_numbers_do_not_depend_on_threads_and_continue(dtype: np.dtype) -> None:
    threads = ag.get_num_threads()
    drawn = []
    for count in (1, threads):
        ag.set_num_threads(count)
        drawn.append(ag.randn(100_003, generator=ag.Generator().manual_seed(3), dtype=dtype))
    assert (drawn[0] == drawn[1]).all()
    generator = ag.Generator().manual_seed(3)
    few = ag.randn(1000, generator=generator, dtype=dtype)
    assert (few == drawn[0][:1000]).all()
    state = generator.get_state()
    following = ag.randn(77, generator=generator, dtype=dtype)
    assert not np.isin(following.numpy(), few.numpy()).any()
    assert (ag.randn(77, generator=generator.set_state(state), dtype=dtype) == following).all()


def test_normal_numbers_are_normal() -> None:
    x = np.sort(ag.randn(200_000, generator=ag.Generator().manual_seed(0), dtype=ag.float64).numpy())
    bounds = np.array([-4, -3, -2, -1, 0, 1, 2, 3, 4.0])
    share = np.searchsorted(x, bounds) / x.size
    expected = 0.5 * ag.erfc(ag.tensor(-bounds / np.sqrt(2))).numpy()
    assert (abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / x.size)).all()
    pairs = ag.randn(200_000, generator=ag.Generator().manual_seed(1)).numpy().reshape(-1, 2, 16)
    cosine, sine = pairs[:, 0].ravel(), pairs[:, 1].ravel()
    assert abs(np.corrcoef(cosine, sine)[0, 1]) < 0.02
    assert abs(np.corrcoef(cosine**2, sine**2)[0, 1]) < 0.02
