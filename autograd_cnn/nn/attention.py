"""Attention with several heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import empty
from autograd_cnn.errors import ArgumentError
from autograd_cnn.nn import init
from autograd_cnn.nn.linear import Linear
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.ops.multi_head_attention import Projections, multi_head_attention

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class MultiheadAttention(Module):
    """Attention of several heads, each on its own projection of query, key and value; the results are projected, too.

    query: (L, N, embed_dim), key: (S, N, kdim), value: (S, N, vdim), y: (L, N, embed_dim); with `batch_first` (N, L,
    ...); without a batch there is no N.  Returns y and the weights (N, L, S), the mean over the heads unless
    `average_attn_weights` is False, or None without `need_weights`, which is faster.

    Masks are True, or -inf, where nobody may look: `attn_mask` (L, S) or (N num_heads, L, S), `key_padding_mask`
    (N, S).  `add_bias_kv` adds a learned position to keys and values, `add_zero_attn` one of zeros.  `is_causal` says
    that `attn_mask` is the causal one.

    A. Vaswani et al.: "Attention is all you need", 2017.

    >>> import autograd_cnn as ag
    >>> x = ag.randn(5, 2, 8)
    >>> y, weights = MultiheadAttention(8, 4)(x, x, x)
    >>> y.shape, weights.shape
    ((5, 2, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        require_sizes("MultiheadAttention", 1, embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ArgumentError(f"MultiheadAttention: embed_dim {embed_dim} is not divisible by num_heads {num_heads}")
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim, **where))
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = Parameter(empty(embed_dim, embed_dim, **where))
            self.k_proj_weight = Parameter(empty(embed_dim, self.kdim, **where))
            self.v_proj_weight = Parameter(empty(embed_dim, self.vdim, **where))
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **where)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **where)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, **where)) if add_bias_kv else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor]:
        packed = self.in_proj_weight
        separate = None if packed is not None else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        projections = Projections(
            packed,
            separate,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.out_proj.weight,
            self.out_proj.bias,
        )
        return multi_head_attention(
            query,
            key,
            value,
            self.num_heads,
            projections,
            add_zero_attn=self.add_zero_attn,
            dropout_p=self.dropout if self.training else 0.0,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )
