"""Samples: interpolation."""

import math

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import interpolate
from samples.sample import ErrorSample, Sample, real, whole


def keys(x: float, a: float) -> float:
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def weights_of(kind: str, n: int, m: int, scale: float, align: bool, antialias: bool) -> np.ndarray:
    """The (m, n) matrix that interpolates along one axis."""
    w = np.zeros((m, n))
    for i in range(m):
        x = i * scale if align else (i + 0.5) * scale - 0.5
        if antialias:
            if n == m:
                w[i, i] = 1
                continue
            wide = max(scale, 1.0)
            centre = (i + 0.5) * scale
            support = wide * (2 if kind == "cubic" else 1)
            for j in range(max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), n)):
                distance = (j + 0.5 - centre) / wide
                w[i, j] = keys(distance, -0.5) if kind == "cubic" else max(1 - abs(distance), 0)
            w[i] /= w[i].sum()
        elif kind == "nearest":
            w[i, min(int(i * scale), n - 1)] = 1
        elif kind == "nearest-exact":
            w[i, min(int(max(x, 0) + 0.5), n - 1)] = 1
        elif kind == "area":
            cells = range(i * n // m, math.ceil((i + 1) * n / m))
            w[i, cells.start : cells.stop] = 1 / len(cells)
        elif kind == "linear":
            x = min(max(x, 0), n - 1)
            j = min(int(x), max(n - 2, 0))
            w[i, j] += 1 - (x - j)
            w[i, min(j + 1, n - 1)] += x - j
        else:
            j = math.floor(x)
            for tap in range(j - 1, j + 3):
                w[i, min(max(tap, 0), n - 1)] += keys(x - tap, -0.75)
    return w


def by_matrices(
    x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False
):
    axes = x.ndim - 2
    kind = "linear" if mode.endswith("linear") else mode.removeprefix("bi")
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * axes
    for axis in range(axes):
        n = x.shape[2 + axis]
        m = (size if isinstance(size, int) else size[axis]) if size is not None else int(n * factors[axis])
        scale = n / m if size is not None or recompute_scale_factor else 1 / factors[axis]
        if align_corners:
            scale = (n - 1) / (m - 1) if m > 1 else 0.0
        w = weights_of(kind, n, m, scale, bool(align_corners), antialias)
        x = np.moveaxis(np.tensordot(w, x, (1, 2 + axis)), 0, 2 + axis)
    return x


def resized(shape: tuple[int, ...], large: tuple[int, ...] = (), **kwargs) -> Sample:
    return Sample(
        f"{list(shape)} {kwargs}",
        interpolate.interpolate,
        (real(*shape),),
        by_matrices,
        "nn.functional.interpolate",
        kwargs,
        large=(real(*large),) if large else (),
    )


SAMPLES = (
    resized((2, 3, 4), size=7),
    resized((2, 3, 4, 5), size=(3, 11), large=(4, 8, 40, 41)),
    resized((1, 2, 3, 4), scale_factor=2, large=(2, 8, 50, 50)),
    resized((1, 2, 3, 4), scale_factor=(1.7, 0.6)),
    resized((1, 2, 3, 4, 5), scale_factor=2.0, recompute_scale_factor=True),
    resized((2, 2, 5), size=3, mode="nearest-exact"),
    resized((1, 2, 4, 5), scale_factor=1.7, mode="nearest-exact"),
    resized((1, 2, 4, 5), size=(7, 3), mode="area"),
    resized((1, 2, 3, 4, 5), size=2, mode="area"),
    resized((2, 2, 5), size=8, mode="linear"),
    resized((2, 2, 5), scale_factor=0.5, mode="linear", align_corners=True),
    resized((1, 2, 4, 5), size=(7, 8), mode="bilinear", large=(2, 8, 40, 41)),
    resized((1, 2, 7, 8), size=(4, 5), mode="bilinear", align_corners=True, large=(4, 8, 60, 61)),
    resized((1, 2, 4, 5), scale_factor=1.6, mode="bilinear"),
    resized((1, 2, 4, 5), scale_factor=1.6, mode="bilinear", recompute_scale_factor=True),
    resized((1, 1, 1, 5), size=(4, 1), mode="bilinear", align_corners=True),
    resized((1, 2, 4, 5), size=(4, 8), mode="bilinear"),
    resized((1, 2, 9, 8), size=(4, 11), mode="bilinear", antialias=True),
    resized((1, 2, 4, 5), size=(7, 3), mode="bicubic"),
    resized((1, 2, 4, 5), scale_factor=(1.5, 2.0), mode="bicubic", align_corners=True),
    resized((1, 2, 9, 12), size=(4, 5), mode="bicubic", antialias=True, large=(2, 8, 100, 120)),
    resized((1, 2, 3, 4, 5), size=(5, 3, 8), mode="trilinear", large=(2, 2, 10, 20, 20)),
    resized((1, 2, 3, 4, 5), scale_factor=2, mode="trilinear", align_corners=True),
    resized((0, 2, 3, 4), scale_factor=2, mode="bilinear"),
    Sample(
        "upsample",
        interpolate.upsample,
        (real(1, 2, 3),),
        by_matrices,
        "nn.functional.upsample",
        {"scale_factor": 2, "mode": "linear"},
    ),
    Sample(
        "upsample_nearest",
        interpolate.upsample_nearest,
        (real(1, 2, 3, 4),),
        by_matrices,
        "nn.functional.upsample_nearest",
        {"size": (5, 6)},
    ),
    Sample(
        "upsample_bilinear",
        interpolate.upsample_bilinear,
        (real(1, 2, 3, 4),),
        lambda x, size: by_matrices(x, size, None, "bilinear", True),
        "nn.functional.upsample_bilinear",
        {"size": (5, 6)},
    ),
)


def wrong(name: str, source, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(name, interpolate.interpolate, (source,), error, f"interpolate: {match}", kwargs)


X = real(1, 2, 4, 5)

ERRORS = (
    wrong("neither", X, ArgumentError, "needs either size or scale_factor, got None and None"),
    wrong("both", X, ArgumentError, "needs either size or scale_factor, got 3 and 2", size=3, scale_factor=2),
    wrong("mode", X, ArgumentError, "mode must be one of .*, got 'cubic'", size=3, mode="cubic"),
    wrong("rank of mode", X, ShapeError, "mode 'linear' takes 3 dimensions, got shape", size=3, mode="linear"),
    wrong("rank", real(4, 5), ShapeError, "mode 'nearest' takes 3, 4 or 5 dimensions, got shape", size=3),
    wrong("corners", X, ArgumentError, "mode 'nearest' has no align_corners, got True", size=3, align_corners=True),
    wrong("antialias", X, ArgumentError, "antialias is there for bilinear and bicubic", size=3, antialias=True),
    wrong("sizes", X, ArgumentError, r"size must be one number or 2, got \(1, 2, 3\)", size=(1, 2, 3)),
    wrong("half", X, DTypeError, "size takes integers, got 2.5", size=2.5),
    wrong("nothing left", X, ArgumentError, r"an image of size \[4, 5\] would become one of size \[0, 0\]", size=0),
    wrong("factor", X, ArgumentError, "scale_factor must be positive, got -1", scale_factor=-1),
    wrong("empty", real(1, 2, 0, 5), ShapeError, "input has an empty image", size=3),
    wrong(
        "recompute",
        X,
        ArgumentError,
        "recompute_scale_factor needs a scale_factor",
        size=3,
        recompute_scale_factor=True,
    ),
    wrong("ints", whole(1, 2, 4, 5), DTypeError, "input must be a floating point tensor, got int64", size=3),
)
