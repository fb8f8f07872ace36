"""Every sample of every op: values, gradients of both orders, layouts, hazards, errors."""

from __future__ import annotations

import itertools
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from running import (
    cotangents,
    every_op,
    gradients,
    like,
    methods,
    run,
    second_order,
    tensors,
    watched,
    with_derivatives,
)
from samples import ERRORS, SAMPLES
from samples.sample import FLOATS, TOLERANCES, Input, Sample

from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import AutogradCnnError
from autograd_cnn.gradcheck import gradcheck, gradgradcheck
from autograd_cnn.graph.engine import grad
from autograd_cnn.tensor import Tensor

EACH_DTYPE = [(name, dtype) for name, sample in SAMPLES.items() for dtype in sample.dtypes()]
SECOND = [name for name, sample in SAMPLES.items() if sample.derivatives() >= 2]
HAZARDS = [name for name, sample in SAMPLES.items() if sample.hazards]
each_dtype = pytest.mark.parametrize(("name", "dtype"), EACH_DTYPE, ids=str)
each_second = pytest.mark.parametrize("name", SECOND)


def run_reference(sample: Sample, arrays: list[np.ndarray]) -> list[np.ndarray]:
    assert sample.reference is not None
    with np.errstate(all="ignore"):
        outputs = sample.reference(*arrays, **sample.kwargs)
    return [np.asarray(y) for y in (outputs if isinstance(outputs, tuple | list) else [outputs])]


def torch_tensors(torch: ModuleType, sample: Sample, arrays: list[np.ndarray], asked: bool = True) -> list[Any]:
    return [
        torch.tensor(array, requires_grad=asked and one.grad and array.dtype.kind == "f")
        for one, array in zip(sample.inputs, arrays, strict=True)
    ]


def run_torch(torch: ModuleType, sample: Sample, inputs: list[Any]) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if callable(sample.torch):
            outputs = sample.torch(torch, *inputs, **sample.kwargs)
        else:
            function: Any = torch
            for part in str(sample.torch).split("."):
                function = getattr(function, part)
            outputs = function(*inputs, **sample.kwargs)
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = min(1.0, float(finite.max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def tolerance(y: Tensor, dtype: np.dtype) -> float:
    """That of the input, or of an output that integers made."""
    return TOLERANCES[dtype if y.dtype.kind != "f" else min(dtype, y.dtype, key=lambda d: d.itemsize)]


@each_dtype
def test_value(name: str, dtype: np.dtype) -> None:
    sample = SAMPLES[name]
    arrays = sample.arrays(dtype)
    before = [array.copy() for array in arrays]
    found = run(sample, tensors(sample, arrays))
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old, err_msg="the op changed its input")
    if sample.reference is None:
        return
    wide = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in before]
    expected = run_reference(sample, wide)
    assert len(found) == len(expected)
    for y, reference in zip(found, expected, strict=True):
        assert_close(y.detach().numpy(), reference, tolerance(y, dtype), "value")


@each_dtype
def test_value_and_gradients_are_torchs(name: str, dtype: np.dtype, torch: ModuleType) -> None:
    sample = SAMPLES[name]
    if sample.torch is None:
        pytest.skip(sample.why)
    arrays = sample.arrays(dtype)
    inputs, theirs = tensors(sample, arrays), torch_tensors(torch, sample, arrays)
    found, expected = run(sample, inputs), run_torch(torch, sample, theirs)
    assert len(found) == len(expected)
    for y, other in zip(found, expected, strict=True):
        assert str(y.dtype) == str(other.dtype).removeprefix("torch.")
        assert_close(y.detach().numpy(), other.detach().numpy(), tolerance(y, dtype), "value")
    if sample.derivatives() == 0:
        return
    pairs = [(y, other) for y, other in zip(found, expected, strict=True) if other.requires_grad]
    wanted = [x for x in inputs if x.requires_grad]
    seeds = cotangents([y for y, _ in pairs])
    assert pairs
    assert all(y.requires_grad for y, _ in pairs)
    ours = grad(
        [y for y, _ in pairs],
        wanted,
        [like(y, v) for (y, _), v in zip(pairs, seeds, strict=True)],
        allow_unused=True,
    )
    other_grads = torch.autograd.grad(
        [other for _, other in pairs],
        [x for x in theirs if x.requires_grad],
        [torch.tensor(v, dtype=other.dtype) for (_, other), v in zip(pairs, seeds, strict=True)],
        allow_unused=True,
    )
    for i, (x, g, other_g) in enumerate(zip(wanted, ours, other_grads, strict=True)):
        g = x.new_zeros(x.shape) if g is None else g
        other_g = torch.zeros(x.shape, dtype=expected[0].dtype) if other_g is None else other_g
        assert g.dtype == x.dtype
        assert_close(g.detach().numpy(), other_g.detach().numpy(), TOLERANCES[dtype], f"gradient of input {i}")


@each_second
def test_second_order_is_torchs(name: str, torch: ModuleType) -> None:
    sample = SAMPLES[name]
    if sample.torch is None:
        pytest.skip(sample.why)
    arrays = sample.arrays()
    inputs, theirs = tensors(sample, arrays), torch_tensors(torch, sample, arrays)
    ours = second_order(run(sample, inputs), inputs)
    try:
        expected = second_order(run_torch(torch, sample, theirs), theirs, torch.autograd.grad, torch.tensor)
    except (NotImplementedError, RuntimeError) as error:
        if "not implemented" not in str(error) and "not differentiable" not in str(error):
            raise
        pytest.skip(f"finite differences have to do, PyTorch has none: {error}")
    for i, (g, other) in enumerate(zip(ours, expected, strict=True)):
        found, wanted = (None if h is None else h.numpy(force=True) for h in (g, other))
        if found is not None or wanted is not None:
            found = np.zeros_like(wanted) if found is None else found
            wanted = np.zeros_like(found) if wanted is None else wanted
            assert_close(found, wanted, TOLERANCES[FLOATS[1]], f"second order, {i}")


@each_second
def test_gradcheck(name: str) -> None:
    sample = SAMPLES[name]
    assert gradcheck(lambda *inputs: run(sample, list(inputs)), tensors(sample, sample.arrays()))


@each_second
def test_gradgradcheck(name: str) -> None:
    sample = SAMPLES[name]
    assert gradgradcheck(lambda *inputs: run(sample, list(inputs)), tensors(sample, sample.arrays()))


def spread(array: np.ndarray) -> np.ndarray:
    """The same numbers with gaps, in Fortran order."""
    if array.ndim == 0:
        return array.copy()
    wide = np.zeros([2 * n + 1 for n in array.shape], array.dtype, order="F")
    wide[...] = 77 if array.dtype.kind != "b" else True
    part = wide[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
    part[...] = array
    return part


@pytest.mark.parametrize("name", list(SAMPLES))
def test_layout_of_memory_does_not_matter(name: str) -> None:
    sample = SAMPLES[name]
    arrays = sample.arrays()
    inputs = tensors(sample, arrays)
    expected = run(sample, inputs)
    others = tensors(sample, [spread(array) for array in arrays])
    found = run(sample, others)
    for y, other in zip(expected, found, strict=True):
        assert_close(other.detach().numpy(), y.detach().numpy(), TOLERANCES[FLOATS[1]], "value")
    first = gradients(expected, inputs)
    roots = [y for y in found if y.requires_grad]
    seeds = [from_numpy(spread(v.astype(y.dtype))) for y, v in zip(roots, cotangents(roots), strict=True)]
    wanted = [x for x in others if x.requires_grad]
    second = grad(roots, wanted, seeds, allow_unused=True) if roots else []
    for g, other in zip(first, second, strict=True):
        assert (g is None) == (other is None)
        if g is not None:
            assert_close(other.detach().numpy(), g.detach().numpy(), TOLERANCES[FLOATS[1]], "gradient")


@each_second
def test_recorded_pass_gives_the_same_gradients(name: str) -> None:
    """For fused ops this compares the kernel with the composite."""
    sample = SAMPLES[name]
    inputs = tensors(sample, sample.arrays())
    plain = gradients(run(sample, inputs), inputs)
    recorded = gradients(run(sample, inputs), inputs, create_graph=True)
    for g, other in zip(plain, recorded, strict=True):
        assert (g is None) == (other is None)
        if g is not None:
            assert_close(other.detach().numpy(), g.numpy(), TOLERANCES[FLOATS[1]], "gradient")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", HAZARDS)
def test_hazards(name: str, dtype: np.dtype) -> None:
    sample = SAMPLES[name]
    limits = np.finfo(dtype)
    numbers = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, np.inf, -np.inf, np.nan]
    extremes = [limits.max, limits.min, limits.tiny, -limits.tiny, limits.smallest_subnormal, limits.eps]
    rows = list(itertools.product([*numbers, *extremes], repeat=len(sample.inputs)))
    arrays = [np.array(column, dtype) for column in zip(*rows, strict=True)]
    found = run(sample, tensors(sample, arrays))
    for y, expected in zip(found, run_reference(sample, arrays), strict=True):
        value = y.detach().numpy()
        with np.errstate(over="ignore"):
            expected = expected.astype(value.dtype)
        for position, row in enumerate(rows):
            np.testing.assert_allclose(
                value[position], expected[position], rtol=TOLERANCES[dtype], atol=0, err_msg=f"at {row}"
            )


@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(name: str) -> None:
    sample = ERRORS[name]
    rng = np.random.default_rng(0)
    arguments = [from_numpy(one.make(rng, FLOATS[0])) if isinstance(one, Input) else one for one in sample.inputs]
    with pytest.raises(sample.error, match=sample.match) as caught:
        sample.op(*arguments, **sample.kwargs)
    assert isinstance(caught.value, AutogradCnnError)


def test_every_op_has_samples() -> None:
    """Runs all samples with their derivatives, and sees which ops' code is reached."""
    ops = every_op()
    with watched(ops) as reached:
        for sample in SAMPLES.values():
            with_derivatives(sample)
    missing = sorted(f"{op.__module__}.{op.__qualname__}.{method}" for op, method in methods(ops) - reached)
    assert not missing, "no sample reaches " + ", ".join(missing)
