"""The multi-layer perceptron."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_cnn import nn


class MLP(nn.Module):
    """Dense layers with ReLU between them, on the flattened input.

    x: (N, *shape), y: (N, classes) logits

    D. Rumelhart, G. Hinton, R. Williams: "Learning representations by back-propagating errors", 1986.

    >>> import autograd_cnn as ag
    >>> MLP(784, 10)(ag.zeros(3, 1, 28, 28)).shape
    (3, 10)
    """

    image_size = None

    def __init__(self, in_features: int, classes: int, hidden: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for width_in, width_out in zip((in_features, *hidden), hidden, strict=False):
            layers += [nn.Linear(width_in, width_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else in_features, classes))

    @classmethod
    def for_data(cls, shape: tuple[int, ...], classes: int) -> MLP:
        return cls(math.prod(shape), classes)

    def criterion(self) -> nn.Module:
        return nn.CrossEntropyLoss()

    def forward(self, x: Any) -> Any:
        return self.layers(x)
