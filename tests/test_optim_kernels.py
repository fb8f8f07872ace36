"""Optimizer kernels against PyTorch, and against their formulas in NumPy."""

import itertools

import numpy as np
import pytest

from autograd_cnn.kernels.cpu import optim
from autograd_cnn.kernels.cpu.jit import GRAIN

STEPS = 4
SIZES = [37, GRAIN + 5]
DTYPES = [np.float32, np.float64]


def problem(size, dtype):
    random = np.random.default_rng(9)
    return random.normal(size=size).astype(dtype), random.normal(size=(STEPS, size)).astype(dtype)


def descend_sgd(param, grads, momentum, dampening, weight_decay, nesterov, maximize):
    buffer = np.full_like(param, np.nan) if momentum else None
    for i, grad in enumerate(grads):
        optim.sgd(param, grad, buffer, 0.1, momentum, dampening, weight_decay, nesterov, maximize, i == 0)


def descend_adam(param, grads, weight_decay, decoupled, amsgrad, maximize):
    mean, square = np.zeros_like(param), np.zeros_like(param)
    largest = np.zeros_like(param) if amsgrad else None
    for i, grad in enumerate(grads):
        settings = (0.01, 0.9, 0.999, 1e-8, weight_decay, decoupled, amsgrad, maximize)
        optim.adam(param, grad, mean, square, largest, i + 1, *settings)


def descend_rmsprop(param, grads, weight_decay, momentum, centered, maximize):
    square = np.zeros_like(param)
    buffer = np.zeros_like(param) if momentum else None
    mean = np.zeros_like(param) if centered else None
    for grad in grads:
        settings = (0.01, 0.9, 1e-8, weight_decay, momentum, centered, maximize)
        optim.rmsprop(param, grad, square, buffer, mean, *settings)


def with_torch(make, param, grads):
    torch = pytest.importorskip("torch")
    tensor = torch.nn.Parameter(torch.tensor(param))
    optimizer = make(torch.optim, [tensor])
    for grad in grads:
        tensor.grad = torch.tensor(grad)
        optimizer.step()
    return tensor.detach().numpy()


def close(param, expected):
    tolerance = 1e-6 if param.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(param, expected, tolerance, tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_sgd_is_pytorch_s(size, dtype):
    start, grads = problem(size, dtype)
    settings = itertools.product((0, 0.9), (0, 0.3), (0, 0.01), (False, True), (False, True))
    for momentum, dampening, weight_decay, nesterov, maximize in settings:
        if nesterov and (momentum == 0 or dampening):
            continue
        param = start.copy()
        descend_sgd(param, grads, momentum, dampening, weight_decay, nesterov, maximize)
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        options |= {"nesterov": nesterov, "maximize": maximize}
        close(param, with_torch(lambda o, p, k=options: o.SGD(p, lr=0.1, **k), start, grads))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_adam_is_pytorch_s(size, dtype):
    start, grads = problem(size, dtype)
    settings = itertools.product((0, 0.01), (False, True), (False, True), (False, True))
    for weight_decay, decoupled, amsgrad, maximize in settings:
        param = start.copy()
        descend_adam(param, grads, weight_decay, decoupled, amsgrad, maximize)
        options = {"weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize}
        name = "AdamW" if decoupled else "Adam"
        close(param, with_torch(lambda o, p, n=name, k=options: getattr(o, n)(p, lr=0.01, **k), start, grads))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_rmsprop_is_pytorch_s(size, dtype):
    start, grads = problem(size, dtype)
    settings = itertools.product((0, 0.01), (0, 0.8), (False, True), (False, True))
    for weight_decay, momentum, centered, maximize in settings:
        param = start.copy()
        descend_rmsprop(param, grads, weight_decay, momentum, centered, maximize)
        options = {"weight_decay": weight_decay, "momentum": momentum, "alpha": 0.9}
        options |= {"centered": centered, "maximize": maximize}
        close(param, with_torch(lambda o, p, k=options: o.RMSprop(p, lr=0.01, **k), start, grads))


def test_formulas():
    start, grads = problem(50, np.float64)

    param, buffer = start.copy(), 0.0
    for i, grad in enumerate(grads):
        g = grad + 0.01 * param
        buffer = g if i == 0 else 0.9 * buffer + 0.7 * g
        param = param - 0.1 * buffer
    out = start.copy()
    descend_sgd(out, grads, 0.9, 0.3, 0.01, False, False)
    close(out, param)

    param, mean, square = start.copy(), 0.0, 0.0
    for i, grad in enumerate(grads):
        param = param * (1 - 0.01 * 0.1)
        mean, square = 0.9 * mean + 0.1 * grad, 0.999 * square + 0.001 * grad**2
        corrected = square / (1 - 0.999 ** (i + 1))
        param = param - 0.01 * mean / (1 - 0.9 ** (i + 1)) / (np.sqrt(corrected) + 1e-8)
    out = start.copy()
    descend_adam(out, grads, 0.1, True, False, False)
    close(out, param)

    param, square, mean, buffer = start.copy(), 0.0, 0.0, 0.0
    for grad in grads:
        square, mean = 0.9 * square + 0.1 * grad**2, 0.9 * mean + 0.1 * grad
        buffer = 0.8 * buffer + grad / (np.sqrt(square - mean**2) + 1e-8)
        param = param - 0.01 * buffer
    out = start.copy()
    descend_rmsprop(out, grads, 0, 0.8, True, False)
    close(out, param)


def test_gradients_are_only_read():
    param, grads = problem(50, np.float32)
    before = grads.copy()
    descend_sgd(param, grads, 0.9, 0, 0.1, True, True)
    descend_adam(param, grads, 0.1, False, True, True)
    descend_rmsprop(param, grads, 0.1, 0.9, True, True)
    np.testing.assert_array_equal(grads, before)


def test_serial_and_parallel_give_the_same_bits():
    start, grads = problem(GRAIN + 1000, np.float32)
    for descend, settings in [
        (descend_sgd, (0.9, 0, 0.01, True, False)),
        (descend_adam, (0.01, True, True, False)),
        (descend_rmsprop, (0.01, 0.9, True, False)),
    ]:
        whole, part = start.copy(), start[:1001].copy()
        descend(whole, grads, *settings)
        descend(part, np.ascontiguousarray(grads[:, :1001]), *settings)
        assert whole[:1001].tobytes() == part.tobytes(), descend.__name__
