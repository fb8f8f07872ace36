"""Pooling of every kind, padding, resizing, rearranging and sampling of large inputs, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

Shape = tuple[int, ...]
SHAPES: dict[int, Shape] = {1: (32, 64, 4096), 2: (32, 64, 56, 56), 3: (8, 16, 16, 56, 56)}


def of_function(name: str, shape: Shape, *arguments: Any, label: str = "", **settings: Any) -> list[Case]:
    def function(t: Any, x: Any) -> Any:
        return getattr(t.nn.functional, name)(x, *arguments, **settings)

    return recorded.cases("vision", f"{name} {label}".strip(), function, numbers(shape), int(np.prod(shape)), (2, 2))


def numbers(*shapes: Shape) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [rng.standard_normal(shape, np.float32) for shape in shapes]


def pooling(axes: int) -> Iterator[Case]:
    shape = SHAPES[axes]
    if axes != 2:  # these are in the family "pool"
        yield from of_function(f"max_pool{axes}d", shape, 3, 2, 1)
        yield from of_function(f"avg_pool{axes}d", shape, 2)
    size = (100, 7, (4, 7, 7))[axes - 1]
    yield from of_function(f"lp_pool{axes}d", shape, 2.0, 2)
    yield from of_function(f"adaptive_avg_pool{axes}d", shape, size)
    yield from of_function(f"adaptive_max_pool{axes}d", shape, size)
    yield from unpooling(axes)
    if axes > 1:
        yield from of_function(f"fractional_max_pool{axes}d", shape, 2, output_ratio=(0.6,) * axes)


def unpooling(axes: int) -> list[Case]:
    shape = SHAPES[axes]
    pooled = (*shape[:2], *(n // 2 for n in shape[2:]))
    indices: dict[str, Any] = {}

    def function(t: Any, x: Any) -> Any:
        functions = t.nn.functional
        if t.__name__ not in indices:
            image = t.tensor(np.random.default_rng(2).standard_normal(shape, np.float32))
            indices[t.__name__] = getattr(functions, f"max_pool{axes}d")(image, 2, return_indices=True)[1]
        return getattr(functions, f"max_unpool{axes}d")(x, indices[t.__name__], 2)

    return recorded.cases("vision", f"max_unpool{axes}d", function, numbers(pooled), int(np.prod(shape)), (1, 1))


def padding() -> Iterator[Case]:
    for axes, shape in SHAPES.items():
        for mode in ("constant", "reflect", "replicate", "circular"):
            yield from of_function("pad", shape, (2,) * (2 * axes), mode, label=f"{mode} {axes}d")
    yield from of_function("pad", SHAPES[2], (-1, -2, -2, -1), label="negative")


def resizing() -> Iterator[Case]:
    image = (16, 32, 56, 56)
    for mode in ("nearest", "bilinear", "bicubic"):
        yield from of_function("interpolate", image, scale_factor=2, mode=mode, label=f"{mode} x2")
    for mode in ("nearest-exact", "area"):
        yield from of_function("interpolate", SHAPES[2], size=40, mode=mode, label=mode)
    yield from of_function("interpolate", SHAPES[2], size=28, mode="bilinear", label="bilinear /2")
    yield from of_function("interpolate", image, size=97, mode="bilinear", align_corners=True, label="bilinear corners")
    for mode in ("bilinear", "bicubic"):
        photo = (4, 3, 768, 1024)
        yield from of_function("interpolate", photo, size=224, mode=mode, antialias=True, label=f"{mode} antialias")
    for axes, mode, shape in ((1, "linear", (16, 64, 2048)), (3, "trilinear", (4, 16, 16, 28, 28))):
        for kind in ("nearest", mode):
            yield from of_function("interpolate", shape, scale_factor=2, mode=kind, label=f"{kind} {axes}d")


def rearranging() -> Iterator[Case]:
    yield from of_function("unfold", (8, 32, 56, 56), 3, padding=1)
    yield from of_function("fold", (8, 32 * 9, 56 * 56), (56, 56), 3, padding=1)
    yield from of_function("pixel_shuffle", SHAPES[2], 2)
    yield from of_function("pixel_unshuffle", SHAPES[2], 2)
    yield from of_function("channel_shuffle", SHAPES[2], 4)


def turned(points: Shape) -> np.ndarray:
    """The points of images that are turned a little, and smaller, with some noise: as augmentation has them."""
    axes = points[-1]
    lines = [np.linspace(-0.9, 0.9, n) for n in points[1:-1]]
    grid = np.stack(np.meshgrid(*lines, indexing="ij")[::-1], -1)
    rng = np.random.default_rng(3)
    turn, _ = np.linalg.qr(np.eye(axes) + 0.2 * rng.standard_normal((axes, axes)))
    return (grid @ turn + rng.normal(0, 0.01, points)).astype(np.float32)


def sampling() -> Iterator[Case]:
    image, points = (16, 32, 64, 64), (16, 64, 64, 2)
    cases = [(image, points, mode, "zeros") for mode in ("bilinear", "nearest", "bicubic")]
    cases += [(image, points, "bilinear", padding) for padding in ("border", "reflection")]
    cases += [((4, 16, 16, 28, 28), (4, 16, 28, 28, 3), "bilinear", "zeros")]
    for shape, grid, mode, padding in cases:

        def function(t: Any, x: Any, grid: Any, mode: str = mode, padding: str = padding) -> Any:
            return t.nn.functional.grid_sample(x, grid, mode, padding, align_corners=False)

        def data(rng: np.random.Generator, shape: Shape = shape, grid: Shape = grid) -> list[np.ndarray]:
            return [rng.standard_normal(shape, np.float32), turned(grid)]

        name = f"grid_sample {mode} {padding} {len(shape) - 2}d"
        yield from recorded.cases("vision", name, function, data, int(np.prod(shape)), (2, 3))
    for size in ((32, 3, 224, 224), (8, 3, 32, 64, 64)):

        def affine(t: Any, theta: Any, size: Shape = size) -> Any:
            return t.nn.functional.affine_grid(theta, size, align_corners=False)

        axes = len(size) - 2
        pixels = size[0] * int(np.prod(size[2:])) * axes
        name = f"affine_grid {axes}d"
        yield from recorded.cases("vision", name, affine, numbers((size[0], axes, axes + 1)), pixels, (1, 1))


def cases() -> Iterator[Case]:
    for axes in SHAPES:
        yield from pooling(axes)
    yield from padding()
    yield from resizing()
    yield from rearranging()
    yield from sampling()
