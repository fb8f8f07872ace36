"""Pooling layers with one to three axes beside PyTorch's: results, gradients, how they print, and errors."""

from __future__ import annotations

import numpy as np
import pytest
from test_nn_layers import compare, numbers

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError

IMAGES = {1: (2, 4, 9), 2: (2, 4, 7, 6), 3: (2, 4, 5, 4, 6)}

LAYERS = {
    1: {
        "MaxPool1d": lambda nn: nn.MaxPool1d(2),
        "MaxPool1d all": lambda nn: nn.MaxPool1d(3, 1, 1, 2, ceil_mode=True),
        "AvgPool1d": lambda nn: nn.AvgPool1d(3, 2, 1, True, False),
        "LPPool1d": lambda nn: nn.LPPool1d(2, 3, 2, ceil_mode=True),
        "AdaptiveAvgPool1d": lambda nn: nn.AdaptiveAvgPool1d(4),
        "AdaptiveMaxPool1d": lambda nn: nn.AdaptiveMaxPool1d(4),
    },
    2: {
        "MaxPool2d": lambda nn: nn.MaxPool2d(2),
        "MaxPool2d all": lambda nn: nn.MaxPool2d((3, 2), (2, 1), 1, (1, 2), ceil_mode=True),
        "AvgPool2d": lambda nn: nn.AvgPool2d(3, 2, 1, True, False),
        "AvgPool2d divisor": lambda nn: nn.AvgPool2d((2, 3), divisor_override=5),
        "LPPool2d": lambda nn: nn.LPPool2d(4, (2, 3), stride=2),
        "AdaptiveAvgPool2d": lambda nn: nn.AdaptiveAvgPool2d((3, None)),
        "AdaptiveMaxPool2d": lambda nn: nn.AdaptiveMaxPool2d((3, None)),
    },
    3: {
        "MaxPool3d": lambda nn: nn.MaxPool3d(2),
        "MaxPool3d all": lambda nn: nn.MaxPool3d((3, 2, 2), (2, 1, 1), 1, (1, 1, 2), ceil_mode=True),
        "AvgPool3d": lambda nn: nn.AvgPool3d(3, 2, 1, True, False),
        "AvgPool3d divisor": lambda nn: nn.AvgPool3d((2, 3, 1), divisor_override=5),
        "LPPool3d": lambda nn: nn.LPPool3d(2, 2),
        "AdaptiveAvgPool3d": lambda nn: nn.AdaptiveAvgPool3d((3, None, 2)),
        "AdaptiveMaxPool3d": lambda nn: nn.AdaptiveMaxPool3d((3, None, 2)),
    },
}
EACH = [(axes, name) for axes, layers in LAYERS.items() for name in layers]


@pytest.mark.parametrize(("axes", "name"), EACH)
def test_layers(torch, axes: int, name: str) -> None:
    make = LAYERS[axes][name]
    compare(torch, make, numbers(*IMAGES[axes]))
    compare(torch, make, numbers(*IMAGES[axes][1:]))
    assert repr(make(nn)) == repr(make(torch.nn))
    assert not make(nn).state_dict()


OTHERS = (
    lambda nn: nn.MaxUnpool1d(3),
    lambda nn: nn.MaxUnpool2d((3, 2), 2, 1),
    lambda nn: nn.MaxUnpool3d(2, (1, 2, 2)),
    lambda nn: nn.FractionalMaxPool2d(2, output_size=3),
    lambda nn: nn.FractionalMaxPool3d(2, output_ratio=0.5),
)


@pytest.mark.parametrize("make", OTHERS)
def test_the_others_print_as_pytorchs(torch, make) -> None:
    assert repr(make(nn)) == repr(make(torch.nn))
    assert list(make(nn).state_dict()) == list(make(torch.nn).state_dict())


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("batched", [True, False])
def test_unpooling_undoes_pooling(torch, axes: int, batched: bool) -> None:
    def forward(module, x):
        lib = torch.nn if isinstance(module, torch.nn.Module) else nn
        y, indices = getattr(lib, f"MaxPool{axes}d")(2, return_indices=True)(x * 1)
        return module(y, indices, output_size=x.shape[-axes:])

    image = IMAGES[axes] if batched else IMAGES[axes][1:]
    compare(torch, lambda lib: getattr(lib, f"MaxUnpool{axes}d")(2), numbers(*image), forward=forward)


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional_pooling(torch, axes: int) -> None:
    samples = np.random.default_rng(0).random((2, 4, axes))

    def make(lib):
        wrapped = (ag if lib is nn else torch).tensor(samples)
        return getattr(lib, f"FractionalMaxPool{axes}d")(2, output_size=(2, 2, 4)[:axes], _random_samples=wrapped)

    compare(torch, make, numbers(*IMAGES[axes]))


def test_fractional_pooling_is_random_and_repeats_with_the_seed() -> None:
    x = ag.tensor(numbers(1, 3, 40, 40))
    layer = nn.FractionalMaxPool2d(2, output_ratio=0.6, return_indices=True)
    ag.manual_seed(1)
    first, other = layer(x)[1].numpy(), layer(x)[1].numpy()
    ag.manual_seed(1)
    assert (layer(x)[1].numpy() == first).all()
    assert (first != other).any()
    # Windows begin at most one step and a half from where an even spread would have them.
    rows = first // 40
    even = np.arange(24)[:, None] * (38 / 23)
    assert (np.abs(rows - even) <= 4).all()


def test_operations_are_counted() -> None:
    assert nn.AvgPool3d((2, 3, 1)).flops(((1, 2, 4, 6, 5),), (1, 2, 2, 2, 5)) == 40 * 6
    assert nn.MaxPool1d(3).flops(((1, 2, 9),), (1, 2, 3)) == 18
    assert nn.AdaptiveMaxPool1d(3).flops(((1, 2, 9),), (1, 2, 3)) == 24


ERRORS = [
    (lambda: nn.AvgPool1d((2, 2)), ArgumentError, r"AvgPool1d: kernel_size must be an integer, got \(2, 2\)"),
    (lambda: nn.MaxUnpool2d(0), ArgumentError, "MaxUnpool2d: kernel_size must be at least 1, got 0"),
    (lambda: nn.MaxUnpool2d(2.5), DTypeError, "MaxUnpool2d: kernel_size must be an integer or a pair, got 2.5"),
    (lambda: nn.FractionalMaxPool2d(2), ArgumentError, "FractionalMaxPool2d: needs either output_size or output_ratio"),
    (lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5), ArgumentError, "output_ratio must lie between 0 and 1"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()
