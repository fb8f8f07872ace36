"""Checks of gradients against central differences, of first and of second order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_cnn.dtype import float64
from autograd_cnn.errors import ArgumentError, DTypeError, GradcheckError
from autograd_cnn.graph.base import TensorBase, wrap
from autograd_cnn.graph.engine import grad

SEED = 0  # directions and cotangents are random, but the same in every run


def gradcheck(
    func: Callable[..., Any],
    inputs: Any | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of `func` agree with central differences: |a - n| <= atol + rtol |n|.

    For each input x that requires grad (float64) and each output y, a is the Jacobian dy/dx from backward
    passes, a row each, and n has the columns (func(x + eps e) - func(x - eps e)) / (2 eps), e a unit vector.
    `fast_mode` compares v^T (dy/dx) u for one pair of random unit vectors in place of every entry.  Two
    backward passes may differ by `nondet_tol`.  Dtypes are always checked.  There are no batched gradients, no forward
    mode and no gradients that are undefined, so the switches for these must be as they are; `masked` is for sparse
    tensors.

    Raises GradcheckError with the worst entry where they disagree (or returns False, without
    `raise_exception`), DTypeError for an input that requires grad and is not float64, ArgumentError where no
    input requires grad.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> gradcheck(lambda x: x * x, x)
    True
    >>> gradcheck(lambda x: x * x.detach(), x)
    Traceback (most recent call last):
        ...
    autograd_cnn.errors.GradcheckError: gradcheck: d output 0 [2] / d input 0 [2]: 2 of 4 entries differ...
    """
    _refuse(
        "gradcheck",
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
        masked=masked,
    )
    if not check_backward_ad:
        raise ArgumentError("gradcheck: check_backward_ad=False leaves nothing to check")
    inputs = _sequence(inputs)
    _check_inputs("gradcheck", inputs)
    check = _check_projections if fast_mode else _check_jacobians
    try:
        check(func, inputs, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any | Sequence[Any],
    grad_outputs: Any | Sequence[Any] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether second derivatives agree with central differences: `gradcheck` of (x, v) -> v^T dy/dx.

    `grad_outputs` are the v, one for each output that requires grad; they are random by default, and laid out
    with gaps in memory where `gen_non_contig_grad_outputs` is set.  All else is as in `gradcheck`.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> gradgradcheck(lambda x: x ** 3, x)
    True
    """
    _refuse(
        "gradgradcheck", check_batched_grad=check_batched_grad, check_fwd_over_rev=check_fwd_over_rev, masked=masked
    )
    if not check_rev_over_rev:
        raise ArgumentError("gradgradcheck: check_rev_over_rev=False leaves nothing to check")
    inputs = _sequence(inputs)
    _check_inputs("gradgradcheck", inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(SEED)
        outputs = _differentiable(func(*inputs))
        cotangents = [_random_like(rng, y, gen_non_contig_grad_outputs) for y in outputs]
    else:
        cotangents = list(_sequence(grad_outputs))
    count = len(inputs)

    def first_order(*arguments: Any) -> tuple[Any, ...]:
        outputs = _differentiable(func(*arguments[:count]))
        wanted = [x for x in arguments[:count] if _wanted(x)]
        grads = grad(outputs, wanted, arguments[count:], create_graph=True, allow_unused=True)
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        first_order,
        (*inputs, *cotangents),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        fast_mode=fast_mode,
    )


def _refuse(what: str, **switches: bool | None) -> None:
    for name, value in switches.items():
        if value:
            raise ArgumentError(f"{what}: {name}={value!r} asks for a check of what there is not here")


def _sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, TensorBase) else tuple(tensors)


def _wanted(x: Any) -> bool:
    return isinstance(x, TensorBase) and x._requires_grad


def _differentiable(outputs: Any) -> list[Any]:
    return [y for y in _sequence(outputs) if _wanted(y)]


def _check_inputs(what: str, inputs: Sequence[Any]) -> None:
    if not any(_wanted(x) for x in inputs):
        raise ArgumentError(f"{what}: none of the {len(inputs)} inputs requires grad, so there is nothing to check")
    for i, x in enumerate(inputs):
        if not _wanted(x):
            continue
        if x.array.dtype != float64:
            raise DTypeError(f"{what}: input {i} is {x.array.dtype}; differences need float64: use x.double()")
        if (x.array.size > 1 and 0 in x.array.strides) or not x.array.flags.writeable:
            raise ArgumentError(
                f"{what}: input {i}, of shape {list(x.array.shape)}, has several elements in one place of "
                "memory or is read-only; use x.contiguous()"
            )


def _random_like(rng: np.random.Generator, y: Any, gaps: bool) -> Any:
    shape = y.array.shape
    values = rng.standard_normal((*shape, 2) if gaps else shape)
    v = wrap(np.asarray(values[..., 0] if gaps else values, float64), y.device)
    v._requires_grad = True
    return v


@contextmanager
def _moved(x: Any, step: np.ndarray | float, where: Any = ...) -> Iterator[None]:
    """`x` with `step` added in its own memory, so that a function that holds `x` itself sees it too."""
    before = x.array.copy()
    x.array[where] += step
    try:
        yield
    finally:
        x.array[...] = before


def _values(func: Callable[..., Any], inputs: Sequence[Any], kept: Sequence[int]) -> list[np.ndarray]:
    outputs = _sequence(func(*inputs))
    return [np.array(outputs[j].array) for j in kept]


def _difference(
    func: Callable[..., Any],
    inputs: Sequence[Any],
    kept: Sequence[int],
    x: Any,
    step: Any,
    eps: float,
    where: Any,
) -> list[np.ndarray]:
    """The central difference of each kept output, along `step` from x."""
    with _moved(x, eps * step, where):
        above = _values(func, inputs, kept)
    with _moved(x, -eps * step, where):
        below = _values(func, inputs, kept)
    return [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)]


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The outputs to check and their positions: those that require grad, or all real ones where none does."""
    outputs = _sequence(func(*inputs))
    if not outputs:
        raise ArgumentError("gradcheck: the function returned no tensor")
    kept = [j for j, y in enumerate(outputs) if _wanted(y)]
    kept = kept or [j for j, y in enumerate(outputs) if y.array.dtype.kind == "f"]
    return [outputs[j] for j in kept], kept


def _backward(y: Any, wanted: Sequence[Any], v: np.ndarray) -> list[np.ndarray]:
    """v^T dy/dx for each x, zeros where y does not depend on it."""
    if not y._requires_grad:
        return [np.zeros(x.array.shape) for x in wanted]
    grads = grad(y, wanted, wrap(v, y.device), retain_graph=True, allow_unused=True)
    results = []
    for x, g in zip(wanted, grads, strict=True):
        if g is not None and (g.array.shape, g.array.dtype) != (x.array.shape, x.array.dtype):
            raise GradcheckError(
                f"gradcheck: the gradient of an input {x.array.dtype}{list(x.array.shape)} is "
                f"{g.array.dtype}{list(g.array.shape)}"
            )
        results.append(np.zeros(x.array.shape) if g is None else np.array(g.array))
    return results


def _repeatable(y: Any, wanted: Sequence[Any], v: np.ndarray, nondet_tol: float) -> list[np.ndarray]:
    first, second = _backward(y, wanted, v), _backward(y, wanted, v)
    for a, b in zip(first, second, strict=True):
        if not np.allclose(a, b, rtol=0, atol=nondet_tol, equal_nan=True):
            raise GradcheckError(
                f"gradcheck: two backward passes differ by {np.abs(a - b).max():.3g}, nondet_tol is {nondet_tol:g}"
            )
    return first


def _analytical(y: Any, wanted: Sequence[Any], nondet_tol: float) -> list[np.ndarray]:
    """dy/dx for each x, of shape (y's elements, x's elements)."""
    rows = []
    for row in range(y.array.size):
        v = np.zeros(y.array.shape)
        v.flat[row] = 1.0
        rows.append(_backward(y, wanted, v) if row else _repeatable(y, wanted, v, nondet_tol))
    return [
        np.array([row[i].ravel() for row in rows]).reshape(y.array.size, x.array.size) for i, x in enumerate(wanted)
    ]


def _check_jacobians(
    func: Callable[..., Any], inputs: Sequence[Any], eps: float, atol: float, rtol: float, nondet_tol: float
) -> None:
    positions = [i for i, x in enumerate(inputs) if _wanted(x)]
    wanted = [inputs[i] for i in positions]
    outputs, kept = _outputs(func, inputs)
    analytical = [_analytical(y, wanted, nondet_tol) for y in outputs]
    for column, x in enumerate(wanted):
        numerical = [np.zeros((y.array.size, x.array.size)) for y in outputs]
        for element, where in enumerate(np.ndindex(x.array.shape)):
            slopes = _difference(func, inputs, kept, x, 1.0, eps, where)
            for jacobian, slope in zip(numerical, slopes, strict=True):
                jacobian[:, element] = slope.ravel()
        for j, y, rows, n in zip(kept, outputs, analytical, numerical, strict=True):
            _compare(j, y.array.shape, positions[column], x.array.shape, rows[column], n, atol, rtol)


def _compare(
    j: int, y_shape: Any, i: int, x_shape: Any, a: np.ndarray, n: np.ndarray, atol: float, rtol: float
) -> None:
    wrong = ~(np.abs(a - n) <= atol + rtol * np.abs(n))
    if not wrong.any():
        return
    excess = np.where(wrong, np.nan_to_num(np.abs(a - n) - rtol * np.abs(n), nan=np.inf), -np.inf)
    row, column = np.unravel_index(int(np.argmax(excess)), a.shape)
    y_index = [int(k) for k in np.unravel_index(int(row), y_shape)]
    x_index = [int(k) for k in np.unravel_index(int(column), x_shape)]
    raise GradcheckError(
        f"gradcheck: d output {j} {list(y_shape)} / d input {i} {list(x_shape)}: {int(wrong.sum())} of "
        f"{wrong.size} entries differ; the worst is d output{y_index} / d input{x_index}: analytical "
        f"{a[row, column]:.8g}, numerical {n[row, column]:.8g} (atol {atol:g}, rtol {rtol:g})"
    )


def _check_projections(
    func: Callable[..., Any], inputs: Sequence[Any], eps: float, atol: float, rtol: float, nondet_tol: float
) -> None:
    rng = np.random.default_rng(SEED)
    positions = [i for i, x in enumerate(inputs) if _wanted(x)]
    wanted = [inputs[i] for i in positions]
    outputs, kept = _outputs(func, inputs)
    directions = [_unit(rng, x.array.shape) for x in wanted]
    cotangents = [_unit(rng, y.array.shape) for y in outputs]
    rows = [_repeatable(y, wanted, v, nondet_tol) for y, v in zip(outputs, cotangents, strict=True)]
    for column, (i, x, u) in enumerate(zip(positions, wanted, directions, strict=True)):
        slopes = _difference(func, inputs, kept, x, u, eps, ...)
        for j, y, v, row, slope in zip(kept, outputs, cotangents, rows, slopes, strict=True):
            a, n = float((row[column] * u).sum()), float((v * slope).sum())
            if not abs(a - n) <= atol + rtol * abs(n):
                raise GradcheckError(
                    f"gradcheck: d output {j} {list(y.array.shape)} / d input {i} {list(x.array.shape)}, "
                    f"projected on random directions: analytical {a:.8g}, numerical {n:.8g} (atol {atol:g}, "
                    f"rtol {rtol:g}); fast_mode=False names the entry"
                )


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(rng.standard_normal(shape))
    return values / max(float(np.linalg.norm(values)), 1e-300)
