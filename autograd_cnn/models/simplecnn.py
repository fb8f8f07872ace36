"""The two-convolution network of many first courses."""

from __future__ import annotations

from typing import Any

from autograd_cnn import nn
from autograd_cnn.errors import ShapeError
from autograd_cnn.nn import functional as F


class SimpleCNN(nn.Module):
    """Convolutions of 32 and 64 3x3 kernels, each with 2x2 max pooling, 128 hidden units, log-softmax.

    x: (N, in_channels, 28, 28), y: (N, classes) log-probabilities, for `NLLLoss`

    >>> import autograd_cnn as ag
    >>> SimpleCNN()(ag.zeros(2, 1, 28, 28)).shape
    (2, 10)
    """

    image_size = 28

    def __init__(self, in_channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc1 = nn.Linear(64 * 5 * 5, 128)
        self.fc2 = nn.Linear(128, classes)

    @classmethod
    def for_data(cls, shape: tuple[int, ...], classes: int) -> SimpleCNN:
        if shape[1:] != (28, 28):
            raise ShapeError(f"SimpleCNN: needs images of (channels, 28, 28), got {shape}")
        return cls(shape[0], classes)

    def criterion(self) -> nn.Module:
        return nn.NLLLoss()

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)
