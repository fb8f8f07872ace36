"""The perceptron: one layer, straight from the inputs to the classes."""

from __future__ import annotations

import math
from typing import Any

from autograd_cnn import nn


class Perceptron(nn.Module):
    """y = W x + b on the flattened input: the classes are separated by hyperplanes, or not at all.

    x: (N, *shape), y: (N, classes) logits

    F. Rosenblatt: "The perceptron", 1958; its limit: M. Minsky, S. Papert: "Perceptrons", 1969.

    >>> import autograd_cnn as ag
    >>> Perceptron(2, 2)(ag.zeros(3, 2)).shape
    (3, 2)
    """

    image_size = None

    def __init__(self, in_features: int, classes: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(in_features, classes)

    @classmethod
    def for_data(cls, shape: tuple[int, ...], classes: int) -> Perceptron:
        return cls(math.prod(shape), classes)

    def criterion(self) -> nn.Module:
        return nn.CrossEntropyLoss()

    def forward(self, x: Any) -> Any:
        return self.linear(self.flatten(x))
