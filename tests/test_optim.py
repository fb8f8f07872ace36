"""Optimizers against PyTorch's, their groups, and their errors."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from optim_cases import CASES, OPTIMIZERS, arrays, give_gradients, numbers_in, parameters, torch_parameters

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, InPlaceError, ShapeError
from autograd_cnn.optim import FTRL, SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop, Rprop
from autograd_cnn.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize(
    ("kind", "settings"), CASES, ids=lambda x: x.__name__ if isinstance(x, type) else "-".join(map(str, x.values()))
)
def test_fifty_steps_as_torch(torch, kind, settings, dtype, tolerance):
    ours, theirs = parameters(dtype), torch_parameters(torch, dtype)
    a = kind([{"params": ours[:2]}, {"params": ours[2:], "lr": 0.003}], lr=0.02, **settings)
    b = getattr(torch.optim, kind.__name__)(
        [{"params": theirs[:2]}, {"params": theirs[2:], "lr": 0.003}], lr=0.02, **settings
    )
    for step in range(50):
        give_gradients(ours, step, dtype)
        for p, g in zip(theirs, arrays(1000 + step, dtype), strict=True):
            p.grad = torch.tensor(g)
        a.step()
        with numbers_in(torch, dtype):
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


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lr": 0.5, "beta": 0.0, "initial_accumulator_value": 0.1},
        {"l1": 3.0, "l2": 0.2, "weight_decay": 0.1},
        {"l1": 2.0, "maximize": True},
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_ftrl_by_its_formula(settings, dtype, tolerance):
    lr, beta, l1, l2, start, weight_decay, maximize = (
        settings.get(name, default)
        for name, default in {
            "lr": 0.1,
            "beta": 1.0,
            "l1": 0.0,
            "l2": 0.0,
            "initial_accumulator_value": 0.0,
            "weight_decay": 0.0,
            "maximize": False,
        }.items()
    )
    params = parameters(dtype)
    optimizer = FTRL(params, **settings)
    expected = [p.detach().numpy().astype(np.float64) for p in params]
    squares = [np.full(p.shape, start) for p in expected]
    sums = [-p * ((beta + start**0.5) / lr + l2) - np.sign(p) * l1 for p in expected]
    for step in range(50):
        give_gradients(params, step, dtype)
        optimizer.step()
        for i, g in enumerate(arrays(1000 + step, dtype)):
            g = (-1 if maximize else 1) * np.float64(g) + weight_decay * expected[i]
            root = np.sqrt(squares[i] + g**2)
            sums[i] = sums[i] + g - (root - np.sqrt(squares[i])) / lr * expected[i]
            squares[i] = squares[i] + g**2
            far = -(sums[i] - np.sign(sums[i]) * l1) / ((beta + root) / lr + l2)
            expected[i] = np.where(np.abs(sums[i]) <= l1, 0, far)
    for p, q in zip(params, expected, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q, rtol=tolerance, atol=tolerance)
    if l1:
        assert any((q == 0).any() for q in expected)


def test_ftrl_leaves_what_has_no_gradient():
    p = ag.tensor([0.5, -2.0, 0.0], dtype=ag.float64, requires_grad=True)
    optimizer = FTRL([p], lr=0.2, l1=0.3, l2=0.1, initial_accumulator_value=0.2)
    for _ in range(3):
        p.grad = ag.zeros_like(p)
        optimizer.step()
    np.testing.assert_allclose(p.tolist(), [0.5, -2.0, 0.0], rtol=1e-12)


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_a_rate_that_is_a_tensor(torch, kind, settings):
    ours, theirs = parameters(), torch_parameters(torch)
    others = {name: value for name, value in settings.items() if name != "lr"}
    optimizer = kind(ours, lr=ag.tensor(0.02), **others)
    expected = getattr(torch.optim, kind.__name__)(theirs, lr=torch.tensor(0.02), foreach=False, **others)
    for step in range(5):
        give_gradients(ours, step)
        for p, g in zip(theirs, arrays(1000 + step), strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
        expected.step()
        if step == 2:
            optimizer.param_groups[0]["lr"].fill_(0.05)
            expected.param_groups[0]["lr"].fill_(0.05)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-6)


def test_not_a_number_as_torch(torch):
    for kind, settings in OPTIMIZERS:
        p, q = ag.ones(40, requires_grad=True), torch.ones(40, requires_grad=True)
        ours, theirs = kind([p], **settings), getattr(torch.optim, kind.__name__)([q], **settings)
        for step in range(3):
            g = np.arange(40, dtype=np.float32) - 10.5
            g[step::7] = [np.nan, np.inf, -np.inf][step]
            p.grad, q.grad = ag.tensor(g), torch.tensor(g)
            ours.step()
            theirs.step()
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, err_msg=kind.__name__)


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
    assert repr(optimizer).startswith("SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n")
    assert "\n    lr: 0.5\n" in repr(optimizer)


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
    (lambda: Adam([one()], capturable=True), ArgumentError, "Adam: capturable=True is for CUDA graphs"),
    (lambda: Rprop([one()], differentiable=True), ArgumentError, "Rprop: differentiable=True would record the step"),
    (lambda: SGD([one()], foreach=True, fused=True), ArgumentError, "SGD: foreach and fused cannot both be True"),
    (lambda: SGD([one()], lr=ag.ones(2)), ArgumentError, r"SGD: lr must be one number, got shape \[2\]"),
    (lambda: Adam([one()], betas=(ag.ones(1), 0.9)), DTypeError, "Adam: betas must be numbers, got tensors"),
    (lambda: NAdam([one()], momentum_decay=-1), ArgumentError, "NAdam: momentum_decay must be at least 0, got -1"),
    (lambda: Adadelta([one()], rho=1.5), ArgumentError, "Adadelta: rho must be at most 1, got 1.5"),
    (lambda: Adagrad([one()], lr_decay=-1), ArgumentError, "Adagrad: lr_decay must be at least 0, got -1"),
    (lambda: Rprop([one()], etas=(0.5, 0.9)), ArgumentError, r"Rprop: etas must have 0 < etas\[0\] < 1 < etas\[1\]"),
    (lambda: Rprop([one()], step_sizes=3), ArgumentError, "Rprop: step_sizes must be a pair of numbers, got 3"),
    (lambda: FTRL([one()], lr=0), ArgumentError, "FTRL: lr must be above 0"),
    (lambda: FTRL([one()], beta=0), ArgumentError, "FTRL: beta and initial_accumulator_value cannot both be 0"),
    (lambda: SGD([("a", one()), one()]), ArgumentError, "SGD: 1 of 2 parameters have a name; all or none must"),
    (
        lambda: SGD([{"params": [("a", one())]}, {"params": [one()]}]),
        ArgumentError,
        "SGD: the parameters of all groups must have names, or of none",
    ),
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


def test_named_parameters_as_torch(torch):
    layer, theirs = ag.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    ours = SGD(layer.named_parameters())
    expected = torch.optim.SGD(theirs.named_parameters())
    assert ours.state_dict() == {"state": {}, "param_groups": expected.state_dict()["param_groups"]}
    assert ours.param_groups[0]["param_names"] == ["weight", "bias"]
    unnamed = SGD(layer.parameters())
    unnamed.load_state_dict(ours.state_dict())
    assert unnamed.param_groups[0]["param_names"] == ["weight", "bias"]


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_groups_are_torch_s(torch, kind, settings):
    ours = kind([one()], **settings).state_dict()["param_groups"]
    assert ours == getattr(torch.optim, kind.__name__)([torch.ones(1)], **settings).state_dict()["param_groups"]


# Hooks


def test_step_hooks():
    p, calls = one(), []
    optimizer = SGD([p], lr=0.5)

    def closure():
        p.grad = ag.ones(1)
        return 3

    def note(name):
        return lambda optimizer, args, kwargs: calls.append((name, len(args), list(kwargs), p.item()))

    handles = [
        optimizer.register_step_pre_hook(note("before")),
        optimizer.register_step_post_hook(note("after")),
        register_optimizer_step_pre_hook(note("before every")),
        register_optimizer_step_post_hook(note("after every")),
    ]
    assert optimizer.step(closure=closure) == 3
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert calls == [
        ("before every", 1, ["closure"], 1.0),
        ("before", 1, ["closure"], 1.0),
        ("after", 1, ["closure"], 0.5),
        ("after every", 1, ["closure"], 0.5),
    ]
    optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: ((optimizer, closure), {}))
    assert optimizer.step() == 3
    optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: 5)
    with pytest.raises(DTypeError, match=r"SGD: a step pre-hook returns None or \(args, kwargs\), got int"):
        optimizer.step()


def test_state_dict_hooks():
    optimizer, calls = SGD([one()], lr=0.5), []
    optimizer.register_state_dict_pre_hook(lambda optimizer: calls.append("second"))
    optimizer.register_state_dict_pre_hook(lambda optimizer: calls.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda optimizer, state: {**state, "note": 1})
    optimizer.register_load_state_dict_pre_hook(lambda optimizer, state: calls.append(state["note"]))
    optimizer.register_load_state_dict_post_hook(lambda optimizer: calls.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert calls == ["first", "second", 1, "loaded"]


class Momentum(Optimizer):
    """As a user writes one."""

    def __init__(self, params, lr=0.1, momentum=0.5):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def step(self, closure=None):
        with ag.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if len(state) == 0:
                        state["step"], state["velocity"] = 0, ag.zeros_like(p)
                    state["step"] += 1
                    state["velocity"].mul_(group["momentum"]).add_(p.grad)
                    p.add_(state["velocity"], alpha=-group["lr"])


def test_an_optimizer_of_a_user():
    class Louder(Momentum):
        def step(self, closure=None):
            return super().step(closure)

    for kind in (Momentum, Louder):
        p, q = one(), one()
        mine, ours, calls = kind([p]), SGD([q], lr=0.1, momentum=0.5), []
        mine.register_step_post_hook(lambda *_, calls=calls: calls.append(1))
        for step in range(4):
            if step == 2:
                saved = mine.state_dict()
                mine = kind([p], lr=7.0)
                mine.load_state_dict(saved)
                assert mine.state[p]["velocity"] is not saved["state"][0]["velocity"]
                assert mine.state[p]["step"] == 2
            for optimizer, x in ((mine, p), (ours, q)):
                x.grad = ag.full((1,), step + 1.0)
                optimizer.step()
        assert p.item() == pytest.approx(q.item(), rel=1e-6)
        assert calls == [1, 1]
