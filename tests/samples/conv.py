"""Samples: convolution."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import conv
from samples.sample import ErrorSample, Sample, real, whole


def each(value, axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def both(value) -> tuple[int, ...]:
    return each(value, 2)


def correlated(x: np.ndarray, weight: np.ndarray, bias=None, stride=1, padding=0, dilation=1, groups=1) -> np.ndarray:
    """Convolution over as many axes as the weight has, tap by tap."""
    axes = weight.ndim - 2
    if x.ndim == axes + 1:
        return correlated(x[None], weight, bias, stride, padding, dilation, groups)[0]
    stride, dilation = each(stride, axes), each(dilation, axes)
    extents = [d * (size - 1) for d, size in zip(dilation, weight.shape[2:], strict=True)]
    if padding == "same":
        sides = [(extent // 2, extent - extent // 2) for extent in extents]
    else:
        sides = [(p, p) for p in each(0 if padding == "valid" else padding, axes)]
    x = np.pad(x, [(0, 0), (0, 0), *sides])
    out_channels, per_group = weight.shape[:2]
    places = [(x.shape[2 + i] - extents[i] - 1) // stride[i] + 1 for i in range(axes)]
    y = np.zeros((len(x), out_channels, *places))
    for o in range(out_channels):
        first = o // (out_channels // groups) * per_group
        for c, *tap in np.ndindex(per_group, *weight.shape[2:]):
            seen = tuple(
                slice(t * d, t * d + s * (n - 1) + 1, s)
                for t, d, s, n in zip(tap, dilation, stride, places, strict=True)
            )
            y[:, o] += weight[(o, c, *tap)] * x[(slice(None), first + c, *seen)]
        if bias is not None:
            y[:, o] += bias[o]
    return y


def case(x: tuple[int, ...], weight: tuple[int, ...], bias: bool = False, large=(), **kwargs) -> Sample:
    shapes = [x, weight] + [weight[:1]] * bias
    name = f"{' * '.join(str(list(shape)) for shape in shapes)} {kwargs}{' large' if large else ''}"
    inputs = tuple(real(*shape) for shape in shapes)
    op = f"conv{len(weight) - 2}d"
    function = getattr(conv, op)
    return Sample(f"{op} {name}", function, inputs, correlated, f"nn.functional.{op}", kwargs, large=large)


SAMPLES = (
    case((2, 3, 5, 4), (4, 3, 3, 2), bias=True),
    case((2, 3, 5, 4), (4, 3, 3, 2)),
    case((1, 1, 3, 3), (1, 1, 3, 3)),
    case((2, 3, 4, 4), (2, 3, 1, 1), bias=True),
    case((3, 5, 4), (2, 3, 3, 2), bias=True),
    case((2, 2, 5, 6), (3, 2, 3, 3), bias=True, stride=2),
    case((2, 2, 5, 6), (3, 2, 2, 3), stride=(3, 2), padding=1),
    case((2, 2, 4, 3), (3, 2, 3, 3), padding=(2, 1)),
    case((2, 2, 6, 5), (2, 2, 2, 2), dilation=2),
    case((2, 2, 7, 6), (2, 2, 3, 2), dilation=(3, 2), padding=(1, 2), stride=(2, 1), bias=True),
    case((2, 4, 4, 4), (4, 2, 2, 2), groups=2, bias=True),
    case((2, 3, 4, 4), (6, 1, 3, 3), groups=3, padding=1),
    case((2, 4, 5, 5), (4, 2, 3, 3), groups=2, stride=2, dilation=2, padding=2),
    case((2, 2, 4, 4), (2, 2, 3, 3), padding="same"),
    case((2, 2, 5, 4), (2, 2, 2, 4), padding="same", dilation=(1, 3), bias=True),
    case((2, 2, 4, 4), (2, 2, 3, 3), padding="valid", stride=2),
    case((0, 2, 4, 4), (3, 2, 3, 3), bias=True),
    case((2, 3, 6, 5), (3, 1, 3, 3), groups=3, padding=1, stride=2, bias=True),
    case((2, 2, 6, 5), (4, 1, 3, 2), groups=2, padding=1, dilation=2),
    case((2, 3, 7), (4, 3, 3), bias=True),
    case((3, 7), (4, 3, 2), bias=True),
    case((2, 2, 8), (3, 2, 3), stride=2, padding=1, dilation=2),
    case((2, 4, 9), (4, 2, 3), stride=(3,), padding=(2,), groups=2, bias=True),
    case((2, 3, 9), (6, 1, 3), groups=3, stride=2),
    case((2, 2, 6), (2, 2, 4), padding="same", dilation=3),
    case((2, 2, 6), (2, 2, 2), padding="valid"),
    case((0, 2, 6), (2, 2, 3), bias=True),
    case((2, 2, 4, 3, 4), (3, 2, 2, 3, 2), bias=True),
    case((2, 3, 3, 3), (2, 2, 2, 2, 2), bias=True),
    case((1, 2, 5, 4, 4), (2, 2, 3, 3, 2), stride=(2, 1, 2), padding=(1, 0, 1), dilation=(1, 1, 2), bias=True),
    case((1, 2, 4, 4, 3), (4, 1, 3, 3, 3), groups=2, padding=1, stride=2),
    case((1, 2, 3, 3, 3), (2, 2, 2, 3, 1), padding="same"),
    Sample(
        "conv2d large",
        conv.conv2d,
        (real(1, 2, 4, 4), real(3, 2, 3, 3), real(3)),
        correlated,
        "nn.functional.conv2d",
        {"padding": 1},
        large=(real(8, 4, 24, 24), real(16, 4, 3, 3), real(16)),
    ),
    Sample(
        "conv2d large with stride",
        conv.conv2d,
        (real(1, 2, 4, 4), real(2, 1, 3, 3)),
        correlated,
        "nn.functional.conv2d",
        {"stride": 2, "padding": 1, "groups": 2},
        large=(real(16, 2, 65, 66), real(2, 1, 3, 3)),
    ),
)

X, W = real(1, 4, 5, 5), real(6, 4, 3, 3)


def wrong(name: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(f"conv2d, {name}", conv.conv2d, inputs, error, f"conv2d: {match}", kwargs)


ERRORS = (
    wrong(
        "channels",
        (X, real(6, 3, 3, 3)),
        ShapeError,
        "weight has 3 input channels per group times groups 1 = 3, input has 4",
    ),
    wrong(
        "grouped channels",
        (X, real(6, 4, 3, 3)),
        ShapeError,
        "weight has 4 input channels per group times groups 2 = 8, input has 4",
        groups=2,
    ),
    wrong("groups", (X, real(5, 2, 3, 3)), ShapeError, "groups 2 does not divide weight's 5 output channels", groups=2),
    wrong("no groups", (X, W), ArgumentError, "groups must be at least 1, got 0", groups=0),
    wrong("half a group", (X, W), DTypeError, "groups must be an integer, got float", groups=1.5),
    wrong("bias", (X, W, real(5)), ShapeError, r"bias has shape \[5\], weight has 6 output channels"),
    wrong("large kernel", (X, real(6, 4, 6, 3)), ShapeError, "the kernel spans 6 cells, the input has 5"),
    wrong(
        "large dilated kernel",
        (X, W),
        ShapeError,
        "the kernel spans 9 cells, the input has 5 and with its padding 7",
        dilation=4,
        padding=1,
    ),
    wrong(
        "flat image", (real(5, 5), W), ShapeError, r"input must be \(N, C, H, W\) or \(C, H, W\), got shape \[5, 5\]"
    ),
    wrong("flat weight", (X, real(4, 3, 3)), ShapeError, r"weight must be .* got shape \[4, 3, 3\]"),
    wrong("empty kernel", (X, real(6, 4, 0, 3)), ShapeError, "weight has an empty kernel"),
    wrong("stride", (X, W), ArgumentError, "stride must be at least 1, got 0", stride=0),
    wrong("stride of one axis", (X, W), ArgumentError, r"stride must be at least 1, got \(1, -1\)", stride=(1, -1)),
    wrong(
        "stride of three axes",
        (X, W),
        ArgumentError,
        r"stride must be an integer or a pair, got \(1, 1, 1\)",
        stride=(1, 1, 1),
    ),
    wrong("half a stride", (X, W), DTypeError, "stride must be an integer or a pair, got 1.5", stride=1.5),
    wrong("dilation", (X, W), ArgumentError, "dilation must be at least 1, got 0", dilation=0),
    wrong("padding", (X, W), ArgumentError, "padding must be at least 0, got -1", padding=-1),
    wrong("vast padding", (X, W), ArgumentError, "padding must be at most 2147483647, got 10995", padding=2**40),
    wrong("large padding", (X, W), ShapeError, "padding .* makes a result of .*, more than", padding=2**31 - 1),
    wrong("unknown padding", (X, W), ArgumentError, "padding must be .*'full'", padding="full"),
    wrong("same and stride", (X, W), ArgumentError, "padding 'same' needs stride 1", padding="same", stride=2),
    wrong("ints", (whole(1, 4, 5, 5), W), DTypeError, "input must be a floating point tensor, got int64"),
)
