"""Pooling over windows of an image (N, C, H, W), and the adjoint of each.

A window may overhang the input on every side: padding is never stored, its cells are just not visited.
A caller's ceil_mode changes nothing here but the shape of `out`.
"""

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline


def max_pool2d(x, kernel, stride, padding, dilation, out, indices):
    """Write the largest value of every window to `out` and its place in the flat H * W plane to `indices`.

    The first of equal values wins, and NaN wins over every number, as in PyTorch.
    """
    whole = out.shape[2] * 2 <= x.shape[2] and out.shape[3] * 2 <= x.shape[3]
    if whole and kernel == stride == (2, 2) and padding == (0, 0) and dilation == (1, 1):
        _max_pool_2x2(_planes(x), _planes(indices), _planes(out))
    else:
        _max_pool(_planes(x), kernel, stride, padding, dilation, _planes(indices), _planes(out))


def max_pool2d_scatter(g, indices, out):
    """Add every element of g (N, C, OH, OW) to the place of its plane of `out` that `indices` names."""
    _scatter(_flat_planes(g), _flat_planes(indices), _flat_planes(out))


def max_pool2d_gather(x, indices, out):
    """Read from every plane of x (N, C, H, W) the places that `indices` (N, C, OH, OW) names."""
    _gather(_flat_planes(x), _flat_planes(indices), _flat_planes(out))


def avg_pool2d(x, kernel, stride, padding, count_include_pad, divisor, out):
    """Write the mean of every window; `divisor` replaces the count of its cells where it is not 0.

    The count leaves out padding unless `count_include_pad`, and always what overhangs the padded input.
    """
    _avg_pool(_planes(x), kernel, stride, padding, count_include_pad, divisor, _planes(out))


def avg_pool2d_grad(g, kernel, stride, padding, count_include_pad, divisor, out):
    """Spread every element of g (N, C, OH, OW) evenly over its window of `out` (N, C, H, W)."""
    _avg_pool_grad(_planes(g), kernel, stride, padding, count_include_pad, divisor, _planes(out))


def adaptive_avg_pool2d(x, out):
    """Write the means of OH * OW windows that cover x (N, C, H, W).

    Window row i spans the image rows from floor(i H / OH) to ceil((i + 1) H / OH) - 1; columns likewise.
    """
    _adaptive_avg_pool(_planes(x), _planes(out))


def adaptive_avg_pool2d_grad(g, out):
    """Spread every element of g (N, C, OH, OW) evenly over its adaptive window of `out` (N, C, H, W)."""
    _adaptive_avg_pool_grad(_planes(g), _planes(out))


def _planes(a):
    n, c, height, width = a.shape
    return np.ascontiguousarray(a).reshape(n * c, height, width)


def _flat_planes(a):
    n, c, height, width = a.shape
    return np.ascontiguousarray(a).reshape(n * c, height * width)


@inline
def _wins(value, best):
    return (value > best) | (value != value)


@inline
def _window(i, kernel, stride, padding, size):
    """First and last cell of window i inside the image, and its count of cells inside the padded image."""
    start = i * stride - padding
    return max(start, 0), min(start + kernel, size), min(start + kernel, size + padding) - start


@inline
def _adaptive_window(i, windows, size):
    return i * size // windows, ((i + 1) * size + windows - 1) // windows


@inline
def _divisor(cells, padded_cells, count_include_pad, divisor):
    if divisor != 0:
        return divisor
    return padded_cells if count_include_pad else cells


@adaptive
def _max_pool_2x2(x, indices, out):
    planes, out_height, out_width = out.shape
    width = x.shape[2]
    for row in prange(planes * out_height):
        plane = row // out_height
        i = row - plane * out_height
        upper, lower = x[plane, 2 * i], x[plane, 2 * i + 1]
        best_row, place_row = out[plane, i], indices[plane, i]
        for j in range(out_width):
            corner = 2 * (i * width + j)
            best, place = upper[2 * j], corner
            value = upper[2 * j + 1]
            if _wins(value, best):
                best, place = value, corner + 1
            value = lower[2 * j]
            if _wins(value, best):
                best, place = value, corner + width
            value = lower[2 * j + 1]
            if _wins(value, best):
                best, place = value, corner + width + 1
            best_row[j] = best
            place_row[j] = place


@adaptive
def _max_pool(x, kernel, stride, padding, dilation, indices, out):
    planes, out_height, out_width = out.shape
    height, width = x.shape[1], x.shape[2]
    for row in prange(planes * out_height):
        plane = row // out_height
        i = row - plane * out_height
        top = i * stride[0] - padding[0]
        bottom = min(top + (kernel[0] - 1) * dilation[0] + 1, height)
        while top < 0:
            top += dilation[0]
        for j in range(out_width):
            left = j * stride[1] - padding[1]
            right = min(left + (kernel[1] - 1) * dilation[1] + 1, width)
            while left < 0:
                left += dilation[1]
            best = x.dtype.type(-np.inf)
            place = top * width + left
            for y in range(top, bottom, dilation[0]):
                for z in range(left, right, dilation[1]):
                    value = x[plane, y, z]
                    if _wins(value, best):
                        best, place = value, y * width + z
            out[plane, i, j] = best
            indices[plane, i, j] = place


@adaptive
def _scatter(g, indices, out):
    for plane in prange(out.shape[0]):
        image, g_plane, places = out[plane], g[plane], indices[plane]
        image[:] = 0
        for i in range(g_plane.size):
            image[places[i]] += g_plane[i]


@adaptive
def _gather(x, indices, out):
    for plane in prange(out.shape[0]):
        image, out_plane, places = x[plane], out[plane], indices[plane]
        for i in range(out_plane.size):
            out_plane[i] = image[places[i]]


@adaptive
def _avg_pool(x, kernel, stride, padding, count_include_pad, divisor, out):
    planes, out_height, out_width = out.shape
    for row in prange(planes * out_height):
        plane = row // out_height
        i = row - plane * out_height
        top, bottom, rows = _window(i, kernel[0], stride[0], padding[0], x.shape[1])
        for j in range(out_width):
            left, right, columns = _window(j, kernel[1], stride[1], padding[1], x.shape[2])
            total = 0.0
            for y in range(top, bottom):
                for z in range(left, right):
                    total += x[plane, y, z]
            cells = max(bottom - top, 0) * max(right - left, 0)
            if cells > 0:
                total /= _divisor(cells, rows * columns, count_include_pad, divisor)
            out[plane, i, j] = total


@adaptive
def _avg_pool_grad(g, kernel, stride, padding, count_include_pad, divisor, out):
    planes, height, width = out.shape
    for plane in prange(planes):
        out[plane] = 0
        for i in range(g.shape[1]):
            top, bottom, rows = _window(i, kernel[0], stride[0], padding[0], height)
            for j in range(g.shape[2]):
                left, right, columns = _window(j, kernel[1], stride[1], padding[1], width)
                cells = max(bottom - top, 0) * max(right - left, 0)
                if cells > 0:
                    share = g[plane, i, j] / _divisor(cells, rows * columns, count_include_pad, divisor)
                    for y in range(top, bottom):
                        for z in range(left, right):
                            out[plane, y, z] += share


@adaptive
def _adaptive_avg_pool(x, out):
    planes, out_height, out_width = out.shape
    for row in prange(planes * out_height):
        plane = row // out_height
        i = row - plane * out_height
        top, bottom = _adaptive_window(i, out_height, x.shape[1])
        for j in range(out_width):
            left, right = _adaptive_window(j, out_width, x.shape[2])
            total = 0.0
            for y in range(top, bottom):
                for z in range(left, right):
                    total += x[plane, y, z]
            out[plane, i, j] = total / ((bottom - top) * (right - left))


@adaptive
def _adaptive_avg_pool_grad(g, out):
    planes, height, width = out.shape
    for plane in prange(planes):
        out[plane] = 0
        for i in range(g.shape[1]):
            top, bottom = _adaptive_window(i, g.shape[1], height)
            for j in range(g.shape[2]):
                left, right = _adaptive_window(j, g.shape[2], width)
                share = g[plane, i, j] / ((bottom - top) * (right - left))
                for y in range(top, bottom):
                    for z in range(left, right):
                        out[plane, y, z] += share
