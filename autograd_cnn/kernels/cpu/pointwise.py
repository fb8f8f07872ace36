"""Loops over elements, and what turns a scalar formula into a kernel over arrays with broadcasting.

A loop here calls the global name `formula`.  `bound` makes a function of the same bytecode whose globals hold a
formula of choice: each loop and each formula is written once, and, unlike closures, the results can be cached on disk.

Of a formula only serial loops are compiled: those over large arrays are called for pieces, by their address, from
parallel loops that all formulas share (shared_code.py).
"""

import sys
from functools import cache, lru_cache
from hashlib import sha256
from secrets import token_hex
from types import FunctionType

import numpy as np
from numba import prange
from numba.core.errors import TypingError
from numpy.lib.stride_tricks import as_strided

from autograd_cnn.kernels.cpu.copying import contiguous
from autograd_cnn.kernels.cpu.fingerprint import sources_digest
from autograd_cnn.kernels.cpu.flat import FlatKernel
from autograd_cnn.kernels.cpu.interleaving import interleaved
from autograd_cnn.kernels.cpu.jit import GRAIN, adaptive, apart, inline, parallel
from autograd_cnn.kernels.cpu.shared_code import address_of, call

PIECE = 8192  # elements of a task of rows
PART = 4096  # and of one of flat arrays
NO_STEP, ONE_STEP = 0, 1


def with_formula(loop, formula, **others):
    """`loop`, compiled with its global `formula`, and others by name, bound to compiled scalar functions."""
    return adaptive(bound(loop, formula, **others))


def bound(loop, formula, **others):
    """The same, not yet compiled."""
    sources = "".join(_sources(function.__module__) for function in (formula, *others.values()))
    # The cache knows a kernel by its name and by the loop's file, which does not import the formula's file.
    name = f"{formula.__name__}_{loop.__name__}_{sha256(sources.encode()).hexdigest()[:12]}"
    code = loop.__code__.replace(co_name=name, co_qualname=name)  # two of one name would be one to Numba
    return FunctionType(code, {**loop.__globals__, "formula": formula, **others}, name)


@cache
def _sources(module):
    """The digest of a module's sources, or, where it has none, what no other process will ask for."""
    return sources_digest(module, getattr(sys.modules[module], "__file__", "")) or token_hex()


def each(x, out):
    for i in range(out.size):
        out[i] = formula(x[i])  # noqa: F821
    interleaved()


def each_or_else(x, out):
    outside = 0
    for i in range(out.size):
        outside += is_outside(x[i])  # noqa: F821
    if outside:
        for i in range(out.size):
            value = x[i]  # out may be x
            out[i] = otherwise(value) if is_outside(value) else formula(value)  # noqa: F821
    else:
        for i in range(out.size):
            out[i] = formula(x[i])  # noqa: F821


def accumulated(x, out):
    for i in range(out.size):
        out[i] = formula(out[i], x[i])  # noqa: F821


def each_with_one(x, a, out):
    for i in prange(out.size):
        out[i] = formula(x[i], a)  # noqa: F821


def each_with_two(x, a, b, out):
    for i in prange(out.size):
        out[i] = formula(x[i], a, b)  # noqa: F821


def pairs(x, y, out):
    for i in range(out.size):
        out[i] = formula(x[i], y[i])  # noqa: F821


def same_left(x, y, out):
    left = x[0]
    for i in range(out.size):
        out[i] = formula(left, y[i])  # noqa: F821


def same_right(x, y, out):
    right = y[0]
    for i in range(out.size):
        out[i] = formula(x[i], right)  # noqa: F821


def pairs_with_one(x, y, a, out):
    for i in prange(out.size):
        out[i] = formula(x[i], y[i], a)  # noqa: F821


def pairs_with_two(x, y, a, b, out):
    for i in prange(out.size):
        out[i] = formula(x[i], y[i], a, b)  # noqa: F821


def triples(x, x_step, y, y_step, z, z_step, out):
    for piece in prange((out.size + PIECE - 1) // PIECE):
        start = piece * PIECE
        n = min(out.size - start, PIECE)
        # Views of one step or one number: with steps that are not known there would be no vector code.
        part = x[start * x_step :][: max(n * x_step, 1)]
        left = y[start * y_step :][: max(n * y_step, 1)]
        right = z[start * z_step :][: max(n * z_step, 1)]
        part_out = out[start : start + n]
        if x_step + y_step + z_step == 3:
            for m in range(n):
                part_out[m] = formula(part[m], left[m], right[m])  # noqa: F821
        elif x_step + y_step == 2:
            for m in range(n):
                part_out[m] = formula(part[m], left[m], right[0])  # noqa: F821
        elif x_step + z_step == 2:
            for m in range(n):
                part_out[m] = formula(part[m], left[0], right[m])  # noqa: F821
        else:
            for m in range(n):
                part_out[m] = formula(part[m * x_step], left[m * y_step], right[m * z_step])  # noqa: F821


@inline
def _row_tasks(plan, out):
    """How many rows a task takes, of how many pieces a row is, and how many tasks there are."""
    # Long rows are cut, so that two of them can keep many threads busy; short ones are taken together.
    length = max(plan[0, 3], 1)
    together = max(PIECE // length, 1)
    pieces = (length + PIECE - 1) // PIECE
    return together, pieces, (out.size // length + together - 1) // together * pieces


def rows(begin, end, x, y, plan, out):
    together, pieces, tasks = _row_tasks(plan, out)
    length = plan[0, 3]
    count = out.size // max(length, 1)
    for task in range(begin, min(end, tasks)):
        first = task // pieces * together
        start = task % pieces * PIECE
        n = min(length - start, PIECE)
        k = first % plan[0, 2]
        j = first // plan[0, 2] % plan[0, 1]
        i = first // plan[0, 2] // plan[0, 1]
        for row in range(first, min(first + together, count)):
            # Unsigned: for negative indices there would be a test, and no vector code.
            x_start = np.uint64(i * plan[1, 0] + j * plan[1, 1] + k * plan[1, 2] + start * plan[1, 3])
            y_start = np.uint64(i * plan[2, 0] + j * plan[2, 1] + k * plan[2, 2] + start * plan[2, 3])
            place = np.uint64(row * length + start)
            if plan[2, 3] == 0:
                right = y[y_start]
                for m in range(n):
                    out[place + np.uint64(m)] = formula(x[x_start + np.uint64(m)], right)  # noqa: F821
            elif plan[1, 3] == 0:
                left = x[x_start]
                for m in range(n):
                    out[place + np.uint64(m)] = formula(left, y[y_start + np.uint64(m)])  # noqa: F821
            else:
                for m in range(n):
                    q = np.uint64(m)
                    out[place + q] = formula(x[x_start + q], y[y_start + q])  # noqa: F821
            k += 1
            if k == plan[0, 2]:
                k = 0
                j += 1
            if j == plan[0, 1]:
                j = 0
                i += 1


@parallel
def _ones_in_pieces(code, x, out):
    for index in prange((out.size + PART - 1) // PART):
        first = np.int64(index) * PART
        call(code, (x[first : first + PART], out[first : first + PART]))


@parallel
def _twos_in_pieces(code, x, y, out):
    x_step, y_step = min(x.size - 1, 1), min(y.size - 1, 1)
    for index in prange((out.size + PART - 1) // PART):
        first = np.int64(index) * PART
        call(code, (x[first * x_step :], y[first * y_step :], out[first : first + PART]))


@parallel
def _rows_in_pieces(code, x, y, plan, out):
    _, _, tasks = _row_tasks(plan, out)
    for index in prange(tasks):
        task = np.int64(index)
        call(code, (task, task + 1, x, y, plan, out))


def _large_rows(kernel, x, y, plan, out):
    try:
        _rows_in_pieces(_code_of_rows(kernel, x.dtype, y.dtype, out.dtype), x, y, plan, out)
    except TypingError:  # an array is not aligned
        kernel(0, out.size, x, y, plan, out)


@lru_cache(maxsize=4096)
def _code_of_rows(kernel, *dtypes):
    x, y, out = (np.zeros(1, dtype) for dtype in dtypes)
    return address_of(kernel, 0, 0, x, y, broadcast_plan((1,), (1,)), out)


@lru_cache(maxsize=4096)
def broadcast_plan(x_shape, y_shape):
    """Sizes, strides of x and strides of y over at most 4 dimensions, or None if it takes more.

    Both are contiguous; a stride is 0 where an operand repeats.  Neighbours that both operands walk through
    as through one dimension are one dimension here, so the innermost strides are 1, or 0 for one of the two.
    """
    ndim = max(len(x_shape), len(y_shape))
    x_strides, y_strides = _strides(x_shape, ndim), _strides(y_shape, ndim)
    return _merged(np.broadcast_shapes(x_shape, y_shape), x_strides, y_strides)


def _merged(shape, x_strides, y_strides):
    merged = []
    for size, x_stride, y_stride in zip(shape, x_strides, y_strides, strict=True):
        if size == 1:
            continue
        if merged and merged[-1][1:] == (x_stride * size, y_stride * size):
            merged[-1] = (merged[-1][0] * size, x_stride, y_stride)
        else:
            merged.append((size, x_stride, y_stride))
    if len(merged) > 4:
        return None
    return np.array([(1, 0, 0)] * (4 - len(merged)) + merged, dtype=np.int64).T.copy()


def _strides(shape, ndim):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(0 if size == 1 else step)
        step *= size
    return [0] * (ndim - len(shape)) + strides[::-1]


def _views(x, y, out):
    """Both operands as lines of memory, and the plan of how `rows` walks through them; None where it cannot."""
    strides = []
    for a in (x, y):
        lead = [0] * (out.ndim - a.ndim)
        steps = [s // a.itemsize if n > 1 else 0 for n, s in zip(a.shape, a.strides, strict=True)]
        if min(steps, default=0) < 0 or not a.flags.behaved or any(s % a.itemsize for s in a.strides):
            return None
        strides.append(lead + steps)
    plan = _merged(out.shape, *strides)
    if plan is None or plan[1:, 3].max() != 1:
        return None
    return *[as_strided(a, (_reach(a),), (a.itemsize,)) for a in (x, y)], plan


def _reach(a):
    """How many elements there are from the first one of an array to the last."""
    return 1 + sum((n - 1) * step for n, step in zip(a.shape, a.strides, strict=True)) // a.itemsize


def repeated(x, out):
    """x as a contiguous array with the elements of `out`'s shape."""
    return flat(x) if x.size == out.size else np.broadcast_to(x, out.shape).ravel()


def flat(x):
    """The elements of x in row-major order, in its memory where they lie so."""
    return contiguous(x).ravel()


def stepped(x, out):
    """x as a contiguous array and the step, 1 or 0, from one of its elements to the next."""
    return (flat(x), NO_STEP) if x.size == 1 else (repeated(x, out), ONE_STEP)


class FlatBinary:
    """The flat kernels of a binary function: `same` for equal sizes, `right` where y is one number."""

    __slots__ = ("right", "same")

    def __init__(self, same, right):
        self.same = same
        self.right = right


def unary(formula, loop=each):
    """`f(x, out)` from a compiled formula of one number; `f.flat` is its `FlatKernel`."""
    kernel = FlatKernel(apart(bound(loop, formula)), _ones_in_pieces)

    def apply(x, out):
        if out.size < GRAIN:
            kernel(x, out)
        else:
            kernel.parallel(flat(x), out.ravel())

    apply.flat = kernel
    return _named(apply, formula)


def unary_or_else(formula, is_outside, otherwise):
    """`f(x, out)` from a formula that vectorises, and one that need not for x outside of its domain."""
    loop = bound(each_or_else, formula, is_outside=is_outside, otherwise=otherwise)
    kernel = FlatKernel(apart(loop), _ones_in_pieces)

    def apply(x, out):
        (kernel.serial if out.size < GRAIN else kernel.parallel)(flat(x), out.ravel())

    return _named(apply, otherwise)


def unary_with_one(formula):
    """`f(x, a, out)`, `a` a number."""
    kernel = with_formula(each_with_one, formula)

    def apply(x, a, out):
        kernel(flat(x), a, out.ravel())

    return _named(apply, formula)


def unary_with_two(formula):
    """`f(x, a, b, out)`, `a` and `b` numbers."""
    kernel = with_formula(each_with_two, formula)

    def apply(x, a, b, out):
        kernel(flat(x), a, b, out.ravel())

    return _named(apply, formula)


def binary(formula):
    """`f(x, y, out)` with broadcasting, from a formula of two numbers; `f.flat` has its loops on flat arrays."""
    loops = [apart(bound(loop, formula)) for loop in (pairs, same_right, same_left, rows)]
    same, right, left = [FlatKernel(loop, _twos_in_pieces) for loop in loops[:3]]
    general = loops[3]

    def apply(x, y, out):
        n = out.size
        if n >= GRAIN and not (x.flags.c_contiguous and y.flags.c_contiguous):
            views = _views(x, y, out)
            if views is not None:
                _large_rows(general, *views, out.ravel())
                return
        kernel = same if x.size == y.size == n else right if y.size == 1 else None
        if kernel is not None:
            if n < GRAIN:
                kernel(x, y, out)
            else:
                kernel.parallel(flat(x), flat(y), out.ravel())
        elif x.size == 1:
            (left.serial if n < GRAIN else left.parallel)(flat(x), flat(y), out.ravel())
        elif n > 0:
            plan = broadcast_plan(x.shape, y.shape)
            if plan is None:
                (same.serial if n < GRAIN else same.parallel)(repeated(x, out), repeated(y, out), out.ravel())
            elif n < GRAIN:
                general(0, n, flat(x), flat(y), plan, out.ravel())
            else:
                _large_rows(general, flat(x), flat(y), plan, out.ravel())

    apply.flat = FlatBinary(same, right)
    return _named(apply, formula)


def binary_with_one(formula):
    """`f(x, y, a, out)` for x and y of one shape, `a` a number."""
    kernel = with_formula(pairs_with_one, formula)

    def apply(x, y, a, out):
        kernel(flat(x), flat(y), a, out.ravel())

    return _named(apply, formula)


def binary_with_two(formula):
    """`f(x, y, a, b, out)` for x and y of one shape, `a` and `b` numbers."""
    kernel = with_formula(pairs_with_two, formula)

    def apply(x, y, a, b, out):
        kernel(flat(x), flat(y), a, b, out.ravel())

    return _named(apply, formula)


def ternary(formula):
    """`f(x, y, z, out)` with broadcasting."""
    kernel = with_formula(triples, formula)

    def apply(x, y, z, out):
        kernel(*stepped(x, out), *stepped(y, out), *stepped(z, out), out.ravel())

    return _named(apply, formula)


def accumulation(formula):
    """`f(a, b)`, which puts the formula's value in a's place; b broadcasts to a's shape."""
    kernel = FlatKernel(apart(bound(accumulated, formula)), _ones_in_pieces)

    def apply(a, b):
        target = a if a.flags.carray else a.copy()  # a.ravel() could be a copy
        other = flat(b) if a.size == b.size else repeated(b, a)
        (kernel.serial if a.size < GRAIN else kernel.parallel)(other, target.ravel())
        if target is not a:
            a[...] = target

    return _named(apply, formula)


def _named(apply, formula):
    apply.__name__ = apply.__qualname__ = formula.__name__
    apply.__doc__ = formula.__doc__
    return apply
