"""Padding: rows of an image in another order, each longer or shorter at both ends; and its adjoint.

How a row of the result is made of one of x is told by `ends`, (lead, start, count, tail): the columns that its first
elements are taken from, then `count` neighbouring ones from `start` on, and those of its last elements.  A negative
row or column stands for a constant.
"""

import numpy as np

from autograd_cnn.kernels.cpu import planes
from autograd_cnn.kernels.cpu.jit import serial

BLOCK = 1 << 15  # elements of one task, in whole rows


def pad_lines(x, rows, ends, value, out):
    """Row i of each of the planes of `out` is made of row rows[i] of that of x (planes, H, W)."""
    count, height, width = x.shape
    columns = out.size // max(count * rows.size, 1)
    lines = max(min(BLOCK // max(columns, 1), rows.size), 1)
    blocks = -(-rows.size // lines)
    table = _table(height, width, rows, columns, lines, blocks, ends)
    planes.run(_padded, count * blocks, table, (x, np.full(1, value, x.dtype)), out)


def unpad_lines(g, rows, ends, out):
    """out (planes, H, W): for each element the sum of the elements of g that padding would make of it."""
    count, height, width = out.shape
    table = _table(height, width, rows, g.size // max(count * rows.size, 1), rows.size, 1, ends)
    planes.run(_gathered, count, table, (g,), out)


def _table(height, width, rows, columns, lines, blocks, ends):
    lead, start, count, tail = ends
    header = [height, width, rows.size, columns, lines, blocks, lead.size, start, count]
    return np.concatenate([header, rows, lead, tail]).astype(np.int64)


@serial
def _padded(first, last, table, x, y, z, out, places):
    height, width, rows, columns, lines, blocks = table[0], table[1], table[2], table[3], table[4], table[5]
    begin, start, count = table[6], table[7], table[8]
    sources, lead, tail = table[9:], table[9 + rows :], table[9 + rows + begin :]
    end = begin + count
    value = y[0]
    for task in range(first, last):
        plane = task // blocks
        top = (task - plane * blocks) * lines
        for i in range(top, min(top + lines, rows)):
            target = out[(plane * rows + i) * columns : (plane * rows + i + 1) * columns]
            if sources[i] < 0:
                target[:] = value
                continue
            place = (plane * height + sources[i]) * width
            line = x[place : place + width]
            for j in range(begin):
                target[j] = line[lead[j]] if lead[j] >= 0 else value
            middle, source = target[begin:end], line[start : start + count]
            for j in range(middle.size):
                middle[j] = source[j]
            for j in range(columns - end):
                target[end + j] = line[tail[j]] if tail[j] >= 0 else value


@serial
def _gathered(first, last, table, x, y, z, out, places):
    height, width, rows, columns = table[0], table[1], table[2], table[3]
    begin, start, count = table[6], table[7], table[8]
    targets, lead, tail = table[9:], table[9 + rows :], table[9 + rows + begin :]
    end = begin + count
    for plane in range(first, last):
        out[plane * height * width : (plane + 1) * height * width] = 0
        for i in range(rows):
            if targets[i] < 0:
                continue
            line = x[(plane * rows + i) * columns : (plane * rows + i + 1) * columns]
            place = (plane * height + targets[i]) * width
            target = out[place : place + width]
            middle, source = target[start : start + count], line[begin:end]
            for j in range(source.size):
                middle[j] += source[j]
            for j in range(begin):
                if lead[j] >= 0:
                    target[lead[j]] += line[j]
            for j in range(columns - end):
                if tail[j] >= 0:
                    target[tail[j]] += line[end + j]
