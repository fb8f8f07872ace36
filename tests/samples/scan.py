"""Samples: running sums and products."""

from collections.abc import Callable

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError
from autograd_cnn.ops import scan
from samples.sample import ErrorSample, Sample, given, real, truth, whole

CASES = (((5,), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((3, 1), 1), ((0, 2), 0), ((2, 0), 0), ((), 0))
ZEROS = [[2.0, 0.0, 3.0, 4.0], [0.0, 1.0, 0.0, 2.0], [1.0, 2.0, 3.0, 0.0]]


def running(fold: Callable) -> Callable:
    def reference(x: np.ndarray, dim: int) -> np.ndarray:
        return fold(x, axis=dim) if x.ndim else fold(x).reshape(())

    return reference


def each(name: str, fold: Callable) -> list[Sample]:
    op, reference = getattr(scan, name), running(fold)
    return [
        *(Sample(f"{name} {list(s)} {d}", op, (real(*s),), reference, name, {"dim": d}) for s, d in CASES),
        Sample(f"{name} zeros", op, (given(ZEROS),), reference, name, {"dim": 1}),
        Sample(f"{name} of ints", op, (whole(4),), reference, name, {"dim": 0}),
        Sample(f"{name} of bools", op, (truth(4),), reference, name, {"dim": 0}),
        *(
            Sample(f"{name} large {d}", op, (real(2, 3),), reference, name, {"dim": d}, large=(real(300, 200),))
            for d in (0, 1)
        ),
        Sample(
            f"{name} in float64",
            lambda x: op(x, 0, dtype="float64"),
            (whole(4),),
            lambda x: reference(x, 0) * 1.0,
            lambda torch, x: getattr(torch, name)(x, 0, dtype=torch.float64),
        ),
    ]


SAMPLES = (*each("cumsum", np.cumsum), *each("cumprod", np.cumprod))

ERRORS = (
    ErrorSample("cumsum, no such dim", scan.cumsum, (real(3), 1), IndexOutOfRangeError, "cumsum: dim 1 is out of"),
    ErrorSample("cumprod, no dim", scan.cumprod, (real(3), None), DTypeError, "cumprod: dim must be an integer"),
)
