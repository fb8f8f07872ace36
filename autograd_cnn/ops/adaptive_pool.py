"""Pooling to an output of given size: the means of as many windows as it takes to cover sequences, images, volumes.

The ops are those of images: a sequence is one of height 1, and a volume's means are those of its slices', averaged as
images of as many rows as there are slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images, sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd_cnn.tensor import Tensor

Sizes = tuple[int, ...]  # one for each axis


class AdaptiveAvgPool2d(Op):
    inputs = ("x",)

    def __init__(self, output_size: Sizes) -> None:
        self.output_size = output_size

    def infer(self, x: Any) -> Any:
        return (*x.shape[:2], *self.output_size), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.adaptive_avg_pool2d(x, out)

    def vjp_x(self, g: Any, x_shape: Any) -> Any:
        return apply(AdaptiveAvgPool2dGrad(x_shape[2:]), g)


class AdaptiveAvgPool2dGrad(Op):
    """Spreads each element of g over its window in an image of size `size`."""

    inputs = ("g",)
    outputs = ("gx",)

    def __init__(self, size: Sizes) -> None:
        self.size = size

    def infer(self, g: Any) -> Any:
        return (*g.shape[:2], *self.size), g.dtype

    def compute(self, k: Any, out: Any, g: Any) -> None:
        k.adaptive_avg_pool2d_grad(g, out)

    def vjp_g(self, gg: Any, g_shape: Any) -> Any:
        return apply(AdaptiveAvgPool2d(g_shape[2:]), gg)


def adaptive_size(op: str, axes: int, x: Any, output_size: Any) -> Sizes:
    """`output_size`, one number for all axes or one or None for each, with the image's own in the place of None."""
    image: Sizes = x.array.shape[-axes:]
    given = output_size if isinstance(output_size, tuple | list) else (output_size,) * axes
    if len(given) == axes:
        given = tuple(n if wanted is None else wanted for wanted, n in zip(given, image, strict=True))
    size = sizes(op, "output_size", given, 0, axes)
    if 0 in image:
        raise ShapeError(f"{op}: input has an empty image, shape {list(x.array.shape)}")
    return size


def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of OL windows that cover sequences, whatever their length; as `adaptive_avg_pool2d`.

    input: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> adaptive_avg_pool1d(ag.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    return _adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of OH * OW windows that cover the image, whatever its size.

    Window i spans the rows floor(i H / OH) to ceil((i + 1) H / OH) - 1; columns likewise.
    input: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW); `output_size` is one number for both or (OH, OW), where
    None keeps the image's.

    Raises ShapeError for an empty image, ArgumentError for a negative size.

    >>> import autograd_cnn as ag
    >>> adaptive_avg_pool2d(ag.ones(1, 8, 7, 5), (3, None)).shape
    (1, 8, 3, 5)
    """
    return _adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of OD * OH * OW windows that cover the volume, whatever its size; as `adaptive_avg_pool2d`.

    input: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> adaptive_avg_pool3d(ag.ones(1, 8, 4, 7, 5), (2, 3, None)).shape
    (1, 8, 2, 3, 5)
    """
    return _adaptive_avg_pool("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_avg_pool(op: str, axes: int, x: Any, output_size: Any) -> Any:
    require_floating(op, input=x)
    batched = images(op, x, axes)
    size = adaptive_size(op, axes, x, output_size)
    if not batched:
        x = x.unsqueeze(0)
    n, c, *image = x.array.shape
    if axes == 1:
        y = apply(AdaptiveAvgPool2d((1, *size)), x.unsqueeze(2)).squeeze(2)
    elif axes == 2:
        y = apply(AdaptiveAvgPool2d(size), x)
    else:
        slices = apply(AdaptiveAvgPool2d(size[1:]), x.reshape(n, c * image[0], *image[1:]))
        columns = slices.reshape(n, c, image[0], size[1] * size[2])
        y = apply(AdaptiveAvgPool2d((size[0], size[1] * size[2])), columns).reshape(n, c, *size)
    return y if batched else y.squeeze(0)
