"""The largest elements of windows of any sizes and places, as adaptive and fractional pooling have them.

The rows of a window are compared first, for all columns at once, and then the columns.  Where there is NaN, which wins
over every number, a window is gone through element by element.
"""

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.jit import inline, serial
from autograd_cnn.kernels.cpu.lines import largest_of_line, place_in_line

WIDE = 8  # columns of a window, from where on vectors are worth it


def largest_of_spans(x, rows, columns, out, places):
    """Write the largest value of every window of x (N, C, H, W) to `out`, and to `places` its place in the image.

    Window (i, j) spans the rows from rows[0, t, i] to rows[1, t, i] - 1, and the columns likewise, where each t is for
    as many images as every other, one after the other.  Of equal values the first is taken, of several NaN the last.
    """
    _, tables, height = rows.shape
    width = columns.shape[2]
    count = x.shape[0] * x.shape[1]
    header = [*x.shape[2:], height, width, tables, max(count // max(tables, 1), 1)]
    table = np.concatenate([header, rows.ravel(), columns.ravel()])
    planes.run(_largest, count, table, (x,), out, places)


def place_in_planes(values, indices, adding, out):
    """out (N, C, n): zeros, with the values (N, C, m) put, or added, at their indices; of those put the last stays."""
    count = out.shape[0] * out.shape[1]
    table = np.array([values.shape[2], out.shape[2], adding])
    planes.run(_placed, count, table, (values,), out, planes.plain(indices))


def read_in_planes(x, indices, out):
    """out (N, C, n) is what stands in x (N, C, size) at the indices, of the shape of `out`."""
    table = np.array([out.shape[2], x.shape[2]])
    planes.run(_read, out.shape[0] * out.shape[1], table, (x,), out, planes.plain(indices))


@serial
def _read(first, last, table, x, y, z, out, places):
    n, size = table[0], table[1]
    for plane in range(first, last):
        source = x[plane * size : (plane + 1) * size]
        for i in range(plane * n, (plane + 1) * n):
            out[i] = source[np.uint64(places[i])]


@serial
def _placed(first, last, table, x, y, z, out, places):
    n, size, adding = table[0], table[1], table[2]
    for plane in range(first, last):
        target = out[plane * size : (plane + 1) * size]
        target[:] = 0
        for i in range(plane * n, (plane + 1) * n):
            if adding:
                target[np.uint64(places[i])] += x[i]
            else:
                target[np.uint64(places[i])] = x[i]


@serial
def _largest(first, last, table, x, y, z, out, places):
    size, pitch, rows, columns, tables, images = table[0], table[1], table[2], table[3], table[4], table[5]
    tops = table[6:]
    bottoms = tops[tables * rows :]
    lefts = bottoms[tables * rows :]
    rights = lefts[tables * columns :]
    best, above = np.empty(pitch, x.dtype), np.empty(pitch, np.int32)
    for plane in range(first, last):
        image = x[plane * size * pitch : (plane + 1) * size * pitch]
        row_table, column_table = plane // images * rows, plane // images * columns
        for i in range(rows):
            top, bottom = tops[row_table + i], bottoms[row_table + i]
            plain = _compare_rows(image, top, bottom, pitch, best, above)
            for j in range(columns):
                left, right = lefts[column_table + j], rights[column_table + j]
                window = (plane * rows + i) * columns + j
                if plain:
                    at, value, row = left, best[left], above[left]
                    if right - left > WIDE and bottom - top == 1:
                        value = largest_of_line(best, left, right - left)
                        at = left + place_in_line(best, left, right - left, value)
                    else:
                        for k in range(left + 1, right):
                            wins = (best[k] > value) | ((best[k] == value) & (above[k] < row))
                            at, value, row = (k, best[k], above[k]) if wins else (at, value, row)
                    out[window], places[window] = value, (top + row) * pitch + at
                else:
                    _with_nan(image, top, bottom, left, right, pitch, out, places, window)


@inline
def _compare_rows(image, top, bottom, pitch, best, above):
    """For each column the largest value from row `top` to before `bottom` and in which row; False where one is NaN."""
    nans = 0
    line = image[top * pitch : (top + 1) * pitch]
    for k in range(pitch):
        nans += line[k] != line[k]
        best[k] = line[k]
        above[k] = 0
    for row in range(1, bottom - top):
        line = image[(top + row) * pitch : (top + row + 1) * pitch]
        here = np.int32(row)
        for k in range(pitch):
            value, old = line[k], best[k]
            nans += value != value
            larger = value > old
            best[k] = value if larger else old
            above[k] = here if larger else above[k]
    return nans == 0


@inline
def _with_nan(image, top, bottom, left, right, pitch, out, places, window):
    place = top * pitch + left
    best = image[place]
    for row in range(top, bottom):
        for at in range(row * pitch + left, row * pitch + right):
            if image[at] > best or image[at] != image[at]:
                best, place = image[at], at
    out[window], places[window] = best, place
