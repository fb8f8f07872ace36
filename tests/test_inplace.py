"""Changes in place: short programs that must give PyTorch's values and gradients, and the errors of stale graphs."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import InPlaceError
from autograd_cnn.nn.functional import conv2d, cross_entropy, layer_norm


def leaf(lib: ModuleType, *shape: int) -> Any:
    values = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    return lib.tensor(values, dtype=lib.float64, requires_grad=True)


def select_then_multiply(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[0].mul_(2)
    return y


def view_sees_change_of_base(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    row = y[1]
    y.mul_(3)
    return row * row


def base_sees_change_of_view(lib: ModuleType, x: Any) -> Any:
    y = x * 2
    y.view(-1).add_(y.detach().exp().reshape(-1))
    return y * y


def chain_of_views(lib: ModuleType, x: Any) -> Any:
    y = x * 2
    y.transpose(0, 1)[1:].narrow(1, 0, 2).mul_(x[:2, 1:].transpose(0, 1))
    return y * y


def sibling_views(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    a, b = y[0], y.view(-1)
    a.mul_(x[0])
    b.add_(1)
    return a.sum() * b + y.sum()


def set_number(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[1, 2] = 7.0
    return y * x


def set_tensor(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[:, 1] = x[:, 0] * x[:, 2]
    return y * y


def set_broadcast(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[...] = x[0]
    return y


def set_mask(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[x > 1] = 0.0
    return y * x


def set_into_constant(lib: ModuleType, x: Any) -> Any:
    y = lib.zeros(3, 4, dtype=lib.float64)
    y[1:] = x[1:] * 2
    return y + x


def add_into_constant(lib: ModuleType, x: Any) -> Any:
    y = lib.zeros(4, dtype=lib.float64)
    for row in x:
        y += row * row
    return y


def augmented_assignment(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y += x
    y *= 2
    y -= 1
    y /= 3
    y **= 2
    return y


def clamp_in_place(lib: ModuleType, x: Any) -> Any:
    return (x * 1).clamp_(0.8, 1.2) * x


def copy_in_place(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[0].copy_(x[1] * 2)
    return y * y


def zero_and_fill(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y[0].zero_()
    y[1].fill_(3.0)
    return y * x


def self_product(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    y.add_(y)
    return y * y


def view_made_before_recording(lib: ModuleType, x: Any) -> Any:
    y = lib.zeros(3, 4, dtype=lib.float64)
    row = y[0]
    y.add_(x)
    return row * 2


def view_of_changed_view(lib: ModuleType, x: Any) -> Any:
    y = x * 1
    a = y[:2]
    b = a[1]
    a.mul_(2)
    b.mul_(x[0])
    return a.sum() + b.sum() + y.sum()


def detached_alias(lib: ModuleType, x: Any) -> Any:
    y = x + 1
    y.detach().mul_(2)
    return y + x


def in_place_under_no_grad(lib: ModuleType, x: Any) -> Any:
    with lib.no_grad():
        x.mul_(2)
    return x * x


PROGRAMS: tuple[Callable[[ModuleType, Any], Any], ...] = (
    select_then_multiply,
    view_sees_change_of_base,
    base_sees_change_of_view,
    chain_of_views,
    sibling_views,
    set_number,
    set_tensor,
    set_broadcast,
    set_mask,
    set_into_constant,
    add_into_constant,
    augmented_assignment,
    clamp_in_place,
    copy_in_place,
    zero_and_fill,
    self_product,
    view_made_before_recording,
    view_of_changed_view,
    detached_alias,
    in_place_under_no_grad,
)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_values_and_gradients_of_both_orders(program: Callable[..., Any], torch: ModuleType) -> None:
    results = []
    for lib, grad in ((ag, ag.autograd.grad), (torch, torch.autograd.grad)):
        x = leaf(lib, 3, 4)
        y = program(lib, x)
        (first,) = grad((y * y).sum(), x, create_graph=True)
        second = grad(first.sum(), x)[0] if first.requires_grad else first
        results.append([t.detach().numpy() for t in (y, first, second)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


POINTWISE = ("exp_", "sqrt_", "log_", "tanh_", "sigmoid_", "neg_", "abs_", "floor_", "ceil_", "round_", "trunc_")


@pytest.mark.parametrize("method", POINTWISE)
@pytest.mark.parametrize("view", [False, True])
def test_pointwise_methods(method: str, view: bool, torch: ModuleType) -> None:
    results = []
    for lib, grad in ((ag, ag.autograd.grad), (torch, torch.autograd.grad)):
        x = leaf(lib, 3, 4)
        y = x * 1.3
        changed = getattr(y[1:] if view else y, method)()
        results.append([t.detach().numpy() for t in (y, changed, grad((y * y).sum(), x)[0])])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_a_leaf_cannot_change_while_recording() -> None:
    x = leaf(ag, 3)
    before = x.tolist()
    with pytest.raises(InPlaceError, match=r"add in place: a leaf .* use no_grad"):
        x.add_(1)
    with pytest.raises(InPlaceError, match="mul in place: a view of a leaf tensor"):
        x[0].mul_(2)
    assert x.tolist() == before


@pytest.mark.parametrize("change", [lambda y: y.add_(1), lambda y: y[0].add_(1), lambda y: y.detach().add_(1)])
def test_changed_saved_tensor(change: Callable[[Any], Any]) -> None:
    """The message names the op that saved the tensor, the one that changed it, and where it was recorded."""
    x = leaf(ag, 3)
    y = x.exp()
    z = y.sum()
    change(y)
    where = f"recorded at {__file__}:"
    with pytest.raises(InPlaceError, match=r"ExpBackward: its saved tensor 'y', .* changed in place by add: ") as error:
        z.backward()
    assert where in str(error.value)
    assert x.grad is None


def test_changed_saved_input() -> None:
    x, w = leaf(ag, 3), leaf(ag, 3)
    y = x * w
    with ag.no_grad():
        w.zero_()
    with pytest.raises(InPlaceError, match=r"MulBackward: its saved tensor 'other', .* version 1, saved at"):
        y.sum().backward()


def test_saved_output_changed_by_a_later_op(torch: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        saved_output_then_change(torch).backward()
    with pytest.raises(InPlaceError, match="ExpBackward"):
        saved_output_then_change(ag).backward()


def saved_output_then_change(lib: ModuleType) -> Any:
    y = leaf(lib, 3).exp()
    y.mul_(2)
    return y.sum()


def test_unsaved_tensors_may_change() -> None:
    x = leaf(ag, 3)
    y = x + 1
    z = y.sum()
    y.zero_()
    z.backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_shape_and_dtype_must_stay() -> None:
    with pytest.raises(InPlaceError, match=r"add in place: the result has shape \[2, 3\], the tensor has \[3\]"):
        ag.ones(3).add_(ag.ones(2, 3))
    with pytest.raises(
        InPlaceError, match="mul in place: a result of dtype float32 cannot be cast to the tensor's int64"
    ):
        ag.tensor([1, 2]).mul_(0.5)


def test_stale_view_is_brought_up_to_date() -> None:
    """A view made before its base took part in the graph knows of it when it is asked."""
    x, y = leaf(ag, 3), ag.zeros(2, 3, dtype=ag.float64)
    row = y[1]
    assert not row.requires_grad
    y.add_(x * x)
    assert row.requires_grad
    row.backward(ag.ones(3, dtype=ag.float64))
    assert x.grad.tolist() == (2 * x).tolist()


def test_stale_view_stays_stale_under_no_grad() -> None:
    """Ops that are not recorded do not bring it up to date, and must not mark it so."""
    x = leaf(ag, 3)
    y = x * 1
    part = y[:2]
    y.mul_(2)
    with ag.no_grad():
        part[0:1]
    part.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 0.0]


def test_versions_are_shared() -> None:
    x = ag.zeros(2, 3)
    row, other = x[0], x.detach()
    row.add_(1)
    other.add_(1)
    assert x._version == row._version == other._version == 2
    assert x.tolist() == [[2, 2, 2], [1, 1, 1]]


@pytest.mark.parametrize("other", [(16, 64, 3, 3), (8, 8, 3, 3), (16, 8, 5, 5)])
def test_data_of_another_shape_is_a_change(other: tuple[int, ...]) -> None:
    """The kernels of a backward pass work from the shapes that they find."""
    x, w = ag.randn(2, 8, 10, 10, requires_grad=True), ag.randn(16, 8, 3, 3, requires_grad=True)
    y = conv2d(x, w, padding=1)
    w.data = ag.randn(*other)
    with pytest.raises(InPlaceError, match="data"):
        y.sum().backward()
    assert x.grad is None


def test_data_of_another_layout_is_a_change() -> None:
    x, scale = ag.randn(4, 6, requires_grad=True), ag.randn(6)
    y = layer_norm(x, (6,), scale)
    scale.data = ag.randn(12)[::2]
    with pytest.raises(InPlaceError, match="data"):
        y.sum().backward()


def test_data_of_the_same_shape_is_none() -> None:
    w = ag.tensor([2.0, 3.0], requires_grad=True)
    y = (w * w).sum()
    w.data = ag.tensor([5.0, 7.0])
    y.backward()
    assert w.grad is not None
    assert w.tolist() == [5.0, 7.0]


@pytest.mark.parametrize("shape", [(300, 5), (3, 5, 100)])
def test_labels_overwritten_from_outside_do_no_harm(shape: tuple[int, ...]) -> None:
    x = ag.randn(*shape, requires_grad=True)
    target = ag.zeros(shape[0], *shape[2:], dtype=ag.int64)
    loss = cross_entropy(x, target)
    target.numpy()[...] = 10**12
    loss.backward()
    assert ag.isfinite(x.grad).all()
