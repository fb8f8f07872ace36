"""Samples: triangles of matrices."""

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops import triangle
from samples.sample import ErrorSample, Sample, real, truth, whole


def both(title: str, source, *arguments, large=()) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            f"{name} {title} {arguments}",
            lambda x, name=name: getattr(triangle, name)(x, *arguments),
            (source,),
            lambda x, name=name: getattr(np, name)(x, *arguments),
            lambda torch, x, name=name: getattr(torch, name)(x, *arguments),
            large=large,
        )
        for name in ("tril", "triu")
    )


SAMPLES = (
    *both("square", real(3, 3), large=(real(300, 200),)),
    *both("wide", real(2, 4), 1),
    *both("tall", real(4, 2), -2),
    *both("many", real(2, 3, 3, 2), -1),
    *both("all", real(3, 4), 9),
    *both("nothing", real(3, 4), -9),
    *both("empty", real(2, 0, 3)),
    *both("no columns", real(2, 3, 0), 1),
    *both("integers", whole(3, 3)),
    *both("bools", truth(3, 3), 1),
    *(
        Sample(
            f"{name}_",
            lambda x, name=name: getattr(triangle, f"{name}_")(x * x, -1),
            (real(3, 4),),
            lambda x, name=name: getattr(np, name)(x * x, -1),
            lambda torch, x, name=name: getattr(x * x, f"{name}_")(-1),
        )
        for name in ("tril", "triu")
    ),
)

ERRORS = (
    ErrorSample(
        "tril", triangle.tril, (real(3),), ShapeError, r"tril: takes at least 2 dimensions, input has shape \[3\]"
    ),
    ErrorSample(
        "triu", triangle.triu, (real(),), ShapeError, r"triu: takes at least 2 dimensions, input has shape \[\]"
    ),
    ErrorSample("triu of a list", triangle.triu, ([[1.0]],), DTypeError, "triu: takes a tensor, got list"),
)
