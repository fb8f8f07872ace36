"""Samples: other shapes for the same elements."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import shape
from samples.sample import ErrorSample, Sample, real, truth, whole


def method(name: str, source, *arguments, reference) -> Sample:
    """A function of a tensor and arguments that PyTorch has as a method of the same name."""
    return Sample(
        f"{name} {list(source.shape)} {arguments}",
        lambda x: getattr(shape, name)(x, *arguments),
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments),
    )


def turned(torch, x):
    return x.permute(2, 0, 1).reshape(4, -1)


def several(name: str, *sources) -> Sample:
    """A function of several tensors that gives a tuple."""
    return Sample(
        f"{name} {[list(source.shape) for source in sources]}",
        lambda *xs: getattr(shape, name)(*xs),
        sources,
        lambda *xs: getattr(np, name)(*xs),
        lambda torch, *xs: getattr(torch, name)(*xs),
    )


SAMPLES = (
    method("reshape", real(2, 3), 3, 2, reference=lambda x: x.reshape(3, 2)),
    method("reshape", real(2, 3), (3, -1), reference=lambda x: x.reshape(3, 2)),
    method("reshape", real(), 1, 1, reference=lambda x: x.reshape(1, 1)),
    method("reshape", real(0, 3), 3, 0, 2, reference=lambda x: x.reshape(3, 0, 2)),
    method("reshape", real(1), (), reference=lambda x: x.reshape(())),
    method("reshape", whole(2, 3), -1, reference=lambda x: x.reshape(6)),
    Sample(
        "reshape copies",
        lambda x: shape.reshape(shape.permute(x, 2, 0, 1), 4, -1),
        (real(2, 3, 4),),
        lambda x: x.transpose(2, 0, 1).reshape(4, 6),
        turned,
    ),
    Sample(
        "view",
        lambda x: shape.view(shape.reshape(x, 24), 2, -1, 4),
        (real(4, 6),),
        lambda x: x.reshape(2, 3, 4),
        lambda torch, x: x.reshape(24).view(2, -1, 4),
    ),
    method("flatten", real(2, 3, 4), reference=np.ravel),
    method("flatten", real(2, 3, 4), 1, reference=lambda x: x.reshape(2, 12)),
    method("flatten", real(2, 3, 4), 0, -2, reference=lambda x: x.reshape(6, 4)),
    method("flatten", real(2, 3, 4), 1, 1, reference=np.array),
    method("flatten", real(), reference=np.ravel),
    method("unflatten", real(2, 6), 1, (2, 3), reference=lambda x: x.reshape(2, 2, 3)),
    method("unflatten", real(6, 2), -2, (2, -1), reference=lambda x: x.reshape(2, 3, 2)),
    method("permute", real(2, 3, 4), 2, 0, 1, reference=lambda x: x.transpose(2, 0, 1)),
    method("permute", real(2, 3, 4), (-1, 0, -2), reference=lambda x: x.transpose(2, 0, 1)),
    method("permute", truth(2, 3), 1, 0, reference=np.transpose),
    method("transpose", real(2, 3, 4), 0, -1, reference=lambda x: x.swapaxes(0, 2)),
    method("transpose", real(), 0, -1, reference=np.array),
    method("t", real(2, 3), reference=np.transpose),
    method("t", real(3), reference=np.array),
    method("movedim", real(2, 3, 4), 0, -1, reference=lambda x: np.moveaxis(x, 0, -1)),
    method("movedim", real(2, 3, 4), (0, 2), (1, 0), reference=lambda x: np.moveaxis(x, (0, 2), (1, 0))),
    method("squeeze", real(1, 3, 1), reference=np.squeeze),
    method("squeeze", real(1, 3, 1), 0, reference=lambda x: x[0]),
    method("squeeze", real(1, 3, 1), 1, reference=np.array),
    method("squeeze", real(1, 3, 1), (0, -1), reference=lambda x: x[0, :, 0]),
    method("squeeze", real(), 0, reference=np.array),
    method("unsqueeze", real(2, 3), 0, reference=lambda x: x[None]),
    method("unsqueeze", real(2, 3), -1, reference=lambda x: x[:, :, None]),
    method("unsqueeze", real(), 0, reference=lambda x: x[None]),
    method("ravel", real(2, 3), reference=np.ravel),
    method("ravel", real(), reference=np.ravel),
    Sample(
        "ravel copies", lambda x: shape.ravel(x.t()), (real(2, 3),), lambda x: x.T.ravel(), lambda t, x: x.t().ravel()
    ),
    method("swapaxes", real(2, 3, 4), -1, 0, reference=lambda x: x.swapaxes(0, 2)),
    method("swapdims", real(2, 3), 0, 1, reference=np.transpose),
    method("moveaxis", real(2, 3, 4), (0, 1), (-1, 0), reference=lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
    *(
        several(name, *sources)
        for name in ("atleast_1d", "atleast_2d", "atleast_3d")
        for sources in ((real(), real(3)), (real(2, 3), real(1, 2, 3, 1)), (real(0),), (whole(2),))
    ),
    Sample(
        "atleast_2d of a list",
        lambda *xs: shape.atleast_2d(list(xs)),
        (real(2), real()),
        lambda *xs: np.atleast_2d(*xs),
        lambda torch, *xs: torch.atleast_2d(list(xs)),
    ),
    method("narrow", real(4, 3), 0, 1, 2, reference=lambda x: x[1:3]),
    method("narrow", real(4, 3), -1, -2, 2, reference=lambda x: x[:, 1:]),
    method("narrow", real(4, 3), 1, 3, 0, reference=lambda x: x[:, 3:]),
    method("select", real(4, 3), 1, -1, reference=lambda x: x[:, 2]),
    method("select", real(4), 0, 2, reference=lambda x: x[2]),
)

ERRORS = (
    ErrorSample("reshape", shape.reshape, (real(2, 3), 4, 2), ShapeError, r"\[2, 3\] has 6 .*\[4, 2\] has 8"),
    ErrorSample("reshape -1", shape.reshape, (real(2, 3), 4, -1), ShapeError, "6 is not a multiple of 4"),
    ErrorSample("reshape -1 -1", shape.reshape, (real(2, 3), -1, -1), ShapeError, "at most one -1"),
    ErrorSample("reshape -2", shape.reshape, (real(2, 3), -2, 3), ShapeError, "at least 0"),
    ErrorSample("reshape 0 -1", shape.reshape, (real(0, 3), 0, -1), ShapeError, "could be anything"),
    ErrorSample("reshape float", shape.reshape, (real(2, 3), 2.0, 3), DTypeError, r"shape takes ints, got \(2.0"),
    ErrorSample("view turned", lambda x: shape.view(shape.t(x), 6), (real(2, 3),), ShapeError, "view: .* use reshape"),
    ErrorSample("flatten", shape.flatten, (real(2, 3), 1, 0), ArgumentError, "start_dim 1 .* end_dim 0"),
    ErrorSample("unflatten", shape.unflatten, (real(2, 6), 1, (4, 2)), ShapeError, "has 6 .* has 8"),
    ErrorSample("permute few", shape.permute, (real(2, 3), 0), ArgumentError, "each of the 2 dimensions"),
    ErrorSample("permute twice", shape.permute, (real(2, 3), 0, -2), ArgumentError, "twice"),
    ErrorSample("transpose", shape.transpose, (real(2, 3), 0, 2), IndexOutOfRangeError, "dim1 2 is out of range"),
    ErrorSample("t", shape.t, (real(2, 3, 4),), ShapeError, r"\[2, 3, 4\]"),
    ErrorSample("movedim", shape.movedim, (real(2, 3), (0, 1), 0), ArgumentError, "2 source dims but 1"),
    ErrorSample("squeeze", shape.squeeze, (real(2, 3), 2), IndexOutOfRangeError, "squeeze: dim 2"),
    ErrorSample("unsqueeze", shape.unsqueeze, (real(2, 3), 3), IndexOutOfRangeError, "unsqueeze: dim 3"),
    ErrorSample("narrow", shape.narrow, (real(4), 0, 3, 2), IndexOutOfRangeError, "start 3 and length 2 .*size 4"),
    ErrorSample("narrow 0-d", shape.narrow, (real(), 0, 0, 0), ShapeError, "at least 1 dimension"),
    ErrorSample("select", shape.select, (real(4), 0, 4), IndexOutOfRangeError, "index 4 .* dim 0 of size 4"),
    ErrorSample("select 0-d", shape.select, (real(), 0, 0), ShapeError, "at least 1 dimension"),
    ErrorSample("atleast_1d", shape.atleast_1d, (1.0,), DTypeError, "atleast_1d: takes a tensor, got float"),
    ErrorSample("dim float", shape.squeeze, (real(2), 0.0), DTypeError, "dim must be an integer, got float"),
)
