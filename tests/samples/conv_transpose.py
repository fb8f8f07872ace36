"""Samples: transposed convolution."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import conv_transpose
from samples.conv import each
from samples.sample import ErrorSample, Sample, real, whole


def scattered(
    x: np.ndarray, weight: np.ndarray, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
) -> np.ndarray:
    """Transposed convolution over as many axes as the weight has, pixel by pixel."""
    axes = weight.ndim - 2
    if x.ndim == axes + 1:
        return scattered(x[None], weight, bias, stride, padding, output_padding, groups, dilation)[0]
    stride, padding, output_padding, dilation = (each(v, axes) for v in (stride, padding, output_padding, dilation))
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    whole_size = [(n - 1) * s + span for n, s, span in zip(x.shape[2:], stride, spans, strict=True)]
    per_group = weight.shape[1]
    y = np.zeros((len(x), per_group * groups, *(n + e for n, e in zip(whole_size, output_padding, strict=True))))
    for c, o, *pixel in np.ndindex(x.shape[1], per_group, *x.shape[2:]):
        first = c // (x.shape[1] // groups) * per_group
        place = tuple(slice(i * s, i * s + n, d) for i, s, n, d in zip(pixel, stride, spans, dilation, strict=True))
        kernel = weight[c, o][None]
        y[(slice(None), first + o, *place)] += x[(slice(None), c, *pixel)].reshape(-1, *(1,) * axes) * kernel
    inside = tuple(slice(p, p + n + e - 2 * p) for p, n, e in zip(padding, whole_size, output_padding, strict=True))
    y = y[(slice(None), slice(None), *inside)]
    return y if bias is None else y + bias.reshape(-1, *(1,) * axes)


def case(x: tuple[int, ...], weight: tuple[int, ...], bias: bool = False, large=(), **kwargs) -> Sample:
    shapes = [x, weight] + [(weight[1] * kwargs.get("groups", 1),)] * bias
    name = f"{' * '.join(str(list(shape)) for shape in shapes)} {kwargs}{' large' if large else ''}"
    inputs = tuple(real(*shape) for shape in shapes)
    op = f"conv_transpose{len(weight) - 2}d"
    function = getattr(conv_transpose, op)
    return Sample(f"{op} {name}", function, inputs, scattered, f"nn.functional.{op}", kwargs, large=large)


SAMPLES = (
    case((2, 3, 4, 3), (3, 2, 3, 2), bias=True),
    case((2, 3, 4, 3), (3, 2, 3, 2)),
    case((3, 4, 3), (3, 2, 2, 2), bias=True),
    case((1, 1, 1, 1), (1, 1, 1, 1)),
    case((2, 2, 3, 4), (2, 3, 3, 3), stride=2, padding=1, output_padding=1, bias=True),
    case((2, 2, 3, 4), (2, 3, 3, 2), stride=(3, 2), padding=(1, 0), output_padding=(2, 0)),
    case((2, 2, 3, 4), (2, 3, 3, 2), dilation=2, padding=1),
    case((2, 2, 3, 3), (2, 2, 2, 2), dilation=(3, 2), stride=(2, 1), output_padding=(2, 1), bias=True),
    case((2, 4, 3, 3), (4, 2, 3, 3), groups=2, stride=2, bias=True),
    case((2, 3, 3, 4), (3, 1, 3, 3), groups=3, stride=2, padding=1, output_padding=1, bias=True),
    case((2, 3, 4, 4), (3, 2, 3, 3), groups=3, padding=1),
    case((2, 3, 4, 4), (3, 2, 2, 2), padding=1, stride=3),
    case((0, 2, 4, 4), (2, 3, 3, 3), bias=True),
    case((2, 3, 5), (3, 2, 3), bias=True),
    case((3, 5), (3, 2, 3), stride=2, padding=1, output_padding=1),
    case((2, 4, 5), (4, 1, 3), groups=4, stride=2, padding=1, bias=True),
    case((2, 2, 4), (2, 2, 2), dilation=3, stride=2, output_padding=2),
    case((1, 3, 2, 3, 2), (3, 2, 2, 2, 3), bias=True),
    case((3, 2, 2, 2), (3, 2, 2, 2, 2), stride=2, padding=1, output_padding=1),
    case((1, 4, 2, 2, 2), (4, 1, 3, 3, 3), groups=2, stride=(2, 1, 2), padding=1, output_padding=(1, 0, 1), bias=True),
    case(
        (1, 2, 3, 3),
        (2, 3, 3, 3),
        bias=True,
        stride=2,
        padding=1,
        large=(real(8, 16, 12, 12), real(16, 24, 3, 3), real(24)),
    ),
)

X, W = real(1, 4, 5, 5), real(4, 6, 3, 3)


def wrong(name: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    function = conv_transpose.conv_transpose2d
    return ErrorSample(f"conv_transpose2d, {name}", function, inputs, error, f"conv_transpose2d: {match}", kwargs)


ERRORS = (
    wrong("channels", (X, real(3, 6, 3, 3)), ShapeError, "weight has 3 input channels, input has 4"),
    wrong("groups", (X, W), ShapeError, "groups 3 does not divide weight's 4 input channels", groups=3),
    wrong("no groups", (X, W), ArgumentError, "groups must be at least 1, got 0", groups=0),
    wrong(
        "bias",
        (X, W, real(6)),
        ShapeError,
        r"bias has shape \[6\], weight has 6 output channels per group times groups 2 = 12",
        groups=2,
    ),
    wrong("flat image", (real(5, 5), W), ShapeError, r"input must be \(N, C, H, W\) or \(C, H, W\), got shape"),
    wrong("flat weight", (X, real(4, 3, 3)), ShapeError, r"weight must be \(C, O / groups, KH, KW\), got"),
    wrong("empty kernel", (X, real(4, 6, 0, 3)), ShapeError, "weight has an empty kernel"),
    wrong("empty image", (real(1, 4, 0, 5), W), ShapeError, r"input has an empty image, shape \[1, 4, 0, 5\]"),
    wrong("stride", (X, W), ArgumentError, "stride must be at least 1, got 0", stride=0),
    wrong("padding", (X, W), ArgumentError, "padding must be at least 0, got -1", padding=-1),
    wrong("padding by name", (X, W), DTypeError, "padding must be an integer or a pair, got 'same'", padding="same"),
    wrong("output padding", (X, W), ArgumentError, "output_padding must be less than stride or dilation, got 2 with "
          "stride 2 and dilation 1", stride=2, output_padding=2),
    wrong("all is padding", (real(1, 4, 1, 5), W), ShapeError, r"an image of size \[1, 5\] .* size \[-1, 3\]",
          padding=2),
    wrong("ints", (whole(1, 4, 5, 5), W), DTypeError, "input must be a floating point tensor, got int64"),
    ErrorSample("conv_transpose1d, image", conv_transpose.conv_transpose1d, (X, real(4, 6, 3)), ShapeError,
                r"conv_transpose1d: input must be \(N, C, L\) or \(C, L\), got shape \[1, 4, 5, 5\]"),
    ErrorSample("conv_transpose1d, two strides", conv_transpose.conv_transpose1d, (real(1, 4, 5), real(4, 6, 3)),
                ArgumentError, r"conv_transpose1d: stride must be an integer, got \(1, 1\)", {"stride": (1, 1)}),
)  # fmt: skip
