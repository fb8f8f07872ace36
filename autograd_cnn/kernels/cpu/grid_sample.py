"""Images and volumes read at the points of a grid, the adjoint, and the gradient for the points.

A point is the sum of some elements (its taps: places and weights, made in grid_taps.py), whose weights are functions
of where it lies between them, or derivatives of those: `orders` says which, for each coordinate of a point.  So
derivatives of any order are values of the same kernels.  A tap of weight 0 is not there, whatever stands at its place.
"""

import math
from functools import lru_cache

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.grid_taps import LINEAR, NEAREST, POINTS, SCRATCH, make_taps
from autograd_cnn.kernels.cpu.jit import inline, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

TASKS = 16  # into which the adjoint is cut up, where there are as many channels


def grid_sample(x, grid, mode, padding, align_corners, orders, out):
    """out (N, C, *points) is x (N, C, *sizes) at the points of grid (N, *points, axes), from -1 to 1 in each axis."""
    count, table = _table(x.shape, grid, mode, padding, align_corners, orders)
    planes.run(_sampled, count * x.shape[0], table, (x, grid), out)


def grid_splat(g, grid, mode, padding, align_corners, orders, out):
    """The adjoint: out (N, C, *sizes) is what g (N, C, *points) adds to the elements that its points are made of."""
    _, table = _table(out.shape, grid, mode, padding, align_corners, orders)
    images, channels = out.shape[:2]
    parts = max(min(-(-TASKS // max(images, 1)), channels), 1)
    table[1] = parts
    planes.run(_splatted, images * parts, table, (g, grid), out)


def grid_slopes(g, x, grid, mode, padding, align_corners, orders, out):
    """out (N, *points, axes): the gradient for the points where that of the sampled x is g (N, C, *points)."""
    count, table = _table(x.shape, grid, mode, padding, align_corners, orders)
    planes.run(_slopes, count * x.shape[0], table, (x, grid, g), out)


def _table(shape, grid, mode, padding, align_corners, orders):
    """How many blocks of points an image has, and a table of what kernels need to know."""
    points, axes = math.prod(grid.shape[1:-1]), grid.shape[-1]
    blocks = -(-points // POINTS)
    settings = [mode, padding, align_corners]
    sizes = [*shape[:1:-1], 1][:3]
    orders = [*orders, 0][:3]
    code = _code(grid.dtype.char)
    return blocks, np.array([shape[1], blocks, points, axes, *settings, *sizes, code, *orders], np.int64)


@lru_cache(maxsize=2)
def _code(dtype):
    """The address of the code that makes taps: each kernel would have a copy of its own of it."""
    table, grid, scratch = np.zeros(16, np.int64), np.zeros(1, dtype), np.zeros((SCRATCH, POINTS), dtype)
    axis_places, near = np.zeros((3, 4, POINTS), np.int32), np.zeros((1, POINTS), np.int32)
    return address_of(make_taps, table, grid, 0, 0, table, scratch, axis_places, near, np.zeros((1, POINTS), dtype))


@inline
def _count(table):
    """How many taps a point has, and the size of an image."""
    taps = 1 if table[4] == NEAREST else 2 if table[4] == LINEAR else 4
    return (taps**3 if table[3] == 3 else taps * taps), table[7] * table[8] * table[9]


@serial
def _sampled(first, last, table, x, y, z, out, places):
    channels, blocks, points = table[0], table[1], table[2]
    taps, size = _count(table)
    scratch, axis_places = np.empty((SCRATCH, POINTS), x.dtype), np.empty((3, 4, POINTS), np.int32)
    near, weights = np.empty((taps, POINTS), np.int32), np.empty((taps, POINTS), x.dtype)
    for task in range(first, last):
        image, start = task // blocks, task % blocks * POINTS
        count = min(POINTS, points - start)
        call(table[10], (table, y, image * points + start, count, table[11:], scratch, axis_places, near, weights))
        all_there = _are_all_there(weights, count)
        for c in range(image * channels, (image + 1) * channels):
            _read(x[c * size : (c + 1) * size], near, weights, all_there, out[c * points + start :][:count])


@inline
def _are_all_there(weights, count):
    """Whether no tap has weight 0."""
    missing = 0
    for t in range(weights.shape[0]):
        line = weights[t, :count]
        for b in range(count):
            missing += line[b] == 0
    return missing == 0


@inline
def _read(plane, near, weights, all_there, target):
    """target[b] = the sum of weights[t, b] * plane[near[t, b]]."""
    taps, zero = weights.shape[0], plane.dtype.type(0)
    if taps == 1:
        at, weight = near[0], weights[0]
        for b in range(target.size):
            value = weight[b] * plane[np.uint64(at[b])]
            target[b] = value if weight[b] != 0 else zero
        return
    for t in range(0, taps, 4):
        at0, at1, at2, at3 = near[t], near[t + 1], near[t + 2], near[t + 3]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        if t == 0:
            target[:] = 0
        if all_there:
            for b in range(target.size):
                upper = w0[b] * plane[np.uint64(at0[b])] + w1[b] * plane[np.uint64(at1[b])]
                lower = w2[b] * plane[np.uint64(at2[b])] + w3[b] * plane[np.uint64(at3[b])]
                target[b] += upper + lower
        else:  # everything is read first, so that there are no branches
            for b in range(target.size):
                value0, value1 = w0[b] * plane[np.uint64(at0[b])], w1[b] * plane[np.uint64(at1[b])]
                value2, value3 = w2[b] * plane[np.uint64(at2[b])], w3[b] * plane[np.uint64(at3[b])]
                upper = (value0 if w0[b] != 0 else zero) + (value1 if w1[b] != 0 else zero)
                lower = (value2 if w2[b] != 0 else zero) + (value3 if w3[b] != 0 else zero)
                target[b] += upper + lower


@serial
def _splatted(first, last, table, x, y, z, out, places):
    channels, parts, points = table[0], table[1], table[2]
    taps, size = _count(table)
    scratch, axis_places = np.empty((SCRATCH, POINTS), x.dtype), np.empty((3, 4, POINTS), np.int32)
    near, weights = np.empty((taps, POINTS), np.int32), np.empty((taps, POINTS), x.dtype)
    for task in range(first, last):
        image, part = task // parts, task % parts
        low, high = image * channels + part * channels // parts, image * channels + (part + 1) * channels // parts
        out[low * size : high * size] = 0
        for start in range(0, points, POINTS):
            count = min(POINTS, points - start)
            call(table[10], (table, y, image * points + start, count, table[11:], scratch, axis_places, near, weights))
            for c in range(low, high):
                plane, source = out[c * size : (c + 1) * size], x[c * points + start :][:count]
                for t in range(0, taps, 4 if taps > 1 else 1):
                    _add(plane, source, near[t], weights[t])
                    if taps > 1:
                        _add(plane, source, near[t + 1], weights[t + 1])
                        _add(plane, source, near[t + 2], weights[t + 2])
                        _add(plane, source, near[t + 3], weights[t + 3])


@serial
def _add(plane, source, at, weight):
    for b in range(source.size):
        if weight[b] != 0:
            plane[np.uint64(at[b])] += weight[b] * source[b]


@serial
def _slopes(first, last, table, x, y, z, out, places):
    channels, blocks, points, axes = table[0], table[1], table[2], table[3]
    taps, size = _count(table)
    scratch, axis_places = np.empty((SCRATCH, POINTS), x.dtype), np.empty((3, 4, POINTS), np.int32)
    near, weights = np.empty((taps, POINTS), np.int32), np.empty((taps, POINTS), x.dtype)
    sums, total = np.empty((taps, POINTS), x.dtype), np.empty(POINTS, x.dtype)
    orders = table[11:].copy()
    for task in range(first, last):
        image, start = task // blocks, task % blocks * POINTS
        count = min(POINTS, points - start)
        place = image * points + start
        if table[4] == NEAREST:
            out[place * axes : (place + count) * axes] = 0
            continue
        for axis in range(axes):
            orders[axis] += 1
            call(table[10], (table, y, place, count, orders, scratch, axis_places, near, weights))
            orders[axis] -= 1
            if axis == 0:  # what is read is the same for all of them
                sums[:, :count] = 0
                for c in range(image * channels, (image + 1) * channels):
                    plane, g = x[c * size : (c + 1) * size], z[c * points + start :][:count]
                    for t in range(taps):
                        at, line = near[t], sums[t]
                        for b in range(g.size):
                            line[b] += g[b] * plane[np.uint64(at[b])]
            total[:] = 0
            for t in range(taps):
                line, weight = sums[t], weights[t]
                for b in range(count):
                    value = weight[b] * line[b]
                    total[b] += value if weight[b] != 0 else 0
            for b in range(count):
                out[(place + b) * axes + axis] = total[b]
