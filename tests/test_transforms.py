"""Transforms: against slow references, PyTorch, and themselves image by image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_cnn.creation import from_numpy
from autograd_cnn.data import DataLoader, ImageDataset
from autograd_cnn.data.transforms import (
    Compose,
    Flatten,
    Lambda,
    Normalize,
    Pad,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    Resize,
    ToTensor,
    Transform,
)
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.tensor import Tensor

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (5, 7, 6), np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 6, 3), np.uint8)
FLOATS = RNG.random((5, 3, 7, 6)).astype(np.float32)
KINDS = {"grey": GREY, "colour": COLOUR, "floats": FLOATS}


def fixed(images: np.ndarray) -> list[Transform]:
    normalize = [Normalize((0.1, 0.2, 0.3), 0.5)] if images.ndim == 4 else [Normalize(0.1, 0.5)]
    return [
        ToTensor(), Resize(5), Resize((9, 4)), Pad(2), Pad((1, 2, 3, 0), fill=1), Flatten(),
        Compose([ToTensor(), *normalize]), Lambda(lambda image: np.asarray(image) * 2),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_images(kind: str) -> None:
    images = KINDS[kind]
    for transform in fixed(images):
        whole = transform.batch(images)
        single = np.stack([np.asarray(transform(image)) for image in images])
        assert whole.dtype == single.dtype
        np.testing.assert_array_equal(whole, single)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "transform",
    [
        lambda g: RandomCrop((4, 3), 1, generator=g),
        lambda g: RandomHorizontalFlip(generator=g),
        lambda g: RandomAffine(30, (0.2, 0.1), (0.5, 1.5), fill=1, generator=g),
    ],
)
def test_random_transforms_draw_the_same_for_a_batch(kind: str, transform: Any) -> None:
    images = KINDS[kind]
    whole = transform(np.random.default_rng(1)).batch(images)
    one_by_one = transform(np.random.default_rng(1))
    np.testing.assert_array_equal(whole, np.stack([np.asarray(one_by_one(image)) for image in images]))


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_not_changed(kind: str) -> None:
    images = KINDS[kind]
    before = images.copy()
    for transform in [*fixed(images), RandomCrop(4), RandomHorizontalFlip(1.0), RandomAffine(9, (0.1, 0.1))]:
        transform.batch(images)
    np.testing.assert_array_equal(images, before)


def test_to_tensor() -> None:
    assert ToTensor()(GREY[0]).shape == (1, 7, 6)
    found = ToTensor()(COLOUR[0])
    assert isinstance(found, Tensor)
    np.testing.assert_array_equal(found.numpy(), COLOUR[0].transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def test_normalize() -> None:
    found = Normalize((0.1, 0.2, 0.3), (1, 2, 4))(from_numpy(FLOATS[0])).numpy()
    for channel, (mean, std) in enumerate(((0.1, 1), (0.2, 2), (0.3, 4))):
        np.testing.assert_allclose(found[channel], (FLOATS[0, channel] - mean) / std, rtol=1e-6)
    with pytest.raises(ArgumentError, match="got uint8"):
        Normalize(0.1, 0.2)(GREY[0])
    with pytest.raises(ShapeError, match="mean has 2 channels, the image has 3"):
        Normalize((0.1, 0.2), 1)(from_numpy(FLOATS[0]))
    with pytest.raises(ArgumentError, match="std is 0"):
        Normalize(0.1, 0)


@pytest.mark.parametrize("size", [(14, 12), (7, 6), (3, 5), (9, 2), (1, 1), (20, 3)])
def test_resize_agrees_with_torch(size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    expected = torch.nn.functional.interpolate(torch.from_numpy(FLOATS), size, mode="bilinear", antialias=True)
    np.testing.assert_allclose(Resize(size).batch(FLOATS), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_resize_of_bytes_rounds() -> None:
    half_way = Resize((1, 4))(np.array([[0, 255]], np.uint8))
    assert half_way.tolist() == [[0, 64, 191, 255]]


def test_pad_sides() -> None:
    found = Pad((1, 2, 3, 4), fill=9)(COLOUR[0])
    assert found.shape == (7 + 2 + 4, 6 + 1 + 3, 3)
    np.testing.assert_array_equal(found[2:9, 1:7], COLOUR[0])
    assert (found[:2] == 9).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_crop_is_a_window_and_all_are_drawn(kind: str) -> None:
    images = np.repeat(KINDS[kind][:1], 300, axis=0)
    crop = RandomCrop((6, 4), generator=np.random.default_rng(0)).batch(images)
    planes, crops = (np.moveaxis(x, (-2, -1), (1, 2)) if kind == "floats" else x for x in (images, crop))
    windows = {planes[0, top : top + 6, left : left + 4].tobytes() for top in range(2) for left in range(3)}
    assert {np.ascontiguousarray(c).tobytes() for c in crops} == windows
    with pytest.raises(ShapeError, match=r"\(8, 8\) is larger than the padded image, \(7, 6\)"):
        RandomCrop(8).batch(KINDS[kind])


def test_flip_probability() -> None:
    images = np.tile(np.array([[0, 1]], np.uint8), (4000, 1, 1))
    flipped = RandomHorizontalFlip(0.3, generator=np.random.default_rng(0)).batch(images)[:, 0, 0]
    assert abs(flipped.mean() - 0.3) < 0.03


def test_affine_maps_agree_with_torch() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    affine = RandomAffine(40, (0.3, 0.2), (0.6, 1.4), generator=np.random.default_rng(7))
    found = affine.batch(FLOATS)
    draws = np.random.default_rng(7).random((len(FLOATS), 4))
    height, width = FLOATS.shape[2:]
    maps = []
    for turn, right, down, factor in zip(
        np.deg2rad(40 * (2 * draws[:, 0] - 1)),
        (2 * draws[:, 1] - 1) * 0.3 * width,
        (2 * draws[:, 2] - 1) * 0.2 * height,
        0.6 + 0.8 * draws[:, 3],
        strict=True,
    ):
        # From the places of the result to those of the image, in units of half its size.
        inverse = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / factor
        shift = -inverse @ [right, down]
        unit = np.array([width, height]) / 2
        maps.append(np.column_stack([inverse * unit / unit[:, None], shift / unit]))
    grid = torch.nn.functional.affine_grid(torch.tensor(np.array(maps)), FLOATS.shape, align_corners=False)
    expected = torch.nn.functional.grid_sample(torch.tensor(FLOATS), grid.float(), align_corners=False)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_affine_maps_of_nothing_and_far_away() -> None:
    for images in KINDS.values():
        np.testing.assert_array_equal(RandomAffine(0).batch(images), images)
    shrunk = RandomAffine(0, scale=(1e-3, 1e-3), fill=7).batch(GREY)  # to a spot between the pixels
    assert shrunk.dtype == np.uint8
    assert (shrunk[:, [0, -1]] == 7).all()
    assert (shrunk[:, :, [0, -1]] == 7).all()


def test_functions_of_one_image() -> None:
    def function(image: Any) -> Any:
        assert isinstance(image, np.ndarray)
        assert image.shape == (7, 6)
        return image[:2, :2]

    images = ImageDataset(GREY, np.zeros(5), "a", Compose([Lambda(function), ToTensor(), Lambda(as_tensor_again)]))
    plain = ImageDataset(GREY, np.zeros(5), "a", lambda image: ToTensor()(image[:2, :2]), lambda target: target + 1)
    ((batch, targets),) = DataLoader(images, 5)
    ((other, plus_one),) = DataLoader(plain, 5)
    np.testing.assert_array_equal(batch.numpy(), other.numpy())
    assert batch.shape == (5, 1, 2, 2)
    assert (plus_one.numpy() == targets.numpy() + 1).all()
    np.testing.assert_array_equal(images[3][0].numpy(), batch.numpy()[3])
    np.testing.assert_array_equal(plain[3][0].numpy(), batch.numpy()[3])


def as_tensor_again(image: Any) -> Any:
    assert isinstance(image, Tensor)
    return image


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Resize(0), "Resize: size is 0"),
        (lambda: Resize((1, 2, 3)), "Resize: size"),
        (lambda: RandomCrop(-1), "RandomCrop: size is -1"),
        (lambda: Pad(-1), "Pad: padding is -1"),
        (lambda: Pad((1, 2, 3)), "Pad: padding"),
        (lambda: RandomHorizontalFlip(1.5), "p is 1.5"),
        (lambda: RandomAffine(-1), "degrees is -1"),
        (lambda: RandomAffine(1, (0.1, 2)), r"translate is \(0.1, 2\)"),
        (lambda: RandomAffine(1, scale=(2, 1)), r"scale is \(2, 1\)"),
    ],
)
def test_wrong_arguments(make: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()


def test_wrong_rank() -> None:
    with pytest.raises(ShapeError, match=r"this one has shape \(4,\)"):
        Pad(1)(np.zeros(4, np.uint8))
