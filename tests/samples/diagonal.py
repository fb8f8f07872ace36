"""Samples: diagonals."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import diagonal
from samples.sample import ErrorSample, Sample, real, whole


def embedded(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    y = np.zeros((*x.shape[:-1], n, n), x.dtype)
    for i in range(x.shape[-1]):
        y[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def function(name: str, source, *arguments, reference) -> Sample:
    return Sample(
        f"{name} {list(source.shape)} {arguments}",
        lambda x: getattr(diagonal, name)(x, *arguments),
        (source,),
        lambda x: reference(x, *arguments),
        lambda torch, x: getattr(torch, name)(x, *arguments),
    )


def changed(x):
    whole = x * 1
    diagonal.diagonal(whole, 1).mul_(3)
    return whole * whole


def torch_changed(x):
    whole = x * 1
    whole.diagonal(1).mul_(3)
    return whole * whole


def changed_array(x):
    y = x.copy()
    for i in range(min(y.shape[0], y.shape[1] - 1)):
        y[i, i + 1] *= 3
    return y * y


def filled(x, value, wrap=False):
    y = x.copy()
    np.fill_diagonal(y, value, wrap)
    return y


SAMPLES = (
    function("diagonal", real(3, 4), reference=np.diagonal),
    function("diagonal", real(3, 4), 1, reference=np.diagonal),
    function("diagonal", real(3, 4), -2, reference=np.diagonal),
    function("diagonal", real(3, 4), 4, reference=np.diagonal),
    function("diagonal", real(3, 4), -9, reference=np.diagonal),
    function("diagonal", real(2, 3, 4), 1, -1, 0, reference=np.diagonal),
    function("diagonal", real(2, 3, 4), -1, 2, 1, reference=np.diagonal),
    function("diagonal", real(0, 3), reference=np.diagonal),
    function("diagonal", whole(3, 3), reference=np.diagonal),
    Sample("diagonal changed in place", changed, (real(3, 4),), changed_array, lambda torch, x: torch_changed(x)),
    function("diag_embed", real(3), reference=embedded),
    function("diag_embed", real(2, 3), 1, reference=embedded),
    function("diag_embed", real(2, 3), -2, 0, 2, reference=embedded),
    function("diag_embed", real(2, 3), 0, 2, 0, reference=embedded),
    function("diag_embed", real(2, 0), 1, reference=embedded),
    function("diag_embed", whole(2), reference=embedded),
    function("diag", real(3), reference=np.diag),
    function("diag", real(3), -1, reference=np.diag),
    function("diag", real(0), 2, reference=np.diag),
    function("diag", real(3, 4), reference=np.diag),
    function("diag", real(3, 4), 2, reference=np.diag),
    function("diag", real(3, 4), -5, reference=np.diag),
    function("diagflat", real(2, 2), 1, reference=np.diagflat),
    function("diagflat", real(), reference=np.diagflat),
    function("trace", real(3, 4), reference=np.trace),
    function("trace", real(4, 3), reference=np.trace),
    function("trace", real(0, 3), reference=np.trace),
    function("trace", whole(3, 3), reference=np.trace),
    *(
        Sample(
            f"fill_diagonal_ {list(source.shape)} {wrap}",
            lambda x, wrap=wrap: diagonal.fill_diagonal_(x * x, 7, wrap),
            (source,),
            lambda x, wrap=wrap: filled(x * x, 7, wrap),
            lambda torch, x, wrap=wrap: (x * x).fill_diagonal_(7, wrap),
        )
        for source, wrap in (
            (real(3, 4), False),
            (real(4, 3), False),
            (real(8, 2), True),
            (real(2, 5), True),
            (real(2, 2, 2), False),
        )
    ),
)


ERRORS = (
    ErrorSample("diagonal", diagonal.diagonal, (real(3),), ShapeError, r"at least 2 dimensions, input has shape \[3\]"),
    ErrorSample("diagonal dims", diagonal.diagonal, (real(2, 3), 0, 1, -1), ArgumentError, "a dimension twice"),
    ErrorSample("diagonal dim", diagonal.diagonal, (real(2, 3), 0, 0, 2), IndexOutOfRangeError, "2 is out of range"),
    ErrorSample("diag_embed", diagonal.diag_embed, (real(),), ShapeError, "at least 1 dimension"),
    ErrorSample("diag_embed dims", diagonal.diag_embed, (real(2), 0, 1, -1), ArgumentError, "a dimension twice"),
    ErrorSample("diag", diagonal.diag, (real(2, 3, 4),), ShapeError, r"1 or 2 dimensions, input has shape \[2, 3, 4\]"),
    ErrorSample("diag of a number", diagonal.diag, (2.0,), DTypeError, "diag: takes a tensor, got float"),
    ErrorSample("trace", diagonal.trace, (real(3),), ShapeError, "takes a matrix"),
    ErrorSample("fill_diagonal_", diagonal.fill_diagonal_, (real(3), 1), ShapeError, "at least 2 dimensions"),
    ErrorSample("fill_diagonal_ sizes", diagonal.fill_diagonal_, (real(2, 2, 3), 1), ShapeError, "of one size"),
)
