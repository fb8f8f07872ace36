"""Pooling of images over windows: the largest value, or the mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from autograd_cnn.dtype import int64, uint8
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import Pair, images, pair, steps


class MaxPooling(Op, abstract=True):
    """What max pooling and the ops of its gradients share.

    `places` says where in its window the largest value stands, counted row by row, in a dtype as small as can be.
    """

    def __init__(
        self, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, size: Pair | None = None
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        if size is not None:
            self.size = size

    def window(self) -> tuple[Pair, Pair, Pair, Pair]:
        return self.kernel_size, self.stride, self.padding, self.dilation


class MaxPool2d(MaxPooling):
    inputs = ("x",)
    outputs = ("y", "places")
    auxiliary = ("places",)

    def __init__(self, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> None:
        super().__init__(kernel_size, stride, padding, dilation)
        self.ceil_mode = ceil_mode

    def infer(self, x: Any) -> Any:
        shape = (*x.shape[:2], *_sizes("max_pool2d", x.shape[2:], *self.window(), self.ceil_mode))
        return [(shape, x.dtype), (shape, uint8 if math.prod(self.kernel_size) <= 256 else int64)]

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.max_pool2d(x, *self.window(), *out)

    def vjp_x(self, g: Any, places: Any, x_shape: Any) -> Any:
        return apply(MaxPool2dGrad(*self.window(), x_shape[2:]), g, places)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, places: Any) -> None:
        k.max_pool2d_grad(g, places, *self.window(), out[0])


class MaxPool2dGrad(MaxPooling):
    """Adds each element of g to the place, in an image of size `size`, that was the largest of its window."""

    inputs = ("g", "places")
    outputs = ("gx",)
    nondifferentiable = ("places",)

    def infer(self, g: Any, places: Any) -> Any:
        return (*g.shape[:2], *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any, places: Any) -> None:
        k.max_pool2d_grad(g, places, *self.window(), out)

    def vjp_g(self, gg: Any, places: Any) -> Any:
        return apply(MaxPool2dTake(*self.window()), gg, places)


class MaxPool2dTake(MaxPooling):
    """Reads what stands at the places of each window."""

    inputs = ("x", "places")
    nondifferentiable = ("places",)

    def infer(self, x: Any, places: Any) -> Any:
        return places.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any, places: Any) -> None:
        k.max_pool2d_take(x, places, *self.window(), out)

    def vjp_x(self, g: Any, places: Any, x_shape: Any) -> Any:
        return apply(MaxPool2dGrad(*self.window(), x_shape[2:]), g, places)


class MaxPool2dIndices(MaxPooling):
    """The places of windows as places in a flattened image of size `size`."""

    inputs = ("places",)
    nondifferentiable = ("places",)

    def infer(self, places: Any) -> Any:
        return places.shape, int64

    def compute(self, k: Any, out: Any, places: Any) -> None:
        k.max_pool2d_indices(places, self.size, *self.window(), out)


class Averaging(Op, abstract=True):
    """What a mean over windows and its adjoint share; a `divisor` of 0 stands for the count of cells."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair,
        padding: Pair,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor: int,
        size: Pair | None = None,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor = divisor
        if size is not None:
            self.size = size

    def window(self) -> Any:
        return self.kernel_size, self.stride, self.padding, self.count_include_pad, self.divisor


class AvgPool2d(Averaging):
    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        window = self.kernel_size, self.stride, self.padding, (1, 1), self.ceil_mode
        sizes = _sizes("avg_pool2d", x.shape[2:], *window)
        return (*x.shape[:2], *sizes), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.avg_pool2d(x, *self.window(), out)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return apply(AvgPool2dGrad(**self.fields(), size=x_shape[2:]), g)


class AvgPool2dGrad(Averaging):
    """Spreads each element of g over its window in an image of size `size`."""

    inputs = ("g",)
    outputs = ("gx",)

    def infer(self, g: Any) -> Any:
        return (*g.shape[:2], *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        k.avg_pool2d_grad(g, *self.window(), out)

    def vjp_g(self, gg: Any) -> Any:
        return apply(AvgPool2d(**{**self.fields(), "size": None}), gg)


class AdaptiveAvgPool2d(Op):
    inputs = ("x",)

    def __init__(self, output_size: Pair) -> None:
        self.output_size = output_size

    def infer(self, x: Any) -> Any:
        return (*x.shape[:2], *self.output_size), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.adaptive_avg_pool2d(x, out)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return apply(AdaptiveAvgPool2dGrad(x_shape[2:]), g)


class AdaptiveAvgPool2dGrad(Op):
    """Spreads each element of g over its window in an image of size `size`."""

    inputs = ("g",)
    outputs = ("gx",)

    def __init__(self, size: Pair) -> None:
        self.size = size

    def infer(self, g: Any) -> Any:
        return (*g.shape[:2], *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        k.adaptive_avg_pool2d_grad(g, out)

    def vjp_g(self, gg: Any, g_shape: Any) -> Any:
        return apply(AdaptiveAvgPool2d(g_shape[2:]), gg)


@lru_cache(maxsize=512)
def _sizes(op: str, image: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> Pair:
    """Size of the output; in ceil_mode a last window may overhang, where it starts inside of the image."""
    axes = zip(image, kernel, stride, padding, dilation, strict=True)
    height, width = (_size(op, *axis, ceil_mode) for axis in axes)
    return height, width


def _size(op: str, size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    extent = dilation * (kernel - 1) + 1
    windows = steps(op, size, size + 2 * padding, extent, stride)
    overhangs = (size + 2 * padding - extent) % stride != 0
    return windows + (ceil_mode and overhangs and windows * stride < size + padding)


def _window(op: str, kernel_size: Any, stride: Any, padding: Any) -> tuple[Pair, Pair, Pair]:
    kernel = pair(op, "kernel_size", kernel_size, 1)
    strides = kernel if stride is None or stride == () or stride == [] else pair(op, "stride", stride, 1)
    paddings = pair(op, "padding", padding, 0)
    if 2 * paddings[0] > kernel[0] or 2 * paddings[1] > kernel[1]:
        raise ArgumentError(
            f"{op}: padding must be at most half of kernel_size, "
            f"got padding {padding!r} and kernel_size {kernel_size!r}"
        )
    return kernel, strides, paddings


@lru_cache(maxsize=512)
def _max_pooling(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> MaxPool2d:
    """The op, one object for all calls with the same window."""
    return MaxPool2d(kernel, stride, padding, dilation, ceil_mode)


def max_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window, nan where there is one; the first of equal ones gets the gradient.

    x: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with
    OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1, or the ceiling with `ceil_mode`.
    `stride` is `kernel_size` where it is None.  With `return_indices` the places in the flattened image, too.

    Raises ShapeError where the kernel is larger than the padded image, ArgumentError for padding of more than
    half of the kernel.

    >>> import autograd_cnn as ag
    >>> max_pool2d(ag.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2)
    tensor([[[[4.]]]])
    """
    require_floating("max_pool2d", x=x)
    window = _window("max_pool2d", kernel_size, stride, padding)
    op = _max_pooling(*window, pair("max_pool2d", "dilation", dilation, 1), bool(ceil_mode))
    batched = images("max_pool2d", x)
    y, places = apply(op, x if batched else x.unsqueeze(0))
    if not batched:
        y = y.squeeze(0)
    if not return_indices:
        return y
    indices = apply(MaxPool2dIndices(*op.window(), x.array.shape[-2:]), places)
    return y, indices if batched else indices.squeeze(0)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of every window.

    x: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with OH = floor((H + 2 padding - KH) / stride) + 1, or the
    ceiling with `ceil_mode`.  The sum is divided by the count of cells, with padding if `count_include_pad`,
    or by `divisor_override`.

    Raises ShapeError where the kernel is larger than the padded image, ArgumentError for padding of more than
    half of the kernel and for a divisor of 0.

    >>> import autograd_cnn as ag
    >>> avg_pool2d(ag.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2)
    tensor([[[[2.5000]]]])
    """
    require_floating("avg_pool2d", x=x)
    if divisor_override == 0:
        raise ArgumentError("avg_pool2d: divisor_override must not be 0, got 0")
    window = _window("avg_pool2d", kernel_size, stride, padding)
    op = AvgPool2d(*window, bool(ceil_mode), bool(count_include_pad), divisor_override or 0)
    return apply(op, x) if images("avg_pool2d", x) else apply(op, x.unsqueeze(0)).squeeze(0)


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """The means of OH * OW windows that cover the image, whatever its size.

    Window i spans the rows floor(i H / OH) to ceil((i + 1) H / OH) - 1; columns likewise.
    x: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); `output_size` is one number for both or (OH, OW), where
    None keeps the image's.

    Raises ShapeError for an empty image, ArgumentError for a negative size.

    >>> import autograd_cnn as ag
    >>> adaptive_avg_pool2d(ag.ones(1, 8, 7, 5), (3, None)).shape
    (1, 8, 3, 5)
    """
    require_floating("adaptive_avg_pool2d", x=x)
    batched = images("adaptive_avg_pool2d", x)
    given = output_size if isinstance(output_size, tuple | list) else (output_size, output_size)
    size = x.array.shape[-2:]
    if len(given) == 2:
        given = tuple(n if wanted is None else wanted for wanted, n in zip(given, size, strict=True))
    op = AdaptiveAvgPool2d(pair("adaptive_avg_pool2d", "output_size", given, 0))
    if 0 in size:
        raise ShapeError(f"adaptive_avg_pool2d: x has an empty image, shape {list(x.array.shape)}")
    return apply(op, x) if batched else apply(op, x.unsqueeze(0)).squeeze(0)
