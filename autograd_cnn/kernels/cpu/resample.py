"""Weighted sums along the axes of images: interpolation of every kind, and its adjoint.

Along an axis element i of the result is the sum of weights[t] * x[places[t]] for t from begins[i] to begins[i + 1] - 1.
Both axes of an image are done in one pass over blocks of its rows that stay in the cache: the columns of all rows that
a block needs and then their sums, or, where an image gets lower, sums of rows and then their columns.
"""

import math

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.jit import serial

BLOCK = 1 << 15  # elements of one block of rows
TASKS = 16  # at least, where there are as many rows
SINGLE, DOUBLED, MIXED = -1, -2, -3


def resample(x, tables, out):
    """Write x (N, C, *size) at another size: `tables` has (begins, places, weights) of each axis, None to keep one."""
    *depth, rows, columns = (None, None, *tables)[-max(len(tables), 2) :]
    count, size, sizes = x.shape[0] * x.shape[1], x.shape[2:], out.shape[2:]
    if len(depth) == 0 or depth[0] is None:
        _resample_images(x, count * math.prod(size[:-2]), _last_two(size), rows, columns, _last_two(sizes), out)
        return
    area = math.prod(sizes[1:])
    slices = np.empty((count * size[0], area), out.dtype)
    _resample_images(x, count * size[0], size[1:], rows, columns, sizes[1:], slices)
    _resample_images(slices, count, (size[0], area), depth[0], None, (sizes[0], area), out)


def _last_two(size):
    return (1, *size)[-2:]


def _resample_images(x, count, size, rows, columns, sizes, out):
    height, width = size
    if rows is None:
        count, height, sizes = 1, count * height, (count * sizes[0], sizes[1])
    lines = max(BLOCK // max(sizes[1], 1), 1)
    lines = max(min(lines, sizes[0] * count // TASKS), min(lines, 4))
    blocks = -(-sizes[0] // lines)
    empty = np.empty(0, np.int64)
    taps = [0 if t is None else _taps(t) for t in (rows, columns)]
    if taps[1] == 1:
        columns = _filled(*columns)
    begins, places, weights = zip(*((empty, empty, out[:0]) if t is None else t for t in (rows, columns)), strict=True)
    header = [height, width, *sizes, lines, blocks, *taps, begins[0].size, places[0].size, begins[1].size]
    table = np.concatenate([header, begins[0], places[0], begins[1], places[1]])
    weights = np.concatenate([each.ravel() for each in weights])
    planes.run(_resample, count * blocks, table, (x, weights), out)


def _taps(table):
    """How many elements each sum has, MIXED where they differ.

    SINGLE stands for one that stays as it is, DOUBLED for each element of a line twice, 1 also for one at most.
    """
    begins, places, weights = table
    counts = np.diff(begins)
    if not counts.size or (counts != counts[0]).any():
        return 1 if counts.size and counts.max() == 1 else MIXED
    if counts[0] != 1 or (weights != 1).any():
        return int(counts[0])
    return DOUBLED if places.size % 2 == 0 and (places == np.arange(places.size) // 2).all() else SINGLE


def _filled(begins, places, weights):
    """A table of one element at most for each, with weight 0 for those that have none."""
    counts = np.diff(begins)
    full, scales = np.zeros(counts.size, np.int64), np.zeros(counts.size, weights.dtype)
    full[counts == 1], scales[counts == 1] = places, weights
    return np.arange(counts.size + 1), full, scales


@serial
def _resample(first, last, table, x, y, z, out, places):
    height, width, rows, columns, lines, blocks = table[0], table[1], table[2], table[3], table[4], table[5]
    row_taps, column_taps = table[6], table[7]
    row_begins = table[11:]
    row_places = row_begins[table[8] :]
    column_begins = row_places[table[9] :]
    column_places = column_begins[table[10] :]
    column_weights = y[table[9] :]
    alone = row_taps in (SINGLE, DOUBLED)
    lower = row_taps != 0 and not alone and (column_taps == 0 or rows < height)
    scratch = np.empty(width if lower and column_taps != 0 else 0, x.dtype)
    for task in range(first, last):
        plane = task // blocks
        top = (task - plane * blocks) * lines
        bottom = min(top + lines, rows)
        image = x[plane * height * width : (plane + 1) * height * width]
        target = out[(plane * rows + top) * columns : (plane * rows + bottom) * columns]
        if lower:
            for i in range(top, bottom):
                line = target[(i - top) * columns : (i - top + 1) * columns]
                if column_taps == 0:
                    _sum_rows(image, width, 0, row_begins[i], row_begins[i + 1], row_places, y, line)
                else:
                    _sum_rows(image, width, 0, row_begins[i], row_begins[i + 1], row_places, y, scratch)
                    _sum_columns(scratch, column_taps, column_begins, column_places, column_weights, line)
            continue
        if alone:
            for i in range(top, bottom):
                place = row_places[i]
                line = target[(i - top) * columns : (i - top + 1) * columns]
                if i > top and place == row_places[i - 1]:
                    line[:] = target[(i - top - 1) * columns : (i - top) * columns]
                else:
                    row = image[place * width : (place + 1) * width]
                    _sum_columns(row, column_taps, column_begins, column_places, column_weights, line)
            continue
        low, high = top, bottom
        if row_taps != 0:
            low, high = height, 0
            for t in range(row_begins[top], row_begins[bottom]):
                low, high = min(low, row_places[t]), max(high, row_places[t] + 1)
        stretched = target if row_taps == 0 else np.empty(max(high - low, 0) * columns, x.dtype)
        for r in range(low, high):
            line = stretched[(r - low) * columns : (r - low + 1) * columns]
            _sum_columns(
                image[r * width : (r + 1) * width], column_taps, column_begins, column_places, column_weights, line
            )
        if row_taps != 0:
            for i in range(top, bottom):
                line = target[(i - top) * columns : (i - top + 1) * columns]
                _sum_rows(stretched, columns, low, row_begins[i], row_begins[i + 1], row_places, y, line)


@serial
def _sum_rows(image, width, low, begin, end, places, weights, line):
    """line = the sum of weights[t] * row places[t] - low of the image."""
    count = line.size
    if end - begin == 1:
        row = image[(places[begin] - low) * width :][:count]
        weight = weights[begin]
        for j in range(count):
            line[j] = weight * row[j]
        return
    if end == begin:
        line[:] = 0
    else:
        row, other = image[(places[begin] - low) * width :][:count], image[(places[begin + 1] - low) * width :][:count]
        weight, other_weight = weights[begin], weights[begin + 1]
        for j in range(count):
            line[j] = weight * row[j] + other_weight * other[j]
    for t in range(begin + 2, end):
        row = image[(places[t] - low) * width :][:count]
        weight = weights[t]
        for j in range(count):
            line[j] += weight * row[j]


@serial
def _sum_columns(row, taps, begins, places, weights, line):
    """line[j] = the sum of weights[t] * row[places[t]]; no loop where each has one, two or four."""
    if taps == 0:
        line[:] = row
    elif taps == SINGLE:
        for j in range(line.size):
            line[j] = row[np.uint64(places[j])]
    elif taps == DOUBLED:
        for j in range(line.size // 2):
            line[2 * j] = line[2 * j + 1] = row[j]
    elif taps == 1:
        for j in range(line.size):
            value = weights[j] * row[np.uint64(places[j])]
            line[j] = value if weights[j] != 0 else 0
    elif taps == 2:
        for j in range(line.size):
            t = np.uint64(2 * j)
            line[j] = weights[t] * row[np.uint64(places[t])] + weights[t + 1] * row[np.uint64(places[t + 1])]
    elif taps == 4:
        for j in range(line.size):
            t = np.uint64(4 * j)
            near = weights[t + 1] * row[np.uint64(places[t + 1])] + weights[t + 2] * row[np.uint64(places[t + 2])]
            far = weights[t] * row[np.uint64(places[t])] + weights[t + 3] * row[np.uint64(places[t + 3])]
            line[j] = near + far
    else:
        for j in range(line.size):
            total = other = line.dtype.type(0)
            begin, end = begins[j], begins[j + 1]
            for t in range(begin, end - 1, 2):
                first, second = np.uint64(t), np.uint64(t + 1)
                total += weights[first] * row[np.uint64(places[first])]
                other += weights[second] * row[np.uint64(places[second])]
            if (end - begin) % 2 == 1:
                total += weights[end - 1] * row[np.uint64(places[end - 1])]
            line[j] = total + other
