"""The taps of points: of which elements each is made, and with what weights, for a block of points at a time.

Coordinates of one axis after the other go through loops without branches, which become vector code.
"""

import numpy as np

from autograd_cnn.kernels.cpu.jit import inline, serial

NEAREST, LINEAR, CUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)
POINTS = 256  # of one block
FAR = 4e6  # cells; what is further, or nan, counts as that far
A = -0.75  # the parameter of the cubic convolution kernel (Keys 1981)
SCRATCH = 14  # rows: positions and slopes, and the weights of four taps along three axes


@serial
def make_taps(table, grid, first, count, orders, scratch, axis_places, places, weights):
    """places[t, b], weights[t, b]: of what each of `count` points of the grid from `first` on is made."""
    axes, mode, padding, align_corners = table[3], table[4], table[5], table[6]
    taps = 1 if mode == NEAREST else 2 if mode == LINEAR else 4
    x, slope = scratch[0, :count], scratch[1, :count]
    half = x.dtype.type(0.5)
    far = x.dtype.type(FAR)
    for axis in range(axes):
        size = table[7 + axis]
        scale = (size - 1) * half if align_corners else size * half
        shift = half * 0 if align_corners else half
        for b in range(count):
            position = (grid[np.uint64((first + b) * axes + axis)] + 1) * scale - shift
            position = position if position > -far else -far
            x[b] = position if position < far else far
        slope[:] = scale
        if padding != ZEROS and mode != CUBIC:
            if padding == REFLECTION:
                _reflect(x, slope, -shift, size - 1 + shift)
            _clip(x, slope, size)
        order = orders[axis]
        if mode == CUBIC:
            _cubic(x, slope, size, padding, align_corners, order, axis_places[axis], scratch[2 + 4 * axis :])
        else:
            _linear(x, slope, size, mode, order, axis_places[axis], scratch[2 + 4 * axis :])
    t = 0
    for i in range(taps if axes == 3 else 1):
        for j in range(taps):
            for k in range(taps):
                place, weight = places[t, :count], weights[t, :count]
                column, row = axis_places[0, k], axis_places[1, j]
                column_weight, row_weight = scratch[2 + k], scratch[6 + j]
                width = np.int32(table[7])
                for b in range(count):
                    place[b] = column[b] + row[b] * width
                for b in range(count):
                    weight[b] = column_weight[b] * row_weight[b]
                if axes == 3:
                    area, depth, depth_weight = np.int32(table[7] * table[8]), axis_places[2, i], scratch[10 + i]
                    for b in range(count):
                        place[b] += depth[b] * area
                    for b in range(count):
                        weight[b] *= depth_weight[b]
                t += 1


@serial
def _reflect(x, slope, low, high):
    """x folded into [low, high], the slope turned as often."""
    span = high - low
    if span <= 0:
        x[:] = low
        slope[:] = 0
        return
    for b in range(x.size):
        distance = abs(x[b] - low)
        flips = np.floor(distance / span)
        rest = distance - flips * span
        even = flips - 2 * np.floor(flips / 2) == 0
        turned = slope[b] if (x[b] < low) ^ even else -slope[b]
        x[b] = low + rest if even else high - rest
        slope[b] = turned


@serial
def _clip(x, slope, size):
    """x within the image; it does not move at the ends."""
    end = x.dtype.type(size - 1)
    zero = x.dtype.type(0)
    for b in range(x.size):
        inside = (x[b] > zero) & (x[b] < end)
        slope[b] = slope[b] if inside else zero
        position = x[b] if x[b] > zero else zero
        x[b] = position if position < end else end


@serial
def _linear(x, slope, size, mode, order, places, weights):
    """One tap, the nearest, or two: the elements at or before x and after it."""
    one, zero, last = x.dtype.type(1), x.dtype.type(0), np.int32(size - 1)
    half = x.dtype.type(0.5)
    place, other = places[0], places[1]
    weight, other_weight = weights[0], weights[1]
    if mode == NEAREST:  # the even one of two as near
        for b in range(x.size):
            below = np.floor(x[b])
            t = x[b] - below
            up = (t > half) | ((t == half) & (below - 2 * np.floor(below * half) != 0))
            x[b] = below + one if up else below
        slope[:] = one if order == 0 else zero
    # Loops that write little: where much may overlap the compiler does not look into it, and makes no vector code.
    for b in range(x.size):
        start = np.int32(np.floor(x[b]))
        place[b] = min(max(start, np.int32(0)), last)
        other[b] = min(max(start + np.int32(1), np.int32(0)), last)
    if mode == NEAREST:
        for b in range(x.size):
            weight[b] = slope[b] if (x[b] >= zero) & (x[b] <= size - one) else zero
        return
    rising = one if order == 1 else zero
    for b in range(x.size):
        below = np.floor(x[b])
        near = one - (x[b] - below) if order == 0 else -rising
        weight[b] = near if (below >= zero) & (below <= size - one) else zero
    for b in range(x.size):
        below = np.floor(x[b])
        far = x[b] - below if order == 0 else rising
        other_weight[b] = far if (below >= -one) & (below < size - one) else zero
    for _ in range(order):
        for b in range(x.size):
            weight[b] *= slope[b]
        for b in range(x.size):
            other_weight[b] *= slope[b]


@serial
def _cubic(x, slope, size, padding, align_corners, order, places, weights):
    """Four taps: two at or before x and two after it."""
    kind = x.dtype.type
    coefficients = np.empty(4, x.dtype)
    for tap in range(4):
        place, weight = places[tap], weights[tap]
        # The distance to the tap is offset + sign * t; its weight is a polynomial of that, the third power last.
        sign, offset = kind(1 if tap < 2 else -1), kind(1 - tap if tap < 2 else tap - 1)
        inner = tap in (1, 2)
        coefficients[0], coefficients[1] = 1 if inner else -4 * A, 0 if inner else 8 * A
        coefficients[2], coefficients[3] = -(A + 3) if inner else -5 * A, A + 2 if inner else A
        for _ in range(order):
            for power in range(3):
                coefficients[power] = sign * (power + 1) * coefficients[power + 1]
            coefficients[3] = 0
        c0, c1, c2, c3 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
        for b in range(x.size):
            d = offset + sign * (x[b] - np.floor(x[b]))
            weight[b] = ((c3 * d + c2) * d + c1) * d + c0
        for _ in range(order):
            for b in range(x.size):
                weight[b] *= slope[b]
        for b in range(x.size):
            at = np.int64(np.floor(x[b])) + tap - 1
            if padding == ZEROS and (at < 0 or at >= size):
                weight[b] = 0
            elif padding == REFLECTION:
                at = _mirrored(at, size, align_corners)
            place[b] = min(max(at, 0), size - 1)


@inline
def _mirrored(at, size, align_corners):
    """The place of an element beyond the edges, in a mirror there."""
    if align_corners:
        period = max(2 * (size - 1), 1)
        return min(at % period, period - at % period)
    return min(at % (2 * size), 2 * size - 1 - at % (2 * size))
