"""checkpoint: the same results and gradients as without, of every order, with less kept in between."""

from __future__ import annotations

import contextlib
import gc
import inspect
import weakref

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, GraphError, GraphFreedError, InPlaceError
from autograd_cnn.graph.walk import reachable
from autograd_cnn.utils.checkpoint import checkpoint, checkpoint_sequential


def network():
    ag.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 5),
        nn.Tanh(),
        nn.Linear(5, 3),
    )


def plain(net, x):
    return net(x)


def whole(net, x):
    return checkpoint(net, x, use_reentrant=False)


def in_parts(net, x):
    return checkpoint_sequential(net, 3, x, use_reentrant=False)


def one_in_the_other(net, x):
    return checkpoint(lambda x: checkpoint(net[4:], net[:4](x)), x)


def nested(net, x):
    def outer(x):
        h = checkpoint(lambda x: net[2:4](checkpoint(net[:2], x)), x)
        return net[5:](checkpoint(net[4], h))

    return checkpoint(outer, x)


WAYS = [whole, in_parts, one_in_the_other, nested]


def step(way):
    """Loss and gradients of one training step."""
    net = network()
    x = ag.randn(2, 1, 6, 6).requires_grad_()
    loss = (way(net, x) ** 2).sum()
    after = ag.rand(2)  # the stream of random numbers goes on as without a checkpoint
    loss.backward()
    return [loss, x.grad, *(p.grad for p in net.parameters()), after, ag.rand(2)]


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits(way):
    for a, b in zip(step(way), step(plain), strict=True):
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_gradients_that_are_asked_for(way):
    found = []
    for run in (way, plain):
        net = network().eval()
        x = ag.randn(2, 1, 6, 6).requires_grad_()
        y = run(net, x)
        found.append(ag.autograd.grad(y.sum(), [x, net[5].weight], retain_graph=True))
        found.append(ag.autograd.grad(y.sum(), [net[0].bias]))
    for a, b in zip(found[0] + found[1], found[2] + found[3], strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


@pytest.mark.parametrize("way", [whole, in_parts, nested])
def test_second_order(way):
    found = []
    for run in (way, plain):
        net = network().double().eval()
        x = ag.randn(2, 1, 6, 6, dtype=ag.float64).requires_grad_()
        (g,) = ag.autograd.grad((run(net, x) ** 2).sum(), x, create_graph=True)
        (g**2).sum().backward()
        found.append([g.detach(), x.grad, *(p.grad for p in net.parameters() if p.grad is not None)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-14)


def test_gradgradcheck():
    x = ag.tensor([[0.3, -0.7]], dtype=ag.float64, requires_grad=True)
    w = ag.tensor([[1.5, 0.2], [0.1, -0.4]], dtype=ag.float64, requires_grad=True)

    def function(x, w):
        return checkpoint(lambda x: (x @ w).tanh() * x, x)  # w only through the closure

    assert ag.autograd.gradcheck(function, (x, w))
    assert ag.autograd.gradgradcheck(function, (x, w))


def test_what_is_captured_has_its_gradient_once():
    """A captured result of an op, which depends on what the function uses itself."""
    calls = []
    w = ag.tensor([2.0], requires_grad=True)
    w.register_hook(lambda g: calls.append(g.item()))
    h = w * 3
    h.retain_grad()
    y = checkpoint(lambda: h * w * w)
    y.backward()
    assert (w.grad.item(), h.grad.item(), calls) == (36.0, 4.0, [36.0])


def saved_bytes(y):
    return sum(node.saved_bytes() for node in reachable([y.grad_fn]))


def test_less_is_kept():
    layers = nn.Sequential(*(nn.Sequential(nn.Linear(64, 64), nn.Tanh()) for _ in range(8)))
    x = ag.randn(100, 64)
    with_all, with_parts = layers(x), checkpoint_sequential(layers, 4, x)
    assert saved_bytes(with_parts) < saved_bytes(with_all) / 3
    intermediate = []
    layers[1].register_forward_hook(lambda module, args, output: intermediate.append(weakref.ref(output.array)))
    y = checkpoint(layers, x)
    assert intermediate[0]() is None
    y.sum().backward()
    assert len(intermediate) == 2
    assert saved_bytes(y) == 0


def test_the_graph_is_freed_without_the_garbage_collector():
    net, x = network(), ag.randn(2, 1, 6, 6)
    gc.collect()
    gc.disable()
    try:
        for run in (whole, nested):
            y = run(net, x)
            node = weakref.ref(y.grad_fn)
            y.sum().backward()
            del y
            assert node() is None
            y = run(net, x)
            node = weakref.ref(y.grad_fn)
            del y
            assert node() is None
    finally:
        gc.enable()


def test_backward_twice():
    x = ag.ones(3, requires_grad=True)
    y = checkpoint(lambda x: x.exp().sin().sum(), x)
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert (x.grad == 2 * first).all()
    with pytest.raises(GraphFreedError):
        y.backward()


def test_several_outputs_of_which_some_are_dropped():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    outputs = checkpoint(lambda x, scale: {"a": x.exp() * scale, "b": [x.sin(), x.detach(), 3]}, x, scale=2.0)
    kept = outputs["a"]
    del outputs
    kept.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), 2 * np.exp([1.0, 2.0]), rtol=1e-6)


def test_without_a_graph_it_is_a_call():
    assert checkpoint(lambda x: x + 1, ag.ones(1)).item() == 2
    with ag.no_grad():
        assert not checkpoint(lambda x: x + 1, ag.ones(1, requires_grad=True)).requires_grad


def test_contexts():
    seen = []

    @contextlib.contextmanager
    def note(name):
        seen.append(name)
        yield

    x = ag.ones(1, requires_grad=True)
    y = checkpoint(lambda x: x.exp(), x, context_fn=lambda: (note("first"), note("second")))
    assert seen == ["first"]
    y.backward()
    assert seen == ["first", "second"]


def test_random_numbers_that_are_not_preserved():
    x = ag.ones(1000, requires_grad=True)
    y = checkpoint(lambda x: nn.functional.dropout(x.exp()), x, preserve_rng_state=False)
    y.sum().backward()
    assert ((x.grad != 0) != (y != 0)).any()


def test_errors():
    x = ag.ones(2, requires_grad=True)
    count = iter(range(100))
    y = checkpoint(lambda x: x.exp() if next(count) == 0 else x.sin().cos(), x)
    with pytest.raises(
        GraphError, match="checkpoint: the function did other things when it ran again: 2 ops, 1 before"
    ):
        y.sum().backward()
    layer = nn.Linear(2, 2)
    y = checkpoint(lambda x: layer(x).tanh(), x)
    with ag.no_grad():
        layer.weight.mul_(2)
    with pytest.raises(InPlaceError, match=r"checkpoint: a tensor of shape \[2, 2\] was changed in place"):
        y.sum().backward()
    with pytest.raises(ArgumentError, match="determinism_check must be 'default' or 'none', got 'x'"):
        checkpoint(abs, x, determinism_check="x")
    with pytest.raises(ArgumentError, match="checkpoint_sequential: 3 segments of 2 functions"):
        checkpoint_sequential([abs, abs], 3, x)
    with pytest.raises(DTypeError, match="checkpoint_sequential: unexpected keyword arguments nonsense"):
        checkpoint_sequential([abs], 1, x, nonsense=1)


def test_an_error_in_the_second_run_leaves_no_trace():
    x = ag.ones(2, requires_grad=True)
    count = iter(range(100))

    def fails(x):
        if next(count) == 1:
            raise ValueError("the second time")
        return x.exp()

    y = checkpoint(fails, x)
    with pytest.raises(ValueError, match="the second time"):
        y.sum().backward()
    assert x.grad is None
    assert ag.is_grad_enabled()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), [np.e] * 2, rtol=1e-6)


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint_sequential"])
def test_signatures_are_torch_s(torch, name):
    import torch.utils.checkpoint as module

    ours, theirs = (inspect.signature(getattr(m, name)).parameters.values() for m in (ag.utils.checkpoint, module))
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]
    assert [p.default for p in ours if p.name != "context_fn"] == [p.default for p in theirs if p.name != "context_fn"]
