"""Losses, element by element, and their slopes.

Slopes take x and the target, then the cotangent g, which may be one number for all, and numbers.
"""

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import inline
from autograd_cnn.kernels.cpu.pointwise import binary
from autograd_cnn.kernels.cpu.shared_loop import pointwise, pointwise_with_two


@binary
@inline
def binary_cross_entropy(x, target):
    """-(target log x + (1 - target) log(1 - x)), no logarithm below -100."""
    real = type(x)
    least = real(-100)
    return -(target * max(vm.log(x), least) + (real(1) - target) * max(vm.log1p(-x), least))


@pointwise_with_two
@inline
def binary_cross_entropy_slope(x, target, g, scale, unused):
    """scale g (x - target) / (x (1 - x)), nothing divided by less than 1e-12."""
    real = type(x)
    return real(scale) * g * (x - target) / max((real(1) - x) * x, real(1e-12))


@pointwise
@inline
def logistic_loss(x, target):
    """`binary_cross_entropy` of 1 / (1 + e^-x): (1 - target) x + ln(1 + e^-x)."""
    return (type(x)(1) - target) * x + vm.softplus(-x)


@pointwise_with_two
@inline
def logistic_loss_slope(x, target, g, scale, unused):
    """scale g (1 / (1 + e^-x) - target)"""
    return type(x)(scale) * g * (vm.sigmoid(x) - target)


@pointwise_with_two
@inline
def huber(x, target, limit, scale):
    """scale d^2 / 2 where |d| is at most `limit`, else scale limit (|d| - limit / 2), with d = x - target."""
    real = type(x)
    far = abs(x - target)
    near = real(0.5) * far * far
    return real(scale) * (near if far <= real(limit) else real(limit) * (far - real(0.5) * real(limit)))


@pointwise_with_two
@inline
def huber_slope(x, target, g, limit, scale):
    """scale g d, d = x - target brought between -limit and limit."""
    real = type(x)
    d = x - target
    d = real(limit) if d > real(limit) else d
    d = real(-limit) if d < real(-limit) else d
    return real(scale) * g * d


@pointwise
@inline
def absolute_error(x, target):
    return abs(x - target)


@pointwise_with_two
@inline
def absolute_error_slope(x, target, g, scale, unused):
    """scale g times the sign of x - target"""
    real = type(x)
    d = x - target
    sign = real(1) if d > real(0) else real(-1) if d < real(0) else d
    return real(scale) * g * sign


@pointwise_with_two
@inline
def squared_distance(x, y, shift, unused):
    """(x - y + shift)^2"""
    d = x - y + type(x)(shift)
    return d * d
