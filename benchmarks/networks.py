"""The networks of the benchmarks, each written once: for any namespace `nn` with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def mlp(nn: Any) -> Any:
    hidden = (nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU())
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


def lenet5(nn: Any) -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def two_conv(nn: Any) -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def normalised(nn: Any, channels: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> tuple[Any, ...]:
    """A convolution whose bias the batch norm behind it makes needless."""
    conv = nn.Conv2d(channels, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(outputs)


def vgg(nn: Any) -> Any:
    layers, channels = [], 3
    for width in (64, 128, 256):
        for _ in range(2):
            layers += [*normalised(nn, channels, width, 3), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 10))


def resnet(nn: Any) -> Any:
    """Three stages of two basic blocks each, 16, 32 and 64 channels (He et al. 2016, section 4.2)."""

    class Block(nn.Module):
        def __init__(self, channels: int, width: int, stride: int) -> None:
            super().__init__()
            first, second = normalised(nn, channels, width, 3, stride), normalised(nn, width, width, 3)
            self.residual = nn.Sequential(*first, nn.ReLU(), *second)
            same = stride == 1 and channels == width
            self.shortcut = nn.Sequential() if same else nn.Sequential(*normalised(nn, channels, width, 1, stride))
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.residual(x) + self.shortcut(x))

    stages = [(16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1)]
    blocks = [Block(*stage) for stage in stages]
    return nn.Sequential(*normalised(nn, 3, 16, 3), nn.ReLU(), *blocks, *head(nn, 64))


def mobilenet(nn: Any) -> Any:
    """Depthwise separable convolutions (Howard et al. 2017), 32 to 256 channels."""
    layers, channels = [*normalised(nn, 3, 32, 3), nn.ReLU()], 32
    for width, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        layers += [*normalised(nn, channels, channels, 3, stride, groups=channels), nn.ReLU()]
        layers += [*normalised(nn, channels, width, 1), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, *head(nn, channels))


def head(nn: Any, channels: int) -> tuple[Any, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)


@dataclass(frozen=True)
class Network:
    """How to build it in a namespace, and the images that it takes."""

    build: Callable[[Any], Any]
    image: tuple[int, int, int]


NETWORKS = {
    "MLP": Network(mlp, (1, 28, 28)),
    "LeNet-5": Network(lenet5, (1, 28, 28)),
    "two-conv CNN": Network(two_conv, (1, 28, 28)),
    "VGG-like": Network(vgg, (3, 32, 32)),
    "ResNet": Network(resnet, (3, 32, 32)),
    "MobileNet": Network(mobilenet, (3, 32, 32)),
}
BATCHES = (1, 32, 64, 128)
