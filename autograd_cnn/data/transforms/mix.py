"""Mixtures of the images of a batch, and of their classes in the same proportion."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.data.order import AnyGenerator, numpy_generator
from autograd_cnn.dtype import get_default_dtype
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.tensor import Tensor


class _Mixture:
    """A map of a batch of images and labels; subclasses define `mix`."""

    def __init__(
        self, *, alpha: float = 1.0, num_classes: int | None = None, generator: AnyGenerator | None = None
    ) -> None:
        if alpha <= 0:
            raise ArgumentError(f"{type(self).__name__}: alpha is {alpha}; greater than 0")
        if num_classes is not None and num_classes < 1:
            raise ArgumentError(f"{type(self).__name__}: num_classes is {num_classes}; at least 1")
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self.generator = generator

    def __call__(self, *inputs: Any) -> tuple[Tensor, Tensor]:
        images, labels = inputs[0] if len(inputs) == 1 else inputs
        images, labels = (x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x) for x in (images, labels))
        name = type(self).__name__
        if images.dtype.kind != "f":
            raise DTypeError(f"{name}: takes a batch of floating images, got {images.dtype}")
        if images.ndim != 4 or len(labels) != len(images):
            raise ShapeError(f"{name}: takes images (N, C, H, W) and N labels, got {images.shape} and {labels.shape}")
        stream = numpy_generator(self.generator)
        share = float(stream.beta(self.alpha, self.alpha))
        # The partner of each image is the one before it, as in a shuffled batch any would do.
        mixed, share = self.mix(images, np.roll(images, 1, 0), share, stream)
        targets = self._probabilities(labels)
        targets = share * targets + (1 - share) * np.roll(targets, 1, 0)
        return from_numpy(mixed.astype(images.dtype)), from_numpy(targets.astype(get_default_dtype()))

    def mix(
        self, images: np.ndarray, others: np.ndarray, share: float, stream: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """The mixed images, and the share of the first that they have."""
        raise NotImplementedError

    def _probabilities(self, labels: np.ndarray) -> np.ndarray:
        if labels.dtype.kind == "f" and labels.ndim == 2:
            return labels
        if self.num_classes is None:
            raise ArgumentError(f"{type(self).__name__}: classes by number need num_classes")
        fitting = labels.ndim == 1 and labels.dtype.kind in "iu"
        if not fitting or ((labels < 0) | (labels >= self.num_classes)).any():
            raise ArgumentError(f"{type(self).__name__}: labels must be classes 0..{self.num_classes - 1}")
        return np.eye(self.num_classes)[labels]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(alpha={self.alpha}, num_classes={self.num_classes})"


class MixUp(_Mixture):
    """Each image of a batch is a * image + (1 - a) * another, its target likewise; a is drawn from Beta(alpha, alpha).

    Called with a batch, (N, C, H, W) floating images and (N,) classes or (N, num_classes) probabilities, it returns
    images and probabilities, which `cross_entropy` takes.
    Errors: `ArgumentError` for an alpha of 0, or classes without `num_classes`; `ShapeError`, `DTypeError`.
    Source: H. Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018.

    >>> import autograd_cnn as ag
    >>> images, targets = MixUp(num_classes=3)(ag.rand(4, 1, 2, 2), ag.tensor([0, 1, 2, 0]))
    >>> images.shape, targets.sum(1)
    ((4, 1, 2, 2), tensor([1., 1., 1., 1.]))
    """

    def mix(
        self, images: np.ndarray, others: np.ndarray, share: float, stream: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        return share * images + (1 - share) * others, share


class CutMix(_Mixture):
    """Each image of a batch gets a window of another, and its target the window's share of the other's.

    The window has the image's form, its place is random, and its share of the area 1 - a, a of Beta(alpha, alpha).
    Called as `MixUp`.  Source: S. Yun et al., CutMix, ICCV 2019.

    >>> import autograd_cnn as ag
    >>> images, targets = CutMix(num_classes=2)(ag.rand(2, 1, 4, 4), ag.tensor([0, 1]))
    >>> targets.shape
    (2, 2)
    """

    def mix(
        self, images: np.ndarray, others: np.ndarray, share: float, stream: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        sizes = np.array(images.shape[-2:])
        half = 0.5 * np.sqrt(1 - share) * sizes
        centre = (stream.random(2) * sizes).astype(np.int64)
        first = np.maximum(0, (centre - half).astype(np.int64))
        last = np.minimum(sizes, (centre + half).astype(np.int64))
        mixed = images.copy()
        window = np.s_[..., first[0] : last[0], first[1] : last[1]]
        mixed[window] = others[window]
        return mixed, 1 - float(np.prod(np.maximum(0, last - first)) / np.prod(sizes))
