"""Activation layers print as PyTorch's do, and activations change their tensor as PyTorch's do."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn

REPRESENTATIONS = (
    lambda nn: nn.RReLU(0.1, 0.25, inplace=True),
    lambda nn: nn.CELU(2.0, True),
    lambda nn: nn.ELU(1.0, True),
    lambda nn: nn.SELU(True),
    lambda nn: nn.SiLU(),
    lambda nn: nn.Mish(True),
    lambda nn: nn.Softsign(),
    lambda nn: nn.Softshrink(0.2),
    lambda nn: nn.Hardshrink(),
    lambda nn: nn.Tanhshrink(),
    lambda nn: nn.Threshold(0.1, 20, True),
    lambda nn: nn.Hardsigmoid(True),
    lambda nn: nn.Hardswish(),
    lambda nn: nn.GLU(1),
    lambda nn: nn.Softmin(1),
    lambda nn: nn.Softmax2d(),
)


@pytest.mark.parametrize("make", REPRESENTATIONS)
def test_modules_print_as_pytorchs(make, torch: ModuleType) -> None:
    assert repr(make(nn)) == repr(make(torch.nn))


IN_PLACE = {
    "relu_": (),
    "elu_": (0.5,),
    "leaky_relu_": (0.2,),
    "hardtanh_": (-0.5, 0.4),
    "selu_": (),
    "celu_": (0.7,),
} | {
    "threshold_": (0.1, -3.0),
    "rrelu_": (0.1, 0.3),  # in evaluation: a slope half way between
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_activations_in_place(name: str, torch: ModuleType) -> None:
    values = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    results = []
    for lib, functional in ((ag, nn.functional), (torch, torch.nn.functional)):
        leaf = lib.tensor(values, requires_grad=True)
        x = leaf * 1
        y = getattr(functional, name)(x, *IN_PLACE[name])
        assert y is x
        y.sum().backward()
        results.append((x.detach().numpy(), leaf.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
