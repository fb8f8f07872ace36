"""Memory: nothing of a graph outlives its use, and training does not grow the process."""

import gc
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Callable

import pytest

import autograd_cnn as ag
from autograd_cnn import nn, optim


def small_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3)
    )


def training_step() -> Callable[[], None]:
    ag.manual_seed(0)
    model = small_cnn()
    optimizer = optim.Adam(model.parameters())
    x, target = ag.randn(4, 1, 8, 8), ag.tensor([0, 1, 2, 0])

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), target).backward()
        optimizer.step()

    return step


def second_derivative_step() -> Callable[[], None]:
    x = ag.randn(8, requires_grad=True)

    def step() -> None:
        (g,) = ag.autograd.grad((x.tanh() * x.exp()).sum(), x, create_graph=True)
        (g * g).sum().backward()
        x.grad = None

    return step


def test_saved_tensors_are_gone_after_backward(no_collector: None) -> None:
    x = ag.randn(8, 8, requires_grad=True)
    hidden = x.exp()
    saved = weakref.ref(hidden.array)
    loss = (hidden * hidden).sum()
    del hidden
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_graph_is_gone_with_its_last_tensor(no_collector: None) -> None:
    x = ag.randn(8, requires_grad=True)
    y = (x * 2).tanh()
    nodes = [weakref.ref(y.grad_fn), weakref.ref(y.grad_fn.next_functions[0][0])]
    del y
    assert [node() for node in nodes] == [None, None]


def test_retained_graph_is_gone_with_its_last_tensor(no_collector: None) -> None:
    x = ag.randn(8, requires_grad=True)
    y = x.tanh().sum()
    y.backward(retain_graph=True)
    node = weakref.ref(y.grad_fn)
    del y
    assert node() is None


@pytest.mark.parametrize("make_step", [training_step, second_derivative_step])
def test_steps_leave_nothing(make_step: Callable[[], Callable[[], None]], no_collector: None) -> None:
    step = make_step()
    step()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(2500):  # CPython keeps up to 2,000 freed tuples of each length for reuse
            step()
        before, _ = tracemalloc.get_traced_memory()
        steps = 1000
        for _ in range(steps):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / steps < 100, "bytes a step"
    assert gc.collect() == 0, "objects that only the collector could free"


def test_ten_thousand_steps_do_not_grow_the_process() -> None:
    code = """
import resource, test_memory
step = test_memory.training_step()
for _ in range(1000): step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(10_000): step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=__file__.rpartition("/")[0], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 1024, "KiB"
