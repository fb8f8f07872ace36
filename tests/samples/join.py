"""Samples: joining tensors and taking them apart."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import join
from samples.sample import ErrorSample, Sample, real, whole


def joined(name: str, title: str, dim: int, *inputs) -> Sample:
    return Sample(
        f"{name} {title}",
        lambda *xs: getattr(join, name)(xs, dim),
        inputs,
        lambda *xs: {"cat": np.concatenate, "stack": np.stack}[name](xs, dim),
        lambda torch, *xs: getattr(torch, name)(xs, dim),
    )


def parted(name: str, source, argument, dim: int, ends: list[int] | None, pick=slice(None)) -> Sample:
    """Parts of a dimension; `pick` says which of them are used, as the others then have no gradient."""
    arguments = (dim,) if argument is None else (argument, dim)

    def reference(x):
        if ends is None:
            return [np.take(x, i, dim) for i in range(x.shape[dim])][pick]
        return np.split(x, ends, dim)[pick]

    return Sample(
        f"{name} {list(source.shape)} {arguments} {pick}",
        lambda x: getattr(join, name)(x, *arguments)[pick],
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments)[pick],
    )


def rolled(source, shifts, dims) -> Sample:
    return Sample(
        f"roll {list(source.shape)} {shifts} {dims}",
        lambda x: join.roll(x, shifts, dims),
        (source,),
        lambda x: np.roll(x, shifts, dims),
        lambda torch, x: x.roll(shifts, dims),
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
    joined("cat", "dim 1", 1, real(2, 3), real(2, 1), real(2, 0)),
    joined("cat", "dim -2", -2, real(2, 3), real(1, 3)),
    joined("cat", "one", 0, real(2, 3)),
    joined("cat", "promotes", 0, real(2), whole(3)),
    joined("cat", "ints", 0, whole(2), whole(3)),
    joined("stack", "dim 0", 0, real(2, 3), real(2, 3)),
    joined("stack", "dim -1", -1, real(2, 3), real(2, 3), real(2, 3)),
    joined("stack", "dim 1", 1, real(2, 3), real(2, 3)),
    joined("stack", "0-d", 0, real(), real()),
    joined("stack", "promotes", 0, real(2), whole(2)),
    Sample(
        "cat one twice",
        lambda x: join.cat([x, x]),
        (real(3),),
        lambda x: np.concatenate([x, x]),
        lambda torch, x: torch.cat([x, x]),
    ),
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
    rolled(real(5), 2, 0),
    rolled(real(2, 3), -1, None),
    rolled(real(2, 3, 4), (1, -5), (0, 2)),
    rolled(real(2, 3), 3, 1),
    rolled(real(0, 3), 1, 0),
    Sample(
        "unbind changed in place",
        changed(join.unbind),
        (real(2, 3),),
        lambda x: np.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
        lambda torch, x: torch.stack([9 * x[0] ** 2, x[1] ** 2]) + 3 * x[0] * x[1],
    ),
)

ERRORS = (
    ErrorSample("cat nothing", join.cat, ([],), ArgumentError, "cat: tensors is empty"),
    ErrorSample("cat a tensor", join.cat, (real(2, 3),), DTypeError, "got one tensor"),
    ErrorSample("cat a number", join.cat, ([1.0],), DTypeError, r"tensors\[0\] must be a tensor, got float"),
    ErrorSample("cat sizes", lambda x, y: join.cat([x, y], 1), (real(2, 3), real(3, 3)), ShapeError, r"\[3, 3\]"),
    ErrorSample("cat dims", lambda x, y: join.cat([x, y], 1), (real(2, 3), real(2)), ShapeError, r"\[2, 3\].*\[2\]"),
    ErrorSample("cat 0-d", lambda x: join.cat([x, x]), (real(),), ShapeError, "zero-dimensional .* use stack"),
    ErrorSample("cat dim", lambda x: join.cat([x], 1), (real(2),), IndexOutOfRangeError, "cat: dim 1"),
    ErrorSample("stack", lambda x, y: join.stack([x, y]), (real(2, 3), real(3)), ShapeError, r"\[2, 3\].*\[3\]"),
    ErrorSample("split 0", join.split, (real(3), 0), ArgumentError, "at least 1, got 0"),
    ErrorSample("split sizes", join.split, (real(3), [1, 1]), ShapeError, r"\[1, 1\] do not add up to 3"),
    ErrorSample("split 0-d", join.split, (real(), 1), ShapeError, "at least 1 dimension"),
    ErrorSample("chunk 0", join.chunk, (real(3), 0), ArgumentError, "chunks must be at least 1, got 0"),
    ErrorSample("unbind 0-d", join.unbind, (real(),), ShapeError, "at least 1 dimension"),
    ErrorSample("roll", join.roll, (real(3), (1, 2), (0,)), ArgumentError, "2 shifts but 1 dims"),
)
