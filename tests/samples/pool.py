"""Samples: pooling."""

import math
from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import pool
from samples.conv import both
from samples.sample import ErrorSample, Sample, apart, given, real, whole

LARGE = (8, 8, 50, 50)


def steps(size: int, extent: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = size + 2 * padding - extent
    if not ceil_mode:
        return room // stride + 1
    windows = math.ceil(room / stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding else windows


def pooled(x: np.ndarray, kernel_size, stride, padding, dilation, ceil_mode: bool, fold: Callable) -> list[np.ndarray]:
    """fold(cells of the window: row, column and value each, rows and columns of its place) for every window."""
    kernel = both(kernel_size)
    stride = kernel if stride is None else both(stride)
    padding, dilation = both(padding), both(dilation)
    size = x.shape[-2:]
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    rows, columns = (steps(size[i], extents[i], stride[i], padding[i], ceil_mode) for i in range(2))
    results: list = []
    for plane in x.reshape(-1, *size):
        for i, j in np.ndindex(rows, columns):
            top, left = i * stride[0] - padding[0], j * stride[1] - padding[1]
            cells = [
                (r, c, plane[r, c])
                for r in range(top, top + extents[0], dilation[0])
                for c in range(left, left + extents[1], dilation[1])
                if 0 <= r < size[0] and 0 <= c < size[1]
            ]
            inside = [min(p + k, s + q) - p for p, k, s, q in zip((top, left), kernel, size, padding, strict=True)]
            results.append(fold(cells, inside[0] * inside[1]))
    shape = (*x.shape[:-2], rows, columns)
    parts = zip(*results, strict=True) if results else [[], []]
    return [np.array(part).reshape(shape) for part in parts]


def max_pool2d(
    x: np.ndarray, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
) -> list[np.ndarray]:
    def largest(cells: list, _: int) -> tuple:
        nans = [cell for cell in cells if math.isnan(cell[2])]
        best = nans[-1] if nans else max(cells, key=lambda cell: cell[2])
        return best[2], best[0] * x.shape[-1] + best[1]

    values, places = pooled(x, kernel_size, stride, padding, dilation, ceil_mode, largest)
    return [values, places.astype(np.int64)] if return_indices else [values]


def avg_pool2d(
    x: np.ndarray,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
) -> np.ndarray:
    def average(cells: list, padded: int) -> tuple:
        count = divisor_override or (padded if count_include_pad else len(cells))
        return (sum(value for _, _, value in cells) / count,)

    return pooled(x, kernel_size, stride, padding, 1, ceil_mode, average)[0]


def adaptive_avg_pool2d(x: np.ndarray, output_size) -> np.ndarray:
    given_size = output_size if isinstance(output_size, tuple) else (output_size, output_size)
    height, width = (n if wanted is None else wanted for wanted, n in zip(given_size, x.shape[-2:], strict=True))
    y = np.zeros((*x.shape[:-2], height, width))
    for i, j in np.ndindex(height, width):
        rows = slice(i * x.shape[-2] // height, math.ceil((i + 1) * x.shape[-2] / height))
        columns = slice(j * x.shape[-1] // width, math.ceil((j + 1) * x.shape[-1] / width))
        y[..., i, j] = x[..., rows, columns].mean(axis=(-2, -1))
    return y


def each(reference: Callable, *cases: tuple[tuple[int, ...], dict]) -> list[Sample]:
    name = reference.__name__
    op, torch = getattr(pool, name), f"nn.functional.{name}"
    return [Sample(f"{name} {list(s)} {kw}", op, (apart(*s),), reference, torch, kw) for s, kw in cases]


def large(reference: Callable, **kwargs) -> Sample:
    name = reference.__name__
    return Sample(
        f"{name} large {kwargs}",
        getattr(pool, name),
        (apart(1, 2, 6, 6),),
        reference,
        f"nn.functional.{name}",
        kwargs,
        large=(real(*LARGE),),
    )


SAMPLES = (
    *each(
        max_pool2d,
        ((2, 3, 4, 6), {"kernel_size": 2}),
        ((2, 3, 5, 7), {"kernel_size": 2}),
        ((3, 4, 4), {"kernel_size": 2}),
        ((2, 2, 5, 6), {"kernel_size": (2, 3), "stride": 1}),
        ((2, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 2, 5, 6), {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)}),
        ((1, 2, 7, 7), {"kernel_size": 3, "stride": 1, "dilation": 2, "padding": 1}),
        ((1, 2, 6, 5), {"kernel_size": 2, "ceil_mode": True}),
        ((1, 2, 5, 6), {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": True}),
        ((2, 2, 4, 4), {"kernel_size": 2, "return_indices": True}),
        ((2, 4, 5), {"kernel_size": 3, "stride": 1, "padding": 1, "return_indices": True}),
        ((0, 2, 4, 4), {"kernel_size": 2}),
        ((1, 1, 3, 3), {"kernel_size": 3}),
    ),
    *(
        Sample(
            f"max_pool2d, {kind}",
            pool.max_pool2d,
            (given(values),),
            max_pool2d,
            "nn.functional.max_pool2d",
            {"kernel_size": kernel, "stride": 1, "return_indices": True},
            order=1,
            why="kinks",
        )
        for kernel in (2, 3)
        for kind, values in (
            (f"ties, {kernel}", [[[1.0, 1.0, 1.0], [1.0, 2.0, 2.0], [0.0, 2.0, 1.0]]]),
            (f"nan, {kernel}", [[[1.0, np.nan, 1.0], [1.0, 2.0, np.nan], [-np.inf, 2.0, 1.0]]]),
            (f"-inf, {kernel}", [np.full((3, 3), -np.inf)]),
        )
    ),
    *each(
        avg_pool2d,
        ((2, 3, 4, 6), {"kernel_size": 2}),
        ((3, 5, 7), {"kernel_size": 2}),
        ((2, 2, 5, 6), {"kernel_size": (2, 3), "stride": 1}),
        ((2, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
        ((1, 2, 6, 5), {"kernel_size": 2, "ceil_mode": True}),
        ((1, 2, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ((1, 2, 5, 6), {"kernel_size": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
        ((1, 2, 4, 4), {"kernel_size": 2, "divisor_override": 3}),
        ((0, 2, 4, 4), {"kernel_size": 2}),
    ),
    *each(
        adaptive_avg_pool2d,
        ((2, 3, 4, 6), {"output_size": 1}),
        ((2, 3, 5, 7), {"output_size": (2, 3)}),
        ((3, 5, 7), {"output_size": 3}),
        ((1, 2, 5, 7), {"output_size": (None, 4)}),
        ((1, 2, 3, 4), {"output_size": (5, 9)}),
        ((0, 2, 4, 4), {"output_size": 2}),
    ),
    Sample(
        "max_pool2d squared: its gradient depends on x",
        lambda x: pool.max_pool2d(x, 2) ** 2,
        (apart(2, 2, 4, 4),),
        lambda x: max_pool2d(x, 2)[0] ** 2,
        lambda torch, x: torch.nn.functional.max_pool2d(x, 2) ** 2,
    ),
    large(max_pool2d, kernel_size=2),
    large(max_pool2d, kernel_size=3, stride=1, padding=1),
    large(avg_pool2d, kernel_size=2),
    large(adaptive_avg_pool2d, output_size=(30, 30)),
)


def wrong(name: str, op: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(f"{op}, {name}", getattr(pool, op), inputs, error, f"{op}: {match}", kwargs)


X = real(1, 2, 4, 5)

ERRORS = (
    *(
        row
        for op in ("max_pool2d", "avg_pool2d")
        for row in (
            wrong("large kernel", op, (X, 6), ShapeError, "the kernel spans 6 cells, the input has 4"),
            wrong(
                "padding",
                op,
                (X, 3),
                ArgumentError,
                "padding must be at most half of kernel_size, got padding 2 and kernel_size 3",
                padding=2,
            ),
            wrong("negative padding", op, (X, 3), ArgumentError, "padding must be at least 0, got -1", padding=-1),
            wrong("kernel", op, (X, 0), ArgumentError, "kernel_size must be at least 1, got 0"),
            wrong("stride", op, (X, 2), ArgumentError, "stride must be at least 1, got 0", stride=0),
            wrong("half a stride", op, (X, 2), DTypeError, "stride must be an integer or a pair", stride=0.5),
            wrong("flat image", op, (real(4, 4), 2), ShapeError, r"x must be .*, got shape \[4, 4\]"),
            wrong("ints", op, (whole(1, 2, 4, 4), 2), DTypeError, "x must be a floating point tensor, got int64"),
        )
    ),
    wrong("dilation", "max_pool2d", (X, 2), ArgumentError, "dilation must be at least 1, got 0", dilation=0),
    wrong("divisor", "avg_pool2d", (X, 2), ArgumentError, "divisor_override must not be 0, got 0", divisor_override=0),
    wrong("size", "adaptive_avg_pool2d", (X, -1), ArgumentError, "output_size must be at least 0"),
    wrong(
        "sizes", "adaptive_avg_pool2d", (X, (1, 2, 3)), ArgumentError, r"output_size must be .* a pair, got \(1, 2, 3\)"
    ),
    wrong("empty image", "adaptive_avg_pool2d", (real(1, 2, 0, 3), 1), ShapeError, "x has an empty image"),
)
