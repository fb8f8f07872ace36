"""Initial values: distributions by their statistics, exact ones by their values, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.nn import init
from autograd_cnn.random import Generator


def uniform_like(values, low, high):
    """Kolmogorov-Smirnov: the empirical distribution stays within 1.95 / sqrt(n) of the uniform one (p = 0.001)."""
    values = np.sort(np.asarray(values, np.float64).ravel())
    assert values[0] >= low * (1 + 1e-6)
    assert values[-1] <= high * (1 + 1e-6)
    expected = (values - low) / (high - low)
    distance = np.abs(expected - np.arange(values.size) / values.size).max()
    assert distance < 1.95 / math.sqrt(values.size)


def normal_like(values, mean, std):
    values = np.sort(np.asarray(values, np.float64).ravel())
    expected = np.array([0.5 * (1 + math.erf((v - mean) / std / math.sqrt(2))) for v in values])
    distance = np.abs(expected - np.arange(values.size) / values.size).max()
    assert distance < 1.95 / math.sqrt(values.size)


def test_the_tests_can_tell_distributions_apart():
    rng = np.random.default_rng(0)
    uniform_like(rng.uniform(-2, 2, 4000), -2, 2)
    normal_like(rng.normal(1, 2, 4000), 1, 2)
    for wrong in (
        lambda: uniform_like(rng.uniform(-2, 1.8, 4000), -2, 2),
        lambda: normal_like(rng.normal(1, 2.5, 4000), 1, 2),
    ):
        with pytest.raises(AssertionError):
            wrong()


SHAPE = (50, 4, 5, 3)
FAN_IN, FAN_OUT = 60, 750

UNIFORM = {
    "uniform": (lambda t: init.uniform_(t, -1, 3), -1, 3),
    "xavier": (lambda t: init.xavier_uniform_(t, 2.0), -2 * math.sqrt(6 / 810), 2 * math.sqrt(6 / 810)),
    "kaiming": (init.kaiming_uniform_, -math.sqrt(6 / FAN_IN), math.sqrt(6 / FAN_IN)),
    "kaiming fan_out relu": (
        lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
        -math.sqrt(6 / FAN_OUT),
        math.sqrt(6 / FAN_OUT),
    ),
    "kaiming slope": (
        lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)),
        -1 / math.sqrt(FAN_IN),
        1 / math.sqrt(FAN_IN),
    ),
}


@pytest.mark.parametrize(("fill", "low", "high"), UNIFORM.values(), ids=UNIFORM)
def test_uniform(fill, low, high):
    t = ag.empty(*SHAPE)
    assert fill(t) is t
    uniform_like(t.numpy(), low, high)


NORMAL = {
    "normal": (lambda t: init.normal_(t, 1.0, 3.0), 1, 3),
    "xavier": (init.xavier_normal_, 0, math.sqrt(2 / 810)),
    "kaiming": (init.kaiming_normal_, 0, math.sqrt(2 / FAN_IN)),
    "kaiming tanh": (
        lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"),
        0,
        5 / 3 / math.sqrt(FAN_OUT),
    ),
}


@pytest.mark.parametrize(("fill", "mean", "std"), NORMAL.values(), ids=NORMAL)
def test_normal(fill, mean, std):
    t = ag.empty(*SHAPE)
    assert fill(t) is t
    normal_like(t.numpy(), mean, std)


def test_truncated_normal():
    t = init.trunc_normal_(ag.empty(4000), 1.0, 2.0, 0.0, 2.0).numpy()
    assert t.min() >= 0
    assert t.max() <= 2
    share = math.erf(0.5 / math.sqrt(2))  # of a normal that lies within half a standard deviation
    inner = np.abs(t - 1) < 0.5
    assert abs(inner.mean() - math.erf(0.25 / math.sqrt(2)) / share) < 0.03
    with pytest.raises(ArgumentError, match=r"\[50, 60\] is too far from mean 0.0 with std 1.0"):
        init.trunc_normal_(ag.empty(3), a=50, b=60)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (2, 3, 4), (6, 1, 2)])
def test_orthogonal(shape):
    w = init.orthogonal_(ag.empty(*shape, dtype=ag.float64), gain=2.0).numpy().reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_exact_values(torch):
    for name, shape, settings in [
        ("zeros_", (2, 3), {}),
        ("ones_", (2, 3), {}),
        ("constant_", (2, 3), {"val": 0.25}),
        ("eye_", (3, 5), {}),
        ("dirac_", (4, 2, 3), {}),
        ("dirac_", (6, 2, 3, 4), {"groups": 3}),
        ("dirac_", (2, 3, 3, 3, 2), {}),
    ]:
        ours = getattr(init, name)(ag.ones(*shape), **settings)
        theirs = getattr(torch.nn.init, name)(torch.ones(*shape), **settings)
        assert (ours.numpy() == theirs.numpy()).all(), name


def test_gains_as_torch(torch):
    names = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
    for name in [*names, "sigmoid", "tanh", "relu", "leaky_relu", "selu"]:
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15), name
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    for name, param in (("swish", None), ("leaky_relu", True), ("leaky_relu", "x")):
        with pytest.raises(ValueError, match=r"number|swish"):
            torch.nn.init.calculate_gain(name, param)
        with pytest.raises(ArgumentError, match="calculate_gain"):
            init.calculate_gain(name, param)


def test_generator_and_seed():
    a = init.normal_(ag.empty(5), generator=Generator().manual_seed(3))
    b = init.normal_(ag.empty(5), generator=Generator().manual_seed(3))
    assert (a == b).all()
    ag.manual_seed(1)
    first = nn.Linear(3, 3).weight.detach().numpy().copy()
    ag.manual_seed(1)
    assert (nn.Linear(3, 3).weight.detach().numpy() == first).all()


def test_parameters_are_filled_in_place_outside_of_the_graph():
    w = nn.Parameter(ag.ones(2, 2))
    version = w._version
    assert init.zeros_(w) is w
    assert w.is_leaf
    assert w.requires_grad
    assert w._version > version
    view = ag.ones(4, 4)
    init.zeros_(view[::2].T)
    assert view.sum().item() == 8


ERRORS = [
    (lambda: init.xavier_uniform_(ag.empty(3)), ShapeError, r"at least 2 dimensions, got shape \[3\]"),
    (lambda: init.kaiming_normal_(ag.empty(3)), ShapeError, r"at least 2 dimensions, got shape \[3\]"),
    (lambda: init.kaiming_normal_(ag.empty(3, 3), mode="fan"), ArgumentError, "'fan_in' or 'fan_out', got 'fan'"),
    (lambda: init.kaiming_normal_(ag.empty(3, 3), nonlinearity="swish"), ArgumentError, "unknown nonlinearity 'swish'"),
    (lambda: init.uniform_(ag.empty(3), 2, 1), ArgumentError, "uniform_: needs a <= b, got 2 and 1"),
    (lambda: init.normal_(ag.empty(3), std=-1), ArgumentError, "normal_: std must be at least 0, got -1"),
    (lambda: init.normal_(ag.ones(3).long()), DTypeError, "normal_: tensor must be floating point, got int64"),
    (lambda: init.trunc_normal_(ag.empty(3), a=1, b=1), ArgumentError, "trunc_normal_: needs a < b, got 1 and 1"),
    (lambda: init.orthogonal_(ag.empty(3)), ShapeError, r"at least 2 dimensions, got shape \[3\]"),
    (lambda: init.eye_(ag.empty(3)), ShapeError, r"eye_: needs 2 dimensions, got shape \[3\]"),
    (lambda: init.dirac_(ag.empty(3, 3)), ShapeError, r"dirac_: needs 3 to 5 dimensions, got shape \[3, 3\]"),
    (lambda: init.dirac_(ag.empty(3, 3, 3), 2), ArgumentError, "3 output channels cannot be divided into 2 groups"),
]


@pytest.mark.parametrize(("fill", "error", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(fill, error, message):
    with pytest.raises(error, match=message):
        fill()


def test_empty_weights():
    for fill in (init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_, init.uniform_):
        assert fill(ag.empty(0, 3)).shape == (0, 3)
    assert nn.Linear(0, 3).bias.tolist() == [0, 0, 0]


# Layers

DEFAULTS = {
    "Linear": (lambda lib: lib.Linear(60, 500), 1 / math.sqrt(60)),
    "Conv2d": (lambda lib: lib.Conv2d(4, 500, (5, 3)), 1 / math.sqrt(60)),
    "Conv2d groups": (lambda lib: lib.Conv2d(8, 500, (5, 3), groups=2), 1 / math.sqrt(60)),
}


@pytest.mark.parametrize(("make", "bound"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults_of_layers(torch, make, bound):
    torch.manual_seed(0)
    for module in (make(nn), make(torch.nn)):
        for parameter in module.parameters():
            uniform_like(parameter.detach().numpy(), -bound, bound)


def test_defaults_of_embedding():
    weight = nn.Embedding(400, 10, padding_idx=7).weight.detach().numpy()
    assert (weight[7] == 0).all()
    normal_like(np.delete(weight, 7, 0), 0, 1)


def test_defaults_that_are_exact():
    norm = nn.BatchNorm2d(3)
    assert [t.tolist() for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)] == [
        [1] * 3, [0] * 3, [0] * 3, [1] * 3,
    ]  # fmt: skip
    assert nn.PReLU(2).weight.tolist() == [0.25, 0.25]
