"""Samples: windows as columns, and columns added up to images."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import fold
from samples.conv import both
from samples.sample import ErrorSample, Sample, real, whole


def places(size, kernel_size, dilation, padding, stride):
    """(row of the matrix, column of the matrix, row of the image, column of the image), for one channel."""
    kernel, dilation, padding, stride = (both(value) for value in (kernel_size, dilation, padding, stride))
    settings = zip(size, kernel, dilation, padding, stride, strict=True)
    windows = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in settings]
    for u, v in np.ndindex(*kernel):
        for i, j in np.ndindex(*windows):
            y, x = i * stride[0] + u * dilation[0] - padding[0], j * stride[1] + v * dilation[1] - padding[1]
            inside = 0 <= y < size[0] and 0 <= x < size[1]
            yield u * kernel[1] + v, i * windows[1] + j, (y, x) if inside else None


def unfolded(x, kernel_size, dilation=1, padding=0, stride=1):
    found = list(places(x.shape[-2:], kernel_size, dilation, padding, stride))
    rows, columns = max(r for r, _, _ in found) + 1, max(c for _, c, _ in found) + 1
    y = np.zeros((*x.shape[:-2], rows, columns))
    for row, column, place in found:
        if place:
            y[..., row, column] = x[..., place[0], place[1]]
    return y.reshape(*x.shape[:-3], x.shape[-3] * rows, columns)


def folded(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    size = both(output_size)
    rows = int(np.prod(both(kernel_size)))
    x = x.reshape(*x.shape[:-2], x.shape[-2] // rows, rows, x.shape[-1])
    y = np.zeros((*x.shape[:-2], *size))
    for row, column, place in places(size, kernel_size, dilation, padding, stride):
        if place:
            y[..., place[0], place[1]] += x[..., row, column]
    return y


def moved(op, shape: tuple[int, ...], large: tuple[int, ...] = (), **kwargs) -> Sample:
    name = op.__name__
    reference = {"unfold": unfolded, "fold": folded}[name]
    big = (real(*large),) if large else ()
    torch = f"nn.functional.{name}"
    return Sample(f"{name} {list(shape)} {kwargs}", op, (real(*shape),), reference, torch, kwargs, large=big)


SAMPLES = (
    moved(fold.unfold, (2, 3, 4, 5), kernel_size=2),
    moved(fold.unfold, (3, 4, 5), kernel_size=(2, 3), stride=(2, 1), padding=(1, 2)),
    moved(fold.unfold, (1, 2, 6, 7), kernel_size=3, dilation=2, padding=2, stride=2),
    moved(fold.unfold, (1, 2, 3, 2), kernel_size=2, padding=3, stride=3),
    moved(fold.unfold, (0, 2, 3, 4), kernel_size=2),
    moved(fold.unfold, (1, 2, 4, 4), large=(2, 8, 50, 50), kernel_size=3, padding=1),
    moved(fold.fold, (2, 12, 12), output_size=(4, 5), kernel_size=2),
    moved(fold.fold, (6, 12), output_size=(3, 4), kernel_size=(3, 1), padding=(1, 0)),
    moved(fold.fold, (1, 18, 12), output_size=(6, 7), kernel_size=3, dilation=2, padding=2, stride=2),
    moved(fold.fold, (0, 8, 6), output_size=(3, 4), kernel_size=2),
)


def wrong(name: str, op, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(f"{op.__name__}, {name}", op, inputs, error, f"{op.__name__}: {match}", kwargs)


X, COLUMNS = real(1, 2, 4, 5), real(1, 8, 12)

ERRORS = (
    wrong("kernel", fold.unfold, (X, 6), ShapeError, "the kernel spans 6 cells, the input has 4"),
    wrong("rank", fold.unfold, (real(4, 5), 2), ShapeError, r"input must be .*, got shape \[4, 5\]"),
    wrong("stride", fold.unfold, (X, 2), ArgumentError, "stride must be at least 1, got 0", stride=0),
    wrong("padding", fold.unfold, (X, 2), ArgumentError, "padding must be at least 0, got -1", padding=-1),
    wrong("ints", fold.unfold, (whole(1, 2, 4, 5), 2), DTypeError, "input must be a floating point tensor, got int64"),
    wrong("rank", fold.fold, (X, (4, 5), 2), ShapeError, r"input must be \(N, C \* KH \* KW, L\)"),
    wrong(
        "rows", fold.fold, (COLUMNS, (4, 5), 3), ShapeError, "input has 8 rows, kernel_size 3 has 9 elements for each"
    ),
    wrong("columns", fold.fold, (COLUMNS, (4, 4), 2), ShapeError, r"input has 12 columns, .* \[4, 4\] has 9 windows"),
    wrong("large kernel", fold.fold, (COLUMNS, (1, 4), 2), ShapeError, "the kernel spans 2 cells, the input has 1"),
)
