"""Samples: products of tensors of any number of dimensions."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import tensordot
from samples.sample import ErrorSample, Sample, given, real, truth, whole


def dotted(x, other, dims, reference=np.tensordot) -> Sample:
    return Sample(
        f"tensordot {list(x.shape)} {list(other.shape)} {dims}",
        lambda x, other: tensordot.tensordot(x, other, dims),
        (x, other),
        lambda x, other: reference(x, other, dims),
        lambda torch, x, other: torch.tensordot(x, other, dims),
    )


def pair(name: str, title: str, x, other) -> Sample:
    return Sample(f"{name} {title}", getattr(tensordot, name), (x, other), getattr(np, name), name)


SAMPLES = (
    dotted(real(2, 3, 4), real(3, 4, 5), 2),
    dotted(real(2, 3), real(4), 0),
    dotted(real(), real(2, 3), 0),
    dotted(real(2, 3), real(2, 3), ([0], [0])),
    dotted(real(2, 3, 4), real(4, 5, 2), ([-1, 0], [0, 2])),
    dotted(real(2, 3), real(3, 2), ([0, 1], [1, 0])),
    dotted(real(1, 3), real(4, 2), ([0], [0]), lambda x, y, dims: np.einsum("ij,kl->jl", x, y)),
    dotted(real(2, 3), real(2, 1), ([1], [1]), lambda x, y, dims: np.einsum("ij,kl->ik", x, y)),
    dotted(real(2, 0), real(0, 3), 1),
    dotted(real(0, 2), real(2, 3), 1),
    dotted(whole(2, 3), whole(3, 2), 1),
    Sample(
        "tensordot by a tensor of dims",
        lambda x, other, dims: tensordot.tensordot(x, other, dims),
        (real(2, 3), real(2, 4), given([[0], [0]])),
        lambda x, other, dims: x.T @ other,
        lambda torch, x, other, dims: torch.tensordot(x, other, dims),
    ),
    pair("inner", "vectors", real(3), real(3)),
    pair("inner", "matrices", real(2, 3), real(4, 3)),
    pair("inner", "many", real(2, 1, 3), real(3)),
    pair("inner", "with a number", real(2, 3), real()),
    pair("inner", "numbers", real(), real()),
    pair("inner", "empty", real(2, 0), real(3, 0)),
    pair("inner", "integers", whole(2, 3), whole(3)),
    pair("kron", "matrices", real(2, 3), real(3, 2)),
    pair("kron", "vectors", real(2), real(3)),
    pair("kron", "more dims", real(2), real(2, 1, 3)),
    pair("kron", "fewer dims", real(2, 1, 3), real(2, 2)),
    pair("kron", "with a number", real(2, 3), real()),
    pair("kron", "empty", real(2, 0), real(3, 2)),
    pair("kron", "promotes", real(2), whole(2, 2)),
)

ERRORS = (
    ErrorSample(
        "sizes",
        tensordot.tensordot,
        (real(2, 3), real(2, 3)),
        ShapeError,
        "dim 1 of a .* dim 0 of b",
        {"dims": ([1], [0])},
    ),
    ErrorSample("many", tensordot.tensordot, (real(2, 3), real(2), 2), ArgumentError, "dims 2 must be from 0 to 1"),
    ErrorSample("negative", tensordot.tensordot, (real(2), real(2), -1), ArgumentError, "dims -1 must be"),
    ErrorSample("lists", tensordot.tensordot, (real(2), real(2), ([0], [])), ArgumentError, "two lists of one length"),
    ErrorSample(
        "twice", tensordot.tensordot, (real(2, 2), real(2, 2), ([0, 0], [0, 1])), ArgumentError, "dims of a .*twice"
    ),
    ErrorSample("range", tensordot.tensordot, (real(2), real(2), ([1], [0])), IndexOutOfRangeError, "dims of a 1"),
    ErrorSample("dtypes", tensordot.tensordot, (real(2), whole(2), 1), DTypeError, "float32, b has int64"),
    ErrorSample("inner", tensordot.inner, (real(2, 3), real(2)), ShapeError, r"\[2, 3\] and other \[2\] differ"),
    ErrorSample("inner dtypes", tensordot.inner, (real(2), whole(2)), DTypeError, "inner: input has dtype float32"),
    ErrorSample("inner bools", tensordot.inner, (truth(2), truth(2)), DTypeError, "inner: input must hold numbers"),
    ErrorSample("kron", tensordot.kron, (real(2), 3.0), DTypeError, "kron: takes a tensor, got float"),
)
