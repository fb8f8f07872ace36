"""Samples: one index for every position of a dimension that is written, and masks."""

import numpy as np

from autograd_cnn.errors import DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import index_write
from samples.sample import ErrorSample, Sample, given, real, truth, whole


def written(name: str, x, index, source, dim, add: bool):
    y = np.array(x)
    target, values = (np.moveaxis(a, dim, 0) if a.ndim else a.reshape(1) for a in (y, np.asarray(source)))
    for j, i in enumerate(index.reshape(-1)):
        target[i] = values[j] + target[i] if add else values[j]
    return y


def indexed(name: str, title: str, x, index, source, dim, large=(), torch=None, **options) -> Sample:
    alpha = options.get("alpha", 1)
    return Sample(
        f"{name} {title} {options}",
        lambda x, index, source: getattr(index_write, name)(x, dim, index, source, **options),
        (x, index, source),
        lambda x, index, source: written(name, x, index, source * alpha, dim, name == "index_add"),
        torch or (lambda torch, x, index, source: getattr(x, name)(dim, index, source, **options)),
        large=large,
    )


def filled(title: str, x, index, dim, value=2.5) -> Sample:
    def reference(x, index):
        y = np.array(x)
        (np.moveaxis(y, dim, 0) if y.ndim else y.reshape(1))[index] = value
        return y

    return Sample(
        f"index_fill {title}",
        lambda x, index: index_write.index_fill(x, dim, index, value),
        (x, index),
        reference,
        lambda torch, x, index: x.index_fill(dim, index, value),
    )


def put(x, indices, values, accumulate):
    y = x.copy()
    y[indices] = values + y[indices] if accumulate else values
    return y


def masked(x, mask, source):
    x, mask = (np.array(a) for a in np.broadcast_arrays(x, mask))
    x[mask] = np.ravel(source)[: mask.sum()]
    return x


SAMPLES = (
    *(
        sample
        for name in ("index_add", "index_copy")
        for sample in (
            indexed(
                name,
                "rows",
                real(3, 4),
                given([2, 0]),
                real(2, 4),
                0,
                large=(real(300, 200), given(np.arange(250)[::-1].copy()), real(250, 200)),
            ),
            indexed(name, "columns", real(3, 4), given([3, 1, 0]), real(3, 3), -1),
            indexed(name, "three dims", real(2, 3, 2), given([1]), real(2, 1, 2), 1),
            indexed(name, "one position", real(3, 4), given(2), real(1, 4), 0),
            indexed(name, "numbers", real(), given([0]), real(), 0),
            indexed(name, "nothing", real(3, 4), given(np.zeros(0, np.int64)), real(3, 0), 1),
            indexed(name, "empty", real(0, 4), given([1, 3]), real(0, 2), 1),
            indexed(name, "integers", whole(3, 4), given([2, 0]), whole(2, 4), 0),
            indexed(name, "bools", truth(3, 4), given([2, 0]), truth(2, 4), 0),
        )
    ),
    indexed("index_add", "rows twice", real(3, 4), given([2, 0, 2]), real(3, 4), 0),
    indexed("index_add", "rows", real(3, 4), given([2, 0]), real(2, 4), 0, alpha=2.5),
    indexed(
        "index_copy",
        "rows twice",
        real(3, 4),
        given([2, 0, 2]),
        real(3, 4),
        0,
        torch=lambda torch, x, index, source: torch.stack([source[1], x[1], source[2]]),
    ),
    filled("rows", real(3, 4), given([2, 0]), 0),
    filled("columns", real(3, 4), given([-1, 1, 1]), -1, 7),
    filled("a number", real(), given([0]), 0),
    filled("one position", real(3, 4), given(1), 1),
    filled("nothing", real(3, 4), given(np.zeros(0, np.int64)), 1),
    filled("integers", whole(3, 4), given([2, 0]), 0, 7),
    Sample(
        "index_fill by a tensor",
        lambda x, index, value: index_write.index_fill(x, 1, index, value),
        (real(2, 3), given([2, 0]), real()),
        lambda x, index, value: np.stack([np.full(2, value), x[:, 1], np.full(2, value)], 1),
        lambda torch, x, index, value: x.index_fill(1, index, value),
    ),
    *(
        Sample(
            f"{name}_ {list(x.shape)}",
            lambda x, index, source, name=name: getattr(index_write, f"{name}_")(x * x, -1, index, source),
            (x, given([0]), source),
            lambda x, index, source, name=name: written(name, x * x, index, source, -1, name == "index_add"),
            lambda torch, x, index, source, name=name: getattr(x * x, f"{name}_")(-1, index, source),
        )
        for name in ("index_add", "index_copy")
        for x, source in ((real(2, 3), real(2, 1)), (real(), real()))
    ),
    Sample(
        "index_fill_",
        lambda x, index: index_write.index_fill_(x * x, 0, index, 3),
        (real(3), given([1, -1])),
        lambda x, index: np.array([x[0] ** 2, 3, 3]),
        lambda torch, x, index: (x * x).index_fill_(0, index, 3),
    ),
    *(
        Sample(
            f"index_put {accumulate}",
            lambda x, i, j, values, accumulate=accumulate: index_write.index_put(x, (i, j), values, accumulate),
            (real(3, 4), given([0, 2]), given([1, -1]), real(2)),
            lambda x, i, j, values, accumulate=accumulate: put(x, (i, j), values, accumulate),
            lambda torch, x, i, j, values, accumulate=accumulate: x.index_put((i, j), values, accumulate),
        )
        for accumulate in (False, True)
    ),
    *(
        Sample(f"masked_scatter {title}", index_write.masked_scatter, inputs, masked, "masked_scatter")
        for title, inputs in (
            ("alike", (real(3, 4), truth(3, 4), real(12))),
            ("mask broadcasts", (real(3, 4), given([True, False, True, False]), real(2, 5))),
            ("x broadcasts", (real(4), truth(3, 4), real(3, 4))),
            ("a number", (real(), given(True), real(1))),
            ("nothing", (real(3), given([False] * 3), real(0))),
            ("empty", (real(0, 3), truth(0, 3), real(2))),
            ("integers", (whole(3, 4), truth(3, 4), whole(12))),
        )
    ),
    Sample(
        "masked_scatter_",
        lambda x, mask, source: index_write.masked_scatter_(x * x, mask, source),
        (real(2, 3), given([True, False, True]), real(5)),
        lambda x, mask, source: masked(x * x, mask, source),
        lambda torch, x, mask, source: (x * x).masked_scatter_(mask, source),
    ),
)

ADD, COPY, FILL, MASKED = (
    index_write.index_add,
    index_write.index_copy,
    index_write.index_fill,
    index_write.masked_scatter,
)

ERRORS = (
    ErrorSample("add range", ADD, (real(3), 0, given([3]), real(1)), IndexOutOfRangeError, "index 3 .* size 3"),
    ErrorSample("add negative", ADD, (real(3), 0, given([-1]), real(1)), IndexOutOfRangeError, "index_add: index -1"),
    ErrorSample("add shape", ADD, (real(2, 3), 0, given([1]), real(2, 3)), ShapeError, r"\[2, 3\], .* need \[1, 3\]"),
    ErrorSample("add matrix", ADD, (real(3), 0, given([[1]]), real(1)), ShapeError, r"shape \[1, 1\]"),
    ErrorSample("add dtype", ADD, (real(3), 0, given([1]), whole(1)), DTypeError, "source has dtype int64"),
    ErrorSample("copy broadcast", COPY, (real(2, 3), 1, given([1, 2]), real(1, 2)), ShapeError, r"need \[2, 2\]"),
    ErrorSample("copy floats", COPY, (real(3), 0, real(1), real(1)), DTypeError, "index must hold integers"),
    ErrorSample("copy dim", COPY, (real(3), 1, given([0]), real(1)), IndexOutOfRangeError, "index_copy: dim 1"),
    ErrorSample("fill range", FILL, (real(3), 0, given([-4]), 1), IndexOutOfRangeError, "index_fill: index -1 is out"),
    ErrorSample("fill tensor", FILL, (real(3), 0, given([1]), real(1)), ShapeError, r"value must be a number, .*\[1\]"),
    ErrorSample("fill float", FILL, (whole(3), 0, given([1]), 1.5), DTypeError, "1.5 cannot be put"),
    ErrorSample("masked few", MASKED, (real(3), given([True] * 3), real(2)), ShapeError, "3 elements, source has 2"),
    ErrorSample("masked floats", MASKED, (real(3), real(3), real(3)), DTypeError, "mask must be a bool tensor"),
    ErrorSample("masked dtype", MASKED, (real(3), truth(3), whole(3)), DTypeError, "source has dtype int64"),
    ErrorSample(
        "masked_ shape", index_write.masked_scatter_, (real(3), truth(2, 3), real(6)), ShapeError, "does not broadcast"
    ),
)
