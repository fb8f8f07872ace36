"""What is done to all gradients of a network at once: their common norm, and their scaling and clamping in place.

Each call takes an ArrayTable of one list, the gradients.  `dot_of` and `add_scaled` are for two vectors.
"""

import numpy as np

from autograd_cnn.kernels.cpu.addressed import PART, ListKernel, part_of
from autograd_cnn.kernels.cpu.lines import moments, products


@ListKernel
def _squares(addresses, t, start, count, like, settings):
    part = part_of(addresses[0, t], start, count, like)
    # Of an array the first part may be a short one; all others begin PART after the one before.
    place = (start + PART - 1) // PART
    sums = part_of(addresses[1, t], place, min(count, 1), np.empty(0, np.float64))
    for i in range(sums.size):
        sums[i] = moments(part, 0, 0.0, 1, 0, count)[1]


def sum_of_squares(table):
    """The sum of the squares of all elements, in float64."""
    sizes = np.diff(table.ends) // PART + 2
    sums = np.zeros(sizes.sum())
    ends = np.cumsum(sizes).tolist()
    _squares(table, [sums[start:end] for start, end in zip([0, *ends], ends, strict=False)])
    return float(sums.sum())


@ListKernel
def _scale(addresses, t, start, count, like, settings):
    part, factor = part_of(addresses[0, t], start, count, like), like.dtype.type(settings[0])
    for i in range(count):
        part[i] *= factor


def scale_all(table, factor):
    """array *= factor for each array."""
    _scale(table, table.columns[0], factor)


@ListKernel
def _clamp(addresses, t, start, count, like, settings):
    part = part_of(addresses[0, t], start, count, like)
    low, high = like.dtype.type(settings[0]), like.dtype.type(settings[1])
    for i in range(count):
        value = part[i]
        value = low if value < low else value
        part[i] = high if value > high else value


def clamp_all(table, low, high):
    """array = min(max(array, low), high) for each array; nan stays."""
    _clamp(table, table.columns[0], low, high)


@ListKernel
def _products(addresses, t, start, count, like, settings):
    left, right = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    sums = part_of(addresses[2, t], start // PART, min(count, 1), np.empty(0, np.float64))
    for i in range(sums.size):
        sums[i] = products(left, 0, 0.0, right, 0, 0.0, 1, 0, count)[1]


def dot_of(x, y):
    """The inner product of two contiguous float vectors of one size and dtype, in float64."""
    sums = np.zeros(x.size // PART + 1)
    _products.on((x, y, sums))
    return float(sums.sum())


@ListKernel
def _add_scaled(addresses, t, start, count, like, settings):
    total, part = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    factor = like.dtype.type(settings[0])
    for i in range(count):
        total[i] += factor * part[i]


def add_scaled(x, y, factor):
    """x += factor * y for contiguous float arrays of one size and dtype that do not overlap."""
    _add_scaled.on((x, y), factor)
