"""The backward pass: what it accumulates, retains, frees and refuses; hooks; observers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import (
    AnomalyError,
    ArgumentError,
    GraphError,
    GraphFreedError,
    ShapeError,
)
from autograd_cnn.graph.engine import add_backward_observer


def leaf(*values: float) -> Any:
    return ag.tensor(list(values), dtype=ag.float64, requires_grad=True)


class TestAccumulation:
    def test_leaves_and_results(self) -> None:
        x = leaf(1, 2)
        y = x * 3
        assert x.is_leaf
        assert not y.is_leaf
        assert x.grad_fn is None
        assert y.grad_fn.name() == "MulBackward"
        y.sum().backward()
        assert x.grad.tolist() == [3, 3]
        assert y.grad is None

    def test_gradients_add_up(self) -> None:
        x = leaf(1, 2)
        for _ in range(3):
            (x * x).sum().backward()
        assert x.grad.tolist() == [6, 12]

    def test_gradient_is_its_own_memory(self) -> None:
        x = leaf(1, 2)
        seed = ag.tensor([1.0, 1.0], dtype=ag.float64)
        (x + 0).backward(seed)
        x.grad.zero_()
        assert seed.tolist() == [1, 1]
        a, b = leaf(1), leaf(2)
        (a + b).backward()
        a.grad.zero_()
        assert b.grad.tolist() == [1]

    def test_root_that_is_a_leaf(self) -> None:
        x = leaf(5)
        x.backward()
        x.backward()
        assert x.grad.tolist() == [2]

    def test_same_tensor_twice(self) -> None:
        x = leaf(3)
        (x * x * x).backward()
        assert x.grad.tolist() == [27]

    def test_doubling_20_times(self) -> None:
        """A walk over paths would take 2^20 steps."""
        x = leaf(1)
        y = x
        for _ in range(20):
            y = y + y
        y.backward()
        assert x.grad.tolist() == [2**20]

    def test_several_roots(self) -> None:
        x = leaf(1, 2)
        ag.autograd.backward([x.sum(), (x * x).sum()], [None, ag.tensor(2.0, dtype=ag.float64)])
        assert x.grad.tolist() == [5, 9]

    def test_broadcast_gradient_is_summed(self) -> None:
        x, b = ag.ones(3, 2, requires_grad=True), ag.ones(2, requires_grad=True)
        (x + b).sum().backward()
        assert b.grad.tolist() == [3, 3]

    def test_dtype_of_the_gradient_is_the_tensors(self) -> None:
        x = ag.ones(2, requires_grad=True)
        (x * ag.ones(2, dtype=ag.float64)).sum().backward()
        assert x.grad.dtype == ag.float32

    def test_inputs_limit_what_is_accumulated(self) -> None:
        x, w = leaf(2), leaf(3)
        y = x * w
        (y * y).backward(inputs=[w])
        assert x.grad is None
        assert w.grad.tolist() == [24]

    def test_inputs_may_be_results(self) -> None:
        x = leaf(2)
        y = x * 3
        (y * y).backward(inputs=y)
        assert y.grad.tolist() == [12]
        assert x.grad is None

    def test_requires_grad_of_what(self) -> None:
        with pytest.raises(GraphError, match="only floating point tensors have gradients, got int64"):
            ag.tensor([1]).requires_grad_()
        with pytest.raises(GraphError, match="only a leaf can stop requiring grad, this is the result of mul"):
            (leaf(1) * 2).requires_grad_(False)


class TestErrors:
    def test_not_scalar(self) -> None:
        with pytest.raises(GraphError, match=r"only for scalar outputs, got shape \[2\]"):
            leaf(1, 2).backward()

    def test_no_graph(self) -> None:
        with pytest.raises(GraphError, match="does not require grad and has no grad_fn"):
            ag.ones(1).backward()

    def test_shape_of_the_gradient(self) -> None:
        with pytest.raises(ShapeError, match=r"gradient 0 has shape \[3\], its tensor has \[2\]"):
            leaf(1, 2).backward(ag.ones(3))

    def test_number_of_gradients(self) -> None:
        with pytest.raises(ArgumentError, match="1 tensors but 2 gradients"):
            ag.autograd.backward([leaf(1)], [None, None])

    def test_empty_inputs(self) -> None:
        with pytest.raises(ArgumentError, match="inputs is empty"):
            leaf(1).backward(inputs=[])

    def test_input_without_grad(self) -> None:
        with pytest.raises(GraphError, match=r"inputs\[1\] does not require grad"):
            ag.autograd.grad(leaf(1), [leaf(1), ag.ones(1)])


class TestRetaining:
    def test_second_pass_is_refused(self) -> None:
        x = leaf(1, 2)
        y = (x * x).sum()
        y.backward()
        with pytest.raises(GraphFreedError, match=r"Backward: a second .* pass retain_graph=True"):
            y.backward()
        assert x.grad.tolist() == [2, 4]

    def test_retain_graph(self) -> None:
        x = leaf(1, 2)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.tolist() == [4, 8]

    def test_create_graph(self) -> None:
        x = leaf(2)
        (x**4).backward(create_graph=True)
        (third,) = ag.autograd.grad(ag.autograd.grad(x.grad, x, create_graph=True)[0], x)
        assert x.grad.tolist() == [32]
        assert third.tolist() == [48]

    def test_first_order_results_have_no_graph(self) -> None:
        x = leaf(2)
        assert not ag.autograd.grad(x * x, x)[0].requires_grad
        (x * x).backward()
        assert not x.grad.requires_grad

    def test_partial_run_frees_only_its_part(self) -> None:
        x = leaf(2)
        y = x.exp()
        z = y.log()
        ag.autograd.grad(z, y)
        y.backward()
        assert x.grad.item() == pytest.approx(np.exp(2))


class TestGrad:
    def test_returns_and_does_not_accumulate(self) -> None:
        x, w = leaf(2), leaf(3)
        assert [g.item() for g in ag.autograd.grad(x * x * w, [x, w])] == [12, 4]
        assert x.grad is None

    def test_of_a_result(self) -> None:
        x = leaf(2)
        y = x * x
        assert ag.autograd.grad(y * y, [y, x])[0].item() == 8

    def test_unused(self) -> None:
        x, other = leaf(1, 2), leaf(1, 2)
        y = x.sum()
        with pytest.raises(GraphError, match=r"inputs\[1\], of shape \[2\], was not used .* allow_unused=True"):
            ag.autograd.grad(y, [x, other], retain_graph=True)
        assert ag.autograd.grad(y, [x, other], allow_unused=True, retain_graph=True)[1] is None
        assert ag.autograd.grad(y, [x, other], materialize_grads=True)[1].tolist() == [0, 0]

    def test_same_input_twice(self) -> None:
        x = leaf(3)
        assert [g.item() for g in ag.autograd.grad(x * x, [x, x])] == [6, 6]

    def test_output_is_input(self) -> None:
        x = leaf(3)
        y = x * 2
        assert ag.autograd.grad(y, y)[0].item() == 1


class TestHooks:
    def test_leaf_hook_sees_the_complete_gradient_once(self) -> None:
        x, seen = leaf(3), []
        x.register_hook(lambda g: seen.append(g.item()))
        (x * x + x).backward()
        assert seen == [7]

    def test_hooks_run_in_order_and_replace(self) -> None:
        x = leaf(1)
        y = x * 2
        y.register_hook(lambda g: g * 10)
        y.register_hook(lambda g: g + 1)
        x.register_hook(lambda g: -g)
        (y * 1).backward()
        assert x.grad.item() == -22

    def test_removal(self) -> None:
        x = leaf(1)
        handle = x.register_hook(lambda g: g * 10)
        handle.remove()
        handle.remove()
        with x.register_hook(lambda g: g * 100):
            pass
        x.backward()
        assert x.grad.item() == 1

    def test_hook_of_a_result_counts_all_uses(self) -> None:
        x, seen = leaf(2), []
        y = x * 1
        y.register_hook(lambda g: seen.append(g.item()))
        (y * y + 3 * y).backward()
        assert seen == [7]

    def test_retain_grad(self) -> None:
        x = leaf(2)
        y = x * 3
        y.retain_grad()
        assert y.retains_grad
        (y * y).backward(retain_graph=True)
        assert y.grad.item() == 12

    def test_neither_without_grad(self) -> None:
        with pytest.raises(GraphError, match="register_hook: the tensor does not require grad"):
            ag.ones(1).register_hook(print)
        with pytest.raises(GraphError, match="retain_grad: the tensor does not require grad"):
            ag.ones(1).retain_grad()

    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_an_exception_leaves_every_grad_as_it_was(self, where: str) -> None:
        x, w = leaf(2), leaf(3)
        (x * w).backward()
        y = x * w

        def fail(g: Any) -> None:
            raise KeyError("from the hook")

        (x if where == "leaf" else y).register_hook(fail)
        with pytest.raises(KeyError, match="from the hook"):
            (y * y).backward()
        assert (x.grad.item(), w.grad.item()) == (3, 2)
        assert ag.is_grad_enabled()


class TestObservers:
    def test_sees_every_node(self) -> None:
        seen: list[Any] = []

        class Observer:
            def before(self, node: Any, grads: Any) -> None:
                seen.append(("before", node.name(), grads[0].tolist()))

            def after(self, node: Any, grads: Any, freed_bytes: int, ns: int) -> None:
                seen.append(("after", node.name(), freed_bytes, ns > 0))

        x = leaf(1, 2)
        remove = add_backward_observer(Observer())
        (x * x).sum().backward()
        remove()
        (x * x).sum().backward()
        assert seen == [
            ("before", "SumBackward", 1),
            ("after", "SumBackward", 0, True),
            ("before", "MulBackward", [1, 1]),
            ("after", "MulBackward", 32, True),
        ]

    def test_anomaly_mode_names_the_op_and_its_line(self) -> None:
        x = ag.tensor([0.0], requires_grad=True)
        with ag.autograd.detect_anomaly():
            y = x.sqrt()
            line = sys._getframe().f_lineno - 1
            with pytest.raises(AnomalyError, match="SqrtBackward: made nan in the gradient of x") as error:
                (y * 0).backward()
        assert f"{__file__}:{line}" in str(error.value)
        assert x.grad is None
        (x.sqrt() * 0).backward()
        assert np.isnan(x.grad.item())


def test_detach_shares_memory_and_cuts() -> None:
    x = leaf(1, 2)
    y = (x * 2).detach()
    assert not y.requires_grad
    assert y.is_leaf
    x.detach()[0] = 5.0
    assert x.tolist() == [5, 2]


PROGRAMS: tuple[Callable[[ModuleType, Any, Any], Any], ...] = (
    lambda lib, x, w: (x @ w).tanh().sum(),
    lambda lib, x, w: ((x @ w) * (x @ w).exp()).mean(),
    lambda lib, x, w: (x.reshape(4, 3)[1:, None] * w.permute(1, 0)[..., None]).sum(1).square().sum(),
    lambda lib, x, w: lib.where(x > 0, x, x * x).sum() / w.square().sum().sqrt(),
    lambda lib, x, w: (x - x.mean(1, keepdim=True)).square().sum() * w.amax(),
)


@pytest.mark.parametrize("index", range(len(PROGRAMS)))
def test_small_programs_agree_with_torch(index: int, torch: ModuleType) -> None:
    rng = np.random.default_rng(index)
    x, w = rng.standard_normal((3, 4)), rng.standard_normal((4, 3))
    results = []
    for lib in (ag, torch):
        tensors = [lib.tensor(a, dtype=lib.float64, requires_grad=True) for a in (x, w)]
        first = lib.autograd.grad(PROGRAMS[index](lib, *tensors), tensors, create_graph=True)
        second = lib.autograd.grad(sum((g * g).sum() for g in first), tensors)
        results.append([t.detach().numpy() for t in (*first, *second)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
