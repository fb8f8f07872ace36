"""Transposed convolution layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.conv import Convolution

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class TransposedConvolution(Convolution):
    """The adjoint of a convolution, with a bias of its own."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ArgumentError(f"{type(self).__name__}: padding_mode must be zeros, got {padding_mode!r}")
        if isinstance(padding, str):
            raise ArgumentError(f"{type(self).__name__}: padding must be integers, got {padding!r}")
        settings = stride, padding, output_padding, dilation, groups, bias, padding_mode, device, dtype
        super().__init__(in_channels, out_channels, kernel_size, *settings)

    def _weight_channels(self) -> tuple[int, int]:
        return self.in_channels, self.out_channels // self.groups

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """y, of the spatial size `output_size` where that is given, instead of that of `output_padding`."""
        extra = self.output_padding if output_size is None else self._extra(input.shape, tuple(output_size))
        settings = self.stride, self.padding, extra, self.groups, self.dilation
        return self.function(input, self.weight, self.bias, *settings)

    def _extra(self, shape: tuple[int, ...], size: tuple[int, ...]) -> tuple[int, ...]:
        """The output_padding that leads to `size`, which may begin with N and C."""
        layer = type(self).__name__
        if len(size) not in (self.axes, len(shape)):
            raise ArgumentError(f"{layer}: output_size must have {self.axes} or {len(shape)} entries, got {list(size)}")
        size = size[-self.axes :]
        axes = zip(shape[-self.axes :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * stride - 2 * p + d * (k - 1) + 1 for n, stride, p, d, k in axes]
        extra = tuple(wanted - n for wanted, n in zip(size, least, strict=True))
        if not all(0 <= n < stride for n, stride in zip(extra, self.stride, strict=True)):
            most = [n + stride - 1 for n, stride in zip(least, self.stride, strict=True)]
            raise ArgumentError(f"{layer}: output_size must be from {least} to {most}, got {list(size)}")
        return extra

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        multiplications: int = math.prod(inputs[0]) * self.out_channels // self.groups * math.prod(self.kernel_size)
        return 2 * multiplications + math.prod(output) * (self.bias is not None)


class ConvTranspose1d(TransposedConvolution):
    """The adjoint of a 1-D convolution, plus a bias.

    input: (N, C, L), weight: (C, O / groups, K), bias: (O,), y: (N, O, OL).  Settings and errors are
    `ConvTranspose2d`'s.

    >>> import autograd_cnn as ag
    >>> ConvTranspose1d(4, 8, 4, stride=2, padding=1)(ag.zeros(2, 4, 50)).shape
    (2, 8, 100)
    """

    axes = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(TransposedConvolution):
    """The adjoint of a 2-D convolution (Zeiler et al. 2010), plus a bias: it makes images larger by its stride.

    input: (N, C, H, W), weight: (C, O / groups, KH, KW), bias: (O,), y: (N, O, OH, OW) with
    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1.  Called with `output_size`, it chooses
    the output padding that leads there.  Weight and bias start as PyTorch's do: uniform in [-1/sqrt(f), 1/sqrt(f)],
    f = O / groups * KH * KW.

    Raises ArgumentError where the channels are not divisible by `groups`, for a padding_mode other than "zeros", and
    for an `output_size` that no output padding below the stride leads to.

    >>> import autograd_cnn as ag
    >>> up = ConvTranspose2d(8, 4, 3, stride=2, padding=1)
    >>> up(ag.zeros(2, 8, 7, 7)).shape, up(ag.zeros(2, 8, 7, 7), output_size=(14, 14)).shape
    ((2, 4, 13, 13), (2, 4, 14, 14))
    """

    axes = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(TransposedConvolution):
    """The adjoint of a 3-D convolution, plus a bias.

    input: (N, C, D, H, W), weight: (C, O / groups, KD, KH, KW), bias: (O,), y: (N, O, OD, OH, OW).  Settings and errors
    are `ConvTranspose2d`'s.

    >>> import autograd_cnn as ag
    >>> ConvTranspose3d(8, 4, 2, stride=2)(ag.zeros(1, 8, 3, 4, 4)).shape
    (1, 4, 6, 8, 8)
    """

    axes = 3
    function = staticmethod(F.conv_transpose3d)
