"""Convolution over one, two or three axes and its adjoints: three ops, each of whose vjps is one of the three."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.window import images, sizes, steps

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

MOST_NUMBERS = 2**60  # of an array, of 8 bytes each: beyond, NumPy has no word of what is wrong
Sizes = tuple[int, ...]  # one for each axis
Sides = tuple[int, ...]  # before and after, for each axis in turn: top, bottom, left, right


class Correlation(Op, abstract=True):
    """What the three share: how a kernel moves over an image.

    `size` is that of the image or of the kernel, where it does not follow from the inputs.
    """

    def __init__(self, stride: Sizes, padding: Sides, dilation: Sizes, groups: int, size: Sizes | None = None) -> None:
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        if size is not None:
            self.size = size

    def like(self, kind: type[Correlation], size: Sizes | None = None) -> Correlation:
        """Another of the three, that moves in the same way."""
        return kind(self.stride, self.padding, self.dilation, self.groups, size)


class Conv(Correlation):
    inputs = ("x", "weight", "bias")
    activation: ClassVar[str] = "IDENTITY"  # the kernels' name of what is applied to the result

    def infer(self, x: Any, weight: Any, bias: Any = None) -> Any:
        moves = self.stride, self.padding, self.dilation, self.groups
        return _shape(x.shape, weight.shape, None if bias is None else bias.shape, *moves), x.dtype

    def compute(self, k: Any, out: Any, x: Any, weight: Any, bias: Any = None) -> None:
        activation = getattr(k, self.activation)
        k.conv_forward(x, weight, bias, self.stride, self.padding, self.dilation, self.groups, out, activation)

    def vjp_x(self, g: Any, weight: Any, x_shape: Any) -> Any:
        return apply(self.like(ConvTranspose, x_shape[2:]), g, weight)

    def vjp_weight(self, g: Any, x: Any, weight_shape: Any) -> Any:
        return apply(self.like(ConvWeightGrad, weight_shape[2:]), g, x)

    def vjp_bias(self, g: Any) -> Any:
        return apply(SUM_CHANNELS, g)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, weight: Any) -> None:
        moves = self.stride, self.padding, self.dilation, self.groups
        gx, gw, *rest = out
        if gx is not None:
            k.conv_grad_input(g, weight, *moves, gx)
        if gw is not None:
            k.conv_grad_weight(g, x, *moves, gw)
        for gb in rest:
            if gb is not None:
                k.sum_channels(g, gb)


class ConvTranspose(Correlation):
    """The gradient of convolution for its input, an image of size `size`, plus a bias a channel."""

    inputs = ("x", "weight", "bias")

    def infer(self, x: Any, weight: Any, bias: Any = None) -> Any:
        op = f"conv_transpose{len(self.stride)}d"
        n, c = x.shape[:2]
        o, per_group = weight.shape[:2]
        if o != c:
            raise ShapeError(f"{op}: weight has {o} input channels, input has {c}")
        if o % self.groups:
            raise ShapeError(f"{op}: groups {self.groups} does not divide weight's {o} input channels")
        channels = per_group * self.groups
        if bias is not None and bias.shape != (channels,):
            raise ShapeError(
                f"{op}: bias has shape {list(bias.shape)}, weight has {per_group} output channels per group times "
                f"groups {self.groups} = {channels}"
            )
        return (n, channels, *self.size), x.dtype

    def compute(self, k: Any, out: Any, x: Any, weight: Any, bias: Any = None) -> None:
        k.conv_grad_input(x, weight, self.stride, self.padding, self.dilation, self.groups, out)
        if bias is not None:
            k.add(out, bias.reshape(-1, *(1,) * len(self.size)), out)

    def vjp_x(self, g: Any, weight: Any) -> Any:
        return apply(self.like(Conv), g, weight)

    def vjp_weight(self, g: Any, x: Any, weight_shape: Any) -> Any:
        return apply(self.like(ConvWeightGrad, weight_shape[2:]), x, g)

    def vjp_bias(self, g: Any) -> Any:
        return apply(SUM_CHANNELS, g)


class ConvWeightGrad(Correlation):
    """The gradient of convolution for the weight, of kernel size `size`."""

    inputs = ("g", "x")
    outputs = ("gw",)

    def infer(self, g: Any, x: Any) -> Any:
        return (g.shape[1], x.shape[1] // self.groups, *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.conv_grad_weight(g, x, self.stride, self.padding, self.dilation, self.groups, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply(self.like(Conv), x, gg)

    def vjp_x(self, gg: Any, g: Any, x_shape: Any) -> Any:
        return apply(self.like(ConvTranspose, x_shape[2:]), g, gg)


class SumChannels(Op):
    """The gradient for the bias: the sum over images and pixels."""

    inputs = ("g",)
    outputs = ("gb",)

    def infer(self, g: Any) -> Any:
        return (g.shape[1],), g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        k.sum_channels(g, out)

    def vjp_g(self, gg: Any, g_shape: Any) -> Any:
        return gg.reshape(1, -1, *(1,) * (len(g_shape) - 2)).expand(g_shape)


SUM_CHANNELS = SumChannels()


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of sequences with kernels, plus a bias a channel.

    y[n, o, i] = bias[o] + sum_{c, u} weight[o, c, u] * x[n, c, i stride + u dilation - padding]

    input: (N, C, L) or (C, L), weight: (O, C / groups, K), bias: (O,) or None, y: (N, O, OL) with OL as in `conv2d`,
    which also tells of padding by name and of errors.

    >>> import autograd_cnn as ag
    >>> conv1d(ag.tensor([[[1.0, 2, 4, 8]]]), ag.tensor([[[-1.0, 1]]]))
    tensor([[[1., 2., 4.]]])
    """
    return convolve(Conv, "conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of images with kernels, plus a bias a channel (LeCun et al. 1989).

    y[n, o, i, j] = bias[o] + sum_{c, u, v} weight[o, c, u, v] * x[n, c, i stride + u dilation - padding, ...]

    input: (N, C, H, W) or (C, H, W), weight: (O, C / groups, KH, KW), bias: (O,) or None, y: (N, O, OH, OW) with
    OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1.  stride, padding and dilation are
    integers or pairs; padding "valid" is 0, and "same", for stride 1, keeps H and W: an odd cell goes to the
    end.

    Raises ShapeError where channels, groups or the bias do not fit, and where the kernel is larger than the
    padded image; ArgumentError for a stride, padding, dilation or groups out of range; DTypeError for mixed
    dtypes.

    >>> import autograd_cnn as ag
    >>> conv2d(ag.ones(1, 1, 3, 3), ag.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    >>> conv2d(ag.ones(1, 3, 8, 8), ag.ones(5, 3, 3, 3), stride=2, padding="valid").shape
    (1, 5, 3, 3)
    """
    return convolve(Conv, "conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of volumes with kernels, plus a bias a channel.

    y[n, o, i, j, k] = bias[o] + sum_{c, u, v, w} weight[o, c, u, v, w] * x[n, c, i stride + u dilation - padding, ...]

    input: (N, C, D, H, W) or (C, D, H, W), weight: (O, C / groups, KD, KH, KW), bias: (O,) or None,
    y: (N, O, OD, OH, OW) with sizes as in `conv2d`, which also tells of padding by name and of errors.

    >>> import autograd_cnn as ag
    >>> conv3d(ag.ones(2, 3, 8, 9, 9), ag.ones(4, 3, 3, 3, 3), stride=(1, 2, 2), padding=1).shape
    (2, 4, 8, 5, 5)
    """
    return convolve(Conv, "conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def require_kernel(op: str, axes: int, x: Any, weight: Any, bias: Any, groups: Any, shape: str) -> Sizes:
    """The size of weight's kernel; raises what convolutions of both directions raise about their tensors."""
    require_floating(op, input=x, weight=weight, bias=bias)
    got: Sizes = require_tensor(op, weight).array.shape
    if len(got) != axes + 2:
        raise ShapeError(f"{op}: weight must be ({shape}, {KERNELS[axes]}), got shape {list(got)}")
    if isinstance(groups, bool) or not isinstance(groups, int):
        raise DTypeError(f"{op}: groups must be an integer, got {type(groups).__name__}")
    if groups < 1:
        raise ArgumentError(f"{op}: groups must be at least 1, got {groups}")
    kernel = got[2:]
    if 0 in kernel:
        raise ShapeError(f"{op}: weight has an empty kernel, shape {list(got)}")
    return kernel


KERNELS = {1: "K", 2: "KH, KW", 3: "KD, KH, KW"}


def apply_to_batch(op: Op, batched: bool, x: Any, weight: Any, bias: Any) -> Any:
    """The op on a batch, or on one image as a batch of one; without a bias where that is None."""
    if not batched:
        x = x.unsqueeze(0)
    y = apply(op, x, weight) if bias is None else apply(op, x, weight, bias)
    return y if batched else y.squeeze(0)


def convolve(
    kind: Callable[..., Conv],
    op: str,
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
) -> Any:
    """A convolution of that kind, called `op` in errors."""
    kernel = require_kernel(op, axes, x, weight, bias, groups, "O, C / groups")
    strides = sizes(op, "stride", stride, 1, axes)
    dilations = sizes(op, "dilation", dilation, 1, axes)
    if not isinstance(padding, str):
        padding = sizes(op, "padding", padding, 0, axes)
    moving = _moving(kind, op, kernel, strides, padding, dilations, groups)
    return apply_to_batch(moving, images(op, x, axes), x, weight, bias)


@lru_cache(maxsize=512)
def _moving(
    kind: Callable[..., Conv], op: str, kernel: Sizes, stride: Sizes, padding: Any, dilation: Sizes, groups: int
) -> Conv:
    """The op, one object for all calls that move in the same way."""
    return kind(stride, _sides(op, padding, kernel, stride, dilation), dilation, groups)


@lru_cache(maxsize=1024)
def _shape(
    x: Sizes, weight: Sizes, bias: Sizes | None, stride: Sizes, padding: Sides, dilation: Sizes, groups: int
) -> Sizes:
    """The result's shape; ShapeError where shapes do not fit, or the kernel has no place in the image."""
    op = f"conv{len(stride)}d"
    (n, c, *image), (o, per_group, *kernel) = x, weight
    if per_group * groups != c:
        raise ShapeError(
            f"{op}: weight has {per_group} input channels per group times groups {groups} = {per_group * groups}, "
            f"input has {c}"
        )
    if o % groups:
        raise ShapeError(f"{op}: groups {groups} does not divide weight's {o} output channels")
    if bias is not None and bias != (o,):
        raise ShapeError(f"{op}: bias has shape {list(bias)}, weight has {o} output channels")
    sides = zip(padding[::2], padding[1::2], strict=True)
    axes = zip(image, sides, kernel, stride, dilation, strict=True)
    places = [
        steps(op, length, length + before + after, d * (k - 1) + 1, step)
        for length, (before, after), k, step, d in axes
    ]
    shape = (n, o, *places)
    if prod(shape) >= MOST_NUMBERS:
        raise ShapeError(f"{op}: padding {padding} makes a result of shape {list(shape)}, more than memory can hold")
    return shape


def _sides(op: str, padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sides:
    if not isinstance(padding, str):
        return tuple(side for size in padding for side in (size, size))
    if padding == "valid":
        return (0, 0) * len(kernel)
    if padding != "same":
        raise ArgumentError(f"{op}: padding must be integers, 'same' or 'valid', got {padding!r}")
    if set(stride) != {1}:
        raise ArgumentError(f"{op}: padding 'same' needs stride 1, got stride {stride}")
    totals = (d * (size - 1) for d, size in zip(dilation, kernel, strict=True))
    return tuple(side for total in totals for side in (total // 2, total - total // 2))
