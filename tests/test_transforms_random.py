"""Crops, erased windows, turns, colours and mixtures: against slow references, and themselves image by image."""

from __future__ import annotations

import colorsys
import inspect
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.data import DataLoader, ImageDataset, TensorDataset, default_collate, transforms
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (6, 9, 8), np.uint8)
COLOUR = RNG.integers(0, 256, (6, 9, 8, 3), np.uint8)
FLOATS = RNG.random((6, 3, 9, 8)).astype(np.float32)
PLANE = RNG.random((6, 9, 8)).astype(np.float32)
KINDS = {"grey": GREY, "colour": COLOUR, "floats": FLOATS, "plane": PLANE}

RANDOM: dict[str, Any] = {
    "resized crop": lambda g: transforms.RandomResizedCrop(5, generator=g),
    "narrow crop": lambda g: transforms.RandomResizedCrop((4, 6), (0.9, 1.0), (8.0, 9.0), "nearest", generator=g),
    "vertical flip": lambda g: transforms.RandomVerticalFlip(generator=g),
    "rotation": lambda g: transforms.RandomRotation(40, fill=1, generator=g),
    "jitter": lambda g: transforms.ColorJitter(0.4, 0.5, 0.6, 0.2, generator=g),
    "grey": lambda g: transforms.RandomGrayscale(0.5, generator=g),
    "cutout": lambda g: transforms.Cutout(3, 2, generator=g),
    "padded crop": lambda g: transforms.RandomCrop(11, 1, pad_if_needed=True, padding_mode="reflect", generator=g),
    "choice": lambda g: transforms.RandomChoice([transforms.Pad((0, 0)), np.negative], [1, 3], generator=g),
    "apply": lambda g: transforms.RandomApply([np.negative], generator=g),
}
ERASING: dict[str, Any] = {
    "erasing": lambda g: transforms.RandomErasing(0.8, value=2, generator=g),
    "erasing by noise": lambda g: transforms.RandomErasing(1.0, (0.1, 0.2), value="random", generator=g),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RANDOM | ERASING)
def test_a_batch_is_its_images(kind: str, name: str) -> None:
    images = KINDS[kind]
    if name in ERASING and images.dtype.kind != "f":
        with pytest.raises(ArgumentError, match="takes floating images, got uint8"):
            ERASING[name](None)(images[0])
        return
    make = (RANDOM | ERASING)[name]
    before = images.copy()
    whole = make(np.random.default_rng(5)).batch(images)
    one_by_one = make(np.random.default_rng(5))
    single = np.stack([np.asarray(one_by_one(image)) for image in images])
    assert whole.dtype == single.dtype == images.dtype
    np.testing.assert_array_equal(whole, single)
    np.testing.assert_array_equal(images, before)
    assert whole.flags.writeable
    assert not np.array_equal(whole, images) or name in ("grey",)
    other = make(np.random.default_rng(6)).batch(images)
    assert name in ("grey", "narrow crop") or not np.array_equal(whole, other)
    assert make(None).batch(images[:0]).shape[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_random_is_the_same_image_by_image(kind: str) -> None:
    images = KINDS[kind]
    for transform in (
        transforms.CenterCrop((4, 3)), transforms.CenterCrop(12), transforms.Grayscale(), transforms.Grayscale(3),
        transforms.Resize(6, "nearest"), transforms.Resize(5, antialias=False), transforms.Pad(2, padding_mode="edge"),
    ):  # fmt: skip
        if images.ndim == 3 and isinstance(transform, transforms.Grayscale) and transform.num_output_channels == 3:
            continue
        whole = transform.batch(images)
        single = np.stack([np.asarray(transform(image)) for image in images])
        np.testing.assert_array_equal(whole, single)
        assert whole.dtype == images.dtype


def test_centre_crops() -> None:
    image = np.arange(30, dtype=np.uint8).reshape(5, 6)
    assert transforms.CenterCrop((3, 2))(image).tolist() == image[1:4, 2:4].tolist()
    assert transforms.CenterCrop(7)(image)[1:6, 0:6].tolist() == image.tolist()
    assert transforms.CenterCrop((5, 6))(image).tolist() == image.tolist()


@pytest.mark.parametrize(
    ("shape", "size", "most", "expected"),
    [
        ((40, 60), 20, None, (20, 30)),
        ((60, 40), 20, None, (30, 20)),
        ((40, 60), [20], 25, (16, 25)),
        ((40, 60), 20, 30, (20, 30)),
        ((60, 40), 50, None, (75, 50)),
        ((40, 60), (7, 9), None, (7, 9)),
    ],
)
def test_one_number_is_the_shorter_side(shape: Any, size: Any, most: Any, expected: Any) -> None:
    assert transforms.Resize(size, max_size=most)(np.zeros(shape, np.uint8)).shape == expected


@pytest.mark.parametrize("size", [(5, 4), (20, 13), (9, 8)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_resizing_agrees_with_pytorch(size: tuple[int, int], mode: str, torch: Any) -> None:
    options = {} if mode == "nearest" else {"align_corners": False, "antialias": False}
    expected = torch.nn.functional.interpolate(torch.from_numpy(FLOATS), size, mode=mode, **options)
    found = transforms.Resize(size, mode, antialias=False).batch(FLOATS)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("mode", ["reflect", "edge", "symmetric"])
def test_borders(mode: str) -> None:
    expected = np.pad(GREY, ((0, 0), (2, 3), (1, 4)), mode=mode)
    np.testing.assert_array_equal(transforms.Pad((1, 2, 4, 3), padding_mode=mode).batch(GREY), expected)


def test_resized_crops_have_the_areas_and_forms_asked_for() -> None:
    coordinates = np.stack(np.meshgrid(np.arange(60), np.arange(80), indexing="ij")).astype(np.float32)
    crop = transforms.RandomResizedCrop(16, (0.2, 0.5), (0.5, 2.0), generator=np.random.default_rng(0))
    areas, ratios, tops = [], [], []
    for _ in range(300):
        rows, columns = np.asarray(crop(coordinates))
        height, width = ((x.max() - x.min()) * 16 / 15 for x in (rows, columns))
        areas.append(height * width / (60 * 80))
        ratios.append(width / height)
        tops.append(rows.min())
    assert 0.17 < min(areas) < 0.23
    assert 0.45 < max(areas) < 0.56
    assert 0.45 < min(ratios) < 0.6
    assert 1.6 < max(ratios) < 2.2
    assert np.mean(np.log(ratios)) == pytest.approx(0, abs=0.1)
    assert (min(tops) < 2, max(tops) > 25) == (True, True)


def test_a_crop_that_never_fits_is_the_middle() -> None:
    crop = transforms.RandomResizedCrop((2, 8), (1.0, 1.0), (4.0, 4.0), "nearest")
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert crop(image).tolist() == image[3:5].tolist()


def test_erased_windows() -> None:
    erase = transforms.RandomErasing(1.0, (0.1, 0.3), (0.5, 2.0), value=(5, 6, 7), generator=np.random.default_rng(1))
    result = erase.batch(np.zeros((400, 3, 20, 30), np.float32))
    for plane, value in zip(np.moveaxis(result, 1, 0), (5, 6, 7), strict=True):
        assert set(np.unique(plane)) == {0, value}
    hit = result[:, 0] > 0
    areas = hit.mean((1, 2))
    assert 0.08 < areas.min() < 0.13
    assert 0.25 < areas.max() < 0.32
    boxes = hit.any(2).sum(1), hit.any(1).sum(1)
    np.testing.assert_array_equal(boxes[0] * boxes[1], hit.sum((1, 2)))  # they are rectangles
    ratios = boxes[0] / boxes[1]  # height to width
    assert 0.4 < ratios.min() < 0.7
    assert 1.5 < ratios.max() < 2.4
    share = transforms.RandomErasing(0.3, generator=np.random.default_rng(1)).batch(np.ones((500, 1, 9, 9), np.float32))
    assert (share.min((1, 2, 3)) == 0).mean() == pytest.approx(0.3, abs=0.06)
    with pytest.raises(ArgumentError, match="value has 2 numbers"):
        transforms.RandomErasing(1.0, value=(1, 2))(FLOATS[0])


def test_cutout_near_the_border_is_smaller() -> None:
    result = transforms.Cutout(4, generator=np.random.default_rng(0)).batch(np.ones((500, 1, 8, 8), np.float32))
    holes = (result == 0).sum((1, 2, 3))
    assert holes.max() == 16
    assert holes.min() == 4
    assert ((result == 0).mean(0) > 0).all()


def test_rotations() -> None:
    image = RNG.random((2, 7, 7)).astype(np.float32)
    for quarter in range(-2, 3):
        turned = transforms.RandomRotation((90 * quarter, 90 * quarter))(image)
        np.testing.assert_allclose(np.asarray(turned), np.rot90(image, quarter, (1, 2)), atol=1e-5)
    flipped = transforms.RandomVerticalFlip(1.0)(image)
    np.testing.assert_array_equal(np.asarray(flipped), image[:, ::-1])


def test_colours_against_references() -> None:
    image = COLOUR[0].astype(np.float64) / 255
    grey = image @ [0.2989, 0.587, 0.114]
    expected = {
        (1.5, 1, 1, 0): np.clip(image * 1.5, 0, 1),
        (1, 0.3, 1, 0): np.clip(grey.mean() + (image - grey.mean()) * 0.3, 0, 1),
        (1, 2.0, 1, 0): np.clip(grey.mean() + (image - grey.mean()) * 2, 0, 1),
        (1, 1, 0, 0): np.broadcast_to(grey[..., None], image.shape),
        (1, 1, 1.7, 0): np.clip(grey[..., None] + (image - grey[..., None]) * 1.7, 0, 1),
    }
    for turn in (-0.5, -0.2, 0.1, 0.33):
        turned = np.empty_like(image)
        for place in np.ndindex(image.shape[:2]):
            hue, saturation, value = colorsys.rgb_to_hsv(*image[place])
            turned[place] = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        expected[1, 1, 1, turn] = turned
    planes = image.transpose(2, 0, 1).astype(np.float32)
    for (brightness, contrast, saturation, hue), wanted in expected.items():
        jitter = transforms.ColorJitter(*((x, x) for x in (brightness, contrast, saturation, hue)))
        np.testing.assert_allclose(np.asarray(jitter(planes)).transpose(1, 2, 0), wanted, atol=2e-6)
        np.testing.assert_allclose(jitter(COLOUR[0]), wanted * 255, atol=0.51)
    np.testing.assert_allclose(np.asarray(transforms.Grayscale()(planes))[0], grey, atol=1e-6)
    assert np.asarray(transforms.Grayscale(3)(planes)).shape == planes.shape
    assert transforms.ColorJitter().batch(COLOUR).tolist() == COLOUR.tolist()


def test_the_order_of_the_changes_is_random_too() -> None:
    jitter = transforms.ColorJitter((1.9, 1.9), (0.2, 0.2), generator=np.random.default_rng(0))
    image = np.array([[[250, 250, 250], [10, 10, 10]]], np.uint8)
    assert len({jitter(image).tobytes() for _ in range(20)}) == 2


def test_mixtures() -> None:
    images, labels = ag.tensor(FLOATS), ag.tensor([0, 1, 2, 0, 1, 2])
    mixed, targets = transforms.MixUp(alpha=0.4, num_classes=3, generator=np.random.default_rng(0))(images, labels)
    share = float(targets[0, 0])
    assert 0 < share < 1
    np.testing.assert_allclose(mixed.numpy(), share * FLOATS + (1 - share) * np.roll(FLOATS, 1, 0), atol=1e-6)
    np.testing.assert_allclose(targets.numpy()[0], [share, 0, 1 - share], atol=1e-6)
    cut, targets = transforms.CutMix(num_classes=3, generator=np.random.default_rng(0))((images, labels))
    taken = (cut.numpy() == np.roll(FLOATS, 1, 0)).all((0, 1))
    assert (cut.numpy() == np.where(taken, np.roll(FLOATS, 1, 0), FLOATS)).all()
    np.testing.assert_allclose(targets.numpy()[0], [1 - taken.mean(), 0, taken.mean()], atol=1e-6)
    soft, _ = transforms.MixUp()(images, ag.softmax(ag.rand(6, 4), 1))
    assert soft.dtype == np.float32
    none, _ = transforms.MixUp(num_classes=2)(ag.rand(0, 1, 2, 2), ag.zeros(0).long())
    assert none.shape == (0, 1, 2, 2)
    loss = ag.nn.functional.cross_entropy(ag.rand(6, 3), targets)
    assert bool(ag.isfinite(loss))


def mix(batch: list[Any]) -> Any:
    return transforms.MixUp(num_classes=2)(*default_collate(batch))


def test_a_loader_mixes_as_its_seed_says() -> None:
    data = TensorDataset(FLOATS, np.arange(6) % 2)
    runs = [[b[0].tolist() for b in DataLoader(data, 3, seed=seed, collate_fn=mix)] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    images = ImageDataset(COLOUR, np.arange(6) % 2, "ab", transforms.Compose([RANDOM["jitter"](None)]))
    assert next(iter(DataLoader(images, 3)))[0].shape == (3, 9, 8, 3)


WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: transforms.CenterCrop(0), ArgumentError, "CenterCrop: size is 0"),
    (lambda: transforms.RandomResizedCrop(3, (0, 1)), ArgumentError, "scale is"),
    (lambda: transforms.RandomResizedCrop(3, ratio=(2, 1)), ArgumentError, "ratio is"),
    (lambda: transforms.RandomErasing(2), ArgumentError, "p is 2"),
    (lambda: transforms.RandomErasing(scale=(0.5, 1.5)), ArgumentError, "at most 1"),
    (lambda: transforms.RandomErasing(value="noise"), ArgumentError, "'noise'"),
    (lambda: transforms.Cutout(0), ArgumentError, "length 0"),
    (lambda: transforms.RandomVerticalFlip(-1), ArgumentError, "p is -1"),
    (lambda: transforms.RandomRotation(-5), ArgumentError, "degrees is -5"),
    (lambda: transforms.RandomRotation((5, 2)), ArgumentError, "degrees is"),
    (lambda: transforms.ColorJitter(-0.1), ArgumentError, "brightness is -0.1"),
    (lambda: transforms.ColorJitter(hue=0.6), ArgumentError, "hue is 0.6"),
    (lambda: transforms.ColorJitter(contrast=(2, 1)), ArgumentError, "contrast is"),
    (lambda: transforms.Grayscale(2), ArgumentError, "num_output_channels is 2"),
    (lambda: transforms.Grayscale()(np.zeros((2, 2, 4), np.uint8)), ShapeError, "has 4"),
    (lambda: transforms.ColorJitter()(np.zeros(4, np.uint8)), ShapeError, r"\(4,\)"),
    (lambda: transforms.Pad(1, padding_mode="wrap"), ArgumentError, "padding_mode is 'wrap'"),
    (lambda: transforms.Resize(5, "cubic"), ArgumentError, "'cubic'; bilinear or nearest"),
    (lambda: transforms.Resize(5, max_size=5), ArgumentError, "must be above size"),
    (lambda: transforms.Resize((5, 6), max_size=9), ArgumentError, "one number"),
    (lambda: transforms.Lambda(3), ArgumentError, "takes a function, got 3"),
    (lambda: transforms.RandomChoice([]), ArgumentError, "0 transforms"),
    (lambda: transforms.RandomChoice([abs], [1, 2]), ArgumentError, "1 transforms with"),
    (lambda: transforms.RandomApply([transforms.Pad(1)], 0.5).batch(np.zeros((64, 2, 2), np.uint8)), ShapeError,
     "different sizes"),
    (lambda: transforms.MixUp(alpha=0), ArgumentError, "alpha is 0"),
    (lambda: transforms.MixUp(num_classes=0), ArgumentError, "num_classes is 0"),
    (lambda: transforms.MixUp()(FLOATS, np.zeros(6, np.int64)), ArgumentError, "need num_classes"),
    (lambda: transforms.MixUp(num_classes=2)(FLOATS, np.full(6, 2)), ArgumentError, r"classes 0\.\.1"),
    (lambda: transforms.MixUp(num_classes=2)(COLOUR, np.zeros(6, np.int64)), DTypeError, "got uint8"),
    (lambda: transforms.CutMix(num_classes=2)(FLOATS, np.zeros(5, np.int64)), ShapeError, "N labels"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_names_and_arguments_are_torchvisions() -> None:
    """As torchvision 0.28's documentation has them, without what only it can do (other interpolations, expanding)."""
    known = {
        "Compose": "transforms", "Normalize": "mean std inplace", "Lambda": "lambd", "CenterCrop": "size",
        "Resize": "size interpolation max_size antialias", "Pad": "padding fill padding_mode",
        "RandomCrop": "size padding pad_if_needed fill padding_mode", "RandomHorizontalFlip": "p",
        "RandomVerticalFlip": "p", "RandomResizedCrop": "size scale ratio interpolation antialias",
        "ColorJitter": "brightness contrast saturation hue", "Grayscale": "num_output_channels", "RandomGrayscale": "p",
        "RandomErasing": "p scale ratio value inplace", "RandomApply": "transforms p", "RandomChoice": "transforms p",
        "MixUp": "alpha num_classes", "CutMix": "alpha num_classes", "ToTensor": "",
    }  # fmt: skip
    for name, arguments in known.items():
        found = list(inspect.signature(getattr(transforms, name)).parameters)
        assert [argument for argument in found if argument != "generator"] == arguments.split(), name
