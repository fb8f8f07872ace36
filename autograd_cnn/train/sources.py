"""The data sets that `autograd-cnn train` knows by name, and how each is trained on unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_cnn import data
from autograd_cnn.data import transforms
from autograd_cnn.data.download import Progress

Transforms = Sequence[transforms.Transform]


@dataclass(frozen=True)
class DataSource:
    """A data set by name.

    open: (train, size, transform, progress) -> the data set, its images of size x size if it comes in any size.
    shape: of one input; classes: how many; lengths: of the part to train on and of the part held out.
    augmentation: the random changes of a training image, None where there are none.
    defaults: the settings that a run has unless told.
    """

    open: Callable[[bool, int | None, Any, Progress | None], Any]
    shape: tuple[int, ...]
    classes: int
    lengths: tuple[int, int]
    augmentation: Transforms | None
    defaults: dict[str, Any]

    def load(self, train: bool, size: int | None, augment: bool, progress: Progress | None = None) -> Any:
        """The part to train on, or the part held out."""
        changes = self.augmentation if augment and self.augmentation is not None else ()
        return self.open(train, size, transforms.Compose([*changes, transforms.ToTensor()]), progress)

    def shape_at(self, size: int | None) -> tuple[int, ...]:
        """The shape of one input, for a model that wants images of size x size."""
        return self.shape if size is None or len(self.shape) == 1 else (self.shape[0], size, size)


def _digits(train: bool, size: int | None, transform: Any, progress: Progress | None) -> Any:
    return data.Digits(train, size, transform)


def _mnist(train: bool, size: int | None, transform: Any, progress: Progress | None) -> Any:
    return data.MNIST(train=train, transform=transform, progress=progress)


def _fashion_mnist(train: bool, size: int | None, transform: Any, progress: Progress | None) -> Any:
    return data.FashionMNIST(train=train, transform=transform, progress=progress)


def _xor(train: bool, size: int | None, transform: Any, progress: Progress | None) -> Any:
    return data.XOR()


SOURCES = {
    "digits": DataSource(
        _digits,
        shape=(1, 8, 8),
        classes=10,
        lengths=(1438, 359),
        augmentation=[transforms.RandomAffine(12, translate=(0.07, 0.07), scale=(0.9, 1.1))],
        defaults={
            "epochs": 30,
            "batch_size": 32,
            "optimizer": "adamw",
            "lr": 3e-3,
            "weight_decay": 0.01,
            "scheduler": "cosine",
            "augment": True,
        },
    ),
    "mnist": DataSource(
        _mnist,
        shape=(1, 28, 28),
        classes=10,
        lengths=(60_000, 10_000),
        augmentation=[transforms.RandomAffine(10, translate=(0.07, 0.07), scale=(0.9, 1.1))],
        defaults={"epochs": 3, "batch_size": 32, "optimizer": "adam", "lr": 2e-3, "scheduler": "cosine"},
    ),
    "fashion-mnist": DataSource(
        _fashion_mnist,
        shape=(1, 28, 28),
        classes=10,
        lengths=(60_000, 10_000),
        augmentation=[transforms.RandomHorizontalFlip(), transforms.RandomCrop(28, padding=2)],
        defaults={"epochs": 5, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "scheduler": "cosine"},
    ),
    "xor": DataSource(
        _xor,
        shape=(2,),
        classes=2,
        lengths=(4, 4),
        augmentation=None,
        defaults={"epochs": 100, "batch_size": 4, "optimizer": "adam", "lr": 1e-2},
    ),
}
