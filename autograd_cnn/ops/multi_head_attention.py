"""Attention with several heads: projections of query, key and value, attention of each head, a last projection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops.arithmetic import where
from autograd_cnn.ops.attention import attention_weights, scaled_dot_product_attention
from autograd_cnn.ops.join import cat
from autograd_cnn.ops.linear import linear, matmul
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.pad import pad
from autograd_cnn.ops.reduce import mean
from autograd_cnn.ops.split import split

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

OP = "multi_head_attention"


@dataclass(frozen=True)
class Projections:
    """The parameters: one `packed` weight for query, key and value, or one for each; None is what there is not."""

    packed: Any
    separate: tuple[Any, Any, Any] | None
    bias: Any
    bias_k: Any
    bias_v: Any
    out_weight: Any
    out_bias: Any

    def __call__(self, query: Any, key: Any, value: Any) -> Any:
        """Query, key and value projected."""
        if self.separate is not None:
            weights: Any = self.separate
        elif query is key and key is value:
            return split(linear(query, self.packed, self.bias), query.array.shape[-1], -1)
        else:
            weights = split(self.packed, query.array.shape[-1])
        size = weights[0].array.shape[0]
        biases = (None, None, None) if self.bias is None else split(self.bias, size)
        if key is value and self.separate is None:
            together = None if self.bias is None else self.bias[size:]
            return (linear(query, weights[0], biases[0]), *split(linear(key, self.packed[size:], together), size, -1))
        return [linear(x, *own) for x, *own in zip((query, key, value), weights, biases, strict=True)]


def multi_head_attention(
    query: Any,
    key: Any,
    value: Any,
    heads: int,
    projections: Projections,
    *,
    add_zero_attn: bool = False,
    dropout_p: float = 0.0,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """The attention (..., E) of query (L, N, E) on key (S, N, K) and value (S, N, V), and its weights or None.

    With `batch_first` the first two dimensions are swapped; without a batch there is no N.  Masks are True, or -inf,
    where nobody may look: `attn_mask` (L, S) or (N heads, L, S), `key_padding_mask` (N, S).
    """
    batched = _check(query, key, value, key_padding_mask)
    same = query is key, key is value
    if not batched:
        batch_first = True
        query = query.unsqueeze(0)
        key = query if same[0] else key.unsqueeze(0)
        value = key if same[1] else value.unsqueeze(0)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    if is_causal and attn_mask is None:
        raise ArgumentError(f"{OP}: is_causal is a hint about attn_mask, which must be given, too")
    causal = is_causal and key_padding_mask is None and not need_weights
    q, k, v = projections(query, key, value)
    if projections.bias_k is not None:
        k, v = (_longer(x, bias, batch_first) for x, bias in ((k, projections.bias_k), (v, projections.bias_v)))
    q, k, v = (_split_heads(x, heads, batch_first) for x in (q, k, v))
    if add_zero_attn:
        k, v = (cat([x, x.new_zeros((*x.array.shape[:2], 1, x.array.shape[3]))], 2) for x in (k, v))
    added = k.array.shape[2] - key.array.shape[1 if batch_first else 0]
    mask = None if causal else _merged(attn_mask, key_padding_mask, q, k, added)
    causal = causal and not added
    if is_causal and mask is None and not causal:
        mask = _merged(attn_mask, None, q, k, added)
    weights = None
    if need_weights:
        weights = attention_weights(q, k, mask, dropout_p, 1 / math.sqrt(q.array.shape[-1]))
        y = matmul(weights, v)
        weights = mean(weights, 1) if average_attn_weights else weights
        weights = weights if batched else weights.squeeze(0)
    else:
        y = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal)
    y = linear(_joined_heads(y, batch_first), projections.out_weight, projections.out_bias)
    return (y if batched else y.squeeze(0)), weights


def _longer(x: Any, bias: Any, batch_first: bool) -> Any:
    """x with one more position, the same for the whole batch."""
    one = bias.expand(x.array.shape[0], 1, -1) if batch_first else bias.expand(1, x.array.shape[1], -1)
    return cat([x, one], 1 if batch_first else 0)


def _split_heads(x: Any, heads: int, batch_first: bool) -> Any:
    """(N, heads, L, E / heads), a view."""
    x = x.unflatten(-1, (heads, -1))
    return x.permute(0, 2, 1, 3) if batch_first else x.permute(1, 2, 0, 3)


def _joined_heads(y: Any, batch_first: bool) -> Any:
    return (y.permute(0, 2, 1, 3) if batch_first else y.permute(2, 0, 1, 3)).flatten(2)


def _merged(attn_mask: Any, key_padding_mask: Any, q: Any, k: Any, added: int) -> Any:
    """Both masks as numbers to be added to (N, heads, L, S), `added` places of which everybody may look at; or None."""
    batch, heads, length, _ = q.array.shape
    count = k.array.shape[2] - added
    merged = None
    if attn_mask is not None:
        shape = attn_mask.array.shape
        if shape not in ((length, count), (batch * heads, length, count)):
            fitting = f"{[length, count]} or {[batch * heads, length, count]}"
            raise ShapeError(f"{OP}: attn_mask must have shape {fitting}, got {list(shape)}")
        merged = additive("attn_mask", attn_mask, q.array.dtype)
        merged = merged.reshape(batch, heads, length, count) if len(shape) == 3 else merged
    if key_padding_mask is not None:
        if key_padding_mask.array.shape != (batch, count):
            raise ShapeError(
                f"{OP}: key_padding_mask must have shape {[batch, count]}, got {list(key_padding_mask.array.shape)}"
            )
        padding = additive("key_padding_mask", key_padding_mask, q.array.dtype).reshape(batch, 1, 1, count)
        merged = padding if merged is None else merged + padding
    return pad(merged, (0, added)) if added and merged is not None else merged


def additive(name: str, mask: Any, dtype: Any) -> Any:
    """A mask as numbers to be added: -inf for True, 0 for False; numbers stay."""
    if mask.array.dtype == bool_:
        return where(mask, -math.inf, mask.new_zeros((), dtype=dtype))
    if mask.array.dtype != dtype:
        raise DTypeError(f"{OP}: {name} must be bool or {dtype} as the query, got {mask.array.dtype}")
    return mask


def _check(query: Any, key: Any, value: Any, key_padding_mask: Any) -> bool:
    """Whether there is a batch; raises where the number of dimensions does not fit."""
    require_floating(OP, query=query, key=key, value=value)
    ndim = query.array.ndim
    if ndim not in (2, 3) or key.array.ndim != ndim or value.array.ndim != ndim:
        shapes = ", ".join(str(list(x.array.shape)) for x in (query, key, value))
        raise ShapeError(f"{OP}: query, key and value must all have 3 dimensions, or 2 without a batch, got {shapes}")
    if key.array.shape[:-1] != value.array.shape[:-1]:
        raise ShapeError(
            f"{OP}: key and value must have one length and batch, got {list(key.array.shape)} and "
            f"{list(value.array.shape)}"
        )
    if key_padding_mask is not None and key_padding_mask.array.ndim != ndim - 1:
        raise ShapeError(
            f"{OP}: key_padding_mask must have {ndim - 1} dimensions, got {list(key_padding_mask.array.shape)}"
        )
    return bool(ndim == 3)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, from its parameters: (y, weights or None).

    query: (L, N, E), key: (S, N, K), value: (S, N, V), y: (L, N, E); without a batch there is no N.

    Raises ShapeError where shapes do not fit, ArgumentError for options that do not go together.

    >>> import autograd_cnn as ag
    >>> x, weight = ag.ones(3, 1, 2), ag.ones(6, 2)
    >>> y, weights = multi_head_attention_forward(
    ...     x, x, x, 2, 1, weight, None, None, None, False, 0.0, ag.eye(2), None, need_weights=False
    ... )
    >>> y.shape, weights
    ((3, 1, 2), None)
    """
    if static_k is not None or static_v is not None:
        raise ArgumentError("multi_head_attention_forward: static_k and static_v are not supported")
    if query.array.shape[-1] != embed_dim_to_check:
        raise ShapeError(
            f"multi_head_attention_forward: query has {query.array.shape[-1]} features, not {embed_dim_to_check}"
        )
    if embed_dim_to_check % num_heads:
        raise ArgumentError(
            f"multi_head_attention_forward: {embed_dim_to_check} features are not divisible by {num_heads} heads"
        )
    if (bias_k is None) != (bias_v is None):
        raise ArgumentError("multi_head_attention_forward: bias_k and bias_v must both be given, or none of them")
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    projections = Projections(in_proj_weight, separate, in_proj_bias, bias_k, bias_v, out_proj_weight, out_proj_bias)
    return multi_head_attention(
        query,
        key,
        value,
        num_heads,
        projections,
        add_zero_attn=add_zero_attn,
        dropout_p=dropout_p if training else 0.0,
        key_padding_mask=key_padding_mask,
        need_weights=need_weights,
        attn_mask=attn_mask,
        average_attn_weights=average_attn_weights,
        is_causal=is_causal,
    )
