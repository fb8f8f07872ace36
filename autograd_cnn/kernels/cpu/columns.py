"""The windows of images as columns of a matrix, and its adjoint, which adds columns up to images (im2col, col2im)."""

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.jit import serial


def unfold_windows(x, kernel, stride, padding, dilation, windows, out):
    """out (N, C * KH * KW, OH * OW): what each of OH * OW windows of x (N, C, H, W) has, 0 where that is padding."""
    table = _table(x.shape[2:], kernel, stride, padding, dilation, windows, 0)
    planes.run(_moved, x.shape[0] * x.shape[1], table, (x,), out)


def fold_windows(x, kernel, stride, padding, dilation, windows, out):
    """out (N, C, H, W): for each element the sum of what x (N, C * KH * KW, OH * OW) has for it."""
    table = _table(out.shape[2:], kernel, stride, padding, dilation, windows, 1)
    planes.run(_moved, out.shape[0] * out.shape[1], table, (x,), out)


def _table(size, kernel, stride, padding, dilation, windows, folding):
    """For each row of a window where it lies for the first window, and which windows have it in the image."""
    header = [*size, *kernel, *stride, *windows, folding]
    parts = [np.array(header)]
    for n, k, s, p, d, w in zip(size, kernel, stride, padding, dilation, windows, strict=True):
        first = np.arange(k) * d - p
        begin = np.minimum(np.maximum(-(first // s), 0), w)  # the first i with first + i * s >= 0
        end = np.clip(-((first - n) // s), begin, w)  # and with first + i * s >= n
        parts += [first, begin, end]
    return np.concatenate(parts)


@serial
def _moved(first, last, table, x, y, z, out, places):
    height, width, kernel_rows, kernel_columns = table[0], table[1], table[2], table[3]
    step, pitch, rows, columns, folding = table[4], table[5], table[6], table[7], table[8]
    tops, row_begins, row_ends = table[9:], table[9 + kernel_rows :], table[9 + 2 * kernel_rows :]
    rest = table[9 + 3 * kernel_rows :]
    lefts, begins, ends = rest, rest[kernel_columns:], rest[2 * kernel_columns :]
    area, size = rows * columns, height * width
    for plane in range(first, last):
        start = plane * kernel_rows * kernel_columns * area
        if folding == 1:
            out[plane * size : (plane + 1) * size] = 0
        for u in range(kernel_rows):
            for v in range(kernel_columns):
                column = start + (u * kernel_columns + v) * area
                begin, end = begins[v], ends[v]
                if folding == 0:
                    out[column : column + row_begins[u] * columns] = 0
                    out[column + row_ends[u] * columns : column + area] = 0
                for i in range(row_begins[u], row_ends[u]):
                    line = column + i * columns
                    place = plane * size + (tops[u] + i * step) * width + lefts[v] + begin * pitch
                    if folding == 0:
                        out[line : line + begin] = 0
                        out[line + end : line + columns] = 0
                        if pitch == 1:
                            out[line + begin : line + end] = x[place : place + end - begin]
                        else:
                            for j in range(end - begin):
                                out[np.uint64(line + begin + j)] = x[np.uint64(place + j * pitch)]
                    elif pitch == 1:
                        target, source = out[place : place + end - begin], x[line + begin : line + end]
                        for j in range(target.size):
                            target[j] += source[j]
                    else:
                        for j in range(end - begin):
                            out[np.uint64(place + j * pitch)] += x[np.uint64(line + begin + j)]
