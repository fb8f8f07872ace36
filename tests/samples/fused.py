"""Samples: layers with their ReLU in one op."""

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops import fused
from samples.sample import ErrorSample, Sample, real, whole


def rectified(name: str):
    """PyTorch's layer and then its ReLU."""
    return lambda torch, *args, **kwargs: torch.relu(getattr(torch.nn.functional, name)(*args, **kwargs))


def linear(x: np.ndarray, weight: np.ndarray, bias=None) -> np.ndarray:
    y = np.einsum("...i,oi->...o", x, weight)
    return np.maximum(y if bias is None else y + bias, 0)


def conv(name: str, x: tuple[int, ...], weight: tuple[int, ...], bias: bool = True, large=(), **kwargs) -> Sample:
    inputs = tuple(real(*shape) for shape in [x, weight] + [weight[:1]] * bias)
    label = f"{name}_relu {list(x)} * {list(weight)} {kwargs}{'' if bias else ' no bias'}"
    op, torch = getattr(fused, f"{name}_relu"), rectified(name)
    return Sample(label, op, inputs, None, torch, kwargs, large=large, why="its parts have references")


SAMPLES = (
    Sample("linear_relu", fused.linear_relu, (real(5, 3), real(4, 3), real(4)), linear, rectified("linear")),
    Sample("linear_relu no bias", fused.linear_relu, (real(2, 5, 3), real(4, 3)), linear, rectified("linear")),
    Sample("linear_relu vector", fused.linear_relu, (real(3), real(4, 3), real(4)), linear, rectified("linear")),
    conv("conv1d", (2, 3, 9), (4, 3, 3), padding=1),
    conv("conv2d", (2, 3, 5, 4), (4, 3, 3, 2)),
    conv("conv2d", (2, 3, 5, 4), (4, 3, 3, 2), bias=False),
    conv("conv2d", (3, 5, 4), (2, 3, 3, 2)),
    conv("conv2d", (2, 4, 5, 5), (4, 2, 3, 3), groups=2, stride=2, dilation=2, padding=2),
    conv("conv2d", (2, 3, 4, 4), (6, 1, 3, 3), groups=3, padding=1),
    conv("conv3d", (1, 2, 4, 3, 4), (2, 2, 2, 3, 2), padding=1),
    conv(
        "conv2d",
        (2, 2, 5, 6),
        (3, 2, 3, 3),
        stride=2,
        large=(real(8, 8, 33, 33), real(16, 8, 3, 3), real(16)),
    ),
)

ERRORS = (
    ErrorSample(
        "conv2d_relu channels",
        fused.conv2d_relu,
        (real(1, 2, 4, 4), real(1, 3, 2, 2)),
        ShapeError,
        r"^conv2d_relu: weight has 3 input channels",
    ),
    ErrorSample(
        "conv1d_relu bias",
        fused.conv1d_relu,
        (real(1, 2, 4), real(3, 2, 2), real(2)),
        ShapeError,
        r"^conv1d_relu: bias has shape \[2\]",
    ),
    ErrorSample(
        "conv3d_relu large kernel",
        fused.conv3d_relu,
        (real(1, 2, 4, 4, 4), real(3, 2, 2, 5, 2)),
        ShapeError,
        r"^conv3d_relu: the kernel spans 5 cells, the input has 4",
    ),
    ErrorSample(
        "linear_relu ints", fused.linear_relu, (whole(2, 3), real(4, 3)), DTypeError, r"^linear_relu: input must be"
    ),
    ErrorSample(
        "linear_relu sizes", fused.linear_relu, (real(2, 3), real(4, 5)), ShapeError, r"^linear_relu: input \(2, 3\)"
    ),
    ErrorSample(
        "linear_relu bias", fused.linear_relu, (real(2, 3), real(4, 3), real(3)), ShapeError, r"^linear_relu: bias has"
    ),
)
