"""`device` as scripts use it: a name that is parsed, compared and printed; and which device is the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.device import CPU, AbsentDevice, Device
from autograd_cnn.device import device as as_device
from autograd_cnn.errors import ArgumentError, DeviceError

_ABSENT = (
    "cuda",
    "mps",
    "xpu",
    "xla",
    "meta",
    "hpu",
    "mtia",
    "privateuseone",
)  # the types of PyTorch's that are not here


class _DeviceType(type):
    """The class of `device`: calling it finds a device by its name, and every device is an instance."""

    def __call__(cls, type: str | int | Device, index: int | None = None) -> Device:
        if isinstance(type, Device):
            return type
        if not isinstance(type, str | int):
            raise ArgumentError(f"device: takes a name such as 'cpu' or 'cuda:0', got {type!r}")
        if isinstance(type, int):
            raise DeviceError(f"device: there is no accelerator, so no device number {type}; available: 'cpu'")
        name, _, number = type.partition(":")
        if index is not None and index < 0:
            raise ArgumentError(f"device: index {index} of {type!r} must not be negative")
        if number and index is not None:
            raise ArgumentError(f"device: {type!r} has an index already, {index} is another")
        if number and not number.isdigit():
            raise ArgumentError(f"device: {number!r} in {type!r} is not the number of a device")
        if name == "cpu":
            return CPU
        if name not in _ABSENT:
            raise DeviceError(f"device: {type!r} is no device; known are cpu, {', '.join(_ABSENT)}; available is 'cpu'")
        return AbsentDevice(name, int(number) if number else index)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Device)


if TYPE_CHECKING:
    device = Device  # for a type checker a name is what it names
else:

    class device(metaclass=_DeviceType):
        """A device by its name, "cpu", "cuda:0" or ("cuda", 0).

        A device that is not there has a name as well, to be compared and printed; it is refused when something is to be
        put on it.  Raises DeviceError for names that are none.

        >>> import autograd_cnn as ag
        >>> ag.device("cuda" if ag.cuda.is_available() else "cpu")
        device(type='cpu')
        >>> ag.zeros(2).device == ag.device("cpu"), ag.device("cuda:1").index
        (True, 1)
        """


def get_default_device() -> Device:
    """The device that tensors are made on unless told otherwise.

    >>> get_default_device()
    device(type='cpu')
    """
    return CPU


def set_default_device(device: str | Device | None) -> None:
    """Makes tensors on `device` from now on: there is only the CPU.  Raises DeviceError for any other.

    >>> set_default_device("cpu")
    """
    if device is not None:
        as_device(device)
