"""Devices: where a tensor's array lies, and which kernels work on it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import DeviceError


class Device:
    """A place for arrays, with the namespace of `kernels` that run there, imported when the first op asks for it.

    >>> from autograd_cnn import device
    >>> device("cpu")
    device(type='cpu')
    """

    kernels: ModuleType
    grain: int  # arrays from this size on are worth the parallel kernels

    def __init__(self, type: str, kernels: str) -> None:
        self.type = type
        self.empty: Callable[[tuple[int, ...], np.dtype], np.ndarray] = np.empty
        self.flat_kernels: dict[Any, Any] = {}  # pointwise kernels on flat arrays of one size, by who asks
        self._kernels = kernels

    def __getattr__(self, name: str) -> Any:
        # `kernels` is missing until it is first asked for; from then on it is a plain attribute, quick to read.
        if name != "kernels":
            raise AttributeError(f"Device has no attribute {name!r}")
        self.kernels = import_module(self._kernels)
        return self.kernels

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "kernels":  # another namespace, other kernels
            self.flat_kernels = {}
            self.grain = getattr(value, "GRAIN", 0)

    def flat_kernel(self, asker: Any, name: str) -> Any:
        """A pointwise kernel on flat arrays of one size; None where `kernels` has it in another form.

        It is kept in `flat_kernels` under `asker`, so that an op finds its own by one look-up.
        """
        kernel = getattr(getattr(self.kernels, name), "flat", None)
        if kernel is not None:
            self.flat_kernels[asker] = kernel
        return kernel

    def to_host(self, array: np.ndarray) -> np.ndarray:
        return array

    def from_host(self, array: np.ndarray) -> np.ndarray:
        return array

    def __repr__(self) -> str:
        return f"device(type={self.type!r})"

    def __str__(self) -> str:
        return self.type


CPU = Device("cpu", "autograd_cnn.kernels.cpu")


def device(type: str | Device) -> Device:
    """The device of that name; today there is `"cpu"`.

    Raises DeviceError for any other name.

    >>> str(device("cpu"))
    'cpu'
    """
    if isinstance(type, Device):
        return type
    if type == "cpu":
        return CPU
    raise DeviceError(f"device: there is no device {type!r}; available: 'cpu'")


def empty_cache() -> bool:
    """Gives memory that this process keeps for its next arrays back to the system; whether there was any.

    What a step has freed is kept, so that the next one need not fetch it page by page again.  Call this after the
    largest model of a long-lived process, such as a notebook, has been dropped.

    >>> import autograd_cnn
    >>> autograd_cnn.empty_cache() in (True, False)
    True
    """
    return CPU.kernels.heap.release()
