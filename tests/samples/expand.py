"""Samples: views in which elements repeat."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import expand
from samples.sample import ErrorSample, Sample, real, whole


def method(name: str, source, *arguments, reference) -> Sample:
    """A function of a tensor and arguments that PyTorch has as a method of the same name."""
    return Sample(
        f"{name} {list(source.shape)} {arguments}",
        lambda x: getattr(expand, name)(x, *arguments),
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments),
    )


def grid(*sources, **kwargs) -> Sample:
    return Sample(
        f"meshgrid {[list(source.shape) for source in sources]} {kwargs}",
        lambda *xs, **kwargs: expand.meshgrid(*xs, **kwargs),
        sources,
        lambda *xs, indexing="ij": np.meshgrid(*xs, indexing=indexing),
        lambda torch, *xs, indexing="ij": torch.meshgrid(*xs, indexing=indexing),
        kwargs,
    )


def together(*sources) -> Sample:
    return Sample(
        f"broadcast_tensors {[list(source.shape) for source in sources]}",
        expand.broadcast_tensors,
        sources,
        lambda *xs: np.broadcast_arrays(*xs),
        "broadcast_tensors",
    )


SAMPLES = (
    method("expand", real(2, 1), 3, -1, 4, reference=lambda x: np.broadcast_to(x, (3, 2, 4))),
    method("expand", real(), 2, 2, reference=lambda x: np.broadcast_to(x, (2, 2))),
    method("expand", real(1), 0, reference=lambda x: np.broadcast_to(x, 0)),
    method("broadcast_to", real(2, 1), (2, 3), reference=lambda x: np.broadcast_to(x, (2, 3))),
    together(real(3, 1), real(2)),
    together(real(), real(2, 1, 3), whole(4, 1)),
    together(real(0, 3), real(1, 1)),
    together(real(2)),
    grid(real(2), real(3)),
    grid(real(2), real(), real(3)),
    grid(real(2), real(3), real(1), indexing="xy"),
    grid(real(2), indexing="xy"),
    grid(whole(2), whole(0)),
    Sample(
        "meshgrid of a list",
        lambda *xs: expand.meshgrid(xs, indexing="xy"),
        (real(2), real(3)),
        lambda *xs: np.meshgrid(*xs),
        lambda torch, *xs: torch.meshgrid(xs, indexing="xy"),
    ),
)

ERRORS = (
    ErrorSample("expand", expand.expand, (real(2, 3), 2, 4), ShapeError, "3 to 4 at dim 1"),
    ErrorSample("expand few", expand.expand, (real(2, 3), 3), ShapeError, "fewer dimensions"),
    ErrorSample("expand -1", expand.expand, (real(3), -1, 3), ShapeError, "1 to -1 at dim 0"),
    ErrorSample(
        "broadcast_tensors", expand.broadcast_tensors, (real(2), real(3)), ShapeError, r"\[2\] and \[3\] do not"
    ),
    ErrorSample(
        "broadcast_tensors of numbers", expand.broadcast_tensors, (2.0,), DTypeError, "takes a tensor, got float"
    ),
    ErrorSample("meshgrid nothing", expand.meshgrid, (), ArgumentError, "at least one tensor"),
    ErrorSample("meshgrid dims", expand.meshgrid, (real(2), real(2, 3)), ShapeError, r"tensors\[1\] .* \[2, 3\]"),
    ErrorSample(
        "meshgrid dtypes", expand.meshgrid, (real(2), whole(3)), DTypeError, r"float32, tensors\[1\] has int64"
    ),
    ErrorSample("meshgrid indexing", expand.meshgrid, (real(2),), ArgumentError, "got 'yx'", {"indexing": "yx"}),
)
