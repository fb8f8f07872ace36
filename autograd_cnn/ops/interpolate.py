"""Interpolation: sequences, images and volumes of another size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.resampling import Axis, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class Resample(Op):
    """Interpolation along each of the last axes, by their tables, or its adjoint."""

    inputs = ("x",)

    def __init__(self, axes: tuple[Axis, ...], transposed: bool = False) -> None:
        self.axes = axes
        self.transposed = transposed

    def infer(self, x: Any) -> Any:
        return (*x.shape[:2], *(axis.size if self.transposed else axis.windows for axis in self.axes)), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.resample(x, [table(axis, x.dtype.char, self.transposed) for axis in self.axes], out)

    def vjp_x(self, g: Any) -> Any:
        return apply(Resample(self.axes, not self.transposed), g)


LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
KINDS = {**dict.fromkeys(LINEAR, "linear"), "bicubic": "cubic"}
MODES = ("nearest", "nearest-exact", "area", *LINEAR, "bicubic")
AREAS: dict[int, Any] = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def interpolate(
    input: Tensor,
    size: Ints | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """input at another size, given as `size` or as a factor, each one number or one for each axis.

    input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).  Element i of an axis lies at s (i + 1/2) - 1/2 of input, s being
    the factor between the sizes (with `recompute_scale_factor` that of the sizes as they come out, else the one given);
    with `align_corners` at i (size - 1) / (new size - 1), so that the outermost elements stay.  `mode` says what is
    there: "nearest" the element at floor(s i), "nearest-exact" the nearest one, "linear", "bilinear" and "trilinear"
    the line between two (along each of one, two and three axes), "bicubic" the cubic through four (Keys 1981), "area"
    the mean over what an element covers.  `antialias` widens the kernels of "bilinear" and "bicubic" where images
    shrink.

    Raises ArgumentError for an unknown mode, for align_corners or antialias in a mode that has none, unless one of
    size and scale_factor is given, and for a size below 1; ShapeError for input of another rank than the mode takes.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[[1.0, 3.0]]])
    >>> interpolate(x, 4), interpolate(x, scale_factor=2, mode="linear")
    (tensor([[[1., 1., 3., 3.]]]), tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]]))
    """
    require_floating("interpolate", input=input)
    axes = input.array.ndim - 2
    if mode not in MODES:
        raise ArgumentError(f"interpolate: mode must be one of {', '.join(MODES)}, got {mode!r}")
    wanted = {**LINEAR, "bicubic": 2}.get(mode)
    if axes not in (1, 2, 3) or (wanted is not None and axes != wanted):
        takes = "3, 4 or 5" if wanted is None else str(wanted + 2)
        raise ShapeError(f"interpolate: mode {mode!r} takes {takes} dimensions, got shape {list(input.array.shape)}")
    if align_corners is not None and wanted is None:
        raise ArgumentError(f"interpolate: mode {mode!r} has no align_corners, got {align_corners!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(f"interpolate: antialias is there for bilinear and bicubic, got mode {mode!r}")
    image = input.array.shape[2:]
    sizes, factors = _sizes(axes, image, size, scale_factor, bool(recompute_scale_factor))
    if min(sizes) < (mode != "area"):
        raise ArgumentError(f"interpolate: an image of size {list(image)} would become one of size {list(sizes)}")
    if 0 in image:
        raise ShapeError(f"interpolate: input has an empty image, shape {list(input.array.shape)}")
    if mode == "area":
        return AREAS[axes](input, sizes)
    settings = bool(align_corners), bool(antialias)
    kind = KINDS.get(mode, mode)
    lines = zip(image, sizes, factors, strict=True)
    return apply(Resample(tuple(Axis(kind, n, m, factor, *settings) for n, m, factor in lines)), input)


def _sizes(
    axes: int, image: tuple[int, ...], size: Any, scale_factor: Any, recomputed: bool
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The new size of each axis, and its factor where that counts."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError(f"interpolate: needs either size or scale_factor, got {size!r} and {scale_factor!r}")
    if size is not None:
        if recomputed:
            raise ArgumentError("interpolate: recompute_scale_factor needs a scale_factor, got a size")
        sizes = _each_axis("size", axes, size, int)
        factors: tuple[Any, ...] = (None,) * axes
    else:
        factors = _each_axis("scale_factor", axes, scale_factor, (int, float))
        if not all(factor > 0 and math.isfinite(factor) for factor in factors):
            raise ArgumentError(f"interpolate: scale_factor must be positive, got {scale_factor!r}")
        sizes = tuple(math.floor(n * float(factor)) for n, factor in zip(image, factors, strict=True))
        factors = (None,) * axes if recomputed else tuple(float(factor) for factor in factors)
    return sizes, factors


def _each_axis(name: str, axes: int, given: Any, kind: Any) -> tuple[Any, ...]:
    values = tuple(given) if isinstance(given, tuple | list) else (given,) * axes
    values = tuple(value.item() if hasattr(value, "item") else value for value in values)
    if not all(isinstance(value, kind) and not isinstance(value, bool) for value in values):
        what = "integers" if kind is int else "numbers"
        raise DTypeError(f"interpolate: {name} takes {what}, got {given!r}")
    if len(values) != axes:
        raise ArgumentError(f"interpolate: {name} must be one number or {axes}, got {given!r}")
    return values


def upsample(
    input: Tensor,
    size: Ints | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The older name of `interpolate`.

    >>> import autograd_cnn as ag
    >>> upsample(ag.ones(1, 1, 2), scale_factor=2).shape
    (1, 1, 4)
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Ints | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate` with mode "nearest".

    >>> import autograd_cnn as ag
    >>> upsample_nearest(ag.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: Ints | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """`interpolate` of images with mode "bilinear", whose corners stay.

    >>> import autograd_cnn as ag
    >>> upsample_bilinear(ag.tensor([[[[1.0, 3.0]]]]), size=(1, 3))
    tensor([[[[1., 2., 3.]]]])
    """
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
