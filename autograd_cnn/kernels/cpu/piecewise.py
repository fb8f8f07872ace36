"""Activation functions of straight pieces and their gradients, in the manner of shared_loop.py.

Gradients take the cotangent `g` first, then x, the input.
"""

from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.shared_loop import pointwise, pointwise_with_two


@pointwise_with_two
@inline
def _threshold(x, limit, value):
    return type(x)(value) if x <= type(x)(limit) else x


def threshold(x, limit, value, out):
    """x where x > limit, else value; NaN stays."""
    _threshold(x, limit, value, out)


@pointwise_with_two
@inline
def _threshold_grad(g, x, limit, b):
    return type(g)(0) if x <= type(x)(limit) else g


def threshold_grad(g, x, limit, out):
    _threshold_grad(g, x, limit, 0, out)


@pointwise_with_two
@inline
def _hardshrink(x, low, high):
    return type(x)(0) if (x >= type(x)(low)) & (x <= type(x)(high)) else x


def hardshrink(x, lambd, out):
    """x where |x| > lambd, else 0; NaN stays."""
    _hardshrink(x, -lambd, lambd, out)


@pointwise_with_two
@inline
def _softshrink(x, low, high):
    below, above = x - type(x)(low), x - type(x)(high)
    return above if x > type(x)(high) else (below if x < type(x)(low) else x * type(x)(0))


def softshrink(x, lambd, out):
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0; NaN stays."""
    _softshrink(x, -lambd, lambd, out)


@pointwise_with_two
@inline
def _shrink_grad(g, x, low, high):
    return type(g)(0) if (x >= type(x)(low)) & (x <= type(x)(high)) else g


def shrink_grad(g, x, lambd, out):
    """The gradient of either shrink."""
    _shrink_grad(g, x, -lambd, lambd, out)


@inline
def _gate(x):
    real = type(x)
    t = x + real(3)
    t = real(0) if t < real(0) else t
    return real(6) if t > real(6) else t


@pointwise
@inline
def hardsigmoid(x):
    """min(max(x + 3, 0), 6) / 6"""
    return _gate(x) * type(x)(1 / 6)


@pointwise
@inline
def hardsigmoid_grad(g, x):
    real = type(x)
    return g * real(1 / 6) if (x > real(-3)) & (x < real(3)) else real(0)


@pointwise
@inline
def hardswish(x):
    """x min(max(x + 3, 0), 6) / 6"""
    return x * _gate(x) * type(x)(1 / 6)


@pointwise
@inline
def hardswish_grad(g, x):
    real = type(x)
    inside = g * (x * real(1 / 3) + real(0.5))
    return real(0) if x <= real(-3) else (inside if x < real(3) else g)
