"""Optimizer steps: one call updates all parameters of a group and their state, in place.

Formulas are PyTorch's.  `table` is an ArrayTable of the parameters and of the state that the settings need, in the
order that each kernel names; `grads` are as many arrays, of the parameters' dtype and sizes.  Hyperparameters are
Python numbers.
"""

import math

import numpy as np

from autograd_cnn.kernels.cpu.addressed import ListKernel, part_of
from autograd_cnn.kernels.cpu.jit import inline


@inline
def _descent_direction(grad, param, weight_decay, sign):
    return sign * grad + weight_decay * param if weight_decay != 0 else sign * grad


def _sign(maximize):
    return -1.0 if maximize else 1.0


@ListKernel
@inline
def _sgd(addresses, t, start, count, like, settings):
    lr, weight_decay, sign = settings
    real = like.dtype.type
    lr, weight_decay, sign = real(lr), real(weight_decay), real(sign)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    for i in range(count):
        param[i] -= lr * _descent_direction(grad[i], param[i], weight_decay, sign)


@ListKernel
@inline
def _sgd_momentum(addresses, t, start, count, like, settings):
    lr, weight_decay, sign, momentum, damped, ahead = settings
    real = like.dtype.type
    lr, weight_decay, sign = real(lr), real(weight_decay), real(sign)
    momentum, damped = real(momentum), real(damped)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    buffer = part_of(addresses[2, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        velocity = momentum * buffer[i] + damped * g
        buffer[i] = velocity
        param[i] -= lr * (g + momentum * velocity if ahead != 0 else velocity)


def sgd(table, grads, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    """Stochastic gradient descent.  State: with momentum the buffers, which are zeros at `first`.

    g = grad + weight_decay * param;  b = momentum * b + (1 - dampening) * g, at first b = g;
    param -= lr * (g + momentum * b if nesterov else b), and lr * g without momentum.
    """
    settings = (float(lr), float(weight_decay), _sign(maximize))
    if momentum == 0:
        _sgd(table, grads, settings)
    else:
        moving = (float(momentum), 1.0 if first else 1.0 - dampening, float(nesterov))
        _sgd_momentum(table, grads, settings + moving)


@ListKernel
@inline
def _adam(addresses, t, start, count, like, settings):
    step_size, beta1, beta2, scale, eps, decay, shrink, sign, amsgrad = settings
    real = like.dtype.type
    gain1, gain2, beta2, scale, eps = real(1 - beta1), real(1 - beta2), real(beta2), real(scale), real(eps)
    step_size, decay, shrink, sign = real(step_size), real(decay), real(shrink), real(sign)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    means, squares = part_of(addresses[2, t], start, count, like), part_of(addresses[3, t], start, count, like)
    largest = part_of(addresses[4, t], start, count, like) if amsgrad != 0 else squares
    for i in range(count):
        g = _descent_direction(grad[i], param[i], decay, sign)
        mean = means[i] + gain1 * (g - means[i])
        square = beta2 * squares[i] + gain2 * g * g
        means[i] = mean
        squares[i] = square
        if amsgrad != 0:
            square = square if (square > largest[i]) | (square != square) else largest[i]
            largest[i] = square
        param[i] = param[i] * shrink - step_size * (mean / (np.sqrt(square) * scale + eps))


def adam(table, grads, step, lr, beta1, beta2, eps, weight_decay, decoupled, amsgrad, maximize):
    """Adam (Kingma and Ba 2014), AdamW if `decoupled` (Loshchilov and Hutter 2017); the first `step` is 1.

    State: m, v and, if amsgrad, the largest v.

    g = grad + weight_decay * param, but if decoupled, param *= 1 - lr * weight_decay;
    m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;
    param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps);
    if amsgrad, the largest v so far stands in for v.
    """
    settings = (
        lr / (1.0 - beta1**step),
        float(beta1),
        float(beta2),
        1 / math.sqrt(1.0 - beta2**step),
        float(eps),
        0.0 if decoupled else float(weight_decay),
        1.0 - lr * weight_decay if decoupled else 1.0,
        _sign(maximize),
        float(amsgrad),
    )
    _adam(table, grads, settings)


@ListKernel
@inline
def _rmsprop(addresses, t, start, count, like, settings):
    lr, alpha, eps, weight_decay, sign, momentum, centered = settings
    real = like.dtype.type
    gain, alpha, eps = real(1 - alpha), real(alpha), real(eps)
    lr, weight_decay, sign, momentum = real(lr), real(weight_decay), real(sign), real(momentum)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    squares = part_of(addresses[2, t], start, count, like)
    buffer = part_of(addresses[3, t], start, count, like) if momentum != 0 else squares
    means = part_of(addresses[addresses.shape[0] - 1, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        square = alpha * squares[i] + gain * g * g
        squares[i] = square
        if centered != 0:
            mean = means[i] + gain * (g - means[i])
            means[i] = mean
            square -= mean * mean
        change = g / (np.sqrt(square) + eps)
        if momentum != 0:
            change += momentum * buffer[i]
            buffer[i] = change
        param[i] -= lr * change


def rmsprop(table, grads, lr, alpha, eps, weight_decay, momentum, centered, maximize):
    """RMSprop (Hinton 2012), `centered` as in Graves 2013.

    State: s, with momentum b, and if centered a.

    g = grad + weight_decay * param;  s = alpha * s + (1 - alpha) * g^2;
    centered: a = alpha * a + (1 - alpha) * g, and s - a^2 stands in for s below;
    b = momentum * b + g / (sqrt(s) + eps);  param -= lr * b.
    """
    settings = (lr, alpha, eps, weight_decay, _sign(maximize), momentum, centered)
    _rmsprop(table, grads, tuple(map(float, settings)))
