"""Samples: copies and conversions."""

import numpy as np

from autograd_cnn.errors import DTypeError
from autograd_cnn.ops import cast
from samples.sample import ErrorSample, Sample, apart, given, real, truth, whole

SHAPES = ((), (0,), (1,), (3, 4), (2, 0, 3))


def converted(name: str, source, dtype: str, order: int = 2, why: str = "") -> Sample:
    return Sample(
        f"to {dtype} {name}",
        lambda x: x.to(np.dtype(dtype)),
        (source,),
        lambda x: x.astype(dtype),
        lambda torch, x: x.to(getattr(torch, dtype)),
        order=order,
        why=why,
    )


SAMPLES = (
    *(Sample(f"clone {list(s)}", cast.clone, (real(*s),), np.array, "clone") for s in SHAPES),
    Sample("clone int", cast.clone, (whole(3, 4),), np.array, "clone"),
    *(converted(f"from real {list(s)}", real(*s), "float64") for s in SHAPES),
    converted("from real", real(3, 4), "float32", 1, "finite differences need float64"),
    converted("from real", apart(3, 4), "int64", 0, "integers have no gradient"),
    converted("from real", given([0.0, -0.0, 0.3, -2.0, np.nan]), "bool", 0, "bools have no gradient"),
    converted("from int", whole(3, 4), "float32", 0, "integers have no gradient"),
    converted("from bool", truth(3, 4), "int32", 0, "bools have no gradient"),
    converted("from int", whole(3, 4, low=0), "uint8", 0, "integers have no gradient"),
)

ERRORS = (
    ErrorSample(
        "to an unknown dtype", lambda x: x.to(np.dtype("complex64")), (real(3),), DTypeError, "to: dtype complex64"
    ),
)
