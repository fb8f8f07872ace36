"""Samples: rows of a table by their number."""

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import embedding
from samples.sample import ErrorSample, Sample, given, real, whole


def rows(ids, weight, padding_idx=None):
    return weight[ids]


def classes(x, num_classes=-1):
    return np.eye(x.max() + 1 if num_classes < 0 else num_classes, dtype=np.int64)[x]


def table(ids, weight, **kwargs) -> Sample:
    return Sample(
        f"embedding {list(ids.shape)} {list(weight.shape)} {kwargs}",
        embedding.embedding,
        (ids, weight),
        rows,
        "nn.functional.embedding",
        kwargs,
        order=1 if kwargs or 0 in ids.shape else 2,
        why="the padding's gradient is 0, its derivative is not; PyTorch fails at the second order of nothing",
    )


def without_padding(ids, weight):
    """The row of the padding is multiplied by 0, so that its gradient is its derivative."""
    keep = from_numpy(np.array([[1.0], [1.0], [0.0], [1.0]]))
    return embedding.embedding(ids, (weight * keep).to(weight.dtype), 2)


SAMPLES = (
    table(whole(2, 5, low=0, high=4), real(4, 3)),
    table(given([[0, 2, 2], [3, 2, 0]]), real(4, 3), padding_idx=2),
    table(given([[0, 2, 2], [3, 2, 0]]), real(4, 3), padding_idx=-4),
    Sample(
        "embedding without padding",
        without_padding,
        (given([[0, 2, 2], [3, 2, 0]]), real(4, 3)),
        lambda ids, weight: np.where((ids == 2)[..., None], 0, weight[ids]),
        lambda torch, ids, weight: torch.nn.functional.embedding(
            ids, weight * torch.tensor([[1.0], [1.0], [0.0], [1.0]]), 2
        ),
    ),
    table(given(1), real(4, 3)),
    table(given(np.zeros((2, 0), np.int64)), real(4, 3)),
    table(given(np.array([3, 1, 3], np.int32)), real(4, 3)),
    table(given([0, 0]), real(1, 1)),
    Sample(
        "embedding large",
        embedding.embedding,
        (given([2, 0, 2]), real(3, 4)),
        rows,
        "nn.functional.embedding",
        large=(whole(700, low=0, high=500), real(500, 100)),
    ),
    *(
        Sample(f"one_hot {list(x.shape)} {kwargs}", embedding.one_hot, (x,), classes, "nn.functional.one_hot", kwargs)
        for x, kwargs in (
            (given([0, 2, 1]), {}),
            (given([[0, 2], [1, 0]]), {"num_classes": 5}),
            (given(1), {"num_classes": 2}),
            (given(np.zeros((0,), np.int64)), {"num_classes": 3}),
        )
    ),
)

ERRORS = (
    ErrorSample(
        "embedding range",
        embedding.embedding,
        (given([0, 4]), real(4, 3)),
        IndexOutOfRangeError,
        r"embedding: id 4 is out of range \[0, 4\)",
    ),
    ErrorSample("embedding negative", embedding.embedding, (given([-1]), real(4, 3)), IndexOutOfRangeError, "id -1"),
    ErrorSample("embedding floats", embedding.embedding, (real(2), real(4, 3)), DTypeError, "input must hold integers"),
    ErrorSample(
        "embedding weight", embedding.embedding, (given([0]), real(4)), ShapeError, r"weight .* got shape \[4\]"
    ),
    ErrorSample("embedding list", embedding.embedding, (given([0]), [1.0]), DTypeError, "weight .* got list"),
    ErrorSample(
        "embedding padding",
        embedding.embedding,
        (given([0]), real(4, 3)),
        ArgumentError,
        "padding_idx 4 is out of range for 4",
        {"padding_idx": 4},
    ),
    ErrorSample("one_hot range", embedding.one_hot, (given([3]), 3), IndexOutOfRangeError, r"class 3 .* \[0, 3\)"),
    ErrorSample("one_hot negative", embedding.one_hot, (given([-1, 1]),), IndexOutOfRangeError, "class -1"),
    ErrorSample("one_hot classes", embedding.one_hot, (given([0]), 0), ArgumentError, "at least 1, got 0"),
    ErrorSample(
        "one_hot empty", embedding.one_hot, (given(np.zeros((0,), np.int64)),), ArgumentError, "input is empty"
    ),
    ErrorSample("one_hot floats", embedding.one_hot, (real(2),), DTypeError, "input must hold integers"),
)
