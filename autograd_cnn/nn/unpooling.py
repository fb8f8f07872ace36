"""Layers that undo max pooling, and max pooling over random windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module
from autograd_cnn.ops.window import sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


class MaxUnpool(Module):
    """What MaxUnpool1d, MaxUnpool2d and MaxUnpool3d share."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = self._sizes("kernel_size", kernel_size, 1)
        self.stride = self._sizes("stride", kernel_size if stride is None else stride, 1)
        self.padding = self._sizes("padding", padding, 0)

    def _sizes(self, name: str, value: Any, least: int) -> tuple[int, ...]:
        return sizes(type(self).__name__, name, value, least, self.axes)

    def forward(self, input: Tensor, indices: tuple[Tensor, ...], output_size: Ints | None = None) -> Tensor:
        """input's values at `indices` of images that are 0 elsewhere, of size `output_size` where that is given."""
        return self.function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(MaxUnpool):
    """Puts the values that MaxPool1d has found back to their places in sequences that are 0 elsewhere.

    input, indices: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> MaxUnpool1d(2)(ag.tensor([[3.0, 4.0]]), ag.tensor([[1, 3]]))
    tensor([[0., 3., 0., 4.]])
    """

    axes = 1
    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(MaxUnpool):
    """Puts the values that MaxPool2d has found back to their places in images that are 0 elsewhere.

    input, indices: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with OH = (H - 1) stride - 2 padding + KH, or the
    `output_size` of the call.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> y, indices = nn.MaxPool2d(2, return_indices=True)(ag.ones(1, 1, 4, 4))
    >>> MaxUnpool2d(2)(y, indices).sum()
    tensor(4.)
    """

    axes = 2
    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(MaxUnpool):
    """Puts the values that MaxPool3d has found back to their places in volumes that are 0 elsewhere.

    input, indices: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> MaxUnpool3d(2)(ag.ones(1, 1, 1, 1), ag.full((1, 1, 1, 1), 7)).shape
    (1, 2, 2, 2)
    """

    axes = 3
    function = staticmethod(F.max_unpool3d)


class FractionalMaxPool(Module):
    """What FractionalMaxPool2d and FractionalMaxPool3d share."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        self.kernel_size = sizes(layer, "kernel_size", kernel_size, 1, self.axes)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(
                f"{layer}: needs either output_size or output_ratio, got {output_size!r} and {output_ratio!r}"
            )
        self.output_size = None if output_size is None else sizes(layer, "output_size", output_size, 1, self.axes)
        self.output_ratio = output_ratio
        if output_ratio is not None:
            ratios = tuple(output_ratio) if isinstance(output_ratio, tuple | list) else (output_ratio,) * self.axes
            if len(ratios) != self.axes or not all(0 < ratio < 1 for ratio in ratios):
                raise ArgumentError(f"{layer}: output_ratio must lie between 0 and 1, got {output_ratio!r}")
            self.output_ratio = ratios

    def forward(self, input: Tensor) -> Any:
        settings = self.kernel_size, self.output_size, self.output_ratio, self.return_indices
        return self.function(input, *settings, _random_samples=self._random_samples)


class FractionalMaxPool2d(FractionalMaxPool):
    """The largest values of windows at random places, which shrink images to a given size or by any ratio.

    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); either `output_size` or `output_ratio` is given.

    B. Graham: "Fractional max-pooling", 2014.

    >>> import autograd_cnn as ag
    >>> FractionalMaxPool2d(2, output_ratio=0.7)(ag.ones(1, 2, 9, 9)).shape
    (1, 2, 6, 6)
    """

    axes = 2
    function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(FractionalMaxPool):
    """The largest values of windows of volumes at random places; as FractionalMaxPool2d.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> FractionalMaxPool3d(2, output_size=4)(ag.ones(1, 2, 9, 9, 9)).shape
    (1, 2, 4, 4, 4)
    """

    axes = 3
    function = staticmethod(F.fractional_max_pool3d)
