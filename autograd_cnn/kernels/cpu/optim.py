"""Optimizer steps: one call updates all parameters of a group and their state, in place.

Formulas are PyTorch's.  `table` is an ArrayTable of the parameters and of the state that the settings need, in the
order that each kernel names; `grads` are as many arrays, of the parameters' dtype and sizes.  Hyperparameters are
numbers.  Rules that differ only by numbers share one kernel.
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
def _sgd(addresses, t, start, count, like, settings):
    real = like.dtype.type
    lr, weight_decay, sign = real(settings[0]), real(settings[1]), real(settings[2])
    momentum, damped, ahead, moving = real(settings[3]), real(settings[4]), settings[5], settings[6]
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    if moving == 0:
        for i in range(count):
            param[i] -= lr * _descent_direction(grad[i], param[i], weight_decay, sign)
        return
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
    damped = 1.0 if first else 1.0 - dampening
    _sgd(table, grads, lr, weight_decay, _sign(maximize), momentum, damped, nesterov, momentum != 0)


@ListKernel
def _adam(addresses, t, start, count, like, settings):
    real = like.dtype.type
    step_size, at_once, beta2 = real(settings[0]), real(settings[1]), real(settings[3])
    gain1, gain2 = real(1 - settings[2]), real(1 - settings[3])
    scale, eps = real(settings[4]), real(settings[5])
    decay, shrink, sign, amsgrad = real(settings[6]), real(settings[7]), real(settings[8]), settings[9]
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
        width = np.sqrt(square) * scale + eps if scale != 0 else eps
        moved = step_size * mean + at_once * g if at_once != 0 else step_size * mean
        param[i] = param[i] * shrink - moved / width


def adam(table, grads, step, lr, beta1, beta2, eps, weight_decay, decoupled, amsgrad, maximize):
    """Adam (Kingma and Ba 2014), AdamW if `decoupled` (Loshchilov and Hutter 2017); the first `step` is 1.

    State: m, v and, if amsgrad, the largest v.

    g = grad + weight_decay * param, but if decoupled, param *= 1 - lr * weight_decay;
    m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;
    param -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps);
    if amsgrad, the largest v so far stands in for v.
    """
    scale = 1 / math.sqrt(1.0 - beta2**step)
    decay = _decay(lr, weight_decay, decoupled)
    _adam(table, grads, lr / (1.0 - beta1**step), 0, beta1, beta2, scale, eps, *decay, _sign(maximize), amsgrad)


def nadam(table, grads, step, lr, now, ahead, beta1, beta2, eps, weight_decay, decoupled, maximize):
    """NAdam (Dozat 2016): as Adam, but param -= lr * (now * g + ahead * m) / (sqrt(v / (1 - beta2^step)) + eps)."""
    scale = 1 / math.sqrt(1.0 - beta2**step)
    decay = _decay(lr, weight_decay, decoupled)
    _adam(table, grads, lr * ahead, lr * now, beta1, beta2, scale, eps, *decay, _sign(maximize), 0)


def radam(table, grads, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize):
    """RAdam (Liu and others 2019): Adam's step times r, or m alone while the variance of v is not bounded.

    n = 2 / (1 - beta2) - 1;  q = n - 2 step beta2^step / (1 - beta2^step);
    q > 5: param -= lr r m / (1 - beta1^step) sqrt(1 - beta2^step) / (sqrt(v) + eps),
    r^2 = (q - 4) (q - 2) n / ((n - 4) (n - 2) q);  else param -= lr m / (1 - beta1^step).
    """
    step_size, scale, width = lr / (1.0 - beta1**step), 0.0, 1.0
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    if length > 5:
        scale, width = 1.0, eps
        step_size *= math.sqrt(1 - beta2**step)
        step_size *= math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    decay = _decay(lr, weight_decay, decoupled)
    _adam(table, grads, step_size, 0, beta1, beta2, scale, width, *decay, _sign(maximize), 0)


def _decay(lr, weight_decay, decoupled):
    """What is added to the gradient for each unit of the parameter, and what the parameter is multiplied by."""
    return (0.0, 1.0 - lr * weight_decay) if decoupled else (weight_decay, 1.0)


@ListKernel
def _adamax(addresses, t, start, count, like, settings):
    real = like.dtype.type
    step_size, gain1, beta2 = real(settings[0]), real(1 - settings[1]), real(settings[2])
    eps, weight_decay, sign = real(settings[3]), real(settings[4]), real(settings[5])
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    means, largest = part_of(addresses[2, t], start, count, like), part_of(addresses[3, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        mean = means[i] + gain1 * (g - means[i])
        kept, new = beta2 * largest[i], abs(g) + eps
        large = new if (new > kept) | (new != new) else kept
        means[i] = mean
        largest[i] = large
        param[i] -= step_size * (mean / large)


def adamax(table, grads, step, lr, beta1, beta2, eps, weight_decay, maximize):
    """Adamax (Kingma and Ba 2014).  State: m and u.

    g = grad + weight_decay * param;  m = beta1 * m + (1 - beta1) * g;  u = max(beta2 * u, |g| + eps);
    param -= lr / (1 - beta1^step) * m / u.
    """
    _adamax(table, grads, lr / (1.0 - beta1**step), beta1, beta2, eps, weight_decay, _sign(maximize))


@ListKernel
def _rmsprop(addresses, t, start, count, like, settings):
    real = like.dtype.type
    lr, kept, gain, eps = real(settings[0]), real(settings[1]), real(settings[2]), real(settings[3])
    weight_decay, sign, momentum = real(settings[4]), real(settings[5]), real(settings[6])
    centered = settings[7]
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    squares = part_of(addresses[2, t], start, count, like)
    buffer = part_of(addresses[3, t], start, count, like) if momentum != 0 else squares
    means = part_of(addresses[addresses.shape[0] - 1, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        square = kept * squares[i] + gain * g * g
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
    _rmsprop(table, grads, lr, alpha, 1 - alpha, eps, weight_decay, _sign(maximize), momentum, centered)


def adagrad(table, grads, lr, eps, weight_decay, maximize):
    """Adagrad (Duchi, Hazan and Singer 2011): s += g^2;  param -= lr * g / (sqrt(s) + eps).  State: s."""
    _rmsprop(table, grads, lr, 1, 1, eps, weight_decay, _sign(maximize), 0, 0)


@ListKernel
def _adadelta(addresses, t, start, count, like, settings):
    real = like.dtype.type
    lr, rho, gain, eps = real(settings[0]), real(settings[1]), real(1 - settings[1]), real(settings[2])
    weight_decay, sign = real(settings[3]), real(settings[4])
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    squares, changes = part_of(addresses[2, t], start, count, like), part_of(addresses[3, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        square = rho * squares[i] + gain * g * g
        change = np.sqrt(changes[i] + eps) / np.sqrt(square + eps) * g
        squares[i] = square
        changes[i] = rho * changes[i] + gain * change * change
        param[i] -= lr * change


def adadelta(table, grads, lr, rho, eps, weight_decay, maximize):
    """Adadelta (Zeiler 2012).  State: s and d.

    g = grad + weight_decay * param;  s = rho * s + (1 - rho) * g^2;  c = sqrt(d + eps) / sqrt(s + eps) * g;
    d = rho * d + (1 - rho) * c^2;  param -= lr * c.
    """
    _adadelta(table, grads, lr, rho, eps, weight_decay, _sign(maximize))


@ListKernel
def _rprop(addresses, t, start, count, like, settings):
    real = like.dtype.type
    shorter, longer = real(settings[0]), real(settings[1])
    shortest, longest, sign = real(settings[2]), real(settings[3]), real(settings[4])
    none, one = real(0), real(1)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    before, sizes = part_of(addresses[2, t], start, count, like), part_of(addresses[3, t], start, count, like)
    for i in range(count):
        g = sign * grad[i]
        turn = g * before[i]
        size = sizes[i] * (longer if turn > none else shorter if turn < none else one)
        size = max(min(size, longest), shortest)
        g = none if turn < none else g
        sizes[i] = size
        before[i] = g
        param[i] -= size if g > none else -size if g < none else none


def rprop(table, grads, shorter, longer, shortest, longest, maximize):
    """Rprop (Riedmiller and Braun 1993), without going back.  State: the gradient before, and the sizes of steps.

    Where the gradient kept its sign the size is multiplied by `longer`; where it changed, by `shorter`, and the
    gradient counts as 0;  param -= size * sign(grad), the size between `shortest` and `longest`.
    """
    _rprop(table, grads, shorter, longer, shortest, longest, _sign(maximize))


@ListKernel
def _asgd(addresses, t, start, count, like, settings):
    real = like.dtype.type
    lr, shrink, share = real(settings[0]), real(settings[1]), real(settings[2])
    weight_decay, sign, whole = real(settings[3]), real(settings[4]), settings[2] == 1
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    means = part_of(addresses[2, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        p = param[i] * shrink - lr * g
        param[i] = p
        means[i] = p if whole else means[i] + share * (p - means[i])


def asgd(table, grads, lr, lambd, share, weight_decay, maximize):
    """Averaged SGD (Polyak and Juditsky 1992).  State: the mean a.

    g = grad + weight_decay * param;  param = (1 - lambd * lr) * param - lr * g;  a += share * (param - a).
    """
    _asgd(table, grads, lr, 1 - lambd * lr, share, weight_decay, _sign(maximize))


@ListKernel
def _ftrl(addresses, t, start, count, like, settings):
    real = like.dtype.type
    rate, beta, l1, l2 = real(1 / settings[0]), real(settings[1]), real(settings[2]), real(settings[3])
    weight_decay, sign, none = real(settings[4]), real(settings[5]), real(0)
    param, grad = part_of(addresses[0, t], start, count, like), part_of(addresses[1, t], start, count, like)
    squares, sums = part_of(addresses[2, t], start, count, like), part_of(addresses[3, t], start, count, like)
    for i in range(count):
        g = _descent_direction(grad[i], param[i], weight_decay, sign)
        square = squares[i] + g * g
        root = np.sqrt(square)
        z = sums[i] + g - (root - np.sqrt(squares[i])) * rate * param[i]
        squares[i] = square
        sums[i] = z
        beyond = z + l1 if z < -l1 else z - l1
        param[i] = none if abs(z) <= l1 else -beyond / ((beta + root) * rate + l2)


def ftrl(table, grads, lr, beta, l1, l2, weight_decay, maximize):
    """FTRL-Proximal (McMahan and others 2013).  State: n, the sum of squares, and z.

    g = grad + weight_decay * param;  z += g - (sqrt(n + g^2) - sqrt(n)) / lr * param;  n += g^2;
    param = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2).
    """
    _ftrl(table, grads, lr, beta, l1, l2, weight_decay, _sign(maximize))
