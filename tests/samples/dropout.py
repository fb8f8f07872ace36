"""Samples: dropout."""

from math import prod

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import dropout
from samples.sample import ErrorSample, Sample, real, whole

RANDOM = "the mask is random"


def philox(counters: np.ndarray, key: int) -> np.ndarray:
    """Words (4, n) of Philox4x32-10, from the paper."""
    low = np.uint64(2**32 - 1)
    words = [counters & low, counters >> np.uint64(32), np.zeros_like(counters), np.zeros_like(counters)]
    for i in range(10):
        keys = [(key % 2**32 + i * 0x9E3779B9) % 2**32, (key // 2**32 + i * 0xBB67AE85) % 2**32]
        a, b = words[0] * np.uint64(0xD2511F53), words[2] * np.uint64(0xCD9E8D57)
        high_a, high_b = a >> np.uint64(32), b >> np.uint64(32)
        words = [high_b ^ words[1] ^ np.uint64(keys[0]), b & low, high_a ^ words[3] ^ np.uint64(keys[1]), a & low]
    return np.array(words)


def stream(count: int, key: int = 0, block: int = 0) -> np.ndarray:
    """Numbers in [0, 1): of 16 blocks each the first words, then the second, the third, the fourth."""
    blocks = -(-count // 64) * 16
    words = philox(np.arange(block, block + blocks, dtype=np.uint64), key)
    return words.reshape(4, -1, 16).transpose(1, 0, 2).ravel()[:count] / 2.0**32


def masked(x: np.ndarray, p: float, shape: tuple[int, ...]) -> np.ndarray:
    """x with the mask that the stream of seed 0 draws."""
    keep = stream(prod(shape)).reshape(shape) >= p
    return np.where(keep, x / (1 - p), 0.0)


def saturated(x: np.ndarray, p: float, shape: tuple[int, ...]) -> np.ndarray:
    """Of the numbers that the stream drops becomes SELU's least value, of all mean and variance are kept."""
    keep = (stream(prod(shape)) >= p).reshape(*shape, *[1] * (x.ndim - len(shape)))
    least = -1.7580993408473766
    scale = 0.0 if p == 1 else 1 / np.sqrt((1 - p) * (1 + p * least**2))
    return scale * np.where(keep, x, least) - scale * p * least


SAMPLES = (
    *(
        Sample(
            f"dropout {list(shape)} p={p}",
            dropout.dropout,
            (real(*shape),),
            lambda x, p: masked(x, p, x.shape),
            None,
            {"p": p},
            why=RANDOM,
        )
        for shape in ((3, 4), (), (0,), (2, 3, 2))
        for p in (0.25, 0.5)
    ),
    *(
        Sample(
            f"{name} {list(shape)}",
            lambda x, name=name: getattr(dropout, name)(x, 0.4),
            (real(*shape),),
            lambda x, lead=lead: (
                x
                * masked(np.ones(x.shape[:lead]), 0.4, x.shape[:lead]).reshape(*x.shape[:lead], *[1] * (x.ndim - lead))
            ),
            None,
            why=RANDOM,
        )
        for name, shape, lead in (
            ("dropout1d", (2, 3, 4), 2),
            ("dropout1d", (3, 4), 1),
            ("dropout3d", (2, 3, 1, 2, 2), 2),
            ("dropout3d", (3, 2, 1, 2), 1),
        )
    ),
    *(
        Sample(
            f"{name} {list(shape)} p={p} {'in place' * inplace}",
            lambda x, name=name, p=p, inplace=inplace: getattr(dropout, name)(x * 1.0, p, True, inplace),
            (real(*shape),),
            lambda x, p=p, lead=lead: saturated(x, p, x.shape[:lead]),
            None,
            why=RANDOM,
        )
        for name, shape, lead in (("alpha_dropout", (3, 4), 2), ("feature_alpha_dropout", (2, 3, 4), 2))
        for p in (0.25, 1.0)
        for inplace in (False, True)
    ),
    Sample(
        "dropout in place",
        lambda x: dropout.dropout(x * 1.0, 0.4, inplace=True),
        (real(3, 4),),
        lambda x: masked(x, 0.4, x.shape),
        None,
        why=RANDOM,
    ),
    Sample("dropout p=0", dropout.dropout, (real(3, 4),), lambda x, p: x, "nn.functional.dropout", {"p": 0.0}),
    Sample("dropout p=1", dropout.dropout, (real(3, 4),), lambda x, p: x * 0, "nn.functional.dropout", {"p": 1.0}),
    Sample(
        "dropout in evaluation",
        dropout.dropout,
        (real(3, 4),),
        lambda x, p, training: x,
        "nn.functional.dropout",
        {"p": 0.9, "training": False},
    ),
    *(
        Sample(
            f"dropout2d {list(shape)}",
            dropout.dropout2d,
            (real(*shape),),
            lambda x, p: masked(x, p, (*x.shape[:-2], 1, 1)),
            None,
            {"p": 0.4},
            why=RANDOM,
        )
        for shape in ((2, 3, 2, 2), (4, 2, 3))
    ),
    Sample(
        "dropout large",
        dropout.dropout,
        (real(5),),
        lambda x: masked(x, 0.5, x.shape),
        None,
        why=RANDOM,
        large=(real(200, 300),),
    ),
)

ERRORS = (
    *(
        ErrorSample(f"dropout p={p}", dropout.dropout, (real(3), p), ArgumentError, f"dropout: p .* got {p}")
        for p in (-0.1, 1.5)
    ),
    ErrorSample("dropout of ints", dropout.dropout, (whole(3),), DTypeError, "dropout: input must be a floating point"),
    ErrorSample("dropout2d, rank", dropout.dropout2d, (real(3, 4),), ShapeError, r"dropout2d: input must .*\[3, 4\]"),
)
