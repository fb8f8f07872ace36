"""Tensors as Python and NumPy see them: comparison with anything, formats, operators in place, arrays as operands."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
import autograd_cnn.nn.functional as F
from autograd_cnn.errors import DTypeError, GraphError, IndexOutOfRangeError, InPlaceError


@pytest.mark.parametrize("other", [None, "a", [1.0], object()])
def test_a_tensor_equals_nothing_that_is_no_number(other: Any) -> None:
    x = ag.tensor([1.0, 2.0])
    assert (x == other) is False
    assert (x != other) is True


def test_slices_may_be_bounded_by_tensors() -> None:
    x = ag.arange(5)
    assert x[ag.tensor(1) : ag.tensor(3)].tolist() == [1, 2]
    assert x[ag.tensor(3) :].tolist() == [3, 4]


def test_format() -> None:
    assert f"{ag.tensor(1.5)}" == "1.5"
    assert f"{ag.tensor(1.5, requires_grad=True) * 2:.3f}" == "3.000"
    assert f"{ag.tensor([1.5])}" == "tensor([1.5000])"
    with pytest.raises(DTypeError, match=r"format: .*'\.3f', got 1 dim"):
        f"{ag.tensor([1.5]):.3f}"


def test_reversed() -> None:
    assert reversed(ag.tensor([1, 2, 3])).tolist() == [3, 2, 1]


def test_size_of_a_dimension_that_is_not_there() -> None:
    with pytest.raises(IndexOutOfRangeError, match=r"size: dim 2 .* \[3, 4\]"):
        ag.zeros(3, 4).size(2)


IN_PLACE: tuple[tuple[Callable[[Any, Any], Any], Any, Any], ...] = (
    (operator.ifloordiv, [7.0, -7.0], 2),
    (operator.imod, [7, -7], 4),
    (operator.iand, [True, False], [True, True]),
    (operator.ior, [True, False], [False, False]),
    (operator.ixor, [True, False], [True, True]),
)


@pytest.mark.parametrize(("change", "values", "other"), IN_PLACE)
def test_operators_in_place_change_the_tensor_itself(
    change: Callable[[Any, Any], Any], values: Any, other: Any, torch: ModuleType
) -> None:
    results = []
    for lib in (ag, torch):
        x = lib.tensor(values)
        view = x[:1]
        y = change(x, lib.tensor(other) if isinstance(other, list) else other)
        assert y is x
        results.append((x.tolist(), view.tolist()))
    assert results[0] == results[1]


def test_floor_division_in_place_cuts_the_gradient() -> None:
    x = ag.tensor([5.0, 7.0], requires_grad=True)
    y = x * 1
    y //= 2
    assert y.tolist() == [2, 3]
    (y + x).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_in_place_results_must_fit() -> None:
    x = ag.tensor([5, 7])
    with pytest.raises(InPlaceError, match=r"floor_divide in place: .*float32 cannot be cast to the tensor's int64"):
        x //= 2.0
    assert x.tolist() == [5, 7]


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor])
def test_bools_on_the_left(op: Callable[[Any, Any], Any]) -> None:
    x = ag.tensor([True, False])
    assert op(True, x).tolist() == op(x, True).tolist()


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.lt, operator.eq])
def test_arrays_as_operands(op: Callable[[Any, Any], Any]) -> None:
    x, array = ag.tensor([1.0, 4.0], dtype=ag.float64), np.array([2.0, 4.0])
    for y in (op(x, array), op(x, ag.from_numpy(array))):
        assert isinstance(y, ag.Tensor)
        assert y.tolist() == op(np.array([1.0, 4.0]), array).tolist()
    assert isinstance(op(array, x), ag.Tensor)
    with pytest.raises(DTypeError, match="float16"):
        op(x, np.ones(2, np.float16))


def test_a_tensor_of_inference_mode_gets_no_gradient_outside_of_it() -> None:
    with ag.inference_mode():
        x = ag.ones(2)
        y = x * 2
    with pytest.raises(GraphError, match="inference_mode"):
        y.requires_grad_()
    assert not y.requires_grad


FUNCTIONS: tuple[Callable[[Any], Any], ...] = (
    ag.sum,
    ag.max,
    ag.argmax,
    lambda x: ag.cumsum(x, 0),
    lambda x: ag.flip(x, (0,)),
    lambda x: F.dropout(x, 0.5),
    lambda x: F.cross_entropy(x, ag.zeros(1, dtype=ag.int64)),
    ag.exp,
    ag.relu,
    ag.clone,
    ag.all,
    ag.flatten,
    ag.unbind,
    lambda x: ag.reshape(x, (2,)),
    lambda x: ag.roll(x, 1),
    lambda x: ag.matmul(ag.ones(2, 2), x),
    lambda x: F.linear(ag.ones(2, 2), x),
    lambda x: F.conv2d(ag.ones(1, 1, 4, 4), x),
    lambda x: F.max_pool2d(x, 2),
    lambda x: F.mse_loss(ag.ones(2), x),
    lambda x: F.batch_norm(x, None, None, training=True),
    lambda x: F.prelu(x, ag.ones(1)),
)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", [None, "a", [1.0, 2.0], 1.5, np.ones(2)], ids=lambda v: type(v).__name__)
def test_what_is_no_tensor_is_named(function: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(DTypeError, match=f"tensor.*got {type(value).__name__}"):
        function(value)
