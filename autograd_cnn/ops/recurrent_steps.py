"""Recurrent layers as ordinary ops, step by step: what `unroll=True` records, and what fused layers are composed of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_cnn.graph.grad_mode import timestep
from autograd_cnn.ops.activation import relu
from autograd_cnn.ops.elementwise import sigmoid, tanh
from autograd_cnn.ops.join import cat, stack
from autograd_cnn.ops.linear import linear
from autograd_cnn.ops.split import split, unbind

States = tuple[Any, ...]
Step = Callable[[Any, States], States]


def rnn_step(nonlinearity: str, weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None) -> Step:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of that."""
    activation = relu if nonlinearity == "relu" else tanh

    def step(x: Any, states: States) -> States:
        return (activation(linear(x, weight_ih, bias_ih) + linear(states[0], weight_hh, bias_hh)),)

    return step


def gru_step(weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None) -> Step:
    """r, z = sigmoid(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h."""
    units = weight_hh.shape[1]

    def step(x: Any, states: States) -> States:
        (h,) = states
        x_reset, x_update, x_new = split(linear(x, weight_ih, bias_ih), units, 1)
        h_reset, h_update, h_new = split(linear(h, weight_hh, bias_hh), units, 1)
        reset, update = sigmoid(x_reset + h_reset), sigmoid(x_update + h_update)
        new = tanh(x_new + reset * h_new)
        return ((1 - update) * new + update * h,)

    return step


def lstm_step(*parameters: Any, weight_hr: Any = None) -> Step:
    """i, f, o = sigmoid(...), g = tanh(...), c' = f c + i g, h' = o tanh(c'), or W_hr times that."""
    weight_ih, weight_hh, bias_ih, bias_hh = (*parameters, None, None)[:4]
    units = weight_hh.shape[0] // 4

    def step(x: Any, states: States) -> States:
        h, c = states
        gates = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)
        i, f, g, o = split(gates, units, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return h if weight_hr is None else linear(h, weight_hr), c

    return step


def unrolled(step: Step, x: Any, states: States, sizes: Sequence[int] | None, reverse: bool) -> tuple[Any, States]:
    """The first state after each step, and the last states of each sequence.

    x: (T, N, I), or (rows, I) where `sizes` tells how many of its rows each step has; states: (N, ...).
    """
    inputs = unbind(x, 0) if sizes is None else split(x, list(sizes), 0)
    outputs: list[Any] = [None] * len(inputs)
    ended: list[States] = []  # the states of sequences that have ended, the shortest ones first
    first, order = states, list(range(len(inputs)))
    if reverse:
        order.reverse()
        if sizes is not None:
            states = tuple(state[: sizes[-1]] for state in first)
    for t in order:
        with timestep(t):
            if sizes is not None:
                size, have = sizes[t], states[0].shape[0]
                if size < have:
                    ended.append(tuple(state[size:] for state in states))
                    states = tuple(state[:size] for state in states)
                elif size > have:
                    states = tuple(cat([state, new[have:size]]) for state, new in zip(states, first, strict=True))
            states = step(inputs[t], states)
            outputs[t] = states[0]
    if ended:
        states = tuple(cat([last, *(some[i] for some in reversed(ended))]) for i, last in enumerate(states))
    return (stack if sizes is None else cat)(outputs), states
