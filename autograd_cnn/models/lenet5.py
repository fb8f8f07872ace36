"""LeNet-5."""

from __future__ import annotations

from typing import Any

from autograd_cnn import nn
from autograd_cnn.errors import ShapeError
from autograd_cnn.nn import functional as F


class LeNet5(nn.Module):
    """Two convolutions with pooling, then three dense layers.

    x: (N, in_channels, 28, 28), y: (N, classes) logits

    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: "Gradient-based learning applied to document recognition", 1998.
    As is usual today, with ReLU and max pooling, every map of the second convolution connected to every one of the
    first, and padding in the first where the paper's images were 32 x 32.

    >>> import autograd_cnn as ag
    >>> LeNet5()(ag.zeros(2, 1, 28, 28)).shape
    (2, 10)
    """

    image_size = 28

    def __init__(self, in_channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    @classmethod
    def for_data(cls, shape: tuple[int, ...], classes: int) -> LeNet5:
        if shape[1:] != (28, 28):
            raise ShapeError(f"LeNet5: needs images of (channels, 28, 28), got {shape}")
        return cls(shape[0], classes)

    def criterion(self) -> nn.Module:
        return nn.CrossEntropyLoss()

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)
