"""Optimizers against PyTorch's, their state, and their errors."""

from __future__ import annotations

import copy
import itertools
import weakref

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError, StateDictError
from autograd_cnn.optim import SGD, Adam, AdamW, RMSprop


def product(**choices):
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


SGD_CASES = [
    case
    for case in product(
        momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.1], nesterov=[False, True], maximize=[False, True]
    )
    if not case["nesterov"] or (case["momentum"] and not case["dampening"])
]
ADAM_CASES = product(
    betas=[(0.9, 0.999), (0.5, 0.7)], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True]
)
RMSPROP_CASES = product(
    alpha=[0.99, 0.5], weight_decay=[0, 0.1], momentum=[0, 0.9], centered=[False, True], maximize=[False, True]
)
CASES = [
    *[(SGD, case) for case in SGD_CASES],
    *[(Adam, case) for case in ADAM_CASES],
    *[(AdamW, case) for case in ADAM_CASES],
    *[(RMSprop, case) for case in RMSPROP_CASES],
]
SHAPES = [(3, 4), (5,), (), (2, 3)]
OPTIMIZERS = [
    (SGD, {"lr": 0.05}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}),
    (Adam, {"lr": 0.05, "amsgrad": True}),
    (AdamW, {"lr": 0.05}),
    (RMSprop, {"lr": 0.05, "momentum": 0.5, "centered": True}),
]


def arrays(seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


def parameters(dtype="float64"):
    """Parameters of several shapes; the last is not contiguous."""
    params = [ag.tensor(a, requires_grad=True) for a in arrays(0, dtype)]
    params[-1] = ag.tensor(params[-1].detach().numpy().T.copy()).T.detach().requires_grad_()
    assert not params[-1].is_contiguous()
    return params


def give_gradients(params, step, dtype="float64"):
    for p, g in zip(params, arrays(1000 + step, dtype), strict=True):
        p.grad = ag.tensor(g)


def values(params):
    return [p.detach().numpy().copy() for p in params]


def torch_parameters(torch, dtype="float64"):
    return [torch.tensor(a, requires_grad=True) for a in arrays(0, dtype)]


def as_numpy(state):
    """A PyTorch state dict with arrays in place of tensors."""
    if isinstance(state, dict):
        return {name: as_numpy(value) for name, value in state.items()}
    if isinstance(state, list):
        return [as_numpy(value) for value in state]
    return state.numpy().copy() if hasattr(state, "numpy") else state


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


# State


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
    optimizer = getattr(torch.optim, kind.__name__)(theirs, **{**settings, "weight_decay": 0.1})
    for step in range(8):
        for p, g in zip(theirs, arrays(1000 + step), strict=True):
            p.grad = torch.tensor(g)
        if step == 4:
            ours = [ag.tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
            resumed = kind(ours, lr=1.0)
            resumed.load_state_dict(as_numpy(optimizer.state_dict()))
            assert resumed.param_groups[0]["weight_decay"] == 0.1
        if step >= 4:
            give_gradients(ours, step)
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


def test_state_of_another_optimizer():
    with pytest.raises(StateDictError, match="SGD: group 0 of the state dict has no momentum, dampening, nesterov"):
        SGD(parameters()).load_state_dict(adam_state())


def test_loaded_state_is_a_copy():
    state = adam_state()
    optimizer = Adam(parameters())
    optimizer.load_state_dict(state)
    state["state"][0]["exp_avg"].zero_()
    assert (optimizer.state_dict()["state"][0]["exp_avg"] != 0).all()


# Steps after the first, which find again what the one before has looked up


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
    if optimizer.counts_steps:
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


def test_gradients_are_not_kept():
    p = ag.ones(3, requires_grad=True)
    optimizer = Adam([p])
    for _ in range(3):
        (p * p).sum().backward()
        optimizer.step()
        gradient = weakref.ref(p.grad.array)
        optimizer.zero_grad()
        assert gradient() is None


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
