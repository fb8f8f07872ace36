"""Optimizer steps: one pass over 1-D contiguous arrays updates the parameters and the state in place.

Formulas and their order are PyTorch's.  `param`, `grad` and the state arrays have one size and one float
dtype; hyperparameters are Python numbers.  State arrays that the settings leave unused may be None.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline


@inline
def _descent_direction(grad, param, weight_decay, maximize):
    grad = -grad if maximize else grad
    return grad + weight_decay * param if weight_decay != 0 else grad


@adaptive
def _sgd(grad, lr, weight_decay, maximize, param):
    real = param.dtype.type
    lr, weight_decay = real(lr), real(weight_decay)
    for i in prange(param.size):
        param[i] -= lr * _descent_direction(grad[i], param[i], weight_decay, maximize)


@adaptive
def _sgd_momentum(grad, buffer, lr, momentum, damped, weight_decay, nesterov, first, maximize, param):
    real = param.dtype.type
    lr, momentum, damped, weight_decay = real(lr), real(momentum), real(damped), real(weight_decay)
    for i in prange(param.size):
        g = _descent_direction(grad[i], param[i], weight_decay, maximize)
        velocity = momentum * buffer[i] + damped * g
        velocity = g if first else velocity
        buffer[i] = velocity
        param[i] -= lr * (g + momentum * velocity if nesterov else velocity)


def sgd(param, grad, momentum_buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    """Stochastic gradient descent; `first` fills the momentum buffer instead of reading it.

    g = grad + weight_decay * param;  b = momentum * b + (1 - dampening) * g, at first b = g;
    param -= lr * (g + momentum * b if nesterov else b), and lr * g without momentum.
    """
    lr, weight_decay = float(lr), float(weight_decay)
    if momentum == 0:
        _sgd(grad, lr, weight_decay, maximize, param)
    else:
        damped = 1.0 - dampening
        _sgd_momentum(
            grad, momentum_buffer, lr, float(momentum), damped, weight_decay, nesterov, first, maximize, param
        )


@adaptive
def _adam(grad, exp_avg, exp_avg_sq, largest, step_size, beta1, beta2, scale, eps, decay, shrink, maximize, param):
    real = param.dtype.type
    step_size, scale, eps, decay, shrink = real(step_size), real(scale), real(eps), real(decay), real(shrink)
    beta2, gain1, gain2 = real(beta2), real(1 - beta1), real(1 - beta2)
    amsgrad = largest.size > 0
    for i in prange(param.size):
        g = _descent_direction(grad[i], param[i], decay, maximize)
        mean = exp_avg[i] + gain1 * (g - exp_avg[i])
        square = beta2 * exp_avg_sq[i] + gain2 * g * g
        exp_avg[i] = mean
        exp_avg_sq[i] = square
        if amsgrad:
            square = square if (square > largest[i]) | (square != square) else largest[i]
            largest[i] = square
        param[i] = param[i] * shrink - step_size * (mean / (np.sqrt(square) / scale + eps))


def adam(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq,
    step,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    decoupled,
    amsgrad,
    maximize,
):
    """Adam (Kingma and Ba 2014), AdamW if `decoupled` (Loshchilov and Hutter 2017); the first `step` is 1.

    g = grad + weight_decay * param, but if decoupled, param *= 1 - lr * weight_decay;
    m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;
    param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps);
    if amsgrad, the largest v so far stands in for v.
    """
    lr, weight_decay = float(lr), float(weight_decay)
    _adam(
        grad,
        exp_avg,
        exp_avg_sq,
        max_exp_avg_sq if amsgrad else np.empty(0, param.dtype),
        lr / (1 - beta1**step),
        float(beta1),
        float(beta2),
        math.sqrt(1 - beta2**step),
        float(eps),
        0.0 if decoupled else weight_decay,
        1.0 - lr * weight_decay if decoupled else 1.0,
        maximize,
        param,
    )


@adaptive
def _rmsprop(grad, square_avg, buffer, grad_avg, lr, alpha, eps, weight_decay, momentum, centered, maximize, param):
    real = param.dtype.type
    gain = real(1 - alpha)
    lr, alpha, eps, weight_decay = real(lr), real(alpha), real(eps), real(weight_decay)
    moving = momentum > 0
    momentum = real(momentum)
    for i in prange(param.size):
        g = _descent_direction(grad[i], param[i], weight_decay, maximize)
        square = alpha * square_avg[i] + gain * g * g
        square_avg[i] = square
        if centered:
            mean = grad_avg[i] + gain * (g - grad_avg[i])
            grad_avg[i] = mean
            square -= mean * mean
        change = g / (np.sqrt(square) + eps)
        if moving:
            change += momentum * buffer[i]
            buffer[i] = change
        param[i] -= lr * change


def rmsprop(
    param,
    grad,
    square_avg,
    momentum_buffer,
    grad_avg,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
    maximize,
):
    """RMSprop (Hinton 2012), `centered` as in Graves 2013.

    g = grad + weight_decay * param;  s = alpha * s + (1 - alpha) * g^2;
    centered: a = alpha * a + (1 - alpha) * g, and s - a^2 stands in for s below;
    b = momentum * b + g / (sqrt(s) + eps);  param -= lr * b.
    """
    unused = np.empty(0, param.dtype)
    _rmsprop(
        grad,
        square_avg,
        unused if momentum_buffer is None else momentum_buffer,
        unused if grad_avg is None else grad_avg,
        float(lr),
        float(alpha),
        float(eps),
        float(weight_decay),
        float(momentum),
        centered,
        maximize,
        param,
    )
