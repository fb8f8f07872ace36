"""Samples: one index for every element that is written."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import scatter
from samples.sample import ErrorSample, Sample, apart, given, positive, real, truth, whole

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def places(index, dim):
    """Each place of the index, and where it points."""
    for place in np.ndindex(index.shape):
        target = list(place)
        if target:
            target[dim] = index[place]
        yield place, tuple(target)


def put(x, index, src, dim):
    y = x.copy()
    for place, target in places(index, dim):
        y[target] = src[place]
    return y


def reduced(x, index, src, dim, reduce, include_self=True):
    found = {}
    for place, target in places(index, dim):
        found.setdefault(target, [x[target]] if include_self else []).append(src[place])
    function = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    y = x.copy()
    for target, values in found.items():
        value = function(values)
        y[target] = np.floor(value) if x.dtype.kind == "i" else value
    return y


def scattered(title: str, x, index, src, dim, **options) -> Sample:
    return Sample(
        f"scatter {title}",
        lambda x, index, src: scatter.scatter(x, dim, index, src),
        (x, index, src),
        lambda x, index, src: put(x, index, src, dim),
        lambda torch, x, index, src: x.scatter(dim, index, src[tuple(slice(n) for n in index.shape)]),
        **options,
    )


def each_reduction(title: str, x, index, src, dim, large=(), **options) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            f"scatter_reduce {title} {reduce} {options}",
            lambda x, index, src, reduce=reduce: scatter.scatter_reduce(x, dim, index, src, reduce, **options),
            (x, index, src),
            lambda x, index, src, reduce=reduce: reduced(x, index, src, dim, reduce, **options),
            lambda torch, x, index, src, reduce=reduce: theirs(x, dim, index, src, reduce, **options),
            large=large,
        )
        for reduce in REDUCTIONS
    )


def theirs(x, dim, index, src, reduce, include_self=True):
    if reduce == "prod" and not include_self:  # PyTorch divides by x and multiplies with it: 0 but for rounding
        touched = x.new_zeros(x.shape).scatter(dim, index, 1).bool()
        return x.new_ones(x.shape).scatter_reduce(dim, index, src, reduce).where(touched, x)
    return x.scatter_reduce(dim, index, src, reduce, include_self=include_self) if index.numel() else x * 1


def filled(title: str, x, index, value, dim) -> Sample:
    return Sample(
        f"scatter {value} {title}",
        lambda x, index: scatter.scatter(x, dim, index, value),
        (x, index),
        lambda x, index: put(x, index, np.full(index.shape, value), dim),
        lambda torch, x, index: x.scatter(dim, index, value),
    )


ROWS, COLUMNS = given([[2, 0, 1], [0, 2, 0]]), given([[3, 0], [1, 4], [2, 1]])
MANY = given([[7] * 200] * 250)

SAMPLES = (
    scattered("rows", real(3, 3), ROWS, real(2, 3), 0, large=(real(300, 200), MANY, real(250, 200))),
    scattered("columns", real(3, 5), COLUMNS, real(3, 2), -1),
    scattered("three dims", real(2, 4, 3), given([[[3, 0, 1]], [[2, 2, 2]]]), real(2, 1, 3), 1),
    scattered("larger src", real(3, 5), COLUMNS, real(4, 3), 1),
    scattered("a vector", real(5), given([4, 0, 2]), real(3), 0),
    scattered("numbers", real(), given(0), real(), 0),
    scattered("nothing", real(2, 3), given(np.zeros((2, 0), np.int64)), real(2, 0), 1),
    scattered("integers", whole(3, 3), ROWS, whole(2, 3), 0),
    scattered("bools", truth(3, 3), ROWS, truth(2, 3), 0),
    scattered("int32 index", real(3, 3), given(np.array([[2, 0, 1]], np.int32)), real(1, 3), 0),
    Sample(
        "scatter twice to one place",
        lambda x, index, src: scatter.scatter(x, 1, index, src),
        (real(2, 3), given([[1, 1, 0], [2, 2, 2]]), real(2, 3)),
        lambda x, index, src: put(x, index, src, 1),
        lambda torch, x, index, src: torch.where(
            torch.tensor([[False, False, True], [True, True, False]]),
            x,
            torch.stack([torch.stack([src[0, 2], src[0, 1], src[0, 0]]), src[1, 2].expand(3)]),
        ),
    ),
    filled("rows", real(3, 3), ROWS, 2.5, 0),
    filled("columns", real(3, 5), COLUMNS, 7, 1),
    filled("integers", whole(3, 3), ROWS, 7, 0),
    Sample(
        "scatter value=",
        lambda x, index: scatter.scatter(x, 0, index, value=1.5),
        (real(3, 3), ROWS),
        lambda x, index: put(x, index, np.full(index.shape, 1.5), 0),
        lambda torch, x, index: x.scatter(0, index, value=1.5),
    ),
    *(
        Sample(
            f"scatter reduce={reduce}",
            lambda x, index, src, reduce=reduce: scatter.scatter(x, 0, index, src, reduce=reduce),
            (real(2, 3), given([[0, 1, 1], [0, 0, 1]]), real(2, 3)),
            lambda x, index, src, same=same: reduced(x, index, src, 0, same),
            lambda torch, x, index, src, same=same: x.scatter_reduce(0, index, src, same),
        )
        for reduce, same in (("add", "sum"), ("multiply", "prod"))
    ),
    Sample(
        "scatter_",
        lambda x, index, src: scatter.scatter_(x * x, 0, index, src),
        (real(3, 3), ROWS, real(2, 3)),
        lambda x, index, src: put(x * x, index, src, 0),
        lambda torch, x, index, src: (x * x).scatter_(0, index, src),
    ),
    Sample(
        "scatter_ nothing",
        lambda x, index: scatter.scatter_(x * x, 0, index, 1.0),
        (real(3), given(np.zeros(0, np.int64))),
        lambda x, index: x * x,
        lambda torch, x, index: (x * x).scatter_(0, index, 1.0),
    ),
    *each_reduction(
        "rows",
        apart(3, 3),
        given([[0, 1, 1], [0, 0, 1], [0, 1, 0], [2, 1, 1]]),
        apart(4, 3, gap=0.17),
        0,
        large=(positive(200, 150), whole(300, 150, low=0, high=200), positive(300, 150)),
    ),
    *each_reduction(
        "columns", apart(2, 4), given([[0, 0, 3], [2, 2, 2]]), apart(2, 3, gap=0.17), -1, include_self=False
    ),
    Sample(
        "scatter_reduce larger src",
        lambda x, index, src: scatter.scatter_reduce(x, 1, index, src, "mean"),
        (real(2, 4), given([[0, 0], [2, 1]]), real(2, 3)),
        lambda x, index, src: reduced(x, index, src, 1, "mean"),
        lambda torch, x, index, src: x.scatter_reduce(1, index, src[:, :2], "mean"),
    ),
    *each_reduction("integers", whole(4), given([0, 0, 3]), whole(3), 0),
    *each_reduction("integers", whole(4), given([0, 0, 3]), whole(3), 0, include_self=False),
    *each_reduction("bools", truth(4), given([0, 0, 3]), truth(3), 0)[:2],
    *each_reduction("nothing", real(2, 3), given(np.zeros((2, 0), np.int64)), real(2, 0), 1),
    *(
        Sample(
            f"scatter_reduce prod {title}",
            lambda x, index, src: scatter.scatter_reduce(x, 0, index, src, "prod"),
            (given(x), given([0, 0, 1, 1, 1]), given(src)),
            lambda x, index, src: reduced(x, index, src, 0, "prod"),
            # PyTorch divides by x, and has no second derivatives where there are several zeros.
            lambda torch, x, index, src: torch.stack([x[0] * src[0] * src[1], x[1] * src[2] * src[3] * src[4]]),
        )
        for title, x, src in (
            ("zero in src", [2.0, 3.0], [0.0, 5.0, 7.0, 2.0, 3.0]),
            ("zero in x", [0.0, 3.0], [4.0, 5.0, 7.0, 2.0, 3.0]),
            ("zeros in src", [2.0, 3.0], [0.0, 0.0, 7.0, 0.0, 0.0]),
            ("zeros in both", [0.0, 3.0], [0.0, 5.0, 0.0, 0.0, 0.0]),
        )
    ),
    *(
        Sample(
            f"scatter_reduce ties {reduce}",
            lambda x, index, src, reduce=reduce: scatter.scatter_reduce(x, 0, index, src, reduce),
            (given([1.0, 2.0]), given([0, 0, 0, 1]), given([1.0, 0.5, 1.0, 2.0])),
            lambda x, index, src, reduce=reduce: reduced(x, index, src, 0, reduce),
            lambda torch, x, index, src, reduce=reduce: x.scatter_reduce(0, index, src, reduce),
            order=1,
            why="a kink",
        )
        for reduce in ("amax", "amin")
    ),
    Sample(
        "scatter_reduce of nan",
        lambda x, index, src: scatter.scatter_reduce(x, 0, index, src, "amax"),
        (given([np.nan, 2.0, 3.0]), given([0, 1, 1]), given([1.0, np.nan, 5.0])),
        lambda x, index, src: np.array([np.nan, np.nan, 3.0]),
        lambda torch, x, index, src: x.scatter_reduce(0, index, src, "amax"),
        order=0,
        why="not differentiable",
    ),
    Sample(
        "scatter_reduce_",
        lambda x, index, src: scatter.scatter_reduce_(x * x, 0, index, src, "mean", include_self=False),
        (real(3), given([2, 0, 2]), real(3)),
        lambda x, index, src: reduced(x * x, index, src, 0, "mean", include_self=False),
        lambda torch, x, index, src: (x * x).scatter_reduce_(0, index, src, "mean", include_self=False),
    ),
)


ERRORS = (
    ErrorSample("range", scatter.scatter, (real(3), 0, given([3]), real(1)), IndexOutOfRangeError, "index 3 .* size 3"),
    ErrorSample("negative", scatter.scatter, (real(3), 0, given([-1]), 1), IndexOutOfRangeError, "scatter: index -1"),
    ErrorSample("dims", scatter.scatter, (real(2, 3), 0, given([0]), 1), ShapeError, r"index \[1\] .* input \[2, 3\]"),
    ErrorSample(
        "x", scatter.scatter, (real(2, 1), 0, given([[0, 1]]), 1), ShapeError, "larger than input .* dimension 1"
    ),
    ErrorSample("src", scatter.scatter, (real(3), 0, given([0, 1]), real(1)), ShapeError, "larger than src"),
    ErrorSample("dtypes", scatter.scatter, (real(3), 0, given([0]), whole(1)), DTypeError, "src has dtype int64"),
    ErrorSample("value", scatter.scatter, (whole(3), 0, given([0]), 1.5), DTypeError, "value 1.5 cannot be put into"),
    ErrorSample("no src", scatter.scatter, (real(3), 0, given([0])), DTypeError, "must be a number or a tensor"),
    ErrorSample(
        "reduce", scatter.scatter, (real(3), 0, given([0]), real(1)), ArgumentError, "got 'max'", {"reduce": "max"}
    ),
    ErrorSample(
        "scatter_reduce", scatter.scatter_reduce, (real(3), 0, given([0]), real(1), "max"), ArgumentError, "got 'max'"
    ),
)
