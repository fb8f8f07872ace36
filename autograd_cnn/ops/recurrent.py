"""Recurrent layers over whole sequences: RNN, GRU and LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.recurrent_steps import gru_step, lstm_step, rnn_step, unrolled


class Recurrent(FusedOp, abstract=True):
    """One layer in one direction.

    x: (T, N, I), or (rows, I) for packed sequences, of which `sizes[t]` have a step t.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1  # inputs that are states

    def __init__(self, reverse: bool = False, sizes: tuple[int, ...] | None = None) -> None:
        self.reverse = reverse
        self.sizes = sizes

    def infer(self, x: Any, *others: Any) -> Any:
        """The leading dimensions, the number of rows and of units, and the dtype; raises where sizes do not fit."""
        weight_hh = others[self.states + 1]
        if x.ndim != (3 if self.sizes is None else 2):
            wanted = "(T, N, input_size)" if self.sizes is None else "(rows, input_size)"
            raise ShapeError(f"{self.name}: x must be {wanted}, got shape {list(x.shape)}")
        rows, units = prod(x.shape[:-1]), weight_hh.shape[-1]
        sizes = self.sizes_of(x)
        if not sizes or sum(sizes) != rows:
            raise ShapeError(f"{self.name}: x {list(x.shape)} has {rows} rows, its steps have {list(sizes)}")
        samples, wide = sizes[0], self.gates * units
        wanted_shapes: dict[str, tuple[int, ...]] = {"weight_ih": (wide, x.shape[-1]), "weight_hh": (wide, units)}
        wanted_shapes |= dict.fromkeys(("h_0", "c_0"), (samples, units)) | dict.fromkeys(
            ("bias_ih", "bias_hh"), (wide,)
        )
        for name, array in zip(self.inputs[1:], others, strict=False):
            if array.shape != wanted_shapes[name]:
                raise ShapeError(
                    f"{self.name}: {name} has shape {list(array.shape)}, but x {list(x.shape)} of {samples} sequences "
                    f"and weight_hh {list(weight_hh.shape)} need {list(wanted_shapes[name])}"
                )
        return self.specs(x.shape[:-1], rows, samples, units, x.dtype)

    def specs(self, lead: tuple[int, ...], rows: int, samples: int, units: int, dtype: np.dtype) -> Any:
        raise NotImplementedError

    def sizes_of(self, x: Any) -> tuple[int, ...]:
        """How many sequences have each step."""
        return (x.shape[1],) * x.shape[0] if self.sizes is None else self.sizes


def _rows(x: Any) -> Any:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _room(array: Any, g: Any, like: Any, samples: int) -> Any:
    """The gradient for states, `like.shape[1]` of each sample: it begins as that for the last ones, g, or zeros."""
    array = np.empty((samples, like.shape[1]), like.dtype) if array is None else array
    array[...] = 0 if g is None else g
    return array


def _arrived(g: Any, like: Any) -> Any:
    """The gradient for all outputs, as contiguous rows; zeros where there is none."""
    return np.zeros_like(like) if g is None else np.ascontiguousarray(_rows(g))


def _parameters(
    k: Any, g_inputs: Any, g_states: Any, x: Any, states: Any, weights: Sequence[Any], out: Sequence[Any]
) -> None:
    """The gradients for x, weight_ih, weight_hh, bias_ih and bias_hh, from those for the two parts of the gates."""
    gx, gw_ih, gw_hh, gb_ih, gb_hh = (*out, None, None)[:5]
    shared = g_inputs is g_states and gb_ih is not None  # both biases have one gradient
    if gx is not None or gw_ih is not None or gb_ih is not None:
        k.linear_backward(g_inputs, _rows(x), weights[0], None if gx is None else _rows(gx), gw_ih, gb_ih)
    if gw_hh is not None or (gb_hh is not None and not shared):
        k.linear_backward(g_states, states, weights[1], None, gw_hh, None if shared else gb_hh)
    if gb_hh is not None and shared:
        gb_hh[...] = gb_ih


class RNN(Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu of that.

    states (rows, H): what each step begins with.
    """

    inputs = ("x", "h_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
    outputs = ("y", "h_n", "before")
    auxiliary = ("before",)
    gates = 1

    def __init__(self, nonlinearity: str = "tanh", reverse: bool = False, sizes: tuple[int, ...] | None = None) -> None:
        super().__init__(reverse, sizes)
        self.nonlinearity = nonlinearity

    def specs(self, lead: tuple[int, ...], rows: int, samples: int, units: int, dtype: np.dtype) -> Any:
        return [(shape, dtype) for shape in ((*lead, units), (samples, units), (rows, units))]

    def compute(
        self,
        k: Any,
        out: Any,
        x: Any,
        h_0: Any,
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any = None,
        bias_hh: Any = None,
    ) -> None:
        y, h_n, before = out
        y = _rows(y)
        k.linear_forward(_rows(x), weight_ih, None if bias_ih is None else bias_ih + bias_hh, y)
        k.rnn(y, h_0, weight_hh, self.nonlinearity == "relu", self.sizes_of(x), self.reverse, before, h_n)

    def gradient(
        self, k: Any, out: Sequence[Any], g: Any, x: Any, weight_ih: Any, weight_hh: Any, y: Any, before: Any
    ) -> None:
        gx, gh, *parameters = out
        y, sizes = _rows(y), self.sizes_of(x)
        g_sums, gh = np.empty_like(y), _room(gh, g[1], y, sizes[0])
        k.rnn_backward(_arrived(g[0], y), y, weight_hh, self.nonlinearity == "relu", sizes, self.reverse, g_sums, gh)
        _parameters(k, g_sums, g_sums, x, before, (weight_ih, weight_hh), (gx, *parameters))

    def composite(self, x: Any, h_0: Any, *parameters: Any) -> Any:
        y, (h_n,) = unrolled(rnn_step(self.nonlinearity, *parameters), x, (h_0,), self.sizes, self.reverse)
        return y, h_n


class GRU(Recurrent):
    """Gated recurrent units, with the reset gate behind the product as in PyTorch and cuDNN.

    activated (rows, 3H): r, z and n; inner (rows, H): W_hn h + b_hn; before (rows, H): what each step begins with.
    """

    inputs = ("x", "h_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
    outputs = ("y", "h_n", "activated", "inner", "before")
    auxiliary = ("activated", "inner", "before")
    gates = 3

    def specs(self, lead: tuple[int, ...], rows: int, samples: int, units: int, dtype: np.dtype) -> Any:
        shapes = (*lead, units), (samples, units), (rows, 3 * units), (rows, units), (rows, units)
        return [(shape, dtype) for shape in shapes]

    def compute(
        self,
        k: Any,
        out: Any,
        x: Any,
        h_0: Any,
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any = None,
        bias_hh: Any = None,
    ) -> None:
        y, h_n, activated, inner, before = out
        units = y.shape[-1]
        bias = None
        inner_bias = np.zeros(units, y.dtype)
        if bias_ih is not None:
            bias, inner_bias = bias_ih.copy(), np.ascontiguousarray(bias_hh[2 * units :])
            bias[: 2 * units] += bias_hh[: 2 * units]
        k.linear_forward(_rows(x), weight_ih, bias, activated)
        k.gru(activated, h_0, weight_hh, inner_bias, self.sizes_of(x), self.reverse, inner, before, _rows(y), h_n)

    def gradient(
        self,
        k: Any,
        out: Sequence[Any],
        g: Any,
        x: Any,
        weight_ih: Any,
        weight_hh: Any,
        activated: Any,
        inner: Any,
        before: Any,
    ) -> None:
        gx, gh, *parameters = out
        sizes = self.sizes_of(x)
        g_gates, g_states, gh = (
            np.empty_like(activated),
            np.empty_like(activated),
            _room(gh, g[1], before, sizes[0]),
        )
        k.gru_backward(
            _arrived(g[0], before), activated, inner, before, weight_hh, sizes, self.reverse, g_gates, g_states, gh
        )
        _parameters(k, g_gates, g_states, x, before, (weight_ih, weight_hh), (gx, *parameters))

    def composite(self, x: Any, h_0: Any, *parameters: Any) -> Any:
        y, (h_n,) = unrolled(gru_step(*parameters), x, (h_0,), self.sizes, self.reverse)
        return y, h_n


class LSTM(Recurrent):
    """Long short-term memory, without peepholes.

    activated (rows, 4H): i, f, g and o; before, cells (rows, H): what each step begins with.
    """

    inputs = ("x", "h_0", "c_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
    outputs = ("y", "h_n", "c_n", "activated", "before", "cells")
    auxiliary = ("activated", "before", "cells")
    gates = 4
    states = 2

    def specs(self, lead: tuple[int, ...], rows: int, samples: int, units: int, dtype: np.dtype) -> Any:
        shapes = (*lead, units), *[(samples, units)] * 2, (rows, 4 * units), *[(rows, units)] * 2
        return [(shape, dtype) for shape in shapes]

    def compute(
        self,
        k: Any,
        out: Any,
        x: Any,
        h_0: Any,
        c_0: Any,
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any = None,
        bias_hh: Any = None,
    ) -> None:
        y, h_n, c_n, activated, before, cells = out
        k.linear_forward(_rows(x), weight_ih, None if bias_ih is None else bias_ih + bias_hh, activated)
        k.lstm(activated, h_0, c_0, weight_hh, self.sizes_of(x), self.reverse, before, cells, _rows(y), h_n, c_n)

    def gradient(
        self,
        k: Any,
        out: Sequence[Any],
        g: Any,
        x: Any,
        weight_ih: Any,
        weight_hh: Any,
        activated: Any,
        before: Any,
        cells: Any,
    ) -> None:
        gx, gh, gc, *parameters = out
        sizes = self.sizes_of(x)
        gh, gc = _room(gh, g[1], before, sizes[0]), _room(gc, g[2], before, sizes[0])
        g_gates = np.empty_like(activated)
        k.lstm_backward(_arrived(g[0], before), activated, cells, weight_hh, sizes, self.reverse, g_gates, gh, gc)
        _parameters(k, g_gates, g_gates, x, before, (weight_ih, weight_hh), (gx, *parameters))

    def composite(self, x: Any, h_0: Any, c_0: Any, *parameters: Any) -> Any:
        y, (h_n, c_n) = unrolled(lstm_step(*parameters), x, (h_0, c_0), self.sizes, self.reverse)
        return y, h_n, c_n


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
    if unroll or weight_hr is not None:
        step = lstm_step(*parameters, weight_hr=weight_hr)
        y, (h_n, c_n) = unrolled(step, x, (h_0, c_0), sizes, reverse)
        return y, h_n, c_n
    y, h_n, c_n, *_ = apply(LSTM(reverse, sizes), x, h_0, c_0, *parameters)
    return y, h_n, c_n


def _require(op: str, x: Any, states: Sequence[Any], parameters: Sequence[Any]) -> None:
    names = ("h_0", "c_0")[: len(states)], ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: len(parameters)]
    tensors = zip((*names[0], *names[1]), (*states, *parameters), strict=True)
    require_floating(op, x=x, **dict(tensors))
