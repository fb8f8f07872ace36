"""Recurrent layers over whole sequences: RNN, GRU and LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.errors import ShapeError
from autograd_cnn.graph.op import FusedOp
from autograd_cnn.ops.recurrent_steps import gru_step, lstm_step, rnn_step, unrolled

Shape = tuple[int, ...]


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
        units, out = self.widths(others)
        if x.ndim != (3 if self.sizes is None else 2):
            wanted = "(T, N, input_size)" if self.sizes is None else "(rows, input_size)"
            raise ShapeError(f"{self.name}: input must be {wanted}, got shape {list(x.shape)}")
        rows = prod(x.shape[:-1])
        sizes = self.sizes_of(x)
        if not sizes or sum(sizes) != rows:
            raise ShapeError(f"{self.name}: input {list(x.shape)} has {rows} rows, its steps have {list(sizes)}")
        if self.sizes and (min(sizes) < 1 or any(after > before for before, after in pairwise(sizes))):
            raise ShapeError(
                f"{self.name}: the sizes of steps must be at least 1 and not grow, sequences being sorted by length, "
                f"got {list(sizes)}"
            )
        samples, wide = sizes[0], self.gates * units
        wanted_shapes: dict[str, tuple[int, ...]] = {"h_0": (samples, out), "c_0": (samples, units)}
        wanted_shapes |= {"weight_ih": (wide, x.shape[-1]), "weight_hh": (wide, out), "weight_hr": (out, units)}
        wanted_shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)}
        for name, array in zip(self.inputs[1:], others, strict=False):
            if array.shape != wanted_shapes[name]:
                raise ShapeError(
                    f"{self.name}: {name} has shape {list(array.shape)}, but input {list(x.shape)} of {samples} "
                    f"sequences and {units} units need {list(wanted_shapes[name])}"
                )
        return [(shape, x.dtype) for shape in self.shapes(x.shape[:-1], rows, samples, units, out)]

    def widths(self, others: Sequence[Any]) -> tuple[int, int]:
        """How many units there are, and how many of them, or projections of them, come out."""
        units = others[self.states + 1].shape[-1]
        return units, units

    def shapes(self, lead: Shape, rows: int, samples: int, units: int, out: int) -> Sequence[Shape]:
        """Those of the outputs."""
        raise NotImplementedError(f"{type(self).__name__}.shapes")

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

    def shapes(self, lead: Shape, rows: int, samples: int, units: int, out: int) -> Sequence[Shape]:
        return (*lead, units), (samples, units), (rows, units)

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

    def shapes(self, lead: Shape, rows: int, samples: int, units: int, out: int) -> Sequence[Shape]:
        return (*lead, units), (samples, units), (rows, 3 * units), (rows, units), (rows, units)

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

    def shapes(self, lead: Shape, rows: int, samples: int, units: int, out: int) -> Sequence[Shape]:
        return (*lead, out), (samples, out), (samples, units), (rows, 4 * units), (rows, out), (rows, units)

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
        gh, gc = _room(gh, g[1], before, sizes[0]), _room(gc, g[2], cells, sizes[0])
        g_gates = np.empty_like(activated)
        k.lstm_backward(_arrived(g[0], before), activated, cells, weight_hh, sizes, self.reverse, g_gates, gh, gc)
        _parameters(k, g_gates, g_gates, x, before, (weight_ih, weight_hh), (gx, *parameters))

    def composite(self, x: Any, h_0: Any, c_0: Any, *parameters: Any) -> Any:
        y, (h_n, c_n) = unrolled(lstm_step(*parameters), x, (h_0, c_0), self.sizes, self.reverse)
        return y, h_n, c_n


class ProjectedLSTM(Recurrent):
    """An LSTM whose states are projected: h_t = W_hr (o tanh(c_t)).

    hidden (rows, H): what is projected.
    """

    inputs = ("x", "h_0", "c_0", "weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh")
    outputs = ("y", "h_n", "c_n", "activated", "before", "cells", "hidden")
    auxiliary = ("activated", "before", "cells", "hidden")
    gates = 4
    states = 2

    def widths(self, others: Sequence[Any]) -> tuple[int, int]:
        out, units = others[self.states + 2].shape
        return units, out

    def shapes(self, lead: Shape, rows: int, samples: int, units: int, out: int) -> Sequence[Shape]:
        states = (samples, out), (samples, units)
        return (*lead, out), *states, (rows, 4 * units), (rows, out), (rows, units), (rows, units)

    def compute(
        self,
        k: Any,
        out: Any,
        x: Any,
        h_0: Any,
        c_0: Any,
        weight_ih: Any,
        weight_hh: Any,
        weight_hr: Any = None,
        bias_ih: Any = None,
        bias_hh: Any = None,
    ) -> None:
        y, h_n, c_n, activated, before, cells, hidden = out
        k.linear_forward(_rows(x), weight_ih, None if bias_ih is None else bias_ih + bias_hh, activated)
        sizes = self.sizes_of(x), self.reverse
        k.lstm(activated, h_0, c_0, weight_hh, *sizes, before, cells, _rows(y), h_n, c_n, weight_hr, hidden)

    def gradient(
        self,
        k: Any,
        out: Sequence[Any],
        g: Any,
        x: Any,
        weight_ih: Any,
        weight_hh: Any,
        weight_hr: Any,
        activated: Any,
        before: Any,
        cells: Any,
        hidden: Any,
    ) -> None:
        gx, gh, gc, gw_ih, gw_hh, gw_hr, *biases = out
        sizes = self.sizes_of(x)
        gh, gc = _room(gh, g[1], before, sizes[0]), _room(gc, g[2], cells, sizes[0])
        g_gates, g_projected = np.empty_like(activated), np.empty_like(before)
        gy = _arrived(g[0], before)
        k.lstm_backward(gy, activated, cells, weight_hh, sizes, self.reverse, g_gates, gh, gc, weight_hr, g_projected)
        _parameters(k, g_gates, g_gates, x, before, (weight_ih, weight_hh), (gx, gw_ih, gw_hh, *biases))
        if gw_hr is not None:
            k.linear_backward(g_projected, hidden, weight_hr, None, gw_hr, None)

    def composite(self, x: Any, h_0: Any, c_0: Any, *parameters: Any) -> Any:
        weight_ih, weight_hh, weight_hr, *biases = parameters
        step = lstm_step(weight_ih, weight_hh, *biases, weight_hr=weight_hr)
        y, (h_n, c_n) = unrolled(step, x, (h_0, c_0), self.sizes, self.reverse)
        return y, h_n, c_n
