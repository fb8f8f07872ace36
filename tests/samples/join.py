"""Samples: joining tensors."""

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


def stacked(name: str, *inputs) -> Sample:
    return Sample(
        f"{name} {[list(one.shape) for one in inputs]}",
        lambda *xs: getattr(join, name)(xs),
        inputs,
        lambda *xs: getattr(np, {"row_stack": "vstack"}.get(name, name))(xs),
        lambda torch, *xs: getattr(torch, name)(xs),
    )


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
    Sample(
        "cat leaves out the empty",
        lambda *xs: join.concat(xs, 1),
        (real(2, 3), real(0), real(2, 1)),
        lambda x, _, y: np.concatenate([x, y], 1),
        lambda torch, *xs: torch.concat(xs, 1),
    ),
    joined("cat", "nothing but the empty", 0, real(0), real(0)),
    *(
        stacked(name, *inputs)
        for name in ("hstack", "vstack", "dstack", "column_stack")
        for inputs in (
            (real(3), real(3)),
            (real(), real()),
            (real(2, 3), real(2, 3)),
            (real(2, 3, 1), real(2, 3, 1), real(2, 3, 1)),
            (real(2), whole(2)),
            (real(2, 0), real(2, 0)),
        )
    ),
    stacked("hstack", real(2), real(), real(0)),
    stacked("vstack", real(2), real(3, 2)),
    stacked("row_stack", real(2), real(3, 2)),
    stacked("dstack", real(2), real(1, 2, 3)),
    stacked("column_stack", real(2), real(2, 3), real(2)),
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
    ErrorSample("hstack nothing", join.hstack, ([],), ArgumentError, "hstack: tensors is empty"),
    ErrorSample("vstack", lambda x, y: join.vstack([x, y]), (real(2), real(3)), ShapeError, r"\[1, 2\].*\[1, 3\]"),
    ErrorSample("dstack a tensor", join.dstack, (real(2),), DTypeError, "dstack: .*got one tensor"),
    ErrorSample("column_stack", lambda x, y: join.column_stack([x, y]), (real(2), real(3)), ShapeError, r"\[3, 1\]"),
)
