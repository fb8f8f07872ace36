"""Devices: where a tensor's array lies, and which kernels work on it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DeviceError


class Device:
    """A place for arrays, with the namespace of `kernels` that run there, imported when the first op asks for it.

    >>> from autograd_cnn import device
    >>> device("cpu")
    device(type='cpu')
    """

    kernels: ModuleType
    grain: int  # arrays from this size on are worth the parallel kernels

    def __init__(self, type: str | int | Device, index: int | None = None, *, kernels: str = "") -> None:
        self.type = str(type)
        self.index = index
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

    def __enter__(self) -> Device:
        """New tensors are made here: what they are anyway."""
        return device(self)

    def __exit__(self, *error: object) -> None:
        pass

    def __reduce__(self) -> Any:
        return device, (str(self),)  # a copy is the device itself

    def __repr__(self) -> str:
        place = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{place})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"


class AbsentDevice(Device):
    """The name of a device that is not there: it can be compared and printed, and nothing can be put on it."""

    def __init__(self, type: str, index: int | None) -> None:
        super().__init__(type, index)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbsentDevice) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return AbsentDevice, (self.type, self.index)


CPU = Device("cpu", kernels="autograd_cnn.kernels.cpu")


def device(type: str | Device) -> Device:
    """The device of that name; today there is `"cpu"`.

    Raises DeviceError for any other name.

    >>> str(device("cpu"))
    'cpu'
    """
    if type == "cpu" or type is CPU:
        return CPU
    if isinstance(type, Device) and not isinstance(type, AbsentDevice):
        return type
    if isinstance(type, str) and type.startswith("cpu:") and type[4:].isdigit():
        return CPU
    raise DeviceError(f"device: there is no device {str(type)!r}; available: 'cpu'")


def empty_cache() -> bool:
    """Gives memory that this process keeps for its next arrays back to the system; whether there was any.

    What a step has freed is kept, so that the next one need not fetch it page by page again.  Call this after the
    largest model of a long-lived process, such as a notebook, has been dropped.

    >>> import autograd_cnn
    >>> autograd_cnn.empty_cache() in (True, False)
    True
    """
    return CPU.kernels.heap.release()


def get_num_threads() -> int:
    """How many threads kernels run in.

    >>> import autograd_cnn as ag
    >>> ag.get_num_threads() >= 1
    True
    """
    import numba

    return int(numba.get_num_threads())


def set_num_threads(threads: int) -> None:
    """Sets how many threads kernels run in, for calls from this thread; the results are the same bits.

    Raises ArgumentError for less than one.  There are never more than the processors, or `NUMBA_NUM_THREADS`.

    >>> import autograd_cnn as ag
    >>> ag.set_num_threads(ag.get_num_threads())
    """
    import numba

    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ArgumentError(f"set_num_threads: needs an integer of at least 1, got {threads!r}")
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
