"""Samples: images read at the points of grids, and the grids of affine maps."""

import itertools
import math

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import grid_sample
from samples.interpolate import keys
from samples.sample import ErrorSample, Sample, given, real

TAPS = {"nearest": 0, "bilinear": 1, "bicubic": 2}


def beyond(i: int, n: int, padding: str, align: bool) -> int | None:
    """Where element i of an axis of n elements is, None for nowhere."""
    if padding == "zeros":
        return i if 0 <= i < n else None
    if padding == "border":
        return min(max(i, 0), n - 1)
    while not 0 <= i < n and n > 1:
        if align:
            i = -i if i < 0 else 2 * (n - 1) - i
        else:
            i = -1 - i if i < 0 else 2 * n - 1 - i
    return 0 if n == 1 else i


def weight(mode: str, distance: float) -> float:
    if mode == "nearest":
        return 1.0
    return keys(distance, -0.75) if mode == "bicubic" else max(1 - abs(distance), 0.0)


def sampled(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    axes, sizes = grid.shape[-1], x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for place in np.ndindex(*grid.shape[:-1]):
        ways = []
        for g, n in zip(grid[place][::-1], sizes, strict=True):
            at = (g + 1) / 2 * (n - 1) if align_corners else ((g + 1) * n - 1) / 2
            if mode == "nearest":
                near = [round(at)]
            else:
                reach = TAPS[mode]
                near = [math.floor(at) + i for i in range(1 - reach, 1 + reach)]
            ways.append([(beyond(i, n, padding_mode, align_corners), weight(mode, at - i)) for i in near])
        for taps in itertools.product(*ways):
            if all(i is not None for i, _ in taps):
                value = x[(place[0], slice(None), *(i for i, _ in taps))]
                y[(place[0], slice(None), *place[1:])] += value * math.prod(w for _, w in taps)
    assert axes == len(sizes)
    return y


def read(x: tuple[int, ...], points: tuple[int, ...], reach: float = 1.3, large=(), order: int = 1, **kwargs) -> Sample:
    axes = len(x) - 2
    grid = (x[0], *points, axes)
    # No point where what it is made of changes, and PyTorch cannot differentiate twice.
    inputs = real(*x), real(*grid, low=-reach, high=reach)
    big = tuple(real(*shape, low=-1.2, high=1.2) for shape in large)
    settings = {"align_corners": False, **kwargs}

    def theirs(torch, x, grid, **options):
        return torch.nn.functional.grid_sample(x, grid, **options)

    name = f"grid_sample {list(x)} {list(points)} {settings}"
    why = "PyTorch has no second derivatives; gradgradcheck is in test_grid_sample"
    return Sample(name, grid_sample.grid_sample, inputs, sampled, theirs, settings, order=order, why=why, large=big)


def located(theta, size, align_corners=False):
    sizes = size[2:]
    lines = [
        [0.0] if n == 1 else [(-1 + 2 * i / (n - 1)) * (1 if align_corners else (n - 1) / n) for i in range(n)]
        for n in sizes
    ]
    y = np.zeros((size[0], *sizes, len(sizes)))
    for place in np.ndindex(*sizes):
        point = [*(line[i] for line, i in zip(lines, place, strict=True))][::-1]
        y[(slice(None), *place)] = theta @ np.array([*point, 1.0])
    return y


def affine(*size: int, **kwargs) -> Sample:
    axes = len(size) - 2
    settings = {"size": size, "align_corners": False, **kwargs}
    return Sample(
        f"affine_grid {settings}",
        grid_sample.affine_grid,
        (real(size[0], axes, axes + 1),),
        located,
        lambda torch, theta, size, align_corners: torch.nn.functional.affine_grid(theta, list(size), align_corners),
        settings,
    )


IMAGE, VOLUME = (2, 3, 4, 5), (2, 2, 3, 4, 2)

SAMPLES = (
    *(
        read(IMAGE, (3, 4), mode=mode, padding_mode=padding, align_corners=align)
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border", "reflection")
        for align in (True, False)
    ),
    *(
        read(VOLUME, (2, 2, 3), mode=mode, padding_mode=padding, align_corners=padding == "border")
        for mode in ("bilinear", "nearest")
        for padding in ("zeros", "border", "reflection")
    ),
    read((1, 1, 1, 1), (3, 4), reach=3.0, padding_mode="reflection", align_corners=True),
    read((1, 1, 2, 1), (3, 4), reach=6.0, padding_mode="reflection"),
    read((1, 1, 3, 3), (2, 1), reach=0.3, order=2),
    read((1, 1, 3, 4), (1, 2), reach=0.3, order=2, mode="bicubic", padding_mode="border"),
    read((0, 2, 3, 3), (2, 2)),
    read((1, 0, 3, 3), (2, 2)),
    read((1, 2, 3, 3), (0, 2)),
    read(IMAGE, (3, 4), large=((2, 6, 30, 31), (2, 60, 61, 2))),
    read(IMAGE, (2, 3), mode="bicubic", padding_mode="border", large=((3, 4, 30, 31), (3, 60, 61, 2))),
    read(VOLUME, (1, 2, 3), large=((1, 4, 10, 20, 21), (1, 10, 30, 31, 3))),
    Sample(
        "grid_sample, points on elements, at the edges and beyond",
        lambda x, grid: grid_sample.grid_sample(x, grid, padding_mode="border", align_corners=True),
        (real(1, 2, 3, 3), given([[[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 1.0], [2.0, 0.5], [0.5, -3.0]]]])),
        lambda x, grid: sampled(x, grid, "bilinear", "border", True),
        lambda torch, x, grid: torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=True),
        order=1,
        why="kinks",
    ),
    affine(2, 3, 4, 5),
    affine(1, 2, 3, 1, align_corners=True),
    affine(2, 1, 2, 3, 4, align_corners=True),
    affine(1, 1, 2, 1, 3),
)


def wrong(name: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(name, grid_sample.grid_sample, inputs, error, f"grid_sample: {match}", kwargs)


X, GRID = real(*IMAGE), real(2, 3, 4, 2)
THETA = real(2, 2, 3)

ERRORS = (
    wrong("mode", (X, GRID, "linear"), ArgumentError, "mode must be one of nearest, bilinear, bicubic, got 'linear'"),
    wrong("padding", (X, GRID, "nearest", "wrap"), ArgumentError, "padding_mode must be one of .*, got 'wrap'"),
    wrong("rank", (real(2, 3, 4), GRID), ShapeError, r"input must be .* or \(N, C, D, H, W\), got shape \[2, 3, 4\]"),
    wrong(
        "batch", (X, real(3, 3, 4, 2)), ShapeError, r"grid must be \(2, OH, OW, 2\) for input of shape .* got \[3, 3"
    ),
    wrong("axes", (X, real(2, 3, 4, 3)), ShapeError, r"grid must be \(2, OH, OW, 2\)"),
    wrong(
        "cubic volumes", (real(*VOLUME), real(2, 1, 1, 1, 3), "bicubic"), ArgumentError, "mode 'bicubic' takes images"
    ),
    wrong("empty", (real(2, 3, 0, 5), GRID), ShapeError, "input has an empty image"),
    wrong("list", (X, [0.0]), DTypeError, "grid must be a tensor, got list"),
    *(
        ErrorSample(f"affine_grid, {name}", grid_sample.affine_grid, inputs, error, f"affine_grid: {match}")
        for name, inputs, error, match in (
            ("size", (THETA, (2, 1, 4)), ArgumentError, r"size must be .*, got \[2, 1, 4\]"),
            ("empty", (THETA, (2, 1, 0, 4)), ArgumentError, "size must be positive"),
            ("theta", (THETA, (3, 1, 4, 4)), ShapeError, r"theta must have shape \[3, 2, 3\] for .* got \[2, 2, 3\]"),
        )
    ),
)
