"""Samples: channels that become pixels, and channels in another order."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import shuffle
from samples.sample import ErrorSample, Sample, real, whole


def shuffled(x, upscale_factor):
    r = upscale_factor
    c, h, w = x.shape[-3] // r**2, x.shape[-2], x.shape[-1]
    y = np.zeros((*x.shape[:-3], c, h * r, w * r), x.dtype)
    for channel, i, j in np.ndindex(c, r, r):
        y[..., channel, i::r, j::r] = x[..., channel * r * r + i * r + j, :, :]
    return y


def unshuffled(x, downscale_factor):
    r = downscale_factor
    parts = [x[..., c, i::r, j::r] for c, i, j in np.ndindex(x.shape[-3], r, r)]
    return np.stack(parts, -3)


def by_groups(x, groups):
    each = x.shape[1] // groups
    return x[:, [g * each + i for i in range(each) for g in range(groups)]]


def sample(op, reference, source, **kwargs) -> Sample:
    name = op.__name__
    theirs = f"nn.functional.{name}"
    return Sample(f"{name} {list(source.shape)} {kwargs}", op, (source,), reference, theirs, kwargs)


SAMPLES = (
    sample(shuffle.pixel_shuffle, shuffled, real(2, 18, 2, 3), upscale_factor=3),
    sample(shuffle.pixel_shuffle, shuffled, real(4, 2, 3), upscale_factor=2),
    sample(shuffle.pixel_shuffle, shuffled, whole(2, 1, 4, 2, 1), upscale_factor=2),
    sample(shuffle.pixel_unshuffle, unshuffled, real(2, 2, 6, 3), downscale_factor=3),
    sample(shuffle.pixel_unshuffle, unshuffled, real(2, 4, 6), downscale_factor=2),
    sample(shuffle.channel_shuffle, by_groups, real(2, 6, 2, 3), groups=3),
    sample(shuffle.channel_shuffle, by_groups, real(2, 6, 4), groups=2),
    Sample(
        "native_channel_shuffle",
        shuffle.native_channel_shuffle,
        (real(2, 6, 4),),
        by_groups,
        lambda torch, x, groups: torch.nn.functional.channel_shuffle(x, groups),
        {"groups": 2},
    ),
)


def wrong(name: str, op, inputs: tuple, error: type[Exception], match: str) -> ErrorSample:
    return ErrorSample(f"{op.__name__}, {name}", op, inputs, error, f"{op.__name__}: {match}")


ERRORS = (
    wrong("channels", shuffle.pixel_shuffle, (real(6, 2, 2), 2), ShapeError, "6 channels are not divisible by "),
    wrong(
        "rank",
        shuffle.pixel_shuffle,
        (real(4, 2), 2),
        ShapeError,
        r"input must be \(..., C, H, W\), got shape \[4, 2\]",
    ),
    wrong("factor", shuffle.pixel_shuffle, (real(4, 2, 2), 0), ArgumentError, "upscale_factor must be at least 1"),
    wrong("half", shuffle.pixel_shuffle, (real(4, 2, 2), 0.5), DTypeError, "upscale_factor must be an integer"),
    wrong("size", shuffle.pixel_unshuffle, (real(1, 3, 4), 2), ShapeError, r"size \[3, 4\] is not divisible by "),
    wrong(
        "groups", shuffle.channel_shuffle, (real(1, 5, 4), 2), ShapeError, "5 channels are not divisible by groups 2"
    ),
    wrong("rank", shuffle.channel_shuffle, (real(4, 2), 2), ShapeError, r"input must be \(N, C, ...\)"),
)
