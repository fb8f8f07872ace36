"""Sizes that no memory holds are refused at once, and those of 0 and 1 are computed: never a wrapped number."""

from __future__ import annotations

import time

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import AutogradCnnError

F = nn.functional
HUGE = st.sampled_from([2**42, 2**62, 2**63 - 1, 2**63, 2**64, 2**80])  # elements that no machine has
SMALL = st.integers(0, 3)
SIZES = st.lists(st.one_of(SMALL, HUGE), min_size=1, max_size=4)

REFUSED = {
    "zeros": lambda shape: ag.zeros(*shape),
    "empty": lambda shape: ag.empty(tuple(shape)),
    "full": lambda shape: ag.full(tuple(shape), 1.0),
    "rand": lambda shape: ag.rand(*shape),
    "randint": lambda shape: ag.randint(0, 5, tuple(shape)),
    "expand": lambda shape: ag.ones(*(1 for _ in shape)).expand(*shape) + 1,
    "repeat": lambda shape: ag.ones(1).repeat(*shape),
    "broadcast": lambda shape: ag.ones(1).broadcast_to(tuple(shape)) * 2,
    "reshape": lambda shape: ag.ones(1).reshape(tuple(shape)),
    "pad": lambda shape: F.pad(ag.ones(1), (shape[0], shape[-1])),
    "eye": lambda shape: ag.eye(shape[0], shape[-1]),
    "arange": lambda shape: ag.arange(shape[0]),
    "one_hot": lambda shape: F.one_hot(ag.tensor([0]), max(shape[0], 1)),
    "outer": lambda shape: ag.outer(ag.ones(1).expand(shape[0]), ag.ones(1).expand(shape[-1])),
    "cat": lambda shape: ag.cat([ag.ones(1).expand(shape[0]), ag.ones(2)]),
    "conv2d": lambda shape: F.conv2d(ag.ones(1, 1, 4, 4), ag.ones(1, 1, 1, 1), padding=shape[0]),
    "interpolate": lambda shape: F.interpolate(ag.ones(1, 1, 2), size=max(shape[0], 1)),
    "Linear": lambda shape: nn.Linear(shape[0], shape[-1]),
    "Embedding": lambda shape: nn.Embedding(max(shape[0], 1), max(shape[-1], 1)),
}
LARGEST = 1 << 10


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's own, of layers without elements
@pytest.mark.parametrize("name", REFUSED)
@settings(max_examples=40, deadline=None)
@given(shape=SIZES)
def test_sizes_are_right_or_refused(name: str, shape: list[int]) -> None:
    started = time.monotonic()
    try:
        y = REFUSED[name](shape)
    except (AutogradCnnError, MemoryError):
        y = None
    if isinstance(y, ag.Tensor):
        assert y.numel() == int(np.prod([int(n) for n in y.shape], dtype=object))
        assert y.numel() < LARGEST
    assert time.monotonic() - started < 5


def test_views_of_more_elements_than_memory_holds() -> None:
    """A stride of 0 makes 2^33 elements of one; what reads them one by one says that it cannot."""
    wide = ag.ones(1).expand(1 << 33)
    assert wide.numel() == 1 << 33
    assert wide[-1].item() == 1
    assert wide[5:9].sum().item() == 4
    backwards = ag.from_numpy(np.arange(12.0).reshape(3, 4)[::-1, ::-2])
    np.testing.assert_array_equal((backwards * 2).numpy(), np.arange(12.0).reshape(3, 4)[::-1, ::-2] * 2)
    np.testing.assert_array_equal(backwards.sum(0).numpy(), np.arange(12.0).reshape(3, 4)[::-1, ::-2].sum(0))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1,), (1, 1), (2, 1, 0, 3)])
def test_sizes_of_0_and_1(shape: tuple[int, ...]) -> None:
    x = ag.ones(*shape, requires_grad=True)
    y = (x * 2 + 1).exp().sum()
    y.backward()
    assert x.grad.shape == shape
    assert y.item() == pytest.approx(float(np.exp(3 * np.ones(shape)).sum()), rel=1e-6)


@pytest.mark.parametrize("times", [(3,), (2, 3), (1,)])
def test_repeated_elements_are_apart(times: tuple[int, ...]) -> None:
    x = ag.ones(1)
    y = x.repeat(*times)
    y.view(-1)[0] = 5.0
    assert x.item() == 1
    assert y.sum().item() == 5 + y.numel() - 1
