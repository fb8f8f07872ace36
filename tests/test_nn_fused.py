"""Layers joined with their ReLU and their batch norm give the numbers of the separate ones."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def network() -> Any:
    ag.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Linear(5, 3)),
    )


def moved(model: Any) -> Any:
    """The model with running statistics that are not those of the start."""
    for _ in range(3):
        model(ag.randn(8, 1, 8, 8) * 2 + 1)
    return model


def gradients(model: Any, x: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    y = model(x)
    model.zero_grad()
    (y * y).sum().backward()
    return y.detach().numpy(), [p.grad.numpy() for p in model.parameters()]


def test_training_gives_the_same_numbers() -> None:
    plain, x = network(), ag.randn(8, 1, 8, 8)
    fused = nn.fuse(copy.deepcopy(plain))
    assert [type(m).__name__ for m in (fused[0], fused[1], fused[5], fused[6])] == [
        *("ConvReLU2d", "Identity", "LinearReLU", "Identity")
    ]
    assert [type(m).__name__ for m in fused[3]] == ["Conv2d", "BatchNorm2d", "ReLU"]
    assert list(fused.state_dict()) == list(plain.state_dict())
    (y, grads), (expected, expected_grads) = gradients(fused, x), gradients(plain, x)
    np.testing.assert_allclose(y, expected, 1e-5, 1e-6)
    for g, e in zip(grads, expected_grads, strict=True):
        np.testing.assert_allclose(g, e, 1e-4, 1e-5)


def test_evaluation_folds_batch_norm_and_joins_the_relu_behind() -> None:
    plain = moved(network()).eval()
    fused = nn.fuse(copy.deepcopy(plain))
    assert [type(m).__name__ for m in fused[3]] == ["ConvReLU2d", "Identity", "Identity"]
    x = ag.randn(4, 1, 8, 8)
    np.testing.assert_allclose(fused(x).detach().numpy(), plain(x).detach().numpy(), 1e-4, 1e-5)


def test_parameters_are_kept() -> None:
    model = network()
    before = list(model.parameters())
    assert all(p is q for p, q in zip(nn.fuse(model).parameters(), before, strict=True))


def test_layers_with_hooks_stay() -> None:
    model = network()
    model[1].register_forward_hook(lambda module, args, y: None)
    assert type(nn.fuse(model)[0]) is nn.Conv2d


def test_a_nan_stays_one() -> None:
    x = ag.tensor([[float("nan"), 1.0], [-1.0, -1.0]])
    weight = ag.tensor([[1.0, 1.0]])
    np.testing.assert_array_equal(nn.functional.linear_relu(x, weight).numpy(), [[np.nan], [0.0]])
    image = x.reshape(1, 1, 2, 2)
    pixels = nn.functional.conv2d_relu(image, ag.ones(1, 1, 1, 1)).numpy()
    np.testing.assert_array_equal(pixels, [[[[np.nan, 1.0], [0.0, 0.0]]]])


def test_like_pytorchs_folding(torch: Any) -> None:
    model = moved(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))).eval()
    conv = torch.nn.Conv2d(1, 4, 3)
    bn = torch.nn.BatchNorm2d(4)
    for theirs, ours in ((conv, model[0]), (bn, model[1])):
        theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    theirs = torch.nn.utils.fusion.fuse_conv_bn_eval(conv.eval(), bn.eval())
    ours = fuse_conv_bn_eval(model[0], model[1])
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), 1e-5, 1e-6)


def test_errors() -> None:
    with pytest.raises(ArgumentError, match=r"fuse_conv_bn_eval: the layer is in training mode"):
        fuse_conv_bn_eval(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2).eval())
    with pytest.raises(ArgumentError, match=r"fuse_linear_bn_eval: the batch norm has no running statistics"):
        fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(2, track_running_stats=False).eval())
    with pytest.raises(DTypeError, match=r"fuse: model must be a Module, got int"):
        nn.fuse(3)  # type: ignore[type-var]


class Doubled(nn.Sequential):
    """Never calls its second layer."""

    def forward(self, x: Any) -> Any:
        return self[0](x) * 2


def test_what_does_otherwise_than_its_class_says_stays() -> None:
    model = nn.fuse(nn.Sequential(Doubled(nn.Linear(3, 3), nn.ReLU())))
    assert type(model[0][0]) is nn.Linear
    for position in (0, 1):
        model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        plain = model[position].forward
        model[position].forward = lambda x, plain=plain: plain(x) - 1
        x = ag.randn(5, 3)
        expected = model(x).detach().numpy()
        np.testing.assert_array_equal(nn.fuse(model)(x).detach().numpy(), expected)
