"""Activation layers print as PyTorch's do."""

from __future__ import annotations

from types import ModuleType

import pytest

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
