"""Where parameters, gradients and state lie: what changes between steps is noticed, and what cannot be is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from optim_cases import OPTIMIZERS, arrays, give_gradients, values

import autograd_cnn as ag
from autograd_cnn.errors import DTypeError, InPlaceError, ShapeError
from autograd_cnn.optim import SGD, Adam, AdamW, RMSprop


def trained(change, kind=Adam, **settings):
    """The parameters after steps with a change before the third, and those of an optimizer made anew at each step."""
    results = []
    for fresh in (False, True):
        params = [ag.tensor(a, requires_grad=True) for a in arrays(0)]
        optimizer = kind([{"params": params[:2]}, {"params": params[2:], "lr": 0.01}], lr=0.02, **settings)
        for step in range(4):
            give_gradients(params, step)
            if step == 2:
                optimizer = change(optimizer, params) or optimizer
                params = [p for group in optimizer.param_groups for p in group["params"]]
            if fresh:
                optimizer._batches.clear()
            optimizer.step()
        results.append(values(params))
    return results


def without_gradient(optimizer, params):
    params[0].grad = None


def other_data(optimizer, params):
    params[1].data = ag.tensor(np.ones(5))


def transposed_gradient(optimizer, params):
    params[0].grad = ag.tensor(params[0].grad.numpy().T.copy()).T
    assert not params[0].grad.is_contiguous()


def other_state(optimizer, params):
    optimizer.load_state_dict(optimizer.state_dict())


def no_state(optimizer, params):
    optimizer.state.clear()


def other_slot(optimizer, params):
    name = list(optimizer.state[params[0]])[-1]
    optimizer.state[params[0]][name] = ag.tensor(np.full((4, 3), 0.5)).T


def other_slot_data(optimizer, params):
    name = list(optimizer.state[params[0]])[-1]
    optimizer.state[params[0]][name].array = np.full((3, 4), 0.25)


def no_slot(optimizer, params):
    state = optimizer.state[params[0]]
    del state[list(state)[-1]]


def more_steps(optimizer, params):
    if optimizer.numbers(optimizer.param_groups[0]):
        optimizer.state[params[1]]["step"] = 7


def other_parameter(optimizer, params):
    optimizer.param_groups[0]["params"][1] = q = ag.ones(5, dtype=ag.float64, requires_grad=True)
    q.grad = ag.ones(5, dtype=ag.float64)


def other_settings(optimizer, params):
    optimizer.param_groups[0].update(lr=0.3, weight_decay=0.5)
    if "amsgrad" in optimizer.defaults:
        optimizer.param_groups[0]["amsgrad"] = True


def copied(optimizer, params):
    return copy.deepcopy(optimizer)


CHANGES = (
    without_gradient,
    other_data,
    transposed_gradient,
    other_state,
    no_state,
    other_slot,
    other_slot_data,
    no_slot,
    more_steps,
    other_parameter,
    other_settings,
    copied,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize(("kind", "settings"), [(SGD, {"momentum": 0.9, "dampening": 0.2}), (Adam, {}), (RMSprop, {})])
def test_what_changes_between_steps_is_noticed(kind, settings, change):
    for ours, expected in zip(*trained(change, kind, **settings), strict=True):
        assert (ours == expected).all()


def test_a_copied_optimizer_steps_its_own_parameters():
    p = ag.ones(3, requires_grad=True)
    optimizer = SGD([p], lr=0.5)
    p.grad = ag.ones(3)
    optimizer.step()
    other = copy.deepcopy(optimizer)
    other.step()
    assert p.tolist() == [0.5] * 3
    assert other.param_groups[0]["params"][0].tolist() == [0.0] * 3


def test_integers_are_refused():
    p, q = ag.ones(3, requires_grad=True), ag.tensor([1, 2])
    p.grad, q.grad = ag.ones(3), ag.tensor([1, 1])
    optimizer = Adam([p, q])
    with pytest.raises(DTypeError, match="Adam: can only optimize floating point tensors, got int64"):
        optimizer.step()
    assert (p == 1).all()
    assert not optimizer.state


def test_read_only_memory_is_refused() -> None:
    array = np.frombuffer(bytes(16), np.float32)
    frozen = np.zeros(3, np.float32)
    frozen.flags.writeable = False
    for memory in (array, frozen):
        x, other = ag.tensor([1.0], requires_grad=True), ag.from_numpy(memory).requires_grad_()
        x.grad, other.grad = ag.ones(1), ag.ones(*other.shape)
        with pytest.raises(InPlaceError, match=r"SGD: a parameter of shape \[\d\] is on read-only memory"):
            ag.optim.SGD([{"params": [x]}, {"params": [other]}], 0.1).step()
        assert x.item() == 1.0
        assert not memory.any()


def test_memory_that_became_read_only_is_refused() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    optimizer = ag.optim.SGD([x], 0.1)
    x.grad = ag.ones(2)
    optimizer.step()
    x.array.flags.writeable = False
    with pytest.raises(InPlaceError):
        optimizer.step()


@pytest.mark.parametrize("make", [SGD, Adam, AdamW, RMSprop])
def test_a_parameter_of_another_shape_changes_nothing(make: type[ag.optim.Optimizer]) -> None:
    a, b = (ag.ones(4, requires_grad=True) for _ in range(2))
    settings = {"momentum": 0.9} if make is SGD else {}
    optimizer = make([a, b], lr=0.1, **settings)
    a.grad, b.grad = ag.ones(4), ag.ones(4)
    optimizer.step()
    before, state = a.detach().numpy().copy(), str(optimizer.state_dict())
    b.data, b.grad = ag.ones(7), ag.ones(7)
    with pytest.raises(ShapeError, match=rf"{make.__name__}: a parameter of shape \[7\] has \w+ of shape \[4\]"):
        optimizer.step()
    np.testing.assert_array_equal(a.detach().numpy(), before)
    assert str(optimizer.state_dict()) == state


def test_an_expanded_parameter_is_refused() -> None:
    x = ag.ones(1).expand(4).detach().requires_grad_(True)
    x.grad = ag.ones(4)
    with pytest.raises(InPlaceError, match=r"SGD: a parameter of shape \[4\] is on read-only memory, or expanded"):
        SGD([x], 0.1).step()


SHARED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "itself": lambda p, q, state: p.detach(),
    "its values": lambda p, q, state: ag.from_numpy(p.array),
    "another": lambda p, q, state: q.detach(),
    "another transposed": lambda p, q, state: q.detach().T,
    "one element of another": lambda p, q, state: ag.from_numpy(q.array[3:, 3:]).expand(4, 4),
    "its state": lambda p, q, state: next(slot for slot in state[p].values() if isinstance(slot, ag.Tensor)),
    "another's state": lambda p, q, state: next(slot for slot in state[q].values() if isinstance(slot, ag.Tensor)),
}
STATEFUL = [(kind, {**settings, "momentum": 0.9} if kind is SGD else settings) for kind, settings in OPTIMIZERS]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("reversed_order", [False, True])
@pytest.mark.parametrize("gradient", SHARED)
@pytest.mark.parametrize(("kind", "settings"), STATEFUL)
def test_a_gradient_in_memory_that_changes_is_refused(
    kind: Any, settings: Any, gradient: str, reversed_order: bool, groups: int
) -> None:
    """In the first step, which looks everything up, and in a later one."""
    p, q = (ag.randn(4, 4).requires_grad_() for _ in range(2))
    params = [q, p] if reversed_order else [p, q]
    optimizer = kind(params if groups == 1 else [{"params": [x]} for x in params], **settings)
    for step in range(3):
        p.grad, q.grad = ag.randn(4, 4), ag.randn(4, 4)
        if step or not gradient.endswith("state"):
            apart, p.grad = p.grad, SHARED[gradient](p, q, optimizer.state)
            before = values(params), str(optimizer.state_dict())
            with pytest.raises(InPlaceError, match=r"gradient of a parameter of shape \[4, 4\] shares memory"):
                optimizer.step()
            assert str(optimizer.state_dict()) == before[1]
            np.testing.assert_array_equal(values(params), before[0])
            p.grad = apart
        optimizer.step()


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_gradients_beside_parameters_and_in_each_others_memory(kind: Any, settings: Any) -> None:
    """Parts of one array that do not meet, and one gradient for two parameters."""
    memory = np.random.default_rng(0).normal(size=(6, 10))
    memory[2] = memory[5]
    expected = [ag.tensor(memory[i]).requires_grad_() for i in (0, 1, 3)]
    params = [ag.from_numpy(memory[i]).requires_grad_() for i in (0, 1, 3)]
    gradients = [ag.from_numpy(memory[i]) for i in (2, 2, 4)]
    for tensors, grads in ((expected, [g.clone() for g in gradients]), (params, gradients)):
        optimizer = kind(tensors, **settings)
        for _ in range(3):
            for x, g in zip(tensors, grads, strict=True):
                x.grad = g
            optimizer.step()
    np.testing.assert_array_equal(values(params), values(expected))


def test_interleaved_memory_is_no_shared_memory() -> None:
    memory = np.arange(8.0)
    x = ag.from_numpy(memory[::2]).requires_grad_()
    for _ in range(2):
        x.grad = ag.from_numpy(memory[1::2])
        SGD([x], 1.0).step()
    assert memory.tolist() == [-2, 1, -4, 3, -6, 5, -8, 7]


def test_a_parameter_without_gradient_does_not_change() -> None:
    """So its memory may be another's gradient."""
    x, y = ag.ones(3, requires_grad=True), ag.full((3,), 2.0).requires_grad_()
    optimizer = SGD([x, y], 1.0)
    for _ in range(2):
        x.grad = y.detach()
        optimizer.step()
    assert x.tolist() == [-3, -3, -3]
