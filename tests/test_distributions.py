"""Distributions: densities, entropies, moments and divergences beside PyTorch's, samples beside their moments."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import distributions as ours
from autograd_cnn.errors import ArgumentError, ShapeError

PLACES = [-1.5, 0.25, 3.0]
WEIGHTS = [[0.2, 0.5, 0.3], [0.0, 0.4, 0.6]]

# Class, parameters by name, a value of each kind that it has.
CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("Normal", {"loc": PLACES, "scale": [0.5, 1.0, 2.5]}, [[0.1, -2.0, 7.0], [0.3, 0.0, 1.0]]),
    ("Normal", {"loc": 0.5, "scale": 2.0}, [0.1, -2.0]),
    ("Uniform", {"low": PLACES, "high": [0.0, 0.5, 9.0]}, [[-0.5, 0.3, 8.0], [-1.5, 0.25, 3.5]]),
    ("Bernoulli", {"probs": [0.1, 0.5, 0.7]}, [[0.0, 1.0, 1.0]]),
    ("Bernoulli", {"logits": [-2.0, 0.5, 30.0]}, [1.0, 0.0, 1.0]),
    ("Bernoulli", {"probs": [0.0, 1.0]}, [0.0, 1.0]),
    ("Bernoulli", {"probs": 0.3}, [0.0, 1.0]),
    ("Categorical", {"probs": WEIGHTS}, [[1, 2], [0, 1], [2, 2]]),
    ("Categorical", {"probs": [2.0, 6.0]}, 1),
    ("Categorical", {"logits": [[0.5, -1.0, 3.0]]}, [2]),
]


def made(package: Any, distributions: Any, case: tuple[str, dict[str, Any], Any], dtype: str = "float64") -> Any:
    """The distribution, its tensor parameters and the value."""
    name, given, value = case
    dtype = getattr(package, dtype)
    parameters = {
        key: package.tensor(numbers, dtype=dtype, requires_grad=True) if isinstance(numbers, list) else numbers
        for key, numbers in given.items()
    }
    at = package.tensor(value) if name == "Categorical" else package.tensor(value, dtype=dtype)
    return getattr(distributions, name)(**parameters), [p for p in parameters.values() if hasattr(p, "grad")], at


def close(mine: Any, theirs: Any, rtol: float = 1e-6) -> None:
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients(case: Any, dtype: str, torch: ModuleType) -> None:
    (mine, my_parameters, at), (theirs, their_parameters, there) = (
        made(package, where, case, dtype) for package, where in ((ag, ours), (torch, torch.distributions))
    )
    assert mine.batch_shape == tuple(theirs.batch_shape)
    assert mine.event_shape == tuple(theirs.event_shape)
    assert (mine.has_rsample, mine.has_enumerate_support) == (theirs.has_rsample, theirs.has_enumerate_support)
    rtol = 2e-5 if dtype == "float32" else 1e-6
    for name in ("mean", "variance", "stddev", "mode"):
        close(getattr(mine, name), getattr(theirs, name), rtol)
    calls = [lambda d, v: d.log_prob(v), lambda d, v: d.entropy(), lambda d, v: d.perplexity()]
    if mine.has_rsample:
        calls += [lambda d, v: d.cdf(v), lambda d, v: d.icdf((v - v.min() + 0.1) / (v.max() - v.min() + 0.2))]
    for call in calls:
        x, y = call(mine, at), call(theirs, there)
        close(x, y, rtol)
        if not (x.requires_grad and bool(ag.isfinite(x).all())):
            continue
        got = ag.autograd.grad(x.sum(), my_parameters, retain_graph=True, allow_unused=True)
        wanted = torch.autograd.grad(y.sum(), their_parameters, retain_graph=True, allow_unused=True)
        for g, w in zip(got, wanted, strict=True):
            close(ag.zeros(1) if g is None else g, torch.zeros(1) if w is None else w, 10 * rtol)
    shape = (4, 2, *mine.batch_shape)
    close(mine.expand(shape).entropy(), theirs.expand(shape).entropy(), rtol)
    assert mine.expand(shape).batch_shape == shape
    assert tuple(mine.sample((5, 2)).shape) == tuple(theirs.sample((5, 2)).shape)
    assert mine.sample((5, 2)).dtype == getattr(ag, str(theirs.sample((5, 2)).dtype).removeprefix("torch."))
    assert tuple(mine.sample_n(3).shape) == (3, *mine.batch_shape)
    assert not mine.sample().requires_grad
    if mine.has_enumerate_support:
        for expand in (True, False):
            close(mine.enumerate_support(expand), theirs.enumerate_support(expand))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")
def test_samples_have_the_moments(case: Any) -> None:
    mine, _, _ = made(ag, ours, case)
    samples = mine.sample((40_000,)).numpy().astype(np.float64)
    if case[0] == "Categorical":
        shares = np.stack([(samples == i).mean(0) for i in range(mine.param_shape[-1])], -1)
        np.testing.assert_allclose(shares, mine.probs.detach().numpy(), atol=0.012)
        return
    spread = mine.stddev.detach().numpy()
    np.testing.assert_allclose(samples.mean(0), mine.mean.detach().numpy(), atol=float(5 * spread.max() / 200) + 1e-9)
    np.testing.assert_allclose(samples.std(0), spread, rtol=0.05, atol=1e-5)


def test_reparametrised_samples_have_gradients(torch: ModuleType) -> None:
    loc = ag.tensor([1.0, 2.0], requires_grad=True)
    scale = ag.tensor([0.5, 1.5], requires_grad=True)
    x = ours.Normal(loc, scale).rsample((1000,))
    x.sum().backward()
    assert loc.grad.tolist() == [1000, 1000]
    np.testing.assert_allclose(scale.grad.numpy(), ((x - loc) / scale).sum(0).detach().numpy(), rtol=1e-4)
    low, high = ag.tensor(0.0, requires_grad=True), ag.tensor(2.0, requires_grad=True)
    x = ours.Uniform(low, high).rsample((10,))
    x.sum().backward()
    np.testing.assert_allclose([low.grad.item(), high.grad.item()], [10 - x.sum().item() / 2, x.sum().item() / 2], 1e-5)


def test_inverse_of_the_normal_cdf_everywhere(torch: ModuleType) -> None:
    p = np.concatenate([[1e-300, 1e-30, 1e-10, 0.5], np.linspace(0.001, 0.999, 999), [1 - 1e-10, 0, 1]])
    ours_, theirs = (
        package.distributions.Normal(package.tensor(0.0, dtype=package.float64), 1.0).icdf(package.tensor(p))
        for package in (ag, torch)
    )
    np.testing.assert_allclose(ours_.numpy(), theirs.numpy(), rtol=1e-13, atol=1e-15)
    x = ag.tensor([0.03, 0.4, 0.97], dtype=ag.float64, requires_grad=True)
    standard = ours.Normal(ag.tensor(0.0, dtype=ag.float64), 1.0)
    assert ag.autograd.gradcheck(standard.icdf, [x])
    assert ag.autograd.gradgradcheck(standard.icdf, [x])
    assert ag.isnan(standard.icdf(ag.tensor(1.5)))


PAIRS = [
    (("Normal", {"loc": PLACES, "scale": [0.5, 1.0, 2.0]}), ("Normal", {"loc": 0.5, "scale": [1.0, 3.0, 0.1]})),
    (("Bernoulli", {"probs": [0.0, 0.3, 1.0, 0.4]}), ("Bernoulli", {"probs": [0.2, 0.3, 1.0, 0.0]})),
    (("Bernoulli", {"logits": [-1.0, 2.0]}), ("Bernoulli", {"probs": [1.0, 0.5]})),
    (("Categorical", {"probs": WEIGHTS}), ("Categorical", {"probs": [0.5, 0.0, 0.5]})),
    (("Categorical", {"probs": WEIGHTS}), ("Categorical", {"logits": [[0.1, 0.2, 0.3]]})),
    (("Uniform", {"low": [0.0, 1.0], "high": 2.0}), ("Uniform", {"low": 0.5, "high": [2.0, 3.0]})),
    (("Uniform", {"low": [0.0, 1.0], "high": 2.0}), ("Normal", {"loc": 0.5, "scale": [2.0, 3.0]})),
    (("Normal", {"loc": [0.0, 1.0], "scale": 2.0}), ("Uniform", {"low": 0.5, "high": [2.0, 3.0]})),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0][0]}-{pair[1][0]}")
def test_divergences(pair: Any, torch: ModuleType) -> None:
    results = []
    for package, where in ((ag, ours), (torch, torch.distributions)):
        p, q = (made(package, where, (*case, 0))[0] for case in pair)
        results.append(where.kl_divergence(p, q))
    close(*results)


def test_pairs_without_a_formula() -> None:
    with pytest.raises(NotImplementedError, match="Normal and Bernoulli"):
        ours.kl_divergence(ours.Normal(0.0, 1.0), ours.Bernoulli(0.5))
    with pytest.raises(TypeError):
        ours.register_kl(int, ours.Normal)  # type: ignore[arg-type]


WRONG = [
    (lambda d, t: d.Normal(0.0, -1.0), "scale of shape .* must satisfy GreaterThan"),
    (lambda d, t: d.Normal(t([0.0, float("nan")]), 1.0), r"loc of shape .* found nan at \[1\]"),
    (lambda d, t: d.Normal(t([0.0, 1.0]), 1.0).log_prob(t([1.0, 2.0, 3.0])), "does not fit"),
    (lambda d, t: d.Normal(0.0, 1.0).log_prob(t(float("nan"))), r"value of shape \(\) must satisfy Real"),
    (lambda d, t: d.Normal(0.0, 1.0).log_prob(1.0), "must be a tensor"),
    (lambda d, t: d.Bernoulli(1.5), "probs of shape .* must satisfy Interval"),
    (lambda d, t: d.Bernoulli(), "one of the two"),
    (lambda d, t: d.Bernoulli(0.5, 0.5), "one of the two"),
    (lambda d, t: d.Bernoulli(0.5).log_prob(t(0.3)), "must satisfy Boolean"),
    (lambda d, t: d.Uniform(1.0, 0.0), "low must be below high"),
    (lambda d, t: d.Uniform(0.0, 1.0).log_prob(t(3.0)), "must satisfy Interval"),
    (lambda d, t: d.Categorical(t([-0.2, 0.8])), "must satisfy Simplex"),
    (lambda d, t: d.Categorical(t([0.0, 0.0])), "must satisfy Simplex"),
    (lambda d, t: d.Categorical(t(0.5)), "dimension of classes"),
    (lambda d, t: d.Categorical(logits=t([float("nan"), 1.0])), "must satisfy RealVector"),
    (lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t(2)), "must satisfy IntegerInterval"),
    (lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t(0.5)), "must satisfy IntegerInterval"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=range(len(WRONG)))
def test_what_pytorch_refuses_is_refused(call: Any, message: str, torch: ModuleType) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - PyTorch's words are its own
        call(torch.distributions, torch.tensor)
    with pytest.raises((ArgumentError, ShapeError), match=message):
        call(ours, ag.tensor)


def test_checks_can_be_left_out() -> None:
    assert ag.isneginf(ours.Uniform(0.0, 1.0, validate_args=False).log_prob(ag.tensor(3.0)))
    ours.Distribution.set_default_validate_args(False)
    try:
        ours.Normal(0.0, -1.0)
    finally:
        ours.Distribution.set_default_validate_args(True)
    for missing in (ours.Bernoulli(0.5).rsample, lambda: ours.Normal(0.0, 1.0).enumerate_support()):
        with pytest.raises(NotImplementedError):
            missing()


@pytest.mark.parametrize("name", ["Distribution", "Normal", "Bernoulli", "Categorical", "Uniform", "kl_divergence"])
def test_signatures(name: str, torch: ModuleType) -> None:
    mine, theirs = (inspect.signature(getattr(where, name)) for where in (ours, torch.distributions))
    assert list(mine.parameters) == list(theirs.parameters)
    if inspect.isclass(getattr(ours, name)):
        assert repr(ours.Normal(0.0, 1.0)) == repr(torch.distributions.Normal(0.0, 1.0))
        for method in vars(getattr(torch.distributions, name)):
            assert method[0] == "_" or hasattr(getattr(ours, name), method)
