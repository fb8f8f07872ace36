"""Lazy layers become what PyTorch's become, with the same state, and say so where they are used too early."""

from __future__ import annotations

import numpy as np
import pytest
from test_nn_layers import numbers

import autograd_cnn as ag
from autograd_cnn import nn, optim
from autograd_cnn.errors import ArgumentError, ShapeError, StateDictError

IMAGES = {1: (2, 4, 9), 2: (2, 4, 6, 5), 3: (2, 4, 5, 4, 6)}

LAYERS = {
    "LazyLinear": (lambda nn: nn.LazyLinear(3), (5, 4)),
    "LazyLinear without bias": (lambda nn: nn.LazyLinear(3, bias=False), (2, 5, 4)),
    **{
        f"LazyConv{a}d": (lambda nn, a=a: getattr(nn, f"LazyConv{a}d")(8, 3, padding=1, groups=2), IMAGES[a])
        for a in IMAGES
    },
    **{
        f"LazyConvTranspose{a}d": (lambda nn, a=a: getattr(nn, f"LazyConvTranspose{a}d")(6, 3, stride=2), IMAGES[a])
        for a in IMAGES
    },
    **{
        f"LazyBatchNorm{a}d": (lambda nn, a=a: getattr(nn, f"LazyBatchNorm{a}d")(momentum=0.2), IMAGES[a])
        for a in IMAGES
    },
    **{f"LazyInstanceNorm{a}d": (lambda nn, a=a: getattr(nn, f"LazyInstanceNorm{a}d")(), IMAGES[a]) for a in IMAGES},
    "LazyConv2d of one image": (lambda nn: nn.LazyConv2d(2, 3, padding_mode="reflect", padding=1), IMAGES[2][1:]),
}


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
def test_layers(torch, make, shape) -> None:
    ours, theirs = make(nn).double(), make(torch.nn).double()
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.has_uninitialized_params()
    parameters = list(ours.parameters())
    x = numbers(*shape)
    ours(ag.tensor(x))
    theirs(torch.tensor(x))
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert all(new is old for new, old in zip(ours.parameters(), parameters, strict=True))
    assert {type(parameter) for parameter in parameters} == {nn.Parameter}
    expected = {name: (tuple(v.shape), str(v.dtype)[6:]) for name, v in theirs.state_dict().items()}
    assert {name: (v.shape, str(v.dtype)) for name, v in ours.state_dict().items()} == expected
    ours.load_state_dict({name: v.numpy() for name, v in theirs.state_dict().items()})
    np.testing.assert_allclose(
        ours(ag.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), 1e-9, 1e-11
    )


def test_what_a_state_dict_brings() -> None:
    full = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4))
    full(ag.randn(2, 3, 4, 4))
    lazy = nn.Sequential(nn.LazyConv2d(4, 2), nn.LazyBatchNorm2d())
    lazy.load_state_dict(full.state_dict())
    x = ag.randn(2, 3, 4, 4)
    np.testing.assert_array_equal(lazy.eval()(x).detach().numpy(), full.eval()(x).detach().numpy())
    assert type(lazy[0]) is nn.Conv2d
    assert lazy[0].in_channels == 3


def test_initial_values_are_those_of_the_layer() -> None:
    ag.manual_seed(3)
    lazy = nn.LazyLinear(5)
    lazy(ag.zeros(1, 7))
    ag.manual_seed(3)
    nn.Linear(0, 5)
    plain = nn.Linear(7, 5)
    assert lazy.weight.shape == plain.weight.shape
    assert float(lazy.weight.abs().max()) <= 7**-0.5
    assert float(lazy.bias.abs().max()) > 0


def test_an_optimizer_made_after_the_first_call_trains_it() -> None:
    lazy = nn.LazyLinear(2)
    lazy(ag.ones(1, 3))
    optimizer = optim.SGD(lazy.parameters(), 0.1)
    before = lazy.weight.detach().clone()
    lazy(ag.ones(1, 3)).sum().backward()
    optimizer.step()
    assert (lazy.weight != before).all()


def test_uninitialized_parameters() -> None:
    parameter = nn.UninitializedParameter(requires_grad=False, dtype=ag.float64)
    for use in (lambda: parameter + 1, lambda: parameter.shape, lambda: parameter.numpy(), lambda: parameter.sum()):
        with pytest.raises(ArgumentError, match="UninitializedParameter: has no values yet; call its lazy module once"):
            use()
    parameter.materialize((2, 3))
    assert (parameter + 1).shape == (2, 3)
    assert parameter.dtype == ag.float64
    assert not parameter.requires_grad
    buffer = nn.UninitializedBuffer()
    buffer.materialize((4,), dtype=ag.float64)
    assert type(buffer) is nn.Buffer
    assert (buffer.shape, buffer.dtype) == ((4,), ag.float64)


def test_errors() -> None:
    with pytest.raises(ShapeError, match=r"LazyConv2d: input must have 3 or 4 dimensions, got shape \[2, 3\]"):
        nn.LazyConv2d(2, 3)(ag.ones(2, 3))
    layer = nn.LazyConv2d(2, 3, groups=2)
    with pytest.raises(ArgumentError, match="LazyConv2d: input's 3 channels are not divisible by groups 2"):
        layer(ag.ones(1, 3, 5, 5))
    assert layer(ag.ones(1, 4, 5, 5)).shape == (1, 2, 3, 3)
    with pytest.raises(StateDictError, match="weight: has no values in the state dict yet"):
        nn.Linear(3, 2).load_state_dict(nn.LazyLinear(2).state_dict())
    with pytest.raises(StateDictError, match="missing: weight\n"):
        nn.LazyLinear(2).load_state_dict({})
