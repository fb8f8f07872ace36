"""Samples: scaled dot-product attention."""

import math

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.nn import functional as F
from samples.sample import ErrorSample, Sample, given, real, truth, whole


def attention(q, k, v, attn_mask=None, is_causal=False, scale=None, enable_gqa=False) -> np.ndarray:
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    powers = np.where(scores == -np.inf, 0, np.exp(scores - scores.max(-1, keepdims=True, initial=-1e300)))
    total = powers.sum(-1, keepdims=True)
    return powers / np.where(total == 0, 1, total) @ v


def case(name: str, inputs: tuple, large: tuple = (), **kwargs) -> Sample:
    return Sample(
        f"attention {name} {kwargs}",
        F.scaled_dot_product_attention,
        inputs,
        attention,
        in_torch,
        kwargs,
        large=large,
    )


def in_torch(torch, *inputs, **kwargs):
    """By PyTorch's formula: its fast ways have no second derivatives."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch.nn.functional.scaled_dot_product_attention(*inputs, **kwargs)


QKV = real(2, 3, 5, 4), real(2, 3, 7, 4), real(2, 3, 7, 6)
SOME = given(np.array([[1, 0, 1, 1, 0, 0, 1]] * 3 + [[0] * 6 + [1], [1] * 7], bool))
NOWHERE = given(np.array([[1, 0, 1, 1, 0, 0, 1]] * 3 + [[0] * 7, [1] * 7], bool))
ADDED = given(np.where(np.arange(35).reshape(5, 7) % 3 == 0, -np.inf, 0.5), grad=False)

SAMPLES = (
    case("plain", QKV, (real(2, 2, 150, 20), real(2, 2, 130, 20), real(2, 2, 130, 24))),
    case("scaled", QKV, scale=0.7),
    case(
        "causal",
        (real(2, 3, 5, 4), real(2, 3, 5, 4), real(2, 3, 5, 4)),
        (real(2, 2, 300, 16), real(2, 2, 300, 16), real(2, 2, 300, 16)),
        is_causal=True,
    ),
    case("causal, more keys", QKV, is_causal=True),
    case("causal, fewer keys", (QKV[1], QKV[0], real(2, 3, 5, 2)), is_causal=True),
    case("some hidden", (*QKV, SOME)),
    case("a row hidden", (*QKV, NOWHERE)),
    case("hidden for some of the batch", (*QKV, given(np.arange(14).reshape(2, 1, 1, 7) % 5 > 0))),
    case("added", (*QKV, real(5, 7, grad=False)), (real(1, 2, 150, 20), *[real(1, 2, 130, 20)] * 2, real(1, 150, 130))),
    case("added with a gradient", (*QKV, real(2, 3, 5, 7))),
    case("added and hidden", (*QKV, ADDED)),
    case("added by row", (*QKV, real(3, 1, 1, grad=False))),
    case("matrices", (real(5, 4), real(7, 4), real(7, 2))),
    case("one batch dimension", (real(2, 5, 4), real(2, 7, 4), real(2, 7, 2))),
    case("keys for all", (real(2, 3, 5, 4), real(3, 7, 4), real(1, 1, 7, 2))),
    case("one of each", (real(1, 1, 1, 1), real(1, 1, 1, 1), real(1, 1, 1, 1))),
    case("shared heads", (real(2, 4, 3, 2), real(2, 2, 5, 2), real(2, 1, 5, 3)), enable_gqa=True),
    case("no query", (real(2, 2, 0, 3), real(2, 2, 4, 3), real(2, 2, 4, 3))),
    case("no key", (real(2, 2, 4, 3), real(2, 2, 0, 3), real(2, 2, 0, 3))),
    Sample(
        "attention with dropout",
        lambda *inputs: F.scaled_dot_product_attention(*inputs, dropout_p=0.5),
        QKV,
        None,
        None,
        why="it is random",
    ),
)

OP = "scaled_dot_product_attention"
ERRORS = (
    ErrorSample(
        "sizes",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 2), real(4, 2)),
        ShapeError,
        rf"{OP}: query and key must end in one size, .* got query \[2, 3\], key \[4, 2\]",
    ),
    ErrorSample(
        "lengths",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 3), real(5, 3)),
        ShapeError,
        "key and value have one length",
    ),
    ErrorSample(
        "dimensions",
        F.scaled_dot_product_attention,
        (real(3), real(4, 3), real(5, 3)),
        ShapeError,
        "inputs must have 2 dimensions or more",
    ),
    ErrorSample(
        "mask and causal",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 3), real(4, 3), truth(2, 4)),
        ArgumentError,
        "attn_mask must be None where is_causal is True",
        {"is_causal": True},
    ),
    ErrorSample(
        "mask of integers",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 3), real(4, 3), whole(2, 4)),
        DTypeError,
        "attn_mask must be bool or float32 as the query, got int64",
    ),
    ErrorSample(
        "mask's shape",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 3), real(4, 3), truth(3, 4)),
        ShapeError,
        "do not broadcast",
    ),
    ErrorSample(
        "mask larger",
        F.scaled_dot_product_attention,
        (real(2, 3), real(4, 3), real(4, 3), truth(5, 2, 4)),
        ShapeError,
        r"attn_mask of shape \[5, 2, 4\] does not broadcast to \[2, 4\]",
    ),
    ErrorSample(
        "heads",
        F.scaled_dot_product_attention,
        (real(1, 4, 2, 3), real(1, 3, 4, 3), real(1, 3, 4, 3)),
        ShapeError,
        "4 heads of the query cannot share 3 of key and 3 of value",
        {"enable_gqa": True},
    ),
)
