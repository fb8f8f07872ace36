"""Channels that become pixels, pixels that become channels, and channels in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.errors import ShapeError
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.window import sizes

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Makes images r times as high and wide of r^2 times as many channels, r being `upscale_factor` (Shi et al. 2016).

    y[..., c, h r + i, w r + j] = x[..., c r^2 + i r + j, h, w]

    input: (..., C r^2, H, W), y: (..., C, H r, W r).  Raises ShapeError where r^2 does not divide the channels,
    ArgumentError for a factor below 1.

    >>> import autograd_cnn as ag
    >>> pixel_shuffle(ag.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    (r,) = sizes("pixel_shuffle", "upscale_factor", upscale_factor, 1, 1)
    lead, channels, height, width = _image("pixel_shuffle", input)
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle: {channels} channels are not divisible by upscale_factor {r} squared")
    c, n = channels // (r * r), len(lead)
    y = input.reshape(*lead, c, r, r, height, width).permute(*range(n), *(n + i for i in (0, 3, 1, 4, 2)))
    return y.reshape(*lead, c, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: squares of pixels become channels.

    input: (..., C, H r, W r), y: (..., C r^2, H, W).  Raises ShapeError where r does not divide height and width,
    ArgumentError for a factor below 1.

    >>> import autograd_cnn as ag
    >>> pixel_unshuffle(ag.arange(4).reshape(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    (r,) = sizes("pixel_unshuffle", "downscale_factor", downscale_factor, 1, 1)
    lead, channels, height, width = _image("pixel_unshuffle", input)
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle: size {[height, width]} is not divisible by downscale_factor {r}")
    h, w, n = height // r, width // r, len(lead)
    y = input.reshape(*lead, channels, h, r, w, r).permute(*range(n), *(n + i for i in (0, 2, 4, 1, 3)))
    return y.reshape(*lead, channels * r * r, h, w)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels in another order: the first of each group, the second of each, ... (Zhang et al. 2018).

    y[:, i groups + g] = x[:, g C / groups + i]

    input: (N, C, ...), y: of the same shape.  Raises ShapeError where `groups` does not divide the channels,
    ArgumentError where it is below 1.

    >>> import autograd_cnn as ag
    >>> channel_shuffle(ag.arange(6).reshape(1, 6, 1), 2).flatten()
    tensor([0, 3, 1, 4, 2, 5])
    """
    (groups,) = sizes("channel_shuffle", "groups", groups, 1, 1)
    shape = require_tensor("channel_shuffle", input).array.shape
    if len(shape) < 3:
        raise ShapeError(
            f"channel_shuffle: input must be (N, C, ...) of at least 3 dimensions, got shape {list(shape)}"
        )
    n, channels, *rest = shape
    if channels % groups:
        raise ShapeError(f"channel_shuffle: {channels} channels are not divisible by groups {groups}")
    return input.reshape(n, groups, channels // groups, *rest).transpose(1, 2).reshape(shape)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Another name of `channel_shuffle`.

    >>> import autograd_cnn as ag
    >>> native_channel_shuffle(ag.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    return channel_shuffle(input, groups)


def _image(op: str, x: Any) -> tuple[tuple[int, ...], int, int, int]:
    """The leading dimensions, channels, height and width."""
    shape = require_tensor(op, x).array.shape
    if len(shape) < 3:
        raise ShapeError(f"{op}: input must be (..., C, H, W), got shape {list(shape)}")
    *lead, channels, height, width = shape
    return tuple(lead), channels, height, width
