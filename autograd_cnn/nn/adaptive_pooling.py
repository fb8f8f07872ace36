"""Pooling layers whose output has a given size, whatever that of the input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class AdaptivePool(Module):
    """What adaptive layers share."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"

    def flops(self, inputs: Any, output: tuple[int, ...]) -> int:
        read: int = math.prod(inputs[0])
        return read + math.prod(output)


class AdaptiveAvgPool1d(AdaptivePool):
    """Means over windows of sequences chosen so that the output has length `output_size`; 1 is the global mean.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> AdaptiveAvgPool1d(3)(ag.ones(1, 3, 7)).shape
    (1, 3, 3)
    """

    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(AdaptivePool):
    """Means over windows chosen so that the output has size `output_size`; 1 is the global mean.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); None in `output_size` keeps the input's size.

    >>> import autograd_cnn as ag
    >>> AdaptiveAvgPool2d(1)(ag.ones(1, 3, 5, 7)).shape
    (1, 3, 1, 1)
    """

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(AdaptivePool):
    """Means over windows of volumes chosen so that the output has size `output_size`; 1 is the global mean.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW); None in `output_size` keeps the input's size.

    >>> import autograd_cnn as ag
    >>> AdaptiveAvgPool3d((1, 2, None))(ag.ones(1, 3, 4, 5, 7)).shape
    (1, 3, 1, 2, 7)
    """

    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool(AdaptivePool):
    """What AdaptiveMaxPool1d, AdaptiveMaxPool2d and AdaptiveMaxPool3d share."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self.function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """The largest values of windows of sequences chosen so that the output has length `output_size`.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> AdaptiveMaxPool1d(2)(ag.tensor([[1.0, 2.0, 3.0, 5.0, 4.0]]))
    tensor([[3., 5.]])
    """

    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """The largest values of windows chosen so that the output has size `output_size`.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); None in `output_size` keeps the input's size.  With
    `return_indices` the places in the flattened image, too.

    >>> import autograd_cnn as ag
    >>> AdaptiveMaxPool2d((3, None))(ag.ones(1, 3, 5, 7)).shape
    (1, 3, 3, 7)
    """

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """The largest values of windows of volumes chosen so that the output has size `output_size`.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> AdaptiveMaxPool3d(2)(ag.ones(1, 3, 4, 5, 7)).shape
    (1, 3, 2, 2, 2)
    """

    function = staticmethod(F.adaptive_max_pool3d)
