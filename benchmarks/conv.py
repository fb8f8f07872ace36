"""Convolution and its two gradients in float32, over the shapes of well-known networks.

All goes through what a user calls: `F.conv2d`, and `autograd.grad` of a recorded one, that asks for one gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Sides
from benchmarks.peers import Peers


@dataclass(frozen=True)
class Shape:
    """(batch, channels, size, size) images and (outputs, channels / groups, kernel, kernel) weights."""

    batch: int
    channels: int
    size: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    @property
    def end(self) -> int:
        return (self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @property
    def operations(self) -> int:
        taps = self.channels // self.groups * self.kernel**2
        return 2 * self.batch * self.outputs * self.end**2 * taps

    @property
    def bytes(self) -> int:
        """Of images and results in float32; next to them the weights are few."""
        return 4 * self.batch * (self.channels * self.size**2 + self.outputs * self.end**2)

    def __str__(self) -> str:
        settings = f"s{self.stride}p{self.padding}"
        settings += f"d{self.dilation}" * (self.dilation > 1) + f"g{self.groups}" * (self.groups > 1)
        images = f"{self.batch}x{self.channels}x{self.size}x{self.size}"
        return f"{images}->{self.outputs} {self.kernel}x{self.kernel} {settings}"


def vgg16(size: int) -> Iterator[Shape]:
    channels = 3
    for width, layers in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(layers):
            yield Shape(32, channels, size, width, 3, padding=1)
            channels = width
        size //= 2


def resnet18(size: int) -> Iterator[Shape]:
    stem = Shape(32, 3, size, 64, 7, stride=2, padding=3)
    yield stem
    size = (stem.end + 1) // 2  # max pooling of 3 x 3, stride 2, padding 1
    yield Shape(32, 64, size, 64, 3, padding=1)
    for width in (128, 256, 512):
        half = Shape(32, width // 2, size, width, 3, stride=2, padding=1)
        yield half
        yield Shape(32, width // 2, size, width, 1, stride=2)
        size = half.end
        yield Shape(32, width, size, width, 3, padding=1)


def shapes() -> Iterator[Shape]:
    yield from (Shape(64, 1, 28, 6, 5, padding=2), Shape(64, 6, 14, 16, 5))  # LeNet-5
    yield from (Shape(64, 1, 28, 32, 3), Shape(64, 32, 13, 64, 3))  # the two-convolution network
    for size in (32, 56):
        yield from vgg16(size)
        yield from resnet18(size)
    yield Shape(32, 256, 14, 256, 1)
    yield Shape(16, 64, 56, 128, 3, stride=2, padding=1)
    yield Shape(16, 128, 28, 128, 3, padding=2, dilation=2)
    yield Shape(16, 128, 28, 128, 3, padding=1, groups=4)
    yield Shape(16, 128, 28, 128, 3, padding=1, groups=32)


@dataclass(frozen=True)
class Data:
    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    g: np.ndarray


def data(shape: Shape) -> Data:
    rng = np.random.default_rng(0)
    return Data(
        rng.standard_normal((shape.batch, shape.channels, shape.size, shape.size), np.float32),
        rng.standard_normal((shape.outputs, shape.channels // shape.groups, shape.kernel, shape.kernel), np.float32),
        rng.standard_normal(shape.outputs, np.float32),
        rng.standard_normal((shape.batch, shape.outputs, shape.end, shape.end), np.float32),
    )


def forward(t: Any, shape: Shape, data: Data) -> Any:
    x, weight, bias = (t.tensor(array) for array in (data.x, data.weight, data.bias))
    return partial(t.nn.functional.conv2d, x, weight, bias, *_settings(shape))


def gradient(of: str, t: Any, shape: Shape, data: Data) -> Any:
    x, weight = t.tensor(data.x, requires_grad=of == "x"), t.tensor(data.weight, requires_grad=of == "weight")
    y, g = t.nn.functional.conv2d(x, weight, None, *_settings(shape)), t.tensor(data.g)
    leaf = x if of == "x" else weight
    return lambda: t.autograd.grad(y, leaf, g, retain_graph=True)


def _settings(shape: Shape) -> tuple[int, int, int, int]:
    return shape.stride, shape.padding, shape.dilation, shape.groups


DIRECTIONS = {
    "forward": forward,
    "input gradient": partial(gradient, "x"),
    "weight gradient": partial(gradient, "weight"),
}


def prepare(side: Any, shape: Shape, peers: Peers) -> Sides:
    arrays = data(shape)
    return peers.both(lambda t: side(t, shape, arrays))


def family(name: str, shapes: Iterable[Shape]) -> Iterator[Case]:
    """Three cases for each distinct shape; depthwise ones are bound by memory."""
    for shape in dict.fromkeys(shapes):
        work = {"bytes": shape.bytes} if shape.groups == shape.channels else {"operations": shape.operations}
        for direction, side in DIRECTIONS.items():
            yield Case(name, f"{shape} {direction}", partial(prepare, side, shape), group=direction, **work)


def cases() -> Iterator[Case]:
    return family("conv", shapes())
