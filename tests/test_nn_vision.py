"""Layers that pad, fold, shuffle and resize beside PyTorch's: results, gradients, how they print, and errors."""

from __future__ import annotations

import pytest
from test_nn_layers import compare, numbers

from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError

IMAGES = {1: (2, 4, 9), 2: (2, 4, 6, 4), 3: (2, 4, 5, 4, 6)}
SIDES = {1: (2, 1), 2: (2, 1, 0, 3), 3: (2, 1, 0, 3, 1, 2)}
CROPPED = {1: (-2, 1), 2: (2, -1, 0, -3), 3: (2, -1, 0, 0, -1, 2)}
KINDS = ("Zero", "Reflection", "Replication", "Circular")


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", [*KINDS, "Constant"])
def test_padding(torch, axes: int, kind: str) -> None:
    value = (0.5,) if kind == "Constant" else ()
    for sides in (1, SIDES[axes], *([CROPPED[axes]] if kind in ("Zero", "Constant") else [])):

        def make(lib, sides=sides):
            return getattr(lib, f"{kind}Pad{axes}d")(sides, *value)

        compare(torch, make, numbers(*IMAGES[axes]))
        compare(torch, make, numbers(*IMAGES[axes][1:]))
        assert repr(make(nn)) == repr(make(torch.nn))


LAYERS = {
    "Unfold": lambda nn: nn.Unfold((2, 3), dilation=(1, 2), padding=(1, 2), stride=2),
    "Fold": lambda nn: nn.Sequential(nn.Unfold(2), nn.Fold((6, 4), (2, 2))),
    "PixelShuffle": lambda nn: nn.PixelShuffle(2),
    "PixelUnshuffle": lambda nn: nn.PixelUnshuffle(2),
    "ChannelShuffle": lambda nn: nn.ChannelShuffle(2),
    "Upsample": lambda nn: nn.Upsample(scale_factor=2),
    "Upsample factors": lambda nn: nn.Upsample(scale_factor=(2, 1.5), mode="bicubic", align_corners=True),
    "Upsample size": lambda nn: nn.Upsample((5, 7), mode="bilinear"),
    "UpsamplingNearest2d": lambda nn: nn.UpsamplingNearest2d(scale_factor=3),
    "UpsamplingBilinear2d": lambda nn: nn.UpsamplingBilinear2d(size=(9, 5)),
    "Softmax2d": lambda nn: nn.Softmax2d(),
    "Flatten": lambda nn: nn.Flatten(1, 2),
    "Unflatten": lambda nn: nn.Unflatten(1, (2, 2)),
    "Identity": lambda nn: nn.Identity(),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_layers(torch, make) -> None:
    compare(torch, make, numbers(*IMAGES[2]))
    assert repr(make(nn)) == repr(make(torch.nn))
    assert not make(nn).state_dict()


ERRORS = [
    (lambda: nn.ZeroPad2d((1, 2)), ArgumentError, r"ZeroPad2d: padding must be one integer or 4, got \(1, 2\)"),
    (lambda: nn.ReflectionPad1d(0.5), DTypeError, "ReflectionPad1d: padding takes integers, got 0.5"),
    (lambda: nn.Upsample()(nn.Parameter().reshape(0, 1, 1)), ArgumentError, "needs either size or scale_factor"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()
