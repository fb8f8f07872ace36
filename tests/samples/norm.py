"""Samples: normalisation."""

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import norm
from samples.sample import ErrorSample, Input, Sample, given, positive, real, whole


def by_channel(values: np.ndarray | None, ndim: int, default: float) -> Any:
    return default if values is None else values.reshape(-1, *[1] * (ndim - 2))


def batch_norm(
    x: np.ndarray, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
) -> np.ndarray:
    if training:
        dims = (0, *range(2, x.ndim))
        running_mean, running_var = x.mean(axis=dims), x.var(axis=dims)
    centre, variance = (by_channel(values, x.ndim, 0) for values in (running_mean, running_var))
    scale, shift = by_channel(weight, x.ndim, 1.0), by_channel(bias, x.ndim, 0.0)
    return (x - centre) / np.sqrt(variance + eps) * scale + shift


def layer_norm(x: np.ndarray, normalized_shape, weight=None, bias=None, eps=1e-5) -> np.ndarray:
    dims = tuple(range(x.ndim - len(normalized_shape), x.ndim))
    centre, variance = x.mean(axis=dims, keepdims=True), x.var(axis=dims, keepdims=True)
    y = (x - centre) / np.sqrt(variance + eps)
    return y * (1.0 if weight is None else weight) + (0.0 if bias is None else bias)


def named(function: Any, names: str) -> Any:
    """`function` with its inputs after x by name."""
    return lambda x, *others, **kwargs: function(x, **dict(zip(names.split(), others, strict=True)), **kwargs)


def normed(names: str, x: Input, *others: Input, large: tuple[Input, ...] = (), **kwargs) -> Sample:
    shifted_alone = "bias" in names and "weight" not in names
    return Sample(
        f"batch_norm {list(x.shape)} {names} {kwargs}{' large' if large else ''}",
        named(norm.batch_norm, names),
        (x, *others),
        named(batch_norm, names),
        None if shifted_alone else named_in_torch(names),
        kwargs,
        why="PyTorch fails to differentiate it twice" if shifted_alone else "",
        large=large,
    )


def named_in_torch(names: str) -> Any:
    def call(torch: Any, *inputs: Any, **kwargs: Any) -> Any:
        def function(x: Any, running_mean: Any = None, running_var: Any = None, **more: Any) -> Any:
            return torch.nn.functional.batch_norm(x, running_mean, running_var, **more)

        return named(function, names)(*inputs, **kwargs)

    return call


def moved(x: Any, mean: Any, var: Any, batch_norm: Any, clone: Any) -> list[Any]:
    """The running statistics after one step of training."""
    mean, var = clone(mean), clone(var)
    batch_norm(x, mean, var, training=True, momentum=0.3)
    return [mean, var]


def running(shape: tuple[int, ...]) -> Sample:
    def reference(x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> list[np.ndarray]:
        dims = (0, *range(2, x.ndim))
        return [0.7 * mean + 0.3 * x.mean(axis=dims), 0.7 * var + 0.3 * x.var(axis=dims, ddof=1)]

    return Sample(
        f"running statistics of {list(shape)}",
        lambda x, m, v: moved(x, m, v, norm.batch_norm, lambda t: t.clone()),
        (real(*shape), real(3, grad=False), positive(3, grad=False)),
        reference,
        lambda torch, x, m, v: moved(x, m, v, torch.nn.functional.batch_norm, torch.clone),
        order=0,
        why="running statistics have no gradient",
    )


def layered(x: tuple[int, ...], size: tuple[int, ...], *others: Input, **kwargs) -> Sample:
    return Sample(
        f"layer_norm {list(x)} over {list(size)}, {len(others)} parameters {kwargs}",
        lambda x, *others, **kw: norm.layer_norm(x, size, *others, **kw),
        (real(*x), *others),
        lambda x, *others, **kw: layer_norm(x, size, *others, **kw),
        lambda torch, x, *others, **kw: torch.nn.functional.layer_norm(x, size, *others, **kw),
        kwargs,
    )


C = real(3)
STATISTICS = (real(3, grad=False), positive(3, grad=False))

SAMPLES = (
    normed("weight bias", real(4, 3), C, C, training=True),
    normed("weight bias", real(2, 3, 4), C, C, training=True),
    normed("weight bias", real(2, 3, 2, 3), C, C, training=True),
    normed("", real(2, 3, 2, 2), training=True),
    normed("weight", real(2, 3, 2), C, training=True, eps=0.1),
    normed("bias", real(2, 3, 2), C, training=True),
    normed("weight bias", real(2, 3, 2, grad=False), C, C, training=True),
    normed("running_mean running_var", real(2, 3, 2), *STATISTICS),
    normed("running_mean running_var weight bias", real(2, 3, 2, 2), *STATISTICS, C, C),
    normed("running_mean running_var bias", real(4, 3), *STATISTICS, C, eps=0.1),
    normed("weight bias", real(2, 3, 4), C, C, training=True, large=(real(64, 3, 40, 20), C, C)),
    normed("running_mean running_var", real(2, 3, 4), *STATISTICS, large=(real(64, 3, 40, 20), *STATISTICS)),
    running((4, 3)),
    running((2, 3, 2, 3)),
    Sample(
        "batch_norm far from 0",
        norm.batch_norm,
        (given(10000.0 + np.arange(12.0).reshape(4, 3) ** 1.5),),
        batch_norm,
        None,
        {"training": True, "eps": 1.0},
        why="PyTorch has fewer digits in float32",
    ),
    layered((3, 4), (4,)),
    layered((2, 3, 4), (3, 4), real(3, 4), real(3, 4)),
    layered((2, 3, 4), (4,), real(4), eps=0.1),
)

X = real(2, 3, 4)


def wrong(name: str, inputs: tuple, error: type[Exception], match: str, **kwargs) -> ErrorSample:
    return ErrorSample(f"batch_norm, {name}", norm.batch_norm, inputs, error, f"batch_norm: {match}", kwargs)


ERRORS = (
    wrong("rank", (real(3),), ShapeError, r"input must be \(N, C, ...\), got shape \[3\]", training=True),
    wrong("running_mean", (X, real(2), C), ShapeError, r"running_mean has shape \[2\], input has 3 channels"),
    wrong("weight", (X, C, C, real(4)), ShapeError, r"weight has shape \[4\], input has 3 channels"),
    wrong("no statistics", (X,), ArgumentError, "evaluation needs running_mean and running_var"),
    wrong("one value", (real(1, 3),), ArgumentError, r"training needs 2 values a channel.*\[1, 3\]", training=True),
    wrong("no values", (real(0, 3),), ArgumentError, r"training needs 2 values a channel.*\[0, 3\]", training=True),
    wrong("ints", (whole(2, 3),), DTypeError, "input must be a floating point tensor, got int64", training=True),
    ErrorSample(
        "layer_norm, shape", norm.layer_norm, (X, (3,)), ShapeError, r"input, \[2, 3, 4\], does not end in .*\[3\]"
    ),
    ErrorSample(
        "layer_norm, weight",
        norm.layer_norm,
        (X, (4,), real(3)),
        ShapeError,
        r"weight has shape \[3\], normalized_shape is \[4\]",
    ),
)
