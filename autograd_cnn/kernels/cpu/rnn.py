"""The simple recurrent layer over whole sequences, forward and backward through time (Elman 1990)."""

import numpy as np

from autograd_cnn.kernels.cpu.addressed import part_of
from autograd_cnn.kernels.cpu.contraction import linear_forward, matmul
from autograd_cnn.kernels.cpu.interleaving import interleaved
from autograd_cnn.kernels.cpu.jit import serial
from autograd_cnn.kernels.cpu.recurrent import CARRIED, NEXT, SIZE, START, packed, plan, product, run, share, walk
from autograd_cnn.kernels.cpu.vectormath import tanh


@serial
def _forward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h = p.units
    y = part_of(arrays[0], 0, p.rows * h, like)
    states = part_of(arrays[1], 0, p.rows * h, like)
    h_n = part_of(arrays[2], 0, p.samples * h, like)
    several = table.shape[0] > 1
    weights = part_of(arrays[3], 0, p.panels * h * p.width if several else 0, like)
    zero = like.dtype.type(0)
    for step in range(first, last):
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if several:
            product(
                step, size, tile, last_tile, panel, last_panel, 0, 1, states, start * h, weights,
                y, start * h, h, plans, like,
            )  # fmt: skip
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        for r in range(row, last_row):
            own, ahead = (start + r) * h + unit, (following + r) * h + unit
            state, after = y[own : own + count], h_n[r * h + unit :][:count]
            if r < carried:
                after = states[ahead : ahead + count]
            if p.rectified:
                for j in range(count):
                    state[j] = zero if state[j] <= zero else state[j]
            else:
                for j in range(count):
                    state[j] = tanh(state[j])
                interleaved()
            after[:] = state


@serial
def _backward(first, last, tile, last_tile, panel, last_panel, plans, table, arrays, like):
    p = plans[0]
    h = p.units
    y = part_of(arrays[0], 0, p.rows * h, like)
    gy = part_of(arrays[1], 0, p.rows * h, like)
    g_sums = part_of(arrays[2], 0, p.rows * h, like)
    gh = part_of(arrays[3], 0, p.samples * h, like)
    weights = part_of(arrays[4], 0, p.panels * h * p.width, like)
    zero, one = like.dtype.type(0), like.dtype.type(1)
    for index in range(first, last):
        step = table.shape[0] - 1 - index
        start, size, following, carried = table[step, START], table[step, SIZE], table[step, NEXT], table[step, CARRIED]
        if carried:
            product(
                step, carried, tile, last_tile, panel, last_panel, 0, 1, g_sums, following * h, weights,
                gh, 0, h, plans, like,
            )  # fmt: skip
        row, last_row, unit, last_unit = share(p, tile, last_tile, panel, last_panel, size)
        count = last_unit - unit
        for r in range(row, last_row):
            own = (start + r) * h + unit
            state, above, g_sum = y[own : own + count], gy[own : own + count], g_sums[own : own + count]
            dh = gh[r * h + unit :][:count]
            if p.rectified:
                for j in range(count):
                    g_sum[j] = zero if state[j] <= zero else dh[j] + above[j]
            else:
                for j in range(count):
                    g_sum[j] = (dh[j] + above[j]) * (one - state[j] * state[j])
            dh[:] = 0


def rnn(y, h_0, weight, rectified, sizes, reverse, states, h_n):
    """A layer, of which `sizes[t]` samples have step t; y has the inputs' part of the sums and both biases.

    y: (rows, H), becomes the states, tanh of the sums or, where `rectified`, max(sums, 0); h_0: (N, H); weight: (H,
    H); states: (rows, H), what each step begins with; h_n: (N, H).  All contiguous, of one dtype.
    """
    way = walk(sizes, reverse)
    units = weight.shape[1]
    states[way.first] = h_0
    p = plan(way.steps, way.samples, way.rows, units, 1, units, 1, int(rectified), y.dtype.char)
    if way.steps == 1:  # packing would take longer than the product
        part = np.empty(y.shape, y.dtype)
        linear_forward(states, weight, None, part)
        y += part
        weights = p.like
    else:
        weights = packed(weight, p)
    run(_forward, p, way.table, (y, states, h_n, weights))


def rnn_backward(gy, y, weight, rectified, sizes, reverse, g_sums, gh):
    """The gradients for the sums and for h_0.

    gy, y, g_sums: (rows, H); gh: (N, H), zeros, or what arrives for the last states: it becomes the gradient for the
    first ones.
    """
    way = walk(sizes, reverse)
    units = weight.shape[1]
    p = plan(way.steps, way.samples, way.rows, units, 1, units, 0, int(rectified), y.dtype.char)
    weights = packed(weight, p) if way.steps > 1 else np.empty(0, y.dtype)
    run(_backward, p, way.table, (y, gy, g_sums, gh, weights))
    part = np.empty(gh.shape, gh.dtype)
    matmul(g_sums[way.first], weight, part)
    gh += part
