"""no_grad, enable_grad, set_grad_enabled, inference_mode: blocks, decorators, generators, threads, tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import autograd_cnn as ag
from autograd_cnn.errors import GraphError, InPlaceError


def recording() -> bool:
    assert (ag.ones(1, requires_grad=True) * 2).requires_grad is ag.is_grad_enabled()
    return ag.is_grad_enabled()


def test_blocks_nest_and_end_with_exceptions() -> None:
    assert recording()
    with ag.no_grad():
        assert not recording()
        with ag.enable_grad():
            assert recording()
        assert not recording()
    with pytest.raises(ValueError, match="inside"), ag.no_grad():
        raise ValueError("inside")
    assert recording()


def test_one_manager_twice() -> None:
    manager = ag.no_grad()
    with manager, manager:
        assert not recording()
    assert recording()


def test_set_grad_enabled() -> None:
    with ag.set_grad_enabled(False):
        assert not recording()
    assert recording()
    ag.set_grad_enabled(False)
    assert not recording()
    ag.set_grad_enabled(True)
    assert recording()


@pytest.mark.parametrize("decorator", [ag.no_grad, ag.no_grad(), ag.inference_mode(), ag.inference_mode])
def test_decorators(decorator: Callable[..., Any]) -> None:
    @decorator
    def inner(a: int, b: int = 0) -> tuple[bool, int]:
        """Its text."""
        return recording(), a + b

    assert inner(1, b=2) == (False, 3)
    assert inner.__name__ == "inner"
    assert inner.__doc__ == "Its text."
    assert recording()


def test_decorated_functions_recurse() -> None:
    @ag.no_grad()
    def inner(n: int) -> list[bool]:
        return [recording(), *inner(n - 1)] if n else []

    assert inner(3) == [False] * 3
    assert recording()


def test_generators_hold_their_mode_only_while_they_run() -> None:
    @ag.no_grad()
    def inner() -> Iterator[Any]:
        received = yield recording()
        try:
            yield recording(), received
        except KeyError:
            yield recording()
        return

    generator = inner()
    assert next(generator) is False
    assert recording()
    assert generator.send("hello") == (False, "hello")
    assert recording()
    assert generator.throw(KeyError("x")) is False
    assert recording()
    assert list(generator) == []


def test_closed_generators_run_their_finally_in_their_mode() -> None:
    seen = []

    @ag.no_grad()
    def inner() -> Iterator[int]:
        try:
            yield 1
        finally:
            seen.append(recording())

    generator = inner()
    next(generator)
    generator.close()
    assert seen == [False]
    assert recording()


def test_threads_start_with_recording_on() -> None:
    seen = []
    with ag.no_grad():
        thread = threading.Thread(target=lambda: seen.append(recording()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_backward_in_threads() -> None:
    """Graphs of their own in 4 threads, at once."""
    results: dict[int, float] = {}

    def work(k: int) -> None:
        for _ in range(50):
            x = ag.tensor([float(k)], requires_grad=True)
            (x * x * x).backward()
            results[k] = x.grad.item()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: 3.0 * k * k for k in range(4)}


def test_tasks_do_not_see_each_other() -> None:
    async def quiet(entered: asyncio.Event, leave: asyncio.Event) -> bool:
        with ag.no_grad():
            entered.set()
            await leave.wait()
            return recording()

    async def main() -> tuple[bool, bool]:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(entered, leave))
        await entered.wait()
        outside = recording()
        leave.set()
        return outside, await task

    assert asyncio.run(main()) == (True, False)


def test_leaves_made_without_recording_can_require_grad() -> None:
    with ag.no_grad():
        x = ag.ones(1, requires_grad=True)
        y = x * 2
    assert x.requires_grad
    assert not y.requires_grad


def test_what_is_an_inference_tensor(torch) -> None:
    for lib in (torch, ag):
        x = lib.ones(2)
        with lib.inference_mode():
            made = [lib.ones(2), lib.tensor([1.0, 2.0]), lib.zeros_like(x), lib.randn(2), x + 1, x.clone()]
            made += [made[0][:1], made[1].view(2, 1)]
            shared = [x[:], x.view(2, 1), x.detach()]
        assert all(y.is_inference() for y in made), lib
        assert not any(y.is_inference() for y in shared), lib
        shared[0].add_(1)
        assert x.tolist() == [2.0, 2.0]


def test_inference_tensors() -> None:
    x = ag.ones(2, requires_grad=True)
    with ag.inference_mode():
        y = x * 2
        y.add_(1)
    assert y.is_inference()
    with pytest.raises(GraphError, match="mul: other was made in inference_mode and cannot be saved"):
        x * y
    with pytest.raises(InPlaceError, match="x was made in inference_mode"):
        y.add_(1)
    assert (x * y.clone()).requires_grad
    assert (x + y).requires_grad
