"""The largest elements of windows of any sizes and places, as adaptive and fractional pooling have them."""

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.jit import serial


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


@serial
def _largest(first, last, table, x, y, z, out, places):
    size, pitch, rows, columns, tables, images = table[0], table[1], table[2], table[3], table[4], table[5]
    tops = table[6:]
    bottoms = tops[tables * rows :]
    lefts = bottoms[tables * rows :]
    rights = lefts[tables * columns :]
    for plane in range(first, last):
        image = x[plane * size * pitch : (plane + 1) * size * pitch]
        row_table, column_table = plane // images * rows, plane // images * columns
        for i in range(rows):
            top, bottom = tops[row_table + i], bottoms[row_table + i]
            for j in range(columns):
                left, right = lefts[column_table + j], rights[column_table + j]
                place = top * pitch + left
                best = image[place]
                for row in range(top, bottom):
                    for at in range(row * pitch + left, row * pitch + right):
                        value = image[np.uint64(at)]
                        if value > best or value != value:
                            best, place = value, at
                window = (plane * rows + i) * columns + j
                out[window], places[window] = best, place
