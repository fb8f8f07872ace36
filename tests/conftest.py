"""What all tests share: a seed, and PyTorch where it is installed."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from autograd_cnn.random import manual_seed


@pytest.fixture(autouse=True)
def seed() -> None:
    manual_seed(0)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch as the oracle; tests that ask for it are skipped without it."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: pip install autograd_cnn[parity]")
    import torch

    torch.set_num_threads(1)
    return torch
