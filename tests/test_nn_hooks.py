"""Hooks before and after forward, and on the gradients at a module's border."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError


def add_two(lib):
    class Add(lib.nn.Module):
        def forward(self, x, y=0, times=1):
            return (x + 2 * y) * times

    return Add()


def forward_scenario(lib, tensor):
    """Everything that forward hooks saw and did, as plain data."""
    m, log = add_two(lib), []
    x, y = tensor([1.0, 2.0]), tensor([10.0, 20.0])

    def note(name, result=None):
        def hook(module, *given):
            log.append((name, module is m, [repr_of(g) for g in given]))
            return result

        return hook

    def repr_of(value):
        if isinstance(value, tuple):
            return [repr_of(v) for v in value]
        if isinstance(value, dict):
            return {k: repr_of(v) for k, v in value.items()}
        return value.tolist() if hasattr(value, "tolist") else value

    handles = [
        m.register_forward_pre_hook(note("pre")),
        m.register_forward_pre_hook(note("pre replaces", tensor([5.0, 5.0]))),
        m.register_forward_pre_hook(note("pre kwargs", ((tensor([7.0, 7.0]),), {"times": 3})), with_kwargs=True),
        m.register_forward_pre_hook(note("first of all"), prepend=True),
        m.register_forward_hook(note("post")),
        m.register_forward_hook(lambda module, args, output: output + 1),
        m.register_forward_hook(note("post kwargs"), with_kwargs=True),
        m.register_forward_hook(note("post first"), prepend=True),
    ]
    results = [m(x, y).tolist(), m(x, y=y, times=2).tolist()]
    for handle in handles[1:3]:
        handle.remove()
    results.append(m(x, y=y).tolist())
    for handle in handles:
        handle.remove()
    results.append(m(x, y).tolist())
    return results, log


def test_forward_hooks_as_torch(torch):
    assert forward_scenario(ag, ag.tensor) == forward_scenario(torch, torch.tensor)


def test_pre_hook_with_kwargs_must_return_both():
    m = add_two(ag)
    m.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(ArgumentError, match=r"Add: a forward pre-hook with_kwargs returns None or \(args, kwargs\)"):
        m(ag.ones(1))


def test_a_hook_may_remove_itself():
    m, calls = nn.ReLU(), []

    def once(module, args, output):
        calls.append(output)
        handle.remove()

    handle = m.register_forward_hook(once)
    m(ag.ones(1))
    m(ag.ones(1))
    assert len(calls) == 1


def test_always_call():
    class Fails(nn.Module):
        def forward(self, x):
            raise ArithmeticError("forward")

    m, seen = Fails(), []
    m.register_forward_hook(lambda module, args, output: seen.append("never"))
    m.register_forward_hook(lambda module, args, output: seen.append(output), always_call=True)

    def fails_too(module, args, output):
        raise KeyError("hook")

    m.register_forward_hook(fails_too, always_call=True)
    with pytest.warns(UserWarning, match="always_call=True raised, too: KeyError"), pytest.raises(ArithmeticError):
        m(ag.ones(1))
    assert seen == [None]


# Backward


def two_in_two_out(lib):
    class Net(lib.nn.Module):
        def forward(self, x, number, y):
            return x * y * number, "text", x + y

    return Net()


def plain(grads):
    return [None if g is None else g.tolist() for g in grads]


def backward_scenario(lib, tensor, combine, replace=None, needs=(True, True)):
    m, log = two_in_two_out(lib), []
    x = tensor([1.0, 2.0], requires_grad=needs[0])
    y = tensor([3.0, 4.0], requires_grad=needs[1])

    def hook(module, grad_input, grad_output):
        log.append((plain(grad_input), plain(grad_output)))
        return None if replace is None else tuple(None if g is None else g * replace for g in grad_input)

    m.register_full_backward_hook(hook)
    m.register_full_backward_hook(lambda module, grad_input, grad_output: log.append(plain(grad_input)))
    a, text, b = m(x, 2.0, y)
    assert text == "text"
    combine(a, b).backward()
    return log, plain([t.grad for t in (x, y)])


SCENARIOS = {
    "both": (lambda a, b: (a + 3 * b).sum(), None, (True, True)),
    "one output": (lambda a, b: a.sum(), None, (True, True)),
    "replaced": (lambda a, b: (a + b).sum(), 10.0, (True, True)),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_backward_hooks_as_torch(torch, scenario):
    assert backward_scenario(ag, ag.tensor, *scenario) == backward_scenario(torch, torch.tensor, *scenario)


def test_backward_hook_sees_none_for_an_input_without_gradient():
    log, grads = backward_scenario(ag, ag.tensor, lambda a, b: (a + b).sum(), 10.0, (False, True))
    assert log == [([None, None, [3.0, 5.0]], [[1.0, 1.0], None, [1.0, 1.0]]), [None, None, [30.0, 50.0]]]
    assert grads == [None, [30.0, 50.0]]


@pytest.mark.filterwarnings("ignore:Full backward hook")
def test_backward_hook_where_only_parameters_need_gradients(torch):
    results = []
    for lib in (ag, torch):
        layer, log = lib.nn.Linear(2, 2), []
        layer.register_full_backward_hook(lambda m, i, o, log=log: log.append((plain(i), plain(o))))
        layer(lib.ones(1, 2)).sum().backward()
        results.append((log, layer.bias.grad.tolist()))
    assert results[0] == results[1] == ([([None], [[[1.0, 1.0]]])], [1.0, 1.0])


def test_backward_hooks_come_after_forward_hooks():
    m, log = nn.ReLU(), []
    m.register_forward_hook(lambda module, args, output: output * 5)
    m.register_full_backward_hook(
        lambda module, grad_input, grad_output: log.append(plain((*grad_input, *grad_output)))
    )
    x = ag.ones(1, requires_grad=True)
    m(x).sum().backward()
    assert log == [[[5.0], [1.0]]]


def test_backward_hooks_in_order():
    m, log = nn.ReLU(), []
    m.register_full_backward_hook(lambda *given: log.append("second"))
    m.register_full_backward_hook(lambda *given: log.append("first"), prepend=True)
    m(ag.ones(1, requires_grad=True)).sum().backward()
    assert log == ["first", "second"]


def test_backward_hook_removed():
    m, log = nn.ReLU(), []
    x = ag.ones(1, requires_grad=True)
    with m.register_full_backward_hook(lambda *given: log.append(given)):
        m(x).sum().backward()
    m(x).sum().backward()
    assert len(log) == 1


def test_backward_hook_under_no_grad_and_create_graph():
    m, log = nn.Tanh(), []
    m.register_full_backward_hook(lambda module, grad_input, grad_output: log.append(grad_input[0].requires_grad))
    x = ag.tensor([0.5], requires_grad=True, dtype=ag.float64)
    with ag.no_grad():
        m(x)
    (g,) = ag.autograd.grad(m(x).sum(), x, create_graph=True)
    (gg,) = ag.autograd.grad(g.sum(), x)
    t = np.tanh(0.5)
    np.testing.assert_allclose(gg.item(), -2 * t * (1 - t * t))
    assert log[0] is True


def test_backward_hook_errors():
    m = nn.ReLU()
    handle = m.register_full_backward_hook(lambda module, grad_input, grad_output: (None, None))
    x = ag.ones(1, requires_grad=True)
    with pytest.raises(
        ArgumentError, match="ReLU: a backward hook must return one gradient for each of 1 inputs, got 2"
    ):
        m(x).sum().backward()
    handle.remove()
    layer = nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: (ag.ones(1, 1),))
    with pytest.raises(ArgumentError, match="Linear: no input requires grad, so a backward hook cannot return"):
        layer(ag.ones(1, 1)).sum().backward()
    assert layer.weight.grad is None


def test_backward_hook_of_a_module_without_tensor_results():
    class Pack(nn.Module):
        def forward(self, x):
            return {"x": x}

    m = Pack()
    m.register_full_backward_hook(lambda *given: None)
    with pytest.warns(UserWarning, match="Pack: its backward hooks will not be called"):
        m(ag.ones(1, requires_grad=True))


def test_copied_modules_have_hooks_of_their_own():
    m, log = nn.ReLU(), []
    m.register_forward_hook(lambda module, args, output: log.append(module))
    twin = copy.deepcopy(m)
    twin.register_forward_hook(lambda module, args, output: log.append("twin"))
    m(ag.ones(1))
    assert log == [m]
