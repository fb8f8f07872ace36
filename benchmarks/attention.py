"""Scaled dot-product attention, attention of several heads, and a transformer's encoder layer, with all gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from benchmarks import recorded
from benchmarks.case import Case

SHAPES = [(16, 8, 128, 32), (4, 8, 512, 64), (64, 4, 32, 64)]  # batch, heads, length, size of a head
BATCH, LENGTH, WIDTH, HEADS, HIDDEN = 16, 128, 256, 8, 1024


def attention(t: Any, *inputs: Any, **options: Any) -> Any:
    return t.nn.functional.scaled_dot_product_attention(*inputs, **options)


def causal(t: Any, *inputs: Any) -> Any:
    return attention(t, *inputs, is_causal=True)


def multi_head(t: Any, x: Any, *parameters: Any) -> Any:
    in_weight, in_bias, out_weight, out_bias = parameters
    biases = in_bias, None, None, False, 0.0
    return t.nn.functional.multi_head_attention_forward(
        x, x, x, WIDTH, HEADS, in_weight, *biases, out_weight, out_bias, need_weights=False
    )[0]


def encoder_layer(t: Any, x: Any, *parameters: Any) -> Any:
    f = t.nn.functional
    weight1, bias1, weight2, bias2, scale1, shift1, scale2, shift2 = parameters[4:]
    x = f.layer_norm(x + multi_head(t, x, *parameters[:4]), (WIDTH,), scale1, shift1)
    dense = f.linear(f.relu(f.linear(x, weight1, bias1)), weight2, bias2)
    return f.layer_norm(x + dense, (WIDTH,), scale2, shift2)


def drawn(*shapes: tuple[int, ...]) -> Any:
    """Makes arrays of these shapes; matrices keep the size of what they multiply."""

    def data(rng: np.random.Generator) -> Sequence[np.ndarray]:
        scales = [shape[-1] ** -0.5 if len(shape) == 2 else 1.0 for shape in shapes]
        return [(rng.standard_normal(s) * scale).astype(np.float32) for s, scale in zip(shapes, scales, strict=True)]

    return data


PARAMETERS = ((3 * WIDTH, WIDTH), (3 * WIDTH,), (WIDTH, WIDTH), (WIDTH,))
DENSE = ((HIDDEN, WIDTH), (HIDDEN,), (WIDTH, HIDDEN), (WIDTH,), *[(WIDTH,)] * 4)


def cases() -> Iterator[Case]:
    for shape in SHAPES:
        title = "x".join(map(str, shape))
        for name, function in (("attention", attention), ("causal attention", causal)):
            yield from recorded.cases(
                "attention", f"{name} {title}", function, drawn(shape, shape, shape), prod(shape), (4, 8)
            )
    x = (LENGTH, BATCH, WIDTH)
    for name, function, parameters in (
        ("multi-head attention", multi_head, PARAMETERS),
        ("encoder layer", encoder_layer, (*PARAMETERS, *DENSE)),
    ):
        yield from recorded.cases(
            "attention", f"{name} {BATCH}x{LENGTH}x{WIDTH}", function, drawn(x, *parameters), prod(x), (2, 4)
        )
