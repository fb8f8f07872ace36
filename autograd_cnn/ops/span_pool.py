"""The largest values of windows of any sizes: adaptive pooling, and fractional pooling with its random windows.

As with other pooling a sequence is an image of height 1, and a volume is pooled slice by slice, and then over its
slices, as images of which they are the rows.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.adaptive_pool import adaptive_size
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor

Sizes = tuple[int, ...]  # one for each axis


class MaxOfSpans(Op):
    """The largest value of each window of images, and its place in the flattened image.

    rows, columns: (2, T, OH) and (2, T, OW), where windows begin and end; each of the T tables is for as many images.
    """

    inputs = ("x", "rows", "columns")
    outputs = ("y", "indices")
    auxiliary = ("indices",)
    nondifferentiable = ("rows", "columns")

    def infer(self, x: Any, rows: Any, columns: Any) -> Any:
        shape = (*x.shape[:2], rows.shape[2], columns.shape[2])
        return [(shape, x.dtype), (shape, np.dtype(np.int64))]

    def compute(self, k: Any, out: Any, x: Any, rows: Any, columns: Any) -> None:
        k.largest_of_spans(x, rows, columns, *out)

    def vjp_x(self, g: Any, indices: Any, x_shape: Any) -> Any:
        n, c, height, width = x_shape
        windows = n, c, g.array.shape[2] * g.array.shape[3]
        spread = apply(AddToPlanes(height * width), g.reshape(windows), indices.reshape(windows))
        return spread.reshape(x_shape)


class ReadPlanes(Op):
    """The elements of x (N, C, size) at indices (N, C, n)."""

    inputs = ("x", "indices")
    nondifferentiable = ("indices",)

    def infer(self, x: Any, indices: Any) -> Any:
        return indices.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, indices: Any) -> None:
        k.read_in_planes(x, indices, out)

    def vjp_x(self, g: Any, indices: Any, x_shape: Any) -> Any:
        return apply(AddToPlanes(x_shape[2]), g, indices)


class AddToPlanes(Op):
    """Zeros (N, C, size) to which the values (N, C, n) are added at their indices."""

    inputs = ("values", "indices")
    nondifferentiable = ("indices",)

    def __init__(self, size: int) -> None:
        self.size = size

    def infer(self, values: Any, indices: Any) -> Any:
        return (*values.shape[:2], self.size), values.dtype

    def compute(self, k: Any, out: Any, values: Any, indices: Any) -> None:
        k.place_in_planes(values, indices, True, out)

    def vjp_values(self, g: Any, indices: Any) -> Any:
        return apply(ReadPlanes(), g, indices)


def largest_of_spans(x: Any, spans: list[Any]) -> tuple[Any, Any]:
    """Values and indices for x (N, C, *sizes), given for each axis where windows begin and end, (2, T, windows)."""
    device = x.device
    n, c, *sizes = x.array.shape
    tables = [wrap(device.from_host(table), device) for table in spans]
    windows = [table.shape[2] for table in spans]
    if len(sizes) == 2:
        y, indices = apply(MaxOfSpans(), x, *tables)
        return y, indices
    if len(sizes) == 1:
        one = wrap(device.from_host(_identity(1)), device)
        y, indices = apply(MaxOfSpans(), x.unsqueeze(2), one, tables[0])
        return y.squeeze(2), indices.squeeze(2)
    indices = _places_in_volumes(x.detach(), spans, tables)
    places = n, c, prod(windows)
    y = apply(ReadPlanes(), x.reshape(n, c, prod(sizes)), indices.reshape(places))
    return y.reshape(n, c, *windows), indices


def _places_in_volumes(x: Any, spans: list[Any], tables: list[Any]) -> Any:
    """Where in volumes the largest elements of the windows are: those of slices, and then of several slices."""
    n, c, depth, height, width = x.array.shape
    windows = [table.shape[2] for table in spans]
    area = windows[1] * windows[2]
    slices, in_slice = apply(MaxOfSpans(), x.reshape(n, c * depth, height, width), *tables[1:])
    every = wrap(x.device.from_host(np.repeat(_identity(area), spans[0].shape[1], 1)), x.device)
    _, chosen = apply(MaxOfSpans(), slices.reshape(n, c, depth, area), tables[0], every)
    chosen = chosen.reshape(n, c, windows[0] * area)
    indices = apply(ReadPlanes(), in_slice.reshape(n, c, depth * area), chosen) + chosen // area * (height * width)
    return indices.reshape(n, c, *windows)


@lru_cache(maxsize=64)
def _identity(size: int) -> Any:
    return np.stack([np.arange(size), np.arange(size) + 1]).reshape(2, 1, size)


@lru_cache(maxsize=256)
def _adaptive_spans(size: int, windows: int) -> Any:
    i = np.arange(windows, dtype=np.int64)
    ends = [i * size // max(windows, 1), ((i + 1) * size + windows - 1) // max(windows, 1)]
    return np.stack(ends).reshape(2, 1, windows)


def adaptive_max_pool1d(
    input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest values of OL windows that cover sequences, whatever their length; as `adaptive_max_pool2d`.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> adaptive_max_pool1d(ag.tensor([[1.0, 2.0, 3.0, 5.0, 4.0]]), 2)
    tensor([[3., 5.]])
    """
    return _adaptive_max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest values of OH * OW windows that cover the image, whatever its size.

    Window i spans the rows floor(i H / OH) to ceil((i + 1) H / OH) - 1; columns likewise.
    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); `output_size` is one number for both or (OH, OW), where None
    keeps the image's.  With `return_indices` the places in the flattened image, too.

    Raises ShapeError for an empty image, ArgumentError for a negative size.

    >>> import autograd_cnn as ag
    >>> adaptive_max_pool2d(ag.arange(12.0).reshape(1, 1, 3, 4), (2, None))
    tensor([[[[ 4.,  5.,  6.,  7.],
              [ 8.,  9., 10., 11.]]]])
    """
    return _adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(
    input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest values of OD * OH * OW windows that cover the volume; as `adaptive_max_pool2d`.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW); indices are places in the flattened volume.

    >>> import autograd_cnn as ag
    >>> adaptive_max_pool3d(ag.ones(1, 8, 4, 7, 5), (2, 3, None)).shape
    (1, 8, 2, 3, 5)
    """
    return _adaptive_max_pool("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _adaptive_max_pool(op: str, axes: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    require_floating(op, input=x)
    batched = images(op, x, axes)
    size = adaptive_size(op, axes, x, output_size)
    if not batched:
        x = x.unsqueeze(0)
    results = largest_of_spans(x, [_adaptive_spans(*each) for each in zip(x.array.shape[2:], size, strict=True)])
    y, indices = results if batched else (each.squeeze(0) for each in results)
    return (y, indices) if return_indices else y
