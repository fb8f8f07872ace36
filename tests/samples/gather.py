"""Samples: one index for every element."""

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import gather
from samples.sample import ErrorSample, Sample, given, real, truth, whole


def gathered(x, index, dim):
    if x.ndim == 0:
        return x
    y = np.empty(index.shape)
    for place in np.ndindex(index.shape):
        source = list(place)
        source[dim] = index[place]
        y[place] = x[tuple(source)]
    return y


def scattered(x, index, src, dim):
    y = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        if x.ndim:
            target[dim] = index[place]
        y[tuple(target)] += src[place]
    return y


def scattered_torch(torch, x, index, src, dim):
    # A larger src is documented there, but its backward fails.
    return x.scatter_add(dim, index, src[tuple(slice(n) for n in index.shape)])


def take(x, index, dim) -> Sample:
    return Sample(
        f"gather {list(x.shape)} {list(index.shape)} {dim}",
        lambda x, index, dim: gather.gather(x, dim, index),
        (x, index),
        gathered,
        lambda torch, x, index, dim: torch.gather(x, dim, index),
        {"dim": dim},
    )


def add(x, index, src, dim) -> Sample:
    return Sample(
        f"scatter_add {list(x.shape)} {list(index.shape)} {list(src.shape)} {dim}",
        lambda x, index, src, dim: gather.scatter_add(x, dim, index, src),
        (x, index, src),
        scattered,
        scattered_torch,
        {"dim": dim},
    )


SAMPLES = (
    take(real(5), whole(3, low=0, high=5), 0),
    take(real(2, 5), whole(2, 3, low=0, high=5), 1),
    take(real(5, 2), whole(7, 2, low=0, high=5), -2),
    take(real(3, 4, 2), whole(2, 5, 1, low=0, high=4), 1),
    take(real(3, 4), whole(0, 2, low=0, high=4), 1),
    take(real(), given(0), 0),
    Sample(
        "gather large",
        lambda x, index: gather.gather(x, 1, index),
        (real(2, 5), whole(2, 3, low=0, high=5)),
        lambda x, index: gathered(x, index, 1),
        lambda torch, x, index: torch.gather(x, 1, index),
        large=(real(300, 50), whole(300, 200, low=0, high=50)),
    ),
    add(real(5), whole(7, low=0, high=5), real(7), 0),
    add(real(2, 5), whole(2, 3, low=0, high=5), real(2, 3), 1),
    add(real(3, 4, 2), whole(2, 5, 1, low=0, high=4), real(3, 5, 2), 1),
    add(real(3, 4), whole(3, 0, low=0, high=4), real(3, 2), -1),
    add(real(), given(0), real(), 0),
    Sample(
        "scatter_add large",
        lambda x, index, src: gather.scatter_add(x, 0, index, src),
        (real(3, 4), whole(5, 4, low=0, high=3), real(5, 4)),
        lambda x, index, src: scattered(x, index, src, 0),
        lambda torch, x, index, src: x.scatter_add(0, index, src),
        large=(real(300, 200), whole(400, 200, low=0, high=300), real(400, 200)),
    ),
    Sample(
        "scatter_add_",
        lambda x, index, src: gather.scatter_add_(x * 1, -1, index, src),
        (real(2, 5), whole(2, 3, low=0, high=5), real(2, 3)),
        lambda x, index, src: scattered(x, index, src, 1),
        lambda torch, x, index, src: (x * 1).scatter_add_(-1, index, src),
    ),
    Sample(
        "scatter_add of integers",
        lambda x, index, src: gather.scatter_add(x, 0, index, src),
        (whole(5), whole(7, low=0, high=5), whole(7)),
        lambda x, index, src: scattered(x, index, src, 0),
        lambda torch, x, index, src: x.scatter_add(0, index, src),
    ),
    *(
        Sample(
            f"take_along_dim {list(x.shape)} {list(index.shape)} {dim}",
            gather.take_along_dim,
            (x, index),
            lambda x, index, dim: np.take_along_axis(x, index, dim),
            "take_along_dim",
            {"dim": dim},
        )
        for x, index, dim in (
            (real(3, 4), whole(3, 2, low=0, high=4), 1),
            (real(3, 4), whole(1, 2, low=0, high=4), -1),
            (real(1, 4), whole(3, 2, low=0, high=4), 1),
            (real(2, 3), whole(4, low=0, high=6), None),
        )
    ),
)

ERRORS = (
    ErrorSample(
        "gather range",
        gather.gather,
        (real(2, 3), 1, given([[0], [3]])),
        IndexOutOfRangeError,
        "gather: index 3 is out of range for dimension 1 of size 3",
    ),
    ErrorSample("gather negative", gather.gather, (real(3), 0, given([-1])), IndexOutOfRangeError, "gather: index -1"),
    ErrorSample(
        "gather dims", gather.gather, (real(2, 3), 1, given([0])), ShapeError, r"index \[1\] .* input \[2, 3\]"
    ),
    ErrorSample(
        "gather size", gather.gather, (real(2, 3), 1, given([[0]] * 3)), ShapeError, "larger than input .* dimension 0"
    ),
    ErrorSample(
        "gather floats", gather.gather, (real(3), 0, real(3)), DTypeError, "index must hold integers .* float32"
    ),
    ErrorSample("gather bools", gather.gather, (real(3), 0, truth(3)), DTypeError, "index must hold integers"),
    ErrorSample("gather dim", gather.gather, (real(3), 1, given([0])), IndexOutOfRangeError, "gather: dim 1"),
    ErrorSample(
        "scatter_add range",
        gather.scatter_add,
        (real(3), 0, given([3]), real(1)),
        IndexOutOfRangeError,
        "scatter_add: index 3 is out of range for dimension 0 of size 3",
    ),
    ErrorSample(
        "scatter_add src", gather.scatter_add, (real(3), 0, given([0, 1]), real(1)), ShapeError, "larger than src"
    ),
    ErrorSample(
        "scatter_add dtype", gather.scatter_add, (real(3), 0, given([0]), whole(1)), DTypeError, "src has dtype"
    ),
    ErrorSample(
        "take_along_dim",
        gather.take_along_dim,
        (real(2, 3), given([0])),
        ShapeError,
        r"indices \[1\] .* input \[2, 3\]",
        {"dim": 1},
    ),
)
