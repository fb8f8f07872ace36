"""squeeze_, transpose_ and their like: a tensor takes another shape, in its memory and in the graph."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import InPlaceError

CASES = [
    ("squeeze_", ()),
    ("squeeze_", (1,)),
    ("squeeze_", ((0, 1),)),
    ("unsqueeze_", (-1,)),
    ("transpose_", (0, 2)),
    ("swapaxes_", (1, -1)),
    ("swapdims_", (0, 1)),
]


def changed(x: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """The new shape, a change through an older view, one through the tensor, and one through a newer view."""
    y = x * 2
    older = y[1]
    assert getattr(y, name)(*arguments) is y
    older.mul_(5)
    y.add_(1)
    y[0].mul_(3)
    return y * y


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_values_and_gradients_are_torchs(name: str, arguments: tuple[Any, ...], torch: ModuleType) -> None:
    values = np.random.default_rng(0).standard_normal((2, 1, 3))
    x, other = ag.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, expected = changed(x, name, arguments), changed(other, name, arguments)
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy())
    weight = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(ag.tensor(weight))
    expected.backward(torch.tensor(weight))
    np.testing.assert_allclose(x.grad.numpy(), other.grad.numpy())


def test_memory_is_shared() -> None:
    x = ag.zeros(2, 3)
    twin = x.detach()
    x.t_()[2, 1] = 7
    assert x.shape == (3, 2)
    assert twin[1, 2] == 7


def test_two_after_each_other() -> None:
    x = ag.arange(6.0, requires_grad=True)
    y = (x * 1).unsqueeze_(0).unsqueeze_(2).squeeze_(0)
    y.mul_(2)
    y[3].mul_(5)
    y.sum().backward()
    assert y.shape == (6, 1)
    assert x.grad.tolist() == [2, 2, 2, 10, 2, 2]


def test_a_leaf_is_refused_while_recording() -> None:
    x = ag.ones(1, 3, requires_grad=True)
    with pytest.raises(InPlaceError, match="squeeze_: a leaf tensor that requires grad"):
        x.squeeze_()
    with ag.no_grad():
        x.squeeze_()
    (x * 2).sum().backward()
    assert x.is_leaf
    assert x.grad.tolist() == [2, 2, 2]
    with pytest.raises(InPlaceError, match="leaf tensor that requires grad"):
        x.add_(1)


def test_the_result_of_an_op_keeps_its_shape_without_recording() -> None:
    y = ag.ones(1, 3, requires_grad=True) * 2
    with ag.no_grad(), pytest.raises(InPlaceError, match="the result of mul cannot change its shape"):
        y.squeeze_()
    assert y.shape == (1, 3)


def test_a_tensor_that_was_saved_is_noticed() -> None:
    x = ag.ones(2, 3, requires_grad=True) * 1
    y = x * x
    x.t_()
    with pytest.raises(InPlaceError, match="changed in place by t_"):
        y.sum().backward()


def test_inference_tensors_are_refused_outside() -> None:
    with ag.inference_mode():
        x = ag.ones(1, 3) * 2
        x.squeeze_()
    assert x.shape == (3,)
    with pytest.raises(InPlaceError, match="inference_mode"):
        x.unsqueeze_(0)


def test_overlapping_windows_cannot_be_changed() -> None:
    x = ag.zeros(5)
    with pytest.raises(InPlaceError, match="several elements share memory"):
        x.unfold(0, 3, 1).add_(1)
    x.unfold(0, 2, 3).add_(1)
    assert x.tolist() == [1, 1, 0, 1, 1]
