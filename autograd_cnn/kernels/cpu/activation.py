"""Activation functions and their gradients, in the manner of elementwise.py.

Gradients take the cotangent `g` first, of the shape of the array after it: `y`, the output, where
that is enough, else `x`, its input.
"""

from autograd_cnn.kernels.cpu import gaussian
from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.gelu_pieces import IN_PIECES, each_in_pieces
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.pointwise import (
    binary,
    binary_with_one,
    binary_with_two,
    unary,
    unary_with_one,
    unary_with_two,
)

tanh = unary(vm.tanh)
sigmoid = unary(vm.sigmoid)


@unary
@inline
def relu(x):
    """max(x, 0); NaN stays."""
    return type(x)(0) if x <= 0 else x


@unary_with_one
@inline
def leaky_relu(x, slope):
    """x where x > 0, else slope * x."""
    return x if x > 0 else x * type(x)(slope)


@unary_with_one
@inline
def elu(x, alpha):
    """x where x > 0, else alpha * (e^x - 1)."""
    return x if x > 0 else type(x)(alpha) * vm.expm1(x)


@inline
def _gelu(x):
    """x * cdf(x), of the normal distribution (Hendrycks and Gimpel 2016)."""
    return gaussian.gelu(x)


gelu = unary(_gelu, each_in_pieces) if IN_PIECES else unary(_gelu)


@unary
@inline
def gelu_tanh(x):
    """x / 2 * (1 + tanh(u)) = x * sigmoid(2 u) with u = sqrt(2 / pi) * (x + 0.044715 x^3)."""
    return gaussian.gelu_tanh(x)


@unary_with_two
@inline
def softplus(x, beta, threshold):
    """ln(1 + e^(beta x)) / beta, and x where beta * x > threshold."""
    scaled = x * type(x)(beta)
    return x if scaled > type(x)(threshold) else vm.softplus(scaled) / type(x)(beta)


@binary
@inline
def tanh_grad(g, y):
    return g * (type(y)(1) - y * y)


@binary
@inline
def sigmoid_grad(g, y):
    return g * y * (type(y)(1) - y)


@binary
@inline
def relu_grad(g, y):
    return type(g)(0) if y <= 0 else g


@binary_with_one
@inline
def leaky_relu_grad(g, x, slope):
    return g if x > 0 else g * type(x)(slope)


@binary_with_one
@inline
def elu_grad(g, x, alpha):
    return g if x > 0 else g * type(x)(alpha) * vm.exp(x)


@binary
@inline
def gelu_grad(g, x):
    return g * gaussian.gelu_slope(x)


@binary
@inline
def gelu_tanh_grad(g, x):
    return g * gaussian.gelu_tanh_slope(x)


@binary_with_two
@inline
def softplus_grad(g, x, beta, threshold):
    scaled = x * type(x)(beta)
    return g if scaled > type(x)(threshold) else g * vm.sigmoid(scaled)
