"""Samples: elements in another order."""

import numpy as np

from autograd_cnn.errors import ArgumentError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import flip
from samples.sample import ErrorSample, Sample, real, whole


def method(name: str, source, *arguments, reference) -> Sample:
    """A function of a tensor and arguments that PyTorch has as a method of the same name."""
    return Sample(
        f"{name} {list(source.shape)} {arguments}",
        lambda x: getattr(flip, name)(x, *arguments),
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments),
    )


def rolled(source, shifts, dims) -> Sample:
    return Sample(
        f"roll {list(source.shape)} {shifts} {dims}",
        lambda x: flip.roll(x, shifts, dims),
        (source,),
        lambda x: np.roll(x, shifts, dims),
        lambda torch, x: x.roll(shifts, dims),
    )


SAMPLES = (
    method("flip", real(2, 3, 4), 0, 2, reference=lambda x: x[::-1, :, ::-1]),
    method("flip", real(2, 3), (-1,), reference=lambda x: x[:, ::-1]),
    method("flip", real(2, 3), (), reference=np.array),
    method("flip", real(), 0, reference=np.array),
    method("fliplr", real(2, 3, 4), reference=np.fliplr),
    method("fliplr", whole(2, 0), reference=np.fliplr),
    method("flipud", real(2, 3), reference=np.flipud),
    method("flipud", real(3), reference=np.flipud),
    rolled(real(5), 2, 0),
    rolled(real(2, 3), -1, None),
    rolled(real(2, 3, 4), (1, -5), (0, 2)),
    rolled(real(2, 3), 3, 1),
    rolled(real(0, 3), 1, 0),
    rolled(real(), 1, None),
)

ERRORS = (
    ErrorSample("flip", flip.flip, (real(4), 0, 0), ArgumentError, "twice"),
    ErrorSample("fliplr", flip.fliplr, (real(4),), ShapeError, r"at least 2 dimensions, input has shape \[4\]"),
    ErrorSample("flipud", flip.flipud, (real(),), ShapeError, r"at least 1 dimension, input has shape \[\]"),
    ErrorSample("roll", flip.roll, (real(3), (1, 2), (0,)), ArgumentError, "2 shifts but 1 dims"),
    ErrorSample("roll 0-d", flip.roll, (real(), 1, 0), IndexOutOfRangeError, "input has no dimensions"),
)
