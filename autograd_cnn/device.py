"""Devices: where a tensor's array lies, and which kernels work on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from types import ModuleType

import numpy as np

from autograd_cnn.errors import DeviceError


class Device:
    """A place for arrays, with the namespace of kernels that run there.

    >>> from autograd_cnn import device
    >>> device("cpu")
    device(type='cpu')
    """

    def __init__(self, type: str, kernels: str) -> None:
        self.type = type
        self.empty: Callable[[tuple[int, ...], np.dtype], np.ndarray] = np.empty
        self._kernels = kernels

    @cached_property
    def kernels(self) -> ModuleType:
        """The module of kernels for this device, imported when the first op asks for it."""
        return import_module(self._kernels)

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
