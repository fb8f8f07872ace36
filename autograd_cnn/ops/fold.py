"""The windows of images as columns of a matrix, and columns added up to images: each is the other's adjoint."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.window import images, pooled_size, sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

Sizes = tuple[int, ...]  # (height, width)


class Windows(Op, abstract=True):
    """How windows move over images of size `size`."""

    inputs = ("x",)

    def __init__(self, size: Sizes, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> None:
        self.size = size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def windows(self) -> Sizes:
        moves = self.kernel_size, self.stride, self.padding, self.dilation
        return pooled_size(self.name, self.size, *moves, False)

    def moves(self) -> Any:
        return self.kernel_size, self.stride, self.padding, self.dilation, self.windows()


class UnfoldWindows(Windows):
    """(N, C, H, W) to (N, C * KH * KW, OH * OW)."""

    name = "unfold"

    def infer(self, x: Any) -> Any:
        return (x.shape[0], x.shape[1] * prod(self.kernel_size), prod(self.windows())), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.unfold_windows(x, *self.moves(), out)

    def vjp_x(self, g: Any) -> Any:
        return apply(FoldWindows(**self.fields()), g)


class FoldWindows(Windows):
    """(N, C * KH * KW, OH * OW) to (N, C, H, W)."""

    name = "fold"

    def infer(self, x: Any) -> Any:
        return (x.shape[0], x.shape[1] // prod(self.kernel_size), *self.size), x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.fold_windows(x, *self.moves(), out)

    def vjp_x(self, g: Any) -> Any:
        return apply(UnfoldWindows(**self.fields()), g)


def unfold(input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor:
    """The windows that a convolution would see, as the columns of a matrix (im2col).

    y[n, (c KH + u) KW + v, i OW + j] = x[n, c, i stride + u dilation - padding, j stride + v dilation - padding]

    input: (N, C, H, W) or (C, H, W), y: (N, C * KH * KW, OH * OW) with OH and OW as in `conv2d`.

    Raises ShapeError where the kernel is larger than the padded image.

    >>> import autograd_cnn as ag
    >>> unfold(ag.arange(6.0).reshape(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    require_floating("unfold", input=input)
    batched = images("unfold", input)
    op = UnfoldWindows(tuple(input.array.shape[-2:]), *_moves("unfold", kernel_size, dilation, padding, stride))
    return apply(op, input) if batched else apply(op, input.unsqueeze(0)).squeeze(0)


def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Adds the columns of a matrix up to images, each to the window it would be of (col2im): `unfold`'s adjoint.

    input: (N, C * KH * KW, L) or (C * KH * KW, L), y: (N, C, H, W) of size `output_size`, whose windows are L.

    Raises ShapeError where input has not as many rows as kernels have elements, or not as many columns as there are
    windows.

    >>> import autograd_cnn as ag
    >>> fold(ag.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    require_floating("fold", input=input)
    shape = input.array.shape
    if len(shape) not in (2, 3):
        raise ShapeError(f"fold: input must be (N, C * KH * KW, L) or (C * KH * KW, L), got shape {list(shape)}")
    size = sizes("fold", "output_size", output_size, 1, 2)
    moves = _moves("fold", kernel_size, dilation, padding, stride)
    op = FoldWindows(size, *moves)
    elements, windows = prod(moves[0]), prod(op.windows())
    if shape[-2] % elements:
        raise ShapeError(
            f"fold: input has {shape[-2]} rows, kernel_size {kernel_size!r} has {elements} elements for each"
        )
    if shape[-1] != windows:
        raise ShapeError(f"fold: input has {shape[-1]} columns, an image of size {list(size)} has {windows} windows")
    return apply(op, input) if len(shape) == 3 else apply(op, input.unsqueeze(0)).squeeze(0)


def _moves(op: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    return (
        sizes(op, "kernel_size", kernel_size, 1, 2),
        sizes(op, "dilation", dilation, 1, 2),
        sizes(op, "padding", padding, 0, 2),
        sizes(op, "stride", stride, 1, 2),
    )
