"""`accelerator` by PyTorch's names: there is none.

>>> import autograd_cnn as ag
>>> ag.accelerator.is_available(), ag.accelerator.current_accelerator()
(False, None)
"""

from __future__ import annotations

from typing import Any, NoReturn

from autograd_cnn.device import Device
from autograd_cnn.errors import DeviceError


def is_available() -> bool:
    """False: kernels run on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> Device | None:
    """None."""
    return None


def current_device_index() -> int:
    """Raises DeviceError."""
    _refuse("current_device_index")


def set_device_index(device: Any, /) -> None:
    """Raises DeviceError."""
    _refuse("set_device_index")


def current_stream(device: Any = None, /) -> Any:
    """Raises DeviceError."""
    _refuse("current_stream")


def synchronize(device: Any = None, /) -> None:
    """Raises DeviceError."""
    _refuse("synchronize")


def _refuse(name: str) -> NoReturn:
    raise DeviceError(f"accelerator.{name}: there is no accelerator; kernels run on the CPU")
