"""Two-dimensional convolution and its two gradients: three ops, each of whose vjps is one of the three."""

from __future__ import annotations

from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating, require_tensor
from autograd_cnn.ops.window import Pair, images, pair, steps

Sides = tuple[int, int, int, int]  # top, bottom, left, right


class Correlation(Op, abstract=True):
    """What the three share: how a kernel moves over an image.

    `size` is that of the image (H, W) or of the kernel (KH, KW), where it does not follow from the inputs.
    """

    def __init__(self, stride: Pair, padding: Sides, dilation: Pair, groups: int, size: Pair | None = None) -> None:
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        if size is not None:
            self.size = size

    def like(self, kind: type[Correlation], size: Pair | None = None) -> Correlation:
        """Another of the three, that moves in the same way."""
        return kind(self.stride, self.padding, self.dilation, self.groups, size)


class Conv2d(Correlation):
    inputs = ("x", "weight", "bias")

    def infer(self, x: Any, weight: Any, bias: Any = None) -> Any:
        n, c, height, width = x.shape
        o, per_group, *kernel = weight.shape
        if per_group * self.groups != c:
            raise ShapeError(
                f"conv2d: weight has {per_group} input channels per group times groups {self.groups} = "
                f"{per_group * self.groups}, x has {c}"
            )
        if o % self.groups:
            raise ShapeError(f"conv2d: groups {self.groups} does not divide weight's {o} output channels")
        if bias is not None and bias.shape != (o,):
            raise ShapeError(f"conv2d: bias has shape {list(bias.shape)}, weight has {o} output channels")
        top, bottom, left, right = self.padding
        rows = self._steps(0, height, top + bottom, kernel[0])
        columns = self._steps(1, width, left + right, kernel[1])
        return (n, o, rows, columns), x.dtype

    def _steps(self, axis: int, size: int, padding: int, kernel: int) -> int:
        extent = self.dilation[axis] * (kernel - 1) + 1
        return steps("conv2d", size, size + padding, extent, self.stride[axis])

    def compute(self, k: Any, out: Any, x: Any, weight: Any, bias: Any = None) -> None:
        k.conv_forward(x, weight, bias, self.stride, self.padding, self.dilation, self.groups, out)

    def vjp_x(self, g: Any, weight: Any, x_shape: Any) -> Any:
        return apply(self.like(Conv2dInputGrad, x_shape[2:]), g, weight)

    def vjp_weight(self, g: Any, x: Any, weight_shape: Any) -> Any:
        return apply(self.like(Conv2dWeightGrad, weight_shape[2:]), g, x)

    def vjp_bias(self, g: Any) -> Any:
        return apply(SUM_CHANNELS, g)


class Conv2dInputGrad(Correlation):
    """The gradient of conv2d for x, of image size `size`: the transposed convolution of g."""

    inputs = ("g", "weight")
    outputs = ("gx",)

    def infer(self, g: Any, weight: Any) -> Any:
        return (g.shape[0], weight.shape[1] * self.groups, *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any, weight: Any) -> None:
        k.conv_grad_input(g, weight, self.stride, self.padding, self.dilation, self.groups, out)

    def vjp_g(self, gg: Any, weight: Any) -> Any:
        return apply(self.like(Conv2d), gg, weight)

    def vjp_weight(self, gg: Any, g: Any, weight_shape: Any) -> Any:
        return apply(self.like(Conv2dWeightGrad, weight_shape[2:]), g, gg)


class Conv2dWeightGrad(Correlation):
    """The gradient of conv2d for the weight, of kernel size `size`."""

    inputs = ("g", "x")
    outputs = ("gw",)

    def infer(self, g: Any, x: Any) -> Any:
        return (g.shape[1], x.shape[1] // self.groups, *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any, x: Any) -> None:
        k.conv_grad_weight(g, x, self.stride, self.padding, self.dilation, self.groups, out)

    def vjp_g(self, gg: Any, x: Any) -> Any:
        return apply(self.like(Conv2d), x, gg)

    def vjp_x(self, gg: Any, g: Any, x_shape: Any) -> Any:
        return apply(self.like(Conv2dInputGrad, x_shape[2:]), g, gg)


class SumChannels(Op):
    """The gradient of conv2d for the bias: the sum over images and pixels."""

    inputs = ("g",)
    outputs = ("gb",)

    def infer(self, g: Any) -> Any:
        return (g.shape[1],), g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        k.sum_channels(g, out)

    def vjp_g(self, gg: Any, g_shape: Any) -> Any:
        return gg.reshape(1, -1, 1, 1).expand(g_shape)


SUM_CHANNELS = SumChannels()


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The cross-correlation of images with kernels, plus a bias a channel (LeCun et al. 1989).

    y[n, o, i, j] = bias[o] + sum_{c, u, v} weight[o, c, u, v] * x[n, c, i stride + u dilation - padding, ...]

    x: (N, C, H, W) or (C, H, W), weight: (O, C / groups, KH, KW), bias: (O,) or None, y: (N, O, OH, OW) with
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
    require_floating("conv2d", x=x, weight=weight, bias=bias)
    if require_tensor("conv2d", weight).array.ndim != 4:
        got = list(weight.array.shape)
        raise ShapeError(f"conv2d: weight must be (O, C / groups, KH, KW), got shape {got}")
    if isinstance(groups, bool) or not isinstance(groups, int):
        raise DTypeError(f"conv2d: groups must be an integer, got {type(groups).__name__}")
    if groups < 1:
        raise ArgumentError(f"conv2d: groups must be at least 1, got {groups}")
    kernel = weight.array.shape[2:]
    if 0 in kernel:
        raise ShapeError(f"conv2d: weight has an empty kernel, shape {list(weight.array.shape)}")
    strides = pair("conv2d", "stride", stride, 1)
    dilations = pair("conv2d", "dilation", dilation, 1)
    op = Conv2d(strides, _sides(padding, kernel, strides, dilations), dilations, groups)
    batched = images("conv2d", x)
    if not batched:
        x = x.unsqueeze(0)
    y = apply(op, x, weight) if bias is None else apply(op, x, weight, bias)
    return y if batched else y.squeeze(0)


def _sides(padding: Any, kernel: Any, stride: Pair, dilation: Pair) -> Sides:
    if not isinstance(padding, str):
        height, width = pair("conv2d", "padding", padding, 0)
        return height, height, width, width
    if padding == "valid":
        return 0, 0, 0, 0
    if padding != "same":
        raise ArgumentError(f"conv2d: padding must be integers, 'same' or 'valid', got {padding!r}")
    if stride != (1, 1):
        raise ArgumentError(f"conv2d: padding 'same' needs stride 1, got stride {stride}")
    height, width = (d * (size - 1) for d, size in zip(dilation, kernel, strict=True))
    return height // 2, height - height // 2, width // 2, width - width // 2
