"""Pointwise kernels that share one parallel loop: of each formula only a serial loop is compiled.

A parallel loop takes several times as long to compile as what it calls.  For functions that few programs use, and of
which there are many, the threads of one loop call the serial code of any formula by its address.  All of them therefore
take the same arguments: three operands, of which a formula uses the first ones, and two numbers.

`pointwise(formula)` makes `f(*operands, out)` of a formula of scalars, `pointwise_with_two(formula)` one of a formula
whose last two arguments are numbers, `f(*operands, a, b, out)`.  Operands are of one dtype and broadcast to the shape
of `out`, which is C-contiguous.
"""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, parallel, serial
from autograd_cnn.kernels.cpu.pointwise import ONE_STEP, PIECE, bound, stepped
from autograd_cnn.kernels.cpu.shared_code import address_of, call


def one(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    part, part_out = x[first:last], out[first:last]
    for i in range(part_out.size):
        part_out[i] = formula(part[i])  # noqa: F821


def one_with_numbers(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    part, part_out = x[first:last], out[first:last]
    for i in range(part_out.size):
        part_out[i] = formula(part[i], a, b)  # noqa: F821


def two(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    left, right, part_out = x[first * x_step :], y[first * y_step :], out[first:last]
    if x_step + y_step == 2:
        for i in range(part_out.size):
            part_out[i] = formula(left[i], right[i])  # noqa: F821
    elif x_step == 1:
        for i in range(part_out.size):
            part_out[i] = formula(left[i], right[0])  # noqa: F821
    else:
        for i in range(part_out.size):
            part_out[i] = formula(left[0], right[i * y_step])  # noqa: F821


def two_or_else(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    left, right, part_out = x[first * x_step :], y[first * y_step :], out[first:last]
    count = part_out.size
    outside = 0
    if x_step + y_step == 2:
        for i in range(count):
            outside += is_outside(left[i], right[i])  # noqa: F821
        if outside == 0:
            for i in range(count):
                part_out[i] = formula(left[i], right[i])  # noqa: F821
    elif x_step == 1:
        for i in range(count):
            outside += is_outside(left[i], right[0])  # noqa: F821
        if outside == 0:
            for i in range(count):
                part_out[i] = formula(left[i], right[0])  # noqa: F821
    else:
        outside = count
    if outside > 0:
        for i in range(count):
            p, q = left[i * x_step], right[i * y_step]
            part_out[i] = otherwise(p, q) if is_outside(p, q) else formula(p, q)  # noqa: F821


def two_with_numbers(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    left, right, part_out = x[first * x_step :], y[first * y_step :], out[first:last]
    if x_step + y_step == 2:
        for i in range(part_out.size):
            part_out[i] = formula(left[i], right[i], a, b)  # noqa: F821
    else:
        for i in range(part_out.size):
            part_out[i] = formula(left[i * x_step], right[i * y_step], a, b)  # noqa: F821


def three_with_numbers(first, last, x, x_step, y, y_step, z, z_step, a, b, out):
    left, middle, right = x[first * x_step :], y[first * y_step :], z[first * z_step :]
    part_out = out[first:last]
    if x_step + y_step + z_step == 3:
        for i in range(part_out.size):
            part_out[i] = formula(left[i], middle[i], right[i], a, b)  # noqa: F821
    elif x_step + y_step == 2:
        for i in range(part_out.size):
            part_out[i] = formula(left[i], middle[i], right[0], a, b)  # noqa: F821
    else:
        for i in range(part_out.size):
            part_out[i] = formula(left[i * x_step], middle[i * y_step], right[i * z_step], a, b)  # noqa: F821


@parallel
def _in_pieces(kernel, x, x_step, y, y_step, z, z_step, a, b, out):
    for index in prange((out.size + PIECE - 1) // PIECE):
        first = np.int64(index) * PIECE
        last = min(first + PIECE, out.size)
        call(kernel, (first, last, x, x_step, y, y_step, z, z_step, a, b, out))


@lru_cache(maxsize=4096)
def _code(kernel, dtype, out_dtype):
    some, result = np.zeros(1, dtype), np.zeros(1, out_dtype)
    return address_of(kernel, 0, 0, some, ONE_STEP, some, ONE_STEP, some, ONE_STEP, 0.0, 0.0, result)


def pointwise(formula):
    """`f(*operands, out)` from a compiled formula of one or two operands."""
    return _kernel(formula, (one, two), 0)


def pointwise_with_two(formula):
    """`f(*operands, a, b, out)` from a compiled formula of one to three operands and two numbers."""
    return _kernel(formula, (one_with_numbers, two_with_numbers, three_with_numbers), 2)


def pointwise_or_else(formula, is_outside, otherwise):
    """`f(x, y, out)` from a formula that vectorises, and one that need not for operands outside of its domain."""
    return _kernel(formula, (None, two_or_else), 0, is_outside=is_outside, otherwise=otherwise)


def _kernel(formula, loops, numbers, **others):
    count = getattr(formula, "py_func", formula).__code__.co_argcount - numbers
    kernel = serial(bound(loops[count - 1], formula, **others))

    def apply(*arguments):
        out = arguments[-1]
        a, b = map(float, arguments[count:-1]) if numbers else (0.0, 0.0)
        plain = [_plain(operand, out) for operand in arguments[:count]]
        operands = *plain, *plain[:1] * (3 - count)
        steps = [value for operand in operands for value in operand]
        if out.size < GRAIN:
            kernel(0, out.size, *steps, a, b, out.ravel())
        else:
            _in_pieces(_code(kernel, plain[0][0].dtype, out.dtype), *steps, a, b, out.ravel())

    apply.__name__ = apply.__qualname__ = formula.__name__
    apply.__doc__ = formula.__doc__
    return apply


def _plain(x, out):
    """x as a contiguous array and the step from one of its elements to the next: of just the type compiled for."""
    x, step = stepped(x, out)
    return (x if x.flags.carray else x.copy()), step
