"""Layers that rearrange: windows to columns and back, channels to pixels and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Fold(Module):
    """Adds the columns of a matrix up to images of size `output_size`, each to the window it would be of.

    input: (N, C * KH * KW, L) or (C * KH * KW, L), y: (N, C, H, W).

    >>> import autograd_cnn as ag
    >>> Fold((4, 5), 2)(ag.ones(1, 12, 12)).shape
    (1, 3, 4, 5)
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The windows that a convolution would see, as the columns of a matrix.

    input: (N, C, H, W) or (C, H, W), y: (N, C * KH * KW, OH * OW).

    >>> import autograd_cnn as ag
    >>> Unfold(2)(ag.ones(1, 3, 4, 5)).shape
    (1, 12, 12)
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class PixelShuffle(Module):
    """Makes images r times as high and wide of r^2 times as many channels, r being `upscale_factor`.

    input: (..., C r^2, H, W), y: (..., C, H r, W r).

    W. Shi et al.: "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network", 2016.

    >>> import autograd_cnn as ag
    >>> PixelShuffle(2)(ag.ones(1, 8, 3, 4)).shape
    (1, 2, 6, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of PixelShuffle: squares of pixels become channels.

    input: (..., C, H r, W r), y: (..., C r^2, H, W).

    >>> import autograd_cnn as ag
    >>> PixelUnshuffle(2)(ag.ones(1, 2, 6, 8)).shape
    (1, 8, 3, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels in another order: the first of each group, the second of each, ...

    input: (N, C, ...), y: of the same shape.

    X. Zhang et al.: "ShuffleNet: an extremely efficient convolutional neural network for mobile devices", 2018.

    >>> import autograd_cnn as ag
    >>> ChannelShuffle(2)(ag.arange(4).reshape(1, 4, 1)).flatten()
    tensor([0, 2, 1, 3])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
