"""Depthwise convolution, 3 x 3, forward and both gradients, over the shapes of MobileNet."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.case import Case
from benchmarks.conv import Shape, family

# (batch, channels, size)
SIZES = [(8, 32, 112), (8, 64, 112), (16, 128, 56), (16, 256, 28), (32, 512, 14), (32, 512, 7)]


def cases() -> Iterator[Case]:
    shapes = (
        Shape(batch, channels, size, channels, 3, stride=stride, padding=1, groups=channels)
        for batch, channels, size in SIZES
        for stride in (1, 2)
    )
    return family("depthwise", shapes)
