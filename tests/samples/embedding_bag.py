"""Samples: sums, means and maxima over bags of rows of a table."""

from itertools import pairwise

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.nn import functional as F
from samples.sample import ErrorSample, Sample, apart, given, real, whole


def embedding_bag(
    x: np.ndarray,
    weight: np.ndarray,
    offsets=None,
    mode="mean",
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
    scale_grad_by_freq=False,
) -> np.ndarray:
    starts = np.arange(len(x) + 1) * x.shape[-1] if offsets is None else offsets
    if offsets is not None and not include_last_offset:
        starts = np.append(starts, x.size)
    flat = x.ravel()
    factors = np.ones(x.size) if per_sample_weights is None else per_sample_weights.ravel()
    bags = []
    for first, last in pairwise(starts):
        kept = [i for i in range(first, last) if padding_idx is None or flat[i] != padding_idx % len(weight)]
        rows = weight[flat[kept]] * factors[kept, None]
        reduced = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
        bags.append(reduced(rows, 0) if kept else np.zeros(weight.shape[1]))
    return np.array(bags).reshape(len(bags), weight.shape[1])


TABLE = apart(5, 3, gap=0.37)
LINES = given([[0, 4, 1], [2, 2, 0]])
FLAT = given([3, 0, 4, 4, 1, 2])
UNEVEN = given([0, 2, 2, 5])  # an empty bag among them


def case(name: str, inputs: tuple, names: tuple[str, ...] = (), **kwargs) -> Sample:
    def by_name(function):
        return lambda x, weight, *more: function(x, weight, **dict(zip(names, more, strict=True)), **kwargs)

    return Sample(
        f"embedding_bag {name} {kwargs}",
        by_name(F.embedding_bag),
        inputs,
        by_name(embedding_bag),
        lambda torch, *given: by_name(torch.nn.functional.embedding_bag)(*given),
    )


SAMPLES = (
    *(
        case(name, (ids, TABLE, *more), names, mode=mode, **options)
        for mode in ("sum", "mean", "max")
        for name, ids, more, names, options in (
            ("lines", LINES, (), (), {}),
            ("offsets", FLAT, (UNEVEN,), ("offsets",), {}),
            ("padded", FLAT, (UNEVEN,), ("offsets",), {"padding_idx": 4}),
            ("padded lines", LINES, (), (), {"padding_idx": -3}),
            ("all offsets", FLAT, (given([0, 4, 6]),), ("offsets",), {"include_last_offset": True}),
        )
    ),
    Sample(
        "embedding_bag large",
        lambda x, weight: F.embedding_bag(x, weight, mode="sum"),
        (LINES, TABLE),
        lambda x, weight: embedding_bag(x, weight, mode="sum"),
        lambda torch, x, weight: torch.nn.functional.embedding_bag(x, weight, mode="sum"),
        large=(whole(300, 9, low=0, high=50), real(50, 130)),
    ),
    case("weights", (LINES, TABLE, real(2, 3)), ("per_sample_weights",), mode="sum"),
    case(
        "weights, padded",
        (FLAT, TABLE, UNEVEN, real(6)),
        ("offsets", "per_sample_weights"),
        mode="sum",
        padding_idx=1,
    ),
)

ERRORS = (
    ErrorSample(
        "embedding_bag, mode", F.embedding_bag, (LINES, TABLE), ArgumentError, "mode must be one of", {"mode": "min"}
    ),
    ErrorSample(
        "embedding_bag, offsets of lines",
        F.embedding_bag,
        (LINES, TABLE, UNEVEN),
        ArgumentError,
        "the rows of a 2-D input are the bags",
    ),
    ErrorSample(
        "embedding_bag, no offsets", F.embedding_bag, (FLAT, TABLE), ArgumentError, "a 1-D input needs offsets"
    ),
    ErrorSample(
        "embedding_bag, first offset",
        F.embedding_bag,
        (FLAT, TABLE, given([1, 2])),
        ArgumentError,
        "offsets must begin with 0, got 1",
    ),
    ErrorSample(
        "embedding_bag, last offset",
        F.embedding_bag,
        (FLAT, TABLE, given([0, 7])),
        ArgumentError,
        "offsets must grow up to 6",
    ),
    ErrorSample(
        "embedding_bag, id",
        F.embedding_bag,
        (given([[0, 5]]), TABLE),
        IndexOutOfRangeError,
        r"embedding_bag: id 5 is out of range \[0, 5\)",
    ),
    ErrorSample(
        "embedding_bag, weights of a mean",
        lambda x, t, w: F.embedding_bag(x, t, per_sample_weights=w),
        (LINES, TABLE, real(2, 3)),
        ArgumentError,
        "per_sample_weights go with mode 'sum', got 'mean'",
    ),
    ErrorSample(
        "embedding_bag, weights",
        lambda x, t, w: F.embedding_bag(x, t, per_sample_weights=w, mode="sum"),
        (LINES, TABLE, real(3)),
        ShapeError,
        r"per_sample_weights must have input's shape \[2, 3\], got \[3\]",
    ),
    ErrorSample("embedding_bag, real ids", F.embedding_bag, (real(2, 3), TABLE), DTypeError, "must hold integers"),
    ErrorSample(
        "embedding_bag, frequency of a maximum",
        F.embedding_bag,
        (LINES, TABLE),
        ArgumentError,
        "scale_grad_by_freq does not go with mode 'max'",
        {"mode": "max", "scale_grad_by_freq": True},
    ),
)
