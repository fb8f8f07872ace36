"""Recurrent layers and cells with PyTorch's weights give PyTorch's numbers and gradients, in every option."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError, StateDictError
from autograd_cnn.gradcheck import gradcheck, gradgradcheck
from autograd_cnn.nn.utils.rnn import chunked, detached

KINDS = ("RNN", "GRU", "LSTM")
CELLS = ("RNNCell", "GRUCell", "LSTMCell")
LENGTHS = (5, 3, 3, 1)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def leaves(values):
    """The tensors in nested tuples, packed sequences among them, in order."""
    if values is None:
        return []
    if isinstance(values, tuple | list):
        return [leaf for value in values for leaf in leaves(value)]
    return [values]


def pair(torch, make):
    """A module and PyTorch's of the same weights, both in float64."""
    ours, theirs = make(nn).double(), make(torch.nn).double()
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return ours, theirs


def both_ways(torch, module, framework, x, states, lengths, batch_first, enforce_sorted):
    """All results of a layer, and the gradients of its inputs and parameters."""
    tensor = (
        (lambda a: ag.tensor(a, requires_grad=True))
        if framework is ag
        else (lambda a: torch.tensor(a, requires_grad=True))
    )
    x = tensor(x)
    hx = None if states is None else [tensor(state) for state in states]
    given = x
    if lengths is not None:
        given = framework.nn.utils.rnn.pack_padded_sequence(x, list(lengths), batch_first, enforce_sorted)
    results = leaves(module(given, hx if hx is None or len(hx) > 1 else hx[0]))
    outputs = [y for y in results if y.requires_grad]
    seeds = [numbers(*y.shape, seed=7) for y in outputs]
    seeds = [ag.tensor(seed) if framework is ag else torch.tensor(seed) for seed in seeds]
    wanted = [x, *(hx or []), *module.parameters()]
    return results, framework.autograd.grad(outputs, wanted, seeds)


def compare(torch, make, x, states=None, lengths=None, batch_first=False, enforce_sorted=True, change=lambda m: None):
    ours, theirs = pair(torch, make)
    change(ours)
    arguments = (x, states, lengths, batch_first, enforce_sorted)
    found, expected = (both_ways(torch, module, frame, *arguments) for module, frame in ((ours, ag), (theirs, torch)))
    for mine, other in zip(found, expected, strict=True):
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            assert a.shape == tuple(b.shape)
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


def states_for(kind, *shapes):
    shapes = shapes if kind.startswith("LSTM") else shapes[:1]
    return [numbers(*shape, seed=3 + i) for i, shape in enumerate(shapes)]


OPTIONS = {
    "plain": {},
    "no bias": {"bias": False},
    "two layers": {"num_layers": 2},
    "both directions": {"bidirectional": True},
    "all": {"num_layers": 3, "bidirectional": True, "batch_first": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("form", ["batch", "with states", "one sequence", "packed", "packed unsorted"])
@pytest.mark.parametrize("unroll", [False, True])
def test_layers_are_torchs(torch, kind, name, form, unroll):
    options = OPTIONS[name]
    layers = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    first = options.get("batch_first", False)
    samples, lengths, enforce = (4, LENGTHS, True) if "packed" in form else (3, None, True)
    if form == "packed unsorted":
        lengths, enforce = (3, 1, 5, 3), False
    x = numbers(samples, 5, 3) if first else numbers(5, samples, 3)
    states = None if form == "batch" else states_for(kind, *[(layers, samples, 4)] * 2)
    if form == "one sequence":
        x, states = numbers(5, 3), states_for(kind, *[(layers, 4)] * 2)

    def change(module):
        module.unroll = unroll

    compare(torch, lambda n: getattr(n, kind)(3, 4, **options), x, states, lengths, first, enforce, change)


@pytest.mark.parametrize("unroll", [False, True])
def test_relu_is_torchs(torch, unroll):
    make = lambda n: n.RNN(3, 6, 2, "relu", bidirectional=True)  # noqa: E731
    compare(torch, make, numbers(4, 2, 3), change=lambda module: setattr(module, "unroll", unroll))


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_projections_are_torchs(torch, name, lengths):
    options = OPTIONS[name]
    layers = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    first = options.get("batch_first", False)
    x = numbers(4, 5, 3) if first else numbers(5, 4, 3)
    states = states_for("LSTM", (layers, 4, 2), (layers, 4, 5))
    compare(torch, lambda n: n.LSTM(3, 5, proj_size=2, **options), x, states, lengths, first)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"nonlinearity": "relu"}], ids=str)
@pytest.mark.parametrize("shape", [(3,), ()], ids=str)
@pytest.mark.parametrize("given", [True, False])
def test_cells_are_torchs(torch, kind, options, shape, given):
    if "nonlinearity" in options and kind != "RNNCell":
        pytest.skip("an option of RNNCell's")
    states = states_for(kind, (*shape, 5), (*shape, 5)) if given else None
    compare(torch, lambda n: getattr(n, kind)(4, 5, **options), numbers(*shape, 4), states)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda n: n.LSTM(16, 33, 2), (20, 9, 16)),
        (lambda n: n.GRU(8, 130), (6, 30, 8)),
        (lambda n: n.RNN(8, 65, 2, bidirectional=True), (12, 13, 8)),
        (lambda n: n.LSTM(8, 70), (4, 1, 8)),
        (lambda n: n.LSTM(8, 200), (3, 2, 8)),
    ],
    ids=["LSTM", "GRU", "RNN", "one sample", "weights beyond the cache"],
)
def test_sizes_beyond_one_tile_are_torchs(torch, make, shape):
    compare(torch, make, numbers(*shape))


def test_float32_is_as_accurate_as_torchs(torch):
    ours, theirs = nn.LSTM(64, 128, 2), torch.nn.LSTM(64, 128, 2)
    x = numbers(50, 8, 64).astype(np.float32)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    exact = theirs.double()(torch.tensor(x).double())[0].detach().numpy()
    theirs.float()
    found, other = ours(ag.tensor(x))[0].detach().numpy(), theirs(torch.tensor(x))[0].detach().numpy()
    assert np.abs(found - exact).max() <= 2 * np.abs(other - exact).max()


def test_initial_values_are_within_torchs_bound_and_reproducible():
    layers = []
    for _ in range(2):
        ag.manual_seed(3)
        layers.append(nn.GRU(2, 16, 2, bidirectional=True))
    for p, q in zip(layers[0].parameters(), layers[1].parameters(), strict=True):
        assert (p == q).all()
        assert 0.15 < p.abs().max().item() <= 0.25
    assert [len(weights) for weights in layers[0].all_weights] == [4] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_between_layers_and_only_in_training(kind):
    layers = getattr(nn, kind)(3, 64, 2, dropout=0.5)
    x = ag.randn(6, 4, 3)
    quiet = layers.eval()(x)[0]
    assert (layers(x)[0] == quiet).all()
    layers.train()
    assert (layers(x)[0] != quiet).any()
    ag.manual_seed(1)
    first = layers(x)[0]
    ag.manual_seed(1)
    assert (layers(x)[0] == first).all()
    layers.dropout = 1.0  # the second layer sees zeros
    assert (layers(x)[0][:, 0] == layers(ag.randn(6, 4, 3))[0][:, 0]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", [{}, {"bidirectional": True}, {"num_layers": 2}], ids=str)
def test_gradients_of_both_orders(kind, option):
    layer = getattr(nn, kind)(2, 3, **option).double()
    parameters = list(layer.parameters())
    x = ag.tensor(numbers(3, 2, 2), requires_grad=True)

    def run(x, *_):  # the layer has the parameters already
        return tuple(leaves(layer(x)))

    assert gradcheck(run, (x, *parameters))
    assert gradgradcheck(run, (x, *parameters))


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_for_the_last_states_alone(torch, kind):
    ours, theirs = pair(torch, lambda n: getattr(n, kind)(3, 4, 2, bidirectional=True))
    x, y = ag.tensor(numbers(5, 2, 3), requires_grad=True), torch.tensor(numbers(5, 2, 3), requires_grad=True)
    for found, expected in zip(leaves(ours(x)[1]), leaves(theirs(y)[1]), strict=True):
        (a,), (b,) = (
            ag.autograd.grad(found.sum(), x, retain_graph=True),
            torch.autograd.grad(expected.sum(), y, retain_graph=True),
        )
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_parameters_and_retained_graphs(kind):
    layer = getattr(nn, kind)(3, 4)
    x = ag.randn(5, 2, 3, requires_grad=True)
    y = layer(x)[0].sum()
    y.backward(retain_graph=True)
    once = [x.grad.clone(), *(p.grad.clone() for p in layer.parameters())]
    y.backward()
    for g, tensor in zip(once, [x, *layer.parameters()], strict=True):
        assert ag.allclose(tensor.grad, 2 * g)
    expected = x.grad / 2
    for frozen in (["weight_hh_l0"], ["weight_ih_l0", "bias_ih_l0"], ["bias_hh_l0"], list(layer.state_dict())):
        for name, p in layer.named_parameters():
            p.requires_grad_(name not in frozen)
            p.grad = None
        x.grad = None
        layer(x)[0].sum().backward()
        assert ag.allclose(x.grad, expected)
        for (name, p), g in zip(layer.named_parameters(), once[1:], strict=True):
            assert p.grad is None if name in frozen else ag.allclose(p.grad, g)


def test_unrolled_steps_are_in_the_graph():
    layer = nn.LSTM(2, 3, unroll=True)
    assert "unroll=True" in repr(layer)
    y, _ = layer(ag.zeros(4, 1, 2))
    steps, pending = set(), [y.grad_fn]
    while pending:
        node = pending.pop()
        steps.add(node.timestep)
        pending += [child for child, _ in node.next_functions if child is not None and hasattr(child, "timestep")]
    assert steps >= {0, 1, 2, 3}


def test_truncated_backpropagation_stops_at_the_cuts():
    layer = nn.RNN(1, 4).double()
    x = ag.tensor(numbers(10, 2, 1), requires_grad=True)
    whole, _ = layer(x)
    state, outputs = None, []
    for part in chunked(x, length=4):
        y, state = layer(part, detached(state))
        outputs.append(y)
    assert [len(y) for y in outputs] == [4, 4, 2]
    assert ag.allclose(ag.cat(outputs), whole)
    (g,) = ag.autograd.grad(outputs[1].sum(), x)
    assert (g[:4] == 0).all()
    assert (g[4:8] != 0).all()
    assert (g[8:] == 0).all()
    assert detached(None) is None
    parts = list(chunked(ag.arange(6), ag.arange(6) * 2, length=4))
    assert [(a.tolist(), b.tolist()) for a, b in parts] == [([0, 1, 2, 3], [0, 2, 4, 6]), ([4, 5], [8, 10])]
    with pytest.raises(ArgumentError, match="length must be at least 1, got 0"):
        next(chunked(x, length=0))
    with pytest.raises(ShapeError, match=r"one number of steps, got \[10, 2\]"):
        next(chunked(x, x[:2], length=3))


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_weight_is_noticed(kind):
    layer = getattr(nn, kind)(2, 3)
    y, _ = layer(ag.zeros(3, 1, 2))
    with ag.no_grad():
        layer.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match=r"'weight_hh', .* changed in place"):
        y.sum().backward()


def test_summary_and_flops():
    assert nn.LSTM(3, 4).flops(((5, 2, 3),), (5, 2, 4)) == 2 * 10 * 16 * 7
    assert nn.GRUCell(3, 4).flops(((5, 3),), (5, 4)) == 2 * 5 * 12 * 7


ERRORS = [
    (lambda: nn.RNN(0, 4), ArgumentError, "RNN: input_size must be at least 1, got 0"),
    (lambda: nn.GRU(3, -1), ArgumentError, "GRU: hidden_size must be at least 1"),
    (lambda: nn.GRU(3.5, 1), DTypeError, "GRU: input_size must be an integer, got 3.5"),
    (lambda: nn.LSTM(3, 4, 0), ArgumentError, "num_layers must be at least 1"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ArgumentError, "proj_size must be smaller than hidden_size, 4, got 4"),
    (lambda: nn.LSTM(3, 4, 2, dropout=1.5), ArgumentError, r"dropout must lie in \[0, 1\], got 1.5"),
    (lambda: nn.LSTM(3, 4, bias=1), DTypeError, "bias must be a bool, got 1"),
    (lambda: nn.RNN(3, 4, nonlinearity="sin"), ArgumentError, "nonlinearity must be 'tanh' or 'relu', got 'sin'"),
    (lambda: nn.RNNCell(3, 4, nonlinearity="sin"), ArgumentError, "RNNCell: nonlinearity must be"),
    (lambda: nn.GRU(3, 4)(ag.zeros(3)), ShapeError, r"GRU: input must have 2 or 3 dimensions, got shape \[3\]"),
    (lambda: nn.GRU(3, 4)(ag.zeros(2, 2, 5)), ShapeError, r"input \[2, 2, 5\] has 5 features, input_size is 3"),
    (lambda: nn.GRU(3, 4)(ag.zeros(2, 2, 3).double()), DTypeError, "input has dtype float64, the weights have float32"),
    (lambda: nn.GRU(3, 4)(ag.zeros(0, 2, 3)), ShapeError, r"input \[0, 2, 3\] has 0 rows"),
    (lambda: nn.GRU(3, 4)([1.0]), DTypeError, "GRU: takes a tensor, got list"),
    (lambda: nn.GRU(3, 4)(ag.zeros(2, 2, 3), ag.zeros(1, 3, 4)), ShapeError, r"hx must have shape \[1, 2, 4\], got"),
    (lambda: nn.GRU(3, 4)(ag.zeros(2, 3), ag.zeros(1, 1, 4)), ShapeError, r"hx must have shape \[1, 4\], got \[1, 1"),
    (lambda: nn.LSTM(3, 4)(ag.zeros(2, 2, 3), ag.zeros(1, 2, 4)), ArgumentError, r"must be a pair \(h_0, c_0\)"),
    (
        lambda: nn.LSTM(3, 4)(ag.zeros(2, 2, 3), (ag.zeros(1, 2, 4), ag.zeros(1, 2, 5))),
        ShapeError,
        r"LSTM: hx\[1\] must have shape \[1, 2, 4\], got \[1, 2, 5\]",
    ),
    (lambda: nn.LSTMCell(3, 4)(ag.zeros(1, 2, 3)), ShapeError, "LSTMCell: input must have 1 or 2 dimensions"),
    (lambda: nn.LSTMCell(3, 4)(ag.zeros(2, 3), ag.zeros(2, 4)), ArgumentError, r"must be a pair \(h, c\)"),
    (lambda: nn.GRUCell(3, 4)(ag.zeros(2, 3), ag.zeros(4)), ShapeError, r"hx must have shape \[2, 4\], got \[4\]"),
    (lambda: nn.GRUCell(3, 4)(ag.zeros(2, 5)), ShapeError, "gru: weight_ih has shape"),
    (lambda: nn.RNN(3, 4).load_state_dict(nn.RNN(3, 5).state_dict()), StateDictError, "weight_hh_l0"),
]


@pytest.mark.parametrize(("call", "error", "match"), ERRORS, ids=[match for _, _, match in ERRORS])
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="dropout=0.5 has no effect with num_layers=1"):
        nn.GRU(2, 3, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.GRU(2, 3, 2, dropout=0.5)
