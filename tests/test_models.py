"""The named models: shapes, XOR, and the same losses and steps as PyTorch's with the same weights."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ShapeError
from autograd_cnn.models import MLP, MODELS, LeNet5, Perceptron, SimpleCNN
from autograd_cnn.optim import Adam


@pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(kind, channels):
    model = kind.for_data((channels, 28, 28), 7)
    y = model(ag.zeros(2, channels, 28, 28))
    assert y.shape == (2, 7)
    assert model.criterion()(y, ag.tensor([0, 6])).shape == ()


@pytest.mark.parametrize("kind", [LeNet5, SimpleCNN])
@pytest.mark.parametrize("shape", [(1, 8, 8), (28, 28), (2,)])
def test_images_of_another_size(kind, shape):
    message = rf"{kind.__name__}: needs images of \(channels, 28, 28\), got \({shape[0]}"
    with pytest.raises(ShapeError, match=message):
        kind.for_data(shape, 10)


def test_mlp_sizes():
    widths = [tuple(p.shape) for p in MLP(4, 3, hidden=(5, 6)).parameters()]
    assert widths == [(5, 4), (5,), (6, 5), (6,), (3, 6), (3,)]
    assert len(list(MLP(4, 3, hidden=()).parameters())) == 2


def train_on_xor(model, steps=300):
    """Trains on the four cases of exclusive or; returns how many are right."""
    x = ag.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = ag.tensor([0, 1, 1, 0])
    optimizer, criterion = Adam(model.parameters(), lr=0.05), model.criterion()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
    return int((model(x).argmax(1) == target).sum()), loss.item()


def test_mlp_solves_xor():
    right, loss = train_on_xor(MLP(2, 2, hidden=(16,)))
    assert right == 4
    assert loss < 0.01


def test_perceptron_cannot_solve_xor():
    right, loss = train_on_xor(Perceptron(2, 2))
    assert right <= 3  # no line has both diagonals on its right sides
    assert loss == pytest.approx(np.log(2), abs=1e-3)  # the best it can do is to shrug


def torch_twin(torch, kind):
    """The same network in PyTorch, as a Sequential, with the names of its layers in the order of use."""
    layer = torch.nn
    pool = lambda: layer.MaxPool2d(2)  # noqa: E731
    if kind is LeNet5:
        parts = [
            layer.Conv2d(1, 6, 5, padding=2), layer.ReLU(), pool(), layer.Conv2d(6, 16, 5), layer.ReLU(), pool(),
            layer.Flatten(), layer.Linear(400, 120), layer.ReLU(), layer.Linear(120, 84), layer.ReLU(),
            layer.Linear(84, 10),
        ]  # fmt: skip
        return layer.Sequential(*parts), layer.CrossEntropyLoss()
    parts = [
        layer.Conv2d(1, 32, 3), layer.ReLU(), pool(), layer.Conv2d(32, 64, 3), layer.ReLU(), pool(),
        layer.Flatten(), layer.Linear(1600, 128), layer.ReLU(), layer.Linear(128, 10), layer.LogSoftmax(dim=1),
    ]  # fmt: skip
    return layer.Sequential(*parts), layer.NLLLoss()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 2e-4)])
@pytest.mark.parametrize("kind", [LeNet5, SimpleCNN])
def test_losses_and_steps_as_torch(torch, kind, dtype, tolerance):
    torch.manual_seed(0)
    ours = kind().to(ag.float64 if dtype == "float64" else ag.float32)
    theirs, loss = torch_twin(torch, kind)
    theirs.to(getattr(torch, dtype))
    names = list(ours.state_dict())
    ours.load_state_dict(dict(zip(names, (v.numpy() for v in theirs.state_dict().values()), strict=True)))
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((4, 1, 28, 28)).astype(dtype), rng.integers(0, 10, 4)
    a, b = Adam(ours.parameters(), lr=1e-3), torch.optim.Adam(theirs.parameters(), lr=1e-3)
    for _ in range(3):
        a.zero_grad()
        b.zero_grad()
        mine = ours.criterion()(ours(ag.tensor(x)), ag.tensor(target))
        other = loss(theirs(torch.tensor(x)), torch.tensor(target))
        assert mine.item() == pytest.approx(other.item(), rel=tolerance)
        mine.backward()
        other.backward()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=tolerance, atol=tolerance / 10)
        a.step()
        b.step()
    if dtype == "float64":  # in float32 a gradient near 0 may have either sign, and Adam's first steps follow it
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-8)


def test_models_learn_to_tell_a_few_images_apart():
    x = ag.randn(8, 1, 28, 28)
    target = ag.arange(8)
    for kind in MODELS.values():
        model = kind.for_data((1, 28, 28), 10)
        optimizer, criterion = Adam(model.parameters(), lr=3e-3), model.criterion()
        first = criterion(model(x), target).item()
        for _ in range(30):
            optimizer.zero_grad()
            loss = criterion(model(x), target)
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.5 * first, kind.__name__
