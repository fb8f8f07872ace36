"""Functions that make tensors: what they share with PyTorch's, and what they refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, AutogradCnnError, DeviceError, DTypeError, ShapeError

CASES: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda t: t.zeros(2, 3),
    "zeros of a tuple": lambda t: t.zeros((2, 3)),
    "zeros of nothing": lambda t: t.zeros(()),
    "ones": lambda t: t.ones([2], dtype=t.int64),
    "full": lambda t: t.full((2,), 7),
    "full of floats": lambda t: t.full((2,), 0.5, dtype=t.float64),
    "full of bools": lambda t: t.full((2,), True),
    "eye": lambda t: t.eye(2, 3),
    "arange": lambda t: t.arange(4),
    "arange of floats": lambda t: t.arange(1, 2, 0.25),
    "arange down": lambda t: t.arange(5, 0, -2),
    "linspace": lambda t: t.linspace(0, 1, 5),
    "zeros_like": lambda t: t.zeros_like(t.ones(2, dtype=t.int64)),
    "ones_like": lambda t: t.ones_like(t.ones(2), dtype=t.float64),
    "full_like": lambda t: t.full_like(t.ones(2), 3),
    "tensor of ints": lambda t: t.tensor([[1, 2], [3, 4]]),
    "tensor of floats": lambda t: t.tensor([1, 2.5]),
    "tensor of bools": lambda t: t.tensor([True, False]),
    "tensor of a number": lambda t: t.tensor(3),
    "as_tensor": lambda t: t.as_tensor([1, 2], dtype=t.float64),
}


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name: str, torch: Any) -> None:
    ours, theirs = CASES[name](ag), CASES[name](torch)
    assert ours.shape == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ag.zeros(2.5), DTypeError, r"zeros: size takes ints, got \(2.5,\)"),
        (lambda: ag.ones(2, "3"), DTypeError, "ones: size takes ints"),
        (lambda: ag.empty(-1), ShapeError, r"empty: size \[-1\] must not be negative"),
        (lambda: ag.full((2, -3), 1), ShapeError, r"full: size \[2, -3\] must not be negative"),
        (lambda: ag.randn(-2), ShapeError, r"randn: size \[-2\] must not be negative"),
        (lambda: ag.randint(3, (-2,)), ShapeError, r"randint: size \[-2\] must not be negative"),
        (lambda: ag.ones(2).new_zeros(-1), ShapeError, r"new_zeros: size \[-1\] must not be negative"),
        (lambda: ag.tensor([[1], [2, 3]]), ShapeError, "tensor: the nested sequences differ in length"),
        (lambda: ag.tensor(["a"]), DTypeError, "tensor: dtype"),
        (lambda: ag.zeros(2, dtype="complex64"), DTypeError, "zeros: dtype complex64 is not one of"),
        (lambda: ag.arange(0, 3, -1), AutogradCnnError, "arange: step -1 does not lead from 0 to 3"),
        (lambda: ag.Generator("gpu"), DeviceError, "there is no device 'gpu'"),
        (lambda: ag.arange(3, device="gpu"), DeviceError, "there is no device 'gpu'"),
        (lambda: ag.as_tensor(ag.ones(2), device="gpu"), DeviceError, "there is no device 'gpu'"),
        (lambda: ag.zeros_like(ag.ones(2), device="gpu"), DeviceError, "there is no device 'gpu'"),
    ],
)
def test_refused(make: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_as_tensor_shares_memory_where_it_can() -> None:
    x, array = ag.ones(2), np.ones(2)
    assert ag.as_tensor(x) is x
    assert ag.as_tensor(x, dtype=ag.float64) is not x
    assert ag.as_tensor(array).array is array
    assert ag.as_tensor(array, dtype=ag.float32).array is not array


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.tensor([np.float64(0.1), 2]),
        lambda lib: lib.tensor([0.1, np.float64(2)]),
        lambda lib: lib.tensor([np.float32(0.1), 2.0]),
        lambda lib: lib.tensor([[np.ones(2) / 3], [np.zeros(2)]]),
        lambda lib: lib.tensor([0.1, 2.0]),
        lambda lib: lib.tensor([lib.tensor(0.1, dtype=lib.float64), lib.tensor(2.0, dtype=lib.float64)]),
        lambda lib: lib.tensor([np.float64(2), 3], dtype=lib.float32),
    ],
)
def test_numpys_doubles_in_lists_keep_their_precision(make: Any, torch: Any) -> None:
    ours, theirs = make(ag).numpy(), make(torch).numpy()
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).all()


@pytest.mark.parametrize(
    ("values", "dtype"), [([300], ag.uint8), ([-300], ag.uint8), ([1, 2**31], ag.int32), ([-(2**31) - 1], ag.int32)]
)
def test_numbers_that_the_dtype_cannot_hold(values: list[int], dtype: Any) -> None:
    with pytest.raises(ArgumentError, match=f"tensor: {dtype} cannot hold {values[-1]}"):
        ag.tensor(values, dtype=dtype)


def test_the_ends_of_a_dtype() -> None:
    for dtype in (ag.int32, ag.int64):
        ends = [int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)]
        assert ag.tensor(ends, dtype=dtype).tolist() == ends


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: ag.eye(-1), ShapeError),
        (lambda: ag.linspace(0, 1, -1), ShapeError),
        (lambda: ag.randperm(-1), ShapeError),
        (lambda: ag.randn(3, dtype=ag.int64), DTypeError),
        (lambda: ag.rand_like(ag.tensor([1, 2])), DTypeError),
    ],
)
def test_what_cannot_be_made(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"-1|int64"):
        make()
