"""The format of the sample tables: one file a family, `SAMPLES` and `ERRORS` in each.

A sample says how to call one op, and tests/test_ops.py does the rest with every sample of every family: value
against a NumPy reference and against PyTorch, gradients of first and second order against PyTorch and against
finite differences, inputs unchanged, non-contiguous inputs, and that every op is exercised by some sample.

    SAMPLES = (
        Sample("mul", arithmetic.mul, (real(3, 4), real(4)), np.multiply, "mul"),
        Sample("amax ties", reduce.amax, (given([1.0, 2.0, 2.0]),), np.max, "amax", order=1, why="a kink"),
        Sample("softmax", softmax.softmax, (real(2, 5),), reference_softmax, "softmax", {"dim": 1},
               large=(real(300, 500),)),
        Sample("cat", lambda *xs: shape.cat(xs, 1), (real(2, 3), real(2, 0)),
               lambda *xs: np.concatenate(xs, 1), lambda torch, *xs: torch.cat(xs, 1)),
    )
    ERRORS = (
        ErrorSample("mul shapes", arithmetic.mul, (real(3), real(4)), ShapeError, r"mul: shapes \\[3\\]"),
    )

Add samples for what an op must survive: 0-d, empty, size-1 and broadcast inputs, ties, limits, negative and
repeated indices, every value of every option.  Domains keep clear of kinks and poles where finite differences
are taken: `apart` for ties, `positive` for logarithms; the kinks themselves are samples with `given` and
`order=1`.

`name`       unique in its family
`op`         the public function under test; called with tensors made from `inputs`, and `kwargs`
`inputs`     what makes them: real, positive, apart, whole, truth, given
`reference`  the same in slow, readable NumPy; gets float64 arrays and `kwargs`; never calls the package
`torch`      a dotted name below `torch` ("nn.functional.relu"), or a function of the module and the tensors
`kwargs`     keyword arguments of all three
`order`      derivatives to check where an input is real; below 2 only with a reason in `why`:
             2: finite differences and PyTorch, both orders;
             1: gradients against PyTorch, no finite differences;
             0: values only
`why`        the reason for an order below 2, for no reference or for no PyTorch counterpart
`large`      inputs with outputs of more than 32768 elements, for ops that have parallel kernels (one sample
             an op is enough): the same bits for every number of threads
`hazards`    pointwise ops: run on 0, -0, inf, -inf, nan, subnormal and extreme numbers too, compared with
             `reference` in the same dtype
Random ops: the generator is seeded anew before every call of `op`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

# Largest relative error, and absolute error in units of the largest number of the result (at most 1 of them).
TOLERANCES = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-10}


@dataclass(frozen=True)
class Input:
    """A recipe for one input: `draw(rng, shape)` gives float64, int64 or bool values of `shape`."""

    shape: tuple[int, ...]
    draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    grad: bool = True  # asks for a gradient, where it is real

    def make(self, rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        """The array; `dtype` is for real numbers, others keep theirs."""
        values = np.asarray(self.draw(rng, self.shape))
        return values.astype(dtype if values.dtype.kind == "f" else values.dtype)


def real(*shape: int, low: float = -2.0, high: float = 2.0, grad: bool = True) -> Input:
    """Uniform in [low, high)."""
    return Input(shape, lambda rng, shape: rng.uniform(low, high, shape), grad)


def positive(*shape: int, grad: bool = True) -> Input:
    """Uniform in [0.3, 3)."""
    return real(*shape, low=0.3, high=3.0, grad=grad)


def apart(*shape: int, gap: float = 0.1, grad: bool = True) -> Input:
    """Numbers round 0 in random order, `gap` from each other and half of it from 0: no ties, no kinks."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        n = int(np.prod(shape))
        return ((rng.permutation(n) - n // 2 + 0.5) * gap).reshape(shape)

    return Input(shape, draw, grad)


def whole(*shape: int, low: int = -5, high: int = 6) -> Input:
    """int64 in [low, high)."""
    return Input(shape, lambda rng, shape: np.asarray(rng.integers(low, high, shape)), False)


def truth(*shape: int) -> Input:
    """bool."""
    return Input(shape, lambda rng, shape: np.asarray(rng.random(shape) < 0.5), False)


def given(values: Any, grad: bool = True) -> Input:
    """Exactly these values: nested lists, or an array of any dtype that tensors have."""
    array = np.asarray(values)
    return Input(array.shape, lambda rng, shape: array.copy(), grad and array.dtype.kind == "f")


@dataclass(frozen=True)
class Sample:
    """One way to call one op, and what must come of it; see the top of this file."""

    name: str
    op: Callable[..., Any]
    inputs: tuple[Input, ...]
    reference: Callable[..., Any] | None
    torch: str | Callable[..., Any] | None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    order: int = 2
    why: str = ""
    large: tuple[Input, ...] = ()
    hazards: bool = False

    def __post_init__(self) -> None:
        if not self.why and (self.order < 2 or self.reference is None or self.torch is None):
            raise ValueError(f"sample {self.name!r}: order < 2, no reference or no torch needs a reason: `why`")

    def arrays(self, dtype: np.dtype = FLOATS[1], large: bool = False) -> list[np.ndarray]:
        """The inputs, the same on every call."""
        rng = np.random.default_rng(0)
        return [one.make(rng, dtype) for one in (self.large if large else self.inputs)]

    def derivatives(self) -> int:
        """How many orders of derivatives there are to check."""
        real = [array.dtype.kind == "f" for array in self.arrays()]
        return self.order if any(one.grad and is_real for one, is_real in zip(self.inputs, real, strict=True)) else 0

    def dtypes(self) -> tuple[np.dtype, ...]:
        """Those to test: both floats where there are real inputs."""
        return FLOATS if any(array.dtype.kind == "f" for array in self.arrays()) else FLOATS[1:]


@dataclass(frozen=True)
class ErrorSample:
    """A call that must raise: recipes among `inputs` become float32 tensors, all else is passed as it is."""

    name: str
    op: Callable[..., Any]
    inputs: tuple[Any, ...]
    error: type[Exception]
    match: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
