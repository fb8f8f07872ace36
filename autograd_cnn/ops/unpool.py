"""The inverse of max pooling, but for what it dropped: values go back to their places, all else is 0."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import first_outside, require_floating, require_integer
from autograd_cnn.ops.span_pool import ReadPlanes
from autograd_cnn.ops.window import images, sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

Sizes = tuple[int, ...]  # one for each axis


class MaxUnpool(Op):
    """Zeros of (N, C, size) with the values of x (N, C, n) at their places; of those for one place the last stays."""

    inputs = ("x", "indices")
    nondifferentiable = ("indices",)

    def __init__(self, size: int) -> None:
        self.size = size

    def infer(self, x: Any, indices: Any) -> Any:
        return (*x.shape[:2], self.size), x.dtype

    def compute(self, k: Any, out: Any, x: Any, indices: Any) -> None:
        k.place_in_planes(x, indices, False, out)

    def vjp_x(self, g: Any, indices: Any) -> Any:
        return apply(ReadPlanes(), g, indices)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """Puts the values that `max_pool1d` has found back to their places; as `max_unpool2d`.

    input, indices: (N, C, L) or (C, L), y: (N, C, OL).

    >>> import autograd_cnn as ag
    >>> max_unpool1d(ag.tensor([[3.0, 4.0]]), ag.tensor([[1, 3]]), 2)
    tensor([[0., 3., 0., 4.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """Puts the values that `max_pool2d` has found back to their places (`indices`) in images that are 0 elsewhere.

    input, indices: (N, C, H, W) or (C, H, W), y: (N, C, OH, OW) with OH = (H - 1) stride - 2 padding + KH, or
    `output_size`, which may begin with N and C: pooling takes several sizes to H.  Of values for one place the last
    one stays.

    Raises ShapeError where input and indices differ, ArgumentError for an output_size that is not within one stride of
    the formula's, IndexOutOfRangeError for an index outside of the image.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn.nn.functional import max_pool2d
    >>> y, indices = max_pool2d(ag.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> max_unpool2d(y, indices, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """Puts the values that `max_pool3d` has found back to their places; as `max_unpool2d`.

    input, indices: (N, C, D, H, W) or (C, D, H, W), y: (N, C, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> max_unpool3d(ag.ones(1, 1, 1, 1), ag.full((1, 1, 1, 1), 7), 2).flatten()
    tensor([0., 0., 0., 0., 0., 0., 0., 1.])
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    op: str, axes: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    require_floating(op, input=x)
    indices = require_integer(op, "indices", indices)
    images(op, x, axes)
    shape = x.array.shape
    if indices.array.shape != shape:
        raise ShapeError(f"{op}: indices have shape {list(indices.array.shape)}, input has {list(shape)}")
    kernel = sizes(op, "kernel_size", kernel_size, 1, axes)
    strides = kernel if stride is None or stride == () or stride == [] else sizes(op, "stride", stride, 1, axes)
    paddings = sizes(op, "padding", padding, 0, axes)
    size = _size(op, shape[-axes:], kernel, strides, paddings, output_size)
    places = prod(size)
    bad = first_outside(indices, places)
    if bad is not None:
        raise IndexOutOfRangeError(f"{op}: index {bad} is out of range for an image of size {list(size)}")
    flat = (*(shape[:-axes] if len(shape) == axes + 2 else (1, shape[0])), prod(shape[-axes:]))
    return apply(MaxUnpool(places), x.reshape(flat), indices.reshape(flat)).reshape(*shape[:-axes], *size)


def _size(op: str, image: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, output_size: Any) -> Sizes:
    axes = len(image)
    plain = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(image, stride, padding, kernel, strict=True))
    if output_size is None:
        if min(plain) < 1:
            raise ShapeError(f"{op}: an image of size {list(image)} would become one of size {list(plain)}")
        return plain
    given = tuple(output_size)
    if len(given) not in (axes, axes + 2):
        raise ArgumentError(f"{op}: output_size must have {axes} or {axes + 2} entries, got {list(given)}")
    size = sizes(op, "output_size", given[-axes:], 1, axes)
    if not all(n - s < wanted < n + s for wanted, n, s in zip(size, plain, stride, strict=True)):
        raise ArgumentError(
            f"{op}: output_size must be less than a stride {list(stride)} from {list(plain)}, got {list(size)}"
        )
    return size
