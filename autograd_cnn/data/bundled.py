"""Data sets that need no download: scikit-learn's digits, and XOR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_cnn.data.dataset import TensorDataset, stratified_order
from autograd_cnn.data.image_dataset import ImageDataset
from autograd_cnn.data.transforms import Resize
from autograd_cnn.errors import MissingDependencyError

_SPLIT_SEED = 0  # every run and every machine holds out the same fifth


class Digits(ImageDataset):
    """1,797 handwritten digits of 8 x 8 with 17 grey levels, in 0..1; a fifth of each class is held out.

    train: the 1,438 images to train on, or the 359 held out.
    size: the images' size; 8 unless given.  They are enlarged by bilinear interpolation.
    data: (N, 1, size, size) float32.
    Errors: `MissingDependencyError` without scikit-learn, which brings the data.
    Source: E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI repository, 1998.

    >>> Digits(train=False, size=28)
    Digits(359 images of (1, 28, 28), 10 classes)
    """

    def __init__(
        self,
        train: bool = True,
        size: int | Sequence[int] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        try:
            from sklearn.datasets import load_digits  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingDependencyError(
                'Digits: the data come with scikit-learn: pip install "autograd_cnn[examples]"'
            ) from error
        found = load_digits()
        self.train = train
        order = stratified_order(found.target, _SPLIT_SEED)
        held_out = len(order) // 5
        chosen = order[held_out:] if train else order[:held_out]
        images = (found.images[chosen, None] / 16).astype(np.float32)
        if size is not None:
            images = Resize(size).batch(images)
        super().__init__(images, found.target[chosen], "0123456789", transform, target_transform)


class XOR(TensorDataset):
    """The four points of exclusive or, the smallest task that no single layer solves.

    Items: (2,) float32 of 0 and 1, and the class 0 or 1.
    Source: M. Minsky, S. Papert, Perceptrons, 1969.

    >>> [(x.tolist(), int(y)) for x, y in XOR()]
    [([0.0, 0.0], 0), ([0.0, 1.0], 1), ([1.0, 0.0], 1), ([1.0, 1.0], 0)]
    """

    classes: Sequence[str] = ("equal", "different")

    def __init__(self) -> None:
        points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        super().__init__(points.astype(np.float32), points[:, 0] ^ points[:, 1])
        self.data, self.targets = self.tensors
