"""Convolution layers."""

from __future__ import annotations

import math
from typing import Any, cast

from autograd_cnn.creation import empty
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.linear import reset_weight_and_bias
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.ops.window import pair


class Conv2d(Module):
    """A 2-D convolution (cross-correlation): y[n, o] = b[o] + sum over c of w[o, c] * x[n, c].

    x: (N, C, H, W), weight: (O, C / groups, KH, KW), bias: (O,), y: (N, O, OH, OW) with
    OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1.  `padding` is a number, a pair, "same" or "valid".

    Raises ArgumentError where the channels are not divisible by `groups`.

    >>> import autograd_cnn as ag
    >>> Conv2d(1, 6, 5, padding=2)(ag.zeros(2, 1, 28, 28)).shape
    (2, 6, 28, 28)
    """

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
        super().__init__()
        require_sizes("Conv2d", 0, in_channels=in_channels, out_channels=out_channels)
        require_sizes("Conv2d", 1, groups=groups)
        if in_channels % groups:
            raise ArgumentError(f"Conv2d: in_channels {in_channels} is not divisible by groups {groups}")
        if out_channels % groups:
            raise ArgumentError(f"Conv2d: out_channels {out_channels} is not divisible by groups {groups}")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ArgumentError(f"Conv2d: padding must be a number, a pair, 'same' or 'valid', got {padding!r}")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ArgumentError(f"Conv2d: padding_mode must be one of {', '.join(modes)}, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d", "stride", stride, 1)
        self.padding = padding if isinstance(padding, str) else pair("Conv2d", "padding", padding, 0)
        self.dilation = pair("Conv2d", "dilation", dilation, 1)
        if padding == "same" and self.stride != (1, 1):
            raise ArgumentError(f"Conv2d: padding='same' needs stride 1, got {self.stride}")
        self.groups = groups
        self.padding_mode = padding_mode
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = Parameter(empty(out_channels, in_channels // groups, *self.kernel_size, **where))
        self.register_parameter("bias", Parameter(empty(out_channels, **where)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, x: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            x = F.pad(x, self._border(), mode=self.padding_mode)
            padding = 0
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _border(self) -> tuple[int, int, int, int]:
        """Left, right, top and bottom padding."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        if self.padding == "same":
            total_h, total_w = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
            return (total_w // 2, total_w - total_w // 2, total_h // 2, total_h - total_h // 2)
        h, w = cast(tuple[int, int], self.padding)
        return (w, w, h, h)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        per_output = 2 * self.in_channels // self.groups * math.prod(self.kernel_size)
        return math.prod(output) * (per_output + (self.bias is not None))
