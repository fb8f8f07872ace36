"""The LSTM over whole sequences, forward and backward through time (Hochreiter and Schmidhuber 1997)."""

import numpy as np

from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.contraction import linear_forward, matmul
from autograd_cnn.kernels.cpu.interleaving import interleaved
from autograd_cnn.kernels.cpu.jit import serial
from autograd_cnn.kernels.cpu.recurrent import CARRIED, NEXT, SIZE, START, packed, plan, product, run, share, walk
from autograd_cnn.kernels.cpu.vectormath import sigmoid, tanh

GATES = 4  # input, forget, cell, output


@serial
def _forward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h, d = p.units, p.depth
    gates = part_of(arrays[0], 0, p.rows * GATES * h, like)
    states = part_of(arrays[1], 0, p.rows * d, like)
    cells = part_of(arrays[2], 0, p.rows * h, like)
    y = part_of(arrays[3], 0, p.rows * h, like)
    h_n = part_of(arrays[4], 0, p.samples * h, like)
    c_n = part_of(arrays[5], 0, p.samples * h, like)
    several = table.shape[0] > 1
    weights = part_of(arrays[6], 0, GATES * p.panels * d * p.width if several else 0, like)
    for step in range(first, last):
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if several:
            product(
                step, size, tile, last_tile, panel, last_panel, 0, GATES, states, start * d, weights,
                gates, start * GATES * h, GATES * h, plans, like,
            )  # fmt: skip
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        for r in range(row, last_row):
            place = (start + r) * GATES * h + unit
            i, f = gates[place:][:count], gates[place + h :][:count]
            g, o = gates[place + 2 * h :][:count], gates[place + 3 * h :][:count]
            own, ahead = (start + r) * h + unit, (following + r) * h + unit
            c, out = cells[own : own + count], y[own : own + count]
            c_after, after = c_n[r * h + unit :][:count], h_n[r * h + unit :][:count]
            if r < carried:
                c_after, after = cells[ahead : ahead + count], states[ahead : ahead + count]
            for j in range(count):
                i[j] = sigmoid(i[j])
            interleaved()
            for j in range(count):
                f[j] = sigmoid(f[j])
            interleaved()
            for j in range(count):
                g[j] = tanh(g[j])
            interleaved()
            for j in range(count):
                o[j] = sigmoid(o[j])
            interleaved()
            for j in range(count):
                c_after[j] = f[j] * c[j] + i[j] * g[j]
            for j in range(count):
                out[j] = o[j] * tanh(c_after[j])
            interleaved()
            after[:] = out


@serial
def _backward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h, d = p.units, p.depth
    gates = part_of(arrays[0], 0, p.rows * d, like)
    cells = part_of(arrays[1], 0, p.rows * h, like)
    gy = part_of(arrays[2], 0, p.rows * h, like)
    g_gates = part_of(arrays[3], 0, p.rows * d, like)
    gh = part_of(arrays[4], 0, p.samples * h, like)
    gc = part_of(arrays[5], 0, p.samples * h, like)
    weights = part_of(arrays[6], 0, p.panels * d * p.width, like)
    one = like.dtype.type(1)
    for index in range(first, last):
        step = table.shape[0] - 1 - index
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if carried:
            product(
                step, carried, tile, last_tile, panel, last_panel, 0, 1, g_gates, following * d, weights,
                gh, 0, h, plans, like,
            )  # fmt: skip
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        t = np.empty(count, like.dtype)
        for r in range(row, last_row):
            place, own = (start + r) * d + unit, (start + r) * h + unit
            i, f = gates[place:][:count], gates[place + h :][:count]
            g, o = gates[place + 2 * h :][:count], gates[place + 3 * h :][:count]
            gi, gf = g_gates[place:][:count], g_gates[place + h :][:count]
            gg, go = g_gates[place + 2 * h :][:count], g_gates[place + 3 * h :][:count]
            c, above = cells[own : own + count], gy[own : own + count]
            dh, dc = gh[r * h + unit :][:count], gc[r * h + unit :][:count]
            for j in range(count):
                t[j] = tanh(f[j] * c[j] + i[j] * g[j])
            interleaved()
            for j in range(count):
                dh[j] = (dh[j] + above[j]) * o[j]
            for j in range(count):
                go[j] = dh[j] * t[j] * (one - o[j])
            for j in range(count):
                dc[j] += dh[j] * (one - t[j] * t[j])
            for j in range(count):
                gi[j] = dc[j] * g[j] * i[j] * (one - i[j])
            for j in range(count):
                gf[j] = dc[j] * c[j] * f[j] * (one - f[j])
            for j in range(count):
                gg[j] = dc[j] * i[j] * (one - g[j] * g[j])
            for j in range(count):
                dc[j] *= f[j]
            dh[:] = 0


def lstm(gates, h_0, c_0, weight, sizes, reverse, states, cells, y, h_n, c_n):
    """A layer, of which `sizes[t]` samples have step t; `gates` have the inputs' part and both biases.

    gates: (rows, 4H), becomes i, f, g and o; h_0, c_0: (N, H); weight: (4H, H); states and cells: (rows, H), what each
    step begins with; y: (rows, H); h_n, c_n: (N, H).  All contiguous, of one dtype.
    """
    way = walk(sizes, reverse)
    depth, units = weight.shape[1], c_n.shape[1]
    states[way.first], cells[way.first] = h_0, c_0
    p = plan(way.steps, way.samples, way.rows, units, GATES, depth, 1, 0, gates.dtype.char)
    if way.steps == 1:  # packing would take longer than the product
        part = np.empty(gates.shape, gates.dtype)
        linear_forward(states, weight, None, part)
        gates += part
        weights = p.like
    else:
        weights = packed(weight, p)
    run(_forward, p, way.table, (gates, states, cells, y, h_n, c_n, weights))


def lstm_backward(gy, gates, cells, weight, sizes, reverse, g_gates, gh, gc):
    """The gradient for the gates, and for h_0 and c_0.

    gy: (rows, H); gates, cells: as `lstm` left them; g_gates: (rows, 4H); gh, gc: (N, H), zeros, or what arrives for
    the last states: they become the gradients for the first ones.
    """
    way = walk(sizes, reverse)
    depth, units = weight.shape
    p = plan(way.steps, way.samples, way.rows, units, 1, depth, 0, 0, gates.dtype.char)
    weights = packed(weight, p) if way.steps > 1 else np.empty(0, gates.dtype)
    run(_backward, p, way.table, (gates, cells, gy, g_gates, gh, gc, weights))
    part = np.empty(gh.shape, gh.dtype)
    matmul(g_gates[way.first], weight, part)
    gh += part
