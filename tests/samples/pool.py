"""Samples: pooling over windows, adaptive and fractional pooling, and max pooling's inverse, over one to three axes."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as F
from samples.sample import ErrorSample, Sample, apart, given, positive, real, whole

LARGE = {1: (8, 8, 2500), 2: (8, 8, 50, 50), 3: (2, 8, 10, 24, 24)}


def axes_of(name: str) -> int:
    return int(name[-2])


def each_axis(value, axes: int) -> tuple:
    return tuple(value) if isinstance(value, tuple) else (value,) * axes


def steps(size: int, extent: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = size + 2 * padding - extent
    if not ceil_mode:
        return room // stride + 1
    windows = math.ceil(room / stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding else windows


def over_windows(x: np.ndarray, windows: list[list[list[int]]], fold: Callable) -> list[np.ndarray]:
    """fold(places, values, index of the window) for each; windows[axis][i]: the positions of window i along an axis."""
    axes = len(windows)
    image = x.shape[-axes:]
    shape = (*x.shape[:-axes], *(len(w) for w in windows))
    results = []
    for number, plane in enumerate(x.reshape(-1, *image)):
        for index in np.ndindex(*shape[-axes:]):
            cells = list(itertools.product(*(windows[a][i] for a, i in enumerate(index))))
            places = [int(np.ravel_multi_index(cell, image)) for cell in cells]
            results.append(fold(places, [plane[cell] for cell in cells], index, number))
    parts = zip(*results, strict=True) if results else [[], []]
    return [np.array(part).reshape(shape) for part in parts]


def moving(x, kernel_size, stride, padding, dilation, ceil_mode, axes) -> list[list[list[int]]]:
    kernel = each_axis(kernel_size, axes)
    stride = kernel if stride is None else each_axis(stride, axes)
    padding, dilation = each_axis(padding, axes), each_axis(dilation, axes)
    found = []
    for n, k, s, p, d in zip(x.shape[-axes:], kernel, stride, padding, dilation, strict=True):
        starts = [i * s - p for i in range(steps(n, d * (k - 1) + 1, s, p, ceil_mode))]
        found.append([[c for c in range(a, a + d * k, d) if 0 <= c < n] for a in starts])
    return found


def largest(places: list, values: list, *_) -> tuple:
    nans = [i for i, value in enumerate(values) if math.isnan(value)]
    best = nans[-1] if nans else max(range(len(values)), key=values.__getitem__)
    return values[best], places[best]


def max_pool(axes: int) -> Callable:
    def reference(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        windows = moving(x, kernel_size, stride, padding, dilation, ceil_mode, axes)
        values, places = over_windows(x, windows, largest)
        return [values, places.astype(np.int64)] if return_indices else [values]

    return reference


def avg_pool(axes: int) -> Callable:
    def reference(
        x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
    ):
        kernel, paddings = each_axis(kernel_size, axes), each_axis(padding, axes)
        strides = kernel if stride is None else each_axis(stride, axes)

        def average(_, values: list, index: tuple, __) -> tuple:
            settings = zip(index, kernel, strides, paddings, x.shape[-axes:], strict=True)
            padded = math.prod(min(i * s - p + k, n + p) - (i * s - p) for i, k, s, p, n in settings)
            return (sum(values) / (divisor_override or (padded if count_include_pad else len(values))),)

        return over_windows(x, moving(x, kernel, strides, paddings, 1, ceil_mode, axes), average)[0]

    return reference


def lp_pool(axes: int) -> Callable:
    def reference(x, norm_type, kernel_size, stride=None, ceil_mode=False):
        means = avg_pool(axes)(x**norm_type, kernel_size, stride, 0, ceil_mode)
        return (means * math.prod(each_axis(kernel_size, axes))) ** (1 / norm_type)

    return reference


def covering(x, output_size, axes: int) -> list[list[list[int]]]:
    sizes = [n if m is None else m for m, n in zip(each_axis(output_size, axes), x.shape[-axes:], strict=True)]
    return [
        [list(range(i * n // m, math.ceil((i + 1) * n / m))) for i in range(m)]
        for m, n in zip(sizes, x.shape[-axes:], strict=True)
    ]


def adaptive_avg_pool(axes: int) -> Callable:
    def reference(x, output_size):
        return over_windows(x, covering(x, output_size, axes), lambda _, values, *__: (np.mean(values),))[0]

    return reference


def adaptive_max_pool(axes: int) -> Callable:
    def reference(x, output_size, return_indices=False):
        values, places = over_windows(x, covering(x, output_size, axes), largest)
        return [values, places.astype(np.int64)] if return_indices else [values]

    return reference


REFERENCES = {
    f"{kind.__name__}{axes}d": kind(axes)
    for kind in (max_pool, avg_pool, lp_pool, adaptive_avg_pool, adaptive_max_pool)
    for axes in (1, 2, 3)
}


def pooled(name: str, shape: tuple[int, ...], source=apart, **kwargs) -> Sample:
    op, torch = getattr(F, name), f"nn.functional.{name}"
    return Sample(f"{name} {list(shape)} {kwargs}", op, (source(*shape),), REFERENCES[name], torch, kwargs)


def large(name: str, **kwargs) -> Sample:
    op, torch, axes = getattr(F, name), f"nn.functional.{name}", axes_of(name)
    small = apart(1, 2, *(6,) * axes)
    big = real(*LARGE[axes])
    return Sample(f"{name} large {kwargs}", op, (small,), REFERENCES[name], torch, kwargs, large=(big,))


KINKS = {
    "ties": np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 2.0], [0.0, 2.0, 1.0]]),
    "nan": np.array([[1.0, np.nan, 1.0], [1.0, 2.0, np.nan], [-np.inf, 2.0, 1.0]]),
    "-inf": np.full((3, 3), -np.inf),
}


def kinks() -> list[Sample]:
    """Equal values, nan and -inf."""
    found = []
    for kind, image in KINKS.items():
        sources = {1: given(image), 2: given(image[None]), 3: given(np.stack([image, image])[None])}
        for name, kwargs in (
            ("max_pool1d", {"kernel_size": 2, "stride": 1}),
            ("max_pool2d", {"kernel_size": 2, "stride": 1}),
            ("max_pool2d", {"kernel_size": 3, "stride": 1}),
            ("max_pool3d", {"kernel_size": 2, "stride": 1}),
            ("adaptive_max_pool1d", {"output_size": 2}),
            ("adaptive_max_pool2d", {"output_size": (2, 1)}),
            ("adaptive_max_pool3d", {"output_size": (1, 2, 2)}),
        ):
            op, torch, inputs = getattr(F, name), f"nn.functional.{name}", (sources[axes_of(name)],)
            kwargs = {**kwargs, "return_indices": True}
            title = f"{name}, {kind}, {kwargs}"
            found.append(Sample(title, op, inputs, REFERENCES[name], torch, kwargs, order=1, why="kinks"))
    return found


def fractional(name: str, shape: tuple[int, ...], **kwargs) -> Sample:
    axes = axes_of(name)
    random = np.random.default_rng(3).random((*(shape[:2] if len(shape) == axes + 2 else (1, shape[0])), axes))

    def reference(x, samples, kernel_size, output_size=None, output_ratio=None, return_indices=False):
        image, kernel = x.shape[-axes:], each_axis(kernel_size, axes)
        size = (
            each_axis(output_size, axes)
            if output_size
            else [int(n * ratio) for n, ratio in zip(image, output_ratio, strict=True)]
        )
        planes = x.reshape(-1, *image)
        parts = []
        for plane, u in zip(planes, samples.reshape(-1, axes), strict=True):
            windows = []
            for number, n, k, m in zip(u[::-1] if axes == 2 else u, image, kernel, size, strict=True):
                step = (n - k) / (m - 1) if m > 1 else 0
                starts = [int((i + number) * step) - int(number * step) for i in range(m - 1)] + [n - k]
                windows.append([list(range(start, start + k)) for start in starts])
            parts.append(over_windows(plane, windows, largest))
        shape = (*x.shape[:-axes], *size)
        values, places = (np.stack(part).reshape(shape) for part in zip(*parts, strict=True))
        return [values, places.astype(np.int64)] if return_indices else [values]

    return Sample(
        f"{name} {list(shape)} {kwargs}",
        lambda x, u, **options: getattr(F, name)(x, _random_samples=u, **options),
        (apart(*shape), given(random, grad=False)),
        reference,
        lambda torch, x, u, **options: getattr(torch.nn.functional, name)(x, _random_samples=u, **options),
        kwargs,
    )


def unpooled(name: str, indices, size: tuple[int, ...], **kwargs) -> Sample:
    axes = axes_of(name)
    indices = np.array(indices)

    def reference(x, places, **_):
        y = np.zeros((math.prod(x.shape[:-axes]), math.prod(size)))
        each = len(y), math.prod(x.shape[-axes:])
        for row, values, at in zip(y, x.reshape(each), places.reshape(each), strict=True):
            row[at] = values
        return y.reshape(*x.shape[:-axes], *size)

    inputs = real(*indices.shape), given(indices)
    return Sample(
        f"{name} {list(indices.shape)} {kwargs}", getattr(F, name), inputs, reference, f"nn.functional.{name}", kwargs
    )


SAMPLES = (
    pooled("max_pool1d", (2, 3, 9), kernel_size=2),
    pooled("max_pool1d", (3, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True, return_indices=True),
    pooled("max_pool1d", (2, 2, 9), kernel_size=(3,), stride=(1,), dilation=2, return_indices=True),
    pooled("max_pool2d", (2, 3, 4, 6), kernel_size=2),
    pooled("max_pool2d", (2, 3, 5, 7), kernel_size=2),
    pooled("max_pool2d", (3, 4, 4), kernel_size=2),
    pooled("max_pool2d", (2, 2, 5, 6), kernel_size=(2, 3), stride=1),
    pooled("max_pool2d", (2, 2, 5, 6), kernel_size=3, stride=2, padding=1),
    pooled("max_pool2d", (2, 2, 5, 6), kernel_size=(3, 2), stride=(1, 2), padding=(1, 0)),
    pooled("max_pool2d", (1, 2, 7, 7), kernel_size=3, stride=1, dilation=2, padding=1),
    pooled("max_pool2d", (1, 2, 6, 5), kernel_size=2, ceil_mode=True),
    pooled("max_pool2d", (1, 2, 5, 6), kernel_size=3, stride=3, padding=1, ceil_mode=True),
    pooled("max_pool2d", (2, 2, 4, 4), kernel_size=2, return_indices=True),
    pooled("max_pool2d", (2, 4, 5), kernel_size=3, stride=1, padding=1, return_indices=True),
    pooled("max_pool2d", (0, 2, 4, 4), kernel_size=2),
    pooled("max_pool2d", (1, 1, 3, 3), kernel_size=3),
    pooled("max_pool3d", (2, 2, 4, 4, 6), kernel_size=2, return_indices=True),
    pooled("max_pool3d", (1, 2, 5, 4, 5), kernel_size=3, stride=(1, 2, 2), padding=1, return_indices=True),
    pooled("max_pool3d", (2, 5, 4, 5), kernel_size=(3, 2, 1), stride=2, ceil_mode=True, return_indices=True),
    pooled("max_pool3d", (1, 1, 5, 5, 5), kernel_size=2, stride=1, dilation=(3, 1, 2)),
    pooled("max_pool3d", (0, 2, 4, 4, 4), kernel_size=2),
    pooled("avg_pool1d", (2, 3, 9), kernel_size=2),
    pooled("avg_pool1d", (3, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    pooled("avg_pool2d", (2, 3, 4, 6), kernel_size=2),
    pooled("avg_pool2d", (3, 5, 7), kernel_size=2),
    pooled("avg_pool2d", (2, 2, 5, 6), kernel_size=(2, 3), stride=1),
    pooled("avg_pool2d", (2, 2, 5, 6), kernel_size=3, stride=2, padding=1),
    pooled("avg_pool2d", (2, 2, 5, 6), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    pooled("avg_pool2d", (1, 2, 6, 5), kernel_size=2, ceil_mode=True),
    pooled("avg_pool2d", (1, 2, 5, 6), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    pooled("avg_pool2d", (1, 2, 5, 6), kernel_size=3, padding=1, ceil_mode=True, count_include_pad=False),
    pooled("avg_pool2d", (1, 2, 4, 4), kernel_size=2, divisor_override=3),
    pooled("avg_pool2d", (0, 2, 4, 4), kernel_size=2),
    pooled("avg_pool3d", (2, 2, 4, 4, 6), kernel_size=2),
    pooled("avg_pool3d", (1, 2, 5, 4, 5), kernel_size=3, stride=(1, 2, 2), padding=1),
    pooled("avg_pool3d", (2, 5, 4, 5), kernel_size=(3, 2, 1), stride=2, ceil_mode=True, count_include_pad=False),
    pooled("avg_pool3d", (1, 2, 4, 4, 4), kernel_size=2, padding=1, divisor_override=5),
    pooled("lp_pool1d", (2, 3, 9), positive, norm_type=2, kernel_size=2),
    pooled("lp_pool1d", (3, 8), norm_type=4, kernel_size=3, stride=2, ceil_mode=True),
    pooled("lp_pool2d", (2, 5, 7), positive, norm_type=1.5, kernel_size=(2, 3), stride=1),
    pooled("lp_pool2d", (1, 2, 5, 7), positive, norm_type=3, kernel_size=2, ceil_mode=True),
    pooled("lp_pool3d", (1, 2, 4, 4, 5), norm_type=2, kernel_size=2),
    Sample(
        "lp_pool2d of zeros",
        F.lp_pool2d,
        (given([[[0.0, 0.0, 1.0, -1.0], [0.0, 0.0, 2.0, 0.0]]]),),
        lp_pool(2),
        "nn.functional.lp_pool2d",
        {"norm_type": 2, "kernel_size": 2},
        order=1,
        why="the root's derivatives at 0",
    ),
    pooled("adaptive_avg_pool1d", (2, 3, 7), output_size=3),
    pooled("adaptive_avg_pool1d", (3, 4), output_size=(6,)),
    pooled("adaptive_avg_pool2d", (2, 3, 4, 6), output_size=1),
    pooled("adaptive_avg_pool2d", (2, 3, 5, 7), output_size=(2, 3)),
    pooled("adaptive_avg_pool2d", (3, 5, 7), output_size=3),
    pooled("adaptive_avg_pool2d", (1, 2, 5, 7), output_size=(None, 4)),
    pooled("adaptive_avg_pool2d", (1, 2, 3, 4), output_size=(5, 9)),
    pooled("adaptive_avg_pool2d", (0, 2, 4, 4), output_size=2),
    pooled("adaptive_avg_pool3d", (2, 2, 5, 4, 6), output_size=(2, 3, None)),
    pooled("adaptive_avg_pool3d", (2, 3, 4, 5), output_size=1),
    pooled("adaptive_max_pool1d", (2, 3, 7), output_size=3, return_indices=True),
    pooled("adaptive_max_pool1d", (3, 4), output_size=(6,)),
    pooled("adaptive_max_pool2d", (2, 3, 5, 7), output_size=(2, 3), return_indices=True),
    pooled("adaptive_max_pool2d", (2, 3, 4), output_size=(5, None), return_indices=True),
    pooled("adaptive_max_pool2d", (0, 2, 4, 4), output_size=2),
    pooled("adaptive_max_pool3d", (2, 2, 5, 4, 6), output_size=(2, 3, None), return_indices=True),
    pooled("adaptive_max_pool3d", (2, 3, 4, 5), output_size=1),
    *kinks(),
    fractional("fractional_max_pool2d", (2, 3, 7, 9), kernel_size=2, output_size=(4, 5), return_indices=True),
    fractional("fractional_max_pool2d", (3, 7, 9), kernel_size=(3, 2), output_ratio=(0.6, 0.6)),
    fractional("fractional_max_pool2d", (1, 2, 5, 5), kernel_size=2, output_size=1),
    fractional("fractional_max_pool3d", (2, 2, 5, 6, 7), kernel_size=2, output_size=(2, 3, 4), return_indices=True),
    fractional("fractional_max_pool3d", (2, 6, 6, 6), kernel_size=2, output_ratio=(0.5, 0.5, 0.5)),
    unpooled("max_unpool1d", [[[1, 2, 4], [0, 3, 5]]], (6,), kernel_size=2),
    unpooled("max_unpool2d", [[[1, 4], [9, 15]]], (4, 4), kernel_size=2),
    unpooled("max_unpool2d", [[[[0, 6], [14, 19]]]] * 2, (4, 5), kernel_size=2, output_size=(2, 1, 4, 5)),
    unpooled(
        "max_unpool2d", [[[1, 4], [9, 13]]], (4, 4), kernel_size=3, stride=(2, 2), padding=(1, 1), output_size=[4, 4]
    ),
    unpooled("max_unpool3d", [[[[[3, 9]], [[30, 21]]]]], (4, 2, 4), kernel_size=2),
    unpooled("max_unpool1d", np.zeros((0, 2, 3), np.int64), (6,), kernel_size=2),
    Sample(
        "max_unpool1d, one place twice",
        lambda x, i: F.max_unpool1d(x, i, 2),
        (given([[1.0, 2.0, 3.0]]), given([[1, 1, 4]])),
        lambda x, i: np.array([[0.0, 2, 0, 0, 3, 0]]),
        lambda torch, x, i: torch.nn.functional.max_unpool1d(x, i, 2),
        order=1,
        why="all values have a gradient, as in PyTorch, also those that are overwritten",
    ),
    Sample(
        "max_pool2d squared: its gradient depends on x",
        lambda x: F.max_pool2d(x, 2) ** 2,
        (apart(2, 2, 4, 4),),
        lambda x: max_pool(2)(x, 2)[0] ** 2,
        lambda torch, x: torch.nn.functional.max_pool2d(x, 2) ** 2,
    ),
    large("max_pool2d", kernel_size=2),
    large("max_pool2d", kernel_size=3, stride=1, padding=1),
    large("max_pool3d", kernel_size=3, stride=2, padding=1),
    large("avg_pool2d", kernel_size=2),
    large("avg_pool3d", kernel_size=2),
    large("adaptive_avg_pool2d", output_size=(30, 30)),
    large("adaptive_max_pool1d", output_size=700),
    large("adaptive_max_pool2d", output_size=(30, 30)),
)


def wrong(name: str, op: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(f"{op}, {name}", getattr(F, op), inputs, error, f"{op}: {match}", kwargs)


X = real(1, 2, 4, 5)
INTEGERS = {1: "an integer", 2: "an integer or a pair", 3: "an integer or three"}


def of_windows(op: str) -> list[ErrorSample]:
    axes = axes_of(op)
    x = real(1, 2, *(4,) * axes)
    sides = "half of kernel_size, got padding 2 and kernel_size 3"
    return [
        wrong("large kernel", op, (x, 6), ShapeError, "the kernel spans 6 cells, the input has 4"),
        wrong("padding", op, (x, 3), ArgumentError, f"padding must be at most {sides}", padding=2),
        wrong("negative padding", op, (x, 3), ArgumentError, "padding must be at least 0, got -1", padding=-1),
        wrong("kernel", op, (x, 0), ArgumentError, "kernel_size must be at least 1, got 0"),
        wrong("stride", op, (x, 2), ArgumentError, "stride must be at least 1, got 0", stride=0),
        wrong("half a stride", op, (x, 2), DTypeError, f"stride must be {INTEGERS[axes]}", stride=0.5),
        wrong("few axes", op, (real(*(4,) * axes), 2), ShapeError, r"input must be .*, got shape \[4"),
        wrong(
            "ints", op, (whole(1, 2, *(4,) * axes), 2), DTypeError, "input must be a floating point tensor, got int64"
        ),
    ]


INDICES = given([[[[0, 1], [2, 3]]]])

ERRORS = (
    *(row for kind in ("max", "avg") for axes in (1, 2, 3) for row in of_windows(f"{kind}_pool{axes}d")),
    wrong("dilation", "max_pool2d", (X, 2), ArgumentError, "dilation must be at least 1, got 0", dilation=0),
    wrong("divisor", "avg_pool2d", (X, 2), ArgumentError, "divisor_override must not be 0, got 0", divisor_override=0),
    wrong("norm", "lp_pool2d", (X, 0, 2), ArgumentError, "norm_type must not be 0"),
    wrong("kernel", "lp_pool2d", (X, 2, 7), ShapeError, "the kernel spans 7 cells, the input has 4"),
    *(
        row
        for kind in ("avg", "max")
        for op in (f"adaptive_{kind}_pool2d",)
        for row in (
            wrong("size", op, (X, -1), ArgumentError, "output_size must be at least 0"),
            wrong("sizes", op, (X, (1, 2, 3)), ArgumentError, r"output_size must be .* a pair, got \(1, 2, 3\)"),
            wrong("empty image", op, (real(1, 2, 0, 3), 1), ShapeError, "input has an empty image"),
        )
    ),
    wrong("both", "fractional_max_pool2d", (X, 2, 2, 0.5), ArgumentError, "needs either output_size or output_ratio"),
    wrong("none", "fractional_max_pool2d", (X, 2), ArgumentError, "needs either output_size or output_ratio"),
    wrong("ratio", "fractional_max_pool2d", (X, 2, None, 1.5), ArgumentError, "output_ratio must lie between 0 and 1"),
    wrong("many", "fractional_max_pool2d", (X, 3, 3), ShapeError, "3 windows of 3 cells do not fit into 4 cells"),
    wrong(
        "samples",
        "fractional_max_pool2d",
        (X, 2, 2, None, False, real(1, 2, 3)),
        ShapeError,
        r"_random_samples must have shape \[1, 2, 2\], got \[1, 2, 3\]",
    ),
    wrong(
        "shapes", "max_unpool2d", (X, INDICES, 2), ShapeError, r"indices have shape \[1, 1, 2, 2\], input has \[1, 2"
    ),
    wrong("floats", "max_unpool2d", (X, X, 2), DTypeError, "indices must hold integers"),
    wrong(
        "index",
        "max_unpool2d",
        (real(1, 1, 2, 2), given([[[[0, 1], [2, 16]]]]), 2),
        IndexOutOfRangeError,
        r"index 16 is out of range for an image of size \[4, 4\]",
    ),
    wrong(
        "far size",
        "max_unpool2d",
        (real(1, 1, 2, 2), INDICES, 2),
        ArgumentError,
        r"output_size must be less than a stride .* from \[4, 4\], got \[4, 6\]",
        output_size=(4, 6),
    ),
)
