"""Containers of modules and of parameters do as PyTorch's."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import DTypeError, IndexOutOfRangeError


def modules(lib, count=4):
    return [lib.Linear(1, i + 1) for i in range(count)]


LISTS = {
    "append": lambda m, new: m.append(new),
    "append chained": lambda m, new: m.append(new).append(new),
    "extend": lambda m, new: m.extend([new, new]),
    "+=": lambda m, new: m.__iadd__(type(m)(new) if type(m).__name__ == "Sequential" else [new]),
    "insert first": lambda m, new: [m.insert(0, new), m][1],
    "insert in the middle": lambda m, new: [m.insert(2, new), m][1],
    "insert last": lambda m, new: [m.insert(4, new), m][1],
    "pop last": lambda m, new: m.pop(-1),
    "pop first": lambda m, new: m.pop(0),
    "pop slice": lambda m, new: m.pop(slice(1, 3)),
    "set": lambda m, new: m.__setitem__(1, new),
    "set negative": lambda m, new: m.__setitem__(-1, new),
    "set too far": lambda m, new: m.__setitem__(4, new),
    "set int": lambda m, new: m.__setitem__(0, 3),
    "delete": lambda m, new: m.__delitem__(1),
    "delete negative": lambda m, new: m.__delitem__(-2),
    "delete slice": lambda m, new: m.__delitem__(slice(None, None, 2)),
    "delete too far": lambda m, new: m.__delitem__(-5),
    "get": lambda m, new: m[1],
    "get negative": lambda m, new: m[-1],
    "get too far": lambda m, new: m[9],
    "get by name": lambda m, new: m["1"],
    "slice": lambda m, new: m[1:3],
    "slice with step": lambda m, new: m[::-2],
    "len": lambda m, new: len(m),
    "iterate": lambda m, new: list(m),
    "in": lambda m, new: m[2] in m,
    "+": lambda m, new: m + type(m)(list(m) if type(m).__name__ == "ModuleList" else new),
    "append int": lambda m, new: m.append(3),
    "extend int": lambda m, new: m.extend(3),
}


def outcome(lib, make, change):
    """What a change of a container returns, or the class of its error, and what the container is then."""
    m = make(lib)
    try:
        result = change(m, lib.Linear(7, 7))
    except (IndexError, TypeError) as error:
        result = IndexError if isinstance(error, IndexError) else TypeError
    return repr(result), repr(m), [name for name, _ in m.named_children()]


@pytest.mark.parametrize("change", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize(
    "make",
    [lambda lib: lib.Sequential(*modules(lib)), lambda lib: lib.ModuleList(modules(lib))],
    ids=["Sequential", "ModuleList"],
)
def test_lists_as_torch(torch, make, change):
    assert outcome(nn, make, change) == outcome(torch.nn, make, change)


SEQUENTIAL = {
    "empty": lambda lib: lib.Sequential(),
    "named": lambda lib: lib.Sequential(OrderedDict(a=lib.ReLU(), b=lib.Tanh()))[1:],
    "named set": lambda lib: [m := lib.Sequential(OrderedDict(a=lib.ReLU())), m.__setitem__(0, lib.Tanh())][0],
    "attribute": lambda lib: lib.Sequential(OrderedDict(a=lib.ReLU())).a,
    "times": lambda lib: lib.Sequential(lib.ReLU(), lib.Tanh()) * 2,
    "times in front": lambda lib: 2 * lib.Sequential(lib.ReLU()),
}


@pytest.mark.parametrize("make", SEQUENTIAL.values(), ids=SEQUENTIAL)
def test_sequential_as_torch(torch, make):
    assert repr(make(nn)) == repr(make(torch.nn))


def test_sequential_runs_in_order():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    x = ag.randn(2, 2, 2)
    assert (net(x) == net[2](net[1](net[0](x)))).all()
    assert nn.Sequential()(x) is x


def test_sequential_errors():
    net = nn.Sequential(nn.ReLU())
    with pytest.raises(IndexError, match="Sequential: index 3 is out of range for 1 modules"):
        net[3]
    with pytest.raises(IndexError, match=r"Sequential.insert: index 3 is out of range for 1 modules"):
        net.insert(3, nn.ReLU())
    with pytest.raises(TypeError, match=r"Sequential.insert: module must be a Module, got int"):
        net.insert(0, 3)
    with pytest.raises(ValueError, match="Sequential: can only add a Sequential, got list"):
        net + [nn.ReLU()]  # noqa: RUF005
    with pytest.raises(ValueError, match="Sequential: can only be repeated 1 or more times, got 0"):
        net * 0
    with pytest.raises(TypeError, match="Sequential: module '1' must be a Module or None, got int"):
        nn.Sequential(nn.ReLU(), 3)
    assert len(net) == 1


def test_slices_share_their_modules():
    net = nn.Sequential(*modules(nn))
    assert net[1:3][0] is net[1]
    layers = nn.ModuleList(modules(nn))
    assert layers[1:][0] is layers[1]
    assert layers.insert(0, nn.ReLU()) is layers


DICTS = {
    "keys": lambda m, lib: list(m.keys()),
    "values": lambda m, lib: list(m.values()),
    "items": lambda m, lib: list(m.items()),
    "len": lambda m, lib: len(m),
    "in": lambda m, lib: ("a" in m, "z" in m),
    "iterate": lambda m, lib: list(m),
    "get": lambda m, lib: m["a"],
    "get missing": lambda m, lib: m["z"],
    "attribute": lambda m, lib: m.a,
    "set": lambda m, lib: m.__setitem__("c", lib.Tanh()),
    "replace": lambda m, lib: m.__setitem__("a", lib.Tanh()),
    "set int": lambda m, lib: m.__setitem__("c", 3),
    "set method": lambda m, lib: m.__setitem__("train", lib.Tanh()),
    "set dotted": lambda m, lib: m.__setitem__("x.y", lib.Tanh()),
    "delete": lambda m, lib: m.__delitem__("a"),
    "delete missing": lambda m, lib: m.__delitem__("z"),
    "pop": lambda m, lib: m.pop("a"),
    "pop missing": lambda m, lib: m.pop("z"),
    "clear": lambda m, lib: m.clear(),
    "update": lambda m, lib: m.update({"b": lib.Tanh(), "c": lib.Tanh()}),
    "update by pairs": lambda m, lib: m.update([("c", lib.Tanh()), ["d", lib.ReLU()]]),
    "update by ModuleDict": lambda m, lib: m.update(lib.ModuleDict({"c": lib.Tanh()})),
    "update by int": lambda m, lib: m.update(3),
    "update by ints": lambda m, lib: m.update([3]),
    "update by triple": lambda m, lib: m.update([("c", lib.Tanh(), 3)]),
}


@pytest.mark.parametrize("change", DICTS.values(), ids=DICTS)
def test_dict_as_torch(torch, change):
    results = []
    for lib in (nn, torch.nn):
        m = lib.ModuleDict({"a": lib.ReLU(), "b": lib.Linear(1, 2)})
        try:
            result = repr(change(m, lib))
        except (KeyError, TypeError, ValueError) as error:
            result = next(kind for kind in (KeyError, TypeError, ValueError) if isinstance(error, kind))
        results.append((result, repr(m)))
    assert results[0] == results[1]


def both_parameter_containers(torch):
    """Ours and PyTorch's, with the same parameters."""
    arrays = [np.arange(6.0, dtype=np.float32).reshape(2, 3), np.zeros(2, np.float32)]
    for lib in (ag, torch):
        values = [lib.tensor(array) for array in arrays]
        yield lib.nn.ParameterList(values), lib.nn.ParameterDict({"a": values[0], "b": lib.nn.Parameter(values[1])})


def test_parameters_in_lists_and_dicts_are_pytorchs(torch):
    (ours, named), (theirs, their_named) = both_parameter_containers(torch)
    for mine, other in ((ours, theirs), (named, their_named)):
        assert list(mine.state_dict()) == list(other.state_dict())
        assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in mine.parameters())
        mine.load_state_dict({name: value.numpy() + 1 for name, value in other.state_dict().items()})
    assert ours[0][0, 0].item() == named["a"][0, 0].item() == 1
    assert repr(ours) == repr(theirs).replace("torch.float32", "float32")


def test_parameter_list_is_a_list():
    values = nn.ParameterList([ag.zeros(1), ag.zeros(2)])
    values += [ag.zeros(3)]
    values.append(ag.zeros(4)).extend([ag.zeros(5)])
    values[-1] = ag.zeros(6)
    assert [len(value) for value in values] == [1, 2, 3, 4, 6]
    assert [len(value) for value in values[1:3]] == [2, 3]
    assert isinstance(values[1:3], nn.ParameterList)
    with pytest.raises(IndexOutOfRangeError, match="index 5 is out of range for 5 parameters"):
        values[5]
    with pytest.raises(DTypeError, match="values must be tensors, got int"):
        values.extend([ag.zeros(1), 3])
    assert len(values) == 5


def test_parameter_dict_is_a_dict():
    values = nn.ParameterDict([("a", ag.zeros(1))])
    values.update({"b": ag.zeros(2), "a": ag.zeros(3)})
    assert values.setdefault("b", ag.zeros(9)) is values["b"]
    assert len(values.setdefault("c", ag.zeros(4))) == 4
    assert {name: len(value) for name, value in values.copy().items()} == {"a": 3, "b": 2, "c": 4}
    assert len(values.pop("a")) == 3
    assert (list(values), "a" in values, values.get("a")) == (["b", "c"], False, None)
    with pytest.raises(KeyError):
        del values["a"]
    with pytest.raises(DTypeError, match="values must be tensors, got str"):
        values["d"] = "x"
    values.clear()
    assert list(values.parameters()) == []
