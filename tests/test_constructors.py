"""PyTorch's old constructors, `to` in all its forms, and new tensors after a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, AutogradCnnError, DeviceError, DTypeError, ShapeError

NAMES = ["Tensor", "FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", [[1, 0, 2], [[1.5, 2.0]], [], [True, False], (1, 2), np.arange(3.0), np.zeros((2, 0))])
def test_of_data(name: str, data: Any, torch: Any) -> None:
    x = getattr(ag, name)(data)
    other = getattr(torch, name)(data if not isinstance(data, np.ndarray) else data.tolist() or data)
    assert x.shape == tuple(other.shape)
    assert str(x.dtype) == str(other.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(x.numpy(), other.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_of_sizes(name: str) -> None:
    constructor = getattr(ag, name)
    assert constructor().shape == (0,)
    assert constructor(2).shape == (2,)
    assert constructor(2, 0, 3).shape == (2, 0, 3)
    assert constructor(2, device="cpu").device == ag.device("cpu")


def test_a_tensor_is_shared() -> None:
    x = ag.ones(2)
    for y in (ag.Tensor(x), ag.FloatTensor(x)):
        y[0] += 1
    assert x.tolist() == [3, 1]
    assert x._version == 2


def test_data_is_copied() -> None:
    array = np.zeros(2, np.float32)
    x = ag.Tensor(array)
    array[0] = 1
    assert x.tolist() == [0, 0]
    assert ag.Tensor([ag.tensor(1.5), 2]).tolist() == [1.5, 2]


def test_tensors_are_instances_by_dtype() -> None:
    assert isinstance(ag.ones(2), ag.FloatTensor)
    assert not isinstance(ag.ones(2), ag.LongTensor)
    assert not isinstance(np.ones(2, np.float32), ag.FloatTensor)
    assert isinstance(ag.Tensor(2), ag.Tensor)
    assert type(ag.ones(2) + 1) is ag.Tensor


def test_default_dtype() -> None:
    ag.set_default_dtype(ag.float64)
    try:
        assert ag.Tensor([1]).dtype == ag.float64
    finally:
        ag.set_default_dtype(ag.float32)


def test_subclasses_can_be_made() -> None:
    class Own(ag.Tensor):
        pass

    assert type(Own([1.0])) is Own
    assert (Own([1.0]) + 1).tolist() == [2.0]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ag.Tensor(2.5), DTypeError, "sizes or one sequence or array, got float"),
        (lambda: ag.Tensor(True), DTypeError, "got bool"),
        (lambda: ag.LongTensor("12"), DTypeError, "got str"),
        (lambda: ag.LongTensor(["12"]), DTypeError, "cannot make a tensor of <U2"),
        (lambda: ag.Tensor(-1), ShapeError, r"\[-1\] must not be negative"),
        (lambda: ag.Tensor(2, 2.5), DTypeError, "size takes ints"),
        (lambda: ag.FloatTensor([[1], [2, 3]]), ShapeError, "differ in length"),
        (lambda: ag.LongTensor(ag.ones(2)), DTypeError, "the tensor has dtype float32, not int64"),
        (lambda: ag.full((2,), "a"), DTypeError, "value must be a number or a tensor, got str"),
        (lambda: ag.full((2,), 300, dtype=ag.uint8), ArgumentError, "value 300 does not fit uint8"),
        (lambda: ag.ones(1, dtype=ag.uint8).new_full((2,), -1), ArgumentError, "new_full: value -1 does not fit uint8"),
        (lambda: ag.ones(1).new_tensor("a"), DTypeError, "new_tensor: cannot make a tensor of <U1"),
        (lambda: ag.Tensor(2, device="gpu"), DeviceError, "no device 'gpu'"),
    ],
)
def test_refused(make: Callable[[], Any], error: type[AutogradCnnError], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


TO: dict[str, Callable[[Any, Any], Any]] = {
    "nothing": lambda t, x: x.to(),
    "None": lambda t, x: x.to(None),
    "dtype": lambda t, x: x.to(t.float64),
    "dtype by name": lambda t, x: x.to(dtype=t.int32),
    "device": lambda t, x: x.to("cpu"),
    "a device object": lambda t, x: x.to(t.device("cpu"), non_blocking=True),
    "device and dtype": lambda t, x: x.to("cpu", t.int64),
    "device and dtype by name": lambda t, x: x.to(device="cpu", dtype=t.int64),
    "other": lambda t, x: x.to(t.zeros(1, dtype=t.uint8)),
    "flags": lambda t, x: x.to(t.float64, True, True),
    "copy": lambda t, x: x.to(t.float32, copy=True),
    "copy by position": lambda t, x: x.to("cpu", t.float32, False, True),
    "no copy": lambda t, x: x.to("cpu", t.float32, True, False),
    "other, copy": lambda t, x: x.to(x, False, True),
    "type": lambda t, x: x.type(t.DoubleTensor),
    "type of a dtype": lambda t, x: x.type(t.int64),
    "type by name": lambda t, x: x.type("torch.LongTensor"),
    "type as": lambda t, x: x.type_as(t.zeros(1, dtype=t.bool)),
    "new_empty": lambda t, x: x.new_empty(2, 3).zero_(),
    "new_zeros": lambda t, x: x.new_zeros((2, 3), dtype=t.int64),
    "new_ones": lambda t, x: x.new_ones(2, device="cpu", requires_grad=True),
    "new_full": lambda t, x: x.new_full((2, 1), 7.5),
    "new_full of bools": lambda t, x: x.new_full((2,), True, dtype=t.bool),
    "full of a tensor": lambda t, x: t.full((2,), t.tensor(2.5)),
    "new_full of a tensor": lambda t, x: x.new_full((2,), t.tensor(2)),
    "new_tensor": lambda t, x: x.new_tensor([[1, 2]]),
    "new_tensor of a dtype": lambda t, x: x.new_tensor(2.5, dtype=t.float64, requires_grad=True),
    "new_tensor of an array": lambda t, x: x.new_tensor(np.arange(3)),
}


@pytest.mark.parametrize("name", TO)
def test_as_pytorch(name: str, torch: Any) -> None:
    ours, theirs = ag.ones(2, 2), torch.ones(2, 2)
    y, expected = TO[name](ag, ours), TO[name](torch, theirs)
    assert (y is ours) == (expected is theirs)
    assert y.shape == tuple(expected.shape)
    assert str(y.dtype) == str(expected.dtype).removeprefix("torch.")
    assert y.requires_grad == expected.requires_grad
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_old_names_of_dtypes(dtype: str, torch: Any) -> None:
    x = ag.zeros(1, dtype=getattr(ag, dtype))
    assert x.type() == torch.zeros(1, dtype=getattr(torch, dtype)).type()
    assert x.type(x.type()) is x


def test_gradients_pass_through_to() -> None:
    x = ag.ones(2, requires_grad=True)
    x.to("cpu", ag.float64, copy=True).sum().backward()
    assert x.grad.dtype == ag.float32
    assert x.grad.tolist() == [1, 1]


def test_dlpack_both_ways(torch: Any) -> None:
    for array in (np.arange(6.0).reshape(2, 3), np.arange(3), np.array(True), np.zeros((0, 2), np.float32)):
        ours, theirs = ag.tensor(array), torch.tensor(array)
        np.testing.assert_array_equal(ag.from_dlpack(theirs).numpy(), array)
        np.testing.assert_array_equal(torch.from_dlpack(ours).numpy(), array)
        np.testing.assert_array_equal(np.from_dlpack(ours), array)
    x = ag.zeros(2, 3)
    other = torch.from_dlpack(x.t())
    other[2, 0] = 5
    assert x[0, 2] == 5
    ag.from_dlpack(other)[0, 0] = 7
    assert x[0, 0] == 7
    with pytest.raises(AutogradCnnError, match="requires grad"):
        np.from_dlpack(ag.ones(2, requires_grad=True))


def test_tolist() -> None:
    assert ag.tensor([[1, 2]]).tolist() == [[1, 2]]
    assert ag.tensor(1.5).tolist() == 1.5
    assert ag.zeros(2, 0).tolist() == [[], []]
    assert ag.tensor([True]).tolist() == [True]
    assert ag.tensor([1.5], requires_grad=True).tolist() == [1.5]
