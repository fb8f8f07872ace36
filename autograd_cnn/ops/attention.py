"""Scaled dot-product attention: each query takes a mean of the values, weighted by how well their keys fit it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.dropout import dropout
from autograd_cnn.ops.linear import matmul
from autograd_cnn.ops.operand import broadcast, require_floating, require_tensor
from autograd_cnn.ops.repeat import repeat_interleave
from autograd_cnn.ops.shape import transpose
from autograd_cnn.ops.softmax import softmax

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask) value (Vaswani et al. 2017).

    `scale` is 1 / sqrt(E) unless given.  `attn_mask` broadcasts to (..., L, S): bools are True where a query may look,
    numbers are added.  With `is_causal` query i may look at keys 0 to i.  A query that may look nowhere gets 0.
    Weights are dropped with probability `dropout_p`.  With `enable_gqa` several heads of the query share one of key and
    value.

    query: (..., L, E), key: (..., S, E), value: (..., S, V), y: (..., L, V); leading dimensions broadcast.

    Raises ShapeError where shapes do not fit, ArgumentError for a mask with `is_causal`, DTypeError for mixed dtypes.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    op = "scaled_dot_product_attention"
    require_floating(op, query=query, key=key, value=value)
    if enable_gqa:
        key, value = _shared_heads(op, query, key, value)
    shape = _check(op, query, key, value)
    if attn_mask is not None:
        if is_causal:
            raise ArgumentError(f"{op}: attn_mask must be None where is_causal is True")
        _check_mask(op, attn_mask, query, shape)
    if scale is None:
        scale = 1 / math.sqrt(query.array.shape[-1]) if query.array.shape[-1] else 1.0
    if is_causal:
        attn_mask = _causal(query, key)
    return matmul(attention_weights(query, key, attn_mask, dropout_p, scale), value)


def attention_weights(query: Any, key: Any, mask: Any, dropout_p: float, scale: float) -> Any:
    """softmax(query key^T scale + mask), 0 in rows that are masked throughout; (..., L, S)."""
    scores = matmul(query * scale, transpose(key, -1, -2))
    if mask is None:
        return dropout(softmax(scores, -1), dropout_p) if dropout_p else softmax(scores, -1)
    hidden = ~mask if mask.array.dtype == bool_ else mask == -math.inf
    scores = where(mask, scores, -math.inf) if mask.array.dtype == bool_ else scores + mask
    nowhere = hidden.all(-1, keepdim=True)
    if nowhere.any():
        weights = where(nowhere, 0.0, softmax(where(nowhere, 0.0, scores), -1))
    else:
        weights = softmax(scores, -1)
    return dropout(weights, dropout_p) if dropout_p else weights


def _causal(query: Any, key: Any) -> Any:
    """True where a query may look: at keys that are not after it."""
    size = query.array.shape[-2], key.array.shape[-2]
    return wrap(query.device.from_host(np.tri(*size, dtype=bool)), query.device)


def _check(op: str, query: Any, key: Any, value: Any) -> tuple[int, ...]:
    """The shape of the weights; raises where inputs do not fit."""
    shapes = {"query": query.array.shape, "key": key.array.shape, "value": value.array.shape}
    listed = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
    if min(map(len, shapes.values())) < 2:
        raise ShapeError(f"{op}: inputs must have 2 dimensions or more, got {listed}")
    (*batch_q, length, size), (*batch_k, count, key_size), (*batch_v, values, _) = shapes.values()
    if size != key_size or count != values:
        raise ShapeError(f"{op}: query and key must end in one size, key and value have one length, got {listed}")
    return (*broadcast(op, tuple(batch_q), tuple(batch_k), tuple(batch_v)), length, count)


def _check_mask(op: str, mask: Any, query: Any, shape: tuple[int, ...]) -> None:
    dtype = require_tensor(op, mask).array.dtype
    if dtype not in (bool_, query.array.dtype):
        raise DTypeError(f"{op}: attn_mask must be bool or {query.array.dtype} as the query, got {dtype}")
    if broadcast(op, mask.array.shape, shape) != shape:
        raise ShapeError(f"{op}: attn_mask of shape {list(mask.array.shape)} does not broadcast to {list(shape)}")


def _shared_heads(op: str, query: Any, key: Any, value: Any) -> Any:
    """Key and value with a head for each of the query's."""
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.array.ndim < 3:
            raise ShapeError(f"{op}: with enable_gqa {name} must be (..., heads, L, E), got {list(tensor.array.shape)}")
    heads, *few = (tensor.array.shape[-3] for tensor in (query, key, value))
    for count in few:
        if not count or heads % count:
            raise ShapeError(f"{op}: {heads} heads of the query cannot share {few[0]} of key and {few[1]} of value")
    key, value = (
        tensor if count == heads else repeat_interleave(tensor, heads // count, -3)
        for tensor, count in zip((key, value), few, strict=True)
    )
    return key, value
