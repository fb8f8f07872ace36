"""One layer in one direction, over whole sequences: fused, or step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.recurrent import GRU, LSTM, RNN, ProjectedLSTM
from autograd_cnn.ops.recurrent_steps import gru_step, lstm_step, rnn_step, unrolled


def rnn_layer(
    x: Any,
    h_0: Any,
    parameters: Sequence[Any],
    nonlinearity: str = "tanh",
    reverse: bool = False,
    sizes: tuple[int, ...] | None = None,
    unroll: bool = False,
) -> tuple[Any, Any]:
    """A simple recurrent layer: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu of that.

    x: (T, N, I), or (rows, I) of packed sequences of which `sizes[t]` have a step t; h_0: (N, H); `parameters`: W_ih
    (H, I), W_hh (H, H) and, where there are biases, b_ih and b_hh (H,).  Returns all h_t, (T, N, H) or (rows, H), and
    the last one of each sequence, (N, H).  `unroll` records each step as ordinary ops.

    >>> import autograd_cnn as ag
    >>> y, h_n = rnn_layer(ag.zeros(3, 2, 4), ag.zeros(2, 5), (ag.ones(5, 4), ag.ones(5, 5)))
    >>> y.shape, h_n.shape
    ((3, 2, 5), (2, 5))
    """
    _require("rnn", x, (h_0,), parameters)
    if unroll:
        y, (h_n,) = unrolled(rnn_step(nonlinearity, *parameters), x, (h_0,), sizes, reverse)
        return y, h_n
    y, h_n, *_ = apply(RNN(nonlinearity, reverse, sizes), x, h_0, *parameters)
    return y, h_n


def gru_layer(
    x: Any,
    h_0: Any,
    parameters: Sequence[Any],
    reverse: bool = False,
    sizes: tuple[int, ...] | None = None,
    unroll: bool = False,
) -> tuple[Any, Any]:
    """A layer of gated recurrent units (Cho et al. 2014); arguments and results are as `rnn_layer`'s.

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z likewise, n = tanh(W_in x + b_in + r (W_hn h + b_hn)) and
    h' = (1 - z) n + z h; `parameters` hold those of r, z and n one above the other: (3H, I), (3H, H), (3H,), (3H,).

    >>> import autograd_cnn as ag
    >>> y, h_n = gru_layer(ag.zeros(3, 2, 4), ag.zeros(2, 5), (ag.ones(15, 4), ag.ones(15, 5)))
    >>> y.shape, h_n.shape
    ((3, 2, 5), (2, 5))
    """
    _require("gru", x, (h_0,), parameters)
    if unroll:
        y, (h_n,) = unrolled(gru_step(*parameters), x, (h_0,), sizes, reverse)
        return y, h_n
    y, h_n, *_ = apply(GRU(reverse, sizes), x, h_0, *parameters)
    return y, h_n


def lstm_layer(
    x: Any,
    h_0: Any,
    c_0: Any,
    parameters: Sequence[Any],
    reverse: bool = False,
    sizes: tuple[int, ...] | None = None,
    unroll: bool = False,
    weight_hr: Any = None,
) -> tuple[Any, Any, Any]:
    """A layer of long short-term memory (Hochreiter and Schmidhuber 1997); arguments are as `rnn_layer`'s.

    i, f, o = sigmoid(W_i x + b_i + W_h h + b_h), g = tanh(likewise), c' = f c + i g and h' = o tanh(c'), or, where
    `weight_hr` (P, H) is given, its product with that (Sak et al. 2014); `parameters` hold those of i, f, g and o one
    above the other: (4H, I), (4H, H), (4H,), (4H,).  Returns all h_t, the last h and the last c.

    >>> import autograd_cnn as ag
    >>> zeros = ag.zeros(2, 5)
    >>> y, h_n, c_n = lstm_layer(ag.zeros(3, 2, 4), zeros, zeros, (ag.ones(20, 4), ag.ones(20, 5)))
    >>> y.shape, h_n.shape, c_n.shape
    ((3, 2, 5), (2, 5), (2, 5))
    """
    _require("lstm", x, (h_0, c_0), parameters)
    if unroll:
        step = lstm_step(*parameters, weight_hr=weight_hr)
        y, (h_n, c_n) = unrolled(step, x, (h_0, c_0), sizes, reverse)
        return y, h_n, c_n
    if weight_hr is None:
        y, h_n, c_n, *_ = apply(LSTM(reverse, sizes), x, h_0, c_0, *parameters)
    else:
        weights, biases = parameters[:2], parameters[2:]
        y, h_n, c_n, *_ = apply(ProjectedLSTM(reverse, sizes), x, h_0, c_0, *weights, weight_hr, *biases)
    return y, h_n, c_n


def _require(op: str, x: Any, states: Sequence[Any], parameters: Sequence[Any]) -> None:
    names = ("h_0", "c_0")[: len(states)], ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: len(parameters)]
    tensors = zip((*names[0], *names[1]), (*states, *parameters), strict=True)
    require_floating(op, input=x, **dict(tensors))
