"""The largest values of windows that move over sequences, images and volumes.

The ops are those of images: a sequence is one of height 1, and a volume is pooled slice by slice, and then over its
slices, as images of which they are the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import int64, uint8
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.gather import Gather
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images, pooled_size, pooling_window, sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

Sizes = tuple[int, ...]  # one for each axis


class MaxPooling(Op, abstract=True):
    """What max pooling and the ops of its gradients share.

    `places` says where in its window the largest value stands, counted row by row, in a dtype as small as can be.
    """

    def __init__(
        self, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, size: Sizes | None = None
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        if size is not None:
            self.size = size

    def window(self) -> tuple[Sizes, Sizes, Sizes, Sizes]:
        return self.kernel_size, self.stride, self.padding, self.dilation


class MaxPool2d(MaxPooling):
    inputs = ("x",)
    outputs = ("y", "places")
    auxiliary = ("places",)

    def __init__(self, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool) -> None:
        super().__init__(kernel_size, stride, padding, dilation)
        self.ceil_mode = ceil_mode

    def infer(self, x: Any) -> Any:
        shape = (*x.shape[:2], *pooled_size("max_pool2d", x.shape[2:], *self.window(), self.ceil_mode))
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


@lru_cache(maxsize=512)
def _pooling(kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool) -> MaxPool2d:
    """The op, one object for all calls with the same window."""
    return MaxPool2d(kernel, stride, padding, dilation, ceil_mode)


def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window of sequences; as `max_pool2d`, which also tells of errors.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> max_pool1d(ag.tensor([[1.0, 3.0, 2.0, 4.0]]), 2, return_indices=True)
    (tensor([[3., 4.]]), tensor([[1, 3]]))
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window, nan where there is one; the first of equal ones gets the gradient.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with
    OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1, or the ceiling with `ceil_mode`.
    `stride` is `kernel_size` where it is None.  With `return_indices` the places in the flattened image, too.

    Raises ShapeError where the kernel is larger than the padded image, ArgumentError for padding of more than
    half of the kernel.

    >>> import autograd_cnn as ag
    >>> max_pool2d(ag.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2)
    tensor([[[[4.]]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window of volumes; as `max_pool2d`, which also tells of errors.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW); indices are places in the flattened volume.

    >>> import autograd_cnn as ag
    >>> max_pool3d(ag.arange(16.0).reshape(1, 4, 2, 2), (2, 1, 2)).flatten()
    tensor([ 5.,  7., 13., 15.])
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    op: str,
    axes: int,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    return_indices: Any,
) -> Any:
    require_floating(op, input=x)
    window = *pooling_window(op, kernel_size, stride, padding, axes), sizes(op, "dilation", dilation, 1, axes)
    batched = images(op, x, axes)
    if not batched:
        x = x.unsqueeze(0)
    size = pooled_size(op, x.array.shape[2:], *window, bool(ceil_mode))
    y, indices = _BY_AXES[axes](x, size, window, bool(ceil_mode), bool(return_indices))
    if not batched:
        y = y.squeeze(0)
    if not return_indices:
        return y
    return y, indices if batched else indices.squeeze(0)


Window = tuple[Sizes, Sizes, Sizes, Sizes]


def _pool_images(x: Any, size: Sizes, window: Window, ceil_mode: bool, return_indices: bool) -> tuple[Any, Any]:
    y, places = apply(_pooling(*window, ceil_mode), x)
    return y, apply(MaxPool2dIndices(*window, x.array.shape[2:]), places) if return_indices else None


def _pool_sequences(x: Any, size: Sizes, window: Window, *options: bool) -> tuple[Any, Any]:
    (kernel,), (stride,), (padding,), (dilation,) = window
    flat = (1, kernel), (1, stride), (0, padding), (1, dilation)
    y, indices = _pool_images(x.unsqueeze(2), size, flat, *options)
    return y.squeeze(2), None if indices is None else indices.squeeze(2)


def _pool_volumes(x: Any, size: Sizes, window: Window, *options: bool) -> tuple[Any, Any]:
    n, c, depth, height, width = x.array.shape
    (kernel, *kernels), (stride, *strides), (padding, *paddings), (dilation, *dilations) = window
    across = tuple(kernels), tuple(strides), tuple(paddings), tuple(dilations)
    along = (kernel, 1), (stride, 1), (padding, 0), (dilation, 1)
    slices, in_slice = _pool_images(x.reshape(n, c * depth, height, width), size, across, *options)
    area = size[1] * size[2]
    y, chosen = _pool_images(slices.reshape(n, c, depth, area), size, along, *options)
    if chosen is not None:
        chosen = chosen.reshape(n, c, size[0] * area)
        in_slice = in_slice.reshape(n, c, depth * area)
        chosen = apply(Gather(2), in_slice, chosen) + chosen // area * (height * width)
        chosen = chosen.reshape(n, c, *size)
    return y.reshape(n, c, *size), chosen


_BY_AXES: dict[int, Any] = {1: _pool_sequences, 2: _pool_images, 3: _pool_volumes}
