"""Learning-rate schedules against PyTorch's, their state, and their errors."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.optim import SGD, lr_scheduler


def one():
    return ag.ones(1, requires_grad=True)


SCHEDULES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
]


def scheduled(torch):
    ours = SGD([{"params": [one()], "lr": 0.5}, {"params": [one()]}], lr=0.1)
    p, q = (torch.ones(1, requires_grad=True) for _ in range(2))
    theirs = torch.optim.SGD([{"params": [p], "lr": 0.5}, {"params": [q]}], lr=0.1)
    theirs.step()  # PyTorch warns where no step came before the schedule's
    return ours, theirs


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def in_step(torch, ours, theirs, make, epochs=30):
    """Runs schedules beside PyTorch's and compares the rates of every epoch."""
    mine = make(lr_scheduler, ours)
    other = make(torch.optim.lr_scheduler, theirs)
    for _ in range(epochs):
        theirs.step()
        for a, b in zip(mine, other, strict=True):
            a.step()
            b.step()
            np.testing.assert_allclose(a.get_last_lr(), b.get_last_lr(), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(rates(ours), rates(theirs), rtol=1e-12, atol=1e-15)
    return mine, other


@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
def test_schedule_as_torch(torch, name, settings):
    ours, theirs = scheduled(torch)
    in_step(torch, ours, theirs, lambda module, optimizer: [getattr(module, name)(optimizer, **settings)])


def test_chained_schedules_as_torch(torch):
    ours, theirs = scheduled(torch)
    in_step(
        torch,
        ours,
        theirs,
        lambda module, optimizer: [
            module.ExponentialLR(optimizer, 0.97),
            module.StepLR(optimizer, 4, 0.7),
            module.CosineAnnealingLR(optimizer, 12, 1e-3),
        ],
    )


@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
@pytest.mark.parametrize("last_epoch", [2, 5, 6])
def test_schedule_resumed_by_last_epoch_as_torch(torch, name, settings, last_epoch):
    ours, theirs = scheduled(torch)
    for optimizer in (ours, theirs):
        for group in optimizer.param_groups:
            group["initial_lr"] = 2 * group["lr"]
    make = lambda module, optimizer: [getattr(module, name)(optimizer, **settings, last_epoch=last_epoch)]  # noqa: E731
    in_step(torch, ours, theirs, make)


@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
def test_schedule_state(torch, name, settings):
    ours, theirs = scheduled(torch)
    (mine,), (other,) = in_step(
        torch, ours, theirs, lambda module, optimizer: [getattr(module, name)(optimizer, **settings)], 5
    )
    for saved in (mine.state_dict(), other.state_dict()):
        again = SGD([{"params": [one()]}, {"params": [one()]}])
        resumed = getattr(lr_scheduler, name)(again, **{**settings, next(iter(settings)): 1})
        for group, lr in zip(again.param_groups, rates(ours), strict=True):
            group["lr"] = lr
        resumed.load_state_dict(saved)
        copy = getattr(lr_scheduler, name)(SGD([{"params": [one()]}, {"params": [one()]}]), **settings)
        copy.optimizer.param_groups[0]["lr"], copy.optimizer.param_groups[1]["lr"] = rates(ours)
        copy.load_state_dict(mine.state_dict())
        for _ in range(10):
            resumed.step()
            copy.step()
        assert rates(again) == rates(copy.optimizer)
    for _ in range(10):
        mine.step()
    assert rates(again) == rates(ours)


def test_schedule_errors():
    optimizer = SGD([one()], lr=0.1)
    with pytest.raises(DTypeError, match="StepLR: optimizer must be an Optimizer, got int"):
        lr_scheduler.StepLR(3, 1)
    with pytest.raises(ArgumentError, match="StepLR: step_size must be at least 1, got 0"):
        lr_scheduler.StepLR(optimizer, 0)
    with pytest.raises(DTypeError, match=r"StepLR: step_size must be an integer, got 1\.5"):
        lr_scheduler.StepLR(optimizer, 1.5)
    with pytest.raises(DTypeError, match="ExponentialLR: gamma must be a number, got 'a'"):
        lr_scheduler.ExponentialLR(optimizer, "a")
    with pytest.raises(ArgumentError, match="CosineAnnealingLR: T_max must be at least 1, got 0"):
        lr_scheduler.CosineAnnealingLR(optimizer, 0)
    with pytest.raises(ArgumentError, match="ExponentialLR: group 0 needs an initial_lr to resume at epoch 3"):
        lr_scheduler.ExponentialLR(optimizer, 0.9, last_epoch=3)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.9)
    step = lr_scheduler.StepLR(optimizer, 3)
    with pytest.raises(StateDictError, match=r"ExponentialLR: the state dict has .*step_size.*, the schedule has"):
        schedule.load_state_dict(step.state_dict())
    with pytest.raises(StateDictError, match="for 2 parameter groups, the optimizer has 1"):
        schedule.load_state_dict({**schedule.state_dict(), "base_lrs": [1.0, 1.0]})
    assert schedule.base_lrs == [0.1]
