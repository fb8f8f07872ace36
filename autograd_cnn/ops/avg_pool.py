"""The means of windows that move over sequences, images and volumes.

The ops are those of images: a sequence is one of height 1, and a volume's means are those of its slices', averaged as
images of as many rows as there are slices.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.activation import relu
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.rounding import sign
from autograd_cnn.ops.window import images, pooled_size, pooling_window

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

Sizes = tuple[int, ...]  # one for each axis


class Averaging(Op, abstract=True):
    """What a mean over windows and its adjoint share; a `divisor` of 0 stands for the count of cells."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor: int,
        size: Sizes | None = None,
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
        sizes = pooled_size("avg_pool2d", x.shape[2:], *window)
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


def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window of sequences; as `avg_pool2d`, which also tells of errors.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> avg_pool1d(ag.tensor([[1.0, 3.0, 2.0, 4.0]]), 2, 1)
    tensor([[2.0000, 2.5000, 3.0000]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with OH = floor((H + 2 padding - KH) / stride) + 1, or the
    ceiling with `ceil_mode`.  The sum is divided by the count of cells, with padding if `count_include_pad`,
    or by `divisor_override`.

    Raises ShapeError where the kernel is larger than the padded image, ArgumentError for padding of more than
    half of the kernel and for a divisor of 0.

    >>> import autograd_cnn as ag
    >>> avg_pool2d(ag.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2)
    tensor([[[[2.5000]]]])
    """
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of volumes; as `avg_pool2d`, which also tells of errors.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> avg_pool3d(ag.arange(16.0).reshape(1, 4, 2, 2), 2)
    tensor([[[[ 3.5000]],
    <BLANKLINE>
             [[11.5000]]]])
    """
    return _avg_pool(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _avg_pool(
    op: str,
    axes: int,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: Any,
    count_include_pad: Any,
    divisor: int | None,
) -> Any:
    require_floating(op, input=x)
    if divisor == 0:
        raise ArgumentError(f"{op}: divisor_override must not be 0, got 0")
    window = pooling_window(op, kernel_size, stride, padding, axes)
    batched = images(op, x, axes)
    if not batched:
        x = x.unsqueeze(0)
    size = pooled_size(op, x.array.shape[2:], *window, (1,) * axes, bool(ceil_mode))
    y = _BY_AXES[axes](x, size, window, bool(ceil_mode), bool(count_include_pad), divisor or 0)
    return y if batched else y.squeeze(0)


Window = tuple[Sizes, Sizes, Sizes]


def _pool_images(x: Any, size: Sizes, window: Window, *options: Any) -> Any:
    return apply(AvgPool2d(*window, *options), x)


def _pool_sequences(x: Any, size: Sizes, window: Window, *options: Any) -> Any:
    (kernel,), (stride,), (padding,) = window
    return apply(AvgPool2d((1, kernel), (1, stride), (0, padding), *options), x.unsqueeze(2)).squeeze(2)


def _pool_volumes(x: Any, size: Sizes, window: Window, ceil_mode: bool, count_include_pad: bool, divisor: int) -> Any:
    n, c, depth, height, width = x.array.shape
    (kernel, *kernels), (stride, *strides), (padding, *paddings) = window
    across = AvgPool2d(tuple(kernels), tuple(strides), tuple(paddings), ceil_mode, count_include_pad, divisor)
    # A divisor of its own divides the sum once.
    along = AvgPool2d((kernel, 1), (stride, 1), (padding, 0), ceil_mode, count_include_pad, 1 if divisor else 0)
    slices = apply(across, x.reshape(n, c * depth, height, width))
    return apply(along, slices.reshape(n, c, depth, size[1] * size[2])).reshape(n, c, *size)


_BY_AXES = {1: _pool_sequences, 2: _pool_images, 3: _pool_volumes}


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window of sequences, p being `norm_type`; as `lp_pool2d`.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> lp_pool1d(ag.tensor([[3.0, 4.0, 0.0]]), 2, 2, 1)
    tensor([[5., 4.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window, p being `norm_type`: y = (sum of x^p)^(1/p).

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) as in `avg_pool2d` without padding.  As in PyTorch a window that
    overhangs, in `ceil_mode`, counts as if what is missing were its mean, and odd powers keep their sign.

    Raises what `avg_pool2d` raises, ArgumentError for a norm_type of 0.

    >>> import autograd_cnn as ag
    >>> lp_pool2d(ag.tensor([[[[1.0, 1.0], [1.0, 1.0]]]]), 2, 2)
    tensor([[[[2.]]]])
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window of volumes, p being `norm_type`; as `lp_pool2d`.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> lp_pool3d(ag.ones(1, 2, 2, 2), 1, 2)
    tensor([[[[8.]]]])
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(op: str, axes: int, x: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    require_floating(op, input=x)
    if norm_type == 0:
        raise ArgumentError(f"{op}: norm_type must not be 0, got {norm_type!r}")
    kernel, _, _ = pooling_window(op, kernel_size, stride, 0, axes)
    means = _avg_pool(op, axes, x**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    # relu's gradient at 0 keeps that of the root, which is infinite there, from becoming nan.
    return (sign(means) * relu(means.abs()) * float(prod(kernel))) ** (1.0 / norm_type)
