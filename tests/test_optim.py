"""Optimizers against PyTorch's, their groups, and their errors."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from optim_cases import CASES, OPTIMIZERS, arrays, give_gradients, parameters, torch_parameters

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.optim import SGD, Adam, AdamW, RMSprop


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize(
    ("kind", "settings"), CASES, ids=lambda x: x.__name__ if isinstance(x, type) else "-".join(map(str, x.values()))
)
def test_twenty_steps_as_torch(torch, kind, settings, dtype, tolerance):
    ours, theirs = parameters(dtype), torch_parameters(torch, dtype)
    a = kind([{"params": ours[:2]}, {"params": ours[2:], "lr": 0.003}], lr=0.02, **settings)
    b = getattr(torch.optim, kind.__name__)(
        [{"params": theirs[:2]}, {"params": theirs[2:], "lr": 0.003}], lr=0.02, **settings
    )
    for step in range(20):
        give_gradients(ours, step, dtype)
        for p, g in zip(theirs, arrays(1000 + step, dtype), strict=True):
            p.grad = torch.tensor(g)
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance)


def test_descends_towards_the_minimum():
    for kind, settings in OPTIMIZERS:
        p = ag.tensor([2.0, -3.0], requires_grad=True)
        optimizer = kind([p], **settings)
        for _ in range(300):
            optimizer.zero_grad()
            loss = ((p - 1) ** 2).sum()
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.05, kind


def test_parameters_without_gradient_are_left_alone():
    p, frozen, unused = (ag.ones(2, requires_grad=flag) for flag in (True, False, True))
    optimizer = Adam([p, frozen, unused], lr=0.1)
    (p * frozen).sum().backward()
    optimizer.step()
    assert (p != 1).all()
    assert (frozen == 1).all()
    assert (unused == 1).all()
    assert list(optimizer.state_dict()["state"]) == [0]


def test_closure():
    p = ag.tensor([1.0], requires_grad=True)
    optimizer = SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert p.item() == 0.5


def test_zero_grad():
    p = ag.tensor([1.0], requires_grad=True)
    optimizer = SGD([p])
    (p * p).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.item() == 0
    assert not p.grad.requires_grad
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is None


def test_step_counts_as_change_in_place():
    w = ag.tensor([2.0], requires_grad=True)
    x = ag.tensor([3.0], requires_grad=True)
    loss = (w * x).sum()
    w.grad = ag.ones(1)
    SGD([w], lr=0.1).step()
    with pytest.raises(InPlaceError, match=r"SGD\.step"):
        loss.backward()


def test_converted_parameters_go_on():
    for kind, settings in OPTIMIZERS:
        layer = ag.nn.Linear(3, 2)
        optimizer = kind(layer.parameters(), **settings)
        for dtype in (ag.float32, ag.float64):
            layer.to(dtype)
            before = layer.weight.detach().clone()
            layer(ag.ones(1, 3, dtype=dtype)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            assert layer.weight.dtype == dtype
            assert (layer.weight != before).all()
        assert all(
            t.dtype == ag.float64 for s in optimizer.state.values() for t in s.values() if isinstance(t, ag.Tensor)
        )


def test_gradient_of_another_shape():
    p, q = (ag.ones(3, requires_grad=True) for _ in range(2))
    optimizer = SGD([p, q], lr=0.1)
    for tensor in (p, q):
        tensor.grad = ag.ones(3)
    q.data = ag.ones(2)
    with pytest.raises(ShapeError, match=r"SGD: a gradient of shape \[3\] for \[2\]"):
        optimizer.step()
    assert (p == 1).all()


# Groups


def test_groups():
    a, b = parameters()[:2]
    optimizer = SGD([{"params": a, "lr": 0.5}, {"params": [b], "name": "rest"}], lr=0.1, momentum=0.9)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert optimizer.param_groups[1]["name"] == "rest"
    c = ag.ones(1, requires_grad=True)
    optimizer.add_param_group({"params": (p for p in [c]), "momentum": 0})
    assert optimizer.param_groups[2]["params"] == [c]
    assert optimizer.param_groups[2]["momentum"] == 0
    assert repr(optimizer).startswith("SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.5\n")


def one():
    return ag.ones(1, requires_grad=True)


BAD = [
    (lambda: SGD([one()], lr=-1), ArgumentError, "SGD: lr must be at least 0, got -1"),
    (lambda: SGD([one()], lr=float("nan")), ArgumentError, "SGD: lr must be at least 0, got nan"),
    (lambda: SGD([one()], lr="0.1"), DTypeError, "SGD: lr must be a number, got '0.1'"),
    (lambda: SGD([one()], momentum=-0.5), ArgumentError, "SGD: momentum must be at least 0, got -0.5"),
    (
        lambda: SGD([one()], nesterov=True),
        ArgumentError,
        "SGD: nesterov=True needs momentum > 0 and dampening = 0, got 0 and 0",
    ),
    (lambda: Adam([one()], betas=(0.9, 1.0)), ArgumentError, r"Adam: betas\[1\] must be in \[0, 1\), got 1.0"),
    (lambda: Adam([one()], betas=0.9), ArgumentError, "Adam: betas must be a pair of numbers, got 0.9"),
    (lambda: AdamW([one()], eps=-1), ArgumentError, "AdamW: eps must be at least 0, got -1"),
    (lambda: RMSprop([one()], alpha=-1), ArgumentError, "RMSprop: alpha must be at least 0, got -1"),
    (lambda: SGD([{"params": [one()], "lr": -2}]), ArgumentError, "SGD: lr must be at least 0, got -2"),
    (lambda: SGD([]), ArgumentError, "SGD: got an empty list of parameters"),
    (lambda: SGD(one()), DTypeError, "SGD: params must be an iterable of tensors, got one tensor"),
    (lambda: SGD(None), DTypeError, "SGD: params must be an iterable of tensors, got NoneType"),
    (lambda: SGD([3]), DTypeError, "SGD: can only optimize tensors, got int"),
    (lambda: SGD([one() * 2]), ArgumentError, "SGD: can only optimize leaves, got the result of <MulBackward>"),
    (lambda: SGD([{"lr": 1.0}]), ArgumentError, "SGD: a parameter group needs 'params', got lr"),
    (lambda: SGD([{"params": {one()}}]), DTypeError, "SGD: params must have an order, got a set"),
    (lambda: SGD([{"params": [one()]}, [one()]]), DTypeError, "SGD: a parameter group must be a dict, got list"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD, ids=range(len(BAD)))
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_refused_group_changes_nothing():
    p = one()
    optimizer = SGD([p], lr=0.1)
    for group in ({"params": [one(), p]}, {"params": [one()], "lr": -1}):
        with pytest.raises(ArgumentError):
            optimizer.add_param_group(group)
        assert len(optimizer.param_groups) == 1


def test_gradients_are_not_kept():
    p = ag.ones(3, requires_grad=True)
    optimizer = Adam([p])
    for _ in range(3):
        (p * p).sum().backward()
        optimizer.step()
        gradient = weakref.ref(p.grad.array)
        optimizer.zero_grad()
        assert gradient() is None
