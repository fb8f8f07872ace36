"""Attention and transformer layers with PyTorch's weights give PyTorch's numbers and gradients, in every option."""

from __future__ import annotations

import numpy as np
import pytest
from test_nn_layers import compare, numbers

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import functional as F

L, S, N, E = 4, 5, 3, 8
X, MEMORY = numbers(L, N, E), numbers(S, N, E, seed=1)
KEYS, VALUES = numbers(S, N, 6, seed=2), numbers(S, N, 7, seed=3)
CAUSAL = np.triu(np.ones((L, L), bool), 1)
PADDED = np.array([[0, 0, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0]], bool)
PADDED_MEMORY = np.array([[0, 0, 0, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)


def float_mask(mask):
    return np.where(mask, -np.inf, 0.0)


def called(result="y", **masks):
    """Calls a layer with masks, which are made tensors of its library; `result` says what of a tuple is compared."""

    def forward(module, *inputs):
        tensor = ag.tensor if isinstance(module, nn.Module) else __import__("torch").tensor
        given = {name: tensor(v) if isinstance(v, np.ndarray) else v for name, v in masks.items()}
        y = module(*inputs, **given)
        return y if not isinstance(y, tuple) else y[0] if result == "y" else y[1]

    return forward


def itself(forward):
    return lambda module, x: forward(module, x, x, x)


def attention(**options):
    return lambda nn: nn.MultiheadAttention(E, 2, **options)


SELF = {
    "plain": ({}, {}),
    "without weights": ({}, {"need_weights": False}),
    "without bias": ({"bias": False}, {"need_weights": False}),
    "the weights": ({}, {"result": "weights"}),
    "the weights of heads": ({}, {"result": "weights", "average_attn_weights": False}),
    "causal": ({}, {"attn_mask": CAUSAL}),
    "causal hint": ({}, {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False}),
    "causal hint, padded": (
        {},
        {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False, "key_padding_mask": PADDED},
    ),
    "float masks": ({}, {"attn_mask": float_mask(CAUSAL) + 0.5, "key_padding_mask": float_mask(PADDED)}),
    "padded": ({}, {"key_padding_mask": PADDED, "need_weights": False}),
    "mask of heads": ({}, {"attn_mask": np.tile(CAUSAL, (2 * N, 1, 1)), "need_weights": False}),
    "one more": ({"add_bias_kv": True}, {"attn_mask": CAUSAL, "key_padding_mask": PADDED}),
    "zeros": ({"add_zero_attn": True}, {"key_padding_mask": PADDED, "need_weights": False}),
    "both": ({"add_bias_kv": True, "add_zero_attn": True}, {"result": "weights"}),
}


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("options", "masks"), SELF.values(), ids=SELF)
def test_self_attention(torch, options, masks, batch_first):
    x = X.swapaxes(0, 1).copy() if batch_first else X
    compare(torch, attention(batch_first=batch_first, **options), x, forward=itself(called(**masks)))


@pytest.mark.parametrize("masks", [{}, {"need_weights": False}, {"key_padding_mask": PADDED_MEMORY}], ids=str)
def test_attention_on_others(torch, masks):
    compare(torch, attention(), X, MEMORY, MEMORY * 2, forward=called(**masks))
    compare(torch, attention(), X, MEMORY, forward=lambda m, x, memory: called(**masks)(m, x, memory, memory))
    compare(torch, attention(kdim=6, vdim=7), X, KEYS, VALUES, forward=called(**masks))
    compare(torch, attention(kdim=6, bias=False), X, KEYS, MEMORY, forward=called(**masks))


@pytest.mark.parametrize("masks", [{}, {"need_weights": False}, {"result": "weights"}], ids=str)
def test_attention_without_a_batch(torch, masks):
    compare(torch, attention(), X[:, 0], forward=itself(called(**masks)))
    compare(torch, attention(batch_first=True), X[:, 0], MEMORY[:, 0], MEMORY[:, 1], forward=called(**masks))
    padded = called(key_padding_mask=PADDED[0], **masks)
    compare(torch, attention(), X[:, 0], forward=itself(padded))


def test_attention_as_a_function(torch):
    arrays = [numbers(L, N, E, seed=i) for i in range(3)]
    weights = numbers(3 * E, E), numbers(3 * E), None, None, False, 0.0, numbers(E, E, seed=5), numbers(E, seed=6)

    def run(function, tensor):
        given = [tensor(w) if isinstance(w, np.ndarray) else w for w in weights]
        return function(*(tensor(x) for x in arrays), E, 2, *given)

    ours = run(F.multi_head_attention_forward, ag.tensor)
    theirs = run(torch.nn.functional.multi_head_attention_forward, torch.tensor)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)


def layers(name):
    def make(**options):
        return lambda nn: getattr(nn, name)(E, 2, 16, **{"dropout": 0.0, **options})

    return make


encoder_layer, decoder_layer = layers("TransformerEncoderLayer"), layers("TransformerDecoderLayer")
OPTIONS = [
    {},
    {"norm_first": True},
    {"activation": "gelu", "layer_norm_eps": 0.1},
    {"bias": False, "norm_first": True},
    {"batch_first": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("train", [True, False])
def test_encoder_layer(torch, options, train):
    x = X.swapaxes(0, 1).copy() if options.get("batch_first") else X
    compare(torch, encoder_layer(**options), x, train=train)
    masks = {"src_mask": float_mask(CAUSAL), "src_key_padding_mask": float_mask(PADDED)}
    compare(torch, encoder_layer(**options), x, forward=called(**masks), train=train)
    compare(torch, encoder_layer(**options), x[:, 0], train=train)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_decoder_layer(torch, options):
    turned = options.get("batch_first")
    x, memory = (a.swapaxes(0, 1).copy() if turned else a for a in (X, MEMORY))
    compare(torch, decoder_layer(**options), x, memory)
    masks = {
        "tgt_mask": CAUSAL,
        "tgt_is_causal": True,
        "memory_mask": np.eye(L, S, dtype=bool),
        "memory_key_padding_mask": PADDED_MEMORY & False,
        "tgt_key_padding_mask": PADDED,
    }
    compare(torch, decoder_layer(**options), x, memory, forward=called(**masks))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_encoder_and_decoder(torch):
    def encoder(nn):
        return nn.TransformerEncoder(encoder_layer()(nn), 2, nn.LayerNorm(E))

    def decoder(nn):
        return nn.TransformerDecoder(decoder_layer()(nn), 2)

    compare(torch, encoder, X)
    compare(torch, encoder, X, forward=called(mask=float_mask(CAUSAL)))
    compare(torch, encoder, X, forward=called(src_key_padding_mask=float_mask(PADDED)))
    compare(torch, decoder, X, MEMORY, forward=called(tgt_mask=float_mask(CAUSAL)))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("options", [{}, {"batch_first": True, "norm_first": True, "activation": "gelu"}], ids=str)
def test_transformer(torch, options):
    def make(nn):
        return nn.Transformer(E, 2, 1, 2, 16, dropout=0.0, **options)

    turned = options.get("batch_first")
    source, target = (a.swapaxes(0, 1).copy() if turned else a for a in (MEMORY, X))
    compare(torch, make, source, target, forward=called(tgt_mask=float_mask(CAUSAL)))
    compare(torch, make, source[:, 0], target[:, 0])


def test_transformer_mask(torch):
    ours = nn.Transformer.generate_square_subsequent_mask(4)
    np.testing.assert_array_equal(ours.numpy(), torch.nn.Transformer.generate_square_subsequent_mask(4).numpy())


def test_dropout_in_training_alone():
    x = ag.tensor(X)
    layer = nn.MultiheadAttention(E, 2, dropout=0.5).double()
    plain = layer.eval()(x, x, x)[0]
    assert (layer(x, x, x)[0] == plain).all()
    dropped = layer.train()(x, x, x)[0]
    assert not (dropped == plain).all()
    whole = nn.TransformerEncoderLayer(E, 2, 16, dropout=0.5).double()
    assert not (whole(x) == whole(x)).all()


def test_weights_of_a_row_that_sees_nothing_are_zeros():
    x = ag.tensor(X)
    padded = ag.ones(N, L, dtype=ag.bool)
    y, weights = nn.MultiheadAttention(E, 2).double()(x, x, x, key_padding_mask=padded)
    assert (weights == 0).all()
    assert y.isfinite().all()


ERRORS = [
    (lambda: nn.MultiheadAttention(8, 3), ArgumentError, "embed_dim 8 is not divisible by num_heads 3"),
    (lambda: nn.MultiheadAttention(0, 1), ArgumentError, "embed_dim must be at least 1, got 0"),
    (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), ArgumentError, "activation must be .* got 'tanh'"),
    (lambda: attend(ag.ones(4, 8), ag.ones(4, 1, 8), ag.ones(4, 1, 8)), ShapeError, "must all have 3 dimensions"),
    (lambda: attend(ag.ones(4, 1, 8), ag.ones(4, 1, 8), ag.ones(5, 1, 8)), ShapeError, "one length and batch"),
    (lambda: attend(*[ag.ones(4, 1, 8)] * 3, is_causal=True), ArgumentError, "is_causal is a hint about attn_mask"),
    (lambda: attend(*[ag.ones(4, 1, 8)] * 3, attn_mask=ag.ones(4, 3)), ShapeError, r"attn_mask must have .* \[4, 3\]"),
    (
        lambda: attend(*[ag.ones(4, 1, 8)] * 3, key_padding_mask=ag.ones(2, 4)),
        ShapeError,
        r"key_padding_mask must have shape \[1, 4\], got \[2, 4\]",
    ),
    (lambda: nn.Transformer(8, 2, 1, 1, 8)(ag.ones(4, 1, 8), ag.ones(4, 2, 8)), ShapeError, "src has a batch of 1"),
    (lambda: nn.Transformer(8, 2, 1, 1, 8)(ag.ones(4, 1, 8), ag.ones(4, 1, 6)), ShapeError, "d_model is 8"),
]


def attend(*inputs, **options):
    return nn.MultiheadAttention(8, 2)(*inputs, **options)


@pytest.mark.parametrize(("make", "error", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
