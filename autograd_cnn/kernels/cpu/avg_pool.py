"""Average pooling over windows of an image (N, C, H, W), and its adjoint.

Small windows that overlap, or lie two apart, are summed by vectors of windows (pool_vectors.py).  For others, and for
those of adaptive pooling, the rows of a window are added up first, and then the columns of that sum.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.lines import sum_of_line
from autograd_cnn.kernels.cpu.pool_vectors import means_of_windows, sums_over_windows
from autograd_cnn.kernels.cpu.resample import resample

NEAR = 2  # strides that vectors of windows are quick for
SMALL = 25  # elements of a window that they are quick for


def avg_pool2d(x, kernel, stride, padding, count_include_pad, divisor, out):
    """Write the mean of every window; `divisor` replaces the count of its cells where it is not 0.

    The count leaves out padding unless `count_include_pad`, and always what overhangs the padded input.
    """
    key = x.shape[2:], out.shape[2:], kernel, stride, padding, count_include_pad, divisor, x.dtype.char
    rows, columns, _ = _spans(*key)
    if stride[1] <= NEAR and kernel[0] * kernel[1] <= SMALL:
        _means(_flat(x), x.shape[2:], rows, columns, kernel[1], stride[1], padding[1], out.ravel())
    else:
        _means_of_spans(_flat(x), x.shape[2:], rows, columns, out.ravel())


def avg_pool2d_grad(g, kernel, stride, padding, count_include_pad, divisor, out):
    """Spread every element of g (N, C, OH, OW) evenly over its window of `out` (N, C, H, W)."""
    key = out.shape[2:], g.shape[2:], kernel, stride, padding, count_include_pad, divisor, out.dtype.char
    rows, columns, even = _spans(*key)
    if even and stride[1] <= NEAR and kernel[0] * kernel[1] <= SMALL:
        tables = _windows_over(out.shape[2:], g.shape[2:], kernel, stride, padding)
        _means_grad(_flat(g), g.shape[2:], *tables, kernel[1], stride[1], padding[1], even, out.shape[2:], out.ravel())
    else:
        _spread_over_spans(_flat(g), rows, columns, out.shape[2:], out.ravel())


def adaptive_avg_pool2d(x, out):
    """Write the means of OH * OW windows that cover x (N, C, H, W).

    Window row i spans the image rows from floor(i H / OH) to ceil((i + 1) H / OH) - 1; columns likewise.
    """
    if out.shape[2:] == (1, 1):
        _means_of_planes(out.ravel(), _flat(x))
    else:
        sizes = zip(x.shape[2:], out.shape[2:], strict=True)
        resample(x, [_adaptive_means(*each, x.dtype.char) for each in sizes], out)


def adaptive_avg_pool2d_grad(g, out):
    """Spread every element of g (N, C, OH, OW) evenly over its adaptive window of `out` (N, C, H, W)."""
    rows, columns = (_adaptive_spans(*sizes, g.dtype.char) for sizes in zip(out.shape[2:], g.shape[2:], strict=True))
    _spread_over_spans(_flat(g), rows, columns, out.shape[2:], out.ravel())


@lru_cache(maxsize=256)
def _spans(size, windows, kernel, stride, padding, count_include_pad, divisor, dtype):
    """For rows and for columns: first and last cell of each window inside the image, and what to divide by.

    A mean is a sum over the row's divisor times the column's.  Third: that product where it is the same for all
    windows, else 0.
    """
    tables = []
    for d in range(2):
        start = np.arange(windows[d], dtype=np.int64) * stride[d] - padding[d]
        first, last = np.maximum(start, 0), np.minimum(start + kernel[d], size[d])
        cells = np.minimum(start + kernel[d], size[d] + padding[d]) - start if count_include_pad else last - first
        cells = np.full(windows[d], divisor if d == 0 else 1) if divisor else np.maximum(cells, 1)
        tables.append((first, np.maximum(last, first), cells.astype(dtype)))
    (*_, row_cells), (*_, column_cells) = tables
    even = windows[0] and windows[1] and (row_cells == row_cells[0]).all() and (column_cells == column_cells[0]).all()
    return *tables, row_cells[0] * column_cells[0] if even else 0


@lru_cache(maxsize=256)
def _adaptive_spans(size, windows, dtype):
    i = np.arange(windows, dtype=np.int64)
    first, last = i * size // max(windows, 1), ((i + 1) * size + windows - 1) // max(windows, 1)
    return first, last, (last - first).astype(dtype)


@lru_cache(maxsize=256)
def _adaptive_means(size, windows, dtype):
    """The table of a mean over adaptive windows, as `resample` takes it; None where each is one element."""
    if size == windows:
        return None
    first, last, counts = _adaptive_spans(size, windows, dtype)
    begins = np.concatenate([[0], np.cumsum(last - first)])
    places = np.concatenate([np.arange(*span) for span in zip(first, last, strict=True)] or [first])
    return begins, places, np.repeat(1 / counts, last - first).astype(dtype)


@lru_cache(maxsize=256)
def _windows_over(size, windows, kernel, stride, padding):
    """Which windows each element of an image lies in: for rows, and for columns.

    rows: where the window rows begin that image row y lies in, from first[y] to first[y + 1].
    columns: the same for each phase of the stride: image column m stride + phase lies in window m + shift.
    """
    tables = []
    for d, positions in enumerate((range(size[0]), range(stride[1]))):
        shifts, first = [], [0]
        for position in positions:
            for cell in reversed(range(kernel[d])):
                window, rest = divmod(position + padding[d] - cell, stride[d])
                if rest == 0 and (d == 1 or 0 <= window < windows[0]):
                    shifts.append(window)
            first.append(len(shifts))
        tables.append([np.array(shifts, np.int64), np.array(first, np.int64)])
    tables[0][0] *= windows[1]
    return tuple(tuple(table) for table in tables)


def _flat(a):
    return (a if a.flags.c_contiguous else np.ascontiguousarray(a)).ravel()


# prange counts in uint64: np.int64 spares a second compilation of what is called with it.


@adaptive
def _means(x, size, rows, columns, kernel, stride, padding, out):
    for plane in prange(out.size // max(rows[0].size * columns[0].size, 1)):
        _means_of_plane(x, size, rows, columns, kernel, stride, padding, out, np.int64(plane))


@inline
def _means_of_plane(x, size, rows, columns, kernel, stride, padding, out, plane):
    height, width = size
    first, last, row_divisors = rows
    divisors = columns[2]
    for i in range(first.size):
        place = (plane * first.size + i) * divisors.size
        means_of_windows(
            x, (plane * height + first[i]) * width, last[i] - first[i], width, width, kernel, stride, -padding,
            out, place, row_divisors[i], divisors, divisors.size,
        )  # fmt: skip


@adaptive
def _means_grad(g, windows, rows, columns, kernel, stride, padding, divisor, size, out):
    for plane in prange(out.size // max(size[0] * size[1], 1)):
        _means_grad_plane(g, windows, rows, columns, kernel, stride, padding, divisor, size, out, np.int64(plane))


@inline
def _means_grad_plane(g, windows, rows, columns, kernel, stride, padding, divisor, size, out, plane):
    height, width = size
    row_places, first = rows
    shifts, begins = columns
    for y in range(height):
        sums_over_windows(
            g, plane * windows[0] * windows[1], windows[1], row_places, first[y], first[y + 1], shifts, begins,
            kernel, stride, padding, divisor, out, (plane * height + y) * width, width,
        )  # fmt: skip


@adaptive
def _means_of_spans(x, size, rows, columns, out):
    for r in prange(out.size // max(columns[0].size, 1)):
        _means_of_row(x, size, rows, columns, out, np.int64(r))


@inline
def _means_of_row(x, size, rows, columns, out, row):
    height, width = size
    top, bottom, row_divisors = rows
    left, right, divisors = columns
    plane = row // top.size
    i = row - plane * top.size
    sums = np.zeros(width)
    for y in range(top[i], bottom[i]):
        line = x[(plane * height + y) * width : (plane * height + y + 1) * width]
        for z in range(width):
            sums[z] += line[z]
    for j in range(left.size):
        total = 0.0
        for z in range(left[j], right[j]):
            total += sums[z]
        out[row * left.size + j] = total / (row_divisors[i] * divisors[j])


# x comes last: its size says whether threads are worth it.
@adaptive
def _means_of_planes(out, x):
    size = x.size // max(out.size, 1)
    for p in prange(out.size):
        plane = np.int64(p)
        out[plane] = sum_of_line(x, plane * size, size) / size


@adaptive
def _spread_over_spans(g, rows, columns, size, out):
    for plane in prange(out.size // max(size[0] * size[1], 1)):
        _spread_over_plane(g, rows, columns, size, out, np.int64(plane))


@inline
def _spread_over_plane(g, rows, columns, size, out, plane):
    height, width = size
    top, bottom, row_divisors = rows
    left, right, divisors = columns
    shares = np.empty(width, out.dtype)
    touched = 0  # rows that have been written
    for i in range(top.size):
        shares[:] = 0
        for j in range(left.size):
            share = g[(plane * top.size + i) * left.size + j] / (row_divisors[i] * divisors[j])
            for z in range(left[j], right[j]):
                shares[z] += share
        for y in range(touched, max(top[i], touched)):
            out[(plane * height + y) * width : (plane * height + y + 1) * width] = 0
        for y in range(top[i], bottom[i]):
            line = out[(plane * height + y) * width : (plane * height + y + 1) * width]
            if y < touched:
                for z in range(width):
                    line[z] += shares[z]
            else:
                for z in range(width):
                    line[z] = shares[z]
        touched = max(touched, bottom[i])
    for y in range(touched, height):
        out[(plane * height + y) * width : (plane * height + y + 1) * width] = 0
