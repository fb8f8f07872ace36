"""Graphs of any length are walked and freed without recursion, and nothing outlives its use."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
from counting import lines_run

import autograd_cnn as ag
from autograd_cnn.graph.walk import reachable


def leaf(*values: float) -> Any:
    return ag.tensor(list(values), dtype=ag.float64, requires_grad=True)


class TestLongChains:
    def test_100_000_ops(self, no_collector: None) -> None:
        """Recording, backward and release do not recurse."""
        x = leaf(1)
        y = x
        for _ in range(100_000):
            y = y + 1
        y.backward()
        del y
        assert x.grad.item() == 1

    @pytest.mark.parametrize("width", [1, 5])
    def test_backward_is_linear(self, width: int) -> None:
        """In chains, and where every op reads several results."""
        counts = []
        for length in (300, 3000):
            pool = [leaf(1) for _ in range(width)]
            for i in range(length):
                pool.append(pool[-1] + pool[-1 - i % width])
            counts.append(lines_run(pool[-1].backward)[1])
        assert counts[1] < 10.5 * counts[0]

    def test_release_without_backward(self, no_collector: None) -> None:
        y = leaf(1)
        for _ in range(100_000):
            y = y * 1.0
        first = weakref.ref(next(iter(reachable([y.grad_fn]))))
        del y
        assert first() is None


class TestMemory:
    def test_nothing_saved_outlives_the_pass(self, no_collector: None) -> None:
        x = leaf(1, 2)
        y = x.exp()
        z = (y * y).sum()
        saved = [weakref.ref(y.array), weakref.ref(y)]
        del y
        assert saved[0]() is not None
        z.backward()
        assert [reference() for reference in saved] == [None, None]

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_no_cycles(self, no_collector: None, create_graph: bool) -> None:
        x = leaf(1, 2)
        y = (x.exp() * x.tanh()).sum()
        node = weakref.ref(y.grad_fn)
        (g,) = ag.autograd.grad(y, x, create_graph=create_graph)
        del y, g
        assert node() is None

    def test_interrupted_pass_lets_go(self, no_collector: None) -> None:
        x = leaf(1)
        y = x * 2
        node = weakref.ref(y.grad_fn)
        y.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            y.backward()
        del y
        assert node() is None

    def test_unneeded_inputs_are_not_saved(self) -> None:
        x, c = leaf(1, 2), ag.ones(2, dtype=ag.float64)
        assert [meta.name for meta in (x * c).grad_fn.saved_meta()] == ["other"]
        assert (x + c).grad_fn.saved_meta() == ()
