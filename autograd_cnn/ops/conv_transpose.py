"""Transposed convolution, the adjoint of convolution: its ops are in conv.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.ops.conv import ConvTranspose, apply_to_batch, require_kernel
from autograd_cnn.ops.window import images, sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The adjoint of `conv1d`, plus a bias a channel; see `conv_transpose2d`.

    input: (N, C, L) or (C, L), weight: (C, O / groups, K), bias: (O,) or None, y: (N, O, OL).

    >>> import autograd_cnn as ag
    >>> conv_transpose1d(ag.tensor([[[1.0, 2]]]), ag.tensor([[[1.0, 10, 100]]]), stride=2)
    tensor([[[  1.,  10., 102.,  20., 200.]]])
    """
    return _conv_transpose(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The adjoint of `conv2d` for its input, plus a bias a channel (Zeiler et al. 2010).

    y[n, o, i stride + u dilation - padding, ...] gathers weight[c, o, u, v] * x[n, c, i, j] over c, i, j, u, v

    input: (N, C, H, W) or (C, H, W), weight: (C, O / groups, KH, KW), bias: (O,) or None, y: (N, O, OH, OW) with
    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1.  `output_padding` chooses among the
    sizes that `conv2d` with this stride takes to H.

    Raises ShapeError where channels, groups or the bias do not fit, and where y would be empty; ArgumentError for a
    stride, padding, dilation or groups out of range, and for an output_padding that is less than neither stride nor
    dilation; DTypeError for mixed dtypes.

    >>> import autograd_cnn as ag
    >>> conv_transpose2d(ag.ones(1, 1, 2, 2), ag.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    >>> conv_transpose2d(ag.ones(1, 8, 7, 7), ag.ones(8, 4, 3, 3), stride=2, padding=1, output_padding=1).shape
    (1, 4, 14, 14)
    """
    return _conv_transpose(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The adjoint of `conv3d`, plus a bias a channel; see `conv_transpose2d`.

    input: (N, C, D, H, W) or (C, D, H, W), weight: (C, O / groups, KD, KH, KW), bias: (O,) or None,
    y: (N, O, OD, OH, OW).

    >>> import autograd_cnn as ag
    >>> conv_transpose3d(ag.ones(1, 2, 3, 4, 4), ag.ones(2, 5, 2, 2, 2), stride=2).shape
    (1, 5, 6, 8, 8)
    """
    return _conv_transpose(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _conv_transpose(
    op: str,
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Any:
    kernel = require_kernel(op, axes, x, weight, bias, groups, "C, O / groups")
    strides = sizes(op, "stride", stride, 1, axes)
    paddings = sizes(op, "padding", padding, 0, axes)
    extras = sizes(op, "output_padding", output_padding, 0, axes)
    dilations = sizes(op, "dilation", dilation, 1, axes)
    for extra, step, spread in zip(extras, strides, dilations, strict=True):
        if extra >= max(step, spread):
            raise ArgumentError(
                f"{op}: output_padding must be less than stride or dilation, got {output_padding!r} "
                f"with stride {stride!r} and dilation {dilation!r}"
            )
    batched = images(op, x, axes)
    # What follows the padded image is part of the image: so much less padding is after it than before.
    sides = [(before, before - extra) for before, extra in zip(paddings, extras, strict=True)]
    image = x.array.shape[-axes:]
    if 0 in image:
        raise ShapeError(f"{op}: input has an empty image, shape {list(x.array.shape)}")
    size = tuple(
        (n - 1) * step - sum(ends) + d * (k - 1) + 1
        for n, step, ends, d, k in zip(image, strides, sides, dilations, kernel, strict=True)
    )
    if min(size) < 1:
        raise ShapeError(f"{op}: an image of size {list(image)} would become one of size {list(size)}")
    padded = tuple(end for ends in sides for end in ends)
    return apply_to_batch(ConvTranspose(strides, padded, dilations, groups, size), batched, x, weight, bias)
