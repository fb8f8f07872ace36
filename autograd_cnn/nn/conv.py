"""Convolution layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.creation import empty
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.linear import reset_weight_and_bias
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.ops.window import sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

MODES = ("zeros", "reflect", "replicate", "circular")


class Convolution(Module):
    """What convolution layers of both directions share: their settings, and what is made of them."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        require_sizes(layer, 0, in_channels=in_channels, out_channels=out_channels)
        require_sizes(layer, 1, groups=groups)
        if in_channels % groups:
            raise ArgumentError(f"{layer}: in_channels {in_channels} is not divisible by groups {groups}")
        if out_channels % groups:
            raise ArgumentError(f"{layer}: out_channels {out_channels} is not divisible by groups {groups}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._sizes("kernel_size", kernel_size, 1)
        self.stride = self._sizes("stride", stride, 1)
        self.padding: Any = padding if isinstance(padding, str) else self._sizes("padding", padding, 0)
        self.output_padding = self._sizes("output_padding", output_padding, 0)
        self.dilation = self._sizes("dilation", dilation, 1)
        self.groups = groups
        self.padding_mode = padding_mode
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = Parameter(empty(*self._weight_channels(), *self.kernel_size, **where))
        self.register_parameter("bias", Parameter(empty(out_channels, **where)) if bias else None)
        self.reset_parameters()

    def _sizes(self, name: str, value: Any, least: int) -> tuple[int, ...]:
        return sizes(type(self).__name__, name, value, least, self.axes)

    def _weight_channels(self) -> tuple[int, int]:
        return self.out_channels, self.in_channels // self.groups

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * self.axes:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.axes:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.axes:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class ForwardConvolution(Convolution):
    """A convolution, whose padding may go by name and hold other things than zeros."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        layer = type(self).__name__
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ArgumentError(f"{layer}: padding must be integers, 'same' or 'valid', got {padding!r}")
        if padding_mode not in MODES:
            raise ArgumentError(f"{layer}: padding_mode must be one of {', '.join(MODES)}, got {padding_mode!r}")
        settings = stride, padding, 0, dilation, groups, bias, padding_mode, device, dtype
        super().__init__(in_channels, out_channels, kernel_size, *settings)
        if padding == "same" and set(self.stride) != {1}:
            raise ArgumentError(f"{layer}: padding='same' needs stride 1, got {self.stride}")

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._border(), mode=self.padding_mode)
            padding = 0
        return self.function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _border(self) -> tuple[int, ...]:
        """The padding before and after each axis, the last axis first."""
        if self.padding == "valid":
            return (0, 0) * self.axes
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            sides = [(total // 2, total - total // 2) for total in totals]
        else:
            sides = [(size, size) for size in self.padding]
        return tuple(side for pair in reversed(sides) for side in pair)

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        per_output = 2 * self.in_channels // self.groups * math.prod(self.kernel_size)
        return math.prod(output) * (per_output + (self.bias is not None))


class Conv1d(ForwardConvolution):
    """A 1-D convolution (cross-correlation): y[n, o] = b[o] + sum over c of w[o, c] * x[n, c].

    input: (N, C, L), weight: (O, C / groups, K), bias: (O,), y: (N, O, OL).  Settings and errors are `Conv2d`'s.

    >>> import autograd_cnn as ag
    >>> Conv1d(4, 8, 3, padding="same")(ag.zeros(2, 4, 50)).shape
    (2, 8, 50)
    """

    axes = 1
    function = staticmethod(F.conv1d)


class Conv2d(ForwardConvolution):
    """A 2-D convolution (cross-correlation): y[n, o] = b[o] + sum over c of w[o, c] * x[n, c].

    input: (N, C, H, W), weight: (O, C / groups, KH, KW), bias: (O,), y: (N, O, OH, OW) with
    OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1.  `padding` is a number, a pair, "same" or "valid";
    `padding_mode` is "zeros", "reflect", "replicate" or "circular".  Weight and bias are uniform in
    [-1/sqrt(fan_in), 1/sqrt(fan_in)] at first, fan_in = C / groups * KH * KW.

    Raises ArgumentError where the channels are not divisible by `groups`.

    >>> import autograd_cnn as ag
    >>> Conv2d(1, 6, 5, padding=2)(ag.zeros(2, 1, 28, 28)).shape
    (2, 6, 28, 28)
    """

    axes = 2
    function = staticmethod(F.conv2d)


class Conv3d(ForwardConvolution):
    """A 3-D convolution (cross-correlation): y[n, o] = b[o] + sum over c of w[o, c] * x[n, c].

    input: (N, C, D, H, W), weight: (O, C / groups, KD, KH, KW), bias: (O,), y: (N, O, OD, OH, OW).  Settings and errors
    are `Conv2d`'s.

    >>> import autograd_cnn as ag
    >>> Conv3d(3, 4, 3, stride=(1, 2, 2), padding=1)(ag.zeros(2, 3, 6, 8, 8)).shape
    (2, 4, 6, 4, 4)
    """

    axes = 3
    function = staticmethod(F.conv3d)
