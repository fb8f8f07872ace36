"""Module: attributes, registration, walks, modes, conversion, copies, paths of recorded nodes; as in PyTorch."""

from __future__ import annotations

import copy
from collections import OrderedDict

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DeviceError, DTypeError, InPlaceError, RegistrationError
from autograd_cnn.graph.walk import reachable
from autograd_cnn.optim import SGD


def build(lib, ones):
    """One and the same model of `lib.nn`, with shared parts, None members and buffers of both kinds."""
    m = lib.nn.Module()
    m.first = lib.nn.Linear(2, 3)
    m.scale = lib.nn.Parameter(ones(3))
    m.register_buffer("mean", ones(3))
    m.register_buffer("cache", ones(1), persistent=False)
    m.register_buffer("nothing", None)
    m.register_parameter("missing", None)
    m.blocks = lib.nn.ModuleList([lib.nn.BatchNorm1d(3), lib.nn.Sequential(lib.nn.Linear(3, 3), lib.nn.ReLU())])
    m.again = m.first
    m.tied = lib.nn.Linear(3, 3)
    m.tied.weight = m.blocks[1][0].weight
    m.absent = None
    m.add_module("void", None)
    m.mean2 = m.mean
    m.register_buffer("mean3", m.mean)
    return m


@pytest.fixture
def pair(torch):
    return build(ag, ag.ones), build(torch, torch.ones)


WALKS = {
    "named_modules": lambda m: [n for n, _ in m.named_modules()],
    "named_modules_all": lambda m: [n for n, _ in m.named_modules(remove_duplicate=False)],
    "named_modules_prefix": lambda m: [n for n, _ in m.named_modules(prefix="net")],
    "named_children": lambda m: [n for n, _ in m.named_children()],
    "named_parameters": lambda m: [n for n, _ in m.named_parameters()],
    "named_parameters_all": lambda m: [n for n, _ in m.named_parameters(remove_duplicate=False)],
    "named_parameters_own": lambda m: [n for n, _ in m.named_parameters("net", recurse=False)],
    "named_buffers": lambda m: [n for n, _ in m.named_buffers()],
    "named_buffers_all": lambda m: [n for n, _ in m.named_buffers(remove_duplicate=False)],
    "counts": lambda m: [len(list(walk())) for walk in (m.modules, m.children, m.parameters, m.buffers)],
    "state_dict": lambda m: list(m.state_dict()),
    "state_dict_prefix": lambda m: list(m.state_dict(prefix="net.")),
    "repr": repr,
    "apply": lambda m: [seen := [], m.apply(lambda x: seen.append(type(x).__name__))][0],
    "dir": lambda m: {"first", "scale", "mean", "blocks"} <= set(dir(m)) and "0" not in dir(m.blocks),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_walks_as_torch(pair, walk):
    ours, theirs = pair
    assert walk(ours) == walk(theirs)


def test_getting_members():
    m = build(ag, ag.ones)
    assert m.get_submodule("") is m
    assert m.get_submodule("blocks.1.0") is m.blocks[1][0]
    assert m.get_parameter("blocks.1.0.weight") is m.tied.weight
    assert m.get_buffer("blocks.0.running_mean") is m.blocks[0].running_mean
    assert m.missing is None
    assert m.nothing is None
    with pytest.raises(
        AttributeError, match=r"get_submodule 'blocks.7': ModuleList has no module '7' \(it has: 0, 1\)"
    ):
        m.get_submodule("blocks.7")
    with pytest.raises(
        AttributeError, match=r"get_parameter 'first.mean': Linear has no parameter 'mean' \(it has: weight, bias\)"
    ):
        m.get_parameter("first.mean")
    with pytest.raises(AttributeError, match="Linear has no buffer 'weight'"):
        m.get_buffer("first.weight")
    with pytest.raises(AttributeError, match="'Module' object has no attribute 'nosuch'"):
        _ = m.nosuch


# Attributes

ASSIGNMENTS = {
    "parameter to int": lambda lib, ones, m: setattr(m, "scale", 3),
    "parameter to tensor": lambda lib, ones, m: setattr(m, "scale", ones(3)),
    "parameter to None": lambda lib, ones, m: setattr(m, "scale", None),
    "parameter to module": lambda lib, ones, m: setattr(m, "scale", lib.nn.ReLU()),
    "module to int": lambda lib, ones, m: setattr(m, "first", 3),
    "module to None": lambda lib, ones, m: setattr(m, "first", None),
    "module to parameter": lambda lib, ones, m: setattr(m, "first", lib.nn.Parameter(ones(1))),
    "buffer to int": lambda lib, ones, m: setattr(m, "mean", 3),
    "buffer to tensor": lambda lib, ones, m: setattr(m, "mean", ones(5)),
    "buffer to None": lambda lib, ones, m: setattr(m, "mean", None),
    "buffer to module": lambda lib, ones, m: setattr(m, "mean", lib.nn.ReLU()),
    "temporary buffer to tensor": lambda lib, ones, m: setattr(m, "cache", ones(5)),
    "temporary buffer to Buffer": lambda lib, ones, m: setattr(m, "cache", lib.nn.Buffer(ones(5))),
    "new Buffer": lambda lib, ones, m: setattr(m, "more", lib.nn.Buffer(ones(5), persistent=False)),
    "same parameter again": lambda lib, ones, m: setattr(m, "scale", lib.nn.Parameter(ones(2))),
    "parameter over a plain attribute": lambda lib, ones, m: [
        setattr(m, "plain", 3),
        setattr(m, "plain", lib.nn.Parameter(ones(2))),
    ],
    "Buffer over a plain attribute": lambda lib, ones, m: [
        setattr(m, "plain", 3),
        setattr(m, "plain", lib.nn.Buffer(ones(2))),
    ],
    "parameter over a method": lambda lib, ones, m: setattr(m, "forward", lib.nn.Parameter(ones(2))),
    "delete parameter": lambda lib, ones, m: delattr(m, "scale"),
    "delete buffer": lambda lib, ones, m: delattr(m, "cache"),
    "delete and register again": lambda lib, ones, m: [delattr(m, "cache"), m.register_buffer("cache", ones(1))],
    "delete module": lambda lib, ones, m: delattr(m, "first"),
    "delete nothing": lambda lib, ones, m: delattr(m, "nosuch"),
    "register number": lambda lib, ones, m: m.register_parameter(3, None),
    "register dotted": lambda lib, ones, m: m.register_parameter("a.b", None),
    "register empty": lambda lib, ones, m: m.register_buffer("", None),
    "register taken parameter": lambda lib, ones, m: m.register_parameter("first", None),
    "register same parameter": lambda lib, ones, m: m.register_parameter("scale", None),
    "register taken buffer": lambda lib, ones, m: m.register_buffer("train", None),
    "register taken module": lambda lib, ones, m: m.register_module("scale", None),
    "register wrong parameter": lambda lib, ones, m: m.register_parameter("new", ones(1)),
    "register wrong buffer": lambda lib, ones, m: m.register_buffer("new", 3),
    "register wrong module": lambda lib, ones, m: m.add_module("new", 3),
}


def outcome(lib, ones, change):
    """What a change of a model leads to: the error's class, or what the model consists of then."""
    m = build(lib, ones)
    try:
        change(lib, ones, m)
        error = None
    except (AttributeError, TypeError, KeyError) as raised:
        error = next(kind for kind in (AttributeError, TypeError, KeyError) if isinstance(raised, kind))
    walks = ("named_modules", "named_parameters", "named_buffers", "state_dict")
    return error, *(WALKS[walk](m) for walk in walks)


@pytest.mark.parametrize("change", ASSIGNMENTS.values(), ids=ASSIGNMENTS)
def test_changes_as_torch(torch, change):
    assert outcome(ag, ag.ones, change) == outcome(torch, torch.ones, change)


def test_messages():
    m = build(ag, ag.ones)
    with pytest.raises(DTypeError, match="Module: parameter 'scale' must be a Parameter or None, got Tensor"):
        m.scale = ag.ones(3)
    with pytest.raises(DTypeError, match="Module: module 'first' must be a Module or None, got int"):
        m.first = 3
    with pytest.raises(
        RegistrationError, match=r"^Module: cannot register buffer 'train', there is such an attribute already$"
    ):
        m.register_buffer("train", None)
    with pytest.raises(RegistrationError, match=r"must not be empty nor contain a dot, got 'a\.b'"):
        m.register_parameter("a.b", None)


def test_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.plain = 3  # plain attributes may come first
            self.early = value
            super().__init__()

    assert Early(4).plain == 3
    for value in (nn.Parameter(ag.ones(1)), nn.ReLU(), nn.Buffer(ag.ones(1))):
        with pytest.raises(AttributeError, match=r"Early: call super\(\).__init__\(\) before"):
            Early(value)


def test_parameter():
    t = ag.ones(2)
    p = nn.Parameter(t)
    t.add_(1)
    assert p.tolist() == [2, 2]
    assert p.requires_grad
    assert p.is_leaf
    assert isinstance(nn.Parameter(p * 2), nn.Parameter)
    assert nn.Parameter(ag.ones(2), requires_grad=False).requires_grad is False
    assert nn.Parameter().shape == (0,)
    assert type(p * 2) is ag.Tensor
    with pytest.raises(DTypeError, match="Parameter: data must be a tensor, got ndarray"):
        nn.Parameter(np.ones(2))


# Modes and conversion


def test_train_and_eval_reach_every_module_through_overrides():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(nn.Dropout(), nn.Sequential(Frozen(2), nn.ReLU()))
    assert net.train() is net
    assert [m.training for m in net.modules()] == [True, True, True, False, True]
    net.eval()
    assert not any(m.training for m in net.modules())
    with pytest.raises(ArgumentError, match="train: mode must be True or False, got 1"):
        net.train(1)


def test_requires_grad_and_zero_grad():
    net = nn.Linear(2, 2)
    net(ag.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert (net.weight.grad == 0).all()
    net.zero_grad()
    assert net.weight.grad is None
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


def test_to():
    net = build(ag, ag.ones)
    net.register_buffer("mask", ag.tensor([True]))
    parameters = list(net.parameters())
    net.first(ag.ones(1, 2)).sum().backward()
    assert net.double() is net
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert {p.dtype for p in parameters} == {ag.float64}
    assert net.first.weight.grad.dtype == ag.float64
    assert {b.dtype for b in net.buffers()} == {ag.float64, ag.int64, ag.bool}
    assert net.tied.weight is net.blocks[1][0].weight
    optimizer = SGD(net.parameters(), lr=1.0)
    before = net.first.bias.detach().clone()
    net.float()
    optimizer.step()
    assert (net.first.bias == before.float() - 1).all()
    assert net.to(ag.ones(1, dtype=ag.float64)).scale.dtype == ag.float64
    assert net.to("cpu", ag.float32).scale.dtype == ag.float32
    assert net.to(device="cpu").cpu() is net


def test_to_refuses():
    net = build(ag, ag.ones)
    with pytest.raises(DTypeError, match=r"Module\.to: dtype must be floating point, got int64"):
        net.to(ag.int64)
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        net.to("tpu", ag.float64)
    assert net.scale.dtype == ag.float32


def test_conversion_shows_in_a_graph_recorded_before():
    layer = nn.Linear(2, 2)
    y = layer(ag.ones(1, 2, requires_grad=True)).sum()
    layer.double()
    with pytest.raises(InPlaceError, match=r"Module\.to"):
        y.backward()


def test_deepcopy():
    net = build(ag, ag.ones)
    net.more = nn.Buffer(ag.ones(2), persistent=False)
    net.first(ag.ones(1, 2)).sum().backward()
    twin = copy.deepcopy(net)
    assert repr(twin) == repr(net)
    assert list(twin.state_dict()) == list(net.state_dict())
    assert twin.tied.weight is twin.blocks[1][0].weight
    assert twin.first is twin.again
    assert twin.first.weight is not net.first.weight
    assert isinstance(twin.more, nn.Buffer)
    assert isinstance(twin.scale, nn.Parameter)
    assert twin.scale.requires_grad
    assert (twin.first.weight.grad == net.first.weight.grad).all()
    with ag.no_grad():
        twin.first.weight.zero_()
    assert (net.first.weight != 0).any()
    x = ag.ones(1, 2)
    assert (twin.first(x) != net.first(x)).any()


def test_forward_is_missing():
    with pytest.raises(NotImplementedError, match="ModuleList: has no forward method"):
        nn.ModuleList()(1)


# Paths of nodes


class Block(nn.Module):
    def __init__(self, fail=False):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.fail = fail

    def forward(self, x):
        y = self.linear(x).tanh()
        if self.fail:
            raise ArithmeticError
        return y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.ModuleDict({"a": nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())})
        self.outside = [nn.Linear(2, 2)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        x = self.head["a"](x) * 2
        x = self.blocks[0](x)
        return self.outside[0](x).exp()


def paths(y):
    return [(node.name(), node.module_path) for node in reachable([y.grad_fn])]


def test_paths():
    net = Net()
    found = paths(net(ag.ones(1, 2, requires_grad=True)).sum())
    assert [path for name, path in found if name.startswith("Tanh")] == ["blocks.0", "blocks.1", "blocks.0"]
    assert {path for _, path in found} == {
        "blocks.0", "blocks.0.linear", "blocks.1", "blocks.1.linear", "head.a.0", "head.a.1", "", "Linear", None,
    }  # fmt: skip
    assert [path for name, path in found if name.startswith(("Exp", "Mul"))] == ["", ""]
    assert found[-1] == ("SumBackward", None)


def test_path_after_an_exception():
    block = Block(fail=True)
    with pytest.raises(ArithmeticError):
        nn.Sequential(block)(ag.ones(1, 2))
    assert (ag.ones(1, requires_grad=True) * 2).grad_fn.module_path is None


def test_grad_mode_set_within_forward_outlasts_it():
    class Stop(nn.Module):
        def forward(self, x):
            ag.set_grad_enabled(False)
            return x

    try:
        nn.Sequential(Stop())(1)
        assert not ag.is_grad_enabled()
    finally:
        ag.set_grad_enabled(True)
    assert (ag.ones(1, requires_grad=True) * 2).grad_fn.module_path is None


# Printing


class Several(nn.Module):
    def extra_repr(self):
        return "first=1\nsecond=2"


REPRS = {
    "nested": lambda nn: nn.Sequential(
        nn.Linear(2, 3, bias=False), nn.ModuleDict({"x": nn.ReLU(), "y": nn.Sequential()}), nn.ModuleList()
    ),
    "named": lambda nn: nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), flat=nn.Flatten(2))),
    "repeated": lambda nn: nn.ModuleList(
        [
            *(nn.Linear(1, 1) for _ in range(3)),
            nn.ReLU(),
            nn.ModuleList([nn.ReLU(), nn.ReLU()]),
            *2 * [nn.Sequential(nn.ReLU())],
        ]
    ),
    "Linear": lambda nn: nn.Linear(2, 3),
    "Identity": lambda nn: nn.Identity(3, x=4),
    "Flatten": lambda nn: nn.Flatten(),
    "Unflatten": lambda nn: nn.Unflatten(1, (2, 3)),
    "Conv2d": lambda nn: nn.Conv2d(2, 4, (3, 5)),
    "Conv2d all": lambda nn: nn.Conv2d(2, 4, 3, (1, 2), (2, 0), 2, 2, False, "reflect"),
    "Conv2d same": lambda nn: nn.Conv2d(2, 4, 3, padding="same"),
    "Conv2d valid": lambda nn: nn.Conv2d(2, 4, 3, padding="valid", padding_mode="circular"),
    "MaxPool2d": lambda nn: nn.MaxPool2d(2),
    "MaxPool2d all": lambda nn: nn.MaxPool2d((3, 2), 1, 1, 2, ceil_mode=True),
    "AvgPool2d": lambda nn: nn.AvgPool2d(2, (1, 2), 1),
    "AdaptiveAvgPool2d": lambda nn: nn.AdaptiveAvgPool2d((1, None)),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(3),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(3, 1e-3, None, False, False),
    "BatchNorm2d bias": lambda nn: nn.BatchNorm2d(3, bias=False),
    "LayerNorm": lambda nn: nn.LayerNorm(3),
    "LayerNorm all": lambda nn: nn.LayerNorm((2, 3), 1e-3, bias=False),
    "LayerNorm plain": lambda nn: nn.LayerNorm([3], elementwise_affine=False),
    "Dropout": lambda nn: nn.Dropout(0.25, True),
    "Embedding": lambda nn: nn.Embedding(5, 3),
    "Embedding padding": lambda nn: nn.Embedding(5, 3, -1),
    "ReLU": lambda nn: nn.ReLU(),
    "ReLU inplace": lambda nn: nn.ReLU(inplace=True),
    "LeakyReLU": lambda nn: nn.LeakyReLU(),
    "LeakyReLU inplace": lambda nn: nn.LeakyReLU(0.2, True),
    "PReLU": lambda nn: nn.PReLU(3),
    "ELU": lambda nn: nn.ELU(),
    "GELU": lambda nn: nn.GELU("tanh"),
    "Softplus": lambda nn: nn.Softplus(),
    "Softmax": lambda nn: nn.Softmax(1),
    "LogSoftmax": lambda nn: nn.LogSoftmax(dim=-1),
    "Tanh": lambda nn: nn.Tanh(),
    "SELU": lambda nn: nn.SELU(),
    "SiLU": lambda nn: nn.SiLU(),
    "Hardtanh": lambda nn: nn.Hardtanh(-2.0, 3.0, True),
    "ReLU6": lambda nn: nn.ReLU6(True),
    "LogSigmoid": lambda nn: nn.LogSigmoid(),
    "Dropout2d": lambda nn: nn.Dropout2d(0.1),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "CrossEntropyLoss": lambda nn: nn.CrossEntropyLoss(),
    "NLLLoss": lambda nn: nn.NLLLoss(),
    "MSELoss": lambda nn: nn.MSELoss(reduction="sum"),
    "L1Loss": lambda nn: nn.L1Loss(),
    "SmoothL1Loss": lambda nn: nn.SmoothL1Loss(beta=2.0),
    "BCELoss": lambda nn: nn.BCELoss(),
    "BCEWithLogitsLoss": lambda nn: nn.BCEWithLogitsLoss(),
}


@pytest.mark.parametrize("make", REPRS.values(), ids=REPRS)
def test_repr_as_torch(torch, make):
    assert repr(make(nn)) == repr(make(torch.nn))


def test_repr_of_several_settings():
    module = Several()
    assert repr(module) == "Several(\n  first=1\n  second=2\n)"
    module.child = nn.Sequential(nn.ReLU())
    assert repr(module) == ("Several(\n  first=1\n  second=2\n  (child): Sequential(\n    (0): ReLU()\n  )\n)")
