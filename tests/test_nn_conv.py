"""Convolution layers of all kinds next to PyTorch's: values, gradients, initial values, repr, state and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_init import uniform_like
from test_nn_layers import compare, numbers

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError

IMAGES = {1: (2, 4, 9), 2: (2, 4, 7, 6), 3: (2, 4, 5, 4, 6)}
MODES = ("zeros", "reflect", "replicate", "circular")

CONVOLUTIONS = {
    "plain": {},
    "no bias": {"bias": False},
    "stride": {"stride": 2},
    "dilation": {"dilation": 2, "padding": 1, "kernel_size": 2},
    "groups": {"groups": 2, "padding": 1},
    "depthwise": {"groups": 4, "stride": 2, "padding": 1},
    "same, even kernel": {"padding": "same", "kernel_size": 2},
    "pointwise": {"kernel_size": 1},
    **{f"{mode} {size}": {"padding": size, "padding_mode": mode} for mode in MODES for size in (1, "same", "valid")},
}

TRANSPOSED = {
    "plain": {},
    "no bias": {"bias": False},
    "stride": {"stride": 2, "padding": 1},
    "output padding": {"stride": 2, "padding": 1, "output_padding": 1},
    "dilation": {"dilation": 2, "stride": 2, "output_padding": 1},
    "groups": {"groups": 2, "stride": 2},
    "depthwise": {"groups": 4, "stride": 2, "padding": 1, "output_padding": 1},
    "pointwise": {"kernel_size": 1},
}


def layer(lib, kind: str, axes: int, settings, outputs: int = 8):
    return getattr(lib, f"{kind}{axes}d")(4, outputs, **{"kernel_size": 3, **settings})


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("axes", [1, 3])  # Conv2d is with the other layers
@pytest.mark.parametrize("settings", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution(torch, axes, settings):
    compare(torch, lambda lib: layer(lib, "Conv", axes, settings), numbers(*IMAGES[axes]))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("settings", TRANSPOSED.values(), ids=TRANSPOSED)
def test_transposed_convolution(torch, axes, settings):
    compare(torch, lambda lib: layer(lib, "ConvTranspose", axes, settings), numbers(*IMAGES[axes]))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_one_image(torch, axes, kind):
    compare(torch, lambda lib: layer(lib, kind, axes, {}), numbers(*IMAGES[axes][1:]))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_repr_and_state_are_pytorchs(torch, axes, kind):
    for settings in (TRANSPOSED if kind == "ConvTranspose" else CONVOLUTIONS).values():
        ours, theirs = (layer(lib, kind, axes, settings) for lib in (nn, torch.nn))
        assert repr(ours) == repr(theirs)
        state = {name: tuple(value.shape) for name, value in ours.state_dict().items()}
        assert state == {name: tuple(value.shape) for name, value in theirs.state_dict().items()}


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_initial_values(torch, axes):
    makers = {
        "Conv": 1 / math.sqrt(2 * 3**axes),
        "ConvTranspose": 1 / math.sqrt(300 * 3**axes),
    }
    torch.manual_seed(0)
    for kind, bound in makers.items():
        for lib in (nn, torch.nn):
            for parameter in layer(lib, kind, axes, {"groups": 2}, outputs=600).parameters():
                uniform_like(parameter.detach().numpy(), -bound, bound)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_output_size(torch, axes):
    settings = {"stride": 3, "padding": 1, "dilation": 2}
    ours, theirs = (layer(lib, "ConvTranspose", axes, settings) for lib in (nn, torch.nn))
    x = ag.ones(*IMAGES[axes])
    least = ours(x).shape
    for extra in range(3):
        size = tuple(n + extra for n in least[2:])
        assert ours(x, output_size=size).shape == (*least[:2], *size)
        assert ours(x, (*least[:2], *size)).shape == tuple(theirs(torch.ones(*x.shape), list(size)).shape)
        assert ours(x[0], size).shape == (least[1], *size)
    with pytest.raises(ArgumentError, match=r"output_size must be from .* to .*, got"):
        ours(x, tuple(n + 3 for n in least[2:]))
    with pytest.raises(ArgumentError, match=r"output_size must have . or . entries, got"):
        ours(x, least[1:])


def test_transposed_convolution_is_the_adjoint():
    """<conv(x), y> = <x, conv_transpose(y)> for every stride, padding, dilation and output padding."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        stride, dilation, kernel = (int(n) for n in rng.integers(1, 4, 3))
        padding = int(rng.integers(0, 3))
        n = dilation * (kernel - 1) + 1 + int(rng.integers(0, 9))
        x, w = (ag.tensor(rng.standard_normal(shape)) for shape in ((2, 4, n, n), (6, 2, kernel, kernel)))
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": 2}
        y = nn.functional.conv2d(x, w, **settings)
        g = ag.tensor(rng.standard_normal(y.shape))
        extra = (n + 2 * padding - dilation * (kernel - 1) - 1) % stride
        back = nn.functional.conv_transpose2d(g, w, output_padding=extra, **settings)
        assert back.shape == x.shape
        assert (y * g).sum().item() == pytest.approx((x * back).sum().item())


def test_operations_are_counted():
    assert nn.Conv1d(4, 6, 3, groups=2).flops(((5, 4, 10),), (5, 6, 8)) == 5 * 6 * 8 * (2 * 2 * 3 + 1)
    up = nn.ConvTranspose2d(4, 6, 3, groups=2)
    assert up.flops(((5, 4, 7, 7),), (5, 6, 9, 9)) == 5 * 4 * 49 * 3 * 9 * 2 + 5 * 6 * 81


ERRORS = [
    (lambda: nn.Conv1d(4, 4, (3, 3)), ArgumentError, r"Conv1d: kernel_size must be an integer, got \(3, 3\)"),
    (lambda: nn.Conv3d(4, 4, (3, 3)), ArgumentError, "Conv3d: kernel_size must be an integer or three, got"),
    (lambda: nn.Conv3d(4, 4, 3, padding="full"), ArgumentError, "Conv3d: padding must be .*'full'"),
    (lambda: nn.Conv1d(4, 4, 3, 2, "same"), ArgumentError, r"Conv1d: padding='same' needs stride 1, got \(2,\)"),
    (lambda: nn.Conv1d(4, 4, 3, padding_mode="mirror"), ArgumentError, "Conv1d: padding_mode must be one of zeros, "),
    (lambda: nn.Conv1d(4, 6, 3)(ag.ones(4)), ShapeError, r"conv1d: input must be \(N, C, L\) or \(C, L\), got"),
    (lambda: nn.ConvTranspose1d(3, 4, 3, groups=2), ArgumentError, "ConvTranspose1d: in_channels 3 is not divisible"),
    (lambda: nn.ConvTranspose2d(4, 4, 3, padding="same"), ArgumentError, "ConvTranspose2d: padding must be integers"),
    (lambda: nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect"), ArgumentError, "ConvTranspose2d: padding_mode must "),
    (
        lambda: nn.ConvTranspose2d(4, 4, 3, output_padding=0.5),
        DTypeError,
        "ConvTranspose2d: output_padding must be an ",
    ),
    (
        lambda: nn.ConvTranspose2d(4, 4, 3, 2, output_padding=2)(ag.ones(4, 3, 3)),
        ArgumentError,
        "conv_transpose2d: output_padding must be less than stride or dilation",
    ),
]


@pytest.mark.parametrize(("make", "error", "match"), ERRORS)
def test_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("channels", [(0, 2), (2, 0), (0, 0)])
def test_no_channels(channels: tuple[int, int]) -> None:
    c, o = channels
    x = ag.ones(2, c, 5, 5, requires_grad=True)
    weight, bias = ag.ones(o, c, 3, 3, requires_grad=True), ag.full((o,), -3.0, requires_grad=True)
    y = nn.functional.conv2d(x, weight, bias)
    np.testing.assert_array_equal(y.detach().numpy(), np.full((2, o, 3, 3), -3.0 + 9 * c))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.zeros(x.shape))
    for parameter in (weight, bias):
        assert parameter.grad.shape == parameter.shape
    assert not nn.functional.conv2d_relu(x, weight, bias).detach().numpy()[:, : o * (c == 0)].any()
    turned = nn.functional.conv_transpose2d(ag.ones(2, 0, 3, 3), ag.ones(0, 4, 3, 3), ag.ones(4))
    np.testing.assert_array_equal(turned.numpy(), np.ones((2, 4, 5, 5)))
