"""Optimizer kernels against PyTorch, and against their formulas in NumPy."""

import copy
import itertools

import numpy as np
import pytest
from guarded_memory import guarded, run_alone

from autograd_cnn.kernels.cpu import optim
from autograd_cnn.kernels.cpu.addressed import PART, ArrayTable
from autograd_cnn.kernels.cpu.jit import GRAIN

STEPS = 4
SIZES = [37, GRAIN + 5]
DTYPES = [np.float32, np.float64]


def problem(size, dtype):
    random = np.random.default_rng(9)
    return random.normal(size=size).astype(dtype), random.normal(size=(STEPS, size)).astype(dtype)


def table_of(params, slots, make=np.zeros_like):
    return ArrayTable([params, *([make(param) for param in params] for _ in range(slots))])


def descend_sgd(params, grads, momentum, dampening, weight_decay, nesterov, maximize, make=np.zeros_like):
    table = table_of(params, 1 if momentum else 0, make)
    for i, grad in enumerate(grads):
        optim.sgd(table, grad, 0.1, momentum, dampening, weight_decay, nesterov, maximize, i == 0)


def descend_adam(params, grads, weight_decay, decoupled, amsgrad, maximize, make=np.zeros_like):
    table = table_of(params, 3 if amsgrad else 2, make)
    for i, grad in enumerate(grads):
        optim.adam(table, grad, i + 1, 0.01, 0.9, 0.999, 1e-8, weight_decay, decoupled, amsgrad, maximize)


def descend_rmsprop(params, grads, weight_decay, momentum, centered, maximize, make=np.zeros_like):
    table = table_of(params, 1 + (momentum != 0) + centered, make)
    for grad in grads:
        optim.rmsprop(table, grad, 0.01, 0.9, 1e-8, weight_decay, momentum, centered, maximize)


def descend_adadelta(params, grads, weight_decay, maximize, make=np.zeros_like):
    table = table_of(params, 2, make)
    for grad in grads:
        optim.adadelta(table, grad, 1.0, 0.9, 1e-6, weight_decay, maximize)


def descend_adamax(params, grads, weight_decay, maximize, make=np.zeros_like):
    table = table_of(params, 2, make)
    for i, grad in enumerate(grads):
        optim.adamax(table, grad, i + 1, 0.01, 0.9, 0.999, 1e-8, weight_decay, maximize)


def descend_rprop(params, grads, maximize, make=np.zeros_like):
    table = table_of(params, 2, make)
    for grad in grads:
        optim.rprop(table, grad, 0.5, 1.2, 1e-3, 50, maximize)


def descend_asgd(params, grads, share, weight_decay, maximize, make=np.zeros_like):
    table = table_of(params, 1, make)
    for grad in grads:
        optim.asgd(table, grad, 0.1, 1e-4, share, weight_decay, maximize)


def descend_ftrl(params, grads, l1, weight_decay, maximize, make=np.zeros_like):
    table = table_of(params, 2, make)
    for grad in grads:
        optim.ftrl(table, grad, 0.1, 1.0, l1, 0.1, weight_decay, maximize)


def one_each(grads):
    """The gradients of each step for a single parameter."""
    return [[grad] for grad in grads]


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
        descend_sgd([param], one_each(grads), momentum, dampening, weight_decay, nesterov, maximize)
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
        descend_adam([param], one_each(grads), weight_decay, decoupled, amsgrad, maximize)
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
        descend_rmsprop([param], one_each(grads), weight_decay, momentum, centered, maximize)
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
    descend_sgd([out], one_each(grads), 0.9, 0.3, 0.01, False, False)
    close(out, param)

    param, mean, square = start.copy(), 0.0, 0.0
    for i, grad in enumerate(grads):
        param = param * (1 - 0.01 * 0.1)
        mean, square = 0.9 * mean + 0.1 * grad, 0.999 * square + 0.001 * grad**2
        corrected = square / (1 - 0.999 ** (i + 1))
        param = param - 0.01 * mean / (1 - 0.9 ** (i + 1)) / (np.sqrt(corrected) + 1e-8)
    out = start.copy()
    descend_adam([out], one_each(grads), 0.1, True, False, False)
    close(out, param)

    param, square, mean, buffer = start.copy(), 0.0, 0.0, 0.0
    for grad in grads:
        square, mean = 0.9 * square + 0.1 * grad**2, 0.9 * mean + 0.1 * grad
        buffer = 0.8 * buffer + grad / (np.sqrt(square - mean**2) + 1e-8)
        param = param - 0.01 * buffer
    out = start.copy()
    descend_rmsprop([out], one_each(grads), 0, 0.8, True, False)
    close(out, param)


def test_gradients_are_only_read():
    param, grads = problem(50, np.float32)
    before = grads.copy()
    descend_sgd([param], one_each(grads), 0.9, 0, 0.1, True, True)
    descend_adam([param], one_each(grads), 0.1, False, True, True)
    descend_rmsprop([param], one_each(grads), 0.1, 0.9, True, True)
    descend_adadelta([param], one_each(grads), 0.1, True)
    descend_adamax([param], one_each(grads), 0.1, True)
    descend_rprop([param], one_each(grads), True)
    descend_asgd([param], one_each(grads), 0.1, 0.1, True)
    descend_ftrl([param], one_each(grads), 0.1, 0.1, True)
    np.testing.assert_array_equal(grads, before)


DESCENTS = [
    (descend_sgd, (0, 0, 0, False, False)),
    (descend_sgd, (0.9, 0, 0.01, True, False)),
    (descend_adam, (0.01, False, False, True)),
    (descend_adam, (0.01, True, True, False)),
    (descend_rmsprop, (0, 0, False, False)),
    (descend_rmsprop, (0.01, 0.9, True, False)),
    (descend_adadelta, (0.01, True)),
    (descend_adamax, (0.01, False)),
    (descend_rprop, (False,)),
    (descend_asgd, (1.0, 0.01, False)),
    (descend_asgd, (0.1, 0, True)),
    (descend_ftrl, (0.5, 0.01, False)),
]
SHAPES = [(6, 1, 5, 5), (0, 3), (PART - 151,), (), (2 * PART + 3, 2), (1,), (PART,), (5, 0), (7, 9)]


def many(dtype=np.float32):
    random = np.random.default_rng(4)
    params = [random.normal(size=shape).astype(dtype) for shape in SHAPES]
    return params, [[random.normal(size=shape).astype(dtype) for shape in SHAPES] for _ in range(STEPS)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", [len(SHAPES), 3])
def test_many_parameters_at_once_are_the_same_bits_as_one_by_one(dtype, shapes):
    start, grads = many(dtype)
    start, grads = start[:shapes], [some[:shapes] for some in grads]
    for descend, settings in DESCENTS:
        together, alone = [p.copy() for p in start], [p.copy() for p in start]
        descend(together, grads, *settings)
        for i, param in enumerate(alone):
            descend([param], [[some[i]] for some in grads], *settings)
        for ours, other in zip(together, alone, strict=True):
            assert ours.tobytes() == other.tobytes(), descend.__name__


def test_same_bits_for_every_thread_count(same_bits):
    start, grads = many()

    def compute():
        results = []
        for descend, settings in DESCENTS:
            params = [p.copy() for p in start]
            descend(params, grads, *settings)
            results += params
        return results

    same_bits(compute)


def test_parameters_in_the_same_memory_are_taken_in_turn():
    memory = np.ones(2 * GRAIN)
    params = [memory[:GRAIN], memory[GRAIN - 1 :], memory[: GRAIN - 5]]
    table = ArrayTable([params])
    assert table.in_turn
    optim.sgd(table, [np.ones_like(p) for p in params], 0.25, 0, 0, 0, False, False, True)
    want = np.full(2 * GRAIN, 0.75)
    want[: GRAIN - 5] = 0.5
    want[GRAIN - 1] = 0.5
    np.testing.assert_array_equal(memory, want)
    apart = ArrayTable([[memory[:GRAIN], memory[GRAIN:]]])
    assert not apart.in_turn


def test_arrays_within_memory_that_changes_are_found():
    memory = np.zeros(100)
    columns = [[memory[10:20], memory[40:50], memory[5:5]], [memory[60:70], memory[15:25], memory[5:5]]]
    changed = [array for column in columns for array in column]
    table, other = ArrayTable(columns), ArrayTable([[memory[:4], memory[:0], memory[:2]]])
    apart = [np.ones(4), np.ones(0), np.ones(2)]
    for position, size in ((0, 4), (2, 2), (1, 0)):
        for start in range(96):
            arrays = list(apart)
            arrays[position] = memory[start : start + size]
            shares = any(np.shares_memory(arrays[position], array) for array in changed)
            assert table.within(other, arrays) == (position if shares else -1), (size, start)
    assert table.within(other, apart) == -1


def test_a_copied_table_has_the_copies_addresses():
    param = np.ones(3)
    table = ArrayTable([[param]])
    other = copy.deepcopy(table)
    optim.sgd(other, [np.ones(3)], 0.25, 0, 0, 0, False, False, True)
    assert (param == 1).all()
    assert (other.columns[0][0] == 0.75).all()


def in_guarded_memory():
    params, grads = many()
    for side in ("before", "after"):

        def inside(array, side=side):
            return guarded(array, side) if array.size else array

        for descend, settings in DESCENTS:
            guarded_grads = [[inside(g) for g in some] for some in grads]
            expected, ours = [p.copy() for p in params], [inside(p) for p in params]
            descend(ours, guarded_grads, *settings, make=lambda p: inside(np.zeros_like(p)))
            descend(expected, grads, *settings)
            for a, b in zip(ours, expected, strict=True):
                assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds):
    child = run_alone("test_optim_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
