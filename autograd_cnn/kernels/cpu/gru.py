"""The GRU over whole sequences, forward and backward through time (Cho et al. 2014)."""

import numpy as np

from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.contraction import linear_forward, matmul
from autograd_cnn.kernels.cpu.interleaving import interleaved
from autograd_cnn.kernels.cpu.jit import serial
from autograd_cnn.kernels.cpu.recurrent import CARRIED, NEXT, SIZE, START, packed, plan, product, run, share, walk
from autograd_cnn.kernels.cpu.vectormath import sigmoid, tanh

GATES = 3  # reset, update, new


@serial
def _forward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h = p.units
    gates = part_of(arrays[0], 0, p.rows * GATES * h, like)
    news = part_of(arrays[1], 0, p.rows * h, like)
    states = part_of(arrays[2], 0, p.rows * h, like)
    y = part_of(arrays[3], 0, p.rows * h, like)
    h_n = part_of(arrays[4], 0, p.samples * h, like)
    bias = part_of(arrays[5], 0, h, like)
    several = table.shape[0] > 1
    weights = part_of(arrays[6], 0, GATES * p.panels * h * p.width if several else 0, like)
    one = like.dtype.type(1)
    for step in range(first, last):
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        if several:
            for r in range(row, last_row):
                news[(start + r) * h + unit :][:count] = bias[unit:last_unit]
            product(
                step, size, tile, last_tile, panel, last_panel, 0, 2, states, start * h, weights,
                gates, start * GATES * h, GATES * h, plans, like,
            )  # fmt: skip
            product(
                step, size, tile, last_tile, panel, last_panel, 2, GATES, states, start * h, weights,
                news, start * h, h, plans, like,
            )  # fmt: skip
        for r in range(row, last_row):
            place, own, ahead = (start + r) * GATES * h + unit, (start + r) * h + unit, (following + r) * h + unit
            reset, update = gates[place:][:count], gates[place + h :][:count]
            new, inner = gates[place + 2 * h :][:count], news[own : own + count]
            state, out, after = states[own : own + count], y[own : own + count], h_n[r * h + unit :][:count]
            if r < carried:
                after = states[ahead : ahead + count]
            for j in range(count):
                reset[j] = sigmoid(reset[j])
            interleaved()
            for j in range(count):
                update[j] = sigmoid(update[j])
            interleaved()
            for j in range(count):
                new[j] = tanh(new[j] + reset[j] * inner[j])
            interleaved()
            for j in range(count):
                out[j] = (one - update[j]) * new[j] + update[j] * state[j]
            after[:] = out


@serial
def _backward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h, d = p.units, p.depth
    gates = part_of(arrays[0], 0, p.rows * d, like)
    news = part_of(arrays[1], 0, p.rows * h, like)
    states = part_of(arrays[2], 0, p.rows * h, like)
    gy = part_of(arrays[3], 0, p.rows * h, like)
    g_gates = part_of(arrays[4], 0, p.rows * d, like)
    g_inner = part_of(arrays[5], 0, p.rows * d, like)
    gh = part_of(arrays[6], 0, p.samples * h, like)
    weights = part_of(arrays[7], 0, p.panels * d * p.width, like)
    one = like.dtype.type(1)
    for index in range(first, last):
        step = table.shape[0] - 1 - index
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if carried:
            product(
                step, carried, tile, last_tile, panel, last_panel, 0, 1, g_inner, following * d, weights,
                gh, 0, h, plans, like,
            )  # fmt: skip
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        for r in range(row, last_row):
            place, own = (start + r) * d + unit, (start + r) * h + unit
            reset, update = gates[place:][:count], gates[place + h :][:count]
            new, inner = gates[place + 2 * h :][:count], news[own : own + count]
            state, above = states[own : own + count], gy[own : own + count]
            g_reset, g_update = g_gates[place:][:count], g_gates[place + h :][:count]
            g_new, g_news = g_gates[place + 2 * h :][:count], g_inner[place + 2 * h :][:count]
            dh = gh[r * h + unit :][:count]
            for j in range(count):
                dh[j] += above[j]
            for j in range(count):
                g_new[j] = dh[j] * (one - update[j]) * (one - new[j] * new[j])
            for j in range(count):
                g_reset[j] = g_new[j] * inner[j] * reset[j] * (one - reset[j])
            for j in range(count):
                g_news[j] = g_new[j] * reset[j]
            for j in range(count):
                g_update[j] = dh[j] * (state[j] - new[j]) * update[j] * (one - update[j])
            for j in range(count):
                dh[j] *= update[j]
            g_inner[place:][:count] = g_reset
            g_inner[place + h :][:count] = g_update


def gru(gates, h_0, weight, bias, sizes, reverse, news, states, y, h_n):
    """A layer, of which `sizes[t]` samples have step t; `gates` have the inputs' part and the biases of that.

    gates: (rows, 3H), becomes r, z and n; h_0: (N, H); weight: (3H, H); bias: (H,), of the hidden part of n; news:
    (rows, H), that part; states: (rows, H), what each step begins with; y: (rows, H); h_n: (N, H).  All
    contiguous, of one dtype.
    """
    way = walk(sizes, reverse)
    units = weight.shape[1]
    states[way.first] = h_0
    p = plan(way.steps, way.samples, way.rows, units, GATES, units, 1, 0, gates.dtype.char)
    if way.steps == 1:  # packing would take longer than the product
        part = np.empty(gates.shape, gates.dtype)
        linear_forward(states, weight, None, part)
        gates[:, : 2 * units] += part[:, : 2 * units]
        np.add(part[:, 2 * units :], bias, out=news)
        weights = p.like
    else:
        weights = packed(weight, p)
    run(_forward, p, way.table, (gates, news, states, y, h_n, bias, weights))


def gru_backward(gy, gates, news, states, weight, sizes, reverse, g_gates, g_inner, gh):
    """The gradients for the inputs' and for the hidden part of the gates, and for h_0.

    gy: (rows, H); gates, news, states: as `gru` left them; g_gates, g_inner: (rows, 3H); gh: (N, H), zeros, or what
    arrives for the last states: it becomes the gradient for the first ones.
    """
    way = walk(sizes, reverse)
    depth, units = weight.shape
    p = plan(way.steps, way.samples, way.rows, units, 1, depth, 0, 0, gates.dtype.char)
    weights = packed(weight, p) if way.steps > 1 else np.empty(0, gates.dtype)
    run(_backward, p, way.table, (gates, news, states, gy, g_gates, g_inner, gh, weights))
    part = np.empty(gh.shape, gh.dtype)
    matmul(g_inner[way.first], weight, part)
    gh += part
