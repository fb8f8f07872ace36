"""What an optimizer keeps from step to step: saved, loaded, PyTorch's too, and refused whole where it does not fit."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from optim_cases import (
    OPTIMIZERS,
    arrays,
    as_numpy,
    as_torch,
    give_gradients,
    numbers_in,
    parameters,
    torch_parameters,
    values,
)

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, ShapeError, StateDictError
from autograd_cnn.optim import SGD, Adagrad, Adam, Rprop


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_state_continues_bit_for_bit(kind, settings):
    params = parameters()
    optimizer = kind([{"params": params[:1]}, {"params": params[1:], "lr": 0.01}], **settings)
    for step in range(5):
        give_gradients(params, step)
        optimizer.step()
    twins = [ag.tensor(p.detach().numpy(), requires_grad=True) for p in params]
    other = kind([{"params": twins[:1]}, {"params": twins[1:]}], **settings)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[1]["lr"] == 0.01
    for step in range(5, 10):
        for tensors, steps in ((params, optimizer), (twins, other)):
            give_gradients(tensors, step)
            steps.step()
    for p, q in zip(values(params), values(twins), strict=True):
        assert (p == q).all()


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_state_of_torch(torch, kind, settings):
    theirs = torch_parameters(torch)
    settings = {**settings, **({} if kind is Rprop else {"weight_decay": 0.1})}
    optimizer = getattr(torch.optim, kind.__name__)(theirs, **settings)
    for step in range(8):
        for p, g in zip(theirs, arrays(1000 + step), strict=True):
            p.grad = torch.tensor(g)
        if step == 4:
            ours = [ag.tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
            resumed = kind(ours, lr=1.0)
            resumed.load_state_dict(as_numpy(optimizer.state_dict()))
            assert resumed.param_groups[0].items() >= settings.items()
        if step >= 4:
            give_gradients(ours, step)
            resumed.step()
        with numbers_in(torch, "float64"):
            optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_state_for_torch(torch, kind, settings):
    ours = parameters()
    optimizer = kind(ours, **settings)
    for step in range(8):
        give_gradients(ours, step)
        if step == 4:
            theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
            resumed = getattr(torch.optim, kind.__name__)(theirs, lr=1.0)
            with numbers_in(torch, "float64"):
                resumed.load_state_dict(as_torch(torch, optimizer.state_dict()))
        if step >= 4:
            for p, g in zip(theirs, arrays(1000 + step), strict=True):
                p.grad = torch.tensor(g)
            with numbers_in(torch, "float64"):
                resumed.step()
        optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-12)


def adam_state():
    params = parameters()
    optimizer = Adam(params, lr=0.05)
    give_gradients(params, 0)
    optimizer.step()
    return optimizer.state_dict()


def spoil(change):
    state = adam_state()
    change(state)
    return state


BAD_STATES = [
    ({}, "a state dict has 'state', by parameter, and 'param_groups'"),
    (3, "a state dict has 'state', by parameter, and 'param_groups'"),
    (lambda s: s["param_groups"].pop(), r"groups of \[\] parameters, the optimizer of \[4\]"),
    (lambda s: s["param_groups"][0]["params"].pop(), r"groups of \[3\] parameters, the optimizer of \[4\]"),
    (lambda s: s["param_groups"][0].pop("betas"), "group 0 of the state dict has no betas"),
    (lambda s: s["param_groups"][0].update(lr=-1.0), "Adam: lr must be at least 0, got -1.0"),
    (lambda s: s["state"].update({7: {}}), "state for parameter 7, which is in no group"),
    (lambda s: s["state"][1].pop("exp_avg"), "parameter 1 has step, exp_avg_sq; expected step, exp_avg, exp_avg_sq"),
    (lambda s: s["state"][1].update(extra=1), "parameter 1 has step, exp_avg, exp_avg_sq, extra; expected"),
    (
        lambda s: s["state"][3].update(exp_avg=np.zeros(7)),
        r"exp_avg of parameter 3 must be numbers of shape \[2, 3\], got float64 of shape \[7\]",
    ),
    (lambda s: s["state"][3].update(step=np.zeros(7)), r"step of parameter 3 must be numbers of shape \[\]"),
    (lambda s: s["state"][3].update(exp_avg="x"), "exp_avg of parameter 3 must be numbers"),
]


@pytest.mark.parametrize(("state", "message"), BAD_STATES, ids=range(len(BAD_STATES)))
def test_a_refused_state_changes_nothing(state, message):
    params = parameters()
    optimizer = Adam(params, lr=0.3)
    give_gradients(params, 1)
    optimizer.step()
    before = {p: {n: np.array(v) for n, v in s.items()} for p, s in optimizer.state.items()}
    with pytest.raises((StateDictError, ArgumentError), match=message):
        optimizer.load_state_dict(spoil(state) if callable(state) else state)
    assert optimizer.param_groups[0]["lr"] == 0.3
    for p, slots in before.items():
        for name, value in slots.items():
            assert (np.array(optimizer.state[p][name]) == value).all()


def test_the_state_before_the_first_step_as_torch(torch):
    for make in (lambda p, o: o.Adagrad(p, initial_accumulator_value=0.5), lambda p, o: o.Adam(p)):
        ours = make([ag.ones(2, requires_grad=True)], ag.optim).state_dict()["state"]
        theirs = make([torch.ones(2, requires_grad=True)], torch.optim).state_dict()["state"]
        assert ours.keys() == theirs.keys()
        for i, state in ours.items():
            assert {name: np.array(value).tolist() for name, value in state.items()} == {
                name: value.tolist() for name, value in theirs[i].items()
            }
    p, q = ag.ones(2, requires_grad=True), ag.ones(3, requires_grad=True)
    optimizer = Adagrad([p], initial_accumulator_value=0.5)
    optimizer.add_param_group({"params": [q], "initial_accumulator_value": 0.25})
    p.grad, q.grad = ag.zeros(2), ag.zeros(3)
    optimizer.step()
    assert [state["sum"].tolist() for state in optimizer.state.values()] == [[0.5] * 2, [0.25] * 3]


def test_a_state_without_later_settings():
    state = adam_state()
    for name in ("foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "maximize"):
        del state["param_groups"][0][name]
    optimizer = Adam(parameters(), lr=1.0)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.05
    assert optimizer.param_groups[0]["maximize"] is False


def test_state_of_another_optimizer():
    with pytest.raises(StateDictError, match="SGD: group 0 of the state dict has no momentum, dampening, nesterov"):
        SGD(parameters()).load_state_dict(adam_state())


def test_loaded_state_is_a_copy():
    state = adam_state()
    optimizer = Adam(parameters())
    optimizer.load_state_dict(state)
    state["state"][0]["exp_avg"].zero_()
    assert (optimizer.state_dict()["state"][0]["exp_avg"] != 0).all()


def test_a_state_loaded_after_a_failed_step_counts() -> None:
    x, y = ag.tensor([1.0], requires_grad=True), ag.tensor([1.0], requires_grad=True)
    optimizer = ag.optim.Adam([{"params": [x]}, {"params": [y]}])
    x.grad, y.grad = ag.ones(1), ag.ones(1)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    for slots in state["state"].values():
        slots["step"] = 10
    optimizer = ag.optim.Adam([{"params": [x]}, {"params": [y]}])
    y._grad = ag.ones(2)
    with pytest.raises(ShapeError):
        optimizer.step()
    y._grad = ag.ones(1)
    optimizer.load_state_dict(state)
    optimizer.step()
    assert [slots["step"] for slots in optimizer.state_dict()["state"].values()] == [11, 11]
