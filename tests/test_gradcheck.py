"""The checker is checked: every vjp of every op, made wrong in four ways, is caught by finite differences."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from running import every_op, gradients, run, second_order, tensors, watched, with_derivatives
from samples import SAMPLES
from samples.sample import Sample

import autograd_cnn as ag
from autograd_cnn.autograd import gradcheck, gradgradcheck
from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import ArgumentError, DTypeError, GradcheckError
from autograd_cnn.graph.engine import apply
from autograd_cnn.graph.op import FusedOp, Op
from autograd_cnn.ops.arithmetic import FloorQuotient, TruncQuotient
from autograd_cnn.ops.assign import Copy, Fill
from autograd_cnn.ops.cast import To
from autograd_cnn.ops.random import Random
from autograd_cnn.ops.rounding import Step

ELEMENTS = 200  # of a sample: one central difference each


def turned(a: np.ndarray) -> np.ndarray:
    return a[(slice(None, None, -1),) * a.ndim]


def lost(a: np.ndarray) -> np.ndarray:
    """Without its largest entry."""
    result = np.array(a)
    if result.size:
        result.flat[np.argmax(np.abs(result))] = 0
    return result


MUTATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": np.negative,
    "factor": lambda a: a * 1.01,
    "turned": turned,
    "lost": lost,
}


class Mutant:
    """An op class with one gradient made wrong; `changed` tells whether that ever made a difference."""

    def __init__(self, op: type[Op], method: str, position: int | None, mutation: str) -> None:
        self.op = op
        self.method = method
        self.position = position
        self.mutate = MUTATIONS[mutation]
        self.name = f"{op.__module__.rpartition('.')[2]}.{op.__name__}.{method}[{position}] {mutation}"
        self.changed = False

    def wrong(self, array: np.ndarray) -> np.ndarray:
        result = np.array(self.mutate(array))
        self.changed |= not np.array_equal(result, array, equal_nan=True)
        return result

    def wrong_tensor(self, g: Any) -> Any:
        """The mutation by ops, so that it can be derived again."""
        if g is None:
            return None
        array = g.detach().numpy()
        self.wrong(array)
        if self.mutate is turned:
            return g.flip(*range(g.ndim)) if g.ndim else g
        factor = np.divide(self.mutate(array), array, out=np.zeros_like(array), where=array != 0)
        return g * from_numpy(factor)

    def __enter__(self) -> Mutant:
        original = getattr(self.op, self.method)
        position = self.position

        @wraps(original)
        def vjp(op: Op, *arguments: Any) -> Any:
            result = original(op, *arguments)
            if position is None:
                return self.wrong_tensor(result)
            return tuple(self.wrong_tensor(g) if i == position else g for i, g in enumerate(result))

        @wraps(original)
        def gradient(op: Op, k: Any, out: Any, *arguments: Any) -> None:
            original(op, k, out, *arguments)
            if position < len(out) and out[position] is not None:
                out[position][...] = self.wrong(out[position])

        new = gradient if self.method == "gradient" else vjp
        changes = {self.method: new, "plans": {}} | ({"joint": new} if self.op.joint is original else {})
        if self.method != "gradient":  # which would stand in for it
            changes["direct"] = None
        self.patches = [patch.object(self.op, name, value) for name, value in changes.items()]
        for one in self.patches:
            one.start()
        return self

    def __exit__(self, *exception: object) -> None:
        for one in reversed(self.patches):
            one.stop()


def gradients_of(op: type[Op]) -> list[tuple[str, int | None]]:
    """The methods that compute gradients of an op, and which of their results."""
    found: list[tuple[str, int | None]] = []
    if op.joint is None:
        found += [(f"vjp_{name}", None) for name in op.inputs if name not in op.nondifferentiable]
    methods = (["vjp"] if op.joint and not issubclass(op, FusedOp) else []) + (["gradient"] if op.direct else [])
    positions = range(len(op.inputs) or 2)
    different = [i for i in positions if i >= len(op.inputs) or op.inputs[i] not in op.nondifferentiable]
    return found + [(method, i) for method in methods for i in different]


def caught(sample: Sample) -> bool:
    """By differences of some order: an op may be part of a backward pass, or of the one through that."""

    def func(*inputs: Any) -> list[Any]:
        return run(sample, list(inputs))

    def slope(*inputs: Any) -> list[Any]:
        return slopes(sample, list(inputs))

    inputs = tensors(sample, sample.arrays())
    checks = [(gradcheck, func), (gradgradcheck, func)]
    if any(g.requires_grad for g in slope(*inputs)):
        checks.append((gradgradcheck, slope))
    return any(not check(function, inputs, raise_exception=False) for check, function in checks)


def slopes(sample: Sample, inputs: list[Any]) -> list[Any]:
    """The first derivatives, with a graph."""
    return [g for g in gradients(run(sample, inputs), inputs, create_graph=True) if g is not None]


Row = tuple[bool, int, Sample]


@pytest.fixture(scope="module")
def reaching() -> dict[type[Op], list[Row]]:
    """For each op small samples that run it: whether they are another family's, their size, and the sample."""
    ops = every_op()
    found = defaultdict(list)
    for name, sample in SAMPLES.items():
        size = sum(array.size for array in sample.arrays())
        if sample.derivatives() < 2 or not 3 <= size <= ELEMENTS:
            continue
        with watched(ops) as reached:
            with_derivatives(sample)
        for op, _ in reached:
            found[op].append((not op.__module__.endswith("." + name.partition(":")[0]), size, sample))
    return {op: sorted(rows, key=lambda row: row[:2]) for op, rows in found.items()}


def nearest(rows: list[Row], op: type[Op], method: str, position: int | None) -> list[Sample]:
    """The samples in which that gradient takes part: those of the op's own family, where there are any."""
    for wanted in (False, True):
        samples = [sample for foreign, _, sample in rows if foreign is wanted and reaches(sample, op, method, position)]
        if samples:
            return samples
    return []


# Gradients that are 0 can be wrong in none of these ways, and float32 is too coarse for differences.
EXCEPT = {(Fill, "vjp_x"), (Copy, "vjp_x"), (To, "vjp_x"), (Random, "vjp_x")}
EXCEPT |= {(op, f"vjp_{name}") for op in (FloorQuotient, TruncQuotient) for name in ("x", "other")}
SAME = {"index.MaskedFill.vjp_value[None] turned"}  # the value is one number: its gradient is summed
FAMILIES = sorted({op.__module__.rpartition(".")[2] for op in every_op()})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_wrong_gradient_is_caught(family: str, reaching: dict[type[Op], list[Row]]) -> None:
    ops = sorted((op for op in every_op() if op.__module__.endswith(f".{family}")), key=lambda op: op.__name__)
    escaped, untried = [], []
    for op in ops:
        for method, position in gradients_of(op):
            samples = nearest(reaching.get(op, []), op, method, position)
            if not samples and (op, method) not in EXCEPT and not issubclass(op, Step):
                untried.append(f"{op.__name__}.{method}[{position}]")
            for mutation in MUTATIONS:
                with Mutant(op, method, position, mutation) as mutant:
                    found = any(caught(sample) for sample in samples)
                if mutant.changed and not found and mutant.name not in SAME:
                    escaped.append(mutant.name)
    assert not escaped
    assert not untried


def reaches(sample: Sample, op: type[Op], method: str, position: int | None) -> bool:
    """Whether that gradient takes part in the sample's, and is not 0."""
    with Mutant(op, method, position, "sign") as mutant:
        with_derivatives(sample)
        if not mutant.changed:
            inputs = tensors(sample, sample.arrays())
            curved = [g for g in slopes(sample, inputs) if g.requires_grad]
            second_order(curved, inputs)
    return mutant.changed


class Wrong(Op):
    """x^3 with a slope that is right, and a curvature that is not: its derivative sees only one factor."""

    inputs = ("x",)

    def infer(self, x: Any) -> Any:
        return x.shape, x.dtype

    def compute(self, k: Any, out: Any, x: Any) -> None:
        k.cube(x, out)

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * 3 * x * x.detach()


def leaf(*values: float) -> Any:
    return ag.tensor(list(values), dtype=ag.float64, requires_grad=True)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_wrong_second_derivative(fast_mode: bool) -> None:
    def func(x: Any) -> Any:
        return apply(Wrong(), x)

    x = leaf(1, -2)
    assert gradcheck(func, x, fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match=r"d output 0 \[2\] / d input 0 \[2\]"):
        gradgradcheck(func, x, fast_mode=fast_mode)
    assert not gradgradcheck(func, x, fast_mode=fast_mode, raise_exception=False)


def test_message_names_the_worst_entry() -> None:
    def func(x: Any, y: Any) -> Any:
        return x.exp(), y * y.detach() * ag.tensor([1.0, 100.0, 1.0], dtype=ag.float64)

    message = (
        "d output 1 [3] / d input 1 [3]: 3 of 9 entries differ; the worst is d output[1] / d input[1]: analytical 200"
    )
    with pytest.raises(GradcheckError, match=re.escape(message) + ".*, numerical 400"):
        gradcheck(func, (leaf(1, 2), leaf(1, 2, 3)))


def test_forgotten_dependence_is_caught() -> None:
    """A result cut from the graph has no gradient, but a slope."""
    with pytest.raises(GradcheckError, match="analytical 0, numerical 2"):
        gradcheck(lambda x: x.detach() * 2, leaf(1, 2))


def test_nan_is_caught() -> None:
    assert not gradcheck(lambda x: (x * 0).sqrt(), leaf(1), raise_exception=False)


def test_different_passes_are_caught() -> None:
    rng = np.random.default_rng(0)

    class Noisy(Op):
        inputs = ("x",)
        infer, compute = Wrong.infer, Wrong.compute

        def vjp_x(self, g: Any, x: Any) -> Any:
            return g * 3 * x * x * (1 + 1e-9 * rng.random())

    with pytest.raises(GradcheckError, match=r"two backward passes differ by .* nondet_tol is 0"):
        gradcheck(lambda x: apply(Noisy(), x), leaf(1, 2))
    assert gradcheck(lambda x: apply(Noisy(), x), leaf(1, 2), nondet_tol=1e-6)


def test_inputs_that_the_function_holds_itself() -> None:
    """Parameters of a module reach the function without being its arguments."""
    w = leaf(2, 3)
    assert gradcheck(lambda *_: w * w, w)
    assert gradgradcheck(lambda *_: w * w, w)
    assert w.tolist() == [2, 3]


def test_inputs_are_as_before_after_an_error() -> None:
    x, calls = leaf(1, 2), []

    def func(x: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("third call")
        return x * x

    with pytest.raises(KeyError):
        gradcheck(func, x)
    assert x.tolist() == [1, 2]


def test_given_cotangents() -> None:
    x = leaf(1, 2)
    assert gradgradcheck(lambda x: x.exp(), x, leaf(3, 4))
    assert gradgradcheck(lambda x: x.exp(), x, gen_non_contig_grad_outputs=True)


def test_refused_inputs() -> None:
    with pytest.raises(DTypeError, match=r"gradcheck: input 0 is float32; .* use x\.double"):
        gradcheck(lambda x: x, ag.ones(2, requires_grad=True))
    with pytest.raises(ArgumentError, match="none of the 1 inputs requires grad"):
        gradcheck(lambda x: x, ag.ones(2))
    with pytest.raises(ArgumentError, match=r"input 0, of shape .* has several elements in one place of memory"):
        gradcheck(lambda x: x, leaf(1).expand(3))


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
def test_switches_are_torch_s(torch, check):
    ours = inspect.signature(getattr(ag.autograd, check)).parameters.values()
    theirs = inspect.signature(getattr(torch.autograd, check)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
    x = ag.ones(2, dtype=ag.float64, requires_grad=True)
    run = getattr(ag.autograd, check)
    assert run(lambda x: x**3, x, check_undefined_grad=False, check_grad_dtypes=True)
    with pytest.raises(ArgumentError, match=f"{check}: check_batched_grad=True asks for a check of what there is not"):
        run(lambda x: x**3, x, check_batched_grad=True)
    nothing = {"gradcheck": "check_backward_ad", "gradgradcheck": "check_rev_over_rev"}[check]
    with pytest.raises(ArgumentError, match=f"{check}: {nothing}=False leaves nothing to check"):
        run(lambda x: x**3, x, **{nothing: False})
