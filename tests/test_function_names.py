"""Pointwise functions, reductions, scans and activations have PyTorch's names, as functions and as methods."""

from __future__ import annotations

from types import ModuleType

import pytest

import autograd_cnn as ag
from autograd_cnn import nn


def words(text: str) -> list[str]:
    return text.split()


POINTWISE = words("""
    abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh ceil clamp clamp_min clamp_max cos cosh deg2rad
    div erf erfc exp exp2 expm1 floor floor_divide fmax fmin fmod frac hypot lerp log log10 log1p log2 logaddexp
    logaddexp2 logit maximum minimum mul neg positive pow rad2deg reciprocal remainder round rsqrt rsub sigmoid sign
    sgn sin sinh sqrt square sub tan tanh true_divide trunc where xlogy isfinite isinf isnan isposinf isneginf
    isclose allclose equal eq ne lt le gt ge logical_and logical_or logical_xor logical_not signbit isin absolute
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip divide fix greater greater_equal less less_equal
    multiply negative not_equal subtract
""")
REDUCTIONS = words("""
    sum mean prod max min amax amin aminmax argmax argmin all any std var std_mean var_mean logsumexp nansum nanmean
    norm cumsum cumprod cummax cummin count_nonzero sort argsort topk msort bincount nonzero argwhere masked_select
    diff trace
""")
ACTIVATIONS = words("""
    relu relu6 leaky_relu prelu rrelu elu celu selu gelu silu mish softplus softsign softshrink hardshrink
    tanhshrink threshold hardtanh hardsigmoid hardswish glu logsigmoid softmin softmax log_softmax gumbel_softmax
    tanh sigmoid relu_ elu_ leaky_relu_ hardtanh_ selu_ celu_ rrelu_ threshold_
""")
MODULES = words("""
    ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU GELU SiLU Mish Softplus Softsign Softshrink Hardshrink Tanhshrink
    Threshold Hardtanh Hardsigmoid Hardswish GLU LogSigmoid Softmin Softmax LogSoftmax Softmax2d Tanh Sigmoid
""")
EVERYWHERE = [*POINTWISE, *REDUCTIONS, *ACTIVATIONS]


@pytest.mark.parametrize("suffix", ["", "_"])
def test_functions_and_methods_are_where_pytorch_has_them(suffix: str, torch: ModuleType) -> None:
    names = [name + suffix for name in EVERYWHERE]
    assert not [name for name in names if hasattr(torch.Tensor, name) and not hasattr(ag.Tensor, name)]
    if not suffix:
        assert not [name for name in names if hasattr(torch, name) and not hasattr(ag, name)]


def test_all_names_of_the_lists() -> None:
    assert not [name for name in POINTWISE + REDUCTIONS if not hasattr(ag, name)]
    assert not [name for name in ACTIVATIONS if not hasattr(nn.functional, name)]
    assert not [name for name in MODULES if not hasattr(nn, name)]


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
