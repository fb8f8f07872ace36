"""Samples: windows that slide along a dimension."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, InPlaceError, ShapeError
from autograd_cnn.ops.unfold import unfold
from samples.sample import ErrorSample, Sample, real, whole


def windows(x, dim, size, step):
    if not x.ndim:
        return x.reshape(1)[:size]
    x = np.moveaxis(x, dim, -1)
    starts = range(0, x.shape[-1] - size + 1, step)
    found = np.array([x[..., start : start + size] for start in starts])
    return np.moveaxis(found, 0, dim if dim >= 0 else dim - 1)


def sample(source, dim, size, step) -> Sample:
    return Sample(
        f"{list(source.shape)} {dim} {size} {step}",
        lambda x: unfold(x, dim, size, step),
        (source,),
        lambda x: windows(x, dim, size, step),
        lambda torch, x: x.unfold(dim, size, step),
    )


SAMPLES = (
    sample(real(7), 0, 3, 1),
    sample(real(7), 0, 2, 3),
    sample(real(2, 5, 3), 1, 2, 2),
    sample(real(2, 5), -1, 5, 1),
    sample(real(4, 3), 0, 1, 1),
    sample(real(4, 3), 0, 0, 2),
    sample(real(4, 0), 0, 2, 1),
    sample(real(), 0, 1, 1),
    sample(whole(5), 0, 2, 1),
    Sample(
        "changed in place where windows do not overlap",
        lambda x: unfold((x * 1).view(-1), 0, 2, 3).mul_(3)._base,
        (real(8),),
        lambda x: x * np.array([3, 3, 1, 3, 3, 1, 3, 3]),
        lambda torch, x: x * torch.tensor([3, 3, 1, 3, 3, 1, 3, 3]),
    ),
)

ERRORS = (
    ErrorSample("size", unfold, (real(3), 0, 4, 1), ShapeError, "size 4 is larger than dimension 0 of size 3"),
    ErrorSample("step", unfold, (real(3), 0, 2, 0), ArgumentError, "at least 1, got 2 and 0"),
    ErrorSample("dim", unfold, (real(3), 1, 2, 1), IndexOutOfRangeError, "dimension 1 is out of range"),
    ErrorSample("no tensor", unfold, ([1, 2], 0, 2, 1), DTypeError, "takes a tensor, got list"),
    ErrorSample("overlap", lambda x: unfold(x, 0, 2, 1).add_(1), (real(3),), InPlaceError, "several elements share"),
)
