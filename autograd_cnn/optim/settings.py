"""Settings of optimizers: which values are possible, and PyTorch's choices between variants of one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.tensor import Tensor

# Of PyTorch's choices these say how a step is computed: here always by one kernel for all parameters.
VARIANTS = ("foreach", "fused", "capturable", "differentiable")

REFUSED = {
    "capturable": "is for CUDA graphs, of which there are none here",
    "differentiable": "would record the step, which changes the parameters in their memory; write it with ops instead",
}


def check_range(optimizer: str, low: float, high: float = float("inf"), **settings: Any) -> None:
    """ArgumentError unless low <= value < high for each setting, DTypeError for what is no number."""
    for name, value in settings.items():
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ArgumentError(f"{optimizer}: {name} must be one number, got shape {list(value.shape)}")
            value = value.item()
        if not isinstance(value, int | float | np.number):
            raise DTypeError(f"{optimizer}: {name} must be a number, got {value!r}")
        if not low <= value < high:
            bound = f"at least {low}" if high == float("inf") else f"in [{low}, {high})"
            raise ArgumentError(f"{optimizer}: {name} must be {bound}, got {value}")


def check_pair(optimizer: str, name: str, pair: Any) -> None:
    """ArgumentError unless a setting is two of something."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ArgumentError(f"{optimizer}: {name} must be a pair of numbers, got {pair!r}")


def check_betas(optimizer: str, betas: Any) -> None:
    """ArgumentError unless `betas` are two numbers in [0, 1)."""
    check_pair(optimizer, "betas", betas)
    if any(isinstance(beta, Tensor) for beta in betas):
        raise DTypeError(f"{optimizer}: betas must be numbers, got tensors; use beta.item()")
    check_range(optimizer, 0, 1, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})


def check_variants(optimizer: str, group: Mapping[str, Any]) -> None:
    """ArgumentError for variants that there are not, and for two of them at once; the others change nothing."""
    for name, reason in REFUSED.items():
        if group.get(name):
            raise ArgumentError(f"{optimizer}: {name}=True {reason}")
    if group.get("foreach") and group.get("fused"):
        raise ArgumentError(f"{optimizer}: foreach and fused cannot both be True")
