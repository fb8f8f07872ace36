"""Normalisation, embeddings, dropouts and bilinear layers with PyTorch's weights give its numbers and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from test_nn_layers import compare, numbers

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, InPlaceError, ShapeError
from autograd_cnn.nn import functional as F

IMAGE = (2, 4, 5, 3)
SEVERAL = {
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), IMAGE),
    "GroupNorm plain": (lambda nn: nn.GroupNorm(4, 4, 0.1, affine=False), IMAGE),
    "GroupNorm without bias": (lambda nn: nn.GroupNorm(1, 4, bias=False), IMAGE),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(4, affine=True), (2, 4, 5)),
    "InstanceNorm1d without batch": (lambda nn: nn.InstanceNorm1d(4), (4, 5)),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(4, 0.1, 0.3, True, True), IMAGE),
    "InstanceNorm2d without batch": (lambda nn: nn.InstanceNorm2d(4, track_running_stats=True), IMAGE[1:]),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(3, track_running_stats=True), (2, 3, 2, 3, 2)),
    "RMSNorm": (lambda nn: nn.RMSNorm((5, 3)), IMAGE),
    "RMSNorm plain": (lambda nn: nn.RMSNorm(3, 0.1, elementwise_affine=False), IMAGE),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(3, 0.5, 0.6, 2.0), IMAGE),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(3), (2, 3, 2, 3, 2)),
    "Dropout1d": (lambda nn: nn.Dropout1d(0.0), (2, 3, 4)),
    "Dropout3d": (lambda nn: nn.Dropout3d(0.0), (2, 3, 1, 2, 2)),
    "AlphaDropout": (lambda nn: nn.AlphaDropout(0.0), (3, 4)),
    "FeatureAlphaDropout": (lambda nn: nn.FeatureAlphaDropout(0.0), (3, 4)),
}


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("make", "shape"), SEVERAL.values(), ids=SEVERAL)
def test_layers(torch, make, shape, train):
    compare(torch, make, numbers(*shape), train=train, calls=2)


def test_bilinear(torch):
    compare(torch, lambda nn: nn.Bilinear(3, 4, 2), numbers(5, 3), numbers(5, 4))
    compare(torch, lambda nn: nn.Bilinear(3, 4, 2, bias=False), numbers(2, 5, 3), numbers(2, 5, 4))
    bound = 1 / np.sqrt(50)
    layer = nn.Bilinear(50, 20, 10)
    assert 0.9 * bound < layer.weight.abs().max().item() <= bound


LINES = np.array([[0, 4, 1], [2, 2, 0]])
BAGS = {
    "lines": (lambda nn: nn.EmbeddingBag(5, 3), (LINES,)),
    "offsets": (lambda nn: nn.EmbeddingBag(5, 3, mode="sum", padding_idx=1), (LINES.ravel(), np.array([0, 2, 2]))),
    "max": (lambda nn: nn.EmbeddingBag(5, 3, mode="max"), (LINES,)),
    "last": (
        lambda nn: nn.EmbeddingBag(5, 3, mode="sum", include_last_offset=True),
        (LINES.ravel(), np.array([0, 2, 6])),
    ),
    "max_norm": (lambda nn: nn.EmbeddingBag(5, 3, 1.0, 1.0), (LINES,)),
}


@pytest.mark.parametrize(("make", "inputs"), BAGS.values(), ids=BAGS)
def test_embedding_bag(torch, make, inputs):
    compare(torch, make, *inputs)


def test_weights_of_bags(torch):
    def forward(module, x, weights):
        return module(x, per_sample_weights=weights)

    compare(torch, lambda nn: nn.EmbeddingBag(5, 3, mode="sum"), LINES, numbers(2, 3), forward=forward)


@pytest.mark.parametrize(
    "options",
    [{"scale_grad_by_freq": True}, {"scale_grad_by_freq": True, "padding_idx": 2}, {"max_norm": 0.7}],
    ids=str,
)
def test_embedding_options(torch, options):
    compare(torch, lambda nn: nn.Embedding(5, 3, **options), LINES)


def test_max_norm_changes_the_table(torch):
    table = numbers(5, 3) * 3
    for power in (2.0, 1.0, 3.0):
        ours, theirs = ag.tensor(table), torch.tensor(table)
        y = F.embedding(ag.tensor(LINES), ours, max_norm=1.5, norm_type=power)
        expected = torch.nn.functional.embedding(torch.tensor(LINES), theirs, max_norm=1.5, norm_type=power)
        np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-12)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    with pytest.raises(InPlaceError, match="embedding: weight is expanded"):
        F.embedding(ag.tensor(LINES), ag.ones(1, 3).expand(5, 3), max_norm=1.0)


def test_gradients_of_bags_by_frequency():
    table = ag.ones(5, 1, requires_grad=True)
    F.embedding_bag(ag.tensor(LINES), table, mode="sum", scale_grad_by_freq=True).sum().backward()
    assert table.grad.tolist() == [[1.0], [1.0], [1.0], [0.0], [1.0]]


def test_tables_that_are_given():
    table = ag.randn(4, 2)
    bag = nn.EmbeddingBag.from_pretrained(table, mode="sum")
    assert not bag.weight.requires_grad
    assert (bag(ag.tensor([[0, 1]])) == table[:2].sum(0)).all()
    layer = nn.Embedding(4, 2, max_norm=1.0, scale_grad_by_freq=True, _weight=table, _freeze=True)
    assert not layer.weight.requires_grad
    assert repr(layer) == "Embedding(4, 2, max_norm=1.0, scale_grad_by_freq=True)"
    assert repr(bag) == "EmbeddingBag(4, 2, mode='sum')"


@pytest.mark.parametrize("channels", [False, True])
def test_alpha_dropout_keeps_mean_and_variance(channels):
    ag.manual_seed(1)
    x = ag.randn(400, 300, 1)
    y = (nn.FeatureAlphaDropout(0.3) if channels else nn.AlphaDropout(0.3))(x)
    assert abs(y.mean().item()) < 0.02
    assert abs(y.var().item() - 1) < 0.02
    dropped = np.unique(y.numpy(), return_counts=True)[1].max() / y.numel()
    assert abs(dropped - 0.3) < 0.01


ERRORS = [
    (lambda: nn.GroupNorm(3, 4), ArgumentError, "GroupNorm: num_channels 4 is not divisible by num_groups 3"),
    (lambda: nn.GroupNorm(0, 4), ArgumentError, "GroupNorm: num_groups must be at least 1, got 0"),
    (
        lambda: nn.InstanceNorm2d(4)(ag.ones(2, 3, 4, 4)),
        ShapeError,
        "InstanceNorm2d: input has 3 channels, num_features is 4",
    ),
    (lambda: nn.InstanceNorm1d(4)(ag.ones(4)), ShapeError, "InstanceNorm1d: input must have 2 or 3 dimensions"),
    (lambda: nn.RMSNorm(-1), ArgumentError, "RMSNorm: normalized_shape"),
    (lambda: nn.Bilinear(0, 2, 2), ArgumentError, "Bilinear: in1_features must be at least 1, got 0"),
    (lambda: nn.EmbeddingBag(3, 2, padding_idx=3), ArgumentError, "EmbeddingBag: padding_idx 3 is out of range"),
    (lambda: nn.EmbeddingBag(3, 2, _weight=ag.ones(2, 3)), ShapeError, "EmbeddingBag: the table must have shape"),
    (lambda: nn.AlphaDropout(2.0), ArgumentError, r"AlphaDropout: p must lie in \[0, 1\], got 2.0"),
    (lambda: nn.Dropout1d(0.5)(ag.ones(2)), ShapeError, "dropout1d"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
