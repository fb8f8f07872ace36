"""State dicts: PyTorch's names, loading by name, and errors that change nothing."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import DTypeError, StateDictError


def as_numpy(state):
    return {name: value.detach().numpy() for name, value in state.items()}


LAYERS = {
    "Linear": lambda nn: nn.Linear(3, 2),
    "Linear without bias": lambda nn: nn.Linear(3, 2, bias=False),
    "Conv2d": lambda nn: nn.Conv2d(4, 6, (3, 2), groups=2),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(3),
    "LayerNorm": lambda nn: nn.LayerNorm((2, 3), bias=False),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(3, affine=False),
    "BatchNorm2d without bias": lambda nn: nn.BatchNorm2d(3, bias=False),
    "BatchNorm2d without statistics": lambda nn: nn.BatchNorm2d(3, track_running_stats=False),
    "Embedding": lambda nn: nn.Embedding(5, 3, padding_idx=0),
    "PReLU": lambda nn: nn.PReLU(3),
    "nested": lambda nn: nn.Sequential(nn.ModuleDict({"a": nn.BatchNorm1d(2)}), nn.ModuleList([nn.Linear(2, 2)])),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_state_of_torch_loads_by_name(torch, make):
    ours, theirs = make(nn), make(torch.nn)
    state = as_numpy(theirs.state_dict())
    assert list(ours.state_dict()) == list(state)
    assert {n: (v.shape, str(v.dtype)) for n, v in ours.state_dict().items()} == {
        n: (v.shape, str(v.dtype)) for n, v in state.items()
    }
    result = ours.load_state_dict(state)
    assert repr(result) == "<All keys matched successfully>"
    for name, value in ours.state_dict().items():
        assert (value.numpy() == state[name]).all()
    ours.load_state_dict(theirs.state_dict())  # also without the way through NumPy


def model():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    net.register_buffer("temporary", ag.ones(1), persistent=False)
    return net


def test_state_shares_memory_and_loading_copies():
    net = model()
    state = net.state_dict()
    assert "temporary" not in state
    assert not state["0.weight"].requires_grad
    state["0.weight"].zero_()
    assert (net[0].weight == 0).all()
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight
    other = model()
    weight = other[0].weight
    other.load_state_dict(state)
    assert other[0].weight is weight
    assert weight.requires_grad
    state["0.weight"].add_(3.0)
    assert (weight == 0).all()


def test_tensors_of_torch_that_numpy_cannot_hold(torch):
    net = nn.Linear(2, 1)
    before = net.weight.tolist()
    state = {"weight": torch.ones(1, 2), "bias": torch.ones(1, dtype=torch.bfloat16)}
    with pytest.raises(StateDictError, match=r"bias: cannot be read as an array: .*BFloat16"):
        net.load_state_dict(state)
    assert net.weight.tolist() == before


def test_shared_parts_are_saved_under_every_name():
    net = nn.ModuleDict({"a": nn.Linear(2, 2)})
    net["b"] = net["a"]
    assert list(net.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    net.load_state_dict({name: np.full_like(v.numpy(), i) for i, (name, v) in enumerate(net.state_dict().items())})
    assert (net["a"].weight == 2).all()


def test_loading_converts_within_a_kind():
    net = nn.Linear(2, 1)
    for dtype in (np.float16, np.float64, ">f4", np.int64):
        net.load_state_dict({"weight": np.array([[1, 2]], dtype), "bias": np.array([3], dtype)})
        assert net.weight.tolist() == [[1, 2]]
        assert net.weight.dtype == ag.float32
    strided = np.arange(8.0).reshape(4, 2)[::3]
    nn.Linear(2, 2, bias=False).load_state_dict({"weight": strided})


def test_loading_is_a_change_in_place():
    net = nn.Linear(2, 2)
    y = net(ag.ones(1, 2, requires_grad=True)).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place by load_state_dict"):
        y.backward()


BAD = {
    "missing": (
        {"1.bias": None, "0.weight": None},
        {},
        ["missing: 0.weight, of shape [3, 2]", "missing: 1.bias, of shape [3]"],
    ),
    "unexpected": ({}, {"2.weight": np.ones(1), "head": np.ones(1)}, ["unexpected: 2.weight", "unexpected: head"]),
    "misshapen": (
        {},
        {"0.weight": np.ones((2, 3)), "1.bias": np.ones(())},
        [
            "0.weight: has shape [2, 3] in the state dict, [3, 2] in the model",
            "1.bias: has shape [] in the state dict, [3] in the model",
        ],
    ),
    "wrong kind": (
        {},
        {
            "0.bias": 3,
            "1.num_batches_tracked": np.array(1.5),
            "1.weight": np.ones(3, complex),
            "1.bias": np.array(["a"] * 3),
        },
        [
            "0.bias: is a int, not a tensor or an array",
            "1.weight: has dtype complex128 in the state dict, float32 in the model",
            "1.bias: has dtype <U1 in the state dict, float32 in the model",
            "1.num_batches_tracked: has dtype float64 in the state dict, int64 in the model",
        ],
    ),
    "all at once": (
        {"0.bias": None},
        {"more": np.ones(1), "0.weight": np.ones(1)},
        [
            "missing: 0.bias, of shape [3]",
            "unexpected: more",
            "0.weight: has shape [1] in the state dict, [3, 2] in the model",
        ],
    ),
}


@pytest.mark.parametrize(("removed", "added", "lines"), BAD.values(), ids=BAD)
def test_a_refused_state_changes_nothing(removed, added, lines):
    net = model()
    state = {name: np.full_like(v.numpy(), 7) for name, v in net.state_dict().items()}
    before = {name: v.clone().numpy() for name, v in net.state_dict().items()}
    versions = [p._version for p in net.parameters()]
    for name in removed:
        del state[name]
    with pytest.raises(StateDictError) as caught:
        net.load_state_dict({**state, **added})
    assert str(caught.value).split("\n  ") == ["load_state_dict for Sequential:", *lines]
    for name, value in net.state_dict().items():
        assert (value.numpy() == before[name]).all()
    assert [p._version for p in net.parameters()] == versions


def test_not_strict():
    net = model()
    result = net.load_state_dict({"0.bias": np.full(3, 7.0), "more": np.ones(1)}, strict=False)
    assert result.unexpected_keys == ["more"]
    assert result.missing_keys[:2] == ["0.weight", "1.weight"]
    assert "missing_keys=['0.weight'" in repr(result)
    assert (net[0].bias == 7).all()
    with pytest.raises(StateDictError, match=r"0\.bias: has shape"):
        net.load_state_dict({"0.bias": np.ones(9)}, strict=False)
    with pytest.raises(DTypeError, match="load_state_dict: state_dict must be a mapping, got list"):
        net.load_state_dict([])
