"""Smooth activation functions and their gradients, in the manner of shared_loop.py.

Gradients take the cotangent `g` first, then x, the input.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import adaptive, inline
from autograd_cnn.kernels.cpu.pointwise import PIECE
from autograd_cnn.kernels.cpu.shared_loop import pointwise, pointwise_with_two

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
MISH_END = 20.0  # from where on tanh(ln(1 + e^x)) is 1 in float64 too


@pointwise
@inline
def silu(x):
    """x / (1 + e^-x)"""
    return x * vm.sigmoid(x)


@pointwise
@inline
def silu_grad(g, x):
    s = vm.sigmoid(x)
    return g * (s * (type(x)(1) + x * (type(x)(1) - s)))


@pointwise
@inline
def mish(x):
    """x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2)"""
    real = type(x)
    e = vm.exp(real(MISH_END) if x > real(MISH_END) else x)
    n = e * (e + real(2))
    return x * (n / (n + real(2)))


@pointwise
@inline
def mish_grad(g, x):
    real = type(x)
    t = real(MISH_END) if x > real(MISH_END) else x
    e = vm.exp(t)
    n = e * (e + real(2))
    gate = n / (n + real(2))
    return g * (gate + t * (real(4) * e * (e + real(1))) / ((n + real(2)) * (n + real(2))))


@pointwise
@inline
def softsign(x):
    """x / (1 + |x|)"""
    return x / (type(x)(1) + abs(x))


@pointwise
@inline
def softsign_grad(g, x):
    t = type(x)(1) + abs(x)
    return g / (t * t)


@pointwise
@inline
def selu(x):
    """scale * x where x > 0, else scale * alpha * (e^x - 1)"""
    real = type(x)
    return real(SELU_SCALE * SELU_ALPHA) * vm.expm1(x) if x <= real(0) else real(SELU_SCALE) * x


@pointwise
@inline
def selu_grad(g, x):
    real = type(x)
    return g * (real(SELU_SCALE * SELU_ALPHA) * vm.exp(x) if x <= real(0) else real(SELU_SCALE))


@pointwise_with_two
@inline
def _celu(x, alpha, b):
    real = type(x)
    return real(alpha) * vm.expm1(x * real(1 / alpha)) if x <= real(0) else x


def celu(x, alpha, out):
    """x where x > 0, else alpha * (e^(x / alpha) - 1)"""
    _celu(x, alpha, 0, out)


@pointwise_with_two
@inline
def _celu_grad(g, x, alpha, b):
    real = type(x)
    return g * vm.exp(x * real(1 / alpha)) if x <= real(0) else g


def celu_grad(g, x, alpha, out):
    _celu_grad(g, x, alpha, 0, out)


def glu(x, dim, out):
    """a / (1 + e^-b), a and b the halves of x along `dim`."""
    x, rows = _halves(x, dim)
    _glu(x, out.reshape(rows))


def glu_grad(g, x, dim, out):
    x, rows = _halves(x, dim)
    _glu_grad(np.ascontiguousarray(g).reshape(rows), x, out.reshape(x.shape))


def _halves(x, dim):
    """x as (outer, 2, inner), and the shape of a half."""
    outer = math.prod(x.shape[:dim])
    inner = math.prod(x.shape[dim:]) // 2
    return np.ascontiguousarray(x).reshape(outer, 2, inner), (outer, inner)


@adaptive
def _glu(x, out):
    outer, inner = out.shape
    pieces = (inner + PIECE - 1) // PIECE
    for task in prange(outer * pieces):
        o = np.int64(task) // pieces
        start = (np.int64(task) - o * pieces) * PIECE
        stop = min(start + PIECE, inner)
        a, b, row = x[o, 0, start:stop], x[o, 1, start:stop], out[o, start:stop]
        for i in range(row.size):
            row[i] = a[i] * vm.sigmoid(b[i])


@adaptive
def _glu_grad(g, x, out):
    outer, inner = g.shape
    pieces = (inner + PIECE - 1) // PIECE
    for task in prange(outer * pieces):
        o = np.int64(task) // pieces
        start = (np.int64(task) - o * pieces) * PIECE
        stop = min(start + PIECE, inner)
        a, b, row = x[o, 0, start:stop], x[o, 1, start:stop], g[o, start:stop]
        of_a, of_b = out[o, 0, start:stop], out[o, 1, start:stop]
        for i in range(row.size):
            s = vm.sigmoid(b[i])
            of_a[i] = row[i] * s
            of_b[i] = row[i] * a[i] * s * (type(s)(1) - s)
