"""The summary table: shapes, parameters, FLOPs, and that it fits a terminal."""

from __future__ import annotations

import pytest

import autograd_cnn as ag
from autograd_cnn import models, nn
from autograd_cnn.errors import ArgumentError


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.ReLU()
        self.scale = nn.Parameter(ag.ones(1))

    def forward(self, x):
        return x + self.act(self.norm(self.conv(x))) * self.scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.blocks = nn.ModuleList([Residual(), Residual()])
        self.shared = self.blocks[0]
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(8, 10))
        self.unused = nn.Linear(5, 5)
        self.head.requires_grad_(False)

    def forward(self, x, offset):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.shared(x)) + offset


@pytest.fixture
def summary():
    return Net().summary(input_size=[(2, 3, 8, 8), (2, 10)])


def row(summary, path):
    return next(layer for layer in summary.layers if layer.path == path)


def test_rows(summary):
    assert [layer.path for layer in summary.layers] == [name for name, _ in Net().named_modules()]
    stem = row(summary, "stem")
    assert (stem.kind, stem.output, stem.parameters) == ("Conv2d", (2, 8, 6, 6), 3 * 8 * 9 + 8)
    # Every output: 27 products, their sum, and the bias.
    assert stem.flops == 2 * 8 * 36 * (27 + 26 + 1) + 2 * 8 * 36
    conv = row(summary, "blocks.1.conv")
    assert (conv.calls, conv.flops) == (1, 2 * 8 * 36 * 2 * (4 * 9))
    twice = row(summary, "blocks.0.conv")
    assert (twice.calls, twice.flops, twice.parameters) == (2, 2 * conv.flops, conv.parameters)
    assert row(summary, "blocks.1.norm").flops == 2 * 2 * 8 * 36
    assert row(summary, "head.3").flops == 2 * 10 * (2 * 8 + 1)
    assert (row(summary, "unused").output, row(summary, "unused").calls) == (None, 0)
    assert row(summary, "blocks.0").parameters == 1


def test_totals(summary):
    net = Net()
    assert summary.total_parameters == sum(p.numel() for p in net.parameters())
    assert summary.total_parameters - summary.trainable_parameters == 90
    assert summary.total_flops == sum(layer.flops for layer in summary.layers)


def test_linear_flops_over_several_dimensions():
    assert nn.Linear(3, 4).summary(input_size=(2, 5, 3)).total_flops == 2 * 5 * 4 * 7
    assert nn.Linear(3, 4, bias=False).summary(input_size=(1, 3)).total_flops == 24


def test_it_leaves_the_model_as_it_was():
    net = Net()
    net.blocks[0].eval()
    modes = [module.training for module in net.modules()]
    norm = net.blocks[1].norm
    net.summary(ag.ones(2, 3, 8, 8), ag.ones(2, 10))
    assert [module.training for module in net.modules()] == modes
    assert norm.num_batches_tracked.item() == 0
    assert not any(module._forward_hooks for module in net.modules())
    with pytest.raises(ValueError, match="conv2d"):
        net.summary(ag.ones(2, 9, 8, 8), ag.ones(2, 10))
    assert [module.training for module in net.modules()] == modes
    assert not any(module._forward_hooks for module in net.modules())


def test_printed(summary):
    text = repr(summary)
    assert max(map(len, text.split("\n"))) <= 100
    assert "Residual, called 2 times" in text
    assert "90 of the parameters are frozen" in text
    lines = [line.replace("│", " ").split() for line in text.split("\n")]
    assert ["unused", "Linear", "30", "0"] in lines
    assert ["total", f"{summary.total_parameters:,}", f"{summary.total_flops:,}"] in lines


def test_depth():
    summary = Net().summary(input_size=[(2, 3, 8, 8), (2, 10)], depth=1)
    lines = [line.replace("│", " ").split() for line in repr(summary).split("\n")]
    shown = {line[0]: line[-2:] for line in lines if len(line) > 3}
    assert {"stem", "blocks", "head", "unused"} <= set(shown)
    assert shown["blocks"][0] == "610"  # two of 288 weights, 16 of the norm and a scale
    numbers = [int(shown[name][0].replace(",", "")) for name in ("stem", "blocks", "head", "unused")]
    assert sum(numbers) == summary.total_parameters


@pytest.mark.parametrize("name", models.MODELS)
def test_named_models_fit_a_terminal(name):
    model = models.MODELS[name].for_data((1, 28, 28), 10)
    summary = model.summary(input_size=(1, 1, 28, 28))
    assert max(map(len, repr(summary).split("\n"))) <= 100
    assert summary.total_parameters == sum(p.numel() for p in model.parameters())


def test_lenet5_known_numbers():
    summary = models.LeNet5().summary(input_size=(1, 1, 28, 28))
    assert summary.total_parameters == 61706
    assert row(summary, "conv1").flops == 28 * 28 * 6 * (2 * 25 + 1)


def test_a_single_layer():
    assert "(itself)" in repr(nn.Linear(3, 4).summary(input_size=(1, 3)))


def test_errors():
    with pytest.raises(ArgumentError, match="summary: give an input, or input_size"):
        nn.Linear(1, 1).summary()
    with pytest.raises(ArgumentError, match=r"summary: input_size must be a tuple of integers .* got 3"):
        nn.Linear(1, 1).summary(input_size=3)
    with pytest.raises(ArgumentError, match="summary: depth must be at least 1, got 0"):
        nn.Linear(1, 1).summary(input_size=(1, 1), depth=0)
