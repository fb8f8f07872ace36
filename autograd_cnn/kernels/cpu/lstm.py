"""The LSTM over whole sequences, forward and backward through time (Hochreiter and Schmidhuber 1997).

Where there is a projection (Sak et al. 2014), it is a second product at each step, with a plan and weights of its own.
"""

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
    y = part_of(arrays[3], 0, p.rows * d, like)
    h_n = part_of(arrays[4], 0, p.samples * d, like)
    c_n = part_of(arrays[5], 0, p.samples * h, like)
    several = table.shape[0] > 1
    weights = part_of(arrays[6], 0, GATES * p.panels * d * p.width if several else 0, like)
    projected = plans.shape[0] > 1
    q = plans[plans.shape[0] - 1]
    hidden = part_of(arrays[7], 0, p.rows * h if projected else 0, like)
    projection = part_of(arrays[8], 0, q.panels * h * q.width if projected else 0, like)
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
            c = cells[own : own + count]
            c_after = cells[ahead : ahead + count] if r < carried else c_n[r * h + unit :][:count]
            if projected:
                out = hidden[own : own + count]
                after = out
            else:
                out = y[own : own + count]
                after = states[ahead : ahead + count] if r < carried else h_n[r * h + unit :][:count]
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
        if projected:
            y[(start + row) * d : (start + last_row) * d] = 0
            product(
                step, size, tile, last_tile, 0, q.panels, 0, 1, hidden, start * h, projection,
                y, start * d, d, plans[1:], like,
            )  # fmt: skip
            for r in range(row, last_row):
                after = states[(following + r) * d :][:d] if r < carried else h_n[r * d :][:d]
                after[:] = y[(start + r) * d :][:d]


@serial
def _backward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p, q = plans[0], plans[plans.shape[0] - 1]
    projected = plans.shape[0] > 1
    h, d = q.units, p.depth
    gates = part_of(arrays[0], 0, p.rows * d, like)
    cells = part_of(arrays[1], 0, p.rows * h, like)
    gy = part_of(arrays[2], 0, p.rows * p.units, like)
    g_gates = part_of(arrays[3], 0, p.rows * d, like)
    gh = part_of(arrays[4], 0, p.samples * p.units, like)
    gc = part_of(arrays[5], 0, p.samples * h, like)
    weights = part_of(arrays[6], 0, p.panels * d * p.width, like)
    g_projected = part_of(arrays[7], 0, p.rows * p.units if projected else 0, like)
    g_hidden = part_of(arrays[8], 0, p.samples * h if projected else 0, like)
    projection = part_of(arrays[9], 0, q.panels * p.units * q.width if projected else 0, like)
    one = like.dtype.type(1)
    for index in range(first, last):
        step = table.shape[0] - 1 - index
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if carried:
            product(
                step, carried, tile, last_tile, panel, last_panel, 0, 1, g_gates, following * d, weights,
                gh, 0, p.units, plans, like,
            )  # fmt: skip
        if projected:
            row, last_row, _, n = share(p, tile, last_tile, panel, last_panel, size)
            for j in range(row * n, last_row * n):
                g_projected[start * n + j] = gh[j] + gy[start * n + j]
            gh[row * n : last_row * n] = 0
            g_hidden[row * h : last_row * h] = 0
            product(
                step, size, tile, last_tile, 0, q.panels, 0, 1, g_projected, start * n, projection,
                g_hidden, 0, h, plans[1:], like,
            )  # fmt: skip
            row, last_row, unit, last_unit = share(q, tile, last_tile, 0, q.panels, size)
        else:
            row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        t = np.empty(count, like.dtype)
        for r in range(row, last_row):
            place, own = (start + r) * d + unit, (start + r) * h + unit
            i, f = gates[place:][:count], gates[place + h :][:count]
            g, o = gates[place + 2 * h :][:count], gates[place + 3 * h :][:count]
            gi, gf = g_gates[place:][:count], g_gates[place + h :][:count]
            gg, go = g_gates[place + 2 * h :][:count], g_gates[place + 3 * h :][:count]
            c, dc = cells[own : own + count], gc[r * h + unit :][:count]
            if projected:
                dh = g_hidden[r * h :][:count]
                above = g_hidden[r * h :][:count]
            else:
                dh = gh[r * h + unit :][:count]
                above = gy[own : own + count]
            for j in range(count):
                t[j] = tanh(f[j] * c[j] + i[j] * g[j])
            interleaved()
            if projected:
                for j in range(count):
                    dh[j] *= o[j]
            else:
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


def lstm(gates, h_0, c_0, weight, sizes, reverse, states, cells, y, h_n, c_n, projection=None, hidden=None):
    """A layer, of which `sizes[t]` samples have step t; `gates` have the inputs' part and both biases.

    gates: (rows, 4H), becomes i, f, g and o; h_0: (N, P), c_0: (N, H); weight: (4H, P); states: (rows, P) and cells:
    (rows, H), what each step begins with; y: (rows, P); h_n: (N, P), c_n: (N, H).  P is H, or there is a projection:
    (P, H), and hidden: (rows, H), what it is applied to.  All contiguous, of one dtype.
    """
    way = walk(sizes, reverse)
    depth, units, kind = weight.shape[1], c_n.shape[1], gates.dtype.char
    states[way.first], cells[way.first] = h_0, c_0
    p = plan(way.steps, way.samples, way.rows, units, GATES, depth, 1, 0, kind, projection is not None)
    if way.steps == 1:  # packing would take longer than the product
        part = np.empty(gates.shape, gates.dtype)
        linear_forward(states, weight, None, part)
        gates += part
        weights = p.like
    else:
        weights = packed(weight, p)
    more = p.like, p.like
    if projection is not None:
        q = plan(way.steps, way.samples, way.rows, depth, 1, units, 1, 0, kind, True)
        p, more = _with(p, q), (hidden, packed(projection, q))
    run(_forward, p, way.table, (gates, states, cells, y, h_n, c_n, weights, *more))


def lstm_backward(gy, gates, cells, weight, sizes, reverse, g_gates, gh, gc, projection=None, g_projected=None):
    """The gradient for the gates, and for h_0 and c_0.

    gy: (rows, P); gates, cells: as `lstm` left them; g_gates: (rows, 4H); gh: (N, P), gc: (N, H), zeros, or what
    arrives for the last states: they become the gradients for the first ones; g_projected: (rows, P), that for the
    projection's results.
    """
    way = walk(sizes, reverse)
    (depth, out), units, kind = weight.shape, gc.shape[1], gates.dtype.char
    p = plan(way.steps, way.samples, way.rows, out, 1, depth, 0, 0, kind, projection is not None)
    weights, more = packed(weight, p) if way.steps > 1 else p.like[:0], (p.like,) * 3
    if projection is not None:
        q = plan(way.steps, way.samples, way.rows, units, 1, out, 0, 0, kind, True)
        more = g_projected, np.empty(gc.shape, gc.dtype), packed(projection, q)
        p = _with(p, q)
    run(_backward, p, way.table, (gates, cells, gy, g_gates, gh, gc, weights, *more))
    part = np.empty(gh.shape, gh.dtype)
    matmul(g_gates[way.first], weight, part)
    gh += part


def _with(p, q):
    """The plan for a step, and for the projection at its end."""
    return p._replace(numbers=np.concatenate([p.numbers, q.numbers]))
