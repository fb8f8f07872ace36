"""Max pooling over windows of an image (N, C, H, W), and what its gradients need.

A window may overhang the input on every side: padding is never stored, its cells are just not visited.
A caller's ceil_mode changes nothing here but the shape of `out`.
Where a window's largest element stands is kept as its place in the window, y * kernel width + x, in a small dtype:
a gradient then reads a byte, not eight.  It gathers what arrives at each element where windows are small and vectors
of them can be masked (pool_chosen.py); else it goes through the windows of a plane in their order, one task a plane.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, inline, parallel, serial
from autograd_cnn.kernels.cpu.pool_chosen import gathers, sums_of_chosen
from autograd_cnn.kernels.cpu.pool_vectors import largest_of_windows
from autograd_cnn.kernels.cpu.shared_code import address_of, call

# Ways of a gradient: by vectors of elements, or by one window after the other, of cells side by side or dilated.
GATHER, DENSE, DILATED = 0, 1, 2
# Elements from which planes are filled first: unlike vectors, a fill does not fetch what it overwrites from memory.
BEYOND_CACHES = 1 << 22


def max_pool2d(x, kernel, stride, padding, dilation, out, places):
    """Write the largest value of every window to `out`, and to `places` where it stands in the window.

    The first of equal values wins, and NaN wins over every number, as in PyTorch.
    places: any integer dtype that holds kernel[0] * kernel[1] - 1.
    """
    _max_pool(_flat(x), x.shape[2:], kernel, stride, padding, dilation, out.shape[2:], places.ravel(), out.ravel())


def max_pool2d_grad(g, places, kernel, stride, padding, dilation, out):
    """out (N, C, H, W): the sum of the elements of g (N, C, OH, OW) in whose windows an element was the largest."""
    windows, size = g.shape[2:], out.shape[2:]
    tables = _cells(size[1], windows, kernel, stride, padding, dilation)
    way = GATHER if gathers(kernel, stride, padding, dilation) else DENSE if dilation == (1, 1) else DILATED
    arguments = _flat(g), _flat(places), *tables, way, windows, kernel[1], stride[1], padding, size, out.ravel()
    planes = out.size // max(size[0] * size[1], 1)
    if out.size < GRAIN:
        _max_pool_grad(0, planes, *arguments)
    else:
        _max_pool_grad_parallel(_code(out.dtype, places.dtype), planes, *arguments)


def max_pool2d_take(x, places, kernel, stride, padding, dilation, out):
    """Read from x (N, C, H, W) what stands at the places of the windows."""
    indices = np.empty(out.shape, np.int64)
    max_pool2d_indices(places, x.shape[2:], kernel, stride, padding, dilation, indices)
    _take(_flat(x), indices.ravel(), x.shape[2] * x.shape[3], out.shape[2] * out.shape[3], out.ravel())


def max_pool2d_indices(places, size, kernel, stride, padding, dilation, out):
    """The places of windows as places in a flattened image of that size, int64."""
    _indices(_flat(places), places.shape[2:], size, kernel, stride, padding, dilation, out.ravel())


@lru_cache(maxsize=256)
def _cells(width, windows, kernel, stride, padding, dilation):
    """Where in a flattened image each window begins, and each of its cells from there on."""
    corners, offsets = (
        ((np.arange(sizes[0]) * steps[0] - starts[0])[:, None] * width + np.arange(sizes[1]) * steps[1] - starts[1])
        for sizes, steps, starts in ((windows, stride, padding), (kernel, dilation, (0, 0)))
    )
    return corners.ravel(), offsets.ravel()


def _flat(a):
    return (a if a.flags.c_contiguous and a.flags.aligned else a.copy()).ravel()


# prange counts in uint64: np.int64 spares a second compilation of what is called with it.


@adaptive
def _max_pool(x, size, kernel, stride, padding, dilation, windows, places, out):
    for plane in prange(out.size // max(windows[0] * windows[1], 1)):
        _max_pool_plane(x, size, kernel, stride, padding, dilation, windows, places, out, np.int64(plane))


@inline
def _max_pool_plane(x, size, kernel, stride, padding, dilation, windows, places, out, plane):
    height, width = size
    pitch = dilation[0] * width
    for i in range(windows[0]):
        top = i * stride[0] - padding[0]
        skipped = max((dilation[0] - 1 - top) // dilation[0], 0)
        top += skipped * dilation[0]
        rows = min((height - top + dilation[0] - 1) // dilation[0], kernel[0] - skipped)
        place = (plane * windows[0] + i) * windows[1]
        largest_of_windows(
            x, (plane * height + top) * width, rows, pitch, width, kernel[1], stride[1], dilation[1], -padding[1],
            out, place, places, place, skipped * kernel[1], windows[1],
        )  # fmt: skip


@serial
def _max_pool_grad(
    first, last, g, places, corners, offsets, way, windows, kernel, stride, padding, size, out
):  # fmt: skip
    image = size[0] * size[1]
    for plane in range(first, last):
        if way == GATHER:
            if out.size >= BEYOND_CACHES:
                out[plane * image : (plane + 1) * image] = 0
            start = plane * windows[0] * windows[1]
            sums_of_chosen(g, places, start, windows, kernel, stride, padding, out, plane * image, size)
        else:
            _scatter_plane(g, places, corners, offsets, way == DENSE, image, out, plane)


@parallel
def _max_pool_grad_parallel(
    code, planes, g, places, corners, offsets, way, windows, kernel, stride, padding, size, out
):  # fmt: skip
    for index in prange(planes):
        plane = np.int64(index)
        call(
            code,
            (plane, plane + 1, g, places, corners, offsets, way, windows, kernel, stride, padding, size, out),
        )


@lru_cache
def _code(dtype, place_dtype):
    some, places, table = np.zeros(1, dtype), np.zeros(1, place_dtype), np.zeros(1, np.int64)
    return address_of(_max_pool_grad, 0, 0, some, places, table, table, DENSE, (1, 1), 1, 1, (0, 0), (1, 1), some)


@inline
def _scatter_plane(g, places, corners, offsets, dense, size, out, plane):
    image, n = out[plane * size : (plane + 1) * size], corners.size
    image[:] = 0
    g_plane, places_plane = g[plane * n : (plane + 1) * n], places[plane * n : (plane + 1) * n]
    if dense:
        for w in range(n):
            image[np.uint64(corners[w] + offsets[np.uint64(places_plane[w])])] += g_plane[w]
    else:
        for w in range(n):
            cell = corners[w] + offsets[np.uint64(places_plane[w])]
            if 0 <= cell < size:  # a dilated window may lie in the padding with all of its cells
                image[cell] += g_plane[w]


@adaptive
def _indices(places, windows, size, kernel, stride, padding, dilation, out):
    for w in prange(out.size):
        window = np.int64(w)
        i = window // windows[1] % windows[0]
        j = window % windows[1]
        place = np.int64(places[window])
        y = i * stride[0] - padding[0] + place // kernel[1] * dilation[0]
        x = j * stride[1] - padding[1] + place % kernel[1] * dilation[1]
        # A dilated window may lie in the padding with all of its cells.
        out[window] = min(max(y, 0), size[0] - 1) * size[1] + min(max(x, 0), size[1] - 1)


@adaptive
def _take(x, indices, image, windows, out):
    for w in prange(out.size):
        window = np.int64(w)
        out[window] = x[window // windows * image + indices[window]]
