"""Samples: products of vectors in three dimensions."""

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops.cross import cross
from samples.sample import ErrorSample, Sample, real, truth, whole


def product(x, other, dim=None):
    x, other = np.broadcast_arrays(x, other)
    dim = x.shape.index(3) if dim is None else dim
    return np.cross(x, other, axis=dim)


def sample(x, other, large=(), **kwargs) -> Sample:
    return Sample(
        f"{list(x.shape)} {list(other.shape)} {kwargs}", cross, (x, other), product, "cross", kwargs, large=large
    )


SAMPLES = (
    sample(real(3), real(3)),
    sample(real(2, 3), real(2, 3)),
    sample(real(3, 4), real(3, 4), large=(real(3, 30000), real(3, 30000))),
    sample(real(2, 3, 4), real(1, 3, 1), dim=1),
    sample(real(1, 3), real(5, 3), dim=-1),
    sample(real(3, 3), real(3, 3), dim=-1, large=(real(20000, 3), real(20000, 3))),
    sample(real(0, 3), real(0, 3)),
    sample(whole(3, 2), whole(3, 2)),
)

ERRORS = (
    ErrorSample("dims", cross, (real(2, 3), real(3)), ShapeError, r"\[2, 3\] and other \[3\] must have as many"),
    ErrorSample("no 3", cross, (real(2, 4), real(2, 4)), ShapeError, r"\[2, 4\] has no dimension of size 3"),
    ErrorSample("not 3", cross, (real(3, 4), real(3, 4), 1), ShapeError, "dim 1 .* must have size 3"),
    ErrorSample("sizes", cross, (real(2, 3), real(4, 3)), ShapeError, r"\[2, 3\] and \[4, 3\] do not broadcast"),
    ErrorSample("dtypes", cross, (real(3), whole(3)), DTypeError, "float32, other has int64"),
    ErrorSample("bools", cross, (truth(3), truth(3)), DTypeError, "got bool"),
    ErrorSample("dim", cross, (real(2, 3), real(2, 3), 2), IndexOutOfRangeError, "dim 2"),
    ErrorSample("no tensor", cross, (real(3), [1, 2, 3]), DTypeError, "takes a tensor, got list"),
)
