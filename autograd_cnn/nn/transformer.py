"""The transformer: layers of attention and of dense networks, an encoder and a decoder of them, and both together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.creation import full
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.attention import MultiheadAttention
from autograd_cnn.nn.containers import ModuleList
from autograd_cnn.nn.dropout import Dropout
from autograd_cnn.nn.layernorm import LayerNorm
from autograd_cnn.nn.linear import Linear
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

Activation = str | Callable[[Any], Any]
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerLayer(Module):
    """What layers of encoder and decoder share: self-attention and the dense network, each added to what it saw."""

    def __init__(
        self,
        attentions: tuple[str, ...],
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        where: dict[str, Any],
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if isinstance(activation, str):
            if activation not in ACTIVATIONS:
                raise ArgumentError(f"{name}: activation must be 'relu', 'gelu' or a function, got {activation!r}")
            activation = ACTIVATIONS[activation]
        for attention in attentions:
            layer = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **where)
            setattr(self, attention, layer)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **where)
        self.norm_first = norm_first
        steps = range(1, len(attentions) + 2)
        for step in steps:
            setattr(self, f"norm{step}", LayerNorm(d_model, layer_norm_eps, bias=bias, **where))
        for step in steps:
            setattr(self, f"dropout{step}", Dropout(dropout))
        self.activation = activation

    def _added(self, x: Any, step: int, block: Callable[[Any], Any]) -> Any:
        """x plus what the block makes of it, normalised before or after."""
        norm, dropout = getattr(self, f"norm{step}"), getattr(self, f"dropout{step}")
        if self.norm_first:
            return x + dropout(block(norm(x)))
        return norm(x + dropout(block(x)))

    def _dense(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(TransformerLayer):
    """Self-attention and a dense network, each added to its input and normalised, after it or with `norm_first` before.

    src: (S, N, d_model), with `batch_first` (N, S, d_model), or (S, d_model).  Masks as in MultiheadAttention.

    A. Vaswani et al.: "Attention is all you need", 2017; R. Xiong et al.: "On layer normalization in the transformer
    architecture", 2020, for `norm_first`.

    >>> import autograd_cnn as ag
    >>> TransformerEncoderLayer(8, 2, 16)(ag.randn(5, 3, 8)).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        where = {"device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        super().__init__(("self_attn",), *sizes, where)

    def forward(
        self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._added(self._added(src, 1, attend), 2, self._dense)


class TransformerDecoderLayer(TransformerLayer):
    """Self-attention, attention on what the encoder found, and a dense network, each added to its input and normalised.

    tgt: (T, N, d_model), memory: (S, N, d_model), with `batch_first` (N, T, d_model) and so on.  Masks as in
    MultiheadAttention.

    >>> import autograd_cnn as ag
    >>> TransformerDecoderLayer(8, 2, 16)(ag.randn(4, 3, 8), ag.randn(5, 3, 8)).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        where = {"device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        super().__init__(("self_attn", "multihead_attn"), *sizes, where)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look_back(x: Any) -> Any:
            masks = memory_key_padding_mask, False, memory_mask
            return self.multihead_attn(x, memory, memory, *masks, is_causal=memory_is_causal)[0]

        return self._added(self._added(self._added(tgt, 1, attend), 2, look_back), 3, self._dense)


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other, and a `norm` at the end.

    `enable_nested_tensor` and `mask_check` change nothing.

    >>> import autograd_cnn as ag
    >>> TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 3)(ag.randn(5, 3, 8)).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Any = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Tensor:
        causal = _is_causal(mask) if is_causal is None else is_causal
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other, and a `norm` at the end.

    >>> import autograd_cnn as ag
    >>> TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 3)(ag.randn(4, 3, 8), ag.randn(5, 3, 8)).shape
    (4, 3, 8)
    """

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        causal = _is_causal(tgt_mask) if tgt_is_causal is None else tgt_is_causal
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder that looks at what it found.

    src: (S, N, d_model), tgt: (T, N, d_model), y as tgt; with `batch_first` (N, S, d_model) and so on; without a batch
    there is no N.  Masks as in MultiheadAttention.

    Raises ShapeError where batches or features do not fit.

    A. Vaswani et al.: "Attention is all you need", 2017.

    >>> import autograd_cnn as ag
    >>> net = Transformer(8, 2, 1, 1, 16)
    >>> net(ag.randn(5, 3, 8), ag.randn(4, 3, 8), tgt_mask=net.generate_square_subsequent_mask(4)).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        if custom_encoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **where)
            custom_encoder = TransformerEncoder(TransformerEncoderLayer(*sizes, **where), num_encoder_layers, norm)
        if custom_decoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **where)
            custom_decoder = TransformerDecoder(TransformerDecoderLayer(*sizes, **where), num_decoder_layers, norm)
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values for all matrices."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batch = 0 if self.batch_first else 1
        if len(src.shape) == 3 and src.shape[batch] != tgt.shape[batch]:
            raise ShapeError(f"Transformer: src has a batch of {src.shape[batch]}, tgt of {tgt.shape[batch]}")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"Transformer: src has {src.shape[-1]} features, tgt {tgt.shape[-1]}, d_model is {self.d_model}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """The causal mask (sz, sz): -inf above the diagonal, else 0.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return full((sz, sz), -np.inf, dtype=dtype, device=device).triu(1)


def _is_causal(mask: Any) -> bool:
    """Whether a mask is the causal one, (L, L) of -inf above the diagonal."""
    if mask is None or mask.ndim != 2 or mask.shape[0] != mask.shape[1] or mask.dtype.kind != "f":
        return False
    values = mask.numpy(force=True)
    return np.array_equal(values, np.triu(np.full_like(values, -np.inf), 1))
