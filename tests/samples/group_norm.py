"""Samples: normalisation of groups of channels, of single channels, of neighbours, and by the mean square."""

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import functional as F
from samples.norm import by_channel, moved, named
from samples.sample import ErrorSample, Sample, positive, real


def group_norm(x: np.ndarray, num_groups: int, weight=None, bias=None, eps=1e-5) -> np.ndarray:
    if not x.size:
        return x
    grouped = x.reshape(x.shape[0], num_groups, -1)
    y = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + eps)
    return y.reshape(x.shape) * by_channel(weight, x.ndim, 1.0) + by_channel(bias, x.ndim, 0.0)


def instance_norm(
    x: np.ndarray, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, eps=1e-5
) -> np.ndarray:
    if use_input_stats:
        return group_norm(x, x.shape[1], weight, bias, eps)
    centre, variance = by_channel(running_mean, x.ndim, 0.0), by_channel(running_var, x.ndim, 1.0)
    y = (x - centre) / np.sqrt(variance + eps)
    return y * by_channel(weight, x.ndim, 1.0) + by_channel(bias, x.ndim, 0.0)


def rms_norm(x: np.ndarray, normalized_shape: tuple[int, ...], weight=None, eps=None) -> np.ndarray:
    eps = np.finfo(x.dtype).eps if eps is None else eps
    dims = tuple(range(-len(normalized_shape), 0))
    return x / np.sqrt((x**2).mean(dims, keepdims=True) + eps) * (1.0 if weight is None else weight)


def local_response_norm(x: np.ndarray, size: int, alpha=1e-4, beta=0.75, k=1.0) -> np.ndarray:
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        first = c - size // 2
        neighbours = x[:, max(first, 0) : max(first + size, 0)]
        y[:, c] = x[:, c] / (k + alpha * (neighbours**2).sum(1) / size) ** beta
    return y


def case(name: str, names: str, inputs: tuple, large: tuple = (), **kwargs: Any) -> Sample:
    return Sample(
        f"{name} {list(inputs[0].shape)} {names} {kwargs}{' large' if large else ''}",
        named(getattr(F, name), names),
        inputs,
        named(globals()[name], names),
        lambda torch, *given, **more: named(getattr(torch.nn.functional, name), names)(*given, **more),
        kwargs,
        large=large,
    )


def running(torch: Any, x: Any, mean: Any, var: Any) -> Any:
    return moved_by(x, mean, var, torch.nn.functional.instance_norm, lambda t: t.clone())


def moved_by(x: Any, mean: Any, var: Any, function: Any, clone: Any) -> list[Any]:
    return moved(x, mean, var, lambda x, m, v, training, momentum: function(x, m, v, momentum=momentum), clone)


def after(x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> list[np.ndarray]:
    flat = x.reshape(*x.shape[:2], -1)
    return [0.7 * mean + 0.3 * flat.mean(2).mean(0), 0.7 * var + 0.3 * flat.var(2, ddof=1).mean(0)]


SAMPLES = (
    *(
        case("group_norm", names, (real(*shape), *others), num_groups=groups)
        for shape, groups in (((2, 6, 3), 2), ((2, 6), 1), ((3, 4, 2, 5), 4), ((1, 6, 2, 3, 2), 1))
        for names, others in (("", ()), ("weight bias", (positive(shape[1]), real(shape[1]))))
    ),
    case("group_norm", "", (real(0, 4, 3),), num_groups=2),
    case("instance_norm", "", (real(2, 4, 0),)),
    case("group_norm", "weight", (real(2, 4, 3), positive(4)), num_groups=2, eps=0.1),
    case(
        "group_norm",
        "weight bias",
        (real(2, 6, 3), positive(6), real(6)),
        (real(3, 6, 60, 40), positive(6), real(6)),
        num_groups=2,
    ),
    *(
        case("instance_norm", names, (real(*shape), *others))
        for shape in ((2, 3, 5), (2, 3, 4, 2), (1, 2, 2, 2, 3))
        for names, others in (("", ()), ("weight bias", (positive(shape[1]), real(shape[1]))))
    ),
    case(
        "instance_norm",
        "running_mean running_var weight bias",
        (real(2, 3, 5), real(3, grad=False), positive(3, grad=False), positive(3), real(3)),
        use_input_stats=False,
    ),
    Sample(
        "instance_norm, running statistics",
        lambda x, m, v: moved_by(x, m, v, F.instance_norm, lambda t: t.clone()),
        (real(2, 3, 5, grad=False), real(3, grad=False), positive(3, grad=False)),
        after,
        running,
        order=0,
        why="running statistics have no gradient",
    ),
    *(
        case("rms_norm", names, (real(3, 4, 5), *others), normalized_shape=size, eps=eps)
        for size, eps in (((5,), None), ((4, 5), 0.1))
        for names, others in (("", ()), ("weight", (positive(*size),)))
    ),
    *(
        case("local_response_norm", "", (real(2, 5, *rest),), size=size, alpha=alpha, beta=beta, k=k)
        for rest, size, alpha, beta, k in (
            ((3,), 3, 1e-4, 0.75, 1.0),
            ((2, 3), 4, 0.5, 1.5, 2.0),
            ((2, 1, 3), 1, 1.0, 0.5, 0.1),
            ((2,), 11, 1.0, 1.0, 1.0),
        )
    ),
)

ERRORS = (
    ErrorSample(
        "group_norm, groups",
        F.group_norm,
        (real(2, 6, 3), 4),
        ArgumentError,
        "group_norm: num_groups must divide the 6 channels of input, got 4",
    ),
    ErrorSample(
        "group_norm, one value",
        F.group_norm,
        (real(1, 3, 1), 3),
        ArgumentError,
        r"group_norm: needs 2 values a group, input has shape \[1, 3, 1\]",
    ),
    ErrorSample(
        "group_norm, weight",
        F.group_norm,
        (real(2, 6, 3), 2, real(3)),
        ShapeError,
        r"group_norm: weight has shape \[3\], input has 6 channels",
    ),
    ErrorSample("group_norm, x", F.group_norm, (real(6), 2), ShapeError, r"group_norm: input must be \(N, C, ...\)"),
    ErrorSample(
        "instance_norm, one value",
        F.instance_norm,
        (real(2, 3, 1),),
        ArgumentError,
        r"instance_norm: needs 2 values a channel, input has shape \[2, 3, 1\]",
    ),
    ErrorSample(
        "instance_norm, no statistics",
        F.instance_norm,
        (real(2, 3, 4),),
        ArgumentError,
        "instance_norm: .*needs running_mean and running_var, got None",
        {"use_input_stats": False},
    ),
    ErrorSample(
        "rms_norm, shape",
        F.rms_norm,
        (real(2, 3), (4,)),
        ShapeError,
        r"rms_norm: input, \[2, 3\], does not end in normalized_shape \[4\]",
    ),
    ErrorSample(
        "rms_norm, weight",
        F.rms_norm,
        (real(2, 3), (3,), real(2)),
        ShapeError,
        r"rms_norm: weight has shape \[2\], normalized_shape is \[3\]",
    ),
    ErrorSample(
        "local_response_norm, x",
        F.local_response_norm,
        (real(2, 3), 2),
        ShapeError,
        r"local_response_norm: input must be \(N, C, ...\) with 3 dimensions",
    ),
    ErrorSample(
        "local_response_norm, size",
        F.local_response_norm,
        (real(2, 3, 4), 0),
        ArgumentError,
        "local_response_norm: size must be at least 1, got 0",
    ),
)
