"""Samples: taking tensors apart."""

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.ops import split
from samples.sample import ErrorSample, Sample, real


def parted(name: str, source, argument, dim: int, ends: list[int] | None, pick=slice(None)) -> Sample:
    """Parts of a dimension; `pick` says which of them are used, as the others then have no gradient."""
    arguments = (dim,) if argument is None else (argument, dim)

    def reference(x):
        if ends is None:
            return [np.take(x, i, dim) for i in range(x.shape[dim])][pick]
        return np.split(x, ends, dim)[pick]

    return Sample(
        f"{name} {list(source.shape)} {arguments} {pick}",
        lambda x: getattr(split, name)(x, *arguments)[pick],
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments)[pick],
    )


def equal(name: str, source, argument, pick=slice(None)) -> Sample:
    return Sample(
        f"{name} {list(source.shape)} {argument} {pick}",
        lambda x: getattr(split, name)(x, argument)[pick],
        (source,),
        lambda x: getattr(np, name)(x, argument)[pick],
        lambda torch, x: getattr(x, name)(argument)[pick],
    )


def changed(split):
    """What views are for: a change of one part is a change of the whole and of its other views."""

    def run(x):
        whole = x * 1
        first, second = split(whole)
        first.mul_(3)
        return whole * whole + second * first

    return run


SAMPLES = (
    parted("split", real(5, 2), 2, 0, [2, 4]),
    parted("split", real(2, 5), 2, 1, [2, 4], slice(1, 2)),
    parted("split", real(2, 5), [1, 0, 4], -1, [1, 1]),
    parted("split", real(2, 5), 7, 1, []),
    parted("chunk", real(5, 2), 3, 0, [2, 4]),
    parted("chunk", real(2, 4), 3, 1, [2]),
    parted("chunk", real(2, 0), 3, 1, [0, 0]),
    parted("unbind", real(3, 2), None, 0, None),
    parted("unbind", real(3, 2), None, -1, None, slice(0, 1)),
    parted("unbind", real(3, 1, 2), None, 1, None),
    Sample(
        "unbind changed in place",
        changed(split.unbind),
        (real(2, 3),),
        lambda x: np.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
        lambda torch, x: torch.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
    ),
    parted("split_with_sizes", real(2, 5), [2, 0, 3], -1, [2, 2]),
    parted("tensor_split", real(5, 2), 3, 0, [2, 4]),
    parted("tensor_split", real(2, 3), 5, -1, [1, 2, 3, 3]),
    parted("tensor_split", real(2, 6), (1, 4), 1, [1, 4], slice(1, 2)),
    parted("tensor_split", real(2, 6), (4, 1, -2, 9), 1, [4, 1, -2, 9]),
    parted("tensor_split", real(2, 3), (), 1, []),
    Sample(
        "tensor_split by a tensor",
        lambda x: split.tensor_split(x, x.new_tensor([1, 3], dtype=int)),
        (real(5),),
        lambda x: np.split(x, [1, 3]),
        lambda torch, x: torch.tensor_split(x, torch.tensor([1, 3])),
    ),
    equal("hsplit", real(6), 3),
    equal("hsplit", real(2, 6), 3),
    equal("hsplit", real(2, 6), [1, -1], slice(0, 2)),
    equal("vsplit", real(4, 3), 2),
    equal("vsplit", real(4, 3), [3]),
    equal("dsplit", real(2, 1, 4), 2),
    equal("dsplit", real(2, 0, 4), [1, 2]),
    Sample(
        "tensor_split changed in place",
        changed(lambda x: split.tensor_split(x, 2)),
        (real(2, 3),),
        lambda x: np.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
        lambda torch, x: torch.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
    ),
)

ERRORS = (
    ErrorSample("split 0", split.split, (real(3), 0), ArgumentError, "at least 1, got 0"),
    ErrorSample("split sizes", split.split, (real(3), [1, 1]), ShapeError, r"\[1, 1\] do not add up to 3"),
    ErrorSample("split 0-d", split.split, (real(), 1), ShapeError, "at least 1 dimension"),
    ErrorSample("chunk 0", split.chunk, (real(3), 0), ArgumentError, "chunks must be at least 1, got 0"),
    ErrorSample("unbind 0-d", split.unbind, (real(),), ShapeError, "at least 1 dimension"),
    ErrorSample("split_with_sizes", split.split_with_sizes, (real(3), [4, -1]), ShapeError, r"\[4, -1\] do not"),
    ErrorSample("tensor_split 0", split.tensor_split, (real(3), 0), ArgumentError, "at least 1 section, got 0"),
    ErrorSample("tensor_split 0-d", split.tensor_split, (real(), 1), ShapeError, "at least 1 dimension"),
    ErrorSample("hsplit", split.hsplit, (real(2, 4), 3), ShapeError, "size 4 of dim 1 .* 3 equal"),
    ErrorSample("hsplit 0-d", split.hsplit, (real(), 1), ShapeError, "at least 1 dimension, input has shape"),
    ErrorSample("vsplit", split.vsplit, (real(4), 2), ShapeError, r"at least 2 dimensions, input has shape \[4\]"),
    ErrorSample("dsplit", split.dsplit, (real(4, 2), 2), ShapeError, "at least 3 dimensions"),
    ErrorSample("dsplit 0", split.dsplit, (real(4, 2, 2), 0), ShapeError, "into 0 equal"),
)
