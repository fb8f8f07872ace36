"""L-BFGS and its line search against PyTorch's, their state, and their errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from optim_cases import as_numpy, as_torch, product

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.optim import LBFGS
from autograd_cnn.optim.line_search import Point, strong_wolfe

CASES = product(
    line_search_fn=[None, "strong_wolfe"],
    lr=[1, 0.2],
    max_iter=[20, 4, 1],
    max_eval=[None, 3],
    history_size=[100, 2],
)
RNG = np.random.default_rng(0)
FEATURES, LABELS = RNG.standard_normal((30, 6)), RNG.standard_normal(30)


class Problem:
    """A smooth convex problem of two parameters, in our tensors or in PyTorch's."""

    def __init__(self, t, settings, start=None):
        self.t = t
        start = start or [np.full((2, 3), 0.3), np.zeros(6)]
        self.params = [t.tensor(values).requires_grad_() for values in start]
        self.optimizer = t.optim.LBFGS(self.params, **settings)
        self.features, self.labels = t.tensor(FEATURES), t.tensor(LABELS)
        self.calls = 0

    def closure(self):
        self.calls += 1
        self.optimizer.zero_grad()
        w = self.params[0].reshape(-1) - self.params[1]
        loss = self.t.log(1 + self.t.exp(self.features @ w * self.labels)).sum()
        loss = loss + 0.5 * (self.params[1] ** 4).sum() + (self.params[1] ** 2).sum() + 0.1 * (w**2).sum()
        loss.backward()
        return loss

    def step(self):
        with warnings.catch_warnings():  # PyTorch's step makes a number of a tensor that requires grad
            warnings.simplefilter("ignore")
            return self.optimizer.step(self.closure).item()

    def values(self):
        return [p.detach().numpy().copy() for p in self.params]


def agree(ours, theirs):
    for a, b in zip(ours.values(), theirs.values(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("settings", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_fifty_steps_as_torch(torch, settings):
    ours, theirs = Problem(ag, settings), Problem(torch, settings)
    for step in range(50):
        assert ours.step() == pytest.approx(theirs.step(), rel=1e-8)
        agree(ours, theirs)
        if step < 3:
            assert ours.calls == theirs.calls


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_state_of_torch_and_for_torch(torch, line_search_fn):
    settings = {"lr": 0.5, "max_iter": 3, "line_search_fn": line_search_fn}
    for first, second, convert in (
        (ag, torch, lambda state: as_torch(torch, state)),
        (torch, ag, as_numpy),
        (ag, ag, lambda state: state),
    ):
        before = Problem(first, settings)
        for _ in range(3):
            before.step()
        after = Problem(second, {}, before.values())
        after.optimizer.load_state_dict(convert(before.optimizer.state_dict()))
        for _ in range(4):
            before.step()
            after.step()
            agree(before, after)


def test_parameters_that_are_not_contiguous():
    """PyTorch raises."""
    ours, other = Problem(ag, {}), Problem(ag, {})
    other.params[0] = ag.tensor(np.full((3, 2), 0.3)).T.detach().requires_grad_()
    other.optimizer = LBFGS(other.params)
    assert not other.params[0].is_contiguous()
    for _ in range(3):
        assert ours.step() == other.step()
    agree(ours, other)


def test_parameters_that_are_converted():
    problem = Problem(ag, {"max_iter": 4})
    problem.step()
    for p in problem.params:
        p.data = p.data.float()
    problem.features, problem.labels = problem.features.float(), problem.labels.float()
    for _ in range(20):
        problem.step()
    assert all(x.dtype == ag.float32 for x in problem.optimizer.state[problem.params[0]]["old_dirs"])
    exact = Problem(ag, {"max_iter": 4})
    for _ in range(20):
        exact.step()
    for a, b in zip(problem.values(), exact.values(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    problem.optimizer.param_groups[0]["params"].append(ag.zeros(1, requires_grad=True))
    with pytest.raises(ShapeError, match="LBFGS: the state is of 12 parameters, there are 13; make a new optimizer"):
        problem.step()


def test_single_precision_reaches_the_minimum():
    p = ag.tensor([-1.2, 1.0], requires_grad=True)
    optimizer = LBFGS([p], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.step(closure)
    np.testing.assert_allclose(p.tolist(), [1, 1], rtol=1e-3)


def test_parameters_without_gradient_stay(torch):
    p, unused = ag.ones(2, requires_grad=True), ag.ones(3, requires_grad=True)
    optimizer = LBFGS([p, unused], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        assert optimizer.step(closure).item() == 2.0
    assert unused.tolist() == [1, 1, 1]
    assert (p < 1).all()


def test_at_the_minimum_nothing_happens():
    p = ag.zeros(2, requires_grad=True)
    optimizer = LBFGS([p])

    def closure():
        p.grad = ag.zeros(2)
        return 0.0

    assert optimizer.step(closure) == 0.0
    assert optimizer.state[p] == {"func_evals": 1, "n_iter": 0}


@pytest.mark.parametrize("step", [1e-3, 0.3, 1.0, 50.0])
@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda t: (t - 2) ** 2, lambda t: 2 * (t - 2)),
        (lambda t: t**4 - 3 * t, lambda t: 4 * t**3 - 3),
        (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
        (lambda t: np.exp(t) - 5 * t, lambda t: np.exp(t) - 5),
    ],
)
def test_the_step_found_satisfies_wolfe_s_conditions(value, slope, step):
    start = Point(0.0, value(0.0), None, slope(0.0))
    found, evaluations = strong_wolfe(lambda t: Point(t, value(t), None, slope(t)), step, start, 1.0, 1e-9, 25)
    assert found.value <= start.value + 1e-4 * found.step * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert evaluations <= 25


def test_errors():
    p = ag.ones(1, requires_grad=True)
    for make, error, message in (
        (lambda: LBFGS([p]).step(), DTypeError, "LBFGS: step needs a closure"),
        (lambda: LBFGS([p], line_search_fn="wolfe"), ArgumentError, "LBFGS: line_search_fn must be None or 'strong_w"),
        (lambda: LBFGS([p], lr=-1), ArgumentError, "LBFGS: lr must be at least 0, got -1"),
        (
            lambda: LBFGS([{"params": p}, {"params": [ag.ones(1)]}]),
            ArgumentError,
            "all parameters must be in one group",
        ),
    ):
        with pytest.raises(error, match=message):
            make()
