"""Pooling layers: the largest value, the mean or a norm of windows that move over the input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.ops.window import sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class WindowPool(Module):
    """What layers share that make one number of each window."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]
    kernel_size: Any

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        window = sizes(type(self).__name__, "kernel_size", self.kernel_size, 1, self.axes)
        return math.prod(output) * math.prod(window)


class MaxPool(WindowPool):
    """What MaxPool1d, MaxPool2d and MaxPool3d share."""

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

    def forward(self, input: Tensor) -> Any:
        window = self.kernel_size, self.stride, self.padding, self.dilation
        return self.function(input, *window, ceil_mode=self.ceil_mode, return_indices=self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool):
    """The largest value of each window of sequences.

    input: (N, C, L) or (C, L), y: (N, C, OL) with sizes as for MaxPool2d.

    >>> import autograd_cnn as ag
    >>> MaxPool1d(3, stride=2)(ag.zeros(1, 3, 9)).shape
    (1, 3, 4)
    """

    axes = 1
    function = staticmethod(F.max_pool1d)


class MaxPool2d(MaxPool):
    """The largest value of each window.

    input: (N, C, H, W), y: (N, C, OH, OW) with OH = floor((H + 2 padding - dilation (K - 1) - 1) / stride) + 1;
    `stride` is `kernel_size` by default.  With `return_indices` the places in the flattened image, too.

    >>> import autograd_cnn as ag
    >>> MaxPool2d(2)(ag.zeros(1, 3, 8, 8)).shape
    (1, 3, 4, 4)
    """

    axes = 2
    function = staticmethod(F.max_pool2d)


class MaxPool3d(MaxPool):
    """The largest value of each window of volumes.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW) with sizes as for MaxPool2d.

    >>> import autograd_cnn as ag
    >>> MaxPool3d((1, 2, 2))(ag.zeros(1, 3, 4, 8, 8)).shape
    (1, 3, 4, 4, 4)
    """

    axes = 3
    function = staticmethod(F.max_pool3d)


class AvgPool(WindowPool):
    """What AvgPool1d, AvgPool2d and AvgPool3d share."""

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

    def forward(self, input: Tensor) -> Tensor:
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return self.function(input, *settings, self.divisor_override)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPool):
    """The mean of each window of sequences.

    input: (N, C, L) or (C, L), y: (N, C, OL) with sizes as for MaxPool2d.  `count_include_pad` counts the padding's
    zeros.

    >>> import autograd_cnn as ag
    >>> AvgPool1d(2)(ag.tensor([[1.0, 3.0, 5.0, 7.0]]))
    tensor([[2., 6.]])
    """

    axes = 1

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        kernel = sizes("AvgPool1d", "kernel_size", kernel_size, 1, 1)
        strides = kernel if stride is None else sizes("AvgPool1d", "stride", stride, 1, 1)
        super().__init__(kernel, strides, sizes("AvgPool1d", "padding", padding, 0, 1), ceil_mode, count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(AvgPool):
    """The mean of each window.

    input: (N, C, H, W), y: (N, C, OH, OW) as for MaxPool2d.  `count_include_pad` counts the padding's zeros,
    `divisor_override` divides by a number of its own.

    >>> import autograd_cnn as ag
    >>> AvgPool2d(2)(ag.ones(1, 1, 2, 2))
    tensor([[[[1.]]]])
    """

    axes = 2
    function = staticmethod(F.avg_pool2d)


class AvgPool3d(AvgPool):
    """The mean of each window of volumes; settings as for AvgPool2d.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> AvgPool3d(2)(ag.ones(1, 3, 4, 8, 8)).shape
    (1, 3, 2, 4, 4)
    """

    axes = 3
    function = staticmethod(F.avg_pool3d)


class LPPool(WindowPool):
    """What LPPool1d, LPPool2d and LPPool3d share."""

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(LPPool):
    """The p-norm of each window of sequences, p being `norm_type`: y = (sum of x^p)^(1/p).

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> LPPool1d(2, 2)(ag.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    axes = 1
    function = staticmethod(F.lp_pool1d)


class LPPool2d(LPPool):
    """The p-norm of each window, p being `norm_type`: y = (sum of x^p)^(1/p).

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW).

    >>> import autograd_cnn as ag
    >>> LPPool2d(1, 2)(ag.ones(1, 1, 2, 2))
    tensor([[[[4.]]]])
    """

    axes = 2
    function = staticmethod(F.lp_pool2d)


class LPPool3d(LPPool):
    """The p-norm of each window of volumes, p being `norm_type`: y = (sum of x^p)^(1/p).

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> LPPool3d(1, 2)(ag.ones(1, 2, 2, 2))
    tensor([[[[8.]]]])
    """

    axes = 3
    function = staticmethod(F.lp_pool3d)
