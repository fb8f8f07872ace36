"""Pooling layers."""

from __future__ import annotations

import math
from typing import Any

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module


class MaxPool2d(Module):
    """The largest value of each window.

    x: (N, C, H, W), y: (N, C, OH, OW) with OH = floor((H + 2 padding - dilation (K - 1) - 1) / stride) + 1;
    `stride` is `kernel_size` by default.

    >>> import autograd_cnn as ag
    >>> MaxPool2d(2)(ag.zeros(1, 3, 8, 8)).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Any:
        return F.max_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return math.prod(output) * _window(self.kernel_size)


class AvgPool2d(Module):
    """The mean of each window.

    x: (N, C, H, W), y: (N, C, OH, OW) as for MaxPool2d.  `count_include_pad` counts the padding's zeros,
    `divisor_override` divides by a number of its own.

    >>> import autograd_cnn as ag
    >>> AvgPool2d(2)(ag.ones(1, 1, 2, 2))
    tensor([[[[1.]]]])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        return F.avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        return math.prod(output) * _window(self.kernel_size)


class AdaptiveAvgPool2d(Module):
    """Means over windows chosen so that the output has size `output_size`; 1 is the global mean.

    >>> import autograd_cnn as ag
    >>> AdaptiveAvgPool2d(1)(ag.ones(1, 3, 5, 7)).shape
    (1, 3, 1, 1)
    """

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return F.adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        read: int = math.prod(inputs[0])
        return read + math.prod(output)


def _window(kernel_size: Any) -> int:
    sizes: tuple[int, ...] = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    return math.prod(sizes)
